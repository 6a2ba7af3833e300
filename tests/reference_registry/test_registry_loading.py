"""Loading: complete, repeatable, and quick."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from time import monotonic

import psycopg

import reference_registry
from reference_registry import BirthRegistration, DeathRegistration, Person, create_schema, load
from reference_registry.places import places

INCLUDE = Path(reference_registry.__file__).parents[1]
END_DAY = date(2026, 3, 31)


def rows(url: str) -> dict[str, int]:
    tables = ("person", "birth_registration", "death_registration", "amendment", "place", "registrar")
    with psycopg.connect(url) as connection:
        counted = {t: connection.execute(f"SELECT count(*) FROM crvs.{t}").fetchone() for t in tables}  # type: ignore[arg-type]
    return {table: row[0] for table, row in counted.items() if row is not None}


def test_what_was_asked_for_is_there_and_the_same_again_adds_nothing(registry_url: str) -> None:
    wanted = {"births": 700, "deaths": 90, "days": 4, "seed": 9, "hostile": 40}
    first = load(registry_url, **wanted, end_day=END_DAY)  # type: ignore[arg-type]
    there = rows(registry_url)
    assert first.total() == 830
    assert there["birth_registration"] == 740
    assert there["death_registration"] == 90
    assert there["amendment"] == 0
    assert load(registry_url, **wanted, end_day=END_DAY).total() == 0  # type: ignore[arg-type]
    assert rows(registry_url) == there
    assert load(registry_url, births=800, days=4, seed=9, end_day=END_DAY).total() == 100
    assert load(registry_url, births=100, days=4, seed=10, end_day=END_DAY).total() == 100
    assert load(registry_url, births=100, days=4, seed=9, end_day=END_DAY, clean_only=True).total() == 100


def test_a_thousand_births_a_second_at_the_least(registry_url: str) -> None:
    started = monotonic()
    load(registry_url, births=10_000, days=1)
    assert monotonic() - started < 10


def test_the_schema_can_be_created_twice_and_by_two_at_once(registry_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create_schema, [registry_url] * 4))
    create_schema(registry_url)
    assert rows(registry_url)["place"] > len(places())


def test_records_have_the_columns_of_their_tables_in_order(registry: psycopg.Connection) -> None:
    records = (("person", Person), ("birth_registration", BirthRegistration), ("death_registration", DeathRegistration))
    for table, record in records:
        cursor = registry.execute(f"SELECT * FROM crvs.{table} LIMIT 0")  # type: ignore[arg-type]
        assert tuple(column.name for column in cursor.description or ()) == record._fields


def test_a_url_may_name_a_driver_as_sqlalchemy_does(registry_url: str) -> None:
    create_schema(registry_url.replace("postgresql://", "postgresql+psycopg://"))
    assert rows(registry_url)["birth_registration"] == 0


def test_the_command_loads_and_prints_counts_and_no_names(registry_url: str) -> None:
    command = [sys.executable, "-m", "reference_registry", "--url", registry_url, "--births", "50", "--deaths", "10"]
    done = subprocess.run(
        [*command, "--days", "2", "--seed", "4", "--end-day", "2026-03-31", "--time-zone", "Africa/Casablanca"],
        env={"PYTHONPATH": str(INCLUDE)}, capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1].split() == ["added", "in", "all", "60"]
    assert all(line.startswith(("birth.", "death.", "added in all")) for line in done.stdout.splitlines())
    assert reference_registry.load(
        registry_url, births=50, deaths=10, days=2, seed=4, end_day=END_DAY, time_zone="Africa/Casablanca"
    ).total() == 0  # fmt: skip
