"""What credentials are judged by: hosts that links may lead to, the partner's keys, MOSIP's signing certificates."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from mosip_crvs.credential.keyring import KeyRing
from mosip_crvs.credential.proof import SigningCertificate, signing_certificates
from mosip_crvs.errors import MosipRefused, StopTheRun
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.doors import ReadingDoor
from mosip_crvs.mosip.keymanager import KeyManager
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource
from mosip_crvs.reconciliation.opening import Trust

SIGNING_FILE = "mosip-signing.pem"
"""MOSIP's certificates of application ``KERNEL``, reference ``SIGN``, where the settings name no others."""


def allowed_hosts(settings: MosipSettings) -> tuple[str, ...]:
    """Give the hosts that links may lead to: those named, else MOSIP's own, at its own port."""
    if settings.data_share_hosts:
        return settings.data_share_hosts
    parts = urlsplit(settings.base_url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return (f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}",)


def trust_of(settings: MosipSettings, folder: Path, calls: SingleCalls, tokens: TokenSource) -> Trust:
    """Read keys and certificates.

    :param tokens: of a client that may ask the key manager, for when no file has MOSIP's certificates.
    :raises StopTheRun: when the folder or a file in it cannot be read, or credentials must be proven and nobody knows
        MOSIP's certificates.
    :raises MosipUnavailable: when the key manager had to be asked and did not answer. Nothing is believed for that.
    """
    signers = _signers(settings, folder, calls, tokens)
    if settings.credential_proof == "require" and not signers:
        raise StopTheRun(
            "credential_proof is require and MOSIP's signing certificates are not known: put those of application "
            f"KERNEL, reference SIGN, in PEM, into {folder / SIGNING_FILE}"
        )
    is_required = settings.credential_proof != "warn" and bool(signers)
    return Trust(KeyRing.from_folder(folder), signers, is_required, settings.identifiers)


def _signers(
    settings: MosipSettings, folder: Path, calls: SingleCalls, tokens: TokenSource
) -> tuple[SigningCertificate, ...]:
    named = settings.mosip_signing_certificates
    if "-----BEGIN" in named:
        return signing_certificates(named)
    path = folder / (named or SIGNING_FILE)
    if named or path.exists():
        try:
            return signing_certificates(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as problem:
            raise StopTheRun(f"MOSIP's signing certificates {path} cannot be read ({type(problem).__name__})") from None
    try:
        told = KeyManager(ReadingDoor(calls, tokens)).signature_certificates()
    except MosipRefused:
        return ()
    return signing_certificates(told) if told else ()
