"""workflowinstance answers as the workflow manager does (mosip-packets.md §4.6, mosip-events.md §4.2)."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_calls import Caller
from sandbox_samples import REMOVE, birth, changed, new_aid, trigger

ACCEPTED = "accepted"

VARIANTS: list[tuple[str, tuple[Any, ...], str]] = [
    ("a complete body, though no packet exists", (), ACCEPTED),
    ("the id in capitals", ("id", "MOSIP.registration.processor.workflow.INSTANCE"), ACCEPTED),
    ("the version in capitals", ("version", "V1"), ACCEPTED),
    ("a local time", ("requesttime", "2025-02-25T11:14:17.667123"), ACCEPTED),
    ("a local time without seconds", ("requesttime", "2025-02-25T11:14"), ACCEPTED),
    ("a time of long ago", ("requesttime", "1999-01-01T00:00:00.000Z"), ACCEPTED),
    ("a misspelt source", ("request", "source", "CVRS1"), ACCEPTED),
    ("an empty source", ("request", "source", ""), ACCEPTED),
    ("no source", ("request", "source", REMOVE), ACCEPTED),
    ("no notificationInfo", ("request", "notificationInfo", REMOVE), ACCEPTED),
    ("an AID of ten characters", ("request", "registrationId", "1000110078"), ACCEPTED),
    ("an AID of letters", ("request", "registrationId", "ABCDEFGHIJKLMN"), ACCEPTED),
    ("process NEW", ("request", "process", "NEW"), ACCEPTED),
    ("no id", ("id", REMOVE), "RPR-WIN-000"),
    ("no version", ("version", REMOVE), "RPR-WIN-000"),
    ("no requesttime", ("requesttime", REMOVE), "RPR-WIN-000"),
    ("a wrong id", ("id", "mosip.registration.sync"), "RPR-WIN-001"),
    ("a wrong version", ("version", "1.0"), "RPR-WIN-001"),
    ("requesttime with seconds and Z", ("requesttime", "2025-02-25T11:14:17Z"), "RPR-WIN-001"),
    ("requesttime with microseconds and Z", ("requesttime", "2025-02-25T11:14:17.667123Z"), "RPR-WIN-001"),
    ("requesttime with an offset", ("requesttime", "2025-02-25T11:14:17+02:00"), "RPR-WIN-001"),
    ("a date as requesttime", ("requesttime", "2025-02-25"), "RPR-WIN-001"),
    ("no request", ("request", REMOVE), "RPR-WIN-002"),
    ("an AID of nine characters", ("request", "registrationId", "100011007"), "RPR-WIS-000"),
    ("no AID", ("request", "registrationId", REMOVE), "RPR-WIS-000"),
    ("no process", ("request", "process", REMOVE), "RPR-WIS-000"),
    ("an unmapped process", ("request", "process", "CRVS_UPDATE"), "RPR-WIS-000"),
    ("a process in lower case", ("request", "process", "crvs_new"), "RPR-WIS-000"),
]


@pytest.mark.parametrize(("change", "expected"), [pytest.param(c, e, id=name) for name, c, e in VARIANTS])
async def test_the_trigger_answers_this_variant_as_mosip_does(
    mosip: Caller, change: tuple[Any, ...], expected: str
) -> None:
    body = trigger(new_aid())
    status, answer, _ = await mosip.trigger(changed(body, *change) if change else body)
    assert status == 200
    if expected == ACCEPTED:
        assert answer["errors"] is None
        assert len(answer["response"]["workflowInstanceId"]) == 36
    else:
        assert answer["response"] is None
        assert [error["errorCode"] for error in answer["errors"]] == [expected]
        assert "message" in answer["errors"][0]


@pytest.mark.parametrize("body", [b"", b"{", b"[]"])
async def test_a_malformed_body_is_rpr_win_002(mosip: Caller, body: bytes) -> None:
    status, answer, _ = await mosip.trigger(body)
    assert (status, answer["errors"][0]["errorCode"]) == (200, "RPR-WIN-002")


async def test_a_second_trigger_is_a_duplicate_in_whatever_state_the_first_is(mosip: Caller) -> None:
    aid = await mosip.submit(birth(new_aid()))
    assert (await mosip.trigger(trigger(aid)))[1]["errors"][0]["errorCode"] == "RPR-WIS-001"
    await mosip.sandbox.tick()
    assert (await mosip.trigger(trigger(aid)))[1]["errors"][0]["errorCode"] == "RPR-WIS-001"
    seen = mosip.sandbox.record.applications[aid]
    assert (seen.triggers_accepted, seen.triggers_duplicate) == (1, 2)


async def test_another_process_under_the_same_aid_is_no_duplicate(mosip: Caller) -> None:
    aid = await mosip.submit(birth(new_aid()))
    assert (await mosip.trigger(trigger(aid, "CRVS_DEATH")))[1]["response"]


async def test_a_process_without_a_route_is_accepted_and_hangs(mosip: Caller) -> None:
    aid = new_aid()
    await mosip.trigger(trigger(aid, "NEW"))
    await mosip.sandbox.tick()
    assert mosip.sandbox.record.applications[aid].finished == 0
    assert mosip.sandbox.registrations.of(aid)[0].status == "PROCESSING"
