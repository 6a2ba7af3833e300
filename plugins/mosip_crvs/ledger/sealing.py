"""Sealing values that the ledger must keep and nobody may read there."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from mosip_crvs.errors import StopTheRun


class Seal:
    """Seals with the newest of one or more keys, opens with any: keys can be rotated.

    :param keys: Fernet keys, newest first, separated by commas.
    """

    def __init__(self, keys: str) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
        except ValueError as problem:
            raise StopTheRun(
                "the seal key must be one or more Fernet keys (32 bytes, base64url), newest first, separated by commas"
            ) from problem

    def close(self, text: str) -> bytes:
        """Seal a text."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Open what was sealed.

        :raises StopTheRun: when none of the keys fits.
        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise StopTheRun("a sealed value of the ledger does not open with the seal key given") from None
