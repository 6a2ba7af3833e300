"""The registry as people use it by hand: insert, amend, delete."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

import reference_registry

INCLUDE = Path(reference_registry.__file__).parents[1]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def birth(registry: psycopg.Connection) -> str:
    registry.execute("INSERT INTO crvs.person (person_id, given_name) VALUES ('C1', 'Amina'), ('M1', 'Salma')")
    registry.execute(
        "INSERT INTO crvs.birth_registration (registration_id, child_id, mother_id, registered_at, modified_at)"
        " VALUES ('B-1', 'C1', 'M1', %s, %s)",
        (LONG_AGO, LONG_AGO),
    )
    return "B-1"


def modified_at(registry: psycopg.Connection, table: str = "birth_registration") -> datetime:
    row = registry.execute(f"SELECT modified_at FROM crvs.{table}").fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


def amendments(registry: psycopg.Connection) -> list[tuple[Any, ...]]:
    return registry.execute(
        "SELECT registration_kind, registration_id, field, reason FROM crvs.amendment ORDER BY amendment_id"
    ).fetchall()


def test_two_inserts_make_a_birth_and_two_make_a_death(registry: psycopg.Connection) -> None:
    registry.execute("INSERT INTO crvs.person (person_id) VALUES ('P-1')")
    registry.execute("INSERT INTO crvs.birth_registration (child_id) VALUES ('P-1')")
    registry.execute("INSERT INTO crvs.person (person_id, uin) VALUES ('P-2', '2169305392')")
    registry.execute("INSERT INTO crvs.death_registration (deceased_id, death_date) VALUES ('P-2', '2026-01-01')")
    for table, letter in (("birth_registration", "B"), ("death_registration", "D")):
        row = registry.execute(f"SELECT registration_id, status, modified_at FROM crvs.{table}").fetchone()  # type: ignore[arg-type]
        assert row is not None
        assert re.fullmatch(rf"{letter}-20\d\d-000001", row[0])
        assert row[1] == "REGISTERED"
        assert (datetime.now(UTC) - row[2]).total_seconds() < 60


def test_amending_a_registration_moves_it_into_the_next_window(registry: psycopg.Connection, birth: str) -> None:
    registry.execute("UPDATE crvs.birth_registration SET residence_place_code = 'AGDL', birth_facility = 'Home'")
    assert modified_at(registry) > LONG_AGO
    assert amendments(registry) == [
        ("BIRTH", birth, "birth_facility", None),
        ("BIRTH", birth, "residence_place_code", None),
    ]


def test_amending_the_child_moves_its_birth_and_says_why(registry: psycopg.Connection, birth: str) -> None:
    with registry.transaction():
        registry.execute("SET LOCAL crvs.reason = 'spelling'")
        registry.execute("UPDATE crvs.person SET given_name = 'Aminah' WHERE person_id = 'C1'")
    assert modified_at(registry) > LONG_AGO
    assert amendments(registry) == [("BIRTH", birth, "person.given_name", "spelling")]


def test_amending_the_deceased_moves_the_death(registry: psycopg.Connection, birth: str) -> None:
    registry.execute(
        "INSERT INTO crvs.death_registration (registration_id, deceased_id, modified_at) VALUES ('D-1', 'C1', %s)",
        (LONG_AGO,),
    )
    registry.execute("UPDATE crvs.person SET uin = '2169305392' WHERE person_id = 'C1'")
    assert modified_at(registry, "death_registration") > LONG_AGO
    assert ("DEATH", "D-1", "person.uin", None) in amendments(registry)


def test_a_change_to_a_parent_leaves_the_birth_where_it_is(registry: psycopg.Connection, birth: str) -> None:
    registry.execute("UPDATE crvs.person SET given_name = 'Salwa' WHERE person_id = 'M1'")
    assert modified_at(registry) == LONG_AGO
    assert amendments(registry) == []


def test_an_update_that_sets_modified_at_itself_is_left_alone(registry: psycopg.Connection, birth: str) -> None:
    chosen = datetime(2021, 2, 3, tzinfo=UTC)
    registry.execute("UPDATE crvs.birth_registration SET birth_facility = 'Home', modified_at = %s", (chosen,))
    assert modified_at(registry) == chosen
    assert amendments(registry) == []


def test_the_amendments_hold_no_value_from_before_or_after(registry: psycopg.Connection, birth: str) -> None:
    registry.execute("UPDATE crvs.person SET given_name = 'Aminah' WHERE person_id = 'C1'")
    row = registry.execute("SELECT amendment::text FROM crvs.amendment").fetchone()
    assert row is not None
    assert "Amin" not in row[0]


def test_a_registration_goes_with_a_plain_delete(registry: psycopg.Connection, birth: str) -> None:
    registry.execute("UPDATE crvs.birth_registration SET birth_facility = 'Home'")
    assert registry.execute("DELETE FROM crvs.birth_registration WHERE registration_id = 'B-1'").rowcount == 1
    assert len(amendments(registry)) == 1


def test_every_example_of_the_readme_runs(registry: psycopg.Connection) -> None:
    readme = (INCLUDE / "reference_registry" / "README.md").read_text(encoding="utf-8")
    by_hand = readme.partition("## By hand")[2].partition("\n## ")[0]
    examples = re.findall(r"```sql\n(.*?)```", by_hand, re.DOTALL)
    assert len(examples) == 5
    counted = None
    for example in examples:
        for statement in filter(str.strip, example.split(";\n")):
            counted = registry.execute(statement)  # type: ignore[arg-type]
    assert counted is not None
    assert counted.fetchone() == (0, 0)  # the birth was deleted again, the death is of today


def test_nothing_in_the_package_is_longer_than_it_should_be() -> None:
    for path in Path(INCLUDE / "reference_registry").glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 300, path.name
