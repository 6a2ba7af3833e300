"""Whether a credential is MOSIP's: the JWS of the notification, and the linked-data proof inside.

The credential service has keymanager sign the content in clear, before it is sealed: a JWS of the very bytes that
opening gives, RS256, the payload left out, made with the key of the application ``KERNEL``, reference ``SIGN``. As
shipped the header has the certificate (``x5c``) and its hash (``x5t#S256``). It covers the linked-data proof too.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from mosip_crvs.credential import base64url, pem
from mosip_crvs.credential.content import parsed
from mosip_crvs.errors import StopTheRun

LINKED_DATA_PROOF = "RsaSignature2018"
_DIGEST = hashes.SHA256()
_PADDINGS: dict[str, padding.AsymmetricPadding] = {
    "RS256": padding.PKCS1v15(),
    "PS256": padding.PSS(padding.MGF1(_DIGEST), salt_length=_DIGEST.digest_size),
}


class Verdict(StrEnum):
    """What a proof is worth.

    ``WRONG``: it is for other content, or by another key. ``UNVERIFIABLE``: nothing here can tell, because its
    certificate or its algorithm is none of ours.
    """

    VERIFIED = "verified"
    WRONG = "wrong"
    UNSIGNED = "unsigned"
    UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True, slots=True)
class SigningCertificate:
    """A certificate that MOSIP signs, or signed, with.

    :param kid: keymanager's id of the key. It is no hash of the certificate, so it must be told.
    """

    certificate: x509.Certificate
    kid: str | None = None


@dataclass(frozen=True, slots=True)
class _Jws:
    head: str
    payload: str
    signature: bytes
    header: Mapping[str, Any]


def signing_certificates(text: str) -> tuple[SigningCertificate, ...]:
    """Read the certificates of MOSIP's signing key: the present one and earlier ones, PEM after PEM.

    :raises StopTheRun: when there is none, or one cannot be read.
    """
    found = tuple(SigningCertificate(each) for each in pem.certificates(text))
    if not found:
        raise StopTheRun("there is no certificate in it: take MOSIP's of application KERNEL, reference SIGN")
    return found


def verify(signature: str | None, content: bytes, certificates: Sequence[SigningCertificate]) -> Verdict:
    """Verify ``proof.signature`` of a notification over an opened credential.

    Whether a certificate is in date is not asked: a credential is read long after it was signed.

    :param content: the bytes that opening the credential gave.
    :param certificates: those that are trusted. A certificate in the header only says which of them to take.
    """
    if not signature:
        return Verdict.UNSIGNED
    jws = _read(signature)
    if jws is None:
        return Verdict.WRONG
    algorithm = jws.header.get("alg")
    critical = jws.header.get("crit", [])
    if algorithm not in tuple(_PADDINGS) or critical not in ([], ["b64"]):
        return Verdict.UNVERIFIABLE
    plain = jws.header.get("b64") is False
    payload = content if plain else base64url.encode(content).encode()
    if jws.payload and jws.payload.encode() != payload:
        return Verdict.WRONG
    named = [each for each in certificates if _names(jws.header, each)]
    signed = jws.head.encode() + b"." + payload
    if any(_signed_by(each.certificate, signed, jws.signature, algorithm) for each in named or certificates):
        return Verdict.VERIFIED
    return Verdict.WRONG if named or _could_be_ours(jws.header, certificates) else Verdict.UNVERIFIABLE


def verify_linked_data(content: bytes) -> Verdict:
    """Look at the proof inside a verifiable credential, as far as that goes without reading it as linked data.

    What it signs is a hash of the credential's RDF in canonical order. Making that takes a JSON-LD processor and the
    contexts that MOSIP used, so the best answer here is ``UNVERIFIABLE``; ``WRONG`` is said of a form that MOSIP never
    writes. ``verify`` covers the same bytes, this proof included, and is made with the same key.

    :param content: the bytes that opening the credential gave.
    :raises UnreadableCredential: when they are no credential.
    """
    proof = parsed(content).get("proof")
    if not proof:
        return Verdict.UNSIGNED
    if not isinstance(proof, dict):
        return Verdict.WRONG
    if proof.get("type") != LINKED_DATA_PROOF:
        return Verdict.UNVERIFIABLE
    jws = _read(proof.get("jws"))
    if jws is None or jws.payload:
        return Verdict.WRONG
    as_written = jws.header.get("alg") in tuple(_PADDINGS) and jws.header.get("b64") is False
    return Verdict.UNVERIFIABLE if as_written and jws.header.get("crit") == ["b64"] else Verdict.WRONG


def _read(compact: object) -> _Jws | None:
    """Read ``header.payload.signature``; None when it is not that."""
    if not isinstance(compact, str) or not compact.isascii() or compact.count(".") != 2:
        return None
    head, payload, tail = compact.strip().split(".")
    raw, signature = base64url.decode(head), base64url.decode(tail)
    if raw is None or signature is None:
        return None
    try:
        header = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return _Jws(head, payload, signature, header) if isinstance(header, dict) else None


def _names(header: Mapping[str, Any], signer: SigningCertificate) -> bool:
    """Say whether a header names a certificate."""
    certificate = signer.certificate
    chain = header.get("x5c")
    return (
        header.get("x5t#S256") == base64url.encode(certificate.fingerprint(hashes.SHA256()))
        or header.get("x5t") == base64url.encode(certificate.fingerprint(hashes.SHA1()))  # noqa: S303 - it names, no more
        or (isinstance(chain, list) and bool(chain) and _der(chain[0]) == _der_of(certificate))
        or (signer.kid is not None and header.get("kid") == signer.kid)
    )


def _could_be_ours(header: Mapping[str, Any], certificates: Sequence[SigningCertificate]) -> bool:
    """Say whether one of ours should have fitted: the header names none, or nothing that we could compare."""
    if not certificates or any(name in header for name in ("x5t#S256", "x5t", "x5c")):
        return False
    return "kid" not in header or any(each.kid is None for each in certificates)


def _signed_by(certificate: x509.Certificate, signed: bytes, signature: bytes, algorithm: str) -> bool:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(signature, signed, _PADDINGS[algorithm], _DIGEST)
    except InvalidSignature:
        return False
    return True


def _der(text: object) -> bytes | None:
    """Read an entry of ``x5c``: standard base64, unlike everything else in a JWS."""
    try:
        return base64.b64decode(text) if isinstance(text, str) else None
    except (binascii.Error, ValueError):
        return None


def _der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)
