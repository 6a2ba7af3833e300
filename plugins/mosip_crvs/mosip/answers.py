"""Reading MOSIP's answers: from a status and bytes to what happened. Pure.

``errors`` may be null, absent or empty, a failed createPacket answers 200 with ``response: null``, and a proxy in
between may answer anything at all (``mosip-packets.md`` §1.5). Only codes are read: texts may quote what was sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from mosip_crvs.mosip.codes import Action, action_for

_MAX_CODE = 40
_decode = msgspec.json.Decoder().decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call came to.

    :param status: HTTP status, 0 when nothing came back.
    :param code: MOSIP's first error code or our own name for the fault; None when it succeeded.
    :param reference: what MOSIP gave us, such as the ``workflowInstanceId``.
    :param retry_after: seconds that it asked us to wait.
    """

    status: int
    code: str | None = None
    reference: str | None = None
    retry_after: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the call did what it should."""
        return self.code is None

    @property
    def is_a_gateways(self) -> bool:
        """Whether it carries no code of MOSIP's: it may come from something in between."""
        return (self.code or "").startswith("HTTP_")

    @property
    def action(self) -> Action:
        """What to do about it, when it did not succeed."""
        return action_for(self.status, self.code)


NO_ANSWER = Answer(0, "NO_ANSWER")
"""The line broke: sent or not, nobody knows."""
TIMED_OUT = Answer(0, "TIMED_OUT")
"""Nothing came in time: MOSIP may still be at work on it."""


def read_create_packet(status: int, body: bytes, retry_after: float | None = None) -> Answer:
    """Read the answer to createPacket: success is a list of packets, one of them named ``…_id``."""
    payload, fault = _envelope(status, body, retry_after)
    if fault is not None:
        return fault
    packets = payload.get("response")
    if packets is None:
        return Answer(status, "RESPONSE_NULL")
    if isinstance(packets, list) and any(_is_id_packet(packet) for packet in packets):
        return Answer(status)
    return Answer(status, "PACKET_WITHOUT_ID")


def read_trigger(status: int, body: bytes, retry_after: float | None = None) -> Answer:
    """Read the answer to workflowinstance: success is a ``workflowInstanceId``."""
    payload, fault = _envelope(status, body, retry_after)
    if fault is not None:
        return fault
    response = payload.get("response")
    instance = response.get("workflowInstanceId") if isinstance(response, dict) else None
    if isinstance(instance, str) and instance:
        return Answer(status, reference=_plain(instance))
    return Answer(status, "RESPONSE_NULL" if response is None else "REPLY_UNREADABLE")


def error_code(body: bytes) -> str | None:
    """Give the first error code of an envelope, if it is one and has any."""
    try:
        payload = _decode(body)
    except _UNREADABLE:
        return None
    return _first_code(payload) if isinstance(payload, dict) else None


def _envelope(status: int, body: bytes, retry_after: float | None) -> tuple[dict[str, Any], Answer | None]:
    try:
        payload = _decode(body)
    except _UNREADABLE:
        payload = None
    if not isinstance(payload, dict):
        code = "REPLY_UNREADABLE" if status == 200 else f"HTTP_{status}"
        return {}, Answer(status, code, retry_after=retry_after)
    code_found = _first_code(payload)
    if code_found is not None:
        return payload, Answer(status, code_found, retry_after=retry_after)
    if status != 200:
        return payload, Answer(status, f"HTTP_{status}", retry_after=retry_after)
    return payload, None


def _first_code(payload: dict[str, Any]) -> str | None:
    errors = payload.get("errors")
    if not isinstance(errors, list) or not errors:
        return None
    first = errors[0]
    code = first.get("errorCode") if isinstance(first, dict) else None
    return (_plain(code)[:_MAX_CODE] if isinstance(code, str) else "") or "ERROR_WITHOUT_CODE"


def _is_id_packet(packet: Any) -> bool:
    name = packet.get("packetName") if isinstance(packet, dict) else None
    return isinstance(name, str) and name.endswith("_id")


def _plain(text: str) -> str:
    """Keep what a ledger can keep: no control characters, no halves of surrogate pairs."""
    return "".join(character for character in text[:64] if character.isprintable())
