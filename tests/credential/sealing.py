"""MOSIP's side of a credential, written from its description and sharing no code with what opens it.

The key is wrapped by OAEP in whole numbers, the content sealed by AES in GCM mode by hand, the signature by PyJWT.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def thumbprint(self) -> bytes:
        return hashlib.sha256(self.der).digest()

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def new_pair(common_name: str, key: rsa.RSAPrivateKey | None = None) -> Pair:
    """A self-signed certificate; for a key that is there, another one for it."""
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return Pair(certificate, key)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def wrapped(session_key: bytes, pair: Pair) -> bytes:
    """RSA-OAEP with SHA-256 for both hashes (RFC 8017 §7.1.1)."""
    numbers = pair.key.public_key().public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    seed = secrets.token_bytes(32)
    block = hashlib.sha256(b"").digest() + bytes(size - len(session_key) - 66) + b"\x01" + session_key
    masked_block = _xor(block, _mask(seed, len(block)))
    masked_seed = _xor(seed, _mask(masked_block, 32))
    number = int.from_bytes(b"\x00" + masked_seed + masked_block, "big")
    return pow(number, numbers.e, numbers.n).to_bytes(size, "big")


def _mask(seed: bytes, length: int) -> bytes:
    rounds = range(-(-length // 32))
    return b"".join(hashlib.sha256(seed + each.to_bytes(4, "big")).digest() for each in rounds)[:length]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(left, right, strict=True))


def _gcm(key: bytes, nonce: bytes, content: bytes, aad: bytes) -> bytes:
    writer = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    writer.authenticate_additional_data(aad)
    return writer.update(content) + writer.finalize() + writer.tag


def seal(content: bytes, pair: Pair, *, session_key: bytes | None = None, start: bytes = b"") -> bytes:
    """The present layout. ``start`` is what the random bytes happen to begin with."""
    key, aad = session_key or secrets.token_bytes(32), start + secrets.token_bytes(32 - len(start))
    return b"".join(
        [b"VER_R2", pair.thumbprint, wrapped(key, pair), b"#KEY_SPLITTER#", aad, _gcm(key, aad[:12], content, aad)]
    )


def seal_as_before(
    content: bytes, pair: Pair, *, aad: bytes = b"", session_key: bytes | None = None, start: bytes = b""
) -> bytes:
    """The older layout. ``start`` is what the nonce happens to begin with."""
    key, nonce = session_key or secrets.token_bytes(32), start + secrets.token_bytes(16 - len(start))
    return b"".join([pair.thumbprint, wrapped(key, pair), b"#KEY_SPLITTER#", _gcm(key, nonce, content, aad), nonce])


def x5c(pair: Pair) -> list[str]:
    return [base64.b64encode(pair.der).decode()]


def signed(content: bytes, pair: Pair, *, algorithm: str = "RS256", whole: bool = False, **header: Any) -> str:
    """A JWS over a content as keymanager's jwtSign writes it: without the payload, unless it was set to."""
    head, payload, tail = jwt.PyJWS().encode(content, pair.key, algorithm, headers=header).split(".")
    return f"{head}.{payload if whole else ''}.{tail}"


def signed_plainly(content: bytes, pair: Pair, *, algorithm: str = "PS256", **header: Any) -> str:
    """A JWS whose payload is not encoded (RFC 7797), as keymanager's jwsSign writes it for a linked-data proof."""
    return jwt.PyJWS().encode(
        content, pair.key, algorithm, headers={"crit": ["b64"], **header}, is_payload_detached=True
    )


def forged(header: Any, content: bytes = b"{}", tail: bytes = b"none") -> str:
    """A JWS with any header, signed by nobody."""
    return f"{b64(json.dumps(header).encode())}..{b64(tail)}"
