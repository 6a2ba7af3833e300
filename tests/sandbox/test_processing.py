"""What becomes of a triggered packet (mosip-packets.md §7, mosip-events.md §2.1, §4.4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sandbox_calls import Caller, Subscriber, until
from sandbox_samples import REMOVE, birth, changed, death, label_values, new_aid, this_year, trigger, words

from sandbox.identities import check_digit

YEAR = datetime.now(UTC).year
OTHER_CENTER = label_values({"registrationType": "CRVS_NEW", "centerId": "99999", "machineId": "10077"})
OTHER_MACHINE = label_values({"registrationType": "CRVS_NEW", "centerId": "10001", "machineId": "99999"})


def operations(**labels: str | None) -> tuple[Any, ...]:
    """A change of the packet's operationsData."""
    return ("request", "metaInfo", "operationsData", label_values(dict(labels)))


ENDS: list[tuple[str, tuple[Any, ...], str, str | None]] = [
    ("a complete birth", (), "PROCESSED", None),
    ("an officer in capitals", operations(officerId="CRVS", officerPassword="true"), "PROCESSED", None),
    ("a one-time password", operations(officerId="crvs", officerOTPAuthentication="true"), "PROCESSED", None),
    ("a supervisor alone", operations(supervisorId="crvs", supervisorPassword="true"), "PROCESSED", None),
    ("a null supervisor", operations(officerId="crvs", officerPassword="true", supervisorId=None), "PROCESSED", None),
    ("an unknown officer", operations(officerId="nobody", officerPassword="true"), "FAILED", "RPR-OVM-FAILED-001"),
    ("an officer without proof", operations(officerId="crvs", officerPassword="false"), "FAILED", "RPR-OVM-FAILED-003"),
    ("nobody", operations(officerPassword="true"), "FAILED", "RPR-OVM-FAILED-005"),
    ("another centre", ("request", "metaInfo", "metaData", OTHER_CENTER), "FAILED", "RPR-CMD-FAILED-002"),
    ("another machine", ("request", "metaInfo", "metaData", OTHER_MACHINE), "FAILED", "RPR-CMD-FAILED-004"),
    ("no metaInfo", ("request", "metaInfo", REMOVE), "FAILED", "RPR-PKC-FAILED-001"),
    ("no devices", ("request", "metaInfo", "capturedRegisteredDevices", REMOVE), "FAILED", "RPR-PKC-FAILED-001"),
    ("no fields", ("request", "fields", {}), "FAILED", "RPR-PKV-FAILED-012"),
    ("a date with dashes", ("request", "fields", "dateOfBirth", "2025-01-01"), "FAILED", "RPR-PKV-FAILED-012"),
    ("plain text for a simpleType", ("request", "fields", "gender", "Female"), "FAILED", "RPR-PKV-FAILED-012"),
    ("a birth with a UIN", ("request", "fields", "UIN", "2345678901"), "FAILED", "RPR-UIN-FAILED-001"),
    ("a source in part", ("request", "source", "CRVS"), "FAILED", "RPR-PKV-FAILED-018"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "result", "reason"), [pytest.param(c, r, why, id=name) for name, c, r, why in ENDS])
async def test_a_birth_ends_like_this(mosip: Caller, change: tuple[Any, ...], result: str, reason: str | None) -> None:
    body = birth(new_aid())
    seen = await mosip.finish(changed(body, *change) if change else body)
    assert (seen["result"], seen["reason"]) == (result, reason)
    assert (seen["uin"] is not None) == (result == "PROCESSED")


@pytest.mark.parametrize(
    ("born", "result"),
    [
        (f"{YEAR}/01/01", "PROCESSED"),
        (f"{YEAR - 5}/01/01", "PROCESSED"),
        (f"{YEAR - 6}/12/31", "PROCESSED" if (datetime.now(UTC).month, datetime.now(UTC).day) < (12, 31) else "FAILED"),
        (f"{YEAR - 6}/01/01", "FAILED"),
        (f"{YEAR + 1}/01/01", "FAILED"),
        (f"{YEAR - 1}/02/31", "FAILED"),
    ],
)
async def test_only_a_child_of_0_to_5_years_passes_the_infant_gate(mosip: Caller, born: str, result: str) -> None:
    assert (await mosip.finish(birth(new_aid(), dateOfBirth=born)))["result"] == result


async def test_a_packet_made_on_a_holiday_fails(start: Any) -> None:
    mosip = await start(holidays=frozenset({datetime.now(UTC).date().isoformat()}))
    assert (await mosip.finish(birth(new_aid())))["reason"] == "RPR-CMD-FAILED-010"


async def test_a_trigger_without_a_packet_is_accepted_and_fails_later(mosip: Caller) -> None:
    aid = new_aid()
    assert (await mosip.trigger(trigger(aid)))[1]["response"]
    await mosip.sandbox.tick()
    assert mosip.sandbox.record.applications[aid].reason == "RPR-PKV-FAILED-018"


@pytest.mark.parametrize("source", ["CVRS1", "", None])
async def test_a_trigger_with_a_wrong_source_fails_later(mosip: Caller, source: str | None) -> None:
    aid = new_aid()
    await mosip.create(birth(aid))
    await mosip.trigger(changed(trigger(aid), "request", "source", source))
    await mosip.sandbox.tick()
    assert mosip.sandbox.record.applications[aid].result == "FAILED"


async def test_the_same_source_in_part_on_both_sides_fails_because_meta_info_is_read_by_default(mosip: Caller) -> None:
    aid = new_aid()
    await mosip.create(changed(birth(aid), "request", "source", "CRVS"))
    await mosip.trigger(changed(trigger(aid), "request", "source", "CRVS"))
    await mosip.sandbox.tick()
    assert mosip.sandbox.record.applications[aid].result == "FAILED"


async def test_one_child_under_two_aids_gets_two_uins(mosip: Caller) -> None:
    one = await mosip.finish(birth(new_aid()))
    two = await mosip.finish(birth(new_aid()))
    assert one["digest"] == two["digest"]
    assert one["uin"] != two["uin"]
    totals = await mosip.totals()
    assert (totals["children"], totals["children_with_two_uins"], totals["uins_issued"]) == (1, 1, 2)


async def test_two_children_are_two_children(mosip: Caller) -> None:
    await mosip.finish(birth(new_aid(), fullName=words("Twin One")))
    await mosip.finish(birth(new_aid(), fullName=words("Twin Two"), introducerInfoToken="x"))
    totals = await mosip.totals()
    assert (totals["children"], totals["children_with_two_uins"]) == (2, 0)


async def test_the_fields_that_tell_children_apart_can_be_chosen(start: Any) -> None:
    mosip = await start(digest_fields=("fullName", "dateOfBirth"))
    await mosip.finish(birth(new_aid()))
    await mosip.finish(birth(new_aid(), addressLine1=words("Moved")))
    assert (await mosip.totals())["children_with_two_uins"] == 1


async def test_uins_have_ten_digits_and_a_verhoeff_check_digit(mosip: Caller) -> None:
    uins = [mosip.sandbox.identities.create(new_aid()) for _ in range(500)]
    assert len(set(uins)) == 500
    assert all(len(uin) == 10 and uin[0] not in "01" and check_digit(uin[:9]) == uin[9] for uin in uins)
    assert check_digit("236") == "3"


async def test_a_death_with_a_uin_updates_and_does_not_deactivate(mosip: Caller) -> None:
    seen = await mosip.finish(death(new_aid()))
    assert (seen["result"], seen["action"], seen["uin"]) == ("PROCESSED", "update", "2345678901")
    assert mosip.sandbox.identities.declared_deceased == {"2345678901"}


async def test_a_death_without_a_uin_creates_a_new_identity(mosip: Caller) -> None:
    seen = await mosip.finish(death(new_aid(), UIN=REMOVE))
    assert (seen["result"], seen["action"]) == ("PROCESSED", "create")
    assert (await mosip.totals())["uins_issued_to_deaths"] == 1


async def test_a_death_of_an_unknown_uin_fails(start: Any) -> None:
    mosip = await start(known_uins="issued")
    assert (await mosip.finish(death(new_aid())))["reason"] == "RPR-UIN-FAILED-003"
    uin = (await mosip.finish(birth(new_aid())))["uin"]
    assert (await mosip.finish(death(new_aid(), UIN=uin)))["result"] == "PROCESSED"


async def test_nothing_happens_before_the_tick_and_no_more_than_its_quota(mosip: Caller) -> None:
    aids = [await mosip.submit(birth(new_aid())) for _ in range(5)]
    results = [mosip.sandbox.record.applications[aid].result for aid in aids]
    assert results == [None] * 5
    _, answer, _ = await mosip.call("POST", "/sandbox/tick?quota=2")
    assert (answer["taken"], answer["results"], answer["resumable"]) == (2, {"PROCESSED": 2}, 3)
    done = [aid for aid in aids if mosip.sandbox.record.applications[aid].finished]
    assert done == aids[:2]


async def test_the_sandbox_ticks_by_itself(start: Any, subscriber: Subscriber) -> None:
    mosip = await start(tick_seconds=0.05)
    await mosip.subscribe(subscriber)
    aid = await mosip.submit(birth(new_aid()))
    await until(lambda: subscriber.events)
    assert subscriber.events[0]["instanceId"] == aid


async def test_the_completed_event_is_flat_and_tiny(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    good = (await mosip.submit(birth(new_aid())), await mosip.submit(birth(new_aid(), dateOfBirth="x")))
    await mosip.sandbox.tick()
    assert subscriber.events == [
        {"instanceId": good[0], "resultCode": "PROCESSED", "workflowType": "CRVS_NEW", "errorCode": None},
        {"instanceId": good[1], "resultCode": "FAILED", "workflowType": "CRVS_NEW", "errorCode": "PACKET_FAILED"},
    ]


@pytest.mark.parametrize(
    ("body", "topic"), [(birth(new_aid()), "IDENTITY_CREATED"), (death(new_aid()), "IDENTITY_UPDATED")]
)
async def test_the_id_repository_tells_of_the_identity_in_snake_case(
    mosip: Caller, subscriber: Subscriber, body: dict[str, Any], topic: str
) -> None:
    await mosip.subscribe(subscriber, topic)
    await mosip.finish(body)
    (event,) = subscriber.events
    assert (event["publisher"], event["topic"]) == ("ID_REPO", topic)
    assert event["event"]["data"]["registration_id"] == event["event"]["transactionId"] == body["request"]["id"]


async def test_a_create_after_an_accepted_trigger_is_counted_as_the_sin_it_is(mosip: Caller) -> None:
    aid = await mosip.submit(birth(new_aid()))
    assert (await mosip.create(birth(aid)))[1]["response"]
    seen = mosip.sandbox.record.applications[aid]
    assert (seen.creates_accepted, seen.creates_after_trigger) == (2, 1)
    assert (await mosip.totals())["aids_rewritten_after_trigger"] == 1


async def test_the_record_can_be_asked_for_one_application(mosip: Caller) -> None:
    aid = await mosip.submit(birth(new_aid(), dateOfBirth=this_year()))
    assert (await mosip.call("GET", f"/sandbox/record?aid={aid}"))[1]["triggers_accepted"] == 1
    assert (await mosip.call("GET", "/sandbox/record?aid=nobody"))[0] == 404
    assert set((await mosip.call("GET", "/sandbox/record"))[1]["aids"]) == {aid}
