"""The end of a subscription is confirmed only when we asked for it, and both callbacks of a rotation are served."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import psycopg
import pytest
from cryptography.fernet import Fernet
from receiver_calls import BODY, TOPIC, Answer, Subscriber, call, challenge, eventually, inbox, refused, signature
from sqlalchemy import Engine, text

from mosip_crvs.ledger import handshakes, subscriptions
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.receiver import store
from mosip_crvs.receiver.verify import ENDED_FOR_GOOD, Belief, Known, Refusal, believe

CHALLENGE = "0b5f0c52-5c29-4a3e-9c0a-0a6a2f6f3d11"
UNKNOWN = f"Could not find a valid subscriber for Topic [{TOPIC}] and Callback [x]"
RECEIVER = "http://receiver.example"


def found(ledger: Engine, subscriber: Subscriber) -> subscriptions.Subscription:
    """Look a subscription up."""
    now = subscriptions.find(ledger, TOPIC, subscriber.found.callback)
    assert now is not None
    return now


def end(receiver: str, subscriber: Subscriber) -> Answer:
    """Ask whether a subscription is to end."""
    return challenge(receiver, subscriber.token, TOPIC, CHALLENGE, mode="unsubscribe")


def steps(ledger: Engine) -> list[str]:
    """Give what is on record."""
    return [str(each.step) for each in handshakes.history(ledger, TOPIC)]


@pytest.fixture
def successor(ledger: Engine, seal: Seal, subscriber: Subscriber) -> Subscriber:
    """The callback that takes over."""
    new = subscriptions.succeed(ledger, seal, TOPIC, RECEIVER)
    assert new is not None
    assert new.callback != subscriber.found.callback
    return Subscriber.of(new, seal)


def test_the_end_is_confirmed_after_we_asked_for_it_and_not_before(
    receiver: str, ledger: Engine, subscriber: Subscriber, successor: Subscriber
) -> None:
    too_early = end(receiver, subscriber)
    assert (too_early.status, CHALLENGE.encode() in too_early.body) == (404, False)
    assert found(ledger, subscriber).state == "requested"

    subscriptions.ask_to_end(ledger, TOPIC, subscriber.found.callback)
    asked_for = end(receiver, subscriber)

    assert (asked_for.status, asked_for.body) == (200, CHALLENGE.encode())
    assert found(ledger, subscriber).state == "ended"
    assert steps(ledger) == ["asked", "challenged", "asked", "challenged", "unsubscribed"]
    assert end(receiver, successor).status == 404, "the other one goes on"


def test_a_hub_that_missed_our_answer_may_ask_again_and_later_no_more(
    receiver: str, ledger: Engine, subscriber: Subscriber
) -> None:
    subscriptions.ask_to_end(ledger, TOPIC, subscriber.found.callback)

    assert [end(receiver, subscriber).status for _ in range(2)] == [200, 200]
    with transaction(ledger) as connection:
        connection.execute(text("UPDATE subscriptions SET unsubscribing_at = now() - interval '16 minutes'"))
    assert end(receiver, subscriber).status == 404


def test_an_ended_subscription_cannot_be_brought_back(receiver: str, ledger: Engine, subscriber: Subscriber) -> None:
    subscriptions.ask_to_end(ledger, TOPIC, subscriber.found.callback)
    end(receiver, subscriber)

    assert challenge(receiver, subscriber.token, TOPIC, CHALLENGE).status == 404
    call(receiver, "GET", f"{subscriber.path}?hub.mode=denied&hub.topic={TOPIC}&hub.reason=already%20registered")
    assert found(ledger, subscriber).state == "ended"


def test_a_hub_that_knows_nothing_to_end_has_ended_it_if_we_asked(
    receiver: str, ledger: Engine, subscriber: Subscriber
) -> None:
    query = f"{subscriber.path}?hub.mode=denied&hub.topic={TOPIC}&hub.reason={quote(UNKNOWN)}"
    call(receiver, "GET", query)
    assert found(ledger, subscriber).state == "denied"

    subscriptions.ask_to_end(ledger, TOPIC, subscriber.found.callback)
    call(receiver, "GET", query)
    assert found(ledger, subscriber).state == "ended"
    assert steps(ledger) == ["asked", "denied", "asked", "unsubscribed"]


def test_challenges_that_nobody_asked_for_fill_the_record_only_so_fast(
    receiver: str, ledger: Engine, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshakes, "MOST_UNANSWERED_A_MINUTE", 4)

    assert {end(receiver, subscriber).status for _ in range(10)} == {404}

    assert steps(ledger) == ["asked", "challenged", "challenged", "challenged"]
    assert {each.reason for each in handshakes.history(ledger, TOPIC)} == {None, "not asked for"}


def test_both_callbacks_of_a_rotation_deliver_each_under_its_own_secret_or_the_others(
    receiver: str, ledger: Engine, subscriber: Subscriber, successor: Subscriber
) -> None:
    subscriber.deliver(receiver, b"1")
    successor.deliver(receiver, b"2")
    successor.deliver(receiver, b"3", f"sha256={signature(subscriber.secret, b'3')}")
    subscriber.deliver(receiver, b"4", f"sha256={signature(successor.secret, b'4')}")

    assert inbox(ledger) == [b"1", b"2", b"3", b"4"]
    eventually(lambda: found(ledger, successor).delivered_at and found(ledger, successor).refused_at)


def test_when_the_rotation_is_over_the_old_secret_opens_nothing_at_the_new_callback(
    start_anew: object, ledger: Engine, subscriber: Subscriber, successor: Subscriber
) -> None:
    subscriptions.answer(ledger, TOPIC, subscriber.found.callback, "ended")
    receiver = start_anew()  # type: ignore[operator]

    assert successor.deliver(receiver, BODY, f"sha256={signature(subscriber.secret, BODY)}").status == 200

    assert inbox(ledger) == []
    assert [n.reason for n in refused(ledger)] == ["wrong_signature"]


def test_what_was_on_its_way_when_a_subscription_ended_is_kept_and_a_day_later_is_not(
    start_anew: object, ledger: Engine, subscriber: Subscriber
) -> None:
    subscriptions.answer(ledger, TOPIC, subscriber.found.callback, "ended")
    assert subscriber.deliver(start_anew(), BODY).status == 200  # type: ignore[operator]
    assert inbox(ledger) == [BODY]

    with transaction(ledger) as connection:
        connection.execute(text("UPDATE subscriptions SET answered_at = now() - interval '1 day'"))
    assert subscriber.deliver(start_anew(), b"late").status == 200  # type: ignore[operator]
    assert inbox(ledger) == [BODY]
    assert [n.reason for n in refused(ledger)] == ["ended"]


def test_a_secret_that_does_not_open_costs_neither_its_own_subscription_nor_the_others(
    start_anew: object, ledger: Engine, seal: Seal, subscriber: Subscriber
) -> None:
    lost = subscriptions.request(ledger, Seal(Fernet.generate_key().decode()), "crvs1/LOST", RECEIVER)
    receiver = start_anew()  # type: ignore[operator]

    assert subscriber.deliver(receiver, BODY).status == 200
    assert call(receiver, "POST", f"/websub/{lost.token}", BODY, {"X-Hub-Signature": "sha256=00"}).status == 200

    assert inbox(ledger) == [BODY]
    assert [(n.topic, n.reason) for n in refused(ledger)] == [("crvs1/LOST", "sealed")]


def test_a_delivery_is_not_refused_because_the_subscriptions_could_not_be_looked_up(
    receiver: str, ledger_url: str, ledger: Engine, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert subscriber.deliver(receiver, b"known").status == 200
    monkeypatch.setattr(store, "_FRESH_SECONDS", 0.0)
    with psycopg.connect(ledger_url, autocommit=True) as admin:
        admin.execute("ALTER TABLE subscriptions RENAME TO subscriptions_elsewhere")
        try:
            statuses = [subscriber.deliver(receiver, BODY).status for _ in range(3)]
        finally:
            admin.execute("ALTER TABLE subscriptions_elsewhere RENAME TO subscriptions")

    assert statuses == [200] * 3
    assert inbox(ledger) == [b"known", BODY, BODY, BODY]


def test_an_answer_does_not_wait_for_the_note_that_a_callback_is_at_work(
    start_anew: object, ledger: Engine, subscriber: Subscriber
) -> None:
    receiver = start_anew()  # type: ignore[operator]
    with transaction(ledger) as other:
        other.execute(text("SELECT * FROM subscriptions FOR UPDATE"))
        assert [subscriber.deliver(receiver, body).status for body in (b"1", b"2", b"3")] == [200] * 3

    eventually(lambda: found(ledger, subscriber).delivered_at)


@pytest.mark.parametrize(("age", "expected"), [(-1, Belief.OWN), (1, Refusal.ENDED)])
def test_an_ended_subscription_is_believed_for_an_hour(subscriber: Subscriber, age: int, expected: object) -> None:
    from dataclasses import replace

    now = datetime.now(UTC)
    ended = replace(subscriber.found, state="ended", answered_at=now - ENDED_FOR_GOOD - timedelta(seconds=age))

    assert believe(Known(ended, "s"), f"sha256={signature('s', BODY)}", BODY, now) is expected


def test_no_secret_is_in_a_representation() -> None:
    assert "a-secret" not in repr(Known(None, "a-secret", ("a-secret-too",)))  # type: ignore[arg-type]
