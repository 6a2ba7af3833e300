"""Certificate authorities and certificates for the tests of the sandbox's trust."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

ORGANISATION = "Civil Registry"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def new_key() -> Key:
    """A key that is quick to make."""
    return ec.generate_private_key(ec.SECP256R1())


def _name(common: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


@dataclass(frozen=True)
class Authority:
    """A CA, root or not."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> str:
        """The certificate's text."""
        return pem(self.certificate)

    def sub_ca(self, common: str = "Sub CA", days: int = 1000, *, is_ca: bool = True) -> Authority:
        """A CA below this one."""
        key = new_key()
        return Authority(_sign(_name(common, "Authority"), key, self, days=days, is_ca=is_ca), key)

    def leaf(
        self,
        *,
        days: int = 800,
        starts: int = -1,
        organisation: str = ORGANISATION,
        key: Key | None = None,
        digest: hashes.HashAlgorithm | None = None,
    ) -> str:
        """A partner's certificate.

        :param days: how long it lasts from now on.
        :param starts: days from now to its first one.
        """
        subject = _name("partner", organisation)
        made = _sign(subject, key or new_key(), self, days=days, starts=starts, digest=digest or hashes.SHA256())
        return pem(made)


def root(common: str = "Root CA", days: int = 2000) -> Authority:
    """A CA that signs itself."""
    key = new_key()
    return Authority(_sign(_name(common, "Authority"), key, None, days=days, is_ca=True), key)


def self_signed(organisation: str = ORGANISATION) -> str:
    """A partner's certificate that nobody else vouches for."""
    return pem(_sign(_name("partner", organisation), new_key(), None, days=800))


def pem(certificate: x509.Certificate) -> str:
    """PEM with its line ends."""
    return certificate.public_bytes(Encoding.PEM).decode()


def as_p7b(*authorities: Authority) -> str:
    """A chain in one base64url text."""
    chain = pkcs7.serialize_certificates([authority.certificate for authority in authorities], Encoding.DER)
    return base64.urlsafe_b64encode(chain).decode()


def of_version_2(text: str) -> str:
    """The same certificate with another version number."""
    der = x509.load_pem_x509_certificate(text.encode()).public_bytes(Encoding.DER)
    changed = der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01", 1)
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(changed).decode()}-----END CERTIFICATE-----\n"


def _sign(
    subject: x509.Name,
    key: Key,
    issuer: Authority | None,
    *,
    days: int,
    starts: int = -1,
    is_ca: bool = False,
    digest: hashes.HashAlgorithm | None = None,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=min(starts, days - 1)))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .sign(key if issuer is None else issuer.key, digest or hashes.SHA256())
    )
