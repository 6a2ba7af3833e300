"""Names and plain texts: letters of every script pass, what MOSIP's parser would drop or change does not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from identity_samples import birth, broken, death, localized, map_one

from mosip_crvs.identity import rules
from mosip_crvs.identity.page import PageMapper

DROPPED = [*"'\",:]}/\\[{;=#"]
"""What org.json cannot read as plain text, or reads as a structure or a quotation (mosip-packets.md §1.2)."""


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "Amina", "Ma'mouni", "O’Neil", "El-Amrani", "Gebre-Mariam", "Dr. Haddad", "Tazi Jr.", "Al (Amin)", "Amina 2",
        "José María", "Jose\u0301", "Nguyễn Thị", "Łukasz", "Иван", "Ελένη", "李小龍", "みなこ",
        "ʿAbd", "ʾAmin", "ʻOkina", "أمينة التازي", "عبد الله", "مُحَمَّد", "می\u200cروم", "\u200fأحمد", "زكرياء، بن علي",
        "ዮሐንስ ገብረ ማርያም", "ወልደ፡ጊዮርጊስ", "कृष्ण शर्मा", "क्\u200dष", "लक्ष्मी", "श्री॰", "தமிழ்", "ស្រី", "ᠮᠣᠩᠭᠣᠯ",
    ],
)  # fmt: skip
def test_a_name_of_any_script_passes(name: str) -> None:
    assert rules.name_rule(name) is None


@pytest.mark.parametrize("mark", [*DROPPED, *"()<>`"])
def test_a_name_may_hold_a_mark_but_not_begin_with_it(births: PageMapper, mark: str) -> None:
    assert broken(births, birth(child_given_name=f"{mark}Amina")) == {("fullName", "NAME_STARTS_WITH_PUNCTUATION")}
    assert ("fullName", "NAME_STARTS_WITH_PUNCTUATION") not in broken(births, birth(child_given_name=f"Am{mark}ina"))


def test_blanks_before_a_leading_quote_do_not_hide_it(births: PageMapper) -> None:
    assert broken(births, birth(child_given_name="  'Amina")) == {("fullName", "NAME_STARTS_WITH_PUNCTUATION")}


@pytest.mark.parametrize("symbol", ["👶", "👩‍👩‍👧", "❤️", "☪", "©", "+", "=", "€", "^", "\ue000", "\U000e0fff", "𝄞"])
def test_a_name_with_a_symbol_is_refused(symbol: str) -> None:
    assert rules.name_rule(f"Amina {symbol}") in {"NAME_HAS_SYMBOL", "CONTROL_CHARACTER"}
    assert rules.name_rule(f"Amina{symbol}") is not None


def test_an_emoji_in_the_second_language_is_refused_too(births: PageMapper) -> None:
    assert broken(births, birth(child_given_name_local="أمينة 👶")) == {("fullName", "NAME_HAS_SYMBOL")}


@pytest.mark.parametrize(
    "character", [*"\x00\x07\t\n\r\x7f\x85", "\u2028", "\u2029", "\ufeff", "\u00ad", "\u202e", "\u2066"]
)
def test_a_control_character_inside_any_text_is_refused(births: PageMapper, character: str) -> None:
    assert broken(births, birth(child_given_name=f"A{character}mina")) == {("fullName", "CONTROL_CHARACTER")}
    row = birth(residence_address_line1=f"12{character}Market Road")
    assert broken(births, row) == {("addressLine1", "CONTROL_CHARACTER")}
    assert broken(births, birth(informant_email=f"a{character}b@example.org")) == {("email", "CONTROL_CHARACTER")}


def test_half_a_surrogate_pair_cannot_be_sent(births: PageMapper) -> None:
    for half in ("\ud83d", "\udc76"):
        assert broken(births, birth(child_given_name=f"Amina{half}")) == {("fullName", "NOT_ENCODABLE")}
        assert broken(births, birth(informant_phone=f"6{half}")) == {("phone", "NOT_ENCODABLE")}


def test_an_address_may_hold_symbols_and_begin_with_punctuation(births: PageMapper) -> None:
    event = map_one(births, birth(residence_address_line1="#12 Market Road + 3 ½ ©"))
    assert event.findings == []
    assert event.identity["addressLine1"] == localized(("eng", "#12 Market Road + 3 ½ ©"))


@pytest.mark.parametrize(("length", "accepted"), [(50, True), (51, False), (200, False)])
def test_a_name_longer_than_the_schema_allows_is_refused(births: PageMapper, length: int, accepted: bool) -> None:
    row = birth(child_given_name="a" * length, child_family_name=None)
    assert broken(births, row) == (set() if accepted else {("fullName/0/value", "SCHEMA_PATTERN")})


def test_a_name_shorter_than_the_schema_allows_is_refused(births: PageMapper) -> None:
    assert broken(births, birth(child_given_name="Al", child_family_name=None)) == {
        ("fullName/0/value", "SCHEMA_PATTERN")
    }


def test_names_are_joined_by_one_blank_and_empty_parts_left_out(births: PageMapper) -> None:
    event = map_one(births, birth(child_given_name="  Amina ", child_family_name="   "))
    assert event.identity["fullName"][0] == {"language": "eng", "value": "Amina"}
    both = map_one(births, birth())
    assert both.identity["fullName"] == localized(("eng", "Amina Tazi"), ("ara", "أمينة التازي"))


@pytest.mark.parametrize(("given_name", "family"), [(None, None), ("", ""), ("   ", "\t"), (None, " ")])
def test_a_child_without_a_name_in_the_required_language_is_quarantined(
    births: PageMapper, given_name: str | None, family: str | None
) -> None:
    row = birth(child_given_name=given_name, child_family_name=family)
    assert broken(births, row) == {("fullName", "LANGUAGE_EMPTY")}


def test_an_address_in_the_required_language_is_needed(births: PageMapper) -> None:
    assert broken(births, birth(residence_address_line1=None)) == {("addressLine1", "LANGUAGE_EMPTY")}


@settings(max_examples=300, deadline=None)
@given(name=st.text(st.characters(categories=["L"]), min_size=1, max_size=40))
def test_every_letter_of_unicode_may_stand_in_a_name(name: str) -> None:
    assert rules.name_rule(name) is None


@settings(max_examples=300, deadline=None)
@given(
    before=st.text(st.characters(categories=["L", "M", "Nd"]), min_size=1, max_size=10),
    character=st.characters(categories=["So", "Sm", "Sc", "Sk", "Cc", "Co", "Cs", "Zl", "Zp"]),
)
def test_no_symbol_or_control_character_passes_in_a_name(before: str, character: str) -> None:
    assert rules.name_rule(before + character) is not None


# --- plain texts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", DROPPED)
@pytest.mark.parametrize(
    "column", ["residence_postal_code", "informant_phone", "informant_email", "informant_info_token"]
)
def test_a_plain_text_that_mosip_would_drop_is_quarantined(births: PageMapper, column: str, mark: str) -> None:
    (found,) = broken(births, birth(**{column: f"{mark}6123456789"}))
    assert found[1] == "VALUE_DROPPED_BY_MOSIP"
    assert broken(births, birth(**{column: f"  {mark}"})) == {found}


@pytest.mark.parametrize("mark", DROPPED)
def test_a_plain_text_may_hold_such_a_mark_further_on(deaths: PageMapper, mark: str) -> None:
    event = map_one(deaths, death(informant_info_token=f"a{mark}b"))
    assert event.findings == []
    assert event.identity["deceasedInformer"] == f"a{mark}b"


@pytest.mark.parametrize("text", ["007", "1e5", "true", "null", "<b>", "(x)", "-1", "👶", "é"])
def test_a_plain_text_that_only_looks_like_something_else_passes(text: str) -> None:
    assert rules.plain_text_rule(text) is None


def test_an_empty_plain_text_would_be_dropped() -> None:
    assert rules.plain_text_rule("") == "VALUE_DROPPED_BY_MOSIP"


@settings(max_examples=300, deadline=None)
@given(text=st.text(min_size=1, max_size=20))
def test_a_plain_text_passes_only_if_the_parser_keeps_it_whole(text: str) -> None:
    rule = rules.plain_text_rule(text)
    if text[0] in DROPPED:
        assert rule == "VALUE_DROPPED_BY_MOSIP"
    elif any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in text):
        assert rule == "CONTROL_CHARACTER"


@pytest.mark.parametrize("nothing", [None, "", "   ", float("nan")])
@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("residence_postal_code", "postalCode"),
        ("informant_phone", "phone"),
        ("informant_email", "email"),
        ("informant_info_token", "introducerInfoToken"),
    ],
)
def test_an_optional_field_without_a_value_is_left_out(
    births: PageMapper, column: str, field: str, nothing: object
) -> None:
    event = map_one(births, birth(**{column: nothing}))
    assert event.findings == []
    assert field not in event.identity


def test_a_number_of_the_registry_is_sent_as_text(births: PageMapper) -> None:
    event = map_one(births, birth(informant_phone=6123456789, residence_postal_code=14000))
    assert event.findings == []
    assert (event.identity["phone"], event.identity["postalCode"]) == ("6123456789", "14000")


def test_two_different_names_in_one_language_are_told(births: PageMapper) -> None:
    row = birth(
        local_language="eng", child_given_name="Maria", child_given_name_local="María",
        child_family_name_local="Lopez",
    )  # fmt: skip
    assert broken(births, row) == {("fullName", "LANGUAGE_REPEATED")}


def test_the_same_name_twice_in_one_language_is_said_once(births: PageMapper) -> None:
    row = birth(local_language="eng", child_given_name="Maria", child_family_name="Lopez")
    row |= {"child_given_name_local": "Maria", "child_family_name_local": "Lopez"}
    event = map_one(births, row)
    assert event.findings == []
    assert event.identity["fullName"] == [{"language": "eng", "value": "Maria Lopez"}]


@pytest.mark.parametrize("mark", ["\u061c", "\u200e", "\u200f", "\u200c", "\u200d", "’"])
def test_the_marks_of_a_script_are_part_of_its_names(mark: str) -> None:
    assert rules.name_rule(f"{mark}أحمد") is None
