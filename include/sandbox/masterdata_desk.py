"""How every masterdata call goes: the gate, the body, the answer; business errors are HTTP 200 (§0.1, §2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from sandbox.gate import Gate, Gatekeeper, caller
from sandbox.wire import envelope, error, json_reply
from sandbox.writes import Writes

Handler = Callable[[web.Request], Awaitable[web.Response]]
INVALID = "KER-MSD-999"
FAULT = "KER-MSD-500"


class Problem(ValueError):
    """A business error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Fault(RuntimeError):
    """An exception that the service did not expect: the one kind of error that is not HTTP 200."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One admitted call.

    :ivar user: the caller's `preferred_username`, in lower case as masterdata looks it up.
    :ivar sent: the body's `request`; empty for a call without a body.
    :ivar given: what stands in the path and the query.
    """

    user: str
    sent: dict[str, Any]
    given: Mapping[str, str]
    now: datetime

    @property
    def is_active(self) -> bool:
        """The status a PATCH asks for."""
        return self.given.get("isActive", "").lower() == "true"


Answer = Callable[[Asked], Any]


class Desk:
    """Makes handlers out of answers.

    :param gate: the service whose audience list counts; masterdata and key manager share `kernel`.
    """

    def __init__(self, gatekeeper: Gatekeeper, writes: Writes, service: str = "kernel") -> None:
        self._gatekeeper = gatekeeper
        self._writes = writes
        self._service = service

    def reads(self, answer: Answer, *roles: str) -> Handler:
        """A call that changes nothing; without roles, any token of the audience will do."""
        return self._handler(answer, roles, writes=False)

    def writes(self, answer: Answer, *roles: str) -> Handler:
        """A call that is counted when it was accepted."""
        return self._handler(answer, roles, writes=True)

    def _handler(self, answer: Answer, roles: tuple[str, ...], *, writes: bool) -> Handler:
        gate = Gate(self._service, frozenset(roles) or None)

        async def handle(request: web.Request) -> web.Response:
            refused = self._gatekeeper.admit(request, gate)
            if refused is not None:
                return refused
            given = dict(request.query) | dict(request.match_info)
            try:
                sent = _read(await request.read()) if request.method in ("POST", "PUT") else {}
                response = answer(Asked(caller(request).user_id.lower(), sent, given, datetime.now(UTC)))
            except Problem as problem:
                return json_reply(envelope(None, [error(problem.code, str(problem))]))
            except Fault as fault:
                return json_reply(envelope(None, [error(FAULT, str(fault))]), 500)
            if writes:
                self._writes.note(request)
            return json_reply(envelope(response, None))

        return handle


def _read(body: bytes) -> dict[str, Any]:
    """The `request` of an envelope; empty for a PUT that has no body.

    :raises Problem: for what is no envelope.
    """
    if not body:
        return {}
    try:
        sent = msgspec.json.decode(body)["request"]
    except (msgspec.DecodeError, KeyError, TypeError):
        raise Problem(INVALID, "Invalid request input") from None
    if not isinstance(sent, dict):
        raise Problem(INVALID, "Invalid request input")
    return sent


def require(sent: Mapping[str, Any], lengths: Mapping[str, int]) -> None:
    """Mandatory texts and how long they may be; 0 for a value of any type.

    :raises Problem: for the first one that is missing, blank or too long.
    """
    for name, length in lengths.items():
        value = sent.get(name)
        if value is None or (length and (not isinstance(value, str) or not value.strip() or len(value) > length)):
            raise Problem(INVALID, f"Invalid request input {name}")


def limit(sent: Mapping[str, Any], lengths: Mapping[str, int]) -> None:
    """How long optional texts may be.

    :raises Problem: for the first one that is too long.
    """
    for name, length in lengths.items():
        value = sent.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > length):
            raise Problem(INVALID, f"Invalid request input {name}")


def moment(text: str) -> datetime:
    """A time in a path: `yyyy-MM-dd'T'HH:mm:ss.SSS'Z'`.

    :raises Problem: for anything else.
    """
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        raise Problem(INVALID, "Invalid date format") from None
