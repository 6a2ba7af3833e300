"""A certification authority for the demo's country: it signs what provisioning asks for. A country has its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

_DAYS_ROOT, _DAYS_LEAF = 3650, 730
_REQUEST = ".csr.pem"


def sign_requests(folder: Path, environment: str) -> int:
    """Sign every certificate request of an environment that has no certificate yet.

    The root and the intermediate are written beside them, as ``root.pem`` and ``intermediate.pem``. Their keys are
    thrown away: requests that come later get a root of their own only if these two files are gone.

    :return: how many were signed.
    """
    waiting = [
        request
        for request in sorted(folder.glob(f"{environment}.*{_REQUEST}"))
        if not _certificate_file(request).exists()
    ]
    if not waiting:
        return 0
    root_key, middle_key = _key(), _key()
    root_name, middle_name = _name("Demo root"), _name("Demo intermediate")
    root = _issue(root_name, root_name, root_key.public_key(), root_key, days=_DAYS_ROOT, authority=True)
    middle = _issue(middle_name, root_name, middle_key.public_key(), root_key, days=_DAYS_ROOT - 1, authority=True)
    _write(folder / f"{environment}.root.pem", root)
    _write(folder / f"{environment}.intermediate.pem", middle)
    for request in waiting:
        asked = x509.load_pem_x509_csr(request.read_bytes())
        key = asked.public_key()
        assert isinstance(key, rsa.RSAPublicKey), "provisioning makes RSA keys"
        leaf = _issue(asked.subject, middle_name, key, middle_key, days=_DAYS_LEAF, authority=False)
        _write(_certificate_file(request), leaf)
    return len(waiting)


def _certificate_file(request: Path) -> Path:
    return request.with_name(request.name.removesuffix(_REQUEST) + ".pem")


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Demo authority"),
        ]
    )


def _issue(
    subject: x509.Name,
    issuer: x509.Name,
    key: rsa.RSAPublicKey,
    signer: rsa.RSAPrivateKey,
    *,
    days: int,
    authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
