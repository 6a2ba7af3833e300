"""Reading MOSIP's WebSub bodies: from bytes to an AID and a kind of evidence (``mosip-events.md`` §2.1–§2.7)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mosip_crvs.settlement.rules import EvidenceKind

WORKFLOW_COMPLETED = "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT"
WORKFLOW_PAUSED = "REGISTRATION_PROCESSOR_WORKFLOW_PAUSED_FOR_ADDITIONAL_INFO_EVENT"
IDENTITY_CREATED = "IDENTITY_CREATED"
IDENTITY_UPDATED = "IDENTITY_UPDATED"
CREDENTIAL_ISSUED = "CREDENTIAL_ISSUED"
"""Published for one partner: the topic is ``{partner}/CREDENTIAL_ISSUED``."""
AID_DIGITS = 29

_RESULT_CODES = {
    "PROCESSED": EvidenceKind.WORKFLOW_PROCESSED,
    "REJECTED": EvidenceKind.WORKFLOW_REJECTED,
    "FAILED": EvidenceKind.WORKFLOW_FAILED,
}


_IDENTITY_TOPICS = {IDENTITY_CREATED: EvidenceKind.IDENTITY_CREATED, IDENTITY_UPDATED: EvidenceKind.IDENTITY_UPDATED}


@dataclass(frozen=True, slots=True)
class WorkflowEvent:
    """One notification: which application, what it says, MOSIP's own code for why (never a person's data)."""

    aid: str
    kind: EvidenceKind
    code: str | None = None


class UnreadableEvent(ValueError):
    """A body that is no notification we know. The text says what is wrong, not what it holds."""


def read_event(topic: str, body: bytes) -> WorkflowEvent:
    """Read one notification.

    :param topic: the WebSub topic that it was delivered for.
    :param body: the raw bytes as received.
    :raises UnreadableEvent: when it is not JSON, or not of the topic's shape.
    """
    payload = json_object(body)
    if topic == WORKFLOW_PAUSED:
        aid = _text(payload, "instanceId")
        return WorkflowEvent(aid, EvidenceKind.PAUSED_FOR_INFO, _optional(payload, "additionalInfoProcess"))
    if topic == WORKFLOW_COMPLETED:
        return _completed(payload)
    if topic in _IDENTITY_TOPICS:
        event = object_in(payload, "event")
        return WorkflowEvent(_text(object_in(event, "data"), "registration_id"), _IDENTITY_TOPICS[topic])
    if is_credential_topic(topic):
        return WorkflowEvent(_aid_of_credential(object_in(payload, "event")), EvidenceKind.CREDENTIAL_ISSUED)
    raise UnreadableEvent("no rule for this topic")


def json_object(body: bytes) -> dict[str, Any]:
    """Read a body that must be a JSON object.

    :raises UnreadableEvent: when it is none; without a cause, because a JSON error holds on to the whole body.
    """
    problem = "the body is not a JSON object"
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload, problem = None, "the body is not JSON"
    if not isinstance(payload, dict):
        raise UnreadableEvent(problem)
    return payload


def object_in(parent: dict[str, Any], name: str) -> dict[str, Any]:
    """Give an object within another.

    :raises UnreadableEvent: when there is none of that name.
    """
    value = parent.get(name)
    if not isinstance(value, dict):
        raise UnreadableEvent(f"{name} is missing or not an object")
    return value


def is_credential_topic(topic: str) -> bool:
    """Say whether credentials are announced on a topic."""
    partner, _, name = topic.partition("/")
    return bool(partner) and name == CREDENTIAL_ISSUED


def _completed(payload: dict[str, Any]) -> WorkflowEvent:
    aid = _text(payload, "instanceId")
    result = _text(payload, "resultCode")
    if result not in _RESULT_CODES:
        raise UnreadableEvent("resultCode is none of PROCESSED, REJECTED, FAILED")
    return WorkflowEvent(aid, _RESULT_CODES[result], _optional(payload, "errorCode"))


def _aid_of_credential(event: dict[str, Any]) -> str:
    """Find the application: it is named, or the request's predictable number begins with it (§2.4)."""
    data = event.get("data")
    if isinstance(data, dict) and data.get("registrationId") is not None:
        return _text(data, "registrationId")
    head = _text(event, "transactionId")[:AID_DIGITS]
    if len(head) < AID_DIGITS or not (head.isascii() and head.isdigit()):
        raise UnreadableEvent("the credential names no application")
    return head


def _text(payload: dict[str, Any], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value or len(value) > 64 or not value.isprintable():
        raise UnreadableEvent(f"{name} is missing or not a short text")
    return value


def _optional(payload: dict[str, Any], name: str) -> str | None:
    value = payload.get(name)
    # A NUL or half a surrogate pair would stop the ledger's transaction, and every one after it.
    return value[:64] if isinstance(value, str) and value.isprintable() else None
