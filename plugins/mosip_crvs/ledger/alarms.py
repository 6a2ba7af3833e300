"""Alarms: what a person must look at. One is open for each code and subject until it is cleared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from mosip_crvs.ledger.connection import transaction


@dataclass(frozen=True, slots=True)
class OpenAlarm:
    """One alarm.

    :param subject: an AID, a topic or a day. :param other: a second AID, where two are concerned.
    """

    alarm_id: int
    code: str
    subject: str
    other: str | None
    details: str | None
    raised_at: datetime
    seen_at: datetime
    notified_at: datetime | None


def raise_alarm(
    connection: Connection, code: str, subject: str, *, other: str | None = None, details: str | None = None
) -> None:
    """Raise an alarm, or note that it holds still."""
    connection.execute(_RAISE, {"code": code, "subject": subject, "other": other, "details": details})


def clear(connection: Connection, code: str, subject: str) -> None:
    """Note that an alarm's cause is gone; without such an alarm nothing happens."""
    connection.execute(_CLEAR, {"code": code, "subject": subject})


def clear_each(connection: Connection, codes_and_subjects: Sequence[tuple[str, str]]) -> None:
    """Clear many at once, also where the subject is the other one of two; those never raised cost nothing."""
    if codes_and_subjects:
        codes, subjects = zip(*codes_and_subjects, strict=True)
        connection.execute(_CLEAR_EACH, {"codes": list(codes), "subjects": list(subjects)})


def clear_others(connection: Connection, code: str, subjects: Collection[str]) -> None:
    """Clear every alarm of a code but those of some subjects: the others' cause was not found any more."""
    connection.execute(_CLEAR_OTHERS, {"code": code, "subjects": list(subjects)})


def open_alarms(engine: Engine) -> list[OpenAlarm]:
    """Give what is open, the oldest first."""
    with transaction(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT alarm_id, code, subject, other, details, raised_at, seen_at, notified_at FROM alarms "
                "WHERE cleared_at IS NULL ORDER BY alarm_id"
            )
        )
        return [OpenAlarm(*row) for row in rows]


def notified(engine: Engine, alarm_ids: Collection[int]) -> None:
    """Note that somebody was told of some alarms."""
    with transaction(engine) as connection:
        connection.execute(
            text("UPDATE alarms SET notified_at = now() WHERE alarm_id = ANY(:ids)"), {"ids": list(alarm_ids)}
        )


_RAISE = text(
    """
    INSERT INTO alarms (code, subject, other, details) VALUES (:code, :subject, :other, :details)
    ON CONFLICT (code, subject) WHERE cleared_at IS NULL
    DO UPDATE SET seen_at = now(), other = coalesce(EXCLUDED.other, alarms.other), details = EXCLUDED.details
    """
)

_CLEAR = text("UPDATE alarms SET cleared_at = now() WHERE code = :code AND subject = :subject AND cleared_at IS NULL")

_CLEAR_EACH = text(
    """
    UPDATE alarms SET cleared_at = now()
      FROM unnest(CAST(:codes AS text[]), CAST(:subjects AS text[])) AS answered (code, subject)
     WHERE alarms.cleared_at IS NULL AND alarms.code = answered.code
       AND answered.subject IN (alarms.subject, alarms.other)
    """
)

_CLEAR_OTHERS = text(
    "UPDATE alarms SET cleared_at = now() WHERE code = :code AND cleared_at IS NULL AND subject <> ALL(:subjects)"
)
