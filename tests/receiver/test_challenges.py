"""The hub's challenges and denials: only what we asked for is confirmed."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

import pytest
from receiver_calls import TOPIC, Answer, Subscriber, call, challenge, unreachable
from sqlalchemy import Engine, text

from mosip_crvs.ledger import subscriptions
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.sealing import Seal

CHALLENGE = "0b5f0c52-5c29-4a3e-9c0a-0a6a2f6f3d11"
ALREADY = "Subscriber has already registered with the Hub"


def state_of(ledger: Engine, subscriber: Subscriber) -> subscriptions.Subscription:
    found = subscriptions.find(ledger, subscriber.found.topic, subscriber.found.callback)
    assert found is not None
    return found


def deny(receiver: str, subscriber: Subscriber, reason: str) -> Answer:
    query = f"hub.mode=denied&hub.topic={subscriber.found.topic}&hub.reason={quote(reason)}"
    return call(receiver, "GET", f"{subscriber.path}?{query}")


def test_a_challenge_is_echoed_exactly_as_plain_text_and_the_subscription_is_verified(
    receiver: str, ledger: Engine, subscriber: Subscriber
) -> None:
    answer = challenge(receiver, subscriber.token, TOPIC, CHALLENGE)

    assert (answer.status, answer.body) == (200, CHALLENGE.encode())
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    found = state_of(ledger, subscriber)
    assert found.state == "verified"
    assert found.seconds_since_verified < 10


def test_a_topic_with_a_slash_is_recognised_as_the_hub_writes_it(receiver: str, ledger: Engine, seal: Seal) -> None:
    topic = "crvs1/CREDENTIAL_ISSUED"
    own = Subscriber.of(subscriptions.request(ledger, seal, topic, "http://receiver.example"), seal)

    literal = challenge(receiver, own.token, topic, CHALLENGE)
    encoded = challenge(receiver, own.token, quote(topic, safe=""), CHALLENGE)

    assert (literal.status, literal.body) == (200, CHALLENGE.encode())
    assert (encoded.status, encoded.body) == (200, CHALLENGE.encode())


def test_a_stranger_cannot_subscribe_an_endpoint_that_nobody_named(receiver: str, subscriber: Subscriber) -> None:
    answer = challenge(receiver, "0" * len(subscriber.token), TOPIC, CHALLENGE)

    assert answer.status == 404
    assert CHALLENGE.encode() not in answer.body


@pytest.mark.parametrize("topic", ["SOMETHING_ELSE", "", TOPIC.lower(), TOPIC + "/x"])
def test_a_topic_that_we_did_not_ask_for_is_not_confirmed(
    receiver: str, ledger: Engine, subscriber: Subscriber, topic: str
) -> None:
    answer = challenge(receiver, subscriber.token, topic, CHALLENGE)

    assert answer.status == 404
    assert CHALLENGE.encode() not in answer.body
    assert state_of(ledger, subscriber).state == "requested"


def test_a_topic_of_ours_is_not_confirmed_at_the_callback_of_another(
    receiver: str, ledger: Engine, seal: Seal, subscriber: Subscriber
) -> None:
    other = Subscriber.of(subscriptions.request(ledger, seal, "crvs1/OTHER", "http://receiver.example"), seal)

    assert challenge(receiver, other.token, TOPIC, CHALLENGE).status == 404
    assert challenge(receiver, subscriber.token, "crvs1/OTHER", CHALLENGE).status == 404


def test_a_challenge_is_answered_only_while_our_request_is_outstanding(
    receiver: str, ledger: Engine, seal: Seal, subscriber: Subscriber
) -> None:
    with transaction(ledger) as connection:
        connection.execute(text("UPDATE subscriptions SET requested_at = requested_at - interval '16 minutes'"))
    too_late = challenge(receiver, subscriber.token, TOPIC, CHALLENGE)
    subscriptions.request(ledger, seal, TOPIC, "http://receiver.example")
    asked_again = challenge(receiver, subscriber.token, TOPIC, CHALLENGE)

    assert too_late.status == 404
    assert asked_again.status == 200


@pytest.mark.parametrize("mode", ["unsubscribe", "publish", "", "SUBSCRIBE"])
def test_no_other_mode_is_confirmed(receiver: str, ledger: Engine, subscriber: Subscriber, mode: str) -> None:
    answer = challenge(receiver, subscriber.token, TOPIC, CHALLENGE, mode=mode)

    assert answer.status == 404
    assert CHALLENGE.encode() not in answer.body
    assert state_of(ledger, subscriber).state == "requested"


@pytest.mark.parametrize(("length", "status"), [(0, 404), (512, 200), (513, 404), (50_000, 404)])
def test_a_challenge_that_is_none_or_huge_is_refused(
    receiver: str, ledger: Engine, subscriber: Subscriber, length: int, status: int
) -> None:
    assert challenge(receiver, subscriber.token, TOPIC, "x" * length).status == status
    assert state_of(ledger, subscriber).state == ("verified" if status == 200 else "requested")


def test_already_registered_is_the_healthy_answer_to_a_renewal(
    receiver: str, ledger: Engine, subscriber: Subscriber
) -> None:
    assert deny(receiver, subscriber, ALREADY).status == 200

    found = state_of(ledger, subscriber)
    assert (found.state, found.reason) == ("verified", ALREADY)
    assert found.answered_at is not None
    assert found.seconds_since_verified < 10


def test_any_other_denial_is_kept_with_its_reason(receiver: str, ledger: Engine, subscriber: Subscriber) -> None:
    challenge(receiver, subscriber.token, TOPIC, CHALLENGE)
    assert deny(receiver, subscriber, "Topic could not be registered").status == 200

    found = state_of(ledger, subscriber)
    assert (found.state, found.reason) == ("denied", "Topic could not be registered")
    assert found.seconds_since_verified == float("inf")


@pytest.mark.parametrize("reason", ["r" * 5000, "nul \0 byte", "<script>", "\U0001f600"])
def test_a_strange_reason_is_kept_short_and_breaks_nothing(
    receiver: str, ledger: Engine, subscriber: Subscriber, reason: str
) -> None:
    assert deny(receiver, subscriber, reason).status == 200

    found = state_of(ledger, subscriber)
    assert found.state == "denied"
    assert found.reason is not None
    assert len(found.reason) <= 200


def test_a_denial_at_an_unknown_callback_changes_nothing(receiver: str, ledger: Engine, subscriber: Subscriber) -> None:
    assert call(receiver, "GET", "/websub/unknown?hub.mode=denied&hub.reason=no").status == 404

    assert state_of(ledger, subscriber).state == "requested"


def test_a_challenge_that_cannot_be_noted_is_not_confirmed(
    receiver: str, ledger_url: str, postgres: object, subscriber: Subscriber
) -> None:
    with unreachable(postgres.url("postgres"), ledger_url):  # type: ignore[attr-defined]
        answer = challenge(receiver, subscriber.token, TOPIC, CHALLENGE)

    assert answer.status == 503
    assert CHALLENGE.encode() not in answer.body
    assert isinstance(subscriber.found.requested_at, datetime)
