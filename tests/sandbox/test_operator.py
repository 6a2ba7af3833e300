"""Pauses, and what an operator makes of a workflow later (mosip-events.md §2.1, §2.2, §4.5)."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_calls import STATUS, TOPIC, Caller, Subscriber
from sandbox_samples import birth, new_aid

from sandbox.events import PAUSED_TOPIC
from sandbox.wire import now_text


async def act(mosip: Caller, aid: str, action: str) -> int:
    """The HTTP status of an operator's action."""
    return (await mosip.call("POST", "/sandbox/operator", {"aid": aid, "action": action}))[0]


async def external(mosip: Caller, aid: str) -> dict[str, Any]:
    """What polling says of an application."""
    body = {"id": "mosip.registration.external.status", "version": "1.0", "requesttime": now_text()}
    _, answer, _ = await mosip.call(
        "POST", f"{STATUS}/externalstatus/search", body | {"request": [{"registrationId": aid}]}
    )
    return dict(answer["response"][0])


def results(mosip: Caller, aid: str) -> list[str]:
    """Every end and pause, in order."""
    return [outcome.result for outcome in mosip.sandbox.record.applications[aid].results]


async def test_a_pause_is_told_and_lasts_until_an_operator_acts(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber, PAUSED_TOPIC)
    mosip.sandbox.faults.set("pause")
    seen = await mosip.finish(birth(aid := new_aid()))
    await mosip.sandbox.tick()
    assert (seen["result"], seen["finished"], seen["paused"]) == ("PAUSED_FOR_ADDITIONAL_INFO", 0, 1)
    (event,) = subscriber.events
    process = event["additionalInfoProcess"]
    assert set(event) == {"instanceId", "workflowType", "additionalInfoProcess", "additionalInfoRequestId"}
    assert (event["instanceId"], event["workflowType"]) == (aid, "CRVS_NEW")
    assert event["additionalInfoRequestId"] == f"{aid}-{process}-1"
    assert (await external(mosip, aid))["statusCode"] == "AWAITING_INFORMATION"
    totals = await mosip.totals()
    assert (totals["paused"], totals["finished"], totals["unfinished"]) == (1, 0, 1)
    assert await act(mosip, aid, "resume") == 200
    await mosip.sandbox.tick()
    assert results(mosip, aid) == ["PAUSED_FOR_ADDITIONAL_INFO", "PROCESSED"]
    assert (await external(mosip, aid))["statusCode"] == "UIN_GENERATED"


@pytest.mark.parametrize(
    ("fault", "ended"), [("fail", "FAILED"), ("reject", "REJECTED"), ("reprocess_failed", "REPROCESS_FAILED")]
)
async def test_an_operator_can_complete_what_had_ended_badly(
    mosip: Caller, subscriber: Subscriber, fault: str, ended: str
) -> None:
    await mosip.subscribe(subscriber)
    mosip.sandbox.faults.set(fault)
    aid = (await mosip.finish(birth(new_aid()))) and next(iter(mosip.sandbox.record.applications))
    assert await act(mosip, aid, "resume") == 200
    assert (await external(mosip, aid))["statusCode"] == "PROCESSING"
    await mosip.sandbox.tick()
    assert results(mosip, aid) == [ended, "PROCESSED"]
    codes = [event["resultCode"] for event in subscriber.events]
    assert codes == ([] if ended == "REPROCESS_FAILED" else [ended]) + ["PROCESSED"]
    assert mosip.sandbox.record.applications[aid].uin is not None


async def test_a_resumed_packet_that_is_still_wrong_fails_again(mosip: Caller) -> None:
    await mosip.finish(birth(aid := new_aid(), dateOfBirth="x"))
    await act(mosip, aid, "resume")
    await mosip.sandbox.tick()
    assert results(mosip, aid) == ["FAILED", "FAILED"]


@pytest.mark.parametrize("action", ["stop", "reject"])
async def test_an_operator_can_end_what_waits(mosip: Caller, subscriber: Subscriber, action: str) -> None:
    await mosip.subscribe(subscriber, TOPIC)
    waiting = await mosip.submit(birth(new_aid()))
    assert await act(mosip, waiting, action) == 200
    assert await mosip.sandbox.tick() == {}
    mosip.sandbox.faults.set("pause")
    await mosip.finish(birth(paused := new_aid()))
    assert await act(mosip, paused, action) == 200
    await mosip.sandbox.tick()
    assert [(event["instanceId"], event["errorCode"]) for event in subscriber.events] == [
        (waiting, "PACKET_REJECTED"), (paused, "PACKET_REJECTED")
    ]  # fmt: skip
    assert (await external(mosip, paused))["statusCode"] == "REJECTED"


async def test_only_a_rejection_can_undo_a_completion_and_the_identity_stays(mosip: Caller) -> None:
    seen = await mosip.finish(birth(aid := new_aid()))
    assert [await act(mosip, aid, action) for action in ("resume", "stop", "reject")] == [409, 409, 200]
    assert results(mosip, aid) == ["PROCESSED", "REJECTED"]
    found = mosip.sandbox.record.applications[aid]
    assert (found.result, found.uin) == ("REJECTED", seen["uin"])
    await act(mosip, aid, "resume")
    await mosip.sandbox.tick()
    assert found.uin == seen["uin"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[", 400),
        ({"aid": "x", "action": "resume"}, 404),
        ({"aid": "x", "action": "dance"}, 400),
        ({"action": "stop"}, 404),
    ],
)
async def test_an_action_that_makes_no_sense_is_refused(mosip: Caller, body: Any, status: int) -> None:
    assert (await mosip.call("POST", "/sandbox/operator", body))[0] == status


async def test_one_child_has_two_uins_when_a_rejected_application_is_completed_after_its_replacement(
    mosip: Caller,
) -> None:
    mosip.sandbox.faults.set("reject", times=1)
    await mosip.finish(birth(first := new_aid()))
    await mosip.finish(birth(new_aid()))
    assert (await mosip.totals())["children_with_two_uins"] == 0
    await act(mosip, first, "resume")
    await mosip.sandbox.tick()
    totals = await mosip.totals()
    assert (totals["children_with_two_uins"], totals["uins_issued"]) == (1, 2)
    await act(mosip, first, "reject")
    assert (await mosip.totals())["children_with_two_uins"] == 1


async def test_a_publish_of_any_topic_can_be_lost_at_its_source(mosip: Caller, subscriber: Subscriber) -> None:
    for topic in (TOPIC, PAUSED_TOPIC, "IDENTITY_CREATED"):
        await mosip.subscribe(subscriber, topic)
    mosip.sandbox.faults.set("publish_lost")
    seen = await mosip.finish(birth(new_aid()))
    assert (subscriber.events, seen["events_lost"], seen["identity_events_lost"]) == ([], 1, 1)
    mosip.sandbox.faults.set("pause")
    await mosip.finish(birth(new_aid()))
    assert subscriber.events == []
    mosip.sandbox.faults.clear()
    mosip.sandbox.faults.set("identity_event_lost")
    await mosip.finish(birth(aid := new_aid()))
    assert [event.get("instanceId") for event in subscriber.events] == [aid]
