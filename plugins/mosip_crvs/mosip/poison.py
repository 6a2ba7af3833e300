"""Finding the AIDs for which a status call fails, when one of them fails it for all (``mosip-events.md`` §4.3).

A chunk that fails is halved until the poisonous AIDs stand alone: about two calls a halving for each of them. Where
every known application is poisonous, because MOSIP's configuration lacks their process, a few AIDs asked alone show it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

A = TypeVar("A")

_ENOUGH = 2


@dataclass(frozen=True, slots=True)
class Poison:
    """A call that failed because of an AID in it.

    :param asked_at: UTC, before the call.
    :param body_sha256: hex digest of the error in canonical JSON.
    """

    asked_at: datetime
    body_sha256: str


class ChunkReading(Generic[A]):
    """Reads one chunk. What was found before a call failed stays in ``found`` and ``poisoned``.

    :param ask: one call: answers by AID, or poison.
    :param known: whether an answer shows that MOSIP could look the application up.
    """

    def __init__(self, ask: Callable[[Sequence[str]], Mapping[str, A] | Poison], known: Callable[[A], bool]) -> None:
        self._ask = ask
        self._known = known
        self._passed: set[str] = set()
        self.found: dict[str, A] = {}
        self.poisoned: dict[str, Poison] = {}
        self.trapped = False
        """Whether all known applications are poisonous: the rest was then not asked, and counts as poisoned."""

    def read(self, aids: Sequence[str]) -> None:
        """Ask for a chunk, and for its parts as far as it takes."""
        poison = self._call(aids)
        if poison is None or len(aids) == 1:
            return
        # Ends and middle: what is poisonous for a reason of its own does not lie at all three.
        alone = [aids[place] for place in dict.fromkeys((0, len(aids) - 1, len(aids) // 2))]
        for number, aid in enumerate(alone):
            self._call([aid])
            if self._answered_any():
                alone = alone[: number + 1]
                break
        self._look_for_trap()
        if not self.trapped:
            self._divide([aid for aid in aids if aid not in alone], sure=not self.poisoned)
        if self.trapped:
            unknown = [aid for aid in aids if aid not in self._passed and aid not in self.poisoned]
            self.poisoned |= dict.fromkeys(unknown, poison)

    def _divide(self, aids: Sequence[str], *, sure: bool) -> bool:
        """Find the poison among some AIDs.

        :param sure: that there is some, so that they need not be asked together once more.
        :return: whether there was any.
        """
        if not aids or self.trapped:
            return False
        if (not sure or len(aids) == 1) and self._call(aids) is None:
            return False
        if len(aids) == 1:
            self._look_for_trap()
            return True
        half = len(aids) // 2
        left = self._divide(aids[:half], sure=False)
        self._divide(aids[half:], sure=not left)
        return True

    def _call(self, aids: Sequence[str]) -> Poison | None:
        answer = self._ask(aids)
        if isinstance(answer, Poison):
            if len(aids) == 1:
                self.poisoned[aids[0]] = answer
            return answer
        self._passed.update(aids)
        self.found.update(answer)
        return None

    def _answered_any(self) -> bool:
        return any(self._known(answer) for answer in self.found.values())

    def _look_for_trap(self) -> None:
        self.trapped = len(self.poisoned) >= _ENOUGH and not self._answered_any()
