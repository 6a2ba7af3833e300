"""Results are asked for before anything is sent, from a real hub over HTTP to the real receiver."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from day_books import Books
from receiver_calls import BODY, Subscriber, eventually, inbox, serving
from small_hub import CHALLENGE, SmallHub

from mosip_crvs.errors import MosipRefused, MosipUnavailable, StopTheRun, SubscriptionFailed
from mosip_crvs.ledger import subscriptions
from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource, fetch_token
from mosip_crvs.receiver.__main__ import build
from mosip_crvs.reconciliation import subscribing
from mosip_crvs.reconciliation.subscribing import TOPICS, ensure_subscribed

(TOPIC,) = TOPICS


@dataclass
class Scene:
    """A hub, a receiver, and we between them."""

    hub: SmallHub
    settings: MosipSettings
    books: Books
    seal: Seal
    receiver: str

    def ensure(self, **how: Any) -> None:
        """Subscribe or renew."""
        calls = SingleCalls(self.settings.base_url)
        tokens = TokenSource(lambda: fetch_token(calls, self.settings))
        ensure_subscribed(self.books.ledger, self.seal, calls, tokens, self.settings, **how)

    @property
    def kept(self) -> subscriptions.Subscription:
        """The one subscription to the topic that results need."""
        (found,) = [each for each in subscriptions.every(self.books.ledger) if each.topic == TOPIC]
        return found

    @property
    def asked(self) -> list[dict[str, str]]:
        """What the hub was asked for that topic."""
        return self.hub.asked_for(TOPIC)


@pytest.fixture
def scene(books: Books, ledger_url: str, seal: Seal, seal_key: str) -> Iterator[Scene]:
    """Everything real; the hub verifies, as hubs do, unless the test says otherwise."""
    hub = SmallHub()
    hub.then = hub.verify
    with ExitStack() as running:
        address = running.enter_context(serving(hub.app()))
        receiver = running.enter_context(serving(build(ledger_url, seal_key)))
        settings = MosipSettings(address, "crvs-client", "its-secret", "10001", "10077", receiver_url=receiver)
        yield Scene(hub, settings, books, seal, receiver)


def test_a_hub_that_verifies_us_knows_us(scene: Scene) -> None:
    scene.ensure()

    (asked,) = scene.asked
    assert (asked["hub.mode"], asked["hub.topic"]) == ("subscribe", TOPIC)
    assert asked["hub.callback"].startswith(scene.receiver + "/websub/")
    assert len(asked["hub.callback"].rpartition("/")[2]) >= 32
    assert len(asked["hub.secret"]) >= 32
    assert set(scene.hub.cookies) == {"Authorization=a-token"}
    eventually(lambda: len(scene.hub.echoes) == len(scene.hub.asked))
    assert set(scene.hub.echoes) == {CHALLENGE.encode()}
    assert scene.kept.state == "verified"


def test_what_the_hub_then_signs_with_our_secret_reaches_the_inbox(scene: Scene) -> None:
    scene.ensure()
    (asked,) = scene.asked

    subscriber = Subscriber(scene.kept, asked["hub.secret"])
    assert subscriber.deliver(scene.receiver, BODY).status == 200
    assert inbox(scene.books.ledger) == [BODY]


def test_the_secret_lies_in_the_ledger_only_under_its_seal(scene: Scene) -> None:
    scene.ensure()

    secret = scene.asked[0]["hub.secret"]
    assert scene.seal.open(scene.kept.sealed_secret) == secret
    assert secret.encode() not in scene.kept.sealed_secret


def test_a_hub_that_accepts_and_never_comes_is_an_error_after_the_time_given(scene: Scene) -> None:
    scene.hub.then = None
    began = time.monotonic()

    with pytest.raises(SubscriptionFailed, match="receiver_url"):
        scene.ensure(verify_seconds=0.6)

    assert 0.5 < time.monotonic() - began < 5
    assert scene.kept.state == "requested"


def test_a_receiver_that_the_hub_cannot_reach_is_the_same_error(scene: Scene) -> None:
    scene.settings = replace(scene.settings, receiver_url="http://127.0.0.1:9")

    with pytest.raises(SubscriptionFailed):
        scene.ensure(verify_seconds=0.6)


def test_a_denial_is_an_error_with_the_hubs_reason(scene: Scene) -> None:
    scene.hub.then = scene.hub.deny("Topic registration failed")

    with pytest.raises(SubscriptionFailed, match="Topic registration failed"):
        scene.ensure(verify_seconds=10)

    assert (scene.kept.state, scene.kept.reason) == ("denied", "Topic registration failed")


def test_after_a_denial_a_hub_that_comes_round_is_taken_at_its_word(scene: Scene) -> None:
    scene.hub.then = scene.hub.deny("Topic registration failed")
    with pytest.raises(SubscriptionFailed):
        scene.ensure(verify_seconds=10)
    scene.hub.then = scene.hub.verify

    scene.ensure(verify_seconds=10)

    assert scene.kept.state == "verified"


def test_a_client_without_the_role_stops_the_run(scene: Scene) -> None:
    scene.hub.refusal = (500, "hub.mode=denied&hub.reason=Subscriber is not authorized")

    with pytest.raises(MosipRefused, match="role"):
        scene.ensure()


def test_a_hub_that_is_out_of_order_is_tried_again_later(scene: Scene) -> None:
    scene.hub.refusal = (503, "down")

    with pytest.raises(MosipUnavailable, match="503"):
        scene.ensure()


def test_a_renewal_that_is_called_registered_already_is_healthy(scene: Scene) -> None:
    scene.ensure()
    before = scene.kept
    scene.hub.then = scene.hub.deny("Subscriber has already registered with the Hub")

    scene.ensure(verify_seconds=10)

    assert scene.kept.state == "verified"
    assert scene.kept.verified_at is not None
    assert before.verified_at is not None
    assert scene.kept.verified_at > before.verified_at


def test_a_renewal_without_a_sign_is_a_warning_and_no_more(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.ensure()
    scene.hub.then = None

    with caplog.at_level(logging.WARNING, logger=subscribing.__name__):
        scene.ensure(verify_seconds=0.3)

    assert len(scene.asked) == 2
    assert "without a sign" in caplog.text
    assert scene.kept.state == "verified"
    assert scene.asked[0]["hub.secret"] not in caplog.text


def test_a_sign_that_is_young_enough_saves_the_call(scene: Scene) -> None:
    scene.ensure()
    scene.ensure(good_for=600)
    assert len(scene.asked) == 1

    scene.books.run("UPDATE subscriptions SET verified_at = verified_at - interval '11 minutes'")
    scene.ensure(good_for=600)
    assert len(scene.asked) == 2

    scene.ensure(good_for=0)
    assert len(scene.asked) == 3


def test_a_hub_that_never_verified_us_is_asked_again_however_lately_we_asked(scene: Scene) -> None:
    scene.hub.then = None
    with pytest.raises(SubscriptionFailed):
        scene.ensure(verify_seconds=0.2)
    scene.hub.then = scene.hub.verify

    scene.ensure(good_for=600)

    assert len(scene.asked) == 2
    assert scene.kept.state == "verified"


def test_callback_and_secret_are_the_same_byte_for_byte_over_all_renewals(scene: Scene) -> None:
    for _ in range(3):
        scene.ensure()

    assert len({(asked["hub.callback"], asked["hub.secret"]) for asked in scene.asked}) == 1
    assert len(scene.asked) == 3


def test_a_new_ledger_has_a_callback_and_a_secret_of_its_own(scene: Scene, postgres: Any, seal_key: str) -> None:
    scene.ensure()
    other_url = postgres.create("another_ledger", template="ledger_template")
    other = connect_to_ledger(other_url)
    try:
        with serving(build(other_url, seal_key)) as receiver:
            # the address stays the same for the hub; only the ledger behind it is new
            first = scene.asked[0]["hub.callback"].removeprefix(scene.receiver)
            scene.books = Books(other)
            scene.settings = replace(scene.settings, receiver_url=receiver)
            scene.ensure()
    finally:
        other.dispose()
        postgres.drop("another_ledger")

    one, two = scene.asked
    assert two["hub.callback"].removeprefix(receiver) != first
    assert one["hub.secret"] != two["hub.secret"]


def test_a_connection_without_a_receiver_url_stops_the_run_before_the_hub_is_asked(scene: Scene) -> None:
    scene.settings = replace(scene.settings, receiver_url="")

    with pytest.raises(StopTheRun, match="receiver_url"):
        scene.ensure()

    assert scene.hub.asked == []
    assert subscriptions.every(scene.books.ledger) == []
