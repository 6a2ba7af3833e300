"""Eligibility: due an infant's ID up to the day before the sixth birthday, by UTC dates."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity_samples import INCLUDE, birth, death, map_one

from mosip_crvs.errors import MappingError
from mosip_crvs.identity import eligibility
from mosip_crvs.identity.eligibility import AgeRule
from mosip_crvs.identity.page import PageMapper
from mosip_crvs.model import RegistrationKind

RULE = AgeRule("OVER_INFANT_LIMIT", "dateOfBirth", 5)


@pytest.mark.parametrize(
    ("born", "today", "excluded"),
    [
        (date(2020, 11, 25), date(2026, 11, 24), False),  # the day before the sixth birthday
        (date(2020, 11, 24), date(2026, 11, 24), True),  # on it
        (date(2020, 11, 23), date(2026, 11, 24), True),  # the day after
        (date(2020, 12, 1), date(2026, 11, 30), False),
        (date(2020, 1, 1), date(2025, 12, 31), False),
        (date(2020, 1, 1), date(2026, 1, 1), True),
        (date(2020, 2, 29), date(2026, 2, 27), False),  # born on 29 February: six on 1 March
        (date(2020, 2, 29), date(2026, 2, 28), False),
        (date(2020, 2, 29), date(2026, 3, 1), True),
        (date(2018, 2, 28), date(2024, 2, 27), False),
        (date(2018, 2, 28), date(2024, 2, 28), True),
        (date(2018, 3, 1), date(2024, 2, 29), False),  # the leap day is still the day before
        (date(2018, 3, 1), date(2024, 3, 1), True),
        (date(2026, 11, 24), date(2026, 11, 24), False),
        (date(2026, 11, 25), date(2026, 11, 24), False),  # not born yet: the date's own rule says so
    ],
)
def test_a_child_is_due_an_id_until_the_sixth_birthday(born: date, today: date, excluded: bool) -> None:
    assert RULE.excludes(born, today) is excluded


@given(born=st.dates(date(1900, 1, 1), date(2090, 1, 1)), years=st.integers(0, 20))
def test_a_rule_begins_to_exclude_on_one_birthday_and_never_stops(born: date, years: int) -> None:
    rule = AgeRule("X", "dateOfBirth", years)
    birthday = (born + timedelta(days=1) if (born.month, born.day) == (2, 29) else born).replace(
        year=born.year + years + 1
    )
    if (born.month, born.day) == (2, 29) and (born.year + years + 1) % 4 == 0:
        birthday = date(born.year + years + 1, 2, 29)
    assert not rule.excludes(born, birthday - timedelta(days=1))
    assert rule.excludes(born, birthday)
    assert rule.excludes(born, birthday + timedelta(days=400))


def test_a_birth_past_the_limit_is_not_eligible_and_not_broken(births: PageMapper) -> None:
    event = map_one(births, birth(child_birth_date="2020-11-24"))
    assert (event.not_eligible, event.findings) == ("OVER_INFANT_LIMIT", [])


def test_a_birth_within_the_limit_is_eligible(births: PageMapper) -> None:
    event = map_one(births, birth(child_birth_date="2020-11-25"))
    assert (event.not_eligible, event.findings) == (None, [])


def test_the_same_birth_is_eligible_one_day_and_not_the_next(births: PageMapper) -> None:
    row = birth(child_birth_date="2020-03-10")
    assert map_one(births, row, date(2026, 3, 9)).not_eligible is None
    assert map_one(births, row, date(2026, 3, 10)).not_eligible == "OVER_INFANT_LIMIT"


def test_a_birth_past_the_limit_keeps_what_else_is_wrong_with_it(births: PageMapper) -> None:
    event = map_one(births, birth(child_birth_date="2000-01-01", child_gender="X"))
    assert event.not_eligible == "OVER_INFANT_LIMIT"
    assert [finding.field for finding in event.findings] == ["gender"]


def test_a_birth_without_a_date_is_broken_rather_than_too_old(births: PageMapper) -> None:
    event = map_one(births, birth(child_birth_date=None))
    assert event.not_eligible is None
    assert [finding.rule for finding in event.findings] == ["DATE_MALFORMED"]


def test_no_age_keeps_a_death_back(deaths: PageMapper) -> None:
    assert map_one(deaths, death(deceased_birth_date="1890-01-01")).not_eligible is None


def test_the_rules_that_come_with_the_product_are_mosips_infant_limit() -> None:
    file = INCLUDE / "rules" / "eligibility.yaml"
    assert eligibility.load(file, RegistrationKind.BIRTH) == (RULE,)
    assert eligibility.load(file, RegistrationKind.DEATH) == ()


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "birth", "death: []", "birth: 5", "birth: [five]", "birth: [{code: A, field: dateOfBirth}]",
        "birth: [{code: A, max_completed_years: 5}]", "birth: [{field: dateOfBirth, max_completed_years: 5}]",
        "birth: [{code: A, field: dateOfBirth, max_completed_years: many}]", "birth: {code: A}", "birth: [",
    ],
)  # fmt: skip
def test_a_rule_file_that_cannot_be_used_says_what_a_rule_needs(tmp_path: Path, text: str) -> None:
    file = tmp_path / "eligibility.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError, match=r"eligibility\.yaml.*'birth'.*code, field and max_completed_years"):
        eligibility.load(file, RegistrationKind.BIRTH)


def test_a_rule_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"nowhere\.yaml"):
        eligibility.load(tmp_path / "nowhere.yaml", RegistrationKind.BIRTH)


@pytest.mark.parametrize("field", ["birthDate", "fullName", "phone"])
def test_a_rule_about_a_field_that_is_no_date_of_the_mapping_is_refused(births: PageMapper, field: str) -> None:
    with pytest.raises(MappingError, match=f"TOO_OLD.*{field}.*include/rules"):
        PageMapper(births.mapping, births.schema, (AgeRule("TOO_OLD", field, 5),))
