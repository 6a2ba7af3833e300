"""Keys and certificates of our partners: made here, never sent anywhere; only requests and certificates leave."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from mosip_crvs.credential.pem import private_key, public_key_der
from mosip_crvs.errors import StopTheRun

OIDC_KEY_FILE = "oidc.key.pem"
_BITS = 2048


def key_file(partner_id: str) -> str:
    """Name the file of a partner's private key."""
    return f"{partner_id}.key.pem"


def request_file(partner_id: str) -> str:
    """Name the file of the request that a certification authority signs."""
    return f"{partner_id}.csr.pem"


def leaf_file(partner_id: str) -> str:
    """Name the file of the certificate that the authority issued."""
    return f"{partner_id}.pem"


def mosip_file(partner_id: str) -> str:
    """Name the file of the certificate that MOSIP made of that one: what it encrypts is marked with this."""
    return f"{partner_id}.mosip.pem"


def earlier_mosip_file(partner_id: str, fingerprint: str) -> str:
    """Name the file of one that MOSIP made before: late credentials are encrypted to it."""
    return f"{partner_id}.mosip-{fingerprint[:16]}.pem"


SIGNERS_FILE = "mosip-signing.pem"
"""The file of the certificates that MOSIP signs credentials with."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What matters of a certificate.

    :param until: UTC. :param public_key: SubjectPublicKeyInfo, DER.
    """

    organization: str
    common_name: str
    until: datetime
    fingerprint: str
    public_key: bytes = field(repr=False)


def read(pem: str) -> Certificate:
    """Read a certificate; MOSIP sometimes sends the line breaks as two characters.

    :raises StopTheRun: when it is none.
    """
    try:
        found = x509.load_pem_x509_certificate(pem.replace("\\n", "\n").encode())
    except ValueError as problem:
        raise StopTheRun("a certificate cannot be read: it must be X.509 in PEM") from problem
    return Certificate(
        _name(found, NameOID.ORGANIZATION_NAME),
        _name(found, NameOID.COMMON_NAME),
        found.not_valid_after_utc,
        found.fingerprint(hashes.SHA256()).hex(),
        public_key_der(found.public_key()),
    )


def is_one(pem: str) -> bool:
    """Say whether a text is a certificate."""
    try:
        read(pem)
    except StopTheRun:
        return False
    return True


def same(one: str | None, other: str) -> bool:
    """Say whether two texts are the same certificate; what is none is not the other."""
    return one is not None and is_one(one) and read(one).fingerprint == read(other).fingerprint


def new_key() -> str:
    """Make an RSA private key, PEM."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def public_key(private_pem: str) -> bytes:
    """Give the public key of a private one: SubjectPublicKeyInfo, DER."""
    return public_key_der(private_key(private_pem).public_key())


def belongs_to(certificate: Certificate, private_pem: str) -> bool:
    """Say whether a certificate is for a private key."""
    return certificate.public_key == public_key(private_pem)


def signing_request(private_pem: str, *, organization: str, common_name: str) -> str:
    """Write the request for a certificate, PEM. The organisation is what MOSIP compares, letter by letter."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
        ]
    )
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(private_key(private_pem), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def request_is_for(request_pem: str, private_pem: str) -> bool:
    """Say whether a request asks for a certificate of a private key; text that is no request does not."""
    try:
        asked = x509.load_pem_x509_csr(request_pem.encode())
    except ValueError:
        return False
    return public_key_der(asked.public_key()) == public_key(private_pem)


def jwk(private_pem: str) -> dict[str, Any]:
    """Give the public key as a JSON Web Key for signatures by RS256."""
    numbers = private_key(private_pem).public_key().public_numbers()
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "n": _base64url(numbers.n), "e": _base64url(numbers.e)}


def _name(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> str:
    return next((str(each.value) for each in certificate.subject.get_attributes_for_oid(kind)), "")


def _base64url(number: int) -> str:
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
