"""The balance of a day: everything that was read stands in exactly one term, or it is unexplained.

``read = known + not eligible + quarantined + held + submitted`` and
``submitted = completed + rejected + failed + awaiting + in progress``.

The equations of a day are those of its last sync of births and its last sync of deaths; what its earlier syncs sent is
added up beside them, so that nothing of it is forgotten when the day is read again. *Read* is counted from what the
batch read, the other terms from where each event stands now, so that they can only agree if nothing was lost between.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from mosip_crvs.ledger.batches import Hold, hold_of
from mosip_crvs.ledger.connection import transaction


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

    @property
    def unexplained(self) -> int:
        """How many events stand in no term, or in two, over both equations."""
        read_side = self.known + self.not_eligible + self.quarantined + self.held + self.submitted
        sent_side = self.completed + self.rejected + self.failed + self.awaiting + self.in_progress
        return max(abs(self.read - read_side), self.unmatched) + abs(self.submitted - sent_side)

    def __add__(self, other: Terms) -> Terms:
        """Add term by term."""
        return Terms(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Terms)))


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
    """

    day: date
    kinds: dict[str, Terms]
    finished: bool
    taken_at: datetime
    earlier: Terms = Terms()
    holds: Mapping[str, int] = field(default_factory=dict)
    hold: Hold | None = None

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
        whole = self.terms + self.earlier
        return {name: getattr(whole, name) for name in _OF_APPLICATIONS}

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
        }

    def as_json(self) -> str:
        """Give :meth:`as_dict` as text."""
        return json.dumps(self.as_dict(), indent=2)


NOT_TRIED = "NOT_TRIED"

_OF_APPLICATIONS = ("held", "submitted", "completed", "rejected", "failed", "awaiting", "in_progress")

_BATCHES = text("SELECT kind, batch_id, finished_at FROM batches WHERE day = :day ORDER BY batch_id DESC")

_READ_SIDE = text("SELECT outcome, count(*) AS n FROM readings WHERE batch_id = :batch GROUP BY outcome")

_SENT_SIDE = text("SELECT state, count(*) AS n FROM applications WHERE batch_id = :batch GROUP BY state")

_HOLDS = text(
    "SELECT coalesce(a.held_code, :not_tried) AS code, count(*) AS n FROM applications a "
    "JOIN batches b USING (batch_id) WHERE b.day = :day AND a.state = 'AID_ASSIGNED' GROUP BY 1 ORDER BY 1"
)

# Event by event, so that a lost reading and a lost application cannot cancel each other in the sums.
_UNMATCHED = text(
    """
    SELECT (SELECT count(*) FROM readings r WHERE r.batch_id = :batch AND r.outcome = 'claimed' AND NOT EXISTS (
                SELECT 1 FROM applications a
                 WHERE a.batch_id = r.batch_id AND a.kind = :kind AND a.registration_id = r.registration_id
                   AND a.act = r.act AND a.act_number = r.act_number))
         + (SELECT count(*) FROM applications a WHERE a.batch_id = :batch AND NOT EXISTS (
                SELECT 1 FROM readings r
                 WHERE r.batch_id = a.batch_id AND r.registration_id = a.registration_id AND r.act = a.act
                   AND r.act_number = a.act_number AND r.outcome = 'claimed'))
    """
)

_TERM_OF_STATE = {
    "AID_ASSIGNED": "held",
    "TRIGGERING": "in_progress",
    "TRIGGERED": "in_progress",
    "AWAITING_INFO": "awaiting",
    "FAILED": "failed",
    "REJECTED": "rejected",
    "COMPLETED": "completed",
}


def day_balance(ledger: Engine, day: date) -> DayBalance:
    """Take the balance of a day, in one consistent look at the ledger."""
    with transaction(ledger) as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        kinds: dict[str, Terms] = {}
        earlier, unfinished, held = Terms(), 0, 0
        waits: list[Hold] = []
        for batch in connection.execute(_BATCHES, {"day": day}).all():
            terms = _terms_of(connection, batch.kind, batch.batch_id)
            hold = hold_of(connection, batch.batch_id) if batch.finished_at is None else None
            waits += [hold] if hold else []
            if batch.kind in kinds:
                earlier += terms
            else:
                kinds[batch.kind] = terms
                unfinished += batch.finished_at is None
                held += hold is not None
        holds = {row.code: row.n for row in connection.execute(_HOLDS, {"day": day, "not_tried": NOT_TRIED})}
        now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    longest = max(waits, key=lambda hold: hold.until, default=None) if held == unfinished else None
    finished = bool(kinds) and not unfinished
    return DayBalance(day, dict(sorted(kinds.items())), finished, now, earlier, holds, longest)


def keep(ledger: Engine, balance: DayBalance) -> None:
    """Write a balance into the ledger, over the day's earlier one."""
    with transaction(ledger) as connection:
        connection.execute(
            text(
                "INSERT INTO balances (day, terms, balanced, taken_at) VALUES (:day, CAST(:terms AS jsonb), :balanced, "
                ":taken_at) ON CONFLICT (day) DO UPDATE SET terms = EXCLUDED.terms, balanced = EXCLUDED.balanced, "
                "taken_at = EXCLUDED.taken_at"
            ),
            {
                "day": balance.day,
                "terms": json.dumps(balance.as_dict()),
                "balanced": balance.balanced,
                "taken_at": balance.taken_at,
            },
        )


def days_to_balance(ledger: Engine, newest: int = 7) -> list[date]:
    """Give the days whose balance may have changed: with open applications, not finished, or among the newest ones."""
    with transaction(ledger) as connection:
        rows = connection.execute(
            text(
                """
                SELECT day FROM (
                    SELECT DISTINCT b.day FROM applications a JOIN batches b USING (batch_id)
                     WHERE a.state NOT IN ('COMPLETED', 'REJECTED', 'FAILED')
                    UNION
                    SELECT day FROM batches WHERE finished_at IS NULL
                    UNION
                    (SELECT DISTINCT day FROM batches ORDER BY day DESC LIMIT :newest)
                ) days ORDER BY day DESC LIMIT 400
                """
            ),
            {"newest": newest},
        )
        return [row.day for row in rows]


def open_applications(ledger: Engine) -> int:
    """Count the applications that MOSIP knows and has not spoken about."""
    with transaction(ledger) as connection:
        return int(
            connection.execute(
                text("SELECT count(*) FROM applications WHERE state IN ('TRIGGERING', 'TRIGGERED')")
            ).scalar_one()
        )


def _terms_of(connection: Connection, kind: str, batch_id: int) -> Terms:
    """Count one batch, each side by itself."""
    outcomes = {row.outcome: row.n for row in connection.execute(_READ_SIDE, {"batch": batch_id})}
    states = {row.state: row.n for row in connection.execute(_SENT_SIDE, {"batch": batch_id})}
    unmatched = connection.execute(_UNMATCHED, {"batch": batch_id, "kind": kind}).scalar_one()
    return _terms(outcomes, states, unmatched)


def _shown(terms: Terms) -> dict[str, int]:
    """Give the terms of the equations; what is unmatched shows in what is unexplained."""
    shown = asdict(terms)
    del shown["unmatched"]
    return shown


def _terms(outcomes: dict[str, int], states: dict[str, int], unmatched: int) -> Terms:
    by_term: dict[str, int] = dict.fromkeys(_TERM_OF_STATE.values(), 0)
    for state, count in states.items():
        by_term[_TERM_OF_STATE[state]] += count
    held = by_term.pop("held")
    return Terms(
        read=sum(outcomes.values()),
        known=outcomes.get("known", 0),
        not_eligible=outcomes.get("not_eligible", 0),
        quarantined=outcomes.get("quarantined", 0),
        held=held,
        submitted=sum(by_term.values()),
        unmatched=unmatched,
        **by_term,
    )
