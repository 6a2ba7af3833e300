"""The key manager's partner trust: CAs by domain, chains, the checks of an upload (mosip-onboarding.md §6.2)."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from sandbox.configuration import Configuration
from sandbox.pms import Refused, Row
from sandbox.pms_content import PmsContent

CA_MONTHS = 12
"""`…cacertificate.upload.minimumvalidity.month`."""

LEAF_YEARS = 1
GRACE_DAYS = 30
RSA_BITS = 2048
LONGEST_PATH = 10


def months_from(moment: datetime, months: int) -> datetime:
    """The same day so many months later, or the last day before the 29th where there is none."""
    years, month = divmod(moment.month - 1 + months, 12)
    return moment.replace(year=moment.year + years, month=month + 1, day=min(moment.day, 28))


def read_certificate(text: str) -> x509.Certificate:
    """A certificate out of PEM.

    :raises Refused: if it is none, for instance because its line ends were lost.
    """
    if text.split("\n", 1)[0].strip() != "-----BEGIN CERTIFICATE-----":
        # Java wants the line; other readers are more lenient.
        raise Refused("KER-PCM-001", "Invalid Certificate uploaded.")
    try:
        return x509.load_pem_x509_certificate(text.encode())
    except x509.InvalidVersion:
        raise Refused("KER-PCM-007", "Certificate version not supported.") from None
    except ValueError:
        raise Refused("KER-PCM-001", "Invalid Certificate uploaded.") from None


def read_chain(text: str) -> list[x509.Certificate]:
    """One certificate out of PEM, or all of a base64url p7b, root first.

    :raises Refused: if it is neither.
    """
    if "-----BEGIN" in text:
        return [read_certificate(text)]
    try:
        found = pkcs7.load_der_pkcs7_certificates(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        raise Refused("KER-PCM-001", "Invalid Certificate uploaded.") from None
    return sorted(found, key=lambda one: not is_self_signed(one))


def as_pem(certificate: x509.Certificate) -> str:
    """PEM, with line ends."""
    return certificate.public_bytes(Encoding.PEM).decode()


def thumbprint(certificate: x509.Certificate) -> str:
    """What two certificates have in common only if they are the same."""
    return hashlib.sha1(certificate.public_bytes(Encoding.DER), usedforsecurity=False).hexdigest()


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Do name and signature fit?"""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Is it its own issuer?"""
    return is_signed_by(certificate, certificate)


def is_in_date(certificate: x509.Certificate, now: datetime) -> bool:
    """Is it valid now?"""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def organisation(certificate: x509.Certificate) -> str | None:
    """The subject's `O`."""
    found = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if found else None


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _is_long_enough(certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    return isinstance(key, ec.EllipticCurvePublicKey) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS
    )


def _is_sha2(certificate: x509.Certificate) -> bool:
    return isinstance(certificate.signature_hash_algorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512)


class Trust:
    """Certificates of CAs, each trusted in the domains it was uploaded for and in no other."""

    def __init__(self, content: PmsContent, configuration: Configuration) -> None:
        self._content = content
        self._configuration = configuration

    def trusts(self, certificate_pem: str, domain: str) -> bool:
        """Is there a path from this certificate to a root of the domain? False for a text that is no certificate."""
        try:
            certificate = read_certificate(certificate_pem)
        except Refused:
            return False
        return is_in_date(certificate, datetime.now(UTC)) and self._has_path(certificate, domain)

    def upload_ca(self, text: str, domain: str, user: str) -> list[Row]:
        """Take CAs into a domain: the root first, or a chain.

        :returns: the new rows.
        :raises Refused: at the first certificate that does not pass. Those before it stay.
        """
        self._check_domain(domain)
        return [self._take_ca(certificate, domain, user) for certificate in read_chain(text)]

    def check_leaf(self, text: str, domain: str, organisation_name: str) -> x509.Certificate:
        """A partner's certificate that passes everything.

        :raises Refused: with the key manager's code for what it does not pass.
        """
        certificate, now = read_certificate(text), datetime.now(UTC)
        self._check_domain(domain)
        self._check_form(certificate)
        if certificate.not_valid_before_utc > now:
            raise Refused("KER-PMS-020", "Certificate is not valid yet.")
        if not is_in_date(certificate, now):
            raise Refused("KER-PCM-004", "Certificate Dates are not valid.")
        if is_self_signed(certificate):
            raise Refused("KER-PCM-015", "Self Signed Certificate not allowed as partner certificate.")
        if not self._has_path(certificate, domain):
            raise Refused("KER-PCM-006", "Root CA/Intermediate CA Certificates not found.")
        needed = months_from(now, 12 * LEAF_YEARS) - timedelta(days=GRACE_DAYS)
        if certificate.not_valid_after_utc < needed:
            raise Refused("KER-KMS-021", "Certificate validity is less than the minimum.")
        # Case counts (mosip-onboarding.md §6.2).
        if organisation(certificate) != organisation_name:
            raise Refused("KER-PCM-008", "Partner Organization Name not Matched.")
        return certificate

    def sign_again(self, certificate: x509.Certificate) -> x509.Certificate:
        """The partner's subject and key under MOSIP's own CA: what PMS hands on and gives back."""
        signer, now = signing_ca(), datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(certificate.subject)
            .issuer_name(signer[0].subject)
            .public_key(certificate.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(certificate.not_valid_after_utc)
            .sign(signer[1], hashes.SHA256())
        )

    def _take_ca(self, certificate: x509.Certificate, domain: str, user: str) -> Row:
        print_ = thumbprint(certificate)
        if self._content.find("ca_certificates", partnerDomain=domain, thumbprint=print_):
            raise Refused("KER-PCM-003", "Certificate already exists in store.")
        self._check_form(certificate)
        now = datetime.now(UTC)
        if not is_in_date(certificate, now):
            raise Refused("KER-PCM-004", "Certificate Dates are not valid.")
        is_root = is_self_signed(certificate)
        if not is_root and not self._has_path(certificate, domain):
            raise Refused("KER-PCM-005", "Root CA Certificate not found.")
        if certificate.not_valid_after_utc < months_from(now, CA_MONTHS):
            raise Refused("KER-PCM-017", "CA certificate validity is less than the minimum.")
        row = {
            "id": self._content.new_id(),
            "caCertificateType": "ROOT" if is_root else "INTERMEDIATE",
            "partnerDomain": domain,
            "issuedTo": certificate.subject.rfc4514_string(),
            "issuedBy": certificate.issuer.rfc4514_string(),
            "thumbprint": print_,
            "certificateData": as_pem(certificate),
            **certificate_times(certificate),
        }
        return self._content.add("ca_certificates", row, user)

    def _check_domain(self, domain: str) -> None:
        if domain not in self._configuration.allowed_domains:
            raise Refused("KER-PCM-011", "Invalid Partner Domain.")

    def _check_form(self, certificate: x509.Certificate) -> None:
        if certificate.version is not x509.Version.v3:
            raise Refused("KER-PCM-007", "Certificate version not supported.")
        if not _is_long_enough(certificate):
            raise Refused("KER-PCM-013", "Partner Certificate Key Size is less than allowed size.")
        if not _is_sha2(certificate):
            raise Refused("KER-PCM-014", "Partner Certificate Signature algorithm not supported.")

    def _has_path(self, certificate: x509.Certificate, domain: str) -> bool:
        """Up to a root of the domain; expired CAs do not count, revocation is not looked at."""
        now = datetime.now(UTC)
        rows = self._content.all("ca_certificates", partnerDomain=domain)
        stored = [read_certificate(row["certificateData"]) for row in rows]
        known = [authority for authority in stored if is_in_date(authority, now)]
        for _ in range(LONGEST_PATH):
            if is_self_signed(certificate):
                return any(thumbprint(certificate) == thumbprint(authority) for authority in known)
            issuer = next((authority for authority in known if is_signed_by(certificate, authority)), None)
            if issuer is None or not (_is_ca(issuer) or is_self_signed(issuer)):
                return False
            certificate = issuer
        return False


@functools.cache
def signing_ca() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    """MOSIP's own CA for partners, made once a process because making a key is slow."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    name = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "IITB"), x509.NameAttribute(NameOID.COMMON_NAME, "www.mosip.io")]
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate, key


def certificate_times(certificate: x509.Certificate) -> dict[str, Any]:
    """Validity as the rows keep it."""
    return {
        "validFromDate": certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%S"),
        "validToDate": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%S"),
    }
