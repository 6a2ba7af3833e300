"""The faults of polling, and the half-created instance as polling sees it (mosip-events.md §4.2, §4.3)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from sandbox_calls import STATUS, Caller
from sandbox_samples import birth, new_aid, trigger

from sandbox.settings import CRVS_ROLES

IDS = {"/search": "mosip.registration.status", "/externalstatus/search": "mosip.registration.external.status"}
TRANSACTIONS = "/registrationprocessor/v1/registrationtransaction/search/"


async def ask(mosip: Caller, *aids: str, path: str = "/externalstatus/search") -> tuple[int, Any, Any]:
    """A status call about some AIDs."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    wanted = [{"registrationId": aid} for aid in aids]
    body = {"id": IDS[path], "version": "1.0", "requesttime": now, "request": wanted}
    return await mosip.call("POST", STATUS + path, body)


async def words(mosip: Caller, *aids: str, path: str = "/externalstatus/search") -> list[str]:
    """The status words of a successful call."""
    _, answer, _ = await ask(mosip, *aids, path=path)
    return [item["statusCode"] for item in answer["response"]]


async def submitted(mosip: Caller, count: int = 1) -> list[str]:
    """AIDs whose workflows wait."""
    return [await mosip.submit(birth(new_aid())) for _ in range(count)]


async def everywhere(mosip: Caller, aid: str) -> list[tuple[int, Any, Any]]:
    """Answers of the two searches and of the transactions."""
    return [
        await ask(mosip, aid),
        await ask(mosip, aid, path="/search"),
        await mosip.call("GET", TRANSACTIONS + aid),
    ]


async def test_polling_can_be_forbidden(mosip: Caller) -> None:
    (aid,) = await submitted(mosip)
    mosip.sandbox.faults.set("polling_forbidden", times=3)
    for status, answer, _ in await everywhere(mosip, aid):
        assert (status, answer["errors"][0]["errorCode"]) == (403, "KER-ATH-403")
    assert await words(mosip, aid) == ["PROCESSING"]


async def test_the_default_role_of_a_crvs_client_cannot_poll(start: Any) -> None:
    mosip = await start(client_roles=CRVS_ROLES - {"REGISTRATION_ADMIN"})
    (aid,) = await submitted(mosip)
    assert [status for status, _, _ in await everywhere(mosip, aid)] == [403, 403, 403]


async def test_the_status_service_can_be_broken(mosip: Caller) -> None:
    (aid,) = await submitted(mosip)
    mosip.sandbox.faults.set("status_500", times=3)
    for status, answer, _ in await everywhere(mosip, aid):
        assert (status, answer["status"], answer["error"]) == (500, 500, "Internal Server Error")
    assert await words(mosip, aid) == ["PROCESSING"]


async def test_the_status_service_can_be_slow(mosip: Caller) -> None:
    (aid,) = await submitted(mosip)
    mosip.sandbox.faults.set("status_slow", times=1, seconds=0.1)
    begun = time.monotonic()
    assert await words(mosip, aid) == ["PROCESSING"]
    assert time.monotonic() - begun >= 0.1


async def test_one_application_can_poison_every_batch_it_is_in_and_no_other(mosip: Caller) -> None:
    poison, *others = await submitted(mosip, 4)
    mosip.sandbox.faults.set("status_poison", aid=poison)
    for batch in ([poison], [*others, poison]):
        _, answer, _ = await ask(mosip, *batch)
        assert (answer["response"], answer["errors"][0]["errorCode"]) == (None, "RPR-RGS-018")
    assert await words(mosip, *others) == ["PROCESSING"] * 3
    assert await words(mosip, poison, path="/search") == ["PROCESSING"]


async def test_a_share_of_poison_is_always_the_same_applications(mosip: Caller) -> None:
    aids = await submitted(mosip, 60)
    mosip.sandbox.faults.set("status_poison", 0.3)

    async def poisonous() -> list[bool]:
        return [(await ask(mosip, aid))[1]["response"] is None for aid in aids]

    first = await poisonous()
    assert await poisonous() == first
    assert 0 < sum(first) < len(aids)
    assert mosip.sandbox.faults.hits["status_poison"] == 2 * sum(first)


async def test_an_unknown_application_poisons_nothing(mosip: Caller) -> None:
    mosip.sandbox.faults.set("status_poison")
    _, answer, _ = await ask(mosip, new_aid())
    assert answer["errors"][0]["errorCode"] == "RPR-RGS-031"


async def test_words_of_the_enumeration_can_come_that_mean_nothing_certain(mosip: Caller) -> None:
    aids = await submitted(mosip, 5)
    mosip.sandbox.faults.set("status_unknown_word", times=4)
    assert await words(mosip, *aids) == ["PROCESSED", "RESEND", "RECEIVED", "REPROCESS_FAILED", "PROCESSING"]


async def test_a_paused_application_awaits_information_and_says_which(mosip: Caller) -> None:
    (aid,) = await submitted(mosip)
    (row,) = mosip.sandbox.registrations.of(aid)
    row.status, row.additional_info_req_id = "PAUSED_FOR_ADDITIONAL_INFO", f"{aid}-CRVS_NEW-1"
    (found,) = (await ask(mosip, aid))[1]["response"]
    assert (found["statusCode"], found["additionalInfoReqId"]) == ("AWAITING_INFORMATION", f"{aid}-CRVS_NEW-1")
    assert await words(mosip, aid, path="/search") == ["PROCESSING"]


async def test_a_half_created_instance_is_upload_pending_and_a_duplicate_for_ever(mosip: Caller) -> None:
    aid = new_aid()
    await mosip.create(birth(aid))
    mosip.sandbox.faults.set("half_created", times=1)
    with pytest.raises(aiohttp.ClientError):
        await mosip.trigger(trigger(aid))
    for _ in range(3):
        assert (await mosip.trigger(trigger(aid)))[1]["errors"][0]["errorCode"] == "RPR-WIS-001"
        await mosip.sandbox.tick()
        assert await words(mosip, aid) == ["UPLOAD_PENDING"]
    _, answer, _ = await mosip.call("GET", TRANSACTIONS + aid)
    assert answer["errors"][0]["errorCode"] == "RPR-RGS-031"


async def test_external_status_has_no_cap(mosip: Caller) -> None:
    _, answer, _ = await ask(mosip, *(new_aid() for _ in range(120)))
    assert len(answer["errors"]) == 120
