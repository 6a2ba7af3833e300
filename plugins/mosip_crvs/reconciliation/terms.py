"""The balance of a day as values: the terms, what is open, what the registry says, and whether it all agrees."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from typing import Any

from mosip_crvs.ledger.batches import Hold
from mosip_crvs.model import RegistrationKind
from mosip_crvs.reconciliation.standing import SENT_TERMS

PROCESSES: dict[str, str] = {RegistrationKind.BIRTH: "CRVS_NEW", RegistrationKind.DEATH: "CRVS_DEATH"}
"""MOSIP's process of each kind."""

OF_APPLICATIONS = ("held", "submitted", *SENT_TERMS)
"""The terms that count applications."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of both equations, as counts of events.

    :param held: claimed and not sent yet. :param in_progress: sent, and MOSIP has not said what became of it.
    """

    read: int = 0
    known: int = 0
    not_eligible: int = 0
    quarantined: int = 0
    held: int = 0
    submitted: int = 0
    completed: int = 0
    rejected: int = 0
    failed: int = 0
    awaiting: int = 0
    in_progress: int = 0
    unmatched: int = 0
    """Claimed readings without an application of their batch, and applications without a reading: must be none."""
    unread: int = 0
    """Registrations that the registry counts in the window and no sync has read: must be none."""

    @property
    def unexplained(self) -> int:
        """How many events stand in no term, or in two, over both equations."""
        read_side = self.known + self.not_eligible + self.quarantined + self.held + self.submitted
        sent_side = self.completed + self.rejected + self.failed + self.awaiting + self.in_progress
        return max(abs(self.read - read_side), self.unmatched) + abs(self.submitted - sent_side) + self.unread

    def __add__(self, other: Terms) -> Terms:
        """Add term by term."""
        return Terms(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Terms)))


@dataclass(frozen=True, slots=True)
class RegistryCount:
    """What the registry itself says of the window of a kind's last sync, asked when that was closed or later.

    :param counted: registrations that stand in the window now.
    :param moved_on: registrations that were read and do not stand there any more: they have changed since.
    """

    counted: int
    moved_on: int
    unread: int
    counted_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """Some of what was submitted and is not settled.

    :param term: ``in_progress`` or ``awaiting``.
    :param reason: a key of :data:`~mosip_crvs.reconciliation.standing.REASONS`.
    :param age: a key of :data:`~mosip_crvs.reconciliation.standing.AGES`.
    """

    kind: str
    term: str
    reason: str
    age: str
    count: int


@dataclass(frozen=True, slots=True)
class DayBalance:
    """The balance of one day.

    :param kinds: the terms of births and of deaths, of the last sync of each.
    :param earlier: the terms of the day's syncs before those, added up: what of them is still open or was refused must
        not be forgotten because the day was read again.
    :param finished: whether those last syncs were read to their end.
    :param holds: the held applications of all the day's syncs, by the code that says why; those that no call was made
        for, be it that none was due yet, as :data:`NOT_TRIED`.
    :param hold: what the day waits for, when nothing else keeps it from being finished.
    :param centers: the applications' terms of all the day's syncs, by kind and by centre.
    :param waiting: what of all the day's syncs is not settled: why, and for how long.
    :param registry: what the registry itself counts, by kind; of a kind that was not asked about yet, nothing.
    """

    day: date
    kinds: dict[str, Terms]
    finished: bool
    taken_at: datetime
    earlier: Terms = Terms()
    holds: Mapping[str, int] = field(default_factory=dict)
    hold: Hold | None = None
    centers: Mapping[str, Mapping[str, Terms]] = field(default_factory=dict)
    waiting: Sequence[Waiting] = ()
    registry: Mapping[str, RegistryCount] = field(default_factory=dict)

    @property
    def terms(self) -> Terms:
        """Births and deaths together."""
        return sum(self.kinds.values(), Terms())

    @property
    def in_progress(self) -> int:
        """How many applications MOSIP has not spoken about, over all syncs of the day."""
        return self.terms.in_progress + self.earlier.in_progress

    @property
    def sent_for_the_day(self) -> dict[str, int]:
        """What became of every application of the day, over all its syncs."""
        return _of_applications(self.terms + self.earlier)

    @property
    def unexplained(self) -> int:
        """How many events nobody can explain; an error in births cannot hide one in deaths."""
        return sum(terms.unexplained for terms in self.kinds.values()) + self.earlier.unexplained

    @property
    def balanced(self) -> bool:
        """Whether the day was read to its end and every event stands in exactly one term."""
        return self.finished and self.unexplained == 0

    def as_dict(self) -> dict[str, Any]:
        """Give the balance as plain values: the terms of the whole day on top, by kind below."""
        return {
            "day": self.day.isoformat(),
            **_shown(self.terms),
            "unexplained": self.unexplained,
            "balanced": self.balanced,
            "finished": self.finished,
            "taken_at": self.taken_at.isoformat(),
            "day_total": self.sent_for_the_day,
            "holds": dict(self.holds),
            "held_until": self.hold.until.isoformat() if self.hold else None,
            "kinds": {kind: _shown(terms) for kind, terms in self.kinds.items()},
            "processes": {kind: PROCESSES[kind] for kind in self.kinds if kind in PROCESSES},
            "centers": {
                kind: {center: _of_applications(terms) for center, terms in centers.items()}
                for kind, centers in self.centers.items()
            },
            "waiting": [asdict(each) for each in self.waiting],
            "registry": {
                kind: {**asdict(count), "counted_at": count.counted_at.isoformat()}
                for kind, count in self.registry.items()
            },
        }

    def as_json(self) -> str:
        """Give :meth:`as_dict` as text."""
        return json.dumps(self.as_dict(), indent=2)


def _shown(terms: Terms) -> dict[str, int]:
    """Give the terms of the equations; what must be none shows in what is unexplained."""
    shown = asdict(terms)
    del shown["unmatched"], shown["unread"]
    return shown


def _of_applications(terms: Terms) -> dict[str, int]:
    return {name: getattr(terms, name) for name in OF_APPLICATIONS}
