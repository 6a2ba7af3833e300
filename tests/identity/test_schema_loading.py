"""Loading an ID schema: what cannot be used is refused at once, and the text says what to correct."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from identity_samples import INCLUDE, LOCALIZED_FIELD, TEXT_FIELD, regex, schema_text

from mosip_crvs.errors import FixTheData, SchemaError
from mosip_crvs.identity import schema

Change = Callable[[dict[str, Any]], object]


def _load(folder: Path, text: str, process: str = "CRVS_NEW", **options: Any) -> schema.IdSchema:
    file = folder / "country-schema.json"
    file.write_text(text, encoding="utf-8")
    return schema.load(file, process, **options)


def _changed(change: Change) -> str:
    raw = json.loads(schema_text({"name": LOCALIZED_FIELD, "code": TEXT_FIELD}, ["name"]))
    change(raw)
    return json.dumps(raw)


def test_a_schema_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"nowhere\.json.*cannot be read"):
        schema.load(tmp_path / "nowhere.json", "CRVS_NEW")


@pytest.mark.parametrize("text", ["", "{", "not json", '{"a": 1,}'])
def test_a_schema_file_that_is_not_json_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(SchemaError, match=r"country-schema\.json.*cannot be read"):
        _load(tmp_path, text)


def test_a_schema_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "country-schema.json").write_bytes(b'{"title": "\xe9"}')
    with pytest.raises(SchemaError, match=r"country-schema\.json.*cannot be read"):
        schema.load(tmp_path / "country-schema.json", "CRVS_NEW")


@pytest.mark.parametrize("version", ["", "v1", "0,1"])
def test_a_version_that_mosip_could_not_read_as_a_number_is_refused(tmp_path: Path, version: str) -> None:
    with pytest.raises(SchemaError, match="version"):
        _load(tmp_path, _changed(lambda raw: None), version=version)


def _identity(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["properties"]["identity"]
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.pop("properties"),
        lambda raw: raw.pop("definitions"),
        lambda raw: raw["properties"].pop("identity"),
        lambda raw: raw.update(properties=[]),
        lambda raw: _identity(raw).pop("required"),
        lambda raw: _identity(raw).update(required=None),
        lambda raw: _identity(raw).pop("properties"),
        lambda raw: _identity(raw).update(properties=["name"]),
        lambda raw: _identity(raw)["properties"].update(code="string"),
        lambda raw: _identity(raw)["properties"]["code"].update(validators=None),
        lambda raw: _identity(raw)["properties"]["code"].update(validators=[{"type": "regex"}]),
    ],
)
def test_a_file_that_is_json_but_no_id_schema_is_told_so(tmp_path: Path, change: Change) -> None:
    with pytest.raises(SchemaError, match=r"country-schema\.json is not in MOSIP's structure"):
        _load(tmp_path, _changed(change))


@pytest.mark.parametrize("text", ["[]", "null", '"schema"', "7"])
def test_json_that_is_no_object_is_told_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(SchemaError, match="not in MOSIP's structure"):
        _load(tmp_path, text)


@pytest.mark.parametrize("pattern", ["[", "(?i)abc", r"\p{L}+", "a++", r"\Qa\E", "(?<=a+)b"])
def test_a_validator_that_either_judge_cannot_compile_is_refused_with_its_field(tmp_path: Path, pattern: str) -> None:
    def spoil(raw: dict[str, Any]) -> None:
        _identity(raw)["properties"]["code"]["validators"] = [regex(pattern)]

    with pytest.raises(SchemaError, match="validators of 'code'"):
        _load(tmp_path, _changed(spoil))


@pytest.mark.parametrize("declared", [{"type": "strng"}, {"$ref": "#/definitions/nothing"}, {"minimum": "0"}])
def test_a_field_that_is_declared_wrongly_is_named(tmp_path: Path, declared: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="'code'"):
        _load(tmp_path, _changed(lambda raw: _identity(raw)["properties"].update(code=declared)))


def test_a_process_without_a_list_of_mandatory_fields_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"OPENCRVS_NEW.*CRVS_NEW, CRVS_DEATH"):
        _load(tmp_path, _changed(lambda raw: None), "OPENCRVS_NEW")


def test_a_country_may_bring_its_own_process_with_its_own_list(tmp_path: Path) -> None:
    judge = _load(tmp_path, _changed(lambda raw: None), "OPENCRVS_NEW", mandatory=["name"])
    assert not judge.accepts({"code": "x"})


def test_a_schema_error_is_for_whoever_mends_the_data() -> None:
    assert issubclass(SchemaError, FixTheData)


@pytest.mark.parametrize("process", sorted(schema.MANDATORY))
def test_the_schema_that_comes_with_the_product_loads_for_every_process(process: str) -> None:
    assert schema.load(INCLUDE / "schemas" / "id-schema.json", process).version == "0.1"


def test_the_schema_goes_to_mosip_with_its_own_letters(tmp_path: Path) -> None:
    loaded = _load(tmp_path, _changed(lambda raw: raw.update(description="هوية ዜጋ")))
    assert "هوية ዜጋ" in loaded.text


def test_a_representation_of_the_schema_does_not_fill_the_log_with_its_compiled_form() -> None:
    loaded = schema.load(INCLUDE / "schemas" / "id-schema.json", "CRVS_NEW")
    assert "additionalProperties': False" not in repr(loaded)
