"""`/v1/partnermanager`: certificates of CAs and partners (mosip-onboarding.md §6.2)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from aiohttp import web
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from sandbox.certificates import Trust, as_pem, certificate_times, read_certificate
from sandbox.partners import BASE, approve, existing_partner
from sandbox.pms import Call, Desk, Refused, Row, pages_of
from sandbox.pms_content import PmsContent
from sandbox.wire import now_text

ADMINS = frozenset({"PARTNERMANAGER", "PARTNER_ADMIN"})
UPLOADERS = frozenset(
    {
        "PARTNER", "PMS_USER", "AUTH_PARTNER", "ABIS_PARTNER", "SDK_PARTNER", "DEVICE_PROVIDER", "FTM_PROVIDER",
        "CREDENTIAL_PARTNER", "CREDENTIAL_ISSUANCE", "ID_AUTHENTICATION", "PARTNER_ADMIN",
        "ONLINE_VERIFICATION_PARTNER",
    }
)  # fmt: skip
READERS = UPLOADERS | {"CREATE_SHARE"}


class PartnerCertificateService:
    """Uploads and what became of them."""

    def __init__(self, desk: Desk, content: PmsContent, trust: Trust) -> None:
        self._desk = desk
        self._content = content
        self._trust = trust

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        read, write = self._desk.read, self._desk.write
        chain = "/v1/partnermanager/trust-chain-certificates"
        return [
            write("POST", f"{BASE}/certificate/ca/upload", self.upload_ca, ADMINS),
            write("POST", f"{BASE}/certificate/upload", self.upload, UPLOADERS),
            read("GET", f"{BASE}/{{partner}}/certificate", self.certificate, READERS),
            read("GET", f"{BASE}/{{partner}}/certificate-data", self.certificate_data, READERS),
            read("GET", chain, self.chain, ADMINS),
            read("GET", f"{chain}/{{id}}/certificateFile", self.chain_file, ADMINS),
        ]

    def upload_ca(self, call: Call) -> Row:
        """One CA or a p7b chain into one domain."""
        data, domain = call.text("certificateData"), call.text("partnerDomain", 36)
        self._trust.upload_ca(data, domain, call.claims.user_id)
        return {"status": "Upload Success.", "timestamp": now_text()}

    def upload(self, call: Call) -> Row:
        """A partner's certificate: signed again by MOSIP, and the partner is active and approved from then on.

        The same certificate may come again; it is signed again.
        """
        partner_id, data, domain = call.text("partnerId", 36), call.text("certificateData"), call.text("partnerDomain")
        partner = existing_partner(self._content, partner_id)
        certificate = self._trust.check_leaf(data, domain, partner["organizationName"])
        signed = as_pem(self._trust.sign_again(certificate))
        row = {
            "id": partner_id,
            "certificateId": self._content.new_id(),
            "partnerDomain": domain,
            "certificateData": as_pem(certificate),
            "signedCertificateData": signed,
            **certificate_times(certificate),
        }
        self._content.add("partner_certificates", row, call.claims.user_id)
        approve(self._content, partner, call.claims.user_id)
        return {"certificateId": row["certificateId"], "signedCertificateData": signed, "timestamp": now_text()}

    def certificate(self, call: Call) -> Row:
        """The one signed again."""
        return {"certificateData": self._uploaded(call)["signedCertificateData"], "timestamp": now_text()}

    def certificate_data(self, call: Call) -> Row:
        """The partner's own certificate as the CA signed it, and MOSIP's."""
        row = self._uploaded(call)
        own, signed, now = row["certificateData"], row["signedCertificateData"], datetime.now(UTC)
        return {
            "caSignedCertificateData": own,
            "isCaSignedCertificateExpired": read_certificate(own).not_valid_after_utc < now,
            "mosipSignedCertificateData": signed,
            "isMosipSignedCertificateExpired": read_certificate(signed).not_valid_after_utc < now,
            "timestamp": now_text(),
        }

    def chain(self, call: Call) -> Row:
        """All CAs; `partnerDomain` and `caCertificateType` narrow it down."""
        wanted = {
            name: call.request.query[name]
            for name in ("partnerDomain", "caCertificateType")
            if name in call.request.query
        }
        now = datetime.now(UTC)
        rows = [_summary(row, now) for row in self._content.all("ca_certificates", **wanted)]
        return pages_of(rows, call.request)

    def chain_file(self, call: Call) -> Row:
        """One CA as a p7b."""
        row = self._content.rows("ca_certificates").get(call.path("id"))
        if row is None:
            raise Refused("KER-PCM-012", "Partner Certificate not found for the given ID.")
        chain = pkcs7.serialize_certificates([read_certificate(row["certificateData"])], Encoding.DER)
        return {"p7bFile": base64.urlsafe_b64encode(chain).decode(), "timestamp": now_text()}

    def _uploaded(self, call: Call) -> Row:
        existing_partner(self._content, call.path("partner"))
        row = self._content.rows("partner_certificates").get(call.path("partner"))
        if row is None:
            raise Refused("PMS_PRT_108", "Certficate is not uploaded for the selected partner.")
        return row


def _summary(row: Row, now: datetime) -> Row:
    return {
        "caCertificateType": row["caCertificateType"],
        "certId": row["id"],
        "partnerDomain": row["partnerDomain"],
        "issuedTo": row["issuedTo"],
        "issuedBy": row["issuedBy"],
        "validFromDate": row["validFromDate"],
        "validTillDate": row["validToDate"],
        "uploadTime": row["crDtimes"],
        "status": read_certificate(row["certificateData"]).not_valid_after_utc > now,
    }
