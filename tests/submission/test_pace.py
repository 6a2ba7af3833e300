"""The pace: no faster than the gate allows, quiet when MOSIP asks for it, never waiting without need."""

from __future__ import annotations

import asyncio
import time

from mosip_crvs.ledger.rates import Reservation
from mosip_crvs.submission.pace import UNLIMITED_HANDFUL, Pace, backoff


class Gate:
    """A gate of its own for one task."""

    def __init__(self, per_second: float = 0.0, slow: float = 0.0) -> None:
        self.spacing = 1 / per_second if per_second else 0.0
        self.slow = slow
        self.next_free = time.monotonic()
        self.reserved: list[int] = []
        self.pauses: list[float] = []

    def reserve(self, events: int) -> Reservation:
        time.sleep(self.slow)
        now = time.monotonic()
        begins = max(self.next_free, now)
        self.next_free = begins + events * self.spacing
        self.reserved.append(events)
        return Reservation(begins - now, self.spacing)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


async def test_events_leave_at_the_rate_over_many_handfuls() -> None:
    gate = Gate(per_second=100)
    pace = Pace(gate.reserve, gate.pause, 100)
    started = time.monotonic()
    await asyncio.gather(*(pace.next_event() for _ in range(120)))
    assert 1.15 < time.monotonic() - started < 1.8
    assert set(gate.reserved) == {25}


async def test_without_a_ceiling_a_slow_ledger_is_waited_for_once_a_handful_at_most() -> None:
    gate = Gate(slow=0.05)
    pace = Pace(gate.reserve, gate.pause, 0)
    await pace.next_event()
    for _ in range(UNLIMITED_HANDFUL // 2):
        await pace.next_event()
    await asyncio.sleep(0.1)  # the next handful is fetched meanwhile
    started = time.monotonic()
    for _ in range(UNLIMITED_HANDFUL // 2 + 10):
        await pace.next_event()
    assert time.monotonic() - started < 0.04
    assert gate.reserved[:2] == [UNLIMITED_HANDFUL] * 2


async def test_a_pause_that_another_task_asked_for_is_obeyed_with_the_next_handful() -> None:
    gate = Gate()
    pace = Pace(gate.reserve, gate.pause, 0)
    for _ in range(UNLIMITED_HANDFUL // 2 - 1):
        await pace.next_event()
    gate.next_free = time.monotonic() + 0.4
    started = time.monotonic()
    for _ in range(UNLIMITED_HANDFUL // 2 + 2):
        await pace.next_event()
    assert time.monotonic() - started > 0.3


async def test_quiet_is_kept_for_as_long_as_mosip_asked_and_all_are_told() -> None:
    gate = Gate()
    pace = Pace(gate.reserve, gate.pause, 0)
    await pace.next_event()
    await pace.quiet(0.5)
    started = time.monotonic()
    await pace.next_event()
    assert time.monotonic() - started >= 0.45
    assert gate.pauses == [0.5]


async def test_refusals_in_a_row_double_the_quiet_and_an_acceptance_ends_that() -> None:
    gate = Gate()
    pace = Pace(gate.reserve, gate.pause, 0)
    for _ in range(3):
        await pace.quiet(None)
    assert gate.pauses == [1.0, 2.0, 4.0]
    pace.accepted()
    await pace.quiet(20.0)
    assert gate.pauses[-1] == 20.0


def test_a_repeated_call_waits_longer_each_time_and_never_less_than_asked() -> None:
    assert all(0.25 <= backoff(1, None) <= 0.5 for _ in range(50))
    assert all(10.0 <= backoff(9, None) <= 20.0 for _ in range(50))
    assert backoff(1, 7.5) == 7.5
