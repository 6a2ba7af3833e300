"""What a data team wakes up to: conditions over the ledger that raise alarms, and clear those whose cause is gone.

A day is *due* once the deadline of the next morning has passed, in the registry's time zone. Of a due day nothing may
be unread, unexplained or unsettled. Alarms that others raised (:mod:`mosip_crvs.ledger.facts` and more) stand beside.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, text

from mosip_crvs.ledger import alarms
from mosip_crvs.ledger.batches import hold_of
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.reconciliation.alert_kinds import (
    NOT_BALANCED,
    NOT_SETTLED,
    NOT_SYNCED,
    QUARANTINE_SHARE,
    UNEXPLAINED,
    Alert,
    alert_of,
    worst_first,
)
from mosip_crvs.reconciliation.balance import day_balance, days_to_balance
from mosip_crvs.reconciliation.standing import AGES, REASONS
from mosip_crvs.reconciliation.tending import look_for_silence
from mosip_crvs.reconciliation.terms import DayBalance
from mosip_crvs.submission.close import SMALLEST_JUDGED

BALANCED_WITHIN = timedelta(hours=1)
"""What a balance may take to follow a sync: four times the interval of the DAG that takes it."""
LEFT_OPEN_AFTER = timedelta(days=1)
"""When a sync of an earlier day, which may be a backfill under way, counts as left unfinished."""
EXPECTED_FOR = timedelta(days=7)
"""A kind that was synced in so many days before is expected; one that a country switched off is not, after a while."""
MOST_ALIKE = 20
"""Alarms of one code that are told one by one; what is more is one message that counts them."""
_TELLING = 0x4352_5641  # "CRVA"


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a day must be settled: at this time of the next day.

    :param time_zone: the registry's.
    """

    at: time = time(6)
    time_zone: str = "UTC"

    def last_due_day(self, now: datetime) -> date:
        """Give the newest day whose deadline has passed."""
        here = now.astimezone(ZoneInfo(self.time_zone))
        return here.date() - timedelta(days=1 if here.time() >= self.at else 2)


@dataclass(frozen=True, slots=True)
class _Sync:
    """The last sync of a kind on a day."""

    kind: str
    batch_id: int
    planned_at: datetime
    finished_at: datetime | None
    is_held: bool


@dataclass(frozen=True, slots=True)
class _Morning:
    """What one look at all days goes by.

    :param newest: the newest day that is due. :param said_missing: subjects of open alarms about syncs.
    """

    now: datetime
    newest: date
    said_missing: Collection[str]
    max_quarantine_share: float


@dataclass(frozen=True, slots=True)
class _DueDay:
    """A due day as the conditions see it.

    :param missing: kinds that should have been synced and were not. :param taken_at: when its balance was kept.
    """

    morning: _Morning
    balance: DayBalance
    syncs: Sequence[_Sync]
    missing: Collection[str]
    taken_at: datetime | None

    @property
    def is_newest(self) -> bool:
        """Whether its deadline was the last one."""
        return self.balance.day == self.morning.newest


Found = Iterator[tuple[str, str]]
"""Subjects and details."""


def find_alerts(
    ledger: Engine, now: datetime, deadline: Deadline | None = None, *, max_quarantine_share: float = 0.8
) -> list[Alert]:
    """Look at every due day that may matter and at the subscription, keep the alarms, and give all that are open.

    :return: the worst first.
    """
    newest = (deadline or Deadline()).last_due_day(now)
    known = {(alarm.code, alarm.subject) for alarm in alarms.open_alarms(ledger) if alarm.code in CONDITIONS}
    said_missing = {subject for code, subject in known if code == NOT_SYNCED}
    morning = _Morning(now, newest, said_missing, max_quarantine_share)
    days = {newest, *(day for day in days_to_balance(ledger) if day <= newest)}
    days |= {date.fromisoformat(subject[:10]) for _, subject in known}
    looks = [_look_at(ledger, day, morning) for day in sorted(days)]
    found = [(code, *each) for due in looks for code, look in CONDITIONS.items() for each in look(due)]
    look_for_silence(ledger)
    with transaction(ledger) as connection:
        for code, subject, details in found:
            alarms.raise_alarm(connection, code, subject, details=details)
        for code in CONDITIONS:
            alarms.clear_others(connection, code, [subject for each, subject, _ in found if each == code])
    return open_alerts(ledger)


def open_alerts(ledger: Engine) -> list[Alert]:
    """Give every open alarm in words, the worst first."""
    return sorted((alert_of(alarm) for alarm in alarms.open_alarms(ledger)), key=worst_first)


def close_alarms(ledger: Engine, lines: Collection[str]) -> list[str]:
    """Clear alarms that a person has seen to; one whose cause can still be seen is raised again by the next look.

    :param lines: a code and a subject each, with a blank between. :return: the lines that named an open alarm.
    """
    closed = []
    known = {f"{alarm.code} {alarm.subject}": alarm for alarm in alarms.open_alarms(ledger)}
    with transaction(ledger) as connection:
        for line in lines:
            alarm = known.get(line.strip())
            if alarm is not None:
                alarms.clear(connection, alarm.code, alarm.subject)
                closed.append(line.strip())
    return closed


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent at once, and the alarms that it tells of."""

    body: dict[str, Any]
    alarm_ids: tuple[int, ...]


@contextmanager
def telling(ledger: Engine) -> Iterator[list[Message]]:
    """Give what nobody was told yet, the worst first; while the block runs, nobody else tells.

    Each message is to be noted by :func:`told` once it was sent.
    """
    with transaction(ledger) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _TELLING})
        yield _messages([alert for alert in open_alerts(ledger) if not alert.is_told])


def told(ledger: Engine, message: Message) -> None:
    """Note that a message was sent."""
    alarms.notified(ledger, message.alarm_ids)


def _messages(alerts: Sequence[Alert]) -> list[Message]:
    by_code: dict[str, list[Alert]] = {}
    for alert in alerts:
        by_code.setdefault(alert.code, []).append(alert)
    messages = []
    for alike in by_code.values():
        messages += [Message(alert.as_dict(), (alert.alarm_id,)) for alert in alike[:MOST_ALIKE]]
        if rest := alike[MOST_ALIKE:]:
            messages.append(_summary(rest))
    return messages


def _summary(alike: Sequence[Alert]) -> Message:
    first = alike[0]
    sentence = f"{len(alike):,} further alarms {first.code} are open: see the ledger's alarms for their subjects."
    body = first.as_dict() | {
        "subject": f"{len(alike)} further", "other": None, "sentence": sentence,
        "text": f"{first.severity.upper()} {first.code}: {sentence}",
    }  # fmt: skip
    return Message(body, tuple(alert.alarm_id for alert in alike))


def _look_at(ledger: Engine, day: date, morning: _Morning) -> _DueDay:
    with transaction(ledger) as connection:
        syncs = [
            _Sync(row.kind, row.batch_id, row.planned_at, row.finished_at, _is_held(connection, row))
            for row in connection.execute(_SYNCS, {"day": day})
        ]
        expected = set(connection.execute(_EXPECTED, {"day": day, "since": day - EXPECTED_FOR}).scalars())
        taken_at = connection.execute(_TAKEN, {"day": day}).scalar_one_or_none()
    missing = expected - {sync.kind for sync in syncs}
    if day != morning.newest:
        missing = {kind for kind in missing if f"{day} {kind}" in morning.said_missing}
    return _DueDay(morning, day_balance(ledger, day), syncs, missing, taken_at)


def _is_held(connection: Connection, row: Any) -> bool:
    return row.finished_at is None and hold_of(connection, row.batch_id) is not None


def _not_settled(due: _DueDay) -> Found:
    waiting = [each for each in due.balance.waiting if each.term == "in_progress"]
    if waiting:
        submitted = due.balance.sent_for_the_day["submitted"]
        parts = [f"{each.count:,} {each.kind}s for {AGES[each.age]}, {REASONS[each.reason]}" for each in waiting]
        count = sum(each.count for each in waiting)
        yield f"{due.balance.day}", f"{count:,} of {submitted:,} applications are not settled ({'; '.join(parts)})"


def _not_synced(due: _DueDay) -> Found:
    for kind in sorted(due.missing):
        yield f"{due.balance.day} {kind}", "was not begun"
    for sync in due.syncs:
        overdue = due.is_newest or sync.planned_at < due.morning.now - LEFT_OPEN_AFTER
        if sync.finished_at is None and not sync.is_held and overdue:
            yield f"{due.balance.day} {sync.kind}", f"is not finished (batch {sync.batch_id})"


def _not_balanced(due: _DueDay) -> Found:
    day, late = f"{due.balance.day}", due.morning.now - BALANCED_WITHIN
    if not due.syncs:
        if not due.missing and due.is_newest:
            yield day, "nothing was read, and no balance was taken"
    elif due.taken_at is None:
        if min(sync.planned_at for sync in due.syncs) < late:
            yield day, "no balance was taken"
    elif any(sync.finished_at and due.taken_at < sync.finished_at < late for sync in due.syncs):
        yield day, "no balance was taken since its last sync was closed"


def _unexplained(due: _DueDay) -> Found:
    if due.balance.unexplained:
        yield f"{due.balance.day}", f"{due.balance.unexplained:,} events are unexplained"


def _quarantine_share(due: _DueDay) -> Found:
    for kind, terms in due.balance.kinds.items():
        if terms.read >= SMALLEST_JUDGED and terms.quarantined > due.morning.max_quarantine_share * terms.read:
            told = f"{terms.quarantined:,} of {terms.read:,} events are in quarantine, more than the set share"
            yield f"{due.balance.day} {kind}", f"{told} of {due.morning.max_quarantine_share:.0%}"


CONDITIONS: dict[str, Callable[[_DueDay], Found]] = {
    UNEXPLAINED: _unexplained,
    NOT_SETTLED: _not_settled,
    NOT_SYNCED: _not_synced,
    NOT_BALANCED: _not_balanced,
    QUARANTINE_SHARE: _quarantine_share,
}
"""What must not be of a due day, by the alarm's code. Subjects begin with the day."""

_SYNCS = text(
    "SELECT DISTINCT ON (kind) kind, batch_id, planned_at, finished_at FROM batches WHERE day = :day "
    "ORDER BY kind, batch_id DESC"
)

_EXPECTED = text("SELECT DISTINCT kind FROM batches WHERE day >= :since AND day < :day")

_TAKEN = text("SELECT taken_at FROM balances WHERE day = :day")
