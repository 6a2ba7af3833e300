"""The faults a sandbox can be told to show, each drawn from its own seeded generator."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

FAULTS: Mapping[str, str] = {
    "create_null": "createPacket answers 200 with `response: null`; nothing is stored",
    "create_500": "createPacket answers Spring's 500; nothing is stored",
    "create_502": "createPacket answers a gateway's 502 page; nothing is stored",
    "create_slow": "createPacket takes `seconds` longer, and overlaps a retry meanwhile",
    "create_reset_after": "the packet is stored, then the connection is closed without an answer",
    "trigger_reset_after": "the workflow is created, then the connection is closed without an answer",
    "trigger_wis_000": "the trigger answers RPR-WIS-000; nothing is created",
    "trigger_slow": "the workflow is created at once, the answer comes `seconds` later",
    "throttle_429": "createPacket and trigger answer 429 with Retry-After = `seconds`",
    "reply_cut": "createPacket and trigger do their work; half of the reply arrives",
    "token_expired": "a valid token is answered 401 KER-ATH-401",
    "event_duplicate": "the completed event is published twice",
    "event_delay": "the completed event is published `seconds` later",
    "event_reorder": "the completed event is held back until after the next one (at most `seconds`)",
    "event_before_answer": "the workflow finishes and its event is delivered before the trigger answers",
    "event_lost": "the completed event is never published",
    "legacy_signature": "the delivery is signed with the prefix `SHA256=`",
    "reject": "the workflow ends REJECTED / PACKET_REJECTED",
    "fail": "the workflow ends FAILED / PACKET_FAILED",
    "reprocess_failed": "the workflow ends REPROCESS_FAILED, without an event",
    "half_created": "only the sync row is written, the connection closes; RPR-WIS-001 for ever after",
    "half_created_recovers": "the same, but a second trigger proceeds (mosip-packets.md §4.6)",
}

DEFAULT_SECONDS: Mapping[str, float] = {
    "create_slow": 2.0,
    "trigger_slow": 2.0,
    "throttle_429": 1.0,
    "event_delay": 2.0,
    "event_reorder": 1.0,
}


class UnknownFault(ValueError):
    """A fault name that does not exist, or a value that makes no sense."""


@dataclass(slots=True)
class Setting:
    """How often one fault shows: a probability, at most `times` (None = without end)."""

    probability: float
    times: int | None = None


class Faults:
    """Decides, at each place where something can go wrong, whether it does.

    `token_seconds` and `main_processes` are here too because they may change while the sandbox runs.
    """

    def __init__(
        self, seed: int, probabilities: Mapping[str, float], token_seconds: int, main_processes: frozenset[str]
    ) -> None:
        self.hits: Counter[str] = Counter()
        self.token_seconds = token_seconds
        self.main_processes = main_processes
        self._seed = seed
        self._settings: dict[str, Setting] = {}
        self._seconds: dict[str, float] = dict(DEFAULT_SECONDS)
        self._aids: dict[str, dict[str, Setting]] = {}
        self._dice: dict[str, random.Random] = {}
        for name, probability in probabilities.items():
            self.set(name, probability)

    def set(
        self, name: str, probability: float = 1.0, *, times: int | None = None, seconds: float | None = None,
        aid: str | None = None,
    ) -> None:  # fmt: skip
        """Switch a fault on (or off with probability 0), for everyone or for one AID."""
        if name not in FAULTS or not 0.0 <= probability <= 1.0:
            raise UnknownFault(f"no fault {name!r} with probability {probability!r}")
        if seconds is not None:
            self._seconds[name] = seconds
        chosen = self._settings if aid is None else self._aids.setdefault(aid, {})
        if probability == 0.0:
            chosen.pop(name, None)
        else:
            chosen[name] = Setting(probability, times)

    def clear(self) -> None:
        """Switch every fault off."""
        self._settings.clear()
        self._aids.clear()

    def hit(self, name: str, aid: str | None = None) -> bool:
        """Does `name` show here and now? Draws from the generator only when the fault is on."""
        if not self._settings and not self._aids:
            return False
        return self._draw(name, self._settings) or (
            aid is not None and aid in self._aids and self._draw(name, self._aids[aid])
        )

    def seconds(self, name: str) -> float:
        """The duration that belongs to a fault."""
        return self._seconds.get(name, 0.0)

    def view(self) -> dict[str, object]:
        """All faults with their settings and how often each has shown."""
        return {
            "faults": {
                name: {
                    "probability": setting.probability if (setting := self._settings.get(name)) else 0.0,
                    "times": setting.times if setting else None,
                    "seconds": self._seconds.get(name),
                    "hits": self.hits[name],
                    "meaning": meaning,
                }
                for name, meaning in FAULTS.items()
            },
            "aids": {aid: sorted(names) for aid, names in self._aids.items() if names},
            "token_seconds": self.token_seconds,
            "main_processes": sorted(self.main_processes),
        }

    def _draw(self, name: str, chosen: dict[str, Setting]) -> bool:
        setting = chosen.get(name)
        if setting is None:
            return False
        dice = self._dice.get(name)
        if dice is None:
            dice = self._dice[name] = random.Random(f"{self._seed}:{name}")
        if setting.probability < 1.0 and dice.random() >= setting.probability:
            return False
        if setting.times is not None:
            setting.times -= 1
            if setting.times <= 0:
                del chosen[name]
        self.hits[name] += 1
        return True
