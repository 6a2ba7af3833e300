"""Reading windows: every registration once, whatever the ties, on any database that SQLAlchemy speaks to."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from mosip_crvs.errors import ExtractError, RetryLater
from mosip_crvs.model import Bound
from mosip_crvs.registry.extract import Extract

START = datetime(2026, 11, 23, tzinfo=UTC)
END = START + timedelta(days=1)
SQL = "SELECT id AS registration_id, changed AS modified_at FROM registrations"


@pytest.fixture
def table(registry_url: str) -> Iterator[Engine]:
    """A registry of one table, in PostgreSQL."""
    engine = create_engine(registry_url.replace("postgresql://", "postgresql+psycopg2://"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE registrations (id text PRIMARY KEY, changed timestamptz NOT NULL)"))
    yield engine
    engine.dispose()


def fill(engine: Engine, moments: list[datetime]) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO registrations VALUES (:id, :changed)"),
            [{"id": f"R{number:05d}", "changed": moment} for number, moment in enumerate(moments)],
        )


def read(extract: Extract, lower: Bound, upper: Bound, page_size: int = 7) -> list[str]:
    return [str(cell) for page in extract.pages(lower, upper, page_size) for cell in page["registration_id"]]


def plan(extract: Extract, **changes: int):
    return extract.plan(START, END, **{"range_size": 60, "spread": 1, "most": 500, **changes})


@pytest.mark.parametrize("spread_over", [1, 5, 3600, 86_400])
def test_the_ranges_hold_every_registration_of_the_window_exactly_once(table: Engine, spread_over: int) -> None:
    chance = random.Random(spread_over)
    inside = [START + timedelta(seconds=chance.randrange(spread_over)) for _ in range(500)]
    outside = [START - timedelta(microseconds=1), END, END + timedelta(hours=1)]
    fill(table, inside + outside)
    extract = Extract(table, SQL)
    ranges = plan(extract)
    assert len(ranges) == 9, "500 in ranges of 60"
    assert sum(planned.rows for planned in ranges) == 500
    got = [name for planned in ranges for name in read(extract, planned.lower, planned.upper)]
    assert sorted(got) == [f"R{number:05d}" for number in range(500)]


def test_a_row_that_slips_in_after_planning_is_read_by_one_of_the_ranges(table: Engine) -> None:
    fill(table, [START + timedelta(hours=hour) for hour in range(1, 20) for _ in range(10)])
    extract = Extract(table, SQL)
    ranges = plan(extract)
    assert len(ranges) > 2
    with table.begin() as connection:
        for name, moment in [("A", START), ("Z", END - timedelta(seconds=1)), ("M", START + timedelta(hours=9))]:
            connection.execute(text("INSERT INTO registrations VALUES (:n, :m)"), {"n": name, "m": moment})
    got = [name for planned in ranges for name in read(extract, planned.lower, planned.upper)]
    assert sorted(set(got)) == sorted(got)
    assert {"A", "M", "Z"} <= set(got)


def test_an_empty_window_is_one_range_that_late_rows_fall_into(table: Engine) -> None:
    extract = Extract(table, SQL)
    (only,) = plan(extract)
    assert (only.lower, only.upper, only.rows) == (Bound(START), Bound(END), 0)
    fill(table, [START + timedelta(hours=1)])
    assert read(extract, only.lower, only.upper) == ["R00000"]


def test_there_are_never_more_ranges_than_airflow_can_map(table: Engine) -> None:
    fill(table, [START + timedelta(seconds=number) for number in range(3000)])
    ranges = plan(Extract(table, SQL), range_size=50, most=20)
    assert len(ranges) <= 20
    assert sum(planned.rows for planned in ranges) == 3000


def test_a_small_day_is_spread_over_some_tasks(table: Engine) -> None:
    fill(table, [START + timedelta(seconds=number) for number in range(1000)])
    assert len(plan(Extract(table, SQL), range_size=5000, spread=4)) == 4


def test_pages_are_frames_of_objects_and_no_larger_than_asked(table: Engine) -> None:
    fill(table, [START + timedelta(seconds=number) for number in range(25)])
    pages = list(Extract(table, SQL + " ;\n").pages(Bound(START), Bound(END), 10))
    assert [len(page) for page in pages] == [10, 10, 5]
    assert set(pages[0].dtypes.astype(str)) == {"object"}


def test_another_database_serves_as_well(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'registry.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE registrations (id TEXT, changed TIMESTAMP)"))
        for number in range(130):
            connection.execute(
                text("INSERT INTO registrations VALUES (:id, :at)"),
                {"id": f"R{number:03d}", "at": f"2026-11-23 10:{number % 60:02d}:00.000000"},
            )
    extract = Extract(engine, SQL)
    start, end = datetime(2026, 11, 23), datetime(2026, 11, 24)
    ranges = extract.plan(start, end, range_size=50, spread=1, most=100)
    assert len(ranges) == 3
    whole = [str(c) for page in extract.pages(Bound(start), Bound(end), 40) for c in page["registration_id"]]
    assert len(whole) == len(set(whole)) == 130
    engine.dispose()


@pytest.mark.parametrize(
    "sql", ["SELECT nothing FROM registrations", "SELEC 1", "SELECT id AS registration_id FROM registrations"]
)
def test_wrong_sql_is_told_without_quoting_the_database(table: Engine, sql: str) -> None:
    with pytest.raises(ExtractError, match="the registry refused the extract SQL"):
        plan(Extract(table, sql))


def test_a_registry_that_is_away_is_tried_later() -> None:
    away = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    with pytest.raises(RetryLater, match="did not answer"):
        plan(Extract(away, SQL))


def test_the_keys_of_a_window_are_each_given_once_as_the_mapping_writes_them(table: Engine) -> None:
    fill(table, [START, START + timedelta(hours=1), END - timedelta(microseconds=1), END])
    more = f"UNION ALL SELECT ' X ', '{START}' UNION ALL SELECT NULL, '{START}'"
    extract = Extract(table, f"{SQL} UNION ALL {SQL} {more}")

    pages = list(extract.keys(START, END, 2))

    assert sorted(name for page in pages for name in page) == ["R00000", "R00001", "R00002", "X"]
    assert max(map(len, pages)) <= 2


def test_keys_of_a_registry_that_is_away_are_asked_for_later() -> None:
    away = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    with pytest.raises(RetryLater, match="did not answer"):
        list(Extract(away, SQL).keys(START, END, 2))
