"""Group commit: what many callers want written is written together, and acted upon only when it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from mosip_crvs.ledger.sending import Held, TriggerOutcome

GATHER_SECONDS = 0.005
"""How long a group gathers after its first member: a fraction of what a commit takes, and it halves their number."""


@dataclass(slots=True)
class Group:
    """What is committed at once.

    :param triggering: AIDs whose trigger is about to be sent.
    """

    triggering: list[str] = field(default_factory=list)
    outcomes: list[TriggerOutcome] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many writes it holds."""
        return len(self.triggering) + len(self.outcomes) + len(self.held)


class GroupWriter:
    """Collects writes while the last group is being committed, then commits them as the next one.

    :param write: commits a group; blocking, run in a thread. It gives the AIDs that may be triggered.
    :param durable: called on the event loop once a group is committed, with what ``write`` gave.
    """

    def __init__(
        self, write: Callable[[Group], frozenset[str]], durable: Callable[[Group, frozenset[str]], None]
    ) -> None:
        self._write = write
        self._durable = durable
        self._waiting = Group()
        self._wake = asyncio.Event()

    def ask_to_trigger(self, aid: str) -> None:
        """Have ``TRIGGERING`` made durable."""
        self._waiting.triggering.append(aid)
        self._wake.set()

    def record(self, outcome: TriggerOutcome) -> None:
        """Have MOSIP's word on a trigger kept."""
        self._waiting.outcomes.append(outcome)
        self._wake.set()

    def hold(self, held: Held) -> None:
        """Have it noted why an application could not be sent."""
        self._waiting.held.append(held)
        self._wake.set()

    async def run(self) -> None:
        """Commit group after group, until cancelled. A commit that fails ends it, and nothing is acted upon."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            group, self._waiting = self._waiting, Group()
            self._durable(group, await asyncio.to_thread(self._write, group))

    async def keep_what_is_known(self) -> None:
        """Commit, at the end of a failed run, what MOSIP has said already. No trigger is granted any more."""
        group, self._waiting = self._waiting, Group()
        group.triggering.clear()
        if group.size:
            await asyncio.to_thread(self._write, group)
