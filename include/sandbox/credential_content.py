"""What a credential says: MOSIP's default provider and that of verifiable credentials (mosip-events.md §2.4)."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.credential_cipher import Signer
from sandbox.identities import check_digit
from sandbox.wire import now_text

VERIFIABLE = frozenset({"VERCRED", "PDFCARD", "QRCODE", "EUIN", "REPRINT"})
"""Credential types of the provider of verifiable credentials, by `credentialType.formatter.*`."""

SCHEMA = "MOSIPVerifiableCredential"
ID_BASE = "http://mosip.io/credentials/"
ISSUER = "https://mosip.io/issuers/"
TOKEN_LENGTH = 36
VID_EXPIRY = "9999-12-31T23:59:59.999"
_SALT = "sandbox"


class NotIssuable(ValueError):
    """The credential service cannot make this credential; the request becomes FAILED."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a credential is about.

    :param rid: the application it was requested for.
    :param identity: the identity's fields, as the packet has them.
    """

    rid: str
    uin: str
    identity: Mapping[str, Any]


@dataclass(slots=True)
class Content:
    """A finished credential.

    :param document: the JSON, byte for byte what is signed and encrypted.
    :param extra: what the credential service adds to the event's data.
    """

    document: bytes
    extra: dict[str, Any] = field(default_factory=dict)


def partner_token(uin: str, partner_id: str) -> str:
    """The partner-specific token (PSUT): the same for a person and a partner, different for every other partner."""
    person = hashlib.sha256((uin + _SALT).encode()).hexdigest().upper()
    both = hashlib.sha256((_SALT + partner_id + person).encode()).hexdigest().upper()
    return str(int.from_bytes(both.encode(), "big"))[:TOKEN_LENGTH]


def perpetual_vid(uin: str) -> str:
    """A person's VID: 16 digits, the last one Verhoeff's."""
    number = int.from_bytes(hashlib.sha256(f"vid {uin}".encode()).digest()[:8], "big")
    digits = str(2 * 10**14 + number % (6 * 10**14))
    return digits + check_digit(digits)


def make_content(
    person: Person, partner_id: str, credential_type: str, attributes: Iterable[Mapping[str, Any]], signer: Signer
) -> Content:
    """A credential of a type with the attributes that a policy shares.

    :raises NotIssuable: for an attribute that makes MOSIP's provider fail.
    """
    shared, extra = _shared(person, partner_id, attributes)
    if credential_type.upper() in VERIFIABLE:
        found = _verifiable(person, {name: value for name, value, _ in shared}, signer)
    else:
        found = _default(person, partner_id, shared)
    return Content(_dumps(found).encode("utf-8", "surrogatepass"), extra)


def _default(person: Person, partner_id: str, shared: list[tuple[str, Any, bool]]) -> dict[str, Any]:
    """Every value is a text here: lists are JSON in a string."""
    if any(encrypted for _, _, encrypted in shared):
        raise NotIssuable("an encrypted attribute needs a PIN, and the registration processor sends none")
    values = {name: value if isinstance(value, str) else _dumps(value) for name, value, _ in shared}
    return {
        "id": f"{ID_BASE}{uuid.uuid4()}",
        "type": [SCHEMA],
        "issuer": ISSUER,
        "issuanceDate": now_text(),
        "issuedTo": partner_id,
        "consent": "",
        "credentialSubject": {"id": person.rid} | values,
        "protectedAttributes": [],
    }


def _verifiable(person: Person, values: dict[str, Any], signer: Signer) -> dict[str, Any]:
    """The shape of MOSIP's; its `jws` covers this JSON and not the canonical RDF that a real one covers."""
    now = now_text()
    bare = {
        "@context": ["https://www.w3.org/2018/credentials/v1", "https://mosip.example/.well-known/mosip-context.json"],
        "id": f"https://mosip.example/credentials/{uuid.uuid4()}",
        "type": ["VerifiableCredential", SCHEMA],
        "issuer": "https://mosip.example/.well-known/controller.json",
        "issuanceDate": now,
        "credentialSubject": {"id": f"https://mosip.example/credentials/{person.rid}", "vcVer": "VC-V1"} | values,
    }
    proof = {
        "type": "RsaSignature2018",
        "created": now,
        "proofPurpose": "assertionMethod",
        "verificationMethod": "https://mosip.example/.well-known/public-key.json",
        "jws": signer.jws_sign(_dumps(bare).encode("utf-8", "surrogatepass")),
    }
    return bare | {"proof": proof}


def _shared(
    person: Person, partner_id: str, attributes: Iterable[Mapping[str, Any]]
) -> tuple[list[tuple[str, Any, bool]], dict[str, Any]]:
    """(name, value, encrypted) of every attribute that has a value, and additions to the event's data.

    Only attributes without a group are demographic. One of an empty group is left out without a word.
    """
    found: list[tuple[str, Any, bool]] = []
    extra: dict[str, Any] = {}
    for attribute in attributes:
        if attribute.get("group") is not None:
            continue
        source = attribute["source"][0]
        if str(source["attribute"]).upper() == "VID":
            _check_vid(attribute, source)
            extra |= {"ExpiryTimestamp": VID_EXPIRY, "TransactionLimit": None}
        value = _value(person, partner_id, source)
        if value is not None:
            found.append((str(attribute["attributeName"]), value, bool(attribute.get("encrypted"))))
    return found, extra


def _check_vid(attribute: Mapping[str, Any], source: Mapping[str, Any]) -> None:
    if not source.get("filter") or attribute.get("format") is None:
        raise NotIssuable("a VID without a filter or a format breaks MOSIP's provider")


def _value(person: Person, partner_id: str, source: Mapping[str, Any]) -> Any:
    name = str(source["attribute"])
    made = {"UIN": lambda: person.uin, "PSUT": lambda: partner_token(person.uin, partner_id)}
    if name in made:
        return made[name]()
    if name.upper() == "VID":
        return perpetual_vid(person.uin)
    value = person.identity.get(name)
    languages = {entry.get("language") for entry in source.get("filter") or ()} - {None}
    if isinstance(value, list) and languages:
        return [entry for entry in value if isinstance(entry, dict) and entry.get("language") in languages]
    return value


def _dumps(value: Any) -> str:
    """JSON as Jackson writes it: no blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
