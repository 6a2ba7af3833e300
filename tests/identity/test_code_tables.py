"""Code tables and languages: what a code becomes, in which languages, and what is missing where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from identity_samples import (
    INCLUDE,
    LOCALIZED_FIELD,
    TEXT_FIELD,
    birth,
    broken,
    death,
    frame,
    localized,
    map_one,
    schema_text,
)

from mosip_crvs.identity import mapping, schema
from mosip_crvs.identity.page import PageMapper

PLACE_FIELDS = ("region", "province", "city", "zone")


@pytest.mark.parametrize("code", ["X", "9", "m", "Male", "0"])
def test_an_unknown_gender_is_quarantined(births: PageMapper, code: str) -> None:
    assert broken(births, birth(child_gender=code)) == {("gender", "CODE_UNKNOWN")}


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_a_missing_gender_is_quarantined(births: PageMapper, nothing: str | None) -> None:
    assert broken(births, birth(child_gender=nothing)) == {("gender", "MISSING")}


@pytest.mark.parametrize(("code", "name"), [("M", "Male"), ("F", "Female"), ("U", "Others"), (" F ", "Female")])
def test_a_gender_is_sent_by_its_name(births: PageMapper, code: str, name: str) -> None:
    event = map_one(births, birth(child_gender=code))
    assert event.findings == []
    assert event.identity["gender"][0] == {"language": "eng", "value": name}


def test_an_unknown_place_names_all_four_levels(births: PageMapper) -> None:
    assert broken(births, birth(residence_place_code="XX-99")) == {(name, "CODE_UNKNOWN") for name in PLACE_FIELDS}


def test_a_missing_place_names_all_four_levels(births: PageMapper) -> None:
    assert broken(births, birth(residence_place_code=None)) == {(name, "MISSING") for name in PLACE_FIELDS}


@pytest.mark.parametrize(("language", "female"), [("ara", "أنثى"), ("amh", "ሴት"), ("hin", "महिला")])
def test_the_second_language_of_a_code_follows_the_row(births: PageMapper, language: str, female: str) -> None:
    event = map_one(births, birth(local_language=language))
    assert event.findings == []
    assert event.identity["gender"] == localized(("eng", "Female"), (language, female))
    assert [entry["language"] for entry in event.identity["zone"]] == ["eng", language]


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_a_row_without_a_second_language_is_sent_in_the_first(births: PageMapper, nothing: str | None) -> None:
    row = birth(local_language=nothing, child_given_name_local=None, child_family_name_local=None)
    event = map_one(births, row)
    assert event.findings == []
    assert event.identity["gender"] == localized(("eng", "Female"))
    assert event.identity["fullName"] == localized(("eng", "Amina Tazi"))


@pytest.mark.parametrize("language", ["fra", "ENG", "", None])
def test_a_second_name_in_a_language_that_the_country_does_not_use_is_quarantined(
    births: PageMapper, language: str | None
) -> None:
    assert broken(births, birth(local_language=language)) == {("fullName", "CODE_UNKNOWN")}


def test_a_second_language_without_a_second_name_is_fine(births: PageMapper) -> None:
    row = birth(local_language="amh", child_given_name_local=None, child_family_name_local=" ")
    event = map_one(births, row)
    assert event.findings == []
    assert event.identity["fullName"] == localized(("eng", "Amina Tazi"))


def test_a_row_whose_second_language_is_the_first_says_each_thing_once(births: PageMapper) -> None:
    row = birth(local_language="eng", child_given_name_local=None, child_family_name_local=None)
    event = map_one(births, row)
    assert event.findings == []
    assert event.identity["gender"] == localized(("eng", "Female"))


def test_rows_of_one_page_keep_their_own_languages(births: PageMapper) -> None:
    rows = [
        birth(registration_id=f"B-{n}", local_language=tongue) for n, tongue in enumerate(["ara", "hin", "ara", "amh"])
    ]
    events = births.map_page(frame(*rows), today=rows[0]["modified_at"].date())
    assert [event.identity["gender"][1]["language"] for event in events] == ["ara", "hin", "ara", "amh"]


@pytest.mark.parametrize("manner", ["NATURAL", "ACCIDENT", "SUICIDE", "HOMICIDE", "UNDETERMINED"])
def test_a_manner_of_death_is_one_plain_text(deaths: PageMapper, manner: str) -> None:
    assert map_one(deaths, death(manner_of_death=manner)).identity["typeOfDeath"] == manner.capitalize()


def test_an_unknown_manner_of_death_is_quarantined_and_a_missing_one_left_out(deaths: PageMapper) -> None:
    assert broken(deaths, death(manner_of_death="DUEL")) == {("typeOfDeath", "CODE_UNKNOWN")}
    event = map_one(deaths, death(manner_of_death=None))
    assert event.findings == []
    assert "typeOfDeath" not in event.identity


# --- a country of our own: languages fixed for all rows ---------------------------------------------------------------


@pytest.fixture
def country(tmp_path: Path) -> Any:
    """`country(fields=…, genders=…, languages=…)` gives the mapper of a small country."""

    def make(fields: str, genders: str, languages: str = "[eng, ara]") -> PageMapper:
        (tmp_path / "birth.yaml").write_text(
            f"kind: birth\nprocess: CRVS_NEW\nlanguages: {languages}\nfields:\n  {fields}\n", encoding="utf-8"
        )
        (tmp_path / "genders.yaml").write_text(f"genders:\n  {genders}\n", encoding="utf-8")
        declared = {"gender": LOCALIZED_FIELD, "sex": TEXT_FIELD, "IDSchemaVersion": {"type": "number"}}
        (tmp_path / "id-schema.json").write_text(schema_text(declared, []), encoding="utf-8")
        id_schema = schema.load(tmp_path / "id-schema.json", "CRVS_NEW")
        return PageMapper(mapping.load(tmp_path / "birth.yaml"), id_schema)

    return make


def _row(code: str | None) -> dict[str, Any]:
    return {"registration_id": "B-1", "person_id": None, "modified_at": None, "code": code}


BOTH = "F: {eng: Female, ara: أنثى}"


def test_without_a_language_column_a_code_is_sent_in_all_languages(country: Any) -> None:
    event = map_one(country("gender: {code: code, table: genders}", BOTH), _row("F"))
    assert event.identity["gender"] == localized(("eng", "Female"), ("ara", "أنثى"))


def test_a_table_without_the_required_language_is_told(country: Any) -> None:
    mapper = country("gender: {code: code, table: genders}", "F: {ara: أنثى}")
    assert broken(mapper, _row("F")) == {("gender", "TABLE_LANGUAGE_MISSING")}


@pytest.mark.parametrize("text", ["", "null", "''"])
def test_an_empty_text_in_the_required_language_is_a_missing_one(country: Any, text: str) -> None:
    mapper = country("gender: {code: code, table: genders}", f"F: {{eng: {text}, ara: أنثى}}")
    assert broken(mapper, _row("F")) == {("gender", "TABLE_LANGUAGE_MISSING")}


def test_a_table_without_the_second_language_sends_the_first_alone(country: Any) -> None:
    event = map_one(country("gender: {code: code, table: genders}", "F: {eng: Female}"), _row("F"))
    assert event.findings == []
    assert event.identity["gender"] == localized(("eng", "Female"))


def test_the_order_of_languages_is_the_mappings_order(country: Any) -> None:
    event = map_one(country("gender: {code: code, table: genders}", BOTH, "[ara, eng]"), _row("F"))
    assert [entry["language"] for entry in event.identity["gender"]] == ["ara", "eng"]


def test_a_plain_field_takes_the_first_languages_text(country: Any) -> None:
    assert map_one(country("sex: {code: code, table: genders}", BOTH), _row("F")).identity["sex"] == "Female"


def test_a_plain_field_takes_a_plain_table(country: Any) -> None:
    assert map_one(country("sex: {code: code, table: genders}", "F: Female"), _row("F")).identity["sex"] == "Female"


def test_a_plain_table_cannot_fill_a_field_with_languages(country: Any) -> None:
    mapper = country("gender: {code: code, table: genders}", "F: Female")
    assert broken(mapper, _row("F")) == {("gender", "CODE_UNKNOWN")}


def test_a_code_that_yaml_reads_as_a_number_is_found_by_its_digits(country: Any) -> None:
    event = map_one(country("sex: {code: code, table: genders}", "1: Female"), _row("1"))
    assert event.identity["sex"] == "Female"


def test_a_table_with_levels_but_a_field_without_a_key_is_told(country: Any) -> None:
    mapper = country("gender: {code: code, table: genders}", "F: {region: {eng: Female}}")
    assert broken(mapper, _row("F")) == {("gender", "TABLE_LANGUAGE_MISSING")}


@pytest.mark.parametrize("kind", ["birth", "death"])
def test_the_tables_that_come_with_the_product_have_every_language_for_every_code(kind: str) -> None:
    country = mapping.load(INCLUDE / "mappings" / f"{kind}.yaml")
    for mapped in country.fields:
        for code, texts in country.tables.get(mapped.table or "", {}).items():
            level = texts[mapped.key] if mapped.key else texts
            assert isinstance(level, str) or set(country.languages) <= set(level), (mapped.table, code)
