"""`/v1/partnermanager/partners`: who is a partner (mosip-onboarding.md §7)."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from sandbox.configuration import Configuration
from sandbox.pms import Call, Desk, Refused, Row
from sandbox.pms_content import PmsContent

BASE = "/v1/partnermanager/partners"

NEEDS_GROUP = {
    "Auth_Partner": True, "Credential_Partner": True, "Online_Verification_Partner": True, "Print_Partner": True,
    "Manual_Adjudication": True, "ABIS_Partner": True, "Internal_Partner": True, "Binding_Partner": True,
    "Device_Provider": False, "FTM_Provider": False, "MISP_Partner": False, "SDK_Partner": False,
    "Partner_Admin": False,
}  # fmt: skip
"""Partner types, and whether one needs a policy group."""

ADMINS = frozenset({"PARTNERMANAGER", "PARTNER_ADMIN"})
LISTERS = ADMINS | {
    "ID_AUTHENTICATION", "REGISTRATION_PROCESSOR", "RESIDENT", "CREDENTIAL_ISSUANCE", "ID_REPOSITORY"
}  # fmt: skip
OWNERS = frozenset(
    {
        "PARTNER", "AUTH_PARTNER", "CREDENTIAL_PARTNER", "PARTNER_ADMIN", "ONLINE_VERIFICATION_PARTNER",
        "DEVICE_PROVIDER", "FTM_PROVIDER", "ABIS_PARTNER", "MANUAL_ADJUDICATION", "MISP_PARTNER",
    }
)  # fmt: skip
READERS = OWNERS | {"RESIDENT", "SDK_PARTNER"}

ID_LENGTH = 36
PHONE_LENGTH = 16
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}")
IN_PROGRESS = "InProgress"
APPROVED = "approved"


def existing_partner(content: PmsContent, id: str) -> Row:
    """A partner, active or not.

    :raises Refused: if there is none.
    """
    partner = content.rows("partners").get(id)
    if partner is None:
        raise Refused("PMS_PRT_005", "Partner does not exist")
    return partner


def active_partner(content: PmsContent, id: str) -> Row:
    """A partner that is active.

    :raises Refused: if there is none, or it is not.
    """
    partner = existing_partner(content, id)
    if not partner["isActive"]:
        raise Refused("PMS_PMP_016", "Partner is not active.")
    return partner


def approve(content: PmsContent, partner: Row, user: str) -> None:
    """What an upload of a partner's certificate does by the way."""
    content.change(partner, user, isActive=True, status=APPROVED)


class PartnerService:
    """Registration, lists and status."""

    def __init__(self, desk: Desk, content: PmsContent, configuration: Configuration) -> None:
        self._desk = desk
        self._content = content
        self._configuration = configuration

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        read, write = self._desk.read, self._desk.write
        return [
            write("POST", BASE, self.register, None),
            write("POST", f"{BASE}/v2", self.register, None),
            read("GET", BASE, self.partners, LISTERS),
            read("GET", f"{BASE}/{{partner}}", self.partner, READERS),
            write("PUT", f"{BASE}/{{partner}}", self.change, OWNERS),
            write("PATCH", f"{BASE}/{{partner}}", self.set_status, ADMINS),
        ]

    def register(self, call: Call) -> Row:
        """A partner that is neither active nor approved."""
        id = call.text("partnerId")
        self._check_id(id)
        if call.claims.email is not None and self._content.find("partners", emailId=call.claims.email):
            raise Refused("PMS_PRT_055", "User not authorized.")
        kind, name = call.text("partnerType"), call.text("organizationName", 128)
        group = self._group_of(kind, call.body.get("policyGroup"))
        row = {
            "id": id,
            "organizationName": name,
            "address": call.text("address", 2000),
            "contactNumber": self._phone(call.text("contactNumber")),
            "emailId": self._email(call.text("emailId", 254)),
            "partnerType": kind,
            "policyGroupId": None if group is None else group["id"],
            "policyGroup": None if group is None else group["name"],
            "logoUrl": call.body.get("logoUrl"),
            "additionalInfo": call.body.get("additionalInfo"),
            "isActive": False,
            "status": IN_PROGRESS,
        }
        language = call.body.get("langCode")
        if language is not None and language not in self._configuration.languages:
            raise Refused("PMS_PRT_056", "Given langCode is not supported")
        self._content.add("partners", row, call.claims.user_id)
        return {"partnerId": id, "status": IN_PROGRESS}

    def partners(self, call: Call) -> Row:
        """All, or those of `?partnerType=`."""
        kind = call.request.query.get("partnerType")
        rows = list(self._content.all("partners", **({"partnerType": kind} if kind else {})))
        if not rows:
            raise Refused("PMS_PMP_013", "Partner does not exist")
        return {"partners": [_view(row) | {"status": "Active" if row["isActive"] else "De-Active"} for row in rows]}

    def partner(self, call: Call) -> Row:
        """One partner; `status` is about approval, `isActive` about the rest."""
        row = existing_partner(self._content, call.path("partner"))
        return _view(row) | {"policyGroup": row["policyGroup"], "isActive": row["isActive"]}

    def change(self, call: Call) -> Row:
        """Address and phone, and nothing else."""
        row = active_partner(self._content, call.path("partner"))
        address, phone = call.text("address", 2000), self._phone(call.text("contactNumber"))
        self._content.change(row, call.claims.user_id, address=address, contactNumber=phone)
        return {"partnerId": row["id"], "status": row["status"]}

    def set_status(self, call: Call) -> Row:
        """`Active` needs a certificate; a deactivated partner never comes back."""
        row = self._content.rows("partners").get(call.path("partner"))
        if row is None:
            raise Refused("PMS_PMP_005", "Partner ID does not exist")
        if row["status"] == APPROVED and not row["isActive"]:
            raise Refused("PMS_PM_063", "The selected partner has already been deactivated.")
        status = call.text("status").lower()
        if status not in ("active", "de-active"):
            raise Refused("PMS_PM_058", "Status should be either Active or De-Active")
        if status == "active" and row["id"] not in self._content.rows("partner_certificates"):
            raise Refused("PMS_PRT_108", "Certficate is not uploaded for the given partner.Cannot activate the same.")
        self._content.change(row, call.claims.user_id, isActive=status == "active")
        done = "activated" if row["isActive"] else "de-activated"
        return {"message": f"Partner {done} successfully"}

    def _check_id(self, id: str) -> None:
        if any(character.isspace() for character in id):
            raise Refused("PMS_PRT_066", "PartnerId should not have any spaces")
        if len(id) > ID_LENGTH:
            raise Refused("PMS_PRT_052", f"PartnerId max length should be {ID_LENGTH}")
        if id in self._content.rows("partners"):
            raise Refused("PMS_PRT_051", "A Partner is already registered with the same Id")

    def _group_of(self, kind: str, name: Any) -> Row | None:
        if kind not in NEEDS_GROUP:
            raise Refused("PMS_PRT_010", "Partner Type does not exist")
        if not name:
            if NEEDS_GROUP[kind]:
                raise Refused("PMS_PRT_108", f"Policy group is Mandatory for {kind}")
            return None
        group = self._content.find("policy_groups", name=name)
        if group is None:
            raise Refused("PMS_PRT_002", "Policy group does not exist")
        return group

    def _email(self, text: str) -> str:
        if not EMAIL.fullmatch(text):
            raise Refused("PMS_PRT_012", "Invalid emailId.")
        if self._content.find("partners", emailId=text):
            raise Refused("PMS_PRT_011", "Email is already exists.")
        return text

    def _phone(self, text: str) -> str:
        if len(text) > PHONE_LENGTH:
            raise Refused("PMS_PRT_013", f"Invalid mobile number.Length should be less than .{PHONE_LENGTH}")
        return text


def _view(row: Row) -> Row:
    return {
        "partnerID": row["id"],
        "status": row["status"],
        "organizationName": row["organizationName"],
        "contactNumber": row["contactNumber"],
        "emailId": row["emailId"],
        "address": row["address"],
        "partnerType": row["partnerType"],
        "logoUrl": row["logoUrl"],
        "additionalInfo": row["additionalInfo"],
    }
