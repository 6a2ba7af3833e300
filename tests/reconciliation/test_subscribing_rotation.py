"""A callback and its secret are replaced while results keep coming: none is lost, and none counts twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from day_books import aid
from hub_scene import HASTE, HubScene
from receiver_calls import BODY, Subscriber, eventually, signature
from small_hub import SmallHub

from mosip_crvs.ledger import subscriptions
from mosip_crvs.mosip import hub
from mosip_crvs.reconciliation import rotating
from mosip_crvs.reconciliation.inbox import settle_inbox
from mosip_crvs.reconciliation.rotating import Patience, Stage, advance, rotate
from mosip_crvs.settlement.events import WORKFLOW_COMPLETED


class Killed(BaseException):
    """The process ended here."""


def deliveries_by_aid(scene: HubScene) -> dict[str, int]:
    """Count how often each result came into the inbox."""
    counts: dict[str, int] = {}
    for body in scene.bodies():
        own = json.loads(body)["instanceId"]
        counts[own] = counts.get(own, 0) + 1
    return counts


def shown(scene: HubScene) -> bool:
    """Say whether the present callback is known to have delivered."""
    return all(each.delivered_at for each in scene.callbacks() if each.retiring_at is None)


@contextmanager
def results_keep_coming(scene: HubScene) -> Iterator[list[str]]:
    """Publish one result after the other until the block ends; gives the AIDs as they are published."""
    published: list[str] = []
    stop = threading.Event()

    def publish() -> None:
        while not stop.is_set():
            scene.publish(own := aid(len(published)))
            published.append(own)

    thread = threading.Thread(target=publish, daemon=True)
    thread.start()
    try:
        yield published
    finally:
        stop.set()
        thread.join(20)


def test_a_rotation_has_no_gap_and_what_comes_twice_counts_once(hub_scene: HubScene) -> None:
    hub_scene.tend()
    (before,) = hub_scene.callbacks()
    with results_keep_coming(hub_scene) as published:
        eventually(lambda: len(published) > 5)
        tended = hub_scene.tend(rotation_wanted=True)
        rounds = 1
        while tended.rotations.get(WORKFLOW_COMPLETED) is not Stage.DONE:
            assert rounds < 20
            eventually(lambda: shown(hub_scene))
            tended = hub_scene.tend()
            rounds += 1
        ended_at = len(published)
        eventually(lambda: len(published) > ended_at + 5)
    eventually(lambda: set(deliveries_by_aid(hub_scene)) >= set(published))

    old, new = hub_scene.callbacks()
    assert (old.callback, old.state) == (before.callback, "ended")
    assert new.state == "verified"
    assert hub_scene.seal.open(new.sealed_secret) != hub_scene.seal.open(old.sealed_secret)
    assert [each["callback"] for each in hub_scene.subscribers()] == [new.callback]
    counts = deliveries_by_aid(hub_scene)
    assert set(counts) == set(published), "a result was lost"
    assert 2 in counts.values(), "the two callbacks never delivered side by side"

    hub_scene.books.apply(hub_scene.books.batch(), dict.fromkeys(published, "TRIGGERED"))
    settle_inbox(hub_scene.ledger, aid(0)[:10])
    told = [row.aid for row in hub_scene.books.evidence() if row.kind == "workflow_processed"]
    assert sorted(told) == sorted(published)


STEPS: list[tuple[Any, str]] = [
    (subscriptions, "succeed"),
    (hub, "subscribe"),
    (rotating, "wait_for_signs"),
    (subscriptions, "ask_to_end"),
    (hub, "unsubscribe"),
    (rotating, "wait_for_end"),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("module", "name"), STEPS, ids=[name for _, name in STEPS])
def test_a_rotation_that_is_killed_at_any_step_is_gone_on_with(
    hub_scene: HubScene, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, when: str
) -> None:
    hub_scene.tend()
    plain: Callable[..., Any] = getattr(module, name)
    deaths: list[str] = []

    def die_once(*args: Any, **kwargs: Any) -> Any:
        if deaths or (name == "subscribe" and kwargs["callback"] == hub_scene.callbacks()[0].callback):
            return plain(*args, **kwargs)
        deaths.append(name)
        if when == "after":
            plain(*args, **kwargs)
        raise Killed

    began = datetime.now(UTC)
    topic = hub_scene.topic

    def go_on() -> Stage:
        return rotate(hub_scene.dealings(), topic, unless_since=began, patience=HASTE)

    monkeypatch.setattr(module, name, die_once)
    stage: Stage | None = None
    for number in range(20):
        try:
            stage = go_on()
        except Killed:
            stage = None
        if stage is Stage.DONE:
            break
        if len(hub_scene.callbacks()) == 2 and hub_scene.callbacks()[1].state == "verified":
            hub_scene.publish(aid(number))
            eventually(lambda: shown(hub_scene))

    assert deaths == [name]
    assert stage is Stage.DONE
    old, new = hub_scene.callbacks()
    assert (old.state, new.state) == ("ended", "verified")
    assert [each["callback"] for each in hub_scene.subscribers()] == [new.callback]
    assert len(deliveries_by_aid(hub_scene)) == len(hub_scene.published)
    assert go_on() is Stage.DONE, "the same task, tried once more, begins no second rotation"
    assert len(hub_scene.callbacks()) == 2
    assert rotate(hub_scene.dealings(), topic, unless_since=datetime.now(UTC), patience=HASTE) is Stage.OVERLAPPING


@pytest.fixture
def rotation(small_scene: HubScene) -> HubScene:
    """A rotation that has begun: the old callback is known to the hub, the new one is verified."""
    small_scene.tend()
    rotate(small_scene.dealings(), small_scene.topic, patience=HASTE)
    return small_scene


def go_on(scene: HubScene, patience: Patience = HASTE) -> Stage:
    """Take the rotation further."""
    return advance(scene.dealings(), scene.topic, scene.callbacks()[0], patience)


def test_the_old_callback_stays_until_the_new_one_has_delivered(rotation: HubScene) -> None:
    old, new = rotation.callbacks()
    assert go_on(rotation) is Stage.OVERLAPPING

    Subscriber.of(old, rotation.seal).deliver(rotation.settings.receiver_url, BODY)
    eventually(lambda: rotation.callbacks()[0].delivered_at)
    assert go_on(rotation) is Stage.OVERLAPPING

    Subscriber.of(new, rotation.seal).deliver(rotation.settings.receiver_url, BODY)
    eventually(lambda: shown(rotation))
    assert go_on(rotation, Patience(verify=5.0, least_overlap=60.0)) is Stage.OVERLAPPING, "what it is owed may come"
    assert go_on(rotation) is Stage.DONE


def test_when_nothing_is_published_time_is_enough(rotation: HubScene) -> None:
    rotation.books.run("UPDATE handshakes SET at = at - interval '16 minutes'")

    assert go_on(rotation, Patience(verify=5.0)) is Stage.DONE


def test_a_hub_that_signs_with_the_old_secret_is_believed_and_the_old_callback_stays(rotation: HubScene) -> None:
    old, new = rotation.callbacks()
    secret = rotation.seal.open(old.sealed_secret)

    answer = Subscriber.of(new, rotation.seal).deliver(
        rotation.settings.receiver_url, BODY, f"sha256={signature(secret, BODY)}"
    )

    assert answer.status == 200
    assert rotation.bodies() == [BODY]
    eventually(lambda: rotation.callbacks()[1].refused_at)
    rotation.books.run("UPDATE handshakes SET at = at - interval '1 day'")
    assert go_on(rotation) is Stage.OVERLAPPING


def test_while_the_new_callback_is_not_verified_both_are_renewed_and_none_ends(
    small_scene: HubScene, small_hub: SmallHub
) -> None:
    small_scene.patience = Patience(verify=0.5, least_overlap=0.0)
    small_scene.tend()
    (old,) = small_scene.callbacks()
    small_hub.then = lambda form: small_hub.verify(form) if form["hub.callback"] == old.callback else None

    assert rotate(small_scene.dealings(), small_scene.topic, patience=small_scene.patience) is Stage.UNVERIFIED
    small_hub.asked.clear()
    assert small_scene.tend().rotations[WORKFLOW_COMPLETED] is Stage.UNVERIFIED

    renewed = {asked["hub.callback"] for asked in small_hub.asked_for(WORKFLOW_COMPLETED)}
    assert renewed == {each.callback for each in small_scene.callbacks()}
    assert {asked["hub.mode"] for asked in small_hub.asked} == {"subscribe"}
    assert [each.state for each in small_scene.callbacks()] == ["verified", "requested"]


def test_a_rotation_that_does_not_come_to_its_end_in_a_day_is_an_alarm(rotation: HubScene) -> None:
    go_on(rotation)
    assert rotation.alarms() == {}

    rotation.books.run(
        "UPDATE subscriptions SET retiring_at = retiring_at - interval '25 hours' WHERE retiring_at > '-infinity'"
    )
    go_on(rotation)
    assert "overlapping" in (rotation.alarms()["rotation_stalled", WORKFLOW_COMPLETED] or "")

    rotation.books.run("UPDATE subscriptions SET delivered_at = now()")
    assert go_on(rotation) is Stage.DONE
    assert rotation.alarms() == {}


def test_an_old_callback_that_the_hub_no_longer_knows_has_ended(rotation: HubScene, small_hub: SmallHub) -> None:
    rotation.books.run("UPDATE subscriptions SET delivered_at = now()")
    old, _ = rotation.callbacks()
    small_hub.then = small_hub.deny(
        f"Could not find a valid subscriber for Topic [{old.topic}] and Callback [{old.callback}]"
    )

    assert go_on(rotation) is Stage.DONE
    assert rotation.callbacks()[0].state == "ended"
    assert rotation.steps()[-1] in ("accepted", "unsubscribed")


def test_a_hub_that_does_not_come_to_confirm_the_end_is_asked_again(rotation: HubScene, small_hub: SmallHub) -> None:
    rotation.books.run("UPDATE subscriptions SET delivered_at = now()")
    small_hub.then = None
    assert go_on(rotation, Patience(verify=0.3, least_overlap=0.0)) is Stage.ENDING
    assert rotation.callbacks()[0].state == "verified"

    small_hub.refusal = (503, "down")
    assert go_on(rotation) is Stage.ENDING
    assert rotation.steps()[-1] == "unavailable"

    small_hub.refusal, small_hub.then = None, small_hub.verify
    assert go_on(rotation) is Stage.DONE
    assert [asked["hub.mode"] for asked in small_hub.asked_for(WORKFLOW_COMPLETED)][-3:] == ["unsubscribe"] * 3


def test_an_ended_callback_that_the_hub_goes_on_serving_is_ended_again(rotation: HubScene, small_hub: SmallHub) -> None:
    rotation.books.run("UPDATE subscriptions SET delivered_at = now()")
    assert go_on(rotation) is Stage.DONE
    assert rotation.tend().rotations == {}
    old, _ = rotation.callbacks()
    rotation.books.run("UPDATE subscriptions SET answered_at = now() - interval '2 hours' WHERE state = 'ended'")
    eventually(
        lambda: (
            Subscriber.of(old, rotation.seal).deliver(rotation.settings.receiver_url, BODY).status == 200
            and rotation.callbacks()[0].refused_at
        ),
        20,
    )

    assert rotation.tend().rotations == {WORKFLOW_COMPLETED: Stage.DONE}
    assert small_hub.asked_for(WORKFLOW_COMPLETED)[-1]["hub.mode"] == "unsubscribe"
    assert rotation.tend().rotations == {}


def test_all_topics_are_rotated_when_a_person_wants_it_and_once_only(hub_scene: HubScene) -> None:
    hub_scene.tend()
    wanted_at = datetime.now(UTC)

    hub_scene.tend(rotation_wanted=True, since=wanted_at)
    hub_scene.tend(rotation_wanted=True, since=wanted_at)

    everywhere = subscriptions.every(hub_scene.ledger)
    assert len(everywhere) == 8
    assert all(each.state == "verified" for each in everywhere)
    assert sum(each.retiring_at is not None for each in everywhere) == 4
    assert datetime.now(UTC) - wanted_at < timedelta(minutes=1)
