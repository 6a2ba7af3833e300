"""Registrations and ID schemas to try the rules on."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from mosip_crvs.identity import eligibility, mapping, schema
from mosip_crvs.identity.page import MappedEvent, PageMapper
from mosip_crvs.model import RegistrationKind

INCLUDE = Path(__file__).resolve().parents[2] / "include"
TODAY = date(2026, 11, 24)

_COMMON = {
    "person_id": "P-1",
    "registered_at": datetime(2026, 11, 23, 9, tzinfo=UTC),
    "modified_at": datetime(2026, 11, 23, 9, tzinfo=UTC),
    "registrar_id": "R-1",
}
_BIRTH = _COMMON | {
    "registration_id": "B-1",
    "child_given_name": "Amina",
    "child_family_name": "Tazi",
    "child_given_name_local": "أمينة",
    "child_family_name_local": "التازي",
    "local_language": "ara",
    "child_gender": "F",
    "child_birth_date": "2026-11-20",
    "child_uin": None,
    "residence_address_line1": "12 Market Road",
    "residence_place_code": "BNMR",
    "residence_postal_code": "14000",
    "birth_place_code": "Central Hospital",
    "informant_phone": "6123456789",
    "informant_email": "khadija.tazi1000@example.org",
    "informant_info_token": None,
    "mother_given_name": "Khadija",
    "mother_family_name": "Tazi",
    "mother_uin": None,
    "father_uin": None,
}
_DEATH = _COMMON | {
    "registration_id": "D-1",
    "deceased_uin": "2169305392",
    "deceased_vid": None,
    "deceased_birth_date": "1950-04-02",
    "death_date": "2026-11-19",
    "manner_of_death": "NATURAL",
    "informant_info_token": None,
}


def birth(**changed: Any) -> dict[str, Any]:
    """A sound row of the birth extract, but for what is changed."""
    return _BIRTH | changed


def death(**changed: Any) -> dict[str, Any]:
    """A sound row of the death extract, but for what is changed."""
    return _DEATH | changed


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    """Rows as the extract gives them: object columns."""
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in rows[0]})


def map_one(mapper: PageMapper, row: dict[str, Any], today: date = TODAY) -> MappedEvent:
    """The event that one row becomes."""
    (event,) = mapper.map_page(frame(row), today)
    return event


def broken(mapper: PageMapper, row: dict[str, Any], today: date = TODAY) -> set[tuple[str, str]]:
    """Field and rule of all that is wrong with one row."""
    return {(finding.field, finding.rule) for finding in map_one(mapper, row, today).findings}


def country_mapper(kind: RegistrationKind) -> PageMapper:
    """The mapper of the country's files."""
    country = mapping.load(INCLUDE / "mappings" / f"{kind}.yaml")
    id_schema = schema.load(INCLUDE / "schemas" / "id-schema.json", country.process)
    return PageMapper(country, id_schema, eligibility.load(INCLUDE / "rules" / "eligibility.yaml", kind))


def localized(*texts: tuple[str, str]) -> list[dict[str, str]]:
    """A ``simpleType`` value."""
    return [{"language": language, "value": value} for language, value in texts]


def valid_birth() -> dict[str, Any]:
    """An identity that the country's schema accepts for a birth."""
    rabat = localized(("eng", "Rabat"), ("ara", "الرباط"))
    return {
        "IDSchemaVersion": 0.1,
        "fullName": localized(("eng", "Amina Tazi"), ("ara", "أمينة التازي")),
        "dateOfBirth": "2026/11/20",
        "gender": localized(("eng", "Female")),
        "addressLine1": localized(("eng", "12 Market Road")),
        "region": rabat,
        "province": rabat,
        "city": rabat,
        "zone": rabat,
        "postalCode": "14000",
        "phone": "6123456789",
        "email": "khadija@example.org",
    }


TEXT_FIELD = {"fieldCategory": "pvt", "type": "string"}
LOCALIZED_FIELD = {"fieldCategory": "pvt", "$ref": "#/definitions/simpleType"}


def regex(pattern: str, language: str | None = None) -> dict[str, Any]:
    """One entry of a field's ``validators``."""
    entry: dict[str, Any] = {"type": "regex", "validator": pattern, "arguments": []}
    return entry if language is None else entry | {"langCode": language}


def schema_text(properties: dict[str, Any], required: list[str]) -> str:
    """A small ID schema in MOSIP's structure."""
    simple = {
        "type": "array", "uniqueItems": True, "additionalItems": False,
        "items": {
            "type": "object", "additionalProperties": False, "required": ["language", "value"],
            "properties": {"language": {"type": "string"}, "value": {"type": "string"}},
        },
    }  # fmt: skip
    identity = {"type": "object", "additionalProperties": False, "required": required, "properties": properties}
    raw = {
        "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": False,
        "definitions": {"simpleType": simple}, "properties": {"identity": identity},
    }  # fmt: skip
    return json.dumps(raw, ensure_ascii=False)
