"""What is to be sent, in the order in which callers take it: triggers first, so that what was begun is ended."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from mosip_crvs.identity.schema import Identity


@dataclass(frozen=True, slots=True)
class Packet:
    """An application whose packet is to be created. Only ever one whose trigger was never attempted."""

    aid: str
    identity: Identity = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trigger:
    """An application whose trigger is to be sent, ``TRIGGERING`` being durable.

    :param first: whether this run has created its packet; else the trigger is a repeated one.
    """

    aid: str
    first: bool


class Backlog:
    """Work for a fixed number of callers, and how much of it is under way.

    An application is under way from the moment it is added until it is finished, be it sent or given up.
    """

    def __init__(self) -> None:
        self.under_way = 0
        self._packets: deque[Packet] = deque()
        self._triggers: deque[Trigger] = deque()
        self._idle: deque[asyncio.Future[None]] = deque()
        self._room: tuple[int, asyncio.Future[None]] | None = None

    def add(self, packets: Sequence[Packet], triggers: Sequence[Trigger]) -> None:
        """Take in what a page brings."""
        self.under_way += len(packets) + len(triggers)
        self._packets.extend(packets)
        self._triggers.extend(triggers)
        self._wake(len(packets) + len(triggers))

    def proceed(self, triggers: Sequence[Trigger]) -> None:
        """Let applications that are under way go on to their trigger."""
        self._triggers.extend(triggers)
        self._wake(len(triggers))

    def finished(self, count: int) -> None:
        """Note that applications are done with, for this run."""
        self.under_way -= count
        if self._room is not None and self.under_way <= self._room[0]:
            if not self._room[1].done():
                self._room[1].set_result(None)
            self._room = None

    async def take(self) -> Packet | Trigger:
        """Give a caller its next work; wait if there is none."""
        while True:
            if self._triggers:
                return self._triggers.popleft()
            if self._packets:
                return self._packets.popleft()
            idle = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            await idle

    async def until_at_most(self, count: int) -> None:
        """Wait until no more than some applications are under way; one waits at a time."""
        if self.under_way > count:
            self._room = (count, asyncio.get_running_loop().create_future())
            await self._room[1]

    def _wake(self, count: int) -> None:
        while count and self._idle:
            idle = self._idle.popleft()
            if not idle.done():
                idle.set_result(None)
                count -= 1
