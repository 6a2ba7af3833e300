"""The identifiers in an opened credential (``mosip-events.md`` §2.4): which of them are there, the policy decides.

The default provider writes every attribute as text, structures as the JSON of themselves; the provider of verifiable
credentials leaves them as they are. An attribute may be encrypted with a PIN on top, and is then no identifier.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mosip_crvs.credential.layout import Reason, UnreadableCredential

_LONGEST = 128


class Kind(StrEnum):
    """Kinds of identifiers. ``PSUT`` is the partner-specific token: useless to anybody else, so it goes first."""

    PSUT = "PSUT"
    UIN = "UIN"
    VID = "VID"


_NAMES = {"psut": Kind.PSUT, "token": Kind.PSUT, "uin": Kind.UIN, "vid": Kind.VID}


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What identifies the person, and the application that was sent for them; shown, it shows nothing."""

    psut: str | None = field(default=None, repr=False)
    uin: str | None = field(default=None, repr=False)
    vid: str | None = field(default=None, repr=False)
    registration_id: str | None = field(default=None, repr=False)


def parsed(content: bytes) -> dict[str, Any]:
    """Read an opened credential.

    :raises UnreadableCredential: when it is not a JSON object.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        # Raised out here: a JSON error holds on to the whole text.
        raise UnreadableCredential(Reason.NOT_A_CREDENTIAL)
    return found


def identifiers(content: bytes) -> Identifiers:
    """Read the identifiers of an opened credential.

    An identifier is None when it is missing, when its attribute is PIN-encrypted, or when the credential has two
    values for it: a wrong number is worse than none.

    :raises UnreadableCredential: when it has no ``credentialSubject``.
    """
    whole = parsed(content)
    subject = whole.get("credentialSubject")
    if not isinstance(subject, dict):
        raise UnreadableCredential(Reason.NOT_A_CREDENTIAL)
    protected = whole.get("protectedAttributes")
    hidden = protected if isinstance(protected, list) else []
    values: dict[Kind, set[str]] = {kind: set() for kind in Kind}
    for name, value in subject.items():
        kind = _NAMES.get(name.lower())
        if kind is not None and name not in hidden:
            values[kind].update(_texts(value))
    return Identifiers(
        psut=_only(values[Kind.PSUT]),
        uin=_only(values[Kind.UIN]),
        vid=_only(values[Kind.VID]),
        registration_id=_tail(subject.get("id")),
    )


def chosen(found: Identifiers, allowed: tuple[str, ...]) -> tuple[Kind, str] | None:
    """Choose the identifier to hand on: the PSUT if there is one, else what is allowed, in that order.

    :param allowed: ``UIN``, ``VID`` or both; they leave this system only where the country said so.
    """
    values = {Kind.PSUT: found.psut, Kind.UIN: found.uin, Kind.VID: found.vid}
    for name in (Kind.PSUT, *allowed):
        if name in values and (value := values[Kind(name)]):
            return Kind(name), value
    return None


def _texts(value: Any) -> Iterator[str]:
    """Give the texts of a value: itself, or those of a list of ``{language, value}``, also when written as JSON."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{")):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return
    for each in value if isinstance(value, list) else [value]:
        text = each.get("value") if isinstance(each, dict) else each
        if isinstance(text, int) and not isinstance(text, bool):
            yield str(text)
        elif isinstance(text, str) and text.strip():
            yield text.strip()


def _only(values: set[str]) -> str | None:
    if len(values) != 1:
        return None
    (value,) = values
    return value if len(value) <= _LONGEST and value.isprintable() else None


def _tail(name: Any) -> str | None:
    """Give the last part of a URL, or the whole of what is none."""
    return _only({name.rpartition("/")[2]} - {""}) if isinstance(name, str) else None
