"""Mapping files: a bad one is refused with its name, the field and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from identity_samples import INCLUDE

from mosip_crvs.errors import FixTheData, MappingError
from mosip_crvs.identity import mapping
from mosip_crvs.identity.mapping import FieldMapping, LocalizedPart, Mapping

HEAD = "kind: birth\nprocess: CRVS_NEW\nlanguages: [eng, ara]\n"


def _load(folder: Path, text: str, **tables: str) -> Mapping:
    for name, content in tables.items():
        (folder / f"{name}.yaml").write_text(content, encoding="utf-8")
    file = folder / "birth.yaml"
    file.write_text(text, encoding="utf-8")
    return mapping.load(file)


def _field(folder: Path, spec: str, **tables: str) -> FieldMapping:
    (mapped,) = _load(folder, f"{HEAD}fields:\n  phone: {spec}\n", **tables).fields
    return mapped


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"birth\.yaml cannot be read"):
        mapping.load(tmp_path / "birth.yaml")


@pytest.mark.parametrize("text", ["fields: [", "a: b: c", "\t- x", "{"])
def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(MappingError, match=r"birth\.yaml cannot be read as YAML"):
        _load(tmp_path, text)


@pytest.mark.parametrize("text", ["", "- a\n- b", "text", "7"])
def test_a_file_that_is_no_mapping_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(MappingError, match=r"birth\.yaml: must be a YAML mapping"):
        _load(tmp_path, text)


@pytest.mark.parametrize("word", ["kind", "process", "languages", "fields"])
def test_a_file_without_one_of_its_four_words_is_told_all_of_them(tmp_path: Path, word: str) -> None:
    lines = [line for line in f"{HEAD}fields: {{}}\n".splitlines() if not line.startswith(word)]
    with pytest.raises(
        MappingError, match=r"birth\.yaml: needs kind .birth or death., process, languages .* and fields"
    ):
        _load(tmp_path, "\n".join(lines))


@pytest.mark.parametrize(
    "text",
    [
        "kind: marriage\nprocess: CRVS_NEW\nlanguages: [eng]\nfields: {}",
        "kind: birth\nprocess: CRVS_NEW\nlanguages: eng\nfields: {}",  # would be taken for the languages e, n and g
        "kind: birth\nprocess: CRVS_NEW\nlanguages: []\nfields: {}",
        "kind: birth\nprocess: CRVS_NEW\nlanguages: [no, 7]\nfields: {}",
        "kind: birth\nprocess: CRVS_NEW\nlanguages: [eng]\nfields:",
        "kind: birth\nprocess: CRVS_NEW\nlanguages: [eng]\nfields: [fullName, gender]",
        "kind: birth\nprocess: CRVS_NEW\nlanguages: [eng]\nfields: 7",
    ],
)
def test_a_word_of_the_wrong_type_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(MappingError, match=r"birth\.yaml"):
        _load(tmp_path, text)


@pytest.mark.parametrize(
    "spec", ["", "child_phone", "[a]", "{}", "{column: a}", "{text: a, date: b}", "{optional: true}"]
)
def test_a_field_needs_exactly_one_source(tmp_path: Path, spec: str) -> None:
    with pytest.raises(MappingError, match=r"birth\.yaml: field 'phone' needs exactly one of names, localized, date"):
        _field(tmp_path, spec)


@pytest.mark.parametrize("source", ["text", "date", "uin"])
@pytest.mark.parametrize("value", ["", "[a, b]", "{a: b}", "7"])
def test_a_source_that_is_no_column_is_refused(tmp_path: Path, source: str, value: str) -> None:
    with pytest.raises(MappingError, match=rf"birth\.yaml: {source} of field 'phone' must be the name of a column"):
        _field(tmp_path, f"{{{source}: {value}}}")


@pytest.mark.parametrize("table", ["", ", table: cities", ", table: [places]", ", table: null"])
def test_a_code_without_a_known_table_is_told_which_there_are(tmp_path: Path, table: str) -> None:
    with pytest.raises(MappingError, match=r"field 'phone' needs a table out of places, genders, manners_of_death"):
        _field(tmp_path, f"{{code: a{table}}}")


def test_a_table_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"genders\.yaml cannot be read"):
        _field(tmp_path, "{code: a, table: genders}")


@pytest.mark.parametrize("content", ["sexes: {M: {eng: Male}}", "genders:", "genders: [M, F]"])
def test_a_table_file_without_its_table_is_told_what_to_write(tmp_path: Path, content: str) -> None:
    with pytest.raises(MappingError, match=r"genders\.yaml: needs a top-level entry 'genders'"):
        _field(tmp_path, "{code: a, table: genders}", genders=content)


@pytest.mark.parametrize("source", ["names", "localized"])
@pytest.mark.parametrize("parts", ["", "[]", "given_name", "{language: eng, columns: [a]}"])
def test_names_need_a_list_of_parts(tmp_path: Path, source: str, parts: str) -> None:
    with pytest.raises(MappingError, match=rf"birth\.yaml: {source} of field 'phone' must be a list"):
        _field(tmp_path, f"{{{source}: {parts}}}")


@pytest.mark.parametrize(
    "part",
    [
        "eng", "{language: eng}", "{columns: [a]}", "{language: eng, columns: given_name}",
        "{language: eng, columns: []}", "{language: eng, columns: [1]}", "{language: {col: lang}, columns: [a]}",
    ],
)  # fmt: skip
def test_a_part_of_a_name_needs_a_language_and_a_list_of_columns(tmp_path: Path, part: str) -> None:
    with pytest.raises(MappingError, match=r"birth\.yaml: each part of 'phone' needs language .* and columns"):
        _field(tmp_path, f"{{names: [{part}]}}")


def test_a_misspelt_word_at_the_top_is_refused_because_a_rule_would_be_lost_with_it(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"birth\.yaml has 'forbiden_uin'; the words known here are .*forbidden_uin"):
        _load(tmp_path, f"{HEAD}forbiden_uin: child_uin\nfields: {{}}")


@pytest.mark.parametrize("word", ["optionl", "not_befor", "colum"])
def test_a_misspelt_word_of_a_field_is_refused(tmp_path: Path, word: str) -> None:
    with pytest.raises(MappingError, match=rf"birth\.yaml: field 'phone' has '{word}'"):
        _field(tmp_path, f"{{date: a, {word}: x}}")


def test_a_mapping_error_is_for_whoever_mends_the_data() -> None:
    assert issubclass(MappingError, FixTheData)


def test_each_way_to_write_a_field_is_understood(tmp_path: Path) -> None:
    assert _field(tmp_path, "{text: a}") == FieldMapping("phone", "text", ("a",))
    assert _field(tmp_path, "{text: a, optional: true}").optional
    assert _field(tmp_path, "{date: a, not_before: b}").not_before == "b"
    assert _field(tmp_path, '{constant: "Y"}').constant == "Y"
    code = _field(tmp_path, "{code: a, table: places, key: region}", places="places: {X: {region: {eng: Here}}}")
    assert (code.table, code.key) == ("places", "region")
    names = _field(tmp_path, "{names: [{language: eng, columns: [a, b]}, {language: {column: l}, columns: [c]}]}")
    assert names.parts == (LocalizedPart("eng", None, ("a", "b")), LocalizedPart(None, "l", ("c",)))


def test_the_columns_that_the_extract_must_give_are_all_those_named(tmp_path: Path) -> None:
    country = _load(
        tmp_path,
        HEAD + "language_column: tongue\nforbidden_uin: uin\nvid: vid\nfields:\n"
        "  phone: {names: [{language: eng, columns: [a, b]}, {language: {column: l}, columns: [c]}]}\n"
        "  died: {date: d, not_before: e}\n  flag: {constant: x}\n",
    )
    own = {"registration_id", "person_id", "modified_at"}
    assert country.columns == own | {"tongue", "uin", "vid", "a", "b", "l", "c", "d", "e"}


@pytest.mark.parametrize("kind", ["birth", "death"])
def test_the_extract_sql_of_the_product_names_every_column_of_its_mapping(kind: str) -> None:
    country = mapping.load(INCLUDE / "mappings" / f"{kind}.yaml")
    sql = (INCLUDE / "sql" / f"{kind}.sql").read_text(encoding="utf-8").split("FROM")[0]
    given = {
        line.split()[-1].split(".")[-1]
        for line in sql.replace(",", "").splitlines()
        if line.strip()[:2] != "--" and line.strip()
    }
    assert country.columns <= given
