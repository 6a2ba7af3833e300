"""Opening a sealed credential (``mosip-events.md`` §2.5).

Base64url of: a marker or none, the SHA-256 of the partner certificate, an AES key encrypted to it, a splitter, and the
content under AES-GCM. With the marker, 32 random bytes come first that are authenticated, and whose head is the nonce;
without it, the nonce comes last and what is authenticated is agreed upon apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mosip_crvs.credential import base64url
from mosip_crvs.credential.keyring import KeyRing

LARGEST = 16 * 1024 * 1024
"""Characters of base64url. A credential with a photograph and a PDF is a few millions."""

_SPLITTER = b"#KEY_SPLITTER#"
_MARKER = b"VER_R2"
_THUMBPRINT_LENGTH = 32
_SESSION_KEY_LENGTH = 32
_TAG_LENGTH = 16
_AAD_LENGTH = 32
_NONCE_LENGTH = 12
_OLDER_NONCE_LENGTH = 16
_AROUND = " \t\r\n\"'"
_OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


class Reason(StrEnum):
    """Why a credential cannot be used. None of them goes away by trying again."""

    NOT_BASE64 = "not_base64"
    NO_SPLITTER = "no_splitter"
    UNKNOWN_KEY = "unknown_key"
    WRONG_KEY = "wrong_key"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    NOT_A_CREDENTIAL = "not_a_credential"


_TEXTS = {
    Reason.NOT_BASE64: "it is not base64url: was it cut, or does the policy's data share not encrypt?",
    Reason.NO_SPLITTER: "it has no key splitter",
    Reason.UNKNOWN_KEY: "it was sealed for a certificate that is not in the folder for keys",
    Reason.WRONG_KEY: "its key does not open with the private key of the certificate that it names",
    Reason.DAMAGED: "it was changed or cut on its way, or sealed with other authenticated data",
    Reason.TOO_LARGE: f"it is larger than {LARGEST} characters",
    Reason.NOT_A_CREDENTIAL: "what was sealed is no credential in JSON",
}


class UnreadableCredential(ValueError):
    """A credential that cannot be used. The text says why, never what it holds."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        """Say why."""
        return f"the credential cannot be read ({self.reason}): {_TEXTS[self.reason]}"


@dataclass(frozen=True, slots=True)
class _Sealed:
    """The parts of a sealed credential.

    :param marked: whether it has the present layout's marker. :param body: everything after the splitter.
    """

    marked: bool
    thumbprint: bytes
    wrapped_key: bytes = field(repr=False)
    body: bytes = field(repr=False)


def open_credential(text: str | bytes, keys: KeyRing, *, aad: bytes = b"") -> bytes:
    """Open a sealed credential of either layout.

    :param text: base64url as it came from the notification or the data share.
    :param aad: what the older layout authenticates beside the content, where that was agreed upon.
    :return: the content, byte for byte as MOSIP sealed and signed it.
    :raises UnreadableCredential: when it does not open.
    """
    sealed = _parts(text)
    key = keys.key_for(sealed.thumbprint)
    if key is None:
        raise UnreadableCredential(Reason.UNKNOWN_KEY)
    cipher = AESGCM(_session_key(sealed.wrapped_key, key))
    if sealed.marked:
        aad, ciphertext = sealed.body[:_AAD_LENGTH], sealed.body[_AAD_LENGTH:]
        nonce = aad[:_NONCE_LENGTH]
    else:
        ciphertext, nonce = sealed.body[:-_OLDER_NONCE_LENGTH], sealed.body[-_OLDER_NONCE_LENGTH:]
    if len(ciphertext) < _TAG_LENGTH:
        raise UnreadableCredential(Reason.DAMAGED)
    try:
        return cipher.decrypt(nonce, ciphertext, aad)
    except InvalidTag:
        raise UnreadableCredential(Reason.DAMAGED) from None


def thumbprint_of(text: str | bytes) -> bytes:
    """Say which certificate a credential was sealed for, without any key: its SHA-256.

    :raises UnreadableCredential: when it is not a sealed credential.
    """
    return _parts(text).thumbprint


def _parts(text: str | bytes) -> _Sealed:
    key_block, splitter, body = _decoded(text).partition(_SPLITTER)
    if not splitter:
        raise UnreadableCredential(Reason.NO_SPLITTER)
    marked = key_block.startswith(_MARKER)
    rest = key_block.removeprefix(_MARKER)
    thumbprint, wrapped_key = rest[:_THUMBPRINT_LENGTH], rest[_THUMBPRINT_LENGTH:]
    if not wrapped_key:
        raise UnreadableCredential(Reason.DAMAGED)
    return _Sealed(marked, thumbprint, wrapped_key, body)


def _decoded(text: str | bytes) -> bytes:
    if len(text) > LARGEST:
        raise UnreadableCredential(Reason.TOO_LARGE)
    if isinstance(text, bytes):
        text = text.decode("ascii", errors="replace")
    raw = base64url.decode(text.strip(_AROUND))
    if raw is None:
        raise UnreadableCredential(Reason.NOT_BASE64)
    return raw


def _session_key(wrapped: bytes, key: rsa.RSAPrivateKey) -> bytes:
    if len(wrapped) * 8 != key.key_size:
        raise UnreadableCredential(Reason.DAMAGED)
    try:
        session_key = key.decrypt(wrapped, _OAEP)
    except ValueError:
        raise UnreadableCredential(Reason.WRONG_KEY) from None
    if len(session_key) != _SESSION_KEY_LENGTH:
        raise UnreadableCredential(Reason.DAMAGED)
    return session_key
