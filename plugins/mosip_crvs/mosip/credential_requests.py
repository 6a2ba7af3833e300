"""MOSIP's credential requests: how one stands, and asking for it to be issued again (``mosip-events.md`` §4.3)."""

from __future__ import annotations

from typing import Any

from mosip_crvs.mosip.authorised import ABSENT, failure, response_of, send_authorised
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.endpoints import Endpoint, Read, Write
from mosip_crvs.mosip.token import TokenSource

GET_REQUEST = Read("GET", "/v1/credentialrequest/get/{request_id}")
RETRIGGER = Write("PUT", "/v1/credentialrequest/retrigger/{request_id}")
ROLE = "CREDENTIAL_REQUEST"

_MOST_WORD = 64


def request_status(calls: SingleCalls, tokens: TokenSource, request_id: str) -> str | None:
    """Ask how a credential request stands.

    :param request_id: the event's ``transactionId``, or the AID with the suffix agreed on with the country.
    :return: ``NEW``, ``ISSUED``, ``FAILED``, ``RETRY``, ``CANCELLED``, or the word that a partner last published of
        it; None when MOSIP knows no such request.
    :raises MosipRefused: when the client may not ask; the text names the role.
    :raises MosipUnavailable: when the service does not answer as it should.
    """
    response = _response(calls, tokens, GET_REQUEST, request_id)
    return None if response is None else str(response["statusCode"])[:_MOST_WORD]


def retrigger(calls: SingleCalls, tokens: TokenSource, request_id: str) -> bool:
    """Ask for a credential to be issued again, with a new link and a new event. Twice does no harm.

    :return: False when MOSIP knows no such request.
    :raises MosipRefused: when the client may not ask; the text names the role.
    :raises MosipUnavailable: when nobody knows whether it was taken.
    """
    return _response(calls, tokens, RETRIGGER, request_id) is not None


def _response(calls: SingleCalls, tokens: TokenSource, endpoint: Endpoint, request_id: str) -> dict[str, Any] | None:
    reply = send_authorised(calls, tokens, endpoint, request_id=request_id)
    what = f"{endpoint.method} {endpoint.template}"
    response = response_of(reply, what, ROLE)
    if response is ABSENT:
        return None
    if not isinstance(response, dict):
        raise failure(reply, what, ROLE, "RESPONSE_NULL")
    if endpoint is GET_REQUEST and not _is_word(response.get("statusCode")):
        raise failure(reply, what, ROLE, "REPLY_UNREADABLE")
    return response


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and value != "" and value.isprintable()
