"""Opening a credential and judging it: is it MOSIP's, is it this application's, which identifier may the registry have.

Pure but for what it is given: nothing is kept here, and no error or value that is shown holds a person's data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes

from mosip_crvs.credential.content import Kind, chosen, identifiers
from mosip_crvs.credential.keyring import KeyRing
from mosip_crvs.credential.layout import Reason, UnreadableCredential, open_credential, thumbprint_of
from mosip_crvs.credential.proof import SigningCertificate, Verdict, verify

HOST_REFUSED = "host_refused"
UNKNOWN_KEY = "unknown_key"
NOT_PROVEN = "not_proven"
WRONG_PROOF = "wrong_proof"
MISMATCH = "mismatch"
NO_IDENTIFIER = "no_identifier"
NOT_CURRENT = "not_current"
"""Its event was sent again under another number, which is not settled; it waits until its own stands for the event."""
TOO_LARGE = str(Reason.TOO_LARGE)


@dataclass(frozen=True)
class Trust:
    """What a credential is judged by.

    :param keys: our partner's.
    :param signers: MOSIP's certificates; none when nobody knows them.
    :param is_required: whether MOSIP's signature must be right.
    :param identifiers: the kinds that the registry may have, beside the ``PSUT``.
    """

    keys: KeyRing = field(repr=False)
    signers: Sequence[SigningCertificate]
    is_required: bool
    identifiers: tuple[str, ...]

    @property
    def mark(self) -> str:
        """Name what proofs are judged by: another name, another judgement."""
        prints = sorted(signer.certificate.fingerprint(hashes.SHA256()).hex() for signer in self.signers)
        return mark_of([str(self.is_required), *prints])

    def settles(self, problem: str, mark: str) -> bool:
        """Say whether a problem's cause may have gone, so that the credential is to be looked at again."""
        if problem == UNKNOWN_KEY:
            return self.keys.key_for(bytes.fromhex(mark)) is not None
        if problem in (NOT_PROVEN, WRONG_PROOF):
            return mark != self.mark
        return problem == NO_IDENTIFIER and mark != mark_of(self.identifiers)


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of opening a credential.

    :param problem: None, or why it cannot be used, as a code; after a blank what it waits for.
    :param proof: what MOSIP's signature was worth; None when that was not asked any more.
    :param identifier: its kind and value; None without one that the registry may have.
    """

    problem: str | None
    proof: Verdict | None = None
    identifier: tuple[Kind, str] | None = field(default=None, repr=False)

    @property
    def is_usable(self) -> bool:
        """Whether it is what it says; that it holds no identifier for the registry makes it none the worse."""
        return self.problem is None or self.problem.startswith(NO_IDENTIFIER)

    @property
    def is_not_current(self) -> bool:
        """Whether all that is wrong with it is that another application stands for its event."""
        return self.problem is not None and self.problem.startswith(NOT_CURRENT)


def judge(cipher_text: bytes, signature: str | None, aid: str, trust: Trust) -> Judged:
    """Open a credential and say what it is good for.

    :param signature: the notification's ``proof.signature``.
    :param aid: of the application that it was announced for.
    """
    try:
        content = open_credential(cipher_text, trust.keys)
    except UnreadableCredential as problem:
        if problem.reason is Reason.UNKNOWN_KEY:
            return Judged(f"{UNKNOWN_KEY} {thumbprint_of(cipher_text).hex()}")
        return Judged(str(problem.reason))
    proof = verify(signature, content, trust.signers)
    if trust.is_required and proof is Verdict.WRONG:
        return Judged(f"{WRONG_PROOF} {trust.mark}", proof)
    if trust.is_required and proof is not Verdict.VERIFIED:
        return Judged(f"{NOT_PROVEN} {trust.mark}", proof)
    try:
        found = identifiers(content)
    except UnreadableCredential as problem:
        return Judged(str(problem.reason), proof)
    if found.registration_id != aid:
        return Judged(MISMATCH, proof)
    identifier = chosen(found, trust.identifiers)
    if identifier is None:
        return Judged(f"{NO_IDENTIFIER} {mark_of(trust.identifiers)}", proof)
    return Judged(None, proof, identifier)


def mark_of(texts: Sequence[str]) -> str:
    """Name a list of texts by the first 16 hexadecimal digits of a hash."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
