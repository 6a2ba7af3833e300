"""The balance of a day: everything that was read stands in exactly one term, or it is unexplained.

``read = known + not eligible + quarantined + held + submitted`` and
``submitted = completed + rejected + failed + awaiting + in progress``.

The equations of a day are those of its last sync of births and its last sync of deaths; what its earlier syncs sent is
added up beside them, so that nothing of it is forgotten when the day is read again. *Read* is counted from what the
batch read, the other terms from where each event stands now, so that they can only agree if nothing was lost between.
Whether *read* is all that there was is asked of the registry itself (:mod:`mosip_crvs.reconciliation.recount`).

By centre, by reason and by age the applications of all the day's syncs are counted: what is open is open.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, text

from mosip_crvs.ledger.batches import Hold, hold_of
from mosip_crvs.ledger.connection import now_of, transaction
from mosip_crvs.reconciliation.standing import (
    AGE_OF,
    AGES,
    CENTER_OF,
    COUNTED,
    OPEN_TERMS,
    REASON_OF,
    SENT_TERMS,
    TERM_OF,
)
from mosip_crvs.reconciliation.terms import DayBalance, RegistryCount, Terms, Waiting

_BATCHES = text(
    "SELECT kind, batch_id, finished_at, registry_count, unread, moved_on, counted_at FROM batches WHERE day = :day "
    "ORDER BY batch_id DESC"
)

_READ_SIDE = text("SELECT outcome, count(*) AS n FROM readings WHERE batch_id = :batch GROUP BY outcome")

_SENT_SIDE = text(
    f"""
    SELECT a.batch_id, {CENTER_OF} AS center, {TERM_OF} AS term, count(*) AS n
      FROM applications a WHERE a.batch_id = ANY(:batches) AND {COUNTED} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """  # noqa: S608 (constants of standing.py)
)

_HOLDS = text(
    f"""
    SELECT {REASON_OF} AS code, count(*) AS n
      FROM applications a WHERE a.batch_id = ANY(:batches) AND a.state = 'AID_ASSIGNED' AND {COUNTED}
     GROUP BY 1 ORDER BY 1
    """  # noqa: S608
)

_WAITING = text(
    f"""
    SELECT a.kind, {TERM_OF} AS term, {REASON_OF} AS reason, {AGE_OF} AS age, count(*) AS n
      FROM applications a
     WHERE a.batch_id = ANY(:batches) AND a.state IN ('TRIGGERING', 'TRIGGERED', 'HALF_CREATED', 'AWAITING_INFO')
       AND {TERM_OF} = ANY(:open) AND {COUNTED}
     GROUP BY 1, 2, 3, 4
    """  # noqa: S608
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


# Batch by batch along the index, so that a ledger of ten million settled applications costs a few probes a batch.
_DAYS = text(
    """
    SELECT day FROM (
        SELECT b.day FROM batches b
         WHERE b.finished_at IS NULL OR EXISTS (
               SELECT 1 FROM applications a WHERE a.batch_id = b.batch_id
                  AND a.state IN ('AID_ASSIGNED', 'TRIGGERING', 'TRIGGERED', 'AWAITING_INFO'))
            OR EXISTS (
               SELECT 1 FROM applications a
                WHERE a.batch_id = b.batch_id AND a.state = 'HALF_CREATED' AND a.superseded_by IS NULL)
        UNION
        SELECT b.day FROM batches b WHERE b.batch_id IN (
               SELECT a.batch_id FROM evidence e JOIN applications a USING (aid)
                WHERE e.evidence_id > CAST(:since AS bigint))
        UNION
        (SELECT DISTINCT day FROM batches ORDER BY day DESC LIMIT :newest)
    ) days ORDER BY day DESC LIMIT 400
    """
)

_HORIZON_OF_YESTERDAY = text(
    "SELECT CAST(CAST(document AS jsonb) #>> '{anchor,last_evidence_id}' AS bigint) FROM balances "
    "WHERE document IS NOT NULL AND taken_at < now() - interval '1 day' ORDER BY taken_at DESC LIMIT 1"
)


def day_balance(ledger: Engine, day: date) -> DayBalance:
    """Take the balance of a day, in one consistent look at the ledger."""
    with transaction(ledger) as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        batches = connection.execute(_BATCHES, {"day": day}).all()
        numbers = [batch.batch_id for batch in batches]
        sent = connection.execute(_SENT_SIDE, {"batches": numbers}).all()
        kinds: dict[str, Terms] = {}
        earlier, unfinished, held = Terms(), 0, 0
        waits: list[Hold] = []
        for batch in batches:
            terms = _terms_of(connection, batch.kind, batch.batch_id, _by_term(sent, {batch.batch_id}))
            hold = hold_of(connection, batch.batch_id) if batch.finished_at is None else None
            waits += [hold] if hold else []
            if batch.kind in kinds:
                earlier += terms
            else:
                kinds[batch.kind] = terms
                unfinished += batch.finished_at is None
                held += hold is not None
        holds = {row.code: row.n for row in connection.execute(_HOLDS, {"batches": numbers})}
        waiting = _waiting(connection, numbers)
        now = now_of(connection)
    longest = max(waits, key=lambda hold: hold.until, default=None) if held == unfinished else None
    registry = _registry_counts(batches)
    return DayBalance(
        day,
        {kind: replace(kinds[kind], unread=_unread(registry, kind)) for kind in sorted(kinds)},
        bool(kinds) and not unfinished,
        now,
        earlier,
        holds,
        longest,
        _by_center(batches, sent),
        waiting,
        registry,
    )


def days_to_balance(ledger: Engine, newest: int = 7) -> list[date]:
    """Give the days whose balance may have changed, newest first, at most 400.

    Those with something open, those not read to their end, the newest ones, and those of which MOSIP said something
    since the balances of a day ago: a refused application may be completed weeks later.
    """
    with transaction(ledger) as connection:
        since = connection.execute(_HORIZON_OF_YESTERDAY).scalar_one_or_none()
        rows = connection.execute(_DAYS, {"newest": newest, "since": since})
        return [row.day for row in rows]


def open_applications(ledger: Engine) -> int:
    """Count the applications that MOSIP knows and has not spoken about."""
    with transaction(ledger) as connection:
        return int(
            connection.execute(
                text("SELECT count(*) FROM applications WHERE state IN ('TRIGGERING', 'TRIGGERED')")
            ).scalar_one()
        )


def _terms_of(connection: Connection, kind: str, batch_id: int, by_term: Mapping[str, int]) -> Terms:
    """Count one batch, each side by itself."""
    outcomes = {row.outcome: row.n for row in connection.execute(_READ_SIDE, {"batch": batch_id})}
    unmatched = connection.execute(_UNMATCHED, {"batch": batch_id, "kind": kind}).scalar_one()
    sent = _sent_terms(by_term)
    return replace(
        sent,
        read=sum(outcomes.values()),
        known=outcomes.get("known", 0) + sent.known,
        not_eligible=outcomes.get("not_eligible", 0),
        quarantined=outcomes.get("quarantined", 0),
        unmatched=unmatched,
    )


def _by_term(sent: Sequence[Any], batches: Collection[int], center: str | None = None) -> dict[str, int]:
    """Add up the applications of some batches by their terms."""
    added: dict[str, int] = {}
    for row in sent:
        if row.batch_id in batches and center in (None, row.center):
            added[row.term] = added.get(row.term, 0) + row.n
    return added


def _sent_terms(by_term: Mapping[str, int]) -> Terms:
    """Give the terms of applications. What was withdrawn was never sent, and its event is known from earlier."""
    return Terms(**by_term, submitted=sum(by_term.get(term, 0) for term in SENT_TERMS))


def _by_center(batches: Sequence[Any], sent: Sequence[Any]) -> dict[str, dict[str, Terms]]:
    """Add up the applications of all syncs of a day by kind and centre."""
    centers: dict[str, dict[str, Terms]] = {}
    for kind in sorted({batch.kind for batch in batches}):
        numbers = {batch.batch_id for batch in batches if batch.kind == kind}
        found = sorted({row.center for row in sent if row.batch_id in numbers})
        centers[kind] = {center: _sent_terms(_by_term(sent, numbers, center)) for center in found}
    return centers


def _waiting(connection: Connection, batches: Sequence[int]) -> tuple[Waiting, ...]:
    """Give what is not settled, oldest last."""
    rows = connection.execute(_WAITING, {"batches": batches, "open": list(OPEN_TERMS)})
    ages = list(AGES)
    found = [Waiting(row.kind, row.term, row.reason, row.age, row.n) for row in rows]
    return tuple(sorted(found, key=lambda each: (each.kind, each.reason, ages.index(each.age))))


def _registry_counts(batches: Sequence[Any]) -> dict[str, RegistryCount]:
    """Give what the registry counted in each kind's last sync that it was asked about, newest first given.

    What it found unread in an earlier sync of the day stays unread until that one is counted again.
    """
    counts: dict[str, RegistryCount] = {}
    for batch in batches:
        if batch.counted_at is None:
            continue
        known = counts.get(batch.kind)
        if known is None:
            counts[batch.kind] = RegistryCount(batch.registry_count, batch.moved_on, batch.unread, batch.counted_at)
        else:
            counts[batch.kind] = replace(known, unread=max(known.unread, batch.unread))
    return dict(sorted(counts.items()))


def _unread(registry: Mapping[str, RegistryCount], kind: str) -> int:
    return registry[kind].unread if kind in registry else 0
