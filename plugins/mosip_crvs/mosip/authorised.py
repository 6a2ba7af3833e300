"""One call with our token: a refused token is renewed once, and a refusal says which role is missing.

Only codes are told, never a service's words: those may quote what was asked, which is about people.
"""

from __future__ import annotations

import json
from typing import Any

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.mosip.answers import error_code
from mosip_crvs.mosip.calls import Reply, SingleCalls
from mosip_crvs.mosip.codes import Action, action_for
from mosip_crvs.mosip.endpoints import Endpoint
from mosip_crvs.mosip.token import TokenSource, retry_after

ABSENT = object()
"""Stands for a response about something that does not exist."""
_PASSING = frozenset({Action.RETRY, Action.OPERATOR})
_GATES = ("KER-ATH-", "RPR-AUT-")


def send_authorised(
    calls: SingleCalls, tokens: TokenSource, endpoint: Endpoint, body: bytes | None = None, **parts: str
) -> Reply:
    """Send a call with a token, and once more with a fresh one when that was refused.

    MOSIP may refuse a token with HTTP 401, 403 or 200: its code says so before its status does.

    :param parts: what fills the path in.
    :raises MosipUnavailable: when no answer came.
    """
    path = endpoint.path(**parts)
    token = tokens.get()
    reply = calls.send(endpoint.method, path, body=body, token=token)
    if token_refused(reply.status, reply.body):
        reply = calls.send(endpoint.method, path, body=body, token=tokens.get(refused=token))
    return reply


def token_refused(status: int, body: bytes) -> bool:
    """Say whether a fresh token may help."""
    return action_for(status, error_code(body)) is Action.REFRESH_TOKEN


def payload_of(reply: Reply) -> dict[str, Any] | None:
    """Read an envelope; None when the body is none."""
    try:
        payload = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def response_of(reply: Reply, what: str, role: str) -> Any:
    """Give an envelope's ``response``, or :data:`ABSENT` when what was asked about does not exist (yet).

    :param what: as for :func:`failure`; :param role: likewise.
    :raises MosipRefused: when the client may not ask. :raises MosipUnavailable: when the answer is none.
    """
    code = error_code(reply.body)
    if code is not None and action_for(reply.status, code) is Action.ABSENT:
        return ABSENT
    payload = payload_of(reply)
    if code is not None or reply.status != 200 or payload is None:
        raise failure(reply, what, role)
    return payload.get("response")


def failure(reply: Reply, what: str, role: str, code: str | None = None) -> MosipUnavailable | MosipRefused:
    """Make the error of a call that did not succeed.

    What MOSIP does not explain counts as passing: whoever retries does so a few times, and then a person looks.

    :param what: was asked, without anything of whom it was asked about.
    :param role: what the client must have for the call.
    :param code: what is wrong, when the answer's first code does not say it.
    """
    code = code or error_code(reply.body) or (f"HTTP_{reply.status}" if reply.status != 200 else "REPLY_UNREADABLE")
    if reply.status in (401, 403) or code.startswith(_GATES):
        if action_for(reply.status, code) is Action.RETRY:
            return MosipUnavailable(f"{what}: {code}", retry_after=retry_after(reply))
        return MosipRefused(
            f"{what}: HTTP {reply.status} {code}: give the client the role {role}, and see that the service takes "
            "the client's tokens"
        )
    if action_for(reply.status, code) in _PASSING:
        return MosipUnavailable(f"{what}: HTTP {reply.status} {code}", retry_after=retry_after(reply))
    return MosipRefused(f"{what}: HTTP {reply.status} {code}")
