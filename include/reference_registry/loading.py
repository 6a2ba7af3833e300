"""Putting generated registrations into PostgreSQL: COPY into a staging table, then INSERT what is not there yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import chain, islice
from pathlib import Path
from time import monotonic
from typing import TypeVar

import psycopg
from psycopg import sql

from reference_registry.births import generate_births, generate_hostile_births
from reference_registry.days import yesterday
from reference_registry.deaths import generate_deaths
from reference_registry.places import place_rows, registrar_rows
from reference_registry.records import Birth, Death

SCHEMA_FILE = Path(__file__).with_name("schema.sql")
BATCH = 5_000

Report = Callable[[str], None]
R = TypeVar("R")


def _connect(url: str) -> psycopg.Connection:
    """Connect to a libpq URL; a driver in the scheme, as SQLAlchemy writes it, is ignored."""
    scheme, separator, rest = url.partition("://")
    return psycopg.connect(f"{scheme.split('+')[0]}{separator}{rest}", application_name="reference_registry")


def _ensure_schema(connection: psycopg.Connection) -> None:
    with connection.transaction():
        # IF NOT EXISTS does not help two sessions that create at the same time.
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('reference_registry'))")
        connection.execute("SET LOCAL client_min_messages = warning")
        connection.execute(SCHEMA_FILE.read_bytes())
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO crvs.place VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", place_rows())
            cursor.executemany(
                "INSERT INTO crvs.registrar VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", registrar_rows()
            )


def create_schema(url: str) -> None:
    """Create the schema ``crvs`` where it is missing, with its places and registrars. Safe to repeat.

    :param url: ``postgresql://…``
    """
    with _connect(url) as connection:
        _ensure_schema(connection)


def _copy(cursor: psycopg.Cursor, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    statement = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier("pg_temp", table))
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _stage(connection: psycopg.Connection) -> None:
    for table in ("person", "birth_registration", "death_registration"):
        connection.execute(
            sql.SQL("CREATE TEMP TABLE {} (LIKE {}) ON COMMIT DELETE ROWS").format(
                sql.Identifier(table), sql.Identifier("crvs", table)
            )
        )
    connection.commit()


def _insert(connection: psycopg.Connection, table: str, batch: list[Birth] | list[Death]) -> Counter[str]:
    """One batch, one transaction; counts what was new.

    A registration is ever inserted after its people, so that a stop in between leaves nothing half.
    """
    with connection.transaction(), connection.cursor() as cursor:
        _copy(cursor, "person", (person for record in batch for person in record.people))
        _copy(cursor, table, (record.registration for record in batch))
        cursor.execute("INSERT INTO crvs.person SELECT * FROM pg_temp.person ON CONFLICT DO NOTHING")
        cursor.execute(
            # In the order of time, as an office would have written them: the nightly window then reads few pages.
            sql.SQL(
                "INSERT INTO {} SELECT * FROM {} ORDER BY modified_at ON CONFLICT DO NOTHING RETURNING registration_id"
            ).format(sql.Identifier("crvs", table), sql.Identifier("pg_temp", table))
        )
        new = {row[0] for row in cursor}
    return Counter(record.kind for record in batch if record.registration.registration_id in new)


def _batches(records: Iterator[R]) -> Iterator[list[R]]:
    while batch := list(islice(records, BATCH)):
        yield batch


def load(
    url: str,
    *,
    births: int = 0,
    deaths: int = 0,
    days: int = 1,
    seed: int = 1,
    end_day: date | None = None,
    time_zone: str = "UTC",
    hostile: int = 0,
    clean_only: bool = False,
    report: Report | None = None,
) -> Counter[str]:
    """Create the schema if it is missing, and load registrations into it. Loading the same again adds nothing.

    :param births: registrations of births, in all; ``deaths`` likewise.
    :param days: the number of days they are spread over, ending on ``end_day`` (by default yesterday in ``time_zone``).
    :param hostile: further births, of which every one has one thing wrong.
    :param report: gets a line of progress after each batch: counts only.
    :returns: how many were added, by kind of case.
    """
    last = end_day or yesterday(time_zone)
    birth_records = chain(
        generate_births(births, days=days, seed=seed, end_day=last, time_zone=time_zone, clean_only=clean_only),
        generate_hostile_births(hostile, days=days, seed=seed, end_day=last, time_zone=time_zone),
    )
    death_records = generate_deaths(
        deaths, days=days, seed=seed, end_day=last, time_zone=time_zone, clean_only=clean_only
    )
    added: Counter[str] = Counter()
    done, total, started = 0, births + deaths + hostile, monotonic()
    with _connect(url) as connection:
        _ensure_schema(connection)
        _stage(connection)
        tables: tuple[tuple[str, Iterator[list[Birth]] | Iterator[list[Death]]], ...] = (
            ("birth_registration", _batches(birth_records)),
            ("death_registration", _batches(death_records)),
        )
        for table, batches in tables:
            for batch in batches:
                added += _insert(connection, table, batch)
                done += len(batch)
                if report is not None:
                    speed = done / max(monotonic() - started, 1e-3)
                    report(f"{done:,} of {total:,} registrations, {speed:,.0f} a second")
        connection.autocommit = True
        for table in ("person", "birth_registration", "death_registration"):
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("crvs", table)))
    return added
