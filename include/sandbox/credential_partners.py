"""Who gets a credential: the onboarded default's partner, and partners provisioned in partner management."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sandbox.credential_content import NotIssuable
from sandbox.partner_policies import APPROVED
from sandbox.pms import Row
from sandbox.pms_content import PmsContent
from sandbox.policies import is_expired
from sandbox.settings import Settings

CREDENTIAL_PROCESSES = frozenset({"CRVS_NEW"})
"""Processes whose route has a credential requestor: a death gives no credential (mosip-events.md §2.6)."""

DEFAULT_POLICY = "crvs-default-policy"
_KIND = "Credential_Partner"


@dataclass(frozen=True, slots=True)
class Wiring:
    """One credential partner with what it gets.

    :param share: the policy's `dataSharePolicies`.
    :param attributes: the policy's `shareableAttributes`.
    :param certificate_pem: whom the credential is encrypted to. For a provisioned partner this is the certificate as
        MOSIP signed it again: that one is handed to the key manager, so its thumbprint is in the cipher text.
    """

    partner_id: str
    credential_type: str
    policy_id: str
    share: Mapping[str, Any]
    attributes: tuple[Mapping[str, Any], ...]
    certificate_pem: str

    @property
    def topic(self) -> str:
        """Where its events go."""
        return f"{self.partner_id}/CREDENTIAL_ISSUED"

    @property
    def is_inline(self) -> bool:
        """Does the credential travel in the event? Whatever is no data share does."""
        return str(self.share["typeOfShare"]).lower() != "data share"

    @property
    def is_encrypted(self) -> bool:
        """A data share may hold plain JSON; what travels in the event never is."""
        return self.is_inline or str(self.share["encryptionType"]).lower() == "partner based"

    def certificate(self) -> x509.Certificate:
        """Read from its text once."""
        return _read(self.certificate_pem)

    def check_key(self) -> None:
        """:raises NotIssuable: for a certificate that nothing can be encrypted to here: unreadable, or not RSA."""
        try:
            key = self.certificate().public_key()
        except ValueError:
            raise NotIssuable("the partner's certificate cannot be read") from None
        if not isinstance(key, rsa.RSAPublicKey):
            raise NotIssuable("the partner's key is not RSA")


class CredentialPartners:
    """Looks up who is wired now."""

    def __init__(self, settings: Settings, content: PmsContent) -> None:
        self._settings = settings
        self._content = content

    def of(self, process: str) -> list[Wiring]:
        """Partners wired for a process; a provisioned one wins over the default of the same id."""
        if process not in CREDENTIAL_PROCESSES:
            return []
        found = list(self._provisioned())
        default = self._settings.credential_partner
        if self._settings.onboarded and default and all(wiring.partner_id != default for wiring in found):
            found.append(self._default)
        return found

    def _provisioned(self) -> Iterator[Wiring]:
        """Everything must be there: active partner, certificate, approved policy in force, credential type."""
        for row in self._content.all("credential_types", isActive=True):
            partner = self._content.rows("partners").get(row["partnerId"])
            certificate = self._content.rows("partner_certificates").get(row["partnerId"])
            policy = self._content.rows("policies").get(row["policyId"])
            if partner is None or certificate is None or policy is None:
                continue
            if partner["isActive"] and partner["partnerType"] == _KIND and self._is_in_force(partner, policy):
                yield Wiring(
                    partner["id"],
                    row["credentialType"],
                    policy["id"],
                    policy["policies"]["dataSharePolicies"],
                    tuple(policy["policies"]["shareableAttributes"]),
                    certificate["signedCertificateData"],
                )

    def _is_in_force(self, partner: Row, policy: Row) -> bool:
        mapped = self._content.find(
            "partner_policy_requests", partnerId=partner["id"], policyId=policy["id"], statusCode=APPROVED
        )
        is_usable = policy["isActive"] and policy["policyType"] == "DataShare" and not is_expired(policy)
        return bool(is_usable and mapped is not None)

    @functools.cached_property
    def _default(self) -> Wiring:
        settings = self._settings
        share = {
            "typeOfShare": "Data Share",
            "encryptionType": "Partner Based",
            "transactionsAllowed": str(settings.credential_transactions),
            "shareDomain": "datashare.datashare",
        }
        attributes = tuple(
            {"attributeName": name, "source": [{"attribute": name}], "encrypted": False}
            for name in settings.credential_attributes
        )
        pem = settings.credential_certificate or default_pair()[1]
        return Wiring(settings.credential_partner, settings.credential_type, DEFAULT_POLICY, share, attributes, pem)


@functools.cache
def _read(text: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(text.encode())


@functools.cache
def default_pair() -> tuple[str, str]:
    """Private key and certificate, as PEM, of a default partner that was given no certificate; made once a process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "credential partner of the sandbox")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode(), certificate.public_bytes(Encoding.PEM).decode()
