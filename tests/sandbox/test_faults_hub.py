"""The hub's faults: what it loses, repeats, reorders and denies (mosip-events.md §1.3-1.9, §4.1)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from sandbox_calls import SECRET, TOPIC, Caller, Subscriber, until
from sandbox_samples import birth, new_aid

FORM = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.secret": SECRET}


def state(mosip: Caller) -> dict[str, Any]:
    """The only subscription."""
    (found,) = mosip.sandbox.hub.view()
    return found


def numbers(subscriber: Subscriber) -> list[int]:
    """What was received, in order."""
    return [event["n"] for event in subscriber.events]


async def publish(mosip: Caller, *wanted: int) -> None:
    """Publish messages and wait until the hub is done with them."""
    for number in wanted:
        mosip.sandbox.hub.publish(TOPIC, {"n": number})
    assert await mosip.sandbox.hub.drained(2)


async def counter(mosip: Caller) -> int:
    """How many deliveries were lost to a commit of their whole poll."""
    _, view, _ = await mosip.call("GET", "/sandbox/faults")
    return int(view["counters"]["batch_commit_lost"])


async def again(mosip: Caller, subscriber: Subscriber) -> dict[str, str]:
    """Subscribe once more; what the callback was asked."""
    await mosip.subscribe(subscriber)
    await mosip.sandbox.hub.drained(2)
    return subscriber.asked[-1]


async def test_a_subscriber_can_be_dropped_though_it_answered_and_the_rest_of_its_poll_is_lost(
    mosip: Caller, subscriber: Subscriber
) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("hub_drop", times=1)
    await publish(mosip, 1, 2, 3, 4)
    assert (numbers(subscriber), state(mosip)["active"], state(mosip)["drops"]) == ([1], False, 1)
    assert (await counter(mosip), state(mosip)["lost"]) == (2, 2)
    assert (await again(mosip, subscriber))["hub.mode"] == "subscribe"
    assert numbers(subscriber) == [1, 4]


async def test_what_a_failure_behind_a_success_loses_is_counted(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    subscriber.statuses = [200, 500]
    await publish(mosip, 1, 2, 3, 4)
    assert await counter(mosip) == 2


async def test_a_failure_at_the_head_of_a_poll_counts_no_loss(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    subscriber.statuses = [500]
    await publish(mosip, 1, 2, 3, 4)
    await again(mosip, subscriber)
    assert (await counter(mosip), numbers(subscriber)) == (0, [1, 2, 3, 4])


async def test_a_delivery_can_be_repeated(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("delivery_duplicate", times=1)
    await publish(mosip, 1, 2)
    assert numbers(subscriber) == [1, 1, 2]
    assert subscriber.received[0][0] == subscriber.received[1][0]


async def test_a_repetition_that_is_refused_drops_the_subscriber_too(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("delivery_duplicate", times=1)
    subscriber.statuses = [200, 500]
    await publish(mosip, 1)
    assert (numbers(subscriber), state(mosip)["active"]) == ([1], False)


async def test_a_whole_poll_can_be_repeated(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("hub_rebalance", times=1)
    await publish(mosip, 1, 2, 3, 4)
    await until(lambda: numbers(subscriber) == [1, 2, 3, 1, 2, 3, 4])
    await until(lambda: state(mosip)["delivered"] == 4)
    assert state(mosip)["deliveries"] == 7


async def test_a_message_that_the_broker_took_can_never_come(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("delivery_lost", times=1)
    await publish(mosip, 1, 2)
    assert (numbers(subscriber), state(mosip)["active"], state(mosip)["deliveries"]) == ([2], True, 1)


async def test_a_delivery_can_be_late_and_hold_up_what_is_behind_it(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("delivery_delay", times=1, seconds=0.2)
    mosip.sandbox.hub.publish(TOPIC, {"n": 1})
    mosip.sandbox.hub.publish(TOPIC, {"n": 2})
    assert not await mosip.sandbox.hub.drained(0.05)
    assert numbers(subscriber) == []
    await until(lambda: numbers(subscriber) == [1, 2])


async def test_messages_of_one_topic_can_change_their_order(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("delivery_reorder", times=1)
    await publish(mosip, 1, 2, 3, 4)
    assert numbers(subscriber) == [3, 2, 1, 4]


async def test_a_delivery_can_bear_a_signature_that_no_secret_of_ours_makes(
    mosip: Caller, subscriber: Subscriber
) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("stale_signature", times=1)
    await publish(mosip, 1, 2)
    right = [
        headers["X-Hub-Signature"] == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        for body, headers in subscriber.received
    ]
    assert right == [False, True]


async def test_an_outage_at_subscribing_is_a_500_that_says_nothing_of_roles(
    mosip: Caller, subscriber: Subscriber
) -> None:
    mosip.sandbox.faults.set("subscribe_500", times=1)
    status, text = await mosip.hub(FORM | {"hub.callback": subscriber.url})
    assert status == 500
    assert text.startswith("hub.mode=denied&hub.reason=")
    assert "authorized" not in text
    assert await mosip.subscribe(subscriber) == (202, "hub.mode=accepted")


async def test_after_a_202_there_can_be_silence(mosip: Caller, subscriber: Subscriber) -> None:
    mosip.sandbox.faults.set("subscribe_silent", times=1)
    assert await mosip.hub(FORM | {"hub.callback": subscriber.url}) == (202, "hub.mode=accepted")
    assert (mosip.sandbox.verifying, subscriber.asked, mosip.sandbox.hub.view()) == (0, [], [])


async def test_the_question_after_a_202_can_be_late(mosip: Caller, subscriber: Subscriber) -> None:
    mosip.sandbox.faults.set("challenge_delay", times=1, seconds=0.1)
    await mosip.hub(FORM | {"hub.callback": subscriber.url})
    assert (mosip.sandbox.verifying, subscriber.asked) == (1, [])
    await until(lambda: len(mosip.sandbox.hub.view()) == 1)


async def test_publishing_and_registering_can_be_denied_with_a_200(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("publish_denied", times=2)
    path = f"/hub/?hub.mode=publish&hub.topic={TOPIC}"
    published = await mosip.call("POST", path, {"n": 1}, token=mosip.regproc)
    registered = await mosip.hub({"hub.mode": "register", "hub.topic": "NEW"}, token=mosip.regproc)
    for status, text in (published[:2], registered):
        assert status == 200
        assert text.startswith("hub.mode=denied&hub.reason=")
    await publish(mosip, 2)
    assert numbers(subscriber) == [2]


async def test_registered_does_not_have_to_mean_flowing(mosip: Caller, subscriber: Subscriber) -> None:
    mosip.sandbox.faults.set("registered_not_flowing", times=1)
    await mosip.subscribe(subscriber)
    await publish(mosip, 1)
    assert (await again(mosip, subscriber))["hub.reason"] == "Subscriber has already registered with the Hub"
    assert (numbers(subscriber), state(mosip)["stalled"]) == ([], True)
    await mosip.call("POST", "/sandbox/hub", {"restart": True})
    assert await mosip.sandbox.hub.drained(2)
    assert (numbers(subscriber), state(mosip)["stalled"]) == ([1], False)


async def test_unsubscribing_heals_a_subscription_that_does_not_flow_and_loses_what_was_meant_for_it(
    mosip: Caller, subscriber: Subscriber
) -> None:
    mosip.sandbox.faults.set("registered_not_flowing", times=1)
    await mosip.subscribe(subscriber)
    await publish(mosip, 1)
    await mosip.hub({"hub.mode": "unsubscribe", "hub.topic": TOPIC, "hub.callback": subscriber.url})
    await until(lambda: mosip.sandbox.hub.view() == [])
    await mosip.subscribe(subscriber)
    await publish(mosip, 2)
    assert numbers(subscriber) == [2]


async def test_after_a_restart_with_a_wrong_key_nothing_flows_although_everyone_is_registered(
    mosip: Caller, subscriber: Subscriber
) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("registered_not_flowing")
    _, answer, _ = await mosip.call("POST", "/sandbox/hub", {"restart": True})
    assert answer["subscribers"][0]["active"]
    await until(lambda: state(mosip)["stalled"])
    await publish(mosip, 1)
    assert (await again(mosip, subscriber))["hub.mode"] == "denied"
    assert numbers(subscriber) == []


async def test_a_restart_revives_a_dropped_subscriber_from_its_last_commit(
    mosip: Caller, subscriber: Subscriber
) -> None:
    await mosip.subscribe(subscriber)
    subscriber.statuses = [500]
    await publish(mosip, 1, 2)
    _, answer, _ = await mosip.call("POST", "/sandbox/hub", {"restart": True})
    assert answer["subscribers"][0]["active"]
    assert await mosip.sandbox.hub.drained(2)
    assert numbers(subscriber) == [1, 2]


async def test_subscribers_can_be_dropped_by_hand_all_or_by_their_callback(
    mosip: Caller, subscriber: Subscriber
) -> None:
    await mosip.subscribe(subscriber)
    _, spared, _ = await mosip.call("POST", "/sandbox/hub", {"drop": "http://somebody/else"})
    _, dropped, _ = await mosip.call("POST", "/sandbox/hub", {"drop": True})
    assert (spared["dropped"], dropped["dropped"], state(mosip)["active"]) == (0, 1, False)
    await publish(mosip, 1)
    assert numbers(subscriber) == []
    await again(mosip, subscriber)
    assert numbers(subscriber) == [1]


@pytest.mark.parametrize("body", [b"{", b"[]", b"1"])
async def test_a_change_of_the_hub_that_makes_no_sense_is_refused(mosip: Caller, body: bytes) -> None:
    assert (await mosip.call("POST", "/sandbox/hub", body))[0] == 400


async def test_with_events_off_the_handshake_works_and_nothing_ever_comes(
    mosip: Caller, subscriber: Subscriber
) -> None:
    mosip.sandbox.faults.set("events_off")
    assert await mosip.subscribe(subscriber) == (202, "hub.mode=accepted")
    assert (await mosip.finish(birth(new_aid())))["result"] == "PROCESSED"
    assert mosip.sandbox.hub.end(TOPIC) == 0
    mosip.sandbox.faults.clear()
    await publish(mosip, 1)
    assert numbers(subscriber) == [1]


async def test_events_off_also_silences_what_is_published_already(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    await mosip.call("POST", "/sandbox/hub", {"drop": True})
    await publish(mosip, 1)
    mosip.sandbox.faults.set("events_off")
    await again(mosip, subscriber)
    assert (numbers(subscriber), state(mosip)["delivered"]) == ([], 1)
