"""The partner's private keys, found by the certificate that a credential was sealed for.

MOSIP seals for the certificate that it holds of the partner. That is the one it made itself when ours was uploaded
(``mosip-onboarding.md`` §7), not the authority's: same key, other thumbprint. So both belong into the folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from mosip_crvs.credential import pem
from mosip_crvs.errors import StopTheRun

_KEY_FILES = ".key.pem"


class KeyRing:
    """Private keys by the SHA-256 of a partner certificate (DER); several at a time while one is being changed.

    :param pairs: certificates with their private keys. The same key may come with several certificates.
    :raises StopTheRun: when a certificate is not for the key that it came with.
    """

    def __init__(self, pairs: Iterable[tuple[x509.Certificate, rsa.RSAPrivateKey]]) -> None:
        self._keys: dict[bytes, rsa.RSAPrivateKey] = {}
        for certificate, key in pairs:
            if pem.public_key_der(certificate.public_key()) != pem.public_key_der(key.public_key()):
                raise StopTheRun("a certificate is not for the private key that was given with it")
            self._keys[certificate.fingerprint(hashes.SHA256())] = key

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """Pair the certificates of every ``*.pem`` with the private keys of every ``*.key.pem``, by public key.

        What has no partner is passed over: authorities have no key here, a new key may have no certificate yet.

        :raises StopTheRun: naming every file that cannot be read, or the folder.
        """
        certificates: list[x509.Certificate] = []
        keys: dict[bytes, rsa.RSAPrivateKey] = {}
        unreadable: list[str] = []
        for path in _pem_files(folder):
            try:
                text = path.read_text(encoding="utf-8")
                certificates += pem.certificates(text)
                if path.name.endswith(_KEY_FILES):
                    keys |= {pem.public_key_der(key.public_key()): key for key in pem.private_keys(text)}
            except (OSError, UnicodeDecodeError) as problem:
                unreadable.append(f"{path.name} ({type(problem).__name__})")
            except StopTheRun as problem:
                unreadable.append(f"{path.name} ({problem})")
        if unreadable:
            raise StopTheRun(f"mend these files in {folder}, or take them away: {'; '.join(unreadable)}")
        paired = ((each, keys.get(pem.public_key_der(each.public_key()))) for each in certificates)
        return cls((certificate, key) for certificate, key in paired if key is not None)

    def key_for(self, thumbprint: bytes) -> rsa.RSAPrivateKey | None:
        """Give the private key for a certificate's SHA-256; None when no such certificate is here."""
        return self._keys.get(thumbprint)

    def __len__(self) -> int:
        """Count the certificates that have a key."""
        return len(self._keys)


def _pem_files(folder: Path) -> list[Path]:
    """List the files to read; a folder that is not there would otherwise look like one without keys."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(".pem"))
    except OSError as problem:
        raise StopTheRun(f"the folder for keys {folder} cannot be read ({type(problem).__name__})") from None
