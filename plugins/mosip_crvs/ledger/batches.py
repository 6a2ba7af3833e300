"""Batches and ranges: which part of which window was planned, read and finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine, text

from mosip_crvs.errors import BatchIncomplete, StopTheRun
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.sending import HOLIDAY, NOT_READ_AGAIN
from mosip_crvs.model import Bound, PlannedRange, RegistrationKind


@dataclass(frozen=True, slots=True)
class Window:
    """What one batch is to read.

    :param day: the day in the registry's time zone that the batch answers for.
    :param start: with the look-back for rows that were committed late.
    """

    kind: RegistrationKind
    day: date
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class RangeTask:
    """A range as a task takes it up."""

    batch_id: int
    range_number: int
    kind: RegistrationKind
    lower: Bound
    upper: Bound


@dataclass(frozen=True, slots=True)
class Hold:
    """Why what was read and claimed waits, although nothing is wrong with it.

    :param code: such as ``HOLIDAY``; that of the applications.
    :param on: the day that must pass; :param until: the next day that will do, as far as anybody knows.
    """

    code: str
    on: date
    until: date


def unfinished_batch(engine: Engine, window: Window) -> int | None:
    """Find a batch of this very window that was planned and not finished: it is taken up again, not repeated."""
    with transaction(engine) as connection:
        return connection.execute(
            text(
                "SELECT max(batch_id) FROM batches WHERE kind = :kind AND day = :day AND window_start = :start "
                "AND window_end = :end AND finished_at IS NULL"
            ),
            {"kind": str(window.kind), "day": window.day, "start": window.start, "end": window.end},
        ).scalar_one_or_none()


def last_window_end(engine: Engine, kind: RegistrationKind, before: datetime) -> datetime | None:
    """Find where the last window that was planned before a moment ended."""
    with transaction(engine) as connection:
        return connection.execute(
            text("SELECT max(window_end) FROM batches WHERE kind = :kind AND window_end <= :before"),
            {"kind": str(kind), "before": before},
        ).scalar_one_or_none()


def open_batch(engine: Engine, window: Window, run_label: str, ranges: Sequence[PlannedRange]) -> int:
    """Write a new batch and its ranges."""
    with transaction(engine) as connection:
        batch_id: int = connection.execute(
            text(
                "INSERT INTO batches (kind, day, window_start, window_end, run_label) "
                "VALUES (:kind, :day, :start, :end, :label) RETURNING batch_id"
            ),
            {
                "kind": str(window.kind),
                "day": window.day,
                "start": window.start,
                "end": window.end,
                "label": run_label,
            },
        ).scalar_one()
        for number, planned in enumerate(ranges):
            connection.execute(
                text(
                    "INSERT INTO ranges (batch_id, range_number, lower_modified_at, lower_id, upper_modified_at, "
                    "upper_id, planned_rows) VALUES (:batch, :number, :low, :low_id, :high, :high_id, :rows)"
                ),
                {
                    "batch": batch_id,
                    "number": number,
                    "low": planned.lower.modified_at,
                    "low_id": planned.lower.registration_id,
                    "high": planned.upper.modified_at,
                    "high_id": planned.upper.registration_id,
                    "rows": planned.rows,
                },
            )
    return batch_id


def unfinished_ranges(engine: Engine, kind: RegistrationKind, limit: int) -> list[tuple[int, int]]:
    """Give what is still to be read, of this and of earlier batches that were left unfinished: (batch, range)."""
    with transaction(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT r.batch_id, r.range_number FROM ranges r JOIN batches b USING (batch_id) "
                "WHERE r.finished_at IS NULL AND b.kind = :kind "
                "ORDER BY r.batch_id DESC, r.range_number LIMIT :limit"
            ),
            {"kind": str(kind), "limit": limit},
        )
        return [(row.batch_id, row.range_number) for row in rows]


def take_range(engine: Engine, batch_id: int, range_number: int) -> RangeTask:
    """Look a range up and count the try. It is held no longer, whatever this try comes to."""
    with transaction(engine) as connection:
        row = connection.execute(
            text(
                "UPDATE ranges r SET tries = tries + 1, held_code = NULL, held_on = NULL, held_until = NULL "
                "FROM batches b WHERE b.batch_id = r.batch_id AND r.batch_id = :batch AND r.range_number = :number "
                "RETURNING b.kind, r.lower_modified_at, r.lower_id, r.upper_modified_at, r.upper_id"
            ),
            {"batch": batch_id, "number": range_number},
        ).one_or_none()
    if row is None:
        raise StopTheRun(f"batch {batch_id} has no range {range_number} in this ledger: plan again")
    return RangeTask(
        batch_id,
        range_number,
        RegistrationKind(row.kind),
        Bound(row.lower_modified_at, row.lower_id),
        Bound(row.upper_modified_at, row.upper_id),
    )


def finish_range(engine: Engine, batch_id: int, range_number: int) -> None:
    """Note that every event of a range was read, and sent or held for a reason of its own."""
    with transaction(engine) as connection:
        connection.execute(
            text("UPDATE ranges SET finished_at = now() WHERE batch_id = :batch AND range_number = :number"),
            {"batch": batch_id, "number": range_number},
        )


def hold_range(engine: Engine, batch_id: int, range_number: int, hold: Hold) -> None:
    """Note that every event of a range was read and claimed, and that some wait for a day to pass."""
    with transaction(engine) as connection:
        connection.execute(
            text(
                "UPDATE ranges SET held_code = :code, held_on = :on, held_until = :until "
                "WHERE batch_id = :batch AND range_number = :number"
            ),
            {"batch": batch_id, "number": range_number, "code": hold.code, "on": hold.on, "until": hold.until},
        )


def hold_of(connection: Connection, batch_id: int) -> Hold | None:
    """Give the hold of a batch: the longest of its ranges', when all that are not finished are held."""
    row = connection.execute(
        text(
            "SELECT held_code, held_on, held_until FROM ranges WHERE batch_id = :batch AND finished_at IS NULL "
            "ORDER BY held_code IS NULL DESC, held_until DESC, held_on DESC LIMIT 1"
        ),
        {"batch": batch_id},
    ).one_or_none()
    return None if row is None or row.held_code is None else Hold(row.held_code, row.held_on, row.held_until)


def held_of(engine: Engine, batch_id: int, code: str) -> tuple[int, str]:
    """Count what a batch read and what waits for one reason, and give its centre, the head of the AIDs.

    An application that an earlier batch claimed, and that this one read again, is counted as well.
    """
    with transaction(engine) as connection:
        row = connection.execute(
            text(
                "SELECT count(*) AS held, coalesce(min(left(a.aid, 5)), '') AS center "
                "FROM readings r JOIN batches b USING (batch_id) JOIN applications a ON a.kind = b.kind "
                "AND a.registration_id = r.registration_id AND a.act = r.act AND a.act_number = r.act_number "
                "WHERE r.batch_id = :batch AND a.state = 'AID_ASSIGNED' AND a.held_code = :code"
            ),
            {"batch": batch_id, "code": code},
        ).one()
    return row.held, row.center


def finish_batches(engine: Engine, kind: RegistrationKind) -> list[int]:
    """Close every batch of a kind whose ranges are all finished; give their numbers.

    What a holiday held and no reading brought back is marked: no further run would come upon it.
    """
    with transaction(engine) as connection:
        rows = connection.execute(
            text(
                "UPDATE batches b SET finished_at = now() WHERE b.kind = :kind AND b.finished_at IS NULL "
                "AND NOT EXISTS (SELECT 1 FROM ranges r WHERE r.batch_id = b.batch_id AND r.finished_at IS NULL) "
                "RETURNING batch_id"
            ),
            {"kind": str(kind)},
        )
        closed = [row.batch_id for row in rows]
        connection.execute(
            text(
                "UPDATE applications SET held_code = :left WHERE batch_id = ANY(:closed) AND state = 'AID_ASSIGNED' "
                "AND held_code = :holiday"
            ),
            {"left": NOT_READ_AGAIN, "holiday": HOLIDAY, "closed": closed},
        )
        return closed


def check_finished(engine: Engine, batch_id: int) -> Hold | None:
    """Make sure that a batch is closed, or that nothing but a day has to pass.

    :return: what holds it; None when it is closed.
    :raises BatchIncomplete: with the number of ranges that are left.
    """
    with transaction(engine) as connection:
        hold = hold_of(connection, batch_id)
        left = connection.execute(
            text("SELECT count(*) FROM ranges WHERE batch_id = :batch AND finished_at IS NULL AND held_code IS NULL"),
            {"batch": batch_id},
        ).scalar_one()
    if left:
        raise BatchIncomplete(
            f"batch {batch_id}: {left} ranges are not finished; the ledger keeps what was done, run the DAG again"
        )
    return hold


def quarantine_share(engine: Engine, batch_id: int) -> tuple[int, int]:
    """Count what a batch read and how much of it was quarantined: (read, quarantined)."""
    with transaction(engine) as connection:
        row = connection.execute(
            text(
                "SELECT count(*) AS read, count(*) FILTER (WHERE outcome = 'quarantined') AS quarantined "
                "FROM readings WHERE batch_id = :batch"
            ),
            {"batch": batch_id},
        ).one()
    return row.read, row.quarantined
