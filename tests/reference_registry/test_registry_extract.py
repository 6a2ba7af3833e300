"""The extract SQL and the mapping tables: what the pipeline reads from the registry."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import yaml

import reference_registry
from reference_registry.deaths import MANNERS

INCLUDE = Path(reference_registry.__file__).parents[1]
COLUMNS = {
    "birth": [
        "registration_id",
        "person_id",
        "registered_at",
        "modified_at",
        "child_given_name",
        "child_family_name",
        "child_given_name_local",
        "child_family_name_local",
        "local_language",
        "child_gender",
        "child_birth_date",
        "child_uin",
        "residence_address_line1",
        "residence_place_code",
        "residence_postal_code",
        "birth_place_code",
        "informant_phone",
        "informant_email",
        "informant_info_token",
        "mother_given_name",
        "mother_family_name",
        "mother_uin",
        "father_uin",
        "registrar_id",
    ],
    "death": [
        "registration_id",
        "person_id",
        "registered_at",
        "modified_at",
        "deceased_uin",
        "deceased_vid",
        "deceased_birth_date",
        "death_date",
        "manner_of_death",
        "informant_info_token",
        "registrar_id",
    ],
}
WINDOW = "modified_at >= '2026-03-20 00:00+00' AND modified_at < '2026-03-21 00:00+00'"
AFTER = "(modified_at, registration_id) > ('2026-03-20 11:00+00', '')"


def wrapped(kind: str, conditions: str, tail: str = "") -> str:
    sql = (INCLUDE / "sql" / f"{kind}.sql").read_text(encoding="utf-8")
    return f"SELECT * FROM (\n{sql}\n) AS extract WHERE {conditions} {tail}"


@pytest.mark.parametrize("kind", ["birth", "death"])
def test_the_extract_has_the_promised_columns_and_is_one_select(kind: str, filled_registry_url: str) -> None:
    sql = (INCLUDE / "sql" / f"{kind}.sql").read_text(encoding="utf-8")
    code = "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
    assert ";" not in code
    assert "ORDER BY" not in code
    assert not set(":%{}") & set(sql), "would be taken for a parameter or a template"
    with psycopg.connect(filled_registry_url) as connection:
        cursor = connection.execute(wrapped(kind, WINDOW))  # type: ignore[arg-type]
        assert [column.name for column in cursor.description or ()] == COLUMNS[kind]
        assert len(cursor.fetchall()) == {"birth": 1_000, "death": 250}[kind]


@pytest.mark.parametrize("conditions", [WINDOW, f"{WINDOW} AND {AFTER}"])
@pytest.mark.parametrize("kind", ["birth", "death"])
def test_window_and_order_both_come_from_the_index(kind: str, conditions: str, filled_registry_url: str) -> None:
    page = wrapped(kind, conditions, "ORDER BY modified_at, registration_id LIMIT 50")
    with psycopg.connect(filled_registry_url) as connection:
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {page}"))  # type: ignore[arg-type]
    assert f"Index Scan using {kind}_registration_modified" in plan
    condition = next(line for line in plan.splitlines() if "Index Cond: " in line and "modified_at" in line)
    assert ">=" in condition
    assert "< '" in condition
    assert "Sort" not in plan
    assert "Seq Scan" not in plan


def test_only_registered_ones_are_read_and_a_birth_needs_no_parents(registry: psycopg.Connection) -> None:
    registry.execute("INSERT INTO crvs.person (person_id) VALUES ('C1'), ('C2')")
    registry.execute("INSERT INTO crvs.birth_registration (child_id) VALUES ('C1')")
    registry.execute("INSERT INTO crvs.birth_registration (child_id, status) VALUES ('C2', 'CANCELLED')")
    registry.execute("INSERT INTO crvs.birth_registration (child_id, mother_id) VALUES ('C2', 'nobody')")
    rows = registry.execute(wrapped("birth", "true")).fetchall()  # type: ignore[arg-type]
    assert sorted(row[1] for row in rows) == ["C1", "C2"]


def test_the_mapping_tables_name_everything_in_every_language() -> None:
    def table(name: str) -> dict[str, dict[str, dict[str, str]]]:
        loaded = yaml.safe_load((INCLUDE / "mappings" / f"{name}.yaml").read_text(encoding="utf-8"))
        assert list(loaded) == [name]
        return loaded[name]  # type: ignore[no-any-return]

    languages = {"eng", "ara", "amh", "hin"}
    places = table("places")
    assert len(places) == 24
    for levels in places.values():
        assert list(levels) == ["region", "province", "city", "zone"]
        for names in levels.values():
            assert set(names) == languages
            assert all(isinstance(name, str) and 0 < len(name) <= 50 for name in names.values())
    genders = table("genders")
    assert {code: set(names) for code, names in genders.items()} == dict.fromkeys("MFU", languages)
    assert set(table("manners_of_death")) == set(MANNERS)
