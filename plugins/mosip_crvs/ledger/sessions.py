"""Which sending task owns an unsent application, and whether that task still lives.

A session holds a PostgreSQL advisory lock of its own number on a connection of its own. When its process dies, however
it dies, the server drops the connection and with it the lock: no time-out is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, text

from mosip_crvs.errors import LedgerUnavailable
from mosip_crvs.ledger.connection import now_of, told_discreetly, transaction

_LOCK_SPACE = 0x4352_5653  # "CRVS"


class Session:
    """One sending task, alive between :meth:`open` and :meth:`close`."""

    def __init__(self, engine: Engine, session_id: int, holder: Connection) -> None:
        self.session_id = session_id
        self._engine = engine
        self._holder = holder

    @classmethod
    def open(cls, engine: Engine, label: str) -> Session:
        """Register a session and take its lock.

        :param label: names the task for an operator: DAG, run, task and try.
        """
        with transaction(engine) as connection:
            session_id = connection.execute(
                text("INSERT INTO sessions (label) VALUES (:label) RETURNING session_id"), {"label": label}
            ).scalar_one()
        with told_discreetly():
            holder = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            holder.execute(text("SELECT pg_advisory_lock(:space, :id)"), {"space": _LOCK_SPACE, "id": session_id})
        return cls(engine, session_id, holder)

    def check(self) -> None:
        """Make sure that the lock is still ours, and leave a sign of life.

        :raises LedgerUnavailable: when the connection that holds the lock is gone. Stop sending at once.
        """
        try:
            self._holder.execute(
                text("UPDATE sessions SET seen_at = now() WHERE session_id = :id"), {"id": self.session_id}
            )
        except Exception as problem:
            raise LedgerUnavailable(f"the session's lock is gone ({type(problem).__name__})") from None

    def close(self, *, in_order: bool) -> None:
        """Let go of the lock; what the session owned and did not send is free for others.

        :param in_order: every call was answered or given up, so that a successor need not wait for any.
        """
        try:
            if in_order:
                with told_discreetly():
                    self._holder.execute(
                        text("UPDATE sessions SET ended_at = now(), seen_at = now() WHERE session_id = :id"),
                        {"id": self.session_id},
                    )
        finally:
            self._holder.invalidate()
            self._holder.close()


def dead_sessions(connection: Connection, session_ids: Iterable[int]) -> dict[int, datetime | None]:
    """Say which of some sessions have ended or died, and when a killed one was last seen.

    The locks that are taken for the test are held until the end of the transaction, so a session found dead cannot
    be found dead by two takers at once.

    :return: by session number; None for one that ended in order, with nothing left in flight.
    """
    dead: dict[int, datetime | None] = {}
    for session_id in sorted(set(session_ids)):
        got = connection.execute(
            text("SELECT pg_try_advisory_xact_lock(:space, :id)"), {"space": _LOCK_SPACE, "id": session_id}
        ).scalar_one()
        if got:
            row = connection.execute(
                text("SELECT seen_at, ended_at FROM sessions WHERE session_id = :id"), {"id": session_id}
            ).one_or_none()
            dead[session_id] = None if row is None or row.ended_at is not None else row.seen_at
    return dead


def seconds_to_wait(connection: Connection, last_seen: Iterable[datetime | None], quiet: float) -> float:
    """Say how long to wait before taking over from killed sessions: their last calls may still be on their way."""
    seen = [moment for moment in last_seen if moment is not None]
    if not seen:
        return 0.0
    now = now_of(connection)
    return max(0.0, (max(seen) + timedelta(seconds=quiet) - now).total_seconds())
