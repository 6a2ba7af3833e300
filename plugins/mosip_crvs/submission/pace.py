"""The pace of sending: how many events may leave, and when, over all tasks together."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from mosip_crvs.ledger.rates import Reservation

Reserve = Callable[[int], Reservation]
Pause = Callable[[float], None]


class Pace:
    """Lets events leave at the shared rate, and makes all tasks wait when MOSIP asks for quiet.

    :param reserve: reserves some events at the ledger's gate; blocking.
    :param pause: asks all tasks for some seconds of quiet; blocking.
    :param per_second: the ceiling for all tasks together; 0 for none.
    """

    def __init__(self, reserve: Reserve, pause: Pause, per_second: float) -> None:
        self._reserve = reserve
        self._pause = pause
        # A quarter of a second's worth at a time: rarely asking, and never far ahead of the others.
        self._handful = max(1, min(200, int(per_second / 4))) if per_second > 0 else _UNLIMITED_HANDFUL
        self._left = 0
        self._next_at = 0.0
        self._spacing = 0.0
        self._quiet_until = 0.0
        self._refused = 0
        self._lock = asyncio.Lock()

    async def next_event(self) -> None:
        """Wait until one more event may be sent."""
        async with self._lock:
            if self._left == 0:
                reservation = await asyncio.to_thread(self._reserve, self._handful)
                self._left, self._spacing = self._handful, reservation.spacing
                self._next_at = time.monotonic() + reservation.wait
            self._left -= 1
            leaves_at = max(self._next_at, self._quiet_until)
            self._next_at = leaves_at + self._spacing
        delay = leaves_at - time.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)

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


_UNLIMITED_HANDFUL = 500


def backoff(attempt: int, retry_after: float | None, *, base: float = 0.25, most: float = 20.0) -> float:
    """Give the seconds to wait before a repeated call: doubling, jittered, never less than MOSIP asked for."""
    grown = min(most, base * float(2**attempt)) * random.uniform(0.5, 1.0)  # noqa: S311 (jitter)
    return max(grown, retry_after or 0.0)
