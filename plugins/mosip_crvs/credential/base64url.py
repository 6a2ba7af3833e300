"""Base64url as MOSIP writes it: without padding."""

from __future__ import annotations

import base64
import binascii
import re

_LETTERS = re.compile(r"[A-Za-z0-9_-]+")


def encode(raw: bytes) -> str:
    """Write bytes, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes | None:
    """Read bytes, padding or none; None when a letter is none of base64url, or the length cannot be."""
    bare = text.rstrip("=")
    if not _LETTERS.fullmatch(bare):
        return None
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        return None
