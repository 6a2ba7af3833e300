"""What the key manager makes of a credential: the partner's cipher text and detached signatures (mosip-events.md §2.5).

Pure: keys and certificates come in, text goes out.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

VERSION = b"VER_R2"
SPLITTER = b"#KEY_SPLITTER#"
AAD_LENGTH = 32
NONCE_LENGTH = 12
LEGACY_NONCE_LENGTH = 16
_OAEP = padding.OAEP(mgf=padding.MGF1(SHA256()), algorithm=SHA256(), label=None)


def base64url(raw: bytes) -> str:
    """Base64url as MOSIP writes it, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def encrypt(plain: bytes, certificate: x509.Certificate, *, legacy: bool = False) -> str:
    """The cipher text for the owner of a certificate, as base64url.

    :param legacy: the older layout: no version, no additional data, a nonce of 16 bytes at the end.
    """
    key = os.urandom(32)
    public = certificate.public_key()
    assert isinstance(public, rsa.RSAPublicKey), "partners' certificates for credentials are RSA"
    thumbprint = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    head = thumbprint + public.encrypt(key, _OAEP) + SPLITTER
    if legacy:
        nonce = os.urandom(LEGACY_NONCE_LENGTH)
        return base64url(head + AESGCM(key).encrypt(nonce, plain, None) + nonce)
    additional = os.urandom(AAD_LENGTH)
    return base64url(VERSION + head + additional + AESGCM(key).encrypt(additional[:NONCE_LENGTH], plain, additional))


@functools.lru_cache
def _jwt_header(certificate: x509.Certificate, with_certificate: bool) -> str:
    der = certificate.public_bytes(Encoding.DER)
    header: dict[str, object] = {"alg": "RS256"}
    if with_certificate:
        header["x5c"] = [base64.b64encode(der).decode()]
        header["x5t#S256"] = base64url(hashlib.sha256(der).digest())
    header["kid"] = base64url(hashlib.sha256(hashlib.sha1(der, usedforsecurity=False).digest()).digest())
    return base64url(json.dumps(header, separators=(",", ":")).encode())


@dataclass(frozen=True, slots=True)
class Signer:
    """A key of the key manager with its certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def jwt_sign(self, payload: bytes, *, with_certificate: bool = True) -> str:
        """`jwtSign` without the payload: `header..signature`, RS256 over header and payload as any JWS.

        :param with_certificate: name the certificate in the header, as credential-service asks for and data share
            does not.
        """
        protected = _jwt_header(self.certificate, with_certificate)
        signed = f"{protected}.{base64url(payload)}".encode()
        return f"{protected}..{base64url(self.key.sign(signed, padding.PKCS1v15(), SHA256()))}"

    def jws_sign(self, payload: bytes) -> str:
        """`jwsSign` as a verifiable credential's proof has it: PS256 over the payload's own bytes (`b64` false)."""
        header = {"b64": False, "crit": ["b64"], "alg": "PS256"}
        protected = base64url(json.dumps(header, separators=(",", ":")).encode())
        pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=SHA256.digest_size)
        return f"{protected}..{base64url(self.key.sign(protected.encode() + b'.' + payload, pss, SHA256()))}"
