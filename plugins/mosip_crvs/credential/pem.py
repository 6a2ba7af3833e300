"""Private keys and certificates in PEM. The texts of errors say what is wrong, never what was read."""

from __future__ import annotations

import re
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from mosip_crvs.errors import StopTheRun

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


@lru_cache(maxsize=8)
def private_key(text: str) -> rsa.RSAPrivateKey:
    """Read a private key; that it is a sound one takes a while to find out, and need not be found out twice.

    :raises StopTheRun: when it is none, has a password, or is not RSA.
    """
    try:
        found = serialization.load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise StopTheRun("a private key cannot be read: it must be PEM without a password") from None
    if not isinstance(found, rsa.RSAPrivateKey):
        raise StopTheRun("a private key is not RSA: MOSIP encrypts to RSA keys only")
    return found


def private_keys(text: str) -> tuple[rsa.RSAPrivateKey, ...]:
    """Read every private key of a text.

    :raises StopTheRun: when one cannot be read, or there is none.
    """
    found = tuple(private_key(block) for kind, block in _blocks(text) if kind.endswith("PRIVATE KEY"))
    if not found:
        raise StopTheRun("there is no private key in it")
    return found


def certificates(text: str) -> tuple[x509.Certificate, ...]:
    """Read every certificate of a text, in its order; other PEM blocks are passed over.

    :raises StopTheRun: when one cannot be read, or there is no PEM block at all.
    """
    try:
        return tuple(_certificate(block) for kind, block in _blocks(text) if kind == "CERTIFICATE")
    except (ValueError, UnsupportedAlgorithm):
        raise StopTheRun("a certificate cannot be read: it must be X.509 in PEM") from None


def public_key_der(key: PublicKeyTypes) -> bytes:
    """Write a public key: SubjectPublicKeyInfo, DER. Keys that are the same are the same bytes."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _certificate(block: str) -> x509.Certificate:
    found = x509.load_pem_x509_certificate(block.encode())
    found.public_key()  # a kind of key that is not known shows only when it is asked for
    return found


def _blocks(text: str) -> list[tuple[str, str]]:
    """Cut a text into its PEM blocks, with the kind of each; MOSIP sometimes sends line breaks as two characters."""
    whole = text.replace("\\n", "\n")
    found = [(block.group(1), block.group(0)) for block in _BLOCK.finditer(whole)]
    if not found or len(found) != whole.count("-----BEGIN "):
        raise StopTheRun("it is not PEM, or a block of it has no end")
    return found
