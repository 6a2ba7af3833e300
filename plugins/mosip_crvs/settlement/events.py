"""Reading MOSIP's WebSub bodies: from bytes to an AID and a kind of evidence (``mosip-events.md`` §2.1, §2.2)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mosip_crvs.settlement.rules import EvidenceKind

WORKFLOW_COMPLETED = "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT"
WORKFLOW_PAUSED = "REGISTRATION_PROCESSOR_WORKFLOW_PAUSED_FOR_ADDITIONAL_INFO_EVENT"

_RESULT_CODES = {
    "PROCESSED": EvidenceKind.WORKFLOW_PROCESSED,
    "REJECTED": EvidenceKind.WORKFLOW_REJECTED,
    "FAILED": EvidenceKind.WORKFLOW_FAILED,
}


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
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise UnreadableEvent("the body is not JSON") from problem
    if not isinstance(payload, dict):
        raise UnreadableEvent("the body is not a JSON object")
    aid = _text(payload, "instanceId")
    if topic == WORKFLOW_PAUSED:
        return WorkflowEvent(aid, EvidenceKind.PAUSED_FOR_INFO, _optional(payload, "additionalInfoProcess"))
    if topic == WORKFLOW_COMPLETED:
        result = _text(payload, "resultCode")
        if result not in _RESULT_CODES:
            raise UnreadableEvent("resultCode is none of PROCESSED, REJECTED, FAILED")
        return WorkflowEvent(aid, _RESULT_CODES[result], _optional(payload, "errorCode"))
    raise UnreadableEvent("no rule for this topic")


def _text(payload: dict[str, Any], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value or len(value) > 64 or not value.isprintable():
        raise UnreadableEvent(f"{name} is missing or not a short text")
    return value


def _optional(payload: dict[str, Any], name: str) -> str | None:
    value = payload.get(name)
    # A NUL or half a surrogate pair would stop the ledger's transaction, and every one after it.
    return value[:64] if isinstance(value, str) and value.isprintable() else None
