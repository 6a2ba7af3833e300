"""UIN and VID: a birth has none, a death needs the UIN."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity_samples import birth, broken, death, map_one

from mosip_crvs.identity import rules
from mosip_crvs.identity.page import PageMapper

VID = "2345678901234567"


def test_a_birth_that_carries_a_uin_is_quarantined(births: PageMapper) -> None:
    assert broken(births, birth(child_uin="2169305392")) == {("UIN", "BIRTH_WITH_UIN")}


@pytest.mark.parametrize("anything", ["1", "unknown", 2169305392])
def test_a_birth_with_anything_where_the_uin_would_be_is_quarantined(births: PageMapper, anything: Any) -> None:
    assert broken(births, birth(child_uin=anything)) == {("UIN", "BIRTH_WITH_UIN")}


@pytest.mark.parametrize("nothing", [None, "", "   "])
def test_a_birth_without_a_uin_passes_and_sends_none(births: PageMapper, nothing: Any) -> None:
    event = map_one(births, birth(child_uin=nothing, mother_uin="2169305392"))
    assert event.findings == []
    assert "UIN" not in event.identity


@pytest.mark.parametrize("uin", ["2169305392", " 2169305392 ", 2169305392])
def test_a_death_sends_the_uin_of_the_deceased(deaths: PageMapper, uin: Any) -> None:
    event = map_one(deaths, death(deceased_uin=uin))
    assert event.findings == []
    assert event.identity["UIN"] == "2169305392"


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_a_death_without_a_uin_is_quarantined(deaths: PageMapper, nothing: Any) -> None:
    assert broken(deaths, death(deceased_uin=nothing)) == {("UIN", "DEATH_WITHOUT_UIN")}


def test_a_death_with_a_vid_only_says_that_the_vid_is_known(deaths: PageMapper) -> None:
    assert broken(deaths, death(deceased_uin=None, deceased_vid=VID)) == {("UIN", "DEATH_WITH_VID_ONLY")}


def test_a_death_with_a_uin_and_a_vid_sends_the_uin_alone(deaths: PageMapper) -> None:
    event = map_one(deaths, death(deceased_vid=VID))
    assert event.findings == []
    assert VID not in event.identity.values()


@pytest.mark.parametrize(
    "uin",
    [
        "216930539",
        "21693053921",
        VID,
        "216930539x",
        "2169 305392",
        "٢١٦٩٣٠٥٣٩٢",
        "２１６９３０５３９２",
        "2169305392\n1",
        2169305392.0,
    ],
)
def test_a_uin_that_is_not_ten_digits_is_quarantined(deaths: PageMapper, uin: Any) -> None:
    assert broken(deaths, death(deceased_uin=uin)) == {("UIN", "UIN_MALFORMED")}


def test_a_malformed_uin_is_not_excused_by_a_vid(deaths: PageMapper) -> None:
    assert broken(deaths, death(deceased_uin="12", deceased_vid=VID)) == {("UIN", "UIN_MALFORMED")}


@given(number=st.from_regex(r"[0-9]{10}", fullmatch=True), text=st.text(max_size=12))
def test_ten_ascii_digits_and_nothing_else_make_a_uin(number: str, text: str) -> None:
    assert rules.uin_rule(number.strip()) is None
    is_uin = len(text) == 10 and all(character in "0123456789" for character in text)
    assert (rules.uin_rule(text) is None) == is_uin


def test_a_death_says_that_the_person_is_dead_and_how(deaths: PageMapper) -> None:
    assert map_one(deaths, death()).identity == {
        "IDSchemaVersion": 0.1,
        "UIN": "2169305392",
        "declaredAsDeceased": "Y",
        "deceasedDeclarationDate": "2026/11/19",
        "typeOfDeath": "Natural",
    }
