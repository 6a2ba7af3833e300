"""Group commit and the backlog: nothing is acted upon before it is durable."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from mosip_crvs.errors import LedgerUnavailable
from mosip_crvs.ledger.sending import Held, TriggerOutcome
from mosip_crvs.settlement.rules import EvidenceKind
from mosip_crvs.submission.backlog import Backlog, Packet, Trigger
from mosip_crvs.submission.group import Group, GroupWriter


class Ledger:
    """Commits slowly, and remembers."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.broken = False
        self.gate = threading.Event()
        self.gate.set()

    def write(self, group: Group) -> frozenset[str]:
        self.gate.wait(5)
        if self.broken:
            raise LedgerUnavailable("away")
        self.groups.append(group)
        return frozenset(group.triggering)


async def test_nothing_is_acted_upon_before_the_commit_has_returned() -> None:
    ledger, acted = Ledger(), []
    ledger.gate.clear()
    writer = GroupWriter(ledger.write, lambda group, granted: acted.extend(granted))
    running = asyncio.create_task(writer.run())
    writer.ask_to_trigger("A")
    await asyncio.sleep(0.1)
    assert acted == []
    ledger.gate.set()
    await asyncio.sleep(0.1)
    assert acted == ["A"]
    running.cancel()


async def test_what_comes_while_a_group_is_being_committed_is_the_next_group() -> None:
    ledger = Ledger()
    writer = GroupWriter(ledger.write, lambda group, granted: None)
    running = asyncio.create_task(writer.run())
    writer.ask_to_trigger("A")
    ledger.gate.clear()
    await asyncio.sleep(0.05)
    for name in "BCD":
        writer.ask_to_trigger(name)
    writer.hold(Held("E", "X"))
    writer.record(TriggerOutcome("F", EvidenceKind.TRIGGER_ACCEPTED))
    ledger.gate.set()
    await asyncio.sleep(0.1)
    assert [group.triggering for group in ledger.groups] == [["A"], ["B", "C", "D"]]
    assert (ledger.groups[1].held, len(ledger.groups[1].outcomes)) == ([Held("E", "X")], 1)
    running.cancel()


async def test_a_commit_that_fails_grants_nothing_and_ends_the_writer() -> None:
    ledger, acted = Ledger(), []
    ledger.broken = True
    writer = GroupWriter(ledger.write, lambda group, granted: acted.append(granted))
    running = asyncio.create_task(writer.run())
    writer.ask_to_trigger("A")
    with pytest.raises(LedgerUnavailable):
        await asyncio.wait_for(running, 2)
    assert acted == []


async def test_at_the_end_of_a_failed_run_answers_are_kept_and_triggers_are_not_granted() -> None:
    ledger = Ledger()
    writer = GroupWriter(ledger.write, lambda group, granted: None)
    writer.ask_to_trigger("A")
    writer.record(TriggerOutcome("B", EvidenceKind.TRIGGER_ACCEPTED, "w"))
    await writer.keep_what_is_known()
    (group,) = ledger.groups
    assert group.triggering == []
    assert [outcome.aid for outcome in group.outcomes] == ["B"]


async def test_triggers_are_taken_before_packets() -> None:
    backlog = Backlog()
    backlog.add([Packet("A", {})], [])
    backlog.add([], [Trigger("B", first=False)])
    assert [(await backlog.take()).aid, (await backlog.take()).aid] == ["B", "A"]


async def test_waiting_callers_share_the_work_and_none_is_forgotten() -> None:
    backlog, taken = Backlog(), []

    async def caller() -> None:
        while True:
            taken.append((await backlog.take()).aid)
            await asyncio.sleep(0)
            backlog.finished(1)

    callers = [asyncio.create_task(caller()) for _ in range(5)]
    await asyncio.sleep(0)
    for start in range(0, 100, 10):
        backlog.add([Packet(f"P{number}", {}) for number in range(start, start + 10)], [])
        await asyncio.sleep(0)
    await asyncio.wait_for(backlog.until_at_most(0), 2)
    assert sorted(taken) == sorted(f"P{number}" for number in range(100))
    assert backlog.under_way == 0
    for task in callers:
        task.cancel()


async def test_a_page_waits_until_there_is_room() -> None:
    backlog = Backlog()
    backlog.add([Packet(str(number), {}) for number in range(10)], [])
    waiting = asyncio.create_task(backlog.until_at_most(4))
    for _ in range(5):
        backlog.finished(1)
    await asyncio.sleep(0)
    assert not waiting.done()
    backlog.finished(1)
    started = time.monotonic()
    await asyncio.wait_for(waiting, 1)
    assert time.monotonic() - started < 0.5


def test_a_packet_in_a_log_shows_nobody() -> None:
    assert "Zyx" not in repr(Packet("1", {"fullName": [{"language": "eng", "value": "Zyx"}]}))
