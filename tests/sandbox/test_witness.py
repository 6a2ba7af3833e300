"""The record tells a careful sender from a careless one while everything goes wrong at once."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
from sandbox_calls import Caller
from sandbox_samples import birth, new_aid, trigger, words

CHAOS = {
    "create_null": 0.1, "create_500": 0.05, "create_502": 0.05, "create_reset_after": 0.1, "trigger_reset_after": 0.1,
    "trigger_wis_000": 0.1, "throttle_429": 0.05, "reply_cut": 0.1, "token_expired": 0.05, "event_duplicate": 0.1,
    "event_lost": 0.1, "event_reorder": 0.1, "event_before_answer": 0.05, "reject": 0.05, "fail": 0.05,
}  # fmt: skip
CHILDREN = 60


async def sure(call: Any, done: Any) -> None:
    """Repeat a call until its answer says that it is done."""
    for _ in range(60):
        try:
            _, answer, _ = await call()
        except aiohttp.ClientError:
            continue
        if isinstance(answer, dict) and done(answer):
            return
    raise AssertionError("it never succeeded")


def created(answer: dict[str, Any]) -> bool:
    """Packets came back."""
    return bool(answer.get("response"))


def triggered(answer: dict[str, Any]) -> bool:
    """Accepted now, or before."""
    codes = [error["errorCode"] for error in answer.get("errors") or ()]
    return bool(answer.get("response")) or codes == ["RPR-WIS-001"]


async def careful(mosip: Caller, child: int) -> None:
    """One AID; the packet until it is there, then only the trigger."""
    aid = new_aid()
    body = birth(aid, fullName=words(f"Child {child}"))
    await sure(lambda: mosip.create(body), created)
    await sure(lambda: mosip.trigger(trigger(aid)), triggered)


async def careless(mosip: Caller, child: int) -> None:
    """A new AID whenever an answer stays away; the packet once more after the trigger."""
    for _ in range(60):
        aid = new_aid()
        body = birth(aid, fullName=words(f"Child {child}"))
        try:
            if created((await mosip.create(body))[1]) and triggered((await mosip.trigger(trigger(aid)))[1]):
                await mosip.create(body)
                return
        except (aiohttp.ClientError, AttributeError):
            continue


async def test_a_careful_sender_commits_no_sin_whatever_goes_wrong(start: Any) -> None:
    mosip = await start(faults=CHAOS, seed=7)
    await asyncio.gather(*(careful(mosip, child) for child in range(CHILDREN)))
    await mosip.sandbox.tick()
    totals = await mosip.totals()
    assert (totals["aids"], totals["triggers_accepted"], totals["unfinished"]) == (CHILDREN, CHILDREN, 0)
    assert (totals["creates_after_trigger"], totals["children_with_two_uins"]) == (0, 0)
    assert totals["triggers_duplicate"] > 0
    assert sum(totals["results"].values()) == CHILDREN


async def test_a_careless_sender_is_found_out(start: Any) -> None:
    mosip = await start(faults=CHAOS, seed=7)
    await asyncio.gather(*(careless(mosip, child) for child in range(CHILDREN)))
    await mosip.sandbox.tick()
    totals = await mosip.totals()
    assert totals["children_with_two_uins"] > 0
    assert totals["creates_after_trigger"] > 0


async def test_the_record_holds_for_every_application_what_the_totals_add_up(start: Any) -> None:
    mosip = await start(faults=CHAOS, seed=3)
    await asyncio.gather(*(careful(mosip, child) for child in range(CHILDREN)))
    await mosip.sandbox.tick()
    record = mosip.sandbox.record.view()
    for name in ("creates_accepted", "triggers_accepted", "triggers_duplicate", "events_published", "events_lost"):
        assert record["totals"][name] == sum(seen[name] for seen in record["aids"].values())
    assert record["totals"]["uins_issued"] == sum(1 for seen in record["aids"].values() if seen["uin"])
