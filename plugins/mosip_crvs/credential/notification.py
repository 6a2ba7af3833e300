"""Reading the notification of an issued credential (``mosip-events.md`` §2.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mosip_crvs.settlement.events import UnreadableEvent, json_object, object_in

_LONGEST_ID = 64
_LONGEST_LINK = 2048


@dataclass(frozen=True, slots=True)
class CredentialNotification:
    """A credential was issued: for what, and where it is. Exactly one of ``link`` and ``inline`` is set.

    :param transaction_id: MOSIP's credential request, which a status is reported for.
    :param registration_id: the AID; other services than the registration processor may leave it out.
    :param signature: a JWS over the content in clear. Where MOSIP was set to include the payload, it *is* the content.
    :param link: a data share, which may be used up by a single look. Its host is nobody's promise yet.
    :param inline: the sealed credential.
    """

    event_id: str
    transaction_id: str
    registration_id: str | None
    credential_type: str | None
    signature: str | None = field(repr=False)
    link: str | None = field(repr=False)
    inline: str | None = field(repr=False)


def read_notification(body: bytes) -> CredentialNotification:
    """Read one notification.

    :param body: the raw bytes as received.
    :raises UnreadableEvent: when it is not JSON, or not of this shape.
    """
    event = object_in(json_object(body), "event")
    data = object_in(event, "data")
    link, inline = _text(event, "dataShareUri"), _text(data, "credential")
    if (link is None) == (inline is None):
        raise UnreadableEvent("it must have exactly one of dataShareUri and credential")
    if link is not None and not _is_short(link, _LONGEST_LINK):
        raise UnreadableEvent("dataShareUri is not a short text")
    return CredentialNotification(
        event_id=_needed_id(event, "id"),
        transaction_id=_needed_id(event, "transactionId"),
        registration_id=_id(data, "registrationId"),
        credential_type=_id(data, "credentialType"),
        signature=_text(object_in(data, "proof"), "signature") if data.get("proof") is not None else None,
        link=link,
        inline=inline,
    )


def _text(parent: dict[str, Any], name: str) -> str | None:
    """Give a text, None for an empty one or none."""
    value = parent.get(name)
    if value is not None and not isinstance(value, str):
        raise UnreadableEvent(f"{name} is not a text")
    return value or None


def _id(parent: dict[str, Any], name: str) -> str | None:
    value = _text(parent, name)
    if value is not None and not _is_short(value, _LONGEST_ID):
        raise UnreadableEvent(f"{name} is not a short text")
    return value


def _needed_id(parent: dict[str, Any], name: str) -> str:
    value = _id(parent, name)
    if value is None:
        raise UnreadableEvent(f"{name} is missing")
    return value


def _is_short(value: str, longest: int) -> bool:
    """Say whether a text can be kept: a NUL or half a surrogate pair would stop the ledger's transaction."""
    return len(value) <= longest and value.isprintable()
