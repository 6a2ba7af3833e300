"""Credential requests: how one stands, asking again, and requests that nobody knows."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from mosip_servers import FarSide, Said, said

from mosip_crvs.errors import MosipCrvsError, MosipRefused, MosipUnavailable
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.credential_requests import request_status, retrigger
from mosip_crvs.mosip.token import Token, TokenSource

REQUEST = "10001200020004220261124103015-crvs"
WORD = "Quetzalcoatlus"
UNKNOWN = said({"response": None, "errors": [{"errorCode": "IDR-CRG-003", "message": f"not {REQUEST}"}]})
BOTH = pytest.mark.parametrize("call", [request_status, retrigger])

Call = Callable[[SingleCalls, TokenSource, str], Any]


def make(far_side: FarSide, call: Call, request_id: str = REQUEST) -> Any:
    """Make a call to the far side."""
    numbers = count(1)
    tokens = TokenSource(lambda: Token(f"jwt-{next(numbers)}", time.monotonic() + 60))
    return call(SingleCalls(far_side.url, timeout=2), tokens, request_id)


def problem_of(far_side: FarSide, call: Call) -> MosipCrvsError:
    """The error that a call ends with; it names neither the token nor what the service said."""
    with pytest.raises(MosipCrvsError) as caught:
        make(far_side, call)
    told = "".join(traceback.format_exception(caught.value))
    assert WORD not in told
    assert "jwt-" not in told
    return caught.value


@pytest.mark.parametrize("word", ["NEW", "ISSUED", "FAILED", "RETRY", "CANCELLED", "served"])
def test_the_status_is_mosips_word(far_side: FarSide, word: str) -> None:
    far_side.say(said({"response": {"id": "x", "requestId": REQUEST, "statusCode": word, "url": None}, "errors": None}))
    assert make(far_side, request_status) == word
    (asked,) = far_side.asked
    assert (asked.method, asked.path) == ("GET", f"/v1/credentialrequest/get/{REQUEST}")
    assert asked.header("Cookie") == ["Authorization=jwt-1"]


def test_a_request_is_issued_again(far_side: FarSide) -> None:
    far_side.say(said({"response": {"id": "x", "requestId": REQUEST}, "errors": []}))
    assert make(far_side, retrigger) is True
    (asked,) = far_side.asked
    assert (asked.method, asked.path, asked.body) == ("PUT", f"/v1/credentialrequest/retrigger/{REQUEST}", b"")


def test_a_request_that_nobody_knows(far_side: FarSide) -> None:
    far_side.say(UNKNOWN)
    assert make(far_side, request_status) is None
    assert make(far_side, retrigger) is False


@BOTH
def test_a_request_id_cannot_leave_its_place(far_side: FarSide, call: Call) -> None:
    far_side.say(UNKNOWN)
    make(far_side, call, "a/../b?c")
    assert far_side.asked[0].path.endswith("/a%2F..%2Fb%3Fc")


@BOTH
def test_a_refused_token_is_renewed_once(far_side: FarSide, call: Call) -> None:
    far_side.say(Said(401), UNKNOWN)
    make(far_side, call)
    assert [asked.header("Cookie") for asked in far_side.asked] == [["Authorization=jwt-1"], ["Authorization=jwt-2"]]


@BOTH
@pytest.mark.parametrize("reply", [Said(403), said({"errors": [{"errorCode": "KER-ATH-403"}]}), Said(401)])
def test_a_client_without_the_role_is_told_which(far_side: FarSide, call: Call, reply: Said) -> None:
    far_side.say(reply)
    problem = problem_of(far_side, call)
    assert isinstance(problem, MosipRefused)
    assert "CREDENTIAL_REQUEST" in str(problem)


@BOTH
@pytest.mark.parametrize(
    "reply",
    [
        Said(503), Said(200, b"<html>"), Said(200, b"{", cut=True), said({"response": None, "errors": None}),
        said({"response": None, "errors": [{"errorCode": "IDR-CRG-001", "message": WORD}]}),
        said({"response": None, "errors": [{"errorCode": "IDR-CRG-004", "message": WORD}]}),
    ],
)  # fmt: skip
def test_a_passing_fault_is_told_as_one(far_side: FarSide, call: Call, reply: Said) -> None:
    far_side.say(reply)
    assert isinstance(problem_of(far_side, call), MosipUnavailable)


@pytest.mark.parametrize("word", [None, 5, "", "NEW\x00"])
def test_a_status_that_is_no_word_is_no_answer(far_side: FarSide, word: Any) -> None:
    far_side.say(said({"response": {"statusCode": word}}))
    assert isinstance(problem_of(far_side, request_status), MosipUnavailable)
