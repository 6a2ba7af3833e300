"""`/v1/partnermanager/misps`: licence keys of MISP partners (mosip-onboarding.md §7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiohttp import web

from sandbox.partners import active_partner
from sandbox.pms import Call, Desk, Refused, Row
from sandbox.pms_content import PmsContent

BASE = "/v1/partnermanager/misps"
ROLES = frozenset({"MISP_PARTNER", "MISP", "PARTNERMANAGER", "PARTNER_ADMIN"})
DAYS = 90


class LicenceService:
    """Three calls, one of them a trap."""

    def __init__(self, desk: Desk, content: PmsContent) -> None:
        self._desk = desk
        self._content = content

    def routes(self) -> list[web.RouteDef]:
        """Where they live. The GET of a key is a write: it makes a new one and ends the old."""
        return [
            self._desk.write("POST", BASE, self.new, ROLES),
            self._desk.read("GET", BASE, self.licences, ROLES),
            self._desk.write("GET", f"{BASE}/{{partner}}/licenseKey", self.renew, ROLES - {"MISP_PARTNER", "MISP"}),
        ]

    def new(self, call: Call) -> Row:
        """The first licence of a MISP."""
        partner = self._misp(call.text("providerId", 36))
        if self._content.find("licences", providerId=partner["id"], licenseKeyStatus="ACTIVE"):
            raise Refused("PMS_MSP_416", "Active license already exists for the given misp.")
        return _view(self._make(partner["id"], call.claims.user_id))

    def licences(self, call: Call) -> list[Row]:
        """All of them."""
        return [_view(row) for row in self._content.all("licences")]

    def renew(self, call: Call) -> Row:
        """A new key at every call."""
        partner = self._misp(call.path("partner"))
        old = list(self._content.all("licences", providerId=partner["id"], licenseKeyStatus="ACTIVE"))
        if not old:
            raise Refused("PMS_PMP_020", "MISP license key not exists.")
        for row in old:
            self._content.change(row, call.claims.user_id, licenseKeyStatus="INACTIVE")
        return _view(self._make(partner["id"], call.claims.user_id))

    def _misp(self, id: str) -> Row:
        partner = active_partner(self._content, id)
        if partner["partnerType"] != "MISP_Partner":
            raise Refused("PMS_MSP_414", "Given partner is not a MISP.")
        return partner

    def _make(self, partner_id: str, user: str) -> Row:
        row = {
            "id": self._content.new_id(),
            "providerId": partner_id,
            "licenseKey": self._content.new_key(),
            "licenseKeyStatus": "ACTIVE",
            "licenseKeyExpiry": (datetime.now(UTC) + timedelta(days=DAYS)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        return self._content.add("licences", row, user)


def _view(row: Row) -> Row:
    return {name: row[name] for name in ("providerId", "licenseKey", "licenseKeyStatus", "licenseKeyExpiry")}
