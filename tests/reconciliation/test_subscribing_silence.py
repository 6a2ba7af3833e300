"""A subscription that is called registered and does not deliver is noticed by what MOSIP says when it is asked."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from day_books import aid, completed
from hub_scene import HubScene
from receiver_calls import eventually
from small_hub import SmallHub

from mosip_crvs.reconciliation import tending
from mosip_crvs.reconciliation.asking import Standing
from mosip_crvs.reconciliation.inbox import settle_inbox
from mosip_crvs.reconciliation.rotating import Stage
from mosip_crvs.settlement.events import IDENTITY_CREATED, WORKFLOW_COMPLETED
from mosip_crvs.settlement.rules import EvidenceKind

ALREADY = "Subscriber has already registered with the Hub"
SILENT = ("subscription_silent", WORKFLOW_COMPLETED)
LONG_AGO = timedelta(minutes=11)


@pytest.fixture
def scene(small_scene: HubScene, small_hub: SmallHub) -> HubScene:
    """A hub that has long known us and calls us registered; three applications are with MOSIP."""
    small_scene.books.apply(small_scene.books.batch(), dict.fromkeys(map(aid, range(3)), "TRIGGERED"))
    small_scene.tend()
    small_scene.books.run("UPDATE handshakes SET at = at - interval '1 day'")
    small_hub.then = small_hub.deny(ALREADY)
    return small_scene


def test_a_result_that_was_found_by_asking_and_never_announced_is_silence(scene: HubScene) -> None:
    scene.found_by_asking(aid(0), aid(1), ago=LONG_AGO)

    tended = scene.tend()

    assert tended.silent == 2
    assert "2 applications" in (scene.alarms()[SILENT] or "")


def test_a_notification_has_ten_minutes_to_arrive(scene: HubScene) -> None:
    scene.found_by_asking(aid(0), ago=timedelta(minutes=9))

    assert scene.tend().silent == 0
    assert scene.alarms() == {}


@pytest.mark.parametrize("kind", [EvidenceKind.STATUS_REREGISTER, EvidenceKind.STATUS_REJECTED])
def test_what_mosip_may_never_announce_proves_nothing(scene: HubScene, kind: EvidenceKind) -> None:
    scene.found_by_asking(aid(0), ago=LONG_AGO, kind=kind)

    assert scene.tend().silent == 0


def test_any_notification_of_the_topic_since_then_shows_that_it_flows(scene: HubScene) -> None:
    scene.found_by_asking(aid(0), ago=LONG_AGO)
    scene.tend()
    assert SILENT in scene.alarms()

    scene.books.receive(completed("99999999990000120260314010203"))

    assert scene.tend().silent == 0
    assert SILENT not in scene.alarms()


def test_notifications_of_another_topic_show_nothing(scene: HubScene) -> None:
    scene.found_by_asking(aid(0), ago=LONG_AGO)
    scene.books.receive((IDENTITY_CREATED, b"{}"))

    assert scene.tend().silent == 1


def test_a_notification_that_came_first_was_no_silence(scene: HubScene) -> None:
    scene.books.receive(completed(aid(0)))
    settle_inbox(scene.ledger, aid(0)[:10])
    scene.books.run("UPDATE inbox SET received_at = received_at - interval '1 hour'")
    scene.found_by_asking(aid(0), ago=LONG_AGO)

    assert scene.tend().silent == 0


def test_while_notifications_wait_nothing_is_concluded(scene: HubScene) -> None:
    scene.books.receive(completed(aid(0)))
    scene.books.run("UPDATE inbox SET received_at = received_at - interval '1 hour'")
    scene.found_by_asking(aid(0), ago=LONG_AGO)
    assert scene.tend().silent == 0

    settle_inbox(scene.ledger, aid(0)[:10])
    assert scene.tend().silent == 0, "it had been announced"


def test_registered_and_not_flowing_is_told_and_a_second_callback_is_put_beside(
    scene: HubScene, small_hub: SmallHub, caplog: pytest.LogCaptureFixture
) -> None:
    scene.found_by_asking(aid(0), ago=LONG_AGO)
    (old,) = scene.callbacks()
    small_hub.then = lambda form: (
        small_hub.deny(ALREADY) if form["hub.callback"] == old.callback else small_hub.verify
    )(form)

    with caplog.at_level(logging.WARNING, logger=tending.__name__):
        tended = scene.tend()

    assert "registered and not flowing: unsubscribe and subscribe again" in caplog.text
    assert tended.standings[WORKFLOW_COMPLETED] is Standing.REGISTERED
    assert tended.rotations == {WORKFLOW_COMPLETED: Stage.OVERLAPPING}
    retiring, new = scene.callbacks()
    assert (retiring.callback, retiring.state, new.state) == (old.callback, "verified", "verified")
    assert retiring.retiring_at is not None


def test_a_hub_that_stays_silent_is_not_asked_for_ever_newer_callbacks(
    scene: HubScene, small_hub: SmallHub, caplog: pytest.LogCaptureFixture
) -> None:
    scene.found_by_asking(aid(0), ago=LONG_AGO)
    for _ in range(3):
        scene.tend()

    assert len(scene.callbacks()) == 2
    assert SILENT in scene.alarms()
    assert "ask MOSIP's operators to restart the hub" in caplog.text


def test_a_hub_that_had_dropped_us_and_takes_us_back_needs_no_second_callback(
    scene: HubScene, small_hub: SmallHub
) -> None:
    scene.found_by_asking(aid(0), ago=LONG_AGO)
    small_hub.then = small_hub.verify

    tended = scene.tend()

    assert tended.standings[WORKFLOW_COMPLETED] is Standing.VERIFIED
    assert SILENT in scene.alarms()
    assert len(scene.callbacks()) == 1


def test_what_was_completed_before_the_hub_knew_us_could_not_be_announced_to_us(scene: HubScene) -> None:
    scene.found_by_asking(aid(0), ago=timedelta(days=2))

    assert scene.tend().silent == 1
    assert len(scene.callbacks()) == 1


def test_the_silent_callback_is_replaced_at_the_sandbox_and_results_flow_again(hub_scene: HubScene) -> None:
    hub_scene.books.apply(hub_scene.books.batch(), {aid(0): "TRIGGERED"})
    hub_scene.tend()
    hub_scene.books.run("UPDATE handshakes SET at = at - interval '1 day'")
    hub_scene.found_by_asking(aid(0), ago=LONG_AGO)

    assert hub_scene.tend().rotations == {WORKFLOW_COMPLETED: Stage.OVERLAPPING}
    hub_scene.publish(aid(1))
    eventually(lambda: len(hub_scene.bodies()) == 2)
    eventually(lambda: all(each.delivered_at for each in hub_scene.callbacks()))
    settle_inbox(hub_scene.ledger, aid(0)[:10])

    tended = hub_scene.tend()
    assert (tended.silent, tended.rotations) == (0, {WORKFLOW_COMPLETED: Stage.DONE})
    assert SILENT not in hub_scene.alarms()
