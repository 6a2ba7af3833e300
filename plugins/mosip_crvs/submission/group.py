"""Group commit: what many senders want written, written together, and each told when it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mosip_crvs.ledger.sending import Held, TriggerOutcome

Write = Callable[[Sequence[str], Sequence[TriggerOutcome], Sequence[Held]], frozenset[str]]


@dataclass(slots=True)
class _Waiting:
    triggering: list[str] = field(default_factory=list)
    outcomes: list[TriggerOutcome] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    done: asyncio.Future[frozenset[str]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def size(self) -> int:
        return len(self.triggering) + len(self.outcomes) + len(self.held)


class GroupWriter:
    """Collects ledger writes while the last group is being committed, then commits them as the next group.

    Nobody waits for a group to fill: a lone writer is served at once, and under load groups grow by themselves.

    :param write: commits one group; blocking, run in a thread. It gives the AIDs that may be triggered.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting = _Waiting()
        self._wake = asyncio.Event()
        self._closing = False
        self._failure: BaseException | None = None
        self._runner = asyncio.create_task(self._run())

    async def grant_trigger(self, aid: str) -> bool:
        """Make ``TRIGGERING`` durable; the answer says whether the trigger may be sent."""
        waiting = self._add()
        waiting.triggering.append(aid)
        return aid in await asyncio.shield(waiting.done)

    async def record(self, outcome: TriggerOutcome) -> None:
        """Keep MOSIP's word on a trigger; returns when it is durable."""
        waiting = self._add()
        waiting.outcomes.append(outcome)
        await asyncio.shield(waiting.done)

    async def hold(self, held: Held) -> None:
        """Note why an application could not be sent."""
        waiting = self._add()
        waiting.held.append(held)
        await asyncio.shield(waiting.done)

    async def close(self) -> None:
        """Commit what is left and stop."""
        self._closing = True
        self._wake.set()
        await self._runner

    def _add(self) -> _Waiting:
        if self._failure is not None:
            raise self._failure
        self._wake.set()
        return self._waiting

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            group, self._waiting = self._waiting, _Waiting()
            if group.size == 0:
                if self._closing:
                    return
                continue
            try:
                granted = await asyncio.to_thread(self._write, group.triggering, group.outcomes, group.held)
            except BaseException as problem:
                self._failure = problem
                for failed in (group, self._waiting):
                    failed.done.set_exception(problem)
                    failed.done.exception()  # marks it as seen: not every group has a listener left
                return
            group.done.set_result(granted)
