"""Subscribing at the hub: what it is told, and what its odd answers mean."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from itertools import count

import pytest
from mosip_servers import SECRET, FarSide, Said

from mosip_crvs.errors import MosipCrvsError, MosipRefused, MosipUnavailable
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.hub import LEASE_SECONDS, subscribe
from mosip_crvs.mosip.token import Token, TokenSource

TOPIC = "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT"
CALLBACK = "https://crvs.example.org/callback?x=1&y=2"
ACCEPTED = b"hub.mode=accepted"


@pytest.fixture
def ask(far_side: FarSide) -> Callable[..., None]:
    """`ask()` subscribes; tokens are ``jwt-1``, ``jwt-2``, …"""
    numbers = count(1)
    tokens = TokenSource(lambda: Token(f"jwt-{next(numbers)}", time.monotonic() + 60))

    def subscribe_once(hub_path: str = "/hub/") -> None:
        calls = SingleCalls(far_side.url, timeout=2)
        subscribe(calls, tokens, hub_path=hub_path, topic=TOPIC, callback=CALLBACK, secret=SECRET)

    return subscribe_once


def _problem(ask: Callable[..., None]) -> MosipCrvsError:
    with pytest.raises(MosipCrvsError) as caught:
        ask()
    said = "".join(traceback.format_exception(caught.value))
    assert SECRET not in said
    assert "jwt-" not in said
    return caught.value


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("body", [ACCEPTED, b"", b"hub.mode=accepted&hub.reason="])
def test_an_accepted_subscription_is_done(
    far_side: FarSide, ask: Callable[..., None], status: int, body: bytes
) -> None:
    far_side.say(Said(status, body))
    ask()
    assert len(far_side.asked) == 1


def test_the_hub_is_told_topic_callback_secret_and_lease_in_a_form(far_side: FarSide, ask: Callable[..., None]) -> None:
    far_side.say(Said(202, ACCEPTED))
    ask()
    (asked,) = far_side.asked
    assert (asked.method, asked.path) == ("POST", "/hub/")
    assert asked.form == {
        "hub.mode": "subscribe",
        "hub.topic": TOPIC,
        "hub.callback": CALLBACK,
        "hub.secret": SECRET,
        "hub.lease_seconds": str(LEASE_SECONDS),
    }
    assert asked.header("Content-Type") == ["application/x-www-form-urlencoded"]


def test_the_token_is_the_cookie_and_there_is_no_authorization_header(
    far_side: FarSide, ask: Callable[..., None]
) -> None:
    far_side.say(Said(202, ACCEPTED, [("Set-Cookie", "LB=1; Path=/")]))
    ask()
    ask()
    assert [asked.header("Cookie") for asked in far_side.asked] == [["Authorization=jwt-1"]] * 2
    assert [asked.header("Authorization") for asked in far_side.asked] == [[], []]


@pytest.mark.parametrize("status", [200, 500])
def test_a_client_without_the_role_is_refused_although_the_hub_says_500(
    far_side: FarSide, ask: Callable[..., None], status: int
) -> None:
    far_side.say(Said(status, b"hub.mode=denied&hub.reason=Subscriber+is+not+authorized"))
    problem = _problem(ask)
    assert isinstance(problem, MosipRefused)
    assert TOPIC in str(problem)
    assert "role" in str(problem)


@pytest.mark.parametrize(
    "answer",
    [
        Said(500, b"hub.mode=denied&hub.reason=Kafka+is+away"), Said(500, b"<html>"), Said(500), Said(502), Said(503),
        Said(200, b"hub.mode=denied&hub.reason=Topic+registration+failed"), Said(202, b"hub.mode=denied"), Said(400),
        Said(302, b"", [("Location", "/hub/")]), Said(500, b"\xff\xfe"),
    ],
)  # fmt: skip
def test_any_other_answer_is_tried_again_later(far_side: FarSide, ask: Callable[..., None], answer: Said) -> None:
    far_side.say(answer)
    problem = _problem(ask)
    assert isinstance(problem, MosipUnavailable)
    assert str(answer.status) in str(problem)


def test_the_hubs_words_are_not_repeated(far_side: FarSide, ask: Callable[..., None]) -> None:
    far_side.say(Said(500, f"hub.mode=denied&hub.reason={SECRET}".encode()))
    _problem(ask)


def test_too_many_requests_says_how_long_to_wait(far_side: FarSide, ask: Callable[..., None]) -> None:
    far_side.say(Said(429, b"", [("Retry-After", "17")]))
    problem = _problem(ask)
    assert isinstance(problem, MosipUnavailable)
    assert problem.retry_after == 17


def test_a_refused_token_is_renewed_once(far_side: FarSide, ask: Callable[..., None]) -> None:
    far_side.say(Said(401), Said(202, ACCEPTED))
    ask()
    assert [asked.header("Cookie") for asked in far_side.asked] == [["Authorization=jwt-1"], ["Authorization=jwt-2"]]


def test_a_token_that_is_refused_again_stops_the_run(far_side: FarSide, ask: Callable[..., None]) -> None:
    far_side.say(Said(401))
    assert isinstance(_problem(ask), MosipRefused)
    assert len(far_side.asked) == 2


def test_a_forbidden_client_stops_the_run_at_once(far_side: FarSide, ask: Callable[..., None]) -> None:
    far_side.say(Said(403))
    assert isinstance(_problem(ask), MosipRefused)
    assert len(far_side.asked) == 1


@pytest.mark.parametrize(("given", "other"), [("/hub/", "/hub"), ("/hub", "/hub/"), ("/websub/hub/", "/websub/hub")])
def test_a_hub_that_is_not_found_is_tried_in_its_other_form(
    far_side: FarSide, ask: Callable[..., None], given: str, other: str
) -> None:
    far_side.script = lambda asked: Said(202, ACCEPTED) if asked.path == other else Said(404)
    ask(given)
    assert [asked.path for asked in far_side.asked] == [given, other]
    assert far_side.asked[0].body == far_side.asked[1].body


def test_a_hub_that_is_found_in_neither_form_is_tried_again_later(far_side: FarSide, ask: Callable[..., None]) -> None:
    far_side.say(Said(404))
    assert isinstance(_problem(ask), MosipUnavailable)
    assert len(far_side.asked) == 2


def test_a_refused_token_is_renewed_at_the_other_form_too(far_side: FarSide, ask: Callable[..., None]) -> None:
    def answer(asked: object) -> Said:
        path, cookie = far_side.asked[-1].path, far_side.asked[-1].header("Cookie")
        return Said(404) if path == "/hub/" else Said(202, ACCEPTED) if cookie == ["Authorization=jwt-2"] else Said(401)

    far_side.script = answer
    ask()
    assert [asked.path for asked in far_side.asked] == ["/hub/", "/hub", "/hub/", "/hub"]


def test_a_hub_that_cannot_be_reached_is_tried_again_later(far_side: FarSide, ask: Callable[..., None]) -> None:
    far_side.close()
    assert isinstance(_problem(ask), MosipUnavailable)
