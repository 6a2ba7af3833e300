"""What really happened in the sandbox, application by application: the witness tests compare a ledger with."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

COUNTED = (
    "creates_accepted", "creates_failed", "creates_overlapped", "creates_after_trigger",
    "triggers_accepted", "triggers_duplicate", "triggers_refused", "half_created",
    "events_published", "events_lost", "finished",
)  # fmt: skip


@dataclass(slots=True)
class Application:
    """The history of one AID.

    :param creates_after_trigger: accepted createPacket calls after an accepted trigger: data of a running workflow
        was rewritten.
    :param finished: how often a workflow of this AID came to an end.
    :param action: `create` or `update` when the uin-generator did something.
    """

    process: str | None = None
    creates_accepted: int = 0
    creates_failed: int = 0
    creates_overlapped: int = 0
    creates_after_trigger: int = 0
    triggers_accepted: int = 0
    triggers_duplicate: int = 0
    triggers_refused: int = 0
    half_created: int = 0
    events_published: int = 0
    events_lost: int = 0
    finished: int = 0
    result: str | None = None
    reason: str | None = None
    action: str | None = None
    uin: str | None = None
    digest: str | None = None

    def view(self) -> dict[str, Any]:
        """As JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


class Record:
    """Counts per AID. It is told facts and decides nothing."""

    def __init__(self) -> None:
        self.applications: defaultdict[str, Application] = defaultdict(Application)

    def created(self, aid: str, process: str) -> None:
        """createPacket stored a packet, whether or not the caller saw the answer."""
        seen = self.applications[aid]
        seen.process = process
        seen.creates_accepted += 1
        if seen.triggers_accepted:
            seen.creates_after_trigger += 1

    def create_failed(self, aid: str | None) -> None:
        """createPacket answered null."""
        self.applications[str(aid)].creates_failed += 1

    def overlapped(self, aid: str | None) -> None:
        """createPacket was called while another call for the id was running."""
        self.applications[str(aid)].creates_overlapped += 1

    def triggered(self, aid: str, process: str) -> None:
        """A workflow was created, whether or not the caller saw the answer."""
        seen = self.applications[aid]
        seen.process = process
        seen.triggers_accepted += 1

    def trigger_refused(self, aid: str, *, duplicate: bool) -> None:
        """RPR-WIS-001, or RPR-WIS-000."""
        seen = self.applications[aid]
        if duplicate:
            seen.triggers_duplicate += 1
        else:
            seen.triggers_refused += 1

    def half_created(self, aid: str) -> None:
        """Only the sync row exists."""
        self.applications[aid].half_created += 1

    def finish(
        self, aid: str, result: str, reason: str | None, *, action: str | None, uin: str | None, digest: str | None
    ) -> None:
        """A workflow came to its end."""
        seen = self.applications[aid]
        seen.finished += 1
        seen.result, seen.reason, seen.action, seen.uin, seen.digest = result, reason, action, uin, digest

    def event(self, aid: str, *, lost: bool) -> None:
        """The completed event went to the hub, or never did."""
        seen = self.applications[aid]
        if lost:
            seen.events_lost += 1
        else:
            seen.events_published += 1

    def totals(self) -> dict[str, Any]:
        """Sums over all AIDs, and the two sins: packets rewritten while running, children with several UINs."""
        every = self.applications.values()
        sums = {name: sum(getattr(seen, name) for seen in every) for name in COUNTED}
        uins: defaultdict[str, set[str]] = defaultdict(set)
        for seen in every:
            if seen.action == "create" and seen.digest is not None and seen.uin is not None:
                uins[seen.digest].add(seen.uin)
        return sums | {
            "aids": len(self.applications),
            "aids_rewritten_after_trigger": sum(1 for seen in every if seen.creates_after_trigger),
            "aids_triggered_twice": sum(1 for seen in every if seen.triggers_accepted > 1),
            "unfinished": sum(1 for seen in every if seen.triggers_accepted and not seen.finished),
            "results": dict(Counter(seen.result for seen in every if seen.result is not None)),
            "uins_issued": sum(len(found) for found in uins.values()),
            "uins_issued_to_deaths": sum(
                1 for seen in every if seen.action == "create" and seen.process == "CRVS_DEATH"
            ),
            "children": len(uins),
            "children_with_two_uins": sum(1 for found in uins.values() if len(found) > 1),
        }

    def view(self, *, only_totals: bool = False) -> dict[str, Any]:
        """`{"totals": {...}, "aids": {aid: {...}}}`."""
        if only_totals:
            return {"totals": self.totals()}
        return {"totals": self.totals(), "aids": {aid: seen.view() for aid, seen in self.applications.items()}}
