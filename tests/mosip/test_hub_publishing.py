"""Publishing and unsubscribing at the hub, which answers HTTP 200 to those it turns away."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest
from mosip_servers import FarSide, Said

from mosip_crvs.errors import MosipCrvsError, MosipRefused, MosipUnavailable
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.hub import publish, publisher_role, subscriber_role, unsubscribe
from mosip_crvs.mosip.token import Token, TokenSource

TOPIC = "CREDENTIAL_STATUS_UPDATE"
CALLBACK = "https://crvs.example.org/callback?x=1&y=2"
ACCEPTED = b"hub.mode=accepted"
MESSAGE = {"publisher": "crvs1", "event": {"requestId": "Quetzalcoatlus", "status": "é"}}

Act = Callable[..., None]


@pytest.fixture(params=["publish", "unsubscribe"])
def act(request: pytest.FixtureRequest, far_side: FarSide) -> Act:
    """`act()` publishes or unsubscribes; tokens are ``jwt-1``, ``jwt-2``, …"""
    publishing = request.param == "publish"
    tokens = _tokens()

    def once(hub_path: str = "/hub/") -> None:
        calls = SingleCalls(far_side.url, timeout=2)
        if publishing:
            publish(calls, tokens, hub_path=hub_path, topic=TOPIC, message=MESSAGE)
        else:
            unsubscribe(calls, tokens, hub_path=hub_path, topic=TOPIC, callback=CALLBACK)

    return once


def _tokens() -> TokenSource:
    numbers = count(1)
    return TokenSource(lambda: Token(f"jwt-{next(numbers)}", time.monotonic() + 60))


def _problem(act: Act) -> MosipCrvsError:
    with pytest.raises(MosipCrvsError) as caught:
        act()
    told = "".join(traceback.format_exception(caught.value))
    assert "jwt-" not in told
    assert "Quetzalcoatlus" not in told
    return caught.value


def test_a_message_is_published_with_its_topic_in_the_query(far_side: FarSide) -> None:
    far_side.say(Said(200, ACCEPTED))
    publish(SingleCalls(far_side.url), _tokens(), hub_path="/hub/", topic="crvs1/A&B", message=MESSAGE)
    (asked,) = far_side.asked
    parts = urlsplit(asked.path)
    assert (asked.method, parts.path) == ("POST", "/hub/")
    assert parse_qs(parts.query) == {"hub.mode": ["publish"], "hub.topic": ["crvs1/A&B"]}
    assert json.loads(asked.body) == MESSAGE
    assert asked.header("Content-Type") == ["application/json"]
    assert asked.header("Cookie") == ["Authorization=jwt-1"]


def test_a_subscription_is_ended_by_topic_and_callback(far_side: FarSide) -> None:
    far_side.say(Said(202, ACCEPTED))
    unsubscribe(SingleCalls(far_side.url), _tokens(), hub_path="/hub/", topic=TOPIC, callback=CALLBACK)
    (asked,) = far_side.asked
    assert (asked.method, asked.path) == ("POST", "/hub/")
    assert asked.form == {"hub.mode": "unsubscribe", "hub.topic": TOPIC, "hub.callback": CALLBACK}


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("body", [ACCEPTED, b"hub.mode=accepted&hub.reason="])
def test_an_acceptance_is_enough(far_side: FarSide, act: Act, status: int, body: bytes) -> None:
    far_side.say(Said(status, body))
    act()
    assert len(far_side.asked) == 1


@pytest.mark.parametrize("body", [b"", b"OK", b"<html>", b"hub.mode=", b"\xff"])
def test_a_message_without_the_hubs_word_may_not_have_been_taken(far_side: FarSide, body: bytes) -> None:
    far_side.say(Said(200, body))
    with pytest.raises(MosipUnavailable):
        publish(SingleCalls(far_side.url), _tokens(), hub_path="/hub/", topic=TOPIC, message=MESSAGE)


@pytest.mark.parametrize("status", [200, 202, 500])
@pytest.mark.parametrize("reason", [b"Publisher+is+not+authorized", b"Subscriber is not authorized"])
def test_a_client_without_the_role_is_told_which(far_side: FarSide, act: Act, status: int, reason: bytes) -> None:
    far_side.say(Said(status, b"hub.mode=denied&hub.reason=" + reason))
    problem = _problem(act)
    assert isinstance(problem, MosipRefused)
    assert f"{TOPIC}_GENERAL" in str(problem)


@pytest.mark.parametrize(
    "answer",
    [
        Said(500, b"hub.mode=denied&hub.reason=Kafka+is+away"), Said(500), Said(502), Said(503),
        Said(202, b"hub.mode=denied"),
        Said(200, b"hub.mode=denied&hub.reason=Payload+is+not+valid+Quetzalcoatlus"), Said(400), Said(500, ACCEPTED),
        Said(302, b"", [("Location", "/hub/")]),
    ],
)  # fmt: skip
def test_any_other_answer_is_tried_again_later(far_side: FarSide, act: Act, answer: Said) -> None:
    far_side.say(answer)
    problem = _problem(act)
    assert isinstance(problem, MosipUnavailable)
    assert str(answer.status) in str(problem)


def test_too_many_requests_says_how_long_to_wait(far_side: FarSide, act: Act) -> None:
    far_side.say(Said(429, b"", [("Retry-After", "17")]))
    problem = _problem(act)
    assert isinstance(problem, MosipUnavailable)
    assert problem.retry_after == 17


def test_a_refused_token_is_renewed_once(far_side: FarSide, act: Act) -> None:
    far_side.say(Said(401), Said(202, ACCEPTED))
    act()
    assert [asked.header("Cookie") for asked in far_side.asked] == [["Authorization=jwt-1"], ["Authorization=jwt-2"]]
    assert far_side.asked[0].body == far_side.asked[1].body
    far_side.say(Said(401))
    assert isinstance(_problem(act), MosipRefused)
    assert len(far_side.asked) == 4


@pytest.mark.parametrize(("given", "other"), [("/hub/", "/hub"), ("/hub", "/hub/")])
def test_a_hub_that_is_not_found_is_tried_in_its_other_form(
    far_side: FarSide, act: Act, given: str, other: str
) -> None:
    far_side.script = lambda asked: Said(202, ACCEPTED) if urlsplit(asked.path).path == other else Said(404)
    act(given)
    first, second = far_side.asked
    assert [urlsplit(asked.path).path for asked in (first, second)] == [given, other]
    assert (urlsplit(first.path).query, first.body) == (urlsplit(second.path).query, second.body)


def test_a_hub_that_cannot_be_reached_is_tried_again_later(far_side: FarSide, act: Act) -> None:
    far_side.close()
    assert isinstance(_problem(act), MosipUnavailable)


def test_the_roles_follow_from_the_form_of_the_topic() -> None:
    assert subscriber_role("IDENTITY_CREATED") == "SUBSCRIBE_IDENTITY_CREATED_GENERAL"
    assert subscriber_role("crvs1/CREDENTIAL_ISSUED") == "SUBSCRIBE_CREDENTIAL_ISSUED_INDIVIDUAL"
    assert publisher_role(TOPIC) == "PUBLISH_CREDENTIAL_STATUS_UPDATE_GENERAL"
    assert publisher_role("crvs1/CREDENTIAL_ISSUED") == "PUBLISH_CREDENTIAL_ISSUED_ALL_INDIVIDUAL"
