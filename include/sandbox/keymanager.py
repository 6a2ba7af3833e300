"""The key manager and the RID generator: what they tell, and what they make without being asked to (§3.1, §5, §6)."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from sandbox.credential_cipher import Signer
from sandbox.masterdata_desk import Asked, Desk, Problem, require
from sandbox.masterdata_rows import stamp

BASE = "/v1/keymanager"
RID = "/v1/ridgenerator/generate/rid/{center}/{machine}"
APPLICATIONS = frozenset({"KERNEL", "REGISTRATION", "REGISTRATION_PROCESSOR", "PARTNER", "ID_REPO", "IDA"})
SIGN = ("KERNEL", "SIGN")
"""`mosip.sign.applicationid` and `mosip.sign.refid`: application and reference of the key for signatures."""

_VALID = timedelta(days=1095)
_KEY_ROLES = (
    "ZONAL_ADMIN", "GLOBAL_ADMIN", "INDIVIDUAL", "ID_AUTHENTICATION", "REGISTRATION_ADMIN", "REGISTRATION_OFFICER",
    "REGISTRATION_SUPERVISOR", "REGISTRATION_PROCESSOR", "PRE_REGISTRATION_ADMIN", "RESIDENT",
)  # fmt: skip


@functools.cache
def _private_key(number: int) -> rsa.RSAPrivateKey:
    """Made once a process because making one is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def machine_key(number: int) -> bytes:
    """A public key as SubjectPublicKeyInfo; number 0 is the one the key manager signs packets with."""
    return _private_key(number).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _certificate(application: str, reference: str, now: datetime) -> str:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sandbox"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{application}-{reference}"[:64]),
        ]
    )
    key = _private_key(0)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + _VALID)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


@functools.lru_cache
def _signer(certificate: str) -> Signer:
    return Signer(_private_key(0), x509.load_pem_x509_certificate(certificate.encode()))


class Keymanager:
    """Keys by application and reference. `trust` answers whether a certificate's chain is known in a domain."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._keys: dict[tuple[str, str], dict[str, Any]] = {}
        self._signing = 0
        self._sequence: dict[tuple[str, str], int] = {}
        self.trust: Callable[[str, str], bool] = lambda certificate, domain: False

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        reads, writes = self._desk.reads, self._desk.writes
        return [
            web.post(f"{BASE}/tpmsigning/publickey", reads(self.signing_key, *_KEY_ROLES)),
            web.get(f"{BASE}/getAllCertificates", reads(self.all_certificates, *_KEY_ROLES, "KEY_MAKER")),
            web.get(f"{BASE}/getCertificate", writes(self.certificate, *_KEY_ROLES, "KEY_MAKER")),
            web.post(
                f"{BASE}/verifyCertificateTrust",
                reads(self.verify_trust, "ZONAL_ADMIN", "GLOBAL_ADMIN", "PARTNER_ADMIN", "PARTNER"),
            ),
            web.get(RID, writes(self.rid, "REGISTRATION_PROCESSOR", "RESIDENT")),
        ]

    def signing_key(self, asked: Asked) -> dict[str, str]:
        """The key packets are signed with. It changes when the key manager loses its volume."""
        require(asked.sent, {"serverProfile": 64})
        return {"publicKey": base64.urlsafe_b64encode(machine_key(self._signing)).rstrip(b"=").decode()}

    def all_certificates(self, asked: Asked) -> dict[str, Any]:
        """What there is. It makes nothing; the key that services sign with is there in every MOSIP."""
        which = self._which(asked)
        found = self._key(SIGN, asked.now) if which == SIGN else self._keys.get(which)
        return {"allCertificates": [] if found is None else [dict(found)]}

    def certificate(self, asked: Asked) -> dict[str, Any]:
        """The certificate of a key, which is made here and now when there is none."""
        found = self._key(self._which(asked), asked.now)
        return {
            "certificate": found["certificateData"],
            "certSignRequest": None,
            "issuedAt": found["issuedAt"],
            "expiryAt": found["expiryAt"],
            "timestamp": stamp(asked.now),
        }

    def signer(self) -> Signer:
        """Whom services sign with that name no application of their own: the credential service, data share."""
        found = self._key(SIGN, datetime.now(UTC))
        return _signer(found["certificateData"])

    def verify_trust(self, asked: Asked) -> dict[str, bool]:
        """Whether a chain up to a known root exists in a partner domain."""
        require(asked.sent, {"certificateData": 0, "partnerDomain": 36})
        return {"status": self.trust(str(asked.sent["certificateData"]), str(asked.sent["partnerDomain"]))}

    def rid(self, asked: Asked) -> dict[str, str]:
        """29 digits; every call uses a number up."""
        center, machine = asked.given["center"].strip(), asked.given["machine"].strip()
        if not center or not machine:
            raise Problem("KER-RIG-002", "Center id or machine id is empty")
        if (len(center), len(machine)) != (5, 5):
            raise Problem("KER-RIG-003", "Center id or machine id has the wrong length")
        number = self._sequence.get((center, machine), 0) % 99999 + 1
        self._sequence[center, machine] = number
        return {"rid": f"{center}{machine}{number:05d}{asked.now.strftime('%Y%m%d%H%M%S')}"}

    def state(self) -> dict[str, Any]:
        """Which keys there are, but for the one that every MOSIP has, and how far the RID sequences have come."""
        return {
            "keys": sorted("/".join(which) for which in self._keys if which != SIGN),
            "signingKey": self._signing,
            "ridSequences": {"/".join(which): number for which, number in sorted(self._sequence.items())},
        }

    def edit(self, entity: str, id: str, values: Any, *, delete: bool) -> bool:
        """`signingKey` / `current`: `{"number": n}` is a key manager whose key volume was replaced.

        `keys` by application and reference: `{"expiryAt": "…"}` is one that grew old.
        """
        if entity == "keys":
            application, _, reference = id.partition("/")
            self._keys[application, reference].update(values)
        elif entity == "signingKey":
            self._signing = int(values["number"])
        else:
            return False
        return True

    def _key(self, which: tuple[str, str], now: datetime) -> dict[str, Any]:
        if which not in self._keys:
            self._keys[which] = {
                "certificateData": _certificate(*which, now),
                "issuedAt": stamp(now),
                "expiryAt": stamp(now + _VALID),
                "keyId": "-".join(which),
            }
        return self._keys[which]

    def _which(self, asked: Asked) -> tuple[str, str]:
        application = asked.given.get("applicationId", "")
        if application not in APPLICATIONS:
            raise Problem("KER-KMS-002", "ApplicationId not found in Key Policy")
        return application, asked.given.get("referenceId", "")
