"""The generated registry through the country's files: each hostile kind is found, no sound one held up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pandas as pd
import pytest
from identity_samples import frame

from mosip_crvs.identity.page import MappedEvent, PageMapper
from mosip_crvs.identity.rules import SENTENCES
from reference_registry import generate_births, generate_deaths, generate_hostile_births, kinds
from reference_registry.birth_defects import BIRTH_DEFECTS
from reference_registry.deaths import DEATH_DEFECTS
from reference_registry.records import Birth, Death

DAY = date(2026, 11, 23)
TODAY = date(2026, 11, 24)

PLACES = {"region", "province", "city", "zone"}
FIELD_AT_FAULT = {
    "date": {"dateOfBirth"},
    "phone": {"phone"},
    "email": {"email"},
    "name": {"fullName"},
    "place": PLACES,
    "gender": {"gender"},
    "has": {"UIN"},
}
RULES = {
    "birth.date_month_13": "DATE_MALFORMED",
    "birth.date_february_30": "DATE_MALFORMED",
    "birth.date_day_first": "DATE_MALFORMED",
    "birth.date_two_digit_year": "DATE_MALFORMED",
    "birth.date_empty": "DATE_MALFORMED",
    "birth.date_missing": "DATE_MALFORMED",
    "birth.date_future": "DATE_IN_FUTURE",
    "birth.phone_words": "SCHEMA_PATTERN",
    "birth.phone_too_short": "SCHEMA_PATTERN",
    "birth.phone_too_long": "SCHEMA_PATTERN",
    "birth.phone_leading_bracket": "VALUE_DROPPED_BY_MOSIP",
    "birth.email_without_at": "SCHEMA_PATTERN",
    "birth.email_two_ats": "SCHEMA_PATTERN",
    "birth.email_with_space": "SCHEMA_PATTERN",
    "birth.name_leading_apostrophe": "NAME_STARTS_WITH_PUNCTUATION",
    "birth.name_leading_double_quote": "NAME_STARTS_WITH_PUNCTUATION",
    "birth.name_leading_bracket": "NAME_STARTS_WITH_PUNCTUATION",
    "birth.name_leading_brace": "NAME_STARTS_WITH_PUNCTUATION",
    "birth.name_emoji": "NAME_HAS_SYMBOL",
    "birth.name_200_characters": "SCHEMA_PATTERN",
    "birth.name_empty": "LANGUAGE_EMPTY",
    "birth.name_blank": "LANGUAGE_EMPTY",
    "birth.name_missing": "LANGUAGE_EMPTY",
    "birth.place_unknown": "CODE_UNKNOWN",
    "birth.place_missing": "MISSING",
    "birth.gender_unknown": "CODE_UNKNOWN",
    "birth.gender_digit": "CODE_UNKNOWN",
    "birth.gender_missing": "MISSING",
    "birth.has_uin": "BIRTH_WITH_UIN",
}


def _birth_row(birth: Birth) -> dict[str, Any]:
    """What ``include/sql/birth.sql`` gives for a birth."""
    registration = birth.registration._asdict()
    father_uin = birth.father.uin if birth.father else None
    return (
        registration
        | {f"child_{name}": value for name, value in birth.child._asdict().items()}
        | {"person_id": birth.child.person_id, "local_language": birth.child.local_language}
        | {"mother_given_name": birth.mother.given_name, "mother_uin": birth.mother.uin, "father_uin": father_uin}
    )


def _death_row(death: Death) -> dict[str, Any]:
    """What ``include/sql/death.sql`` gives for a death."""
    deceased = {f"deceased_{name}": value for name, value in death.deceased._asdict().items()}
    return death.registration._asdict() | deceased | {"person_id": death.deceased.person_id}


def _events(mapper: PageMapper, records: Iterable[Birth | Death]) -> list[tuple[str, MappedEvent]]:
    kept = list(records)
    rows: pd.DataFrame = frame(*(_birth_row(r) if isinstance(r, Birth) else _death_row(r) for r in kept))
    return list(zip((record.kind for record in kept), mapper.map_page(rows, TODAY), strict=True))


@pytest.fixture(scope="module")
def hostile(births: PageMapper) -> dict[str, list[MappedEvent]]:
    """Three births of each of the 29 hostile kinds."""
    found: dict[str, list[MappedEvent]] = {}
    for kind, event in _events(births, generate_hostile_births(3 * len(BIRTH_DEFECTS), end_day=DAY, seed=7)):
        found.setdefault(kind, []).append(event)
    return found


def test_there_are_29_hostile_kinds_and_each_has_its_rule() -> None:
    assert set(RULES) == set(BIRTH_DEFECTS)
    assert len(RULES) == 29


@pytest.mark.parametrize("kind", sorted(RULES))
def test_each_hostile_kind_of_birth_is_found_in_the_field_that_is_at_fault(
    hostile: dict[str, list[MappedEvent]], kind: str
) -> None:
    fields = FIELD_AT_FAULT[kind.removeprefix("birth.").split("_")[0]]
    assert len(hostile[kind]) == 3
    for event in hostile[kind]:
        assert event.not_eligible is None
        assert {finding.field.split("/")[0] for finding in event.findings} == fields
        assert {finding.rule for finding in event.findings} == {RULES[kind]}
        assert RULES[kind] in SENTENCES


def test_no_sound_birth_is_held_up(births: PageMapper) -> None:
    events = _events(births, generate_births(600, end_day=DAY, seed=3, clean_only=True))
    assert [(kind, event.findings) for kind, event in events if event.findings or event.not_eligible] == []
    assert all(births.schema.accepts(event.identity) for _, event in events)


def test_births_past_the_age_limit_are_not_eligible_and_all_other_good_ones_are(births: PageMapper) -> None:
    expected = {kind: case.expected for kind, case in kinds.BIRTHS.items()}
    events = _events(births, generate_births(1500, end_day=DAY, seed=5))
    assert {kinds.JUST_SIX, kinds.OVER_FIVE, kinds.NEARLY_SIX} <= {kind for kind, _ in events}
    for kind, event in events:
        if expected.get(kind) is kinds.Expected.NOT_ELIGIBLE:
            assert (event.not_eligible, event.findings) == ("OVER_INFANT_LIMIT", [])
        elif kind in expected:
            assert (event.not_eligible, event.findings) == (None, [])
        else:
            assert event.findings, kind


ONLY_MOSIP_CAN_TELL = {"death.uin_wrong_check_digit", "death.birth_date_day_first"}
"""A UIN is taken for what its ten digits say, and the birth date of the deceased is not sent."""


@pytest.fixture(scope="module")
def dead(deaths: PageMapper) -> list[tuple[str, MappedEvent]]:
    """Deaths of all kinds."""
    return _events(deaths, generate_deaths(1500, days=5, end_day=DAY, seed=2))


def test_deaths_with_a_uin_pass_and_those_without_say_what_is_known(dead: list[tuple[str, MappedEvent]]) -> None:
    rule = {kinds.DEATH_VID_ONLY: "DEATH_WITH_VID_ONLY", kinds.DEATH_NO_NUMBER: "DEATH_WITHOUT_UIN"}
    assert set(rule) <= {kind for kind, _ in dead}
    for kind, event in dead:
        if kind in kinds.DEATHS:
            assert [(f.field, f.rule) for f in event.findings] == ([("UIN", rule[kind])] if kind in rule else []), kind


def test_every_bad_death_is_found(dead: list[tuple[str, MappedEvent]]) -> None:
    bad = [(kind, event) for kind, event in dead if kind in DEATH_DEFECTS]
    assert {kind for kind, _ in bad} == set(DEATH_DEFECTS)
    for kind, event in bad:
        if kind in ONLY_MOSIP_CAN_TELL:
            assert event.findings == []
            continue
        assert {finding.field for finding in event.findings} == {
            "UIN" if "uin" in kind else "typeOfDeath" if "manner" in kind else "deceasedDeclarationDate"
        }
