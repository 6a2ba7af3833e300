"""Was everything read? The registry itself is asked for what stands in the window of a batch, and keys are compared.

A registration of the window that no batch of its kind has ever read is *unread*: it was committed after the batch had
read past its place, or our reading has a hole. One that the batch did read and that stands there no more has
*moved on*: it was changed since and belongs to a later window, or it is no longer to be given to us.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, text

from mosip_crvs.ledger import alarms
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.model import RegistrationKind
from mosip_crvs.reconciliation.standing import SYNC_AGAIN
from mosip_crvs.registry.extract import Extract

KEYS_AT_ONCE = 2_000
MOST_EARLIER = 20
"""How many earlier batches are counted along: those with something unread, and those that nobody counted yet."""
UNREAD = "unread"
"""The alarm's code; its subject is the day and the kind."""


def recount(ledger: Engine, extract: Extract, kind: RegistrationKind, batch_id: int) -> list[str]:
    """Ask the registry for a batch, and again for earlier ones that left a question; keep what it says.

    A batch whose window is not over is not asked for: what comes after its reading is the next one's.

    :return: a sentence for each day of which something is unread; for each there is an alarm.
    """
    with transaction(ledger) as connection:
        due = connection.execute(_DUE, {"kind": str(kind), "batch": batch_id, "most": MOST_EARLIER}).all()
    for batch in due:
        _recount_one(ledger, extract, batch)
    with transaction(ledger) as connection:
        return list(_alarm(connection, kind, {batch.day for batch in due}))


def _recount_one(ledger: Engine, extract: Extract, batch: Any) -> None:
    """Compare keys even where the sums agree: one that moved on must not hide one that was never read."""
    counted = read_here = unread = 0
    for keys in extract.keys(batch.window_start, batch.window_end, KEYS_AT_ONCE):
        with transaction(ledger) as connection:
            elsewhere = _not_read_by(connection, batch.batch_id, keys)
            counted += len(keys)
            read_here += len(keys) - len(elsewhere)
            unread += _never_read(connection, batch.kind, elsewhere)
    with transaction(ledger) as connection:
        read = connection.execute(_READ, {"batch": batch.batch_id}).scalar_one()
        connection.execute(
            _KEEP,
            {"batch": batch.batch_id, "counted": counted, "unread": unread, "moved_on": max(read - read_here, 0)},
        )


def _not_read_by(connection: Connection, batch_id: int, keys: list[str]) -> list[str]:
    return list(connection.execute(_NOT_HERE, {"batch": batch_id, "ids": keys}).scalars()) if keys else []


def _never_read(connection: Connection, kind: str, keys: list[str]) -> int:
    return int(connection.execute(_NOWHERE, {"kind": kind, "ids": keys}).scalar_one()) if keys else 0


def _alarm(connection: Connection, kind: RegistrationKind, days: Collection[date]) -> Iterator[str]:
    """Raise or clear each day's alarm; give the sentences of those that hold."""
    for row in connection.execute(_UNREAD, {"kind": str(kind), "days": sorted(days)}).all():
        subject = f"{row.day} {kind}"
        if row.unread:
            sentence = f"{row.unread:,} {kind}s of {row.day} stand in the registry and were never read: {SYNC_AGAIN}"
            alarms.raise_alarm(connection, UNREAD, subject, details=sentence)
            yield sentence
        else:
            alarms.clear(connection, UNREAD, subject)


_DUE = text(
    """
    SELECT batch_id, kind, day, window_start, window_end FROM batches
     WHERE kind = :kind AND window_end <= now()
       AND (batch_id = :batch OR unread > 0 OR (counted_at IS NULL AND finished_at IS NOT NULL))
     ORDER BY batch_id <> :batch, batch_id DESC LIMIT :most + 1
    """
)

_NOT_HERE = text(
    """
    SELECT wanted.id FROM unnest(CAST(:ids AS text[])) AS wanted (id)
     WHERE NOT EXISTS (SELECT 1 FROM readings r WHERE r.batch_id = :batch AND r.registration_id = wanted.id)
    """
)

# Batch by batch along the readings' key: a plan that reads all readings for a few keys must not be chosen.
_NOWHERE = text(
    """
    SELECT count(*) FROM unnest(CAST(:ids AS text[])) AS wanted (id)
      LEFT JOIN LATERAL (
           SELECT 1 AS found FROM batches b CROSS JOIN LATERAL (
                  SELECT 1 FROM readings r WHERE r.batch_id = b.batch_id AND r.registration_id = wanted.id LIMIT 1) r
            WHERE b.kind = :kind LIMIT 1) somewhere ON true
     WHERE somewhere.found IS NULL
    """
)

_READ = text(
    "SELECT count(DISTINCT registration_id) FROM readings "
    "WHERE batch_id = :batch AND registration_id NOT LIKE '(without registration_id)%'"
)

_KEEP = text(
    "UPDATE batches SET registry_count = :counted, unread = :unread, moved_on = :moved_on, "
    "counted_at = clock_timestamp() WHERE batch_id = :batch"
)

_UNREAD = text(
    "SELECT day, max(coalesce(unread, 0)) AS unread FROM batches WHERE kind = :kind AND day = ANY(:days) "
    "GROUP BY day ORDER BY day"
)
