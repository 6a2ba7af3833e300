"""The people around it: registrars who correct what was refused, operators of MOSIP who resume what had failed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import psycopg

from faults.scene import FarSide

_CORRECT = {
    "birth": b"UPDATE crvs.birth_registration SET informant_name = %s WHERE registration_id = %s",
    "death": b"UPDATE crvs.death_registration SET informant_name = %s WHERE registration_id = %s",
}


class Registrar:
    """Reads what the sync wrote back, and amends the registrations that it is asked to."""

    def __init__(self, registry_url: str, chance: random.Random) -> None:
        self._registry_url = registry_url
        self._chance = chance

    def correct_some(self) -> None:
        """Correct one in two of those that wait."""
        self._correct([each for each in self._asked_for() if self._chance.random() < 0.5])

    def correct_all(self) -> None:
        """Correct all."""
        self._correct(self._asked_for())

    def _asked_for(self) -> list[tuple[str, str]]:
        with psycopg.connect(self._registry_url) as registry:
            rows = registry.execute(
                "SELECT kind, registration_id FROM crvs.mosip_results WHERE outcome = 'updates_required'"
            )
            return [(row[0], row[1]) for row in rows]

    def _correct(self, registrations: Sequence[tuple[str, str]]) -> None:
        with psycopg.connect(self._registry_url) as registry:
            for kind, registration in registrations:
                registry.execute(_CORRECT[kind], (f"Amended {self._chance.randrange(10**8):08d}", registration))


class Operator:
    """Somebody at MOSIP, who resumes paused and refused workflows."""

    def __init__(self, far_side: FarSide, chance: random.Random) -> None:
        self._far_side = far_side
        self._chance = chance

    def act(self, refused: Sequence[str]) -> None:
        """Resume some paused workflows, and now and then one that was refused."""
        for aid in self._paused():
            if self._chance.random() < 0.5:
                self._resume(aid)
        if refused and self._chance.random() < 0.5:
            self._resume(self._chance.choice(list(refused)))

    def resume_all(self) -> None:
        """Resume every paused workflow."""
        for aid in self._paused():
            self._resume(aid)

    def _paused(self) -> list[str]:
        aids: dict[str, Any] = self._far_side.get("/sandbox/record")["aids"]
        return [aid for aid, seen in aids.items() if seen.get("paused") and not seen["finished"]]

    def _resume(self, aid: str) -> None:
        try:
            self._far_side.post("/sandbox/operator", {"aid": aid, "action": "resume"})
        except OSError:
            return  # it was finished, or is under way again, by now
