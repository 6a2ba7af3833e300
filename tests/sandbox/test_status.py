"""The status calls with their caps, collapses and traps (mosip-packets.md §4.3, §6.2, mosip-events.md §4.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sandbox_calls import STATUS, Caller
from sandbox_samples import birth, new_aid, trigger

from sandbox.settings import SHIPPED_MAIN_PROCESSES

IDS = {
    "/search": "mosip.registration.status",
    "/externalstatus/search": "mosip.registration.external.status",
    "/packetexternalstatus": "mosip.registration.packet.external.status",
}


def asking(path: str, aids: list[str], **changes: Any) -> dict[str, Any]:
    """A body of a status call."""
    key = "packetId" if path == "/packetexternalstatus" else "registrationId"
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    body = {"id": IDS[path], "version": "1.0", "requesttime": now, "request": [{key: aid} for aid in aids]}
    return {name: value for name, value in (body | changes).items() if value is not None}


async def status(mosip: Caller, path: str, aids: list[str], **changes: Any) -> dict[str, Any]:
    """The whole answer of a status call."""
    code, answer, _ = await mosip.call("POST", STATUS + path, asking(path, aids, **changes))
    assert code == 200
    return dict(answer)


async def ended(mosip: Caller) -> dict[str, str]:
    """Four applications with four ends, and one not begun."""
    aids = {name: await mosip.submit(birth(new_aid())) for name in ("good", "reject", "fail", "reprocess_failed")}
    for name, aid in aids.items():
        if name != "good":
            mosip.sandbox.faults.set(name, aid=aid)
    await mosip.sandbox.tick()
    return aids | {"waiting": await mosip.submit(birth(new_aid()))}


async def test_search_cannot_tell_success_from_refusal(mosip: Caller) -> None:
    aids = await ended(mosip)
    found = (await status(mosip, "/search", list(aids.values())))["response"]
    assert [item["statusCode"] for item in found] == ["PROCESSED"] * 4 + ["PROCESSING"]


async def test_external_status_can(mosip: Caller) -> None:
    aids = await ended(mosip)
    found = (await status(mosip, "/externalstatus/search", list(aids.values())))["response"]
    codes = {name: item["statusCode"] for name, item in zip(aids, found, strict=True)}
    assert codes == {
        "good": "UIN_GENERATED",
        "reject": "REJECTED",
        "fail": "REREGISTER",
        "reprocess_failed": "REREGISTER",
        "waiting": "PROCESSING",
    }


async def test_search_drops_everything_past_the_hundredth_id_without_a_word(mosip: Caller) -> None:
    answer = await status(mosip, "/search", [new_aid() for _ in range(120)])
    assert (len(answer["response"]), len(answer["errors"])) == (0, 100)


@pytest.mark.parametrize("path", ["/search", "/externalstatus/search"])
async def test_an_unknown_id_is_an_error_beside_the_answers(mosip: Caller, path: str) -> None:
    aid, stranger = await mosip.submit(birth(new_aid())), new_aid()
    answer = await status(mosip, path, [aid, stranger])
    assert [item["registrationId"] for item in answer["response"]] == [aid]
    assert [(item["registrationId"], item["errorCode"]) for item in answer["errors"]] == [(stranger, "RPR-RGS-031")]
    assert "errorMessage" in answer["errors"][0]


async def test_with_the_shipped_main_processes_one_crvs_id_poisons_the_batch(start: Any) -> None:
    mosip = await start(main_processes=SHIPPED_MAIN_PROCESSES)
    aid = await mosip.submit(birth(new_aid()))
    answer = await status(mosip, "/externalstatus/search", [new_aid(), aid])
    assert (answer["response"], answer["errors"][0]["errorCode"]) == (None, "RPR-RGS-018")
    assert (await status(mosip, "/externalstatus/search", [new_aid()]))["errors"][0]["errorCode"] == "RPR-RGS-031"
    await mosip.call("POST", "/sandbox/faults", {"main_processes": "with_crvs"})
    assert (await status(mosip, "/externalstatus/search", [aid]))["response"][0]["statusCode"] == "PROCESSING"


async def test_packet_external_status_never_finds_a_triggered_application(mosip: Caller) -> None:
    aid = await mosip.submit(birth(new_aid()))
    assert (await status(mosip, "/packetexternalstatus", [aid]))["errors"][0]["errorCode"] == "RPR-RGS-037"


@pytest.mark.parametrize("path", ["/search", "/externalstatus/search"])
async def test_a_half_created_instance_stays_upload_pending(mosip: Caller, path: str) -> None:
    aid = new_aid()
    mosip.sandbox.faults.set("half_created", times=1)
    with pytest.raises(Exception, match=r"disconnected|reset"):
        await mosip.trigger(trigger(aid))
    assert (await status(mosip, path, [aid]))["response"][0]["statusCode"] == "UPLOAD_PENDING"


LATE = (datetime.now(UTC) - timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": "mosip.registration.sync"}, "RPR-RGS-024"), ({"id": None}, "RPR-RGS-021"),
        ({"version": "v1"}, "RPR-RGS-022"), ({"version": None}, "RPR-RGS-019"),
        ({"requesttime": "now"}, "RPR-RGS-023"), ({"requesttime": None}, "RPR-RGS-020"),
        ({"requesttime": LATE}, "RPR-RGS-023"), ({"request": None}, "RPR-RGS-016"),
    ],
)  # fmt: skip
async def test_a_wrong_envelope_is_refused_with_200(mosip: Caller, change: dict[str, Any], code: str) -> None:
    assert (await status(mosip, "/search", [], **change))["errors"][0]["errorCode"] == code


async def test_transactions_show_stage_by_stage_what_happened(mosip: Caller) -> None:
    aid = await mosip.submit(birth(new_aid(), dateOfBirth="2001/01/01"))
    await mosip.sandbox.tick()
    path = f"/registrationprocessor/v1/registrationtransaction/search/{aid}"
    _, answer, _ = await mosip.call("GET", path)
    codes = [(step["transactionTypeCode"], step["statusCode"]) for step in answer["response"]]
    assert codes[:3] == [
        ("VALIDATE_PACKET", "SUCCESS"), ("PACKET_CLASSIFICATION", "SUCCESS"), ("CMD_VALIDATION", "SUCCESS"),
    ]  # fmt: skip
    assert codes[3][1] == "FAILED"
