"""Each fault shows what it promises, and only when it is on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

import aiohttp
import pytest
from sandbox_calls import Caller, Subscriber, until
from sandbox_samples import birth, new_aid, trigger

from sandbox.faults import FAULTS, Faults


async def hangs_up(call: Awaitable[Any]) -> None:
    """The call must end without an answer."""
    with pytest.raises(aiohttp.ClientError):
        await call


async def test_every_fault_is_off_until_it_is_switched_on(mosip: Caller) -> None:
    _, view, _ = await mosip.call("GET", "/sandbox/faults")
    assert set(view["faults"]) == set(FAULTS)
    assert {setting["probability"] for setting in view["faults"].values()} == {0.0}


@pytest.mark.parametrize("body", [{"faults": {"unheard_of": 1}}, {"faults": {"fail": 2}}, b"{", {"faults": 1}])
async def test_a_fault_that_makes_no_sense_is_refused(mosip: Caller, body: Any) -> None:
    assert (await mosip.call("POST", "/sandbox/faults", body))[0] == 400


async def test_faults_can_be_set_counted_and_cleared_while_running(mosip: Caller) -> None:
    change = {"faults": {"create_null": {"probability": 1, "times": 2}}, "token_seconds": 7}
    await mosip.call("POST", "/sandbox/faults", change)
    answers = [(await mosip.create(birth(new_aid())))[1]["response"] is None for _ in range(3)]
    assert answers == [True, True, False]
    _, view, _ = await mosip.call("POST", "/sandbox/faults", {"clear": True})
    assert (view["faults"]["create_null"]["hits"], view["token_seconds"]) == (2, 7)


async def test_the_same_seed_gives_the_same_faults() -> None:
    def drawn(seed: int) -> list[bool]:
        faults = Faults(seed, {"fail": 0.3}, 1, frozenset())
        return [faults.hit("fail") for _ in range(50)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


async def test_create_null_stores_nothing(mosip: Caller) -> None:
    mosip.sandbox.faults.set("create_null", times=1)
    aid = new_aid()
    status, answer, _ = await mosip.create(birth(aid))
    assert (status, answer["response"], answer["errors"]) == (200, None, [])
    seen = mosip.sandbox.record.applications[aid]
    assert (seen.creates_accepted, seen.creates_failed) == (0, 1)


@pytest.mark.parametrize(("fault", "status"), [("create_500", 500), ("create_502", 502)])
async def test_create_can_answer_a_5xx(mosip: Caller, fault: str, status: int) -> None:
    mosip.sandbox.faults.set(fault, times=1)
    aid = new_aid()
    assert (await mosip.create(birth(aid)))[0] == status
    assert (await mosip.create(birth(aid)))[1]["response"]


async def test_create_slow_takes_its_time(mosip: Caller) -> None:
    mosip.sandbox.faults.set("create_slow", seconds=0.1, times=1)
    begun = time.monotonic()
    assert (await mosip.create(birth(new_aid())))[1]["response"]
    assert time.monotonic() - begun >= 0.1


async def test_create_reset_after_stores_and_hangs_up(mosip: Caller) -> None:
    mosip.sandbox.faults.set("create_reset_after", times=2)
    aid = new_aid()
    await hangs_up(mosip.create(birth(aid)))
    # aiohttp's client repeats a PUT once by itself when the server hangs up.
    assert mosip.sandbox.record.applications[aid].creates_accepted == 2
    assert await mosip.field(aid, "fullName") is not None


async def test_trigger_reset_after_creates_and_hangs_up(mosip: Caller) -> None:
    mosip.sandbox.faults.set("trigger_reset_after", times=1)
    aid = new_aid()
    await hangs_up(mosip.trigger(trigger(aid)))
    assert (await mosip.trigger(trigger(aid)))[1]["errors"][0]["errorCode"] == "RPR-WIS-001"
    assert mosip.sandbox.record.applications[aid].triggers_accepted == 1


async def test_trigger_wis_000_creates_nothing(mosip: Caller) -> None:
    mosip.sandbox.faults.set("trigger_wis_000", times=1)
    aid = new_aid()
    assert (await mosip.trigger(trigger(aid)))[1]["errors"][0]["errorCode"] == "RPR-WIS-000"
    assert (await mosip.trigger(trigger(aid)))[1]["response"]


async def test_trigger_slow_has_created_the_workflow_long_before_it_answers(mosip: Caller) -> None:
    mosip.sandbox.faults.set("trigger_slow", seconds=0.2, times=1)
    aid = new_aid()
    slow = asyncio.create_task(mosip.trigger(trigger(aid)))
    await asyncio.sleep(0.05)
    assert (await mosip.trigger(trigger(aid)))[1]["errors"][0]["errorCode"] == "RPR-WIS-001"
    assert (await slow)[1]["response"]


async def test_throttling_says_when_to_come_back(mosip: Caller) -> None:
    mosip.sandbox.faults.set("throttle_429", times=2, seconds=3)
    for call in (mosip.create(birth(new_aid())), mosip.trigger(trigger(new_aid()))):
        status, _, headers = await call
        assert (status, headers["Retry-After"]) == (429, "3")


async def test_a_cut_reply_arrives_half_though_the_work_is_done(mosip: Caller) -> None:
    mosip.sandbox.faults.set("reply_cut", times=2)
    aid = new_aid()
    await hangs_up(mosip.create(birth(aid)))
    await hangs_up(mosip.trigger(trigger(aid)))
    seen = mosip.sandbox.record.applications[aid]
    assert (seen.creates_accepted, seen.triggers_accepted) == (1, 1)


async def test_a_valid_token_can_be_called_expired(mosip: Caller) -> None:
    mosip.sandbox.faults.set("token_expired", times=1)
    status, answer, _ = await mosip.create(birth(new_aid()))
    assert (status, answer["errors"][0]["errorCode"]) == (401, "KER-ATH-401")
    assert (await mosip.create(birth(new_aid())))[0] == 200


async def results(mosip: Caller, subscriber: Subscriber, **faults: float) -> list[str]:
    """Subscribe, set faults, finish three births; :returns: their AIDs in order."""
    await mosip.subscribe(subscriber)
    aids = [await mosip.submit(birth(new_aid())) for _ in range(3)]
    for name, seconds in faults.items():
        mosip.sandbox.faults.set(name, aid=aids[0], seconds=seconds)
    await mosip.sandbox.tick()
    return aids


def heard(subscriber: Subscriber) -> list[str]:
    """AIDs of the events received."""
    return [event["instanceId"] for event in subscriber.events]


async def test_an_event_can_come_twice(mosip: Caller, subscriber: Subscriber) -> None:
    one, two, three = await results(mosip, subscriber, event_duplicate=0)
    assert heard(subscriber) == [one, one, two, three]


async def test_an_event_can_be_late(mosip: Caller, subscriber: Subscriber) -> None:
    one, two, three = await results(mosip, subscriber, event_delay=0.5)
    assert heard(subscriber) == [two, three]
    await until(lambda: heard(subscriber) == [two, three, one])


async def test_an_event_can_come_out_of_order(mosip: Caller, subscriber: Subscriber) -> None:
    one, two, three = await results(mosip, subscriber, event_reorder=1)
    assert heard(subscriber) == [two, one, three]


async def test_an_event_held_back_comes_even_if_no_other_follows(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("event_reorder", seconds=0.05)
    aid = await mosip.submit(birth(new_aid()))
    await mosip.sandbox.tick()
    await until(lambda: heard(subscriber) == [aid])


async def test_an_event_can_be_lost_for_good(mosip: Caller, subscriber: Subscriber) -> None:
    one, two, three = await results(mosip, subscriber, event_lost=0)
    assert heard(subscriber) == [two, three]
    seen = mosip.sandbox.record.applications[one]
    assert (seen.result, seen.events_published, seen.events_lost) == ("PROCESSED", 0, 1)


async def test_an_event_can_arrive_before_the_trigger_answers(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("event_before_answer")
    aid = new_aid()
    await mosip.create(birth(aid))
    assert (await mosip.trigger(trigger(aid)))[1]["response"]
    assert heard(subscriber) == [aid]
    await mosip.sandbox.tick()
    assert mosip.sandbox.record.applications[aid].finished == 1


async def test_a_delivery_can_be_signed_in_the_legacy_way(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set("legacy_signature")
    await mosip.finish(birth(new_aid()))
    assert subscriber.received[0][1]["X-Hub-Signature"].startswith("SHA256=")


@pytest.mark.parametrize(
    ("fault", "result", "events"),
    [
        ("reject", "REJECTED", [("REJECTED", "PACKET_REJECTED")]),
        ("fail", "FAILED", [("FAILED", "PACKET_FAILED")]),
        ("reprocess_failed", "REPROCESS_FAILED", []),
    ],
)
async def test_a_workflow_can_end_badly(
    mosip: Caller, subscriber: Subscriber, fault: str, result: str, events: list[tuple[str, str]]
) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set(fault)
    seen = await mosip.finish(birth(new_aid()))
    assert (seen["result"], seen["uin"]) == (result, None)
    assert [(event["resultCode"], event["errorCode"]) for event in subscriber.events] == events


async def test_a_half_created_instance_is_a_duplicate_for_ever_and_never_runs(mosip: Caller) -> None:
    mosip.sandbox.faults.set("half_created", times=1)
    aid = new_aid()
    await mosip.create(birth(aid))
    await hangs_up(mosip.trigger(trigger(aid)))
    assert (await mosip.trigger(trigger(aid)))[1]["errors"][0]["errorCode"] == "RPR-WIS-001"
    assert await mosip.sandbox.tick() == {}
    seen = mosip.sandbox.record.applications[aid]
    assert (seen.half_created, seen.triggers_accepted, seen.result) == (1, 0, None)


async def test_a_half_created_instance_of_the_other_reading_recovers(mosip: Caller) -> None:
    mosip.sandbox.faults.set("half_created_recovers", times=1)
    aid = new_aid()
    await mosip.create(birth(aid))
    await hangs_up(mosip.trigger(trigger(aid)))
    assert (await mosip.trigger(trigger(aid)))[1]["response"]
    assert await mosip.sandbox.tick() == {"PROCESSED": 1}
