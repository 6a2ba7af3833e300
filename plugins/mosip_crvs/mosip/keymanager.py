"""The key manager: the key that signs packets, the keys that encrypt them, trust (``mosip-onboarding.md`` §3.1, §6)."""

from __future__ import annotations

from typing import Any

from mosip_crvs.errors import MosipRefused
from mosip_crvs.mosip.doors import ReadingDoor, must
from mosip_crvs.mosip.endpoints import Read

SIGNING_KEY = Read("POST", "/v1/keymanager/tpmsigning/publickey")
ALL_CERTIFICATES = Read("GET", "/v1/keymanager/getAllCertificates?applicationId={application}&referenceId={reference}")
VERIFY_TRUST = Read("POST", "/v1/keymanager/verifyCertificateTrust")

TRUST_DOMAIN = "AUTH"
"""The only domain of partner trust that a registry's partner belongs to."""


class KeyManager:
    """What the key manager holds. Nothing of it is ours to change."""

    def __init__(self, door: ReadingDoor) -> None:
        self._door = door

    def signing_key(self) -> str:
        """Give the public key that packets are signed with: it must be the machine's.

        :raises MosipRefused: when there is none.
        """
        said = self._door.ask(SIGNING_KEY, {"serverProfile": "Prod"})
        key = (must(said, "ask for the signing key") or {}).get("publicKey")
        if not key:
            raise MosipRefused("ask for the signing key: the key manager gave none")
        return str(key)

    def packet_certificates(self, center_id: str, machine_id: str) -> list[dict[str, Any]]:
        """Give the certificates of a centre and machine's packet encryption keys; none before the first packet."""
        said = self._door.ask(ALL_CERTIFICATES, application="REGISTRATION", reference=f"{center_id}_{machine_id}")
        found = must(said, "ask for the packet encryption certificates")
        listed = found.get("allCertificates", found) if isinstance(found, dict) else found
        return [each for each in listed or [] if isinstance(each, dict)]

    def signature_certificates(self) -> str:
        """Give the certificates of the key that MOSIP signs credentials with, PEM after PEM; empty when there is none.

        :raises MosipRefused: when the client may not ask.
        """
        said = self._door.ask(ALL_CERTIFICATES, application="KERNEL", reference="SIGN")
        found = must(said, "ask for the certificates of MOSIP's signatures")
        listed = found.get("allCertificates", found) if isinstance(found, dict) else found
        texts = [each.get("certificateData") for each in listed or [] if isinstance(each, dict)]
        return "\n".join(text for text in texts if isinstance(text, str))

    def trusts(self, certificate: str) -> bool:
        """Say whether MOSIP's trust store has the chain of a certificate.

        :param certificate: PEM.
        """
        said = self._door.ask(VERIFY_TRUST, {"certificateData": certificate, "partnerDomain": TRUST_DOMAIN})
        status = (must(said, "ask whether the certificate is trusted") or {}).get("status")
        return str(status).lower() in {"true", "success", "valid"}


def same_key(one: str, other: str) -> bool:
    """Say whether two texts are one key: base64 with either alphabet, padded or not."""
    return _plain(one) == _plain(other)


def _plain(key: str) -> str:
    return "".join(key.split()).translate(str.maketrans("-_", "+/")).rstrip("=")
