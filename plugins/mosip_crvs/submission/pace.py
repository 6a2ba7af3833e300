"""The pace of sending: how many events may leave, and when, over all tasks together."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from mosip_crvs.ledger.rates import Reservation

Reserve = Callable[[int], Reservation]
Pause = Callable[[float], None]
UNLIMITED_HANDFUL = 500


@dataclass(frozen=True, slots=True)
class _Handful:
    events: int
    begins_at: float
    spacing: float


class Pace:
    """Lets events leave at the shared rate, and makes all tasks wait when MOSIP asks for quiet.

    Events are reserved at the ledger's gate a handful at a time, the next handful while this one is being used.

    :param reserve: reserves some events; blocking.
    :param pause: asks all tasks for some seconds of quiet; blocking.
    :param per_second: the ceiling for all tasks together; 0 for none.
    """

    def __init__(self, reserve: Reserve, pause: Pause, per_second: float) -> None:
        self._reserve = reserve
        self._pause = pause
        # A quarter of a second's worth at a time: rarely asking, and never far ahead of the others.
        self._size = max(1, min(200, int(per_second / 4))) if per_second > 0 else UNLIMITED_HANDFUL
        self._left = 0
        self._next_at = 0.0
        self._spacing = 0.0
        self._quiet_until = 0.0
        self._refused = 0
        self._upcoming: asyncio.Task[_Handful] | None = None
        self._lock = asyncio.Lock()

    async def next_event(self) -> None:
        """Wait until one more event may be sent."""
        if self._left == 0:
            async with self._lock:
                if self._left == 0:
                    await self._open_handful()
        self._left -= 1
        if self._left == self._size // 2:
            self._upcoming = asyncio.create_task(self._fetch())
        now = time.monotonic()
        leaves_at = max(self._next_at, self._quiet_until)
        self._next_at = max(leaves_at, now) + self._spacing if self._spacing else self._next_at
        if leaves_at > now:
            await asyncio.sleep(leaves_at - now)

    async def quiet(self, retry_after: float | None) -> None:
        """Back off: MOSIP said 429 or 503. Every refusal in a row doubles the quiet that it did not set itself."""
        self._refused = min(self._refused + 1, 6)
        seconds = retry_after if retry_after is not None else min(30.0, 0.5 * 2**self._refused)
        until = time.monotonic() + seconds * random.uniform(1.0, 1.2)  # noqa: S311 (jitter)
        if until > self._quiet_until + 0.25:
            self._quiet_until = until
            await asyncio.to_thread(self._pause, seconds)

    def accepted(self) -> None:
        """Note that MOSIP takes our calls again."""
        self._refused = 0

    async def _open_handful(self) -> None:
        upcoming, self._upcoming = self._upcoming, None
        handful = await upcoming if upcoming is not None else await self._fetch()
        self._left, self._spacing = handful.events, handful.spacing
        self._next_at = max(handful.begins_at, self._next_at if handful.spacing else 0.0)

    async def _fetch(self) -> _Handful:
        reservation = await asyncio.to_thread(self._reserve, self._size)
        return _Handful(self._size, time.monotonic() + reservation.wait, reservation.spacing)


def backoff(attempt: int, retry_after: float | None, *, base: float = 0.25, most: float = 20.0) -> float:
    """Give the seconds to wait before a repeated call: doubling, jittered, never less than MOSIP asked for."""
    grown = min(most, base * float(2**attempt)) * random.uniform(0.5, 1.0)  # noqa: S311 (jitter)
    return max(grown, retry_after or 0.0)
