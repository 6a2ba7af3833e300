"""Reaching the ledger: one way to connect, one way to fail."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from mosip_crvs.errors import LedgerBusy, LedgerRefused, LedgerUnavailable, StopTheRun

T = TypeVar("T")
BUSY_TRIES = 5

# Both sides notice within half a minute that the other is gone, by a cut line or a lost host; the server then ends
# the session's lock. (A pooler that shares connections between transactions would break that lock.)
_BOUNDS = {
    "application_name": "mosip_crvs",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "options": "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 "
    "-c tcp_user_timeout=30000 -c statement_timeout=300000",
}


def connect_to_ledger(url: str | URL, *, pool_size: int = 2) -> Engine:
    """Make an engine for the ledger.

    Commits are durable whatever the server's default: the promise rests on them.

    :param url: any PostgreSQL URL; the driver is psycopg 3.
    :param pool_size: connections kept open; a task needs two.
    """
    parsed = make_url(url)
    if not parsed.drivername.startswith("postgres"):
        raise StopTheRun(f"the ledger must be PostgreSQL, not {parsed.drivername}")
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=2,
        pool_pre_ping=True,
        connect_args=_BOUNDS,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _make_durable)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Run a block in one transaction, committed at its end.

    :raises LedgerRefused: when a statement is wrong or breaks a constraint: a mistake of ours, or a ledger that was
        not migrated.
    :raises LedgerUnavailable: when the server could not be reached or the commit is not certain. The text names the
        kind of fault only: a driver's text may quote values.
    """
    with told_discreetly(), engine.begin() as connection:
        yield connection


@contextmanager
def one_statement(engine: Engine) -> Iterator[Connection]:
    """Give a connection on which each statement is a transaction of its own: one round trip, where one is enough.

    It fails as :func:`transaction` does.
    """
    with told_discreetly(), engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


def now_of(connection: Connection) -> datetime:
    """Give the server's present moment, by which everything in the ledger is dated."""
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now


def clock(engine: Engine) -> datetime:
    """Give the server's present moment, where no transaction is open."""
    with transaction(engine) as connection:
        return now_of(connection)


def repeated_when_busy(run: Callable[[], T]) -> T:
    """Run a whole transaction, and again when the server ended it for the sake of another one.

    :raises LedgerBusy: when that went on.
    """
    for _ in range(BUSY_TRIES - 1):
        try:
            return run()
        except LedgerBusy:
            time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 (so that two do not meet again)
    return run()


@contextmanager
def told_discreetly() -> Iterator[None]:
    """Turn a driver's errors into the plugin's, by their kind only: their texts may quote values."""
    try:
        yield
    except DBAPIError as problem:
        if isinstance(problem.orig, _REFUSALS):
            # Its text quotes the row; the constraint's name is enough to find the mistake.
            constraint = problem.orig.diag.constraint_name or "no constraint"
            raise LedgerRefused(
                f"the ledger refused a statement ({type(problem.orig).__name__}, {constraint})"
            ) from None
        kind = LedgerBusy if isinstance(problem.orig, _BUSY) else LedgerUnavailable
        raise kind(f"the ledger did not answer ({type(problem.orig).__name__})") from None
    except SQLAlchemyError as problem:
        raise LedgerUnavailable(f"the ledger could not be used ({type(problem).__name__})") from None


def _make_durable(dbapi_connection: object, _record: object) -> None:
    with dbapi_connection.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("SET synchronous_commit = on")
        cursor.execute("SET TIME ZONE 'UTC'")
    dbapi_connection.commit()  # type: ignore[attr-defined]


_REFUSALS = (psycopg.errors.ProgrammingError, psycopg.errors.IntegrityError, psycopg.errors.DataError)
_BUSY = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
