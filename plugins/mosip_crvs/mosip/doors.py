"""Doors: one service, entered as one identity. Behind a reading door nothing can be changed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.mosip.answers import error_code
from mosip_crvs.mosip.calls import Reply, SingleCalls
from mosip_crvs.mosip.codes import Action, action_for
from mosip_crvs.mosip.endpoints import Endpoint, Probe, Read, Write
from mosip_crvs.mosip.moments import now_text
from mosip_crvs.mosip.token import TokenSource

READ_TRIES = 3
_WAIT_SECONDS = 0.5
_MOST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Said:
    """What a service said.

    :param code: MOSIP's error code, or ``HTTP_<status>`` where there is none; None when the call succeeded.
    :param response: the envelope's ``response``, or the whole body where there is no envelope.
    :param text: the service's own words on its refusal.
    :param headers: with lower-case names.
    """

    status: int
    code: str | None
    response: Any
    text: str
    headers: Mapping[str, str]

    @property
    def succeeded(self) -> bool:
        """Whether the call did what it should."""
        return self.code is None

    @property
    def action(self) -> Action:
        """What the table of codes says about a refusal."""
        return action_for(self.status, self.code)

    @property
    def refusal(self) -> str:
        """The refusal in one line."""
        words = f": {self.text}" if self.text else ""
        return f"HTTP {self.status} {self.code}{words}" if self.code != f"HTTP_{self.status}" else f"{self.code}{words}"

    @property
    def gate_closed(self) -> bool:
        """Whether the identity was turned away: by its token (401), or by its audience or role (403)."""
        return self.status in (401, 403) or (self.code or "").startswith(("KER-ATH-", "RPR-AUT-"))


class ReadingDoor:
    """Looks at one service.

    :param tokens: whose tokens are shown; None where no token is asked for.
    :param bearer: show the token as a bearer's and not as MOSIP's cookie.
    """

    def __init__(self, calls: SingleCalls, tokens: TokenSource | None, *, bearer: bool = False) -> None:
        self.calls = calls
        self._tokens = tokens
        self._bearer = bearer

    def ask(self, read: Read, request: Any = None, **parts: str) -> Said:
        """Read, and again when the answer is one that passes.

        :param request: the envelope's ``request``, for the posts that read.
        :param parts: what fills the path in.
        :raises MosipUnavailable: when no answer came that means something.
        """
        for last in (*[False] * (READ_TRIES - 1), True):
            try:
                return self._settled(read, self._send(read, request, parts))
            except MosipUnavailable:
                if last:
                    raise
                time.sleep(_WAIT_SECONDS)
        raise AssertionError("unreachable")

    def _send(self, endpoint: Endpoint, request: Any, parts: Mapping[str, str], *, as_is: bool = False) -> Said:
        path = endpoint.path(**parts)
        body = None if endpoint.method == "GET" and request is None else _body(endpoint, request, as_is=as_is)
        token = self._tokens.get() if self._tokens else None
        reply = self._once(endpoint, path, body, token)
        if token and self._tokens and reply.status == 401:
            reply = self._once(endpoint, path, body, self._tokens.get(refused=token))
        return _said(endpoint, reply)

    def _once(self, endpoint: Endpoint, path: str, body: bytes | None, token: str | None) -> Reply:
        cookie, bearer = (None, token) if self._bearer else (token, None)
        return self.calls.send(endpoint.method, path, body=body, token=cookie, bearer=bearer)

    def _settled(self, endpoint: Endpoint, said: Said) -> Said:
        if not said.succeeded and said.action is Action.RETRY:
            raise MosipUnavailable(f"{endpoint.method} {_bare(endpoint)}: {said.refusal}")
        return said


class ProbingDoor(ReadingDoor):
    """Looks, and may knock."""

    def knock(self, probe: Probe, request: Any) -> Said:
        """Make a call that is to be refused.

        :param request: the whole body, shaped so that MOSIP refuses it after its gates.
        """
        return self._send(probe, request, {}, as_is=True)


class Door(ProbingDoor):
    """Looks at one service and changes it."""

    def tell(self, write: Write, request: Any = None, **parts: str) -> Said:
        """Change something, once: whoever asked looks again before it asks again.

        "Already done" is a success.

        :raises MosipUnavailable: when nobody knows whether it was done.
        :raises MosipRefused: when it was refused; the text has the code and the service's words.
        """
        said = self._settled(write, self._send(write, request, parts))
        if said.succeeded or said.action is Action.ALREADY_DONE:
            return said
        raise MosipRefused(f"{write.method} {_bare(write)}: {said.refusal}")


def must(said: Said, what: str) -> Any:
    """Give the response of a reading that has to succeed.

    :param what: was read, for the error.
    :raises MosipRefused: when it did not.
    """
    if not said.succeeded:
        raise MosipRefused(f"{what}: {said.refusal}")
    return said.response


def _bare(endpoint: Endpoint) -> str:
    return endpoint.template.partition("?")[0]


def _body(endpoint: Endpoint, request: Any, *, as_is: bool) -> bytes | None:
    if as_is or not endpoint.enveloped:
        return None if request is None else json.dumps(request).encode()
    if request is None and endpoint.method in ("PATCH", "DELETE"):
        return None
    envelope = {"id": "string", "version": "1.0", endpoint.time_field: now_text(), "metadata": {}, "request": request}
    return json.dumps(envelope).encode()


def _said(endpoint: Endpoint, reply: Reply) -> Said:
    payload = _json(reply.body)
    code = error_code(reply.body)
    if code is None and not 200 <= reply.status < 300:
        code = f"HTTP_{reply.status}"
    if code is None and endpoint.enveloped and not isinstance(payload, dict):
        code = "REPLY_UNREADABLE"
    response = payload.get("response") if endpoint.enveloped and isinstance(payload, dict) else payload
    return Said(reply.status, code, response, _words(payload) if code else "", reply.headers)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _words(payload: Any) -> str:
    """Find the service's own words: MOSIP's ``message``, Keycloak's ``errorMessage`` or ``error_description``."""
    if not isinstance(payload, dict):
        return ""
    errors = payload.get("errors")
    source = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else payload
    for name in ("message", "errorMessage", "error_description", "error"):
        if isinstance(source.get(name), str):
            return "".join(character for character in source[name][:_MOST_TEXT] if character.isprintable())
    return ""
