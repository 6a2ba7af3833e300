"""The ID schema as a judge: quick and exact agree, whole values are matched, and no value is ever quoted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from identity_samples import INCLUDE, LOCALIZED_FIELD, TEXT_FIELD, localized, regex, schema_text, valid_birth

from mosip_crvs.identity import schema
from mosip_crvs.identity.rules import SENTENCES
from mosip_crvs.identity.schema import IdSchema

BIRTHS = schema.load(INCLUDE / "schemas" / "id-schema.json", "CRVS_NEW")
DEATHS = schema.load(INCLUDE / "schemas" / "id-schema.json", "CRVS_DEATH")
FIELDS = sorted(BIRTHS.compiled["properties"])

# --- what a value may be: sound, hostile, or of a wrong type ----------------------------------------------------------

_SCRIPTS = [
    "Amina",
    "أمينة التازي",
    "ዮሐንስ ገብረ ማርያም",
    "कृष्ण शर्मा",
    "क्\u200dष",
    "می\u200cروم",
    "李小龍",
    "Ελένη",
    "O'Neil-Smith",
]
_SOUND = ["2026/11/20", "14000", "NA", "Y", "6123456789", "+6123456789", "a.b@example.org", *_SCRIPTS]
_HOSTILE = ["", " ", "\n", "\x00", "\x1b[0m", "👶", "👩‍👩‍👧", "١٢٣٤٥", "１４０００",
            "\ufeff14000", "'q", '"q', "[x", "{x}", "2026/13/45", "2026-11-20", "1868/12/31", "null"]  # fmt: skip
texts = st.one_of(
    st.sampled_from(_SOUND),
    st.sampled_from(_HOSTILE),
    st.sampled_from(_SOUND).map(lambda text: text + "\n"),  # a `$` lets it pass in Python, not in Rust or Java
    st.sampled_from(_SOUND).map(lambda text: text + "\r"),
    st.sampled_from(_SOUND).map(lambda text: "\n" + text),
    st.integers(1, 20_000).map(lambda length: "a" * length),
    st.text(max_size=60),
)
languages = st.sampled_from(["eng", "ara", "amh", "hin", "", "xx"])
pairs = st.fixed_dictionaries({"language": languages, "value": texts})
loose_pairs = st.dictionaries(st.sampled_from(["language", "value", "extra"]), st.one_of(texts, st.none()), max_size=3)
arrays = st.lists(st.one_of(pairs, loose_pairs, st.none(), texts), max_size=4)
documents = st.fixed_dictionaries(
    {},
    optional={"format": texts, "type": texts, "value": texts, "refNumber": st.one_of(texts, st.none(), st.integers())},
)
wrong = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.just([]), st.just({}), st.lists(st.lists(texts, max_size=2), max_size=2),
)  # fmt: skip
values = st.one_of(texts, st.lists(pairs, max_size=3), arrays, documents, wrong)
names = st.one_of(st.sampled_from(FIELDS), st.sampled_from(["fulName", "", "fullName ", "имя"]))


@st.composite
def identities(draw: st.DrawFn) -> dict[str, Any]:
    """A sound identity with a few fields replaced, added or left out."""
    identity: dict[str, Any] = draw(st.sampled_from([valid_birth(), {"IDSchemaVersion": 0.1, "UIN": "2169305392"}, {}]))
    identity |= draw(st.dictionaries(names, values, max_size=4))
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=2)):
        identity.pop(name, None)
    return identity


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(identity=identities(), judge=st.sampled_from([BIRTHS, DEATHS]))
def test_the_quick_judge_and_the_exact_one_agree_on_every_identity(identity: dict[str, Any], judge: IdSchema) -> None:
    findings = judge.explain(identity)
    assert judge.accepts(identity) == (findings == [])
    assert all(finding.rule in SENTENCES for finding in findings)


@settings(max_examples=400, deadline=None)
@given(name=st.sampled_from(FIELDS), value=values)
def test_the_two_judges_agree_on_each_field_alone(name: str, value: Any) -> None:
    identity = valid_birth() | {name: value}
    assert BIRTHS.accepts(identity) == (BIRTHS.explain(identity) == [])


@settings(max_examples=150, deadline=None)
@given(
    pattern=st.sampled_from(["[A-Z]{2,3}", "^[A-Z]{2,3}$", "a|bc", "^a$|^NA$", "", ".*", "^(?=.{3,5}$).*"]),
    text=st.one_of(texts, st.text("AaBbcNZ\n\r ", max_size=6)),
    as_array=st.booleans(),
)
def test_the_two_judges_agree_on_the_patterns_a_country_may_write(pattern: str, text: str, as_array: bool) -> None:
    field = (LOCALIZED_FIELD if as_array else TEXT_FIELD) | {"validators": [regex(pattern)]}
    judge = _judge({"word": field})
    identity = {"word": localized(("eng", "abc"), ("ara", text)) if as_array else text}
    assert judge.accepts(identity) == (judge.explain(identity) == [])


# --- what is required ------------------------------------------------------------------------------------------------


def _judge(
    properties: dict[str, Any], required: list[str] | None = None, mandatory: list[str] | None = None
) -> IdSchema:
    text = schema_text(properties, required or [])
    return IdSchema(text, "0.1", schema.compile_for(json.loads(text), mandatory or []))


def _rules(judge: IdSchema, identity: dict[str, Any]) -> set[tuple[str, str]]:
    assert judge.accepts(identity) == (judge.explain(identity) == [])
    return {(finding.field, finding.rule) for finding in judge.explain(identity)}


@settings(max_examples=100, deadline=None)
@given(
    in_schema=st.sets(st.sampled_from("abcd")),
    in_list=st.sets(st.sampled_from("abcd")),
    given_=st.sets(st.sampled_from("abcd")),
)
def test_a_field_is_required_when_both_the_schema_and_the_process_say_so(
    in_schema: set[str], in_list: set[str], given_: set[str]
) -> None:
    judge = _judge(dict.fromkeys("abcd", TEXT_FIELD), sorted(in_schema), sorted(in_list))
    missing = (in_schema & in_list) - given_
    assert _rules(judge, dict.fromkeys(given_, "x")) == {(name, "SCHEMA_REQUIRED") for name in missing}


def test_of_two_names_joined_by_a_bar_either_is_enough() -> None:
    judge = _judge({"dateOfBirth": TEXT_FIELD, "age": TEXT_FIELD}, ["dateOfBirth", "age"], ["dateOfBirth|age"])
    assert judge.accepts({"age": "0"})
    assert judge.accepts({"dateOfBirth": "2026/11/20"})
    assert _rules(judge, {}) == {("identity", "SCHEMA_OTHER")}


def test_of_two_names_joined_by_a_bar_only_what_the_schema_requires_counts() -> None:
    judge = _judge({"dateOfBirth": TEXT_FIELD, "age": TEXT_FIELD}, ["dateOfBirth"], ["dateOfBirth|age"])
    assert _rules(judge, {"age": "0"}) == {("dateOfBirth", "SCHEMA_REQUIRED")}


@pytest.mark.parametrize(
    "field",
    ["IDSchemaVersion", "fullName", "dateOfBirth", "gender", "addressLine1", "region", "province", "city", "zone"],
)
def test_each_field_that_a_birth_needs_is_asked_for_by_name(field: str) -> None:
    identity = valid_birth()
    del identity[field]
    assert _rules(BIRTHS, identity) == {(field, "SCHEMA_REQUIRED")}


@pytest.mark.parametrize("field", ["postalCode", "phone", "email"])
def test_what_a_birth_does_not_need_may_be_left_out(field: str) -> None:
    identity = valid_birth()
    del identity[field]
    assert BIRTHS.accepts(identity)


def test_a_death_needs_no_name_and_no_address() -> None:
    assert DEATHS.accepts({"IDSchemaVersion": 0.1, "UIN": "2169305392", "declaredAsDeceased": "Y"})


# --- validators ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["[0-9]{5}", "^[0-9]{5}$", "[0-9]+|NA", "^[0-9]+$|^NA$"])
@pytest.mark.parametrize(
    "value", ["14000x", "x14000", "14000\n", "\n14000", "14000\nx", "x\n14000", "xNA", "NAx", "NA\n"]
)
def test_a_validator_must_match_the_whole_value(pattern: str, value: str) -> None:
    judge = _judge({"code": TEXT_FIELD | {"validators": [regex(pattern)]}})
    assert _rules(judge, {"code": "14000"}) == set()
    assert _rules(judge, {"code": value}) == {("code", "SCHEMA_PATTERN")}


@pytest.mark.parametrize("value", ["14000\n", "14000\n\n", "14000\r\n", "14000 ", " 14000", "１４０００", "١٢٣٤٥"])
def test_a_postal_code_with_anything_around_it_is_refused(value: str) -> None:
    assert _rules(BIRTHS, valid_birth() | {"postalCode": value}) == {("postalCode", "SCHEMA_PATTERN")}


@pytest.mark.parametrize(
    ("field", "inside", "outside"),
    [
        ("dateOfBirth", "1869/01/01", "1868/12/31"),
        ("dateOfBirth", "2099/12/31", "2100/01/01"),
        ("dateOfBirth", "2026/11/20", "2026-11-20"),
        ("phone", "6123456789", "612345678"),
        ("phone", "+6123456789", "61234567890"),
        ("postalCode", "NA", "NAN"),
        ("postalCode", "(?i)A", "abcde"),  # in Java's dialect the brackets are a class that holds these very marks
        ("email", "a_b.c@example.org", "a b@example.org"),
        ("email", "a@example.org", "a@b@example.org"),
        ("email", "a@example.org", "example.org"),
    ],
)
def test_a_value_just_inside_passes_and_one_just_outside_does_not(field: str, inside: str, outside: str) -> None:
    assert _rules(BIRTHS, valid_birth() | {field: inside}) == set()
    assert _rules(BIRTHS, valid_birth() | {field: outside}) == {(field, "SCHEMA_PATTERN")}


@pytest.mark.parametrize(("length", "accepted"), [(2, False), (3, True), (50, True), (51, False)])
@pytest.mark.parametrize("letter", ["a", "ع", "ዮ", "क", "👶"])
def test_the_length_of_a_name_is_counted_in_characters_and_in_every_language(
    letter: str, length: int, accepted: bool
) -> None:
    second = valid_birth() | {"fullName": localized(("eng", "Amina"), ("ara", letter * length))}
    assert _rules(BIRTHS, second) == (set() if accepted else {("fullName/1/value", "SCHEMA_PATTERN")})


def test_a_validator_with_a_language_holds_for_that_language_only() -> None:
    rules = [regex("[a-z]+", "eng"), regex("[ء-ي]+", "ara")]
    judge = _judge({"name": LOCALIZED_FIELD | {"validators": rules}})
    assert _rules(judge, {"name": localized(("eng", "amina"), ("ara", "أمينة"), ("amh", "ዮሐንስ"))}) == set()
    assert _rules(judge, {"name": localized(("eng", "أمينة"))}) == {("name/0/value", "SCHEMA_PATTERN")}
    assert _rules(judge, {"name": localized(("amh", "x"), ("ara", "amina"))}) == {("name/1/value", "SCHEMA_PATTERN")}


def test_a_validator_without_a_language_holds_for_all_of_them() -> None:
    judge = _judge({"name": LOCALIZED_FIELD | {"validators": [regex("[a-z]+")]}})
    found = _rules(judge, {"name": localized(("eng", "amina"), ("ara", "أمينة"), ("hin", "NO"))})
    assert found == {("name/1/value", "SCHEMA_PATTERN"), ("name/2/value", "SCHEMA_PATTERN")}


def test_all_validators_of_a_field_must_match() -> None:
    judge = _judge({"code": TEXT_FIELD | {"validators": [regex("[0-9]+"), regex(".{5}")]}})
    assert _rules(judge, {"code": "14000"}) == set()
    assert _rules(judge, {"code": "1400"}) == _rules(judge, {"code": "abcde"}) == {("code", "SCHEMA_PATTERN")}


def test_a_validator_that_is_no_regex_is_left_to_mosip() -> None:
    judge = _judge({"code": TEXT_FIELD | {"validators": [{"type": "other", "validator": "[0-9]+"}]}})
    assert judge.accepts({"code": "anything"})


@pytest.mark.parametrize(
    ("field", "value", "finding"),
    [
        ("fullName", "Amina Tazi", ("fullName", "SCHEMA_TYPE")),
        ("fullName", [{"language": "eng"}], ("fullName/0/value", "SCHEMA_REQUIRED")),
        ("fullName", [{"language": "eng", "value": None}], ("fullName/0/value", "SCHEMA_TYPE")),
        ("gender", localized(("eng", "Male"), ("eng", "Male")), ("gender", "SCHEMA_UNIQUEITEMS")),
        ("dateOfBirth", 20261120, ("dateOfBirth", "SCHEMA_TYPE")),
        ("IDSchemaVersion", -0.1, ("IDSchemaVersion", "SCHEMA_MINIMUM")),
        ("IDSchemaVersion", "0.1", ("IDSchemaVersion", "SCHEMA_TYPE")),
        ("IDSchemaVersion", True, ("IDSchemaVersion", "SCHEMA_TYPE")),
        ("nickname", "x", ("nickname", "SCHEMA_ADDITIONALPROPERTIES")),
    ],
)
def test_a_value_of_the_wrong_shape_is_named_by_its_path(field: str, value: Any, finding: tuple[str, str]) -> None:
    assert _rules(BIRTHS, valid_birth() | {field: value}) == {finding}


def test_an_empty_list_of_names_counts_as_a_value() -> None:
    # The mapper never writes one: an empty list is left out, and then the field is missing.
    assert BIRTHS.accepts(valid_birth() | {"fullName": []})


@pytest.mark.parametrize(("low", "high"), [("x" * 2, "x" * 3), ("x" * 5, "x" * 6)])
def test_lengths_of_the_schema_hold(low: str, high: str) -> None:
    judge = _judge({"code": {"type": "string", "minLength": 3, "maxLength": 5}})
    expected = {"xx": "SCHEMA_MINLENGTH", "x" * 6: "SCHEMA_MAXLENGTH"}
    for value in (low, high):
        assert _rules(judge, {"code": value}) == ({("code", expected[value])} if value in expected else set())


# --- silence about people --------------------------------------------------------------------------------------------

_WORD = "Quetzalcoatlus"


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(FIELDS),
    value=st.sampled_from(
        [
            _WORD, _WORD * 30, f"{_WORD}\n", [_WORD], [[_WORD]], {"value": _WORD}, {"format": [_WORD]},
            localized((_WORD, _WORD)), localized((_WORD, "x" * 60)), localized(("eng", _WORD * 9)),
            localized(("eng", _WORD), ("eng", _WORD)), [{"language": "eng", "value": [_WORD]}],
            [{"language": _WORD}], [{"value": _WORD, "other": _WORD}],
        ]
    ),
)  # fmt: skip
def test_an_explanation_never_quotes_a_value(name: str, value: Any) -> None:
    for judge in (BIRTHS, DEATHS):
        assert _WORD not in repr(judge.explain(valid_birth() | {name: value}))


def test_the_same_fault_twice_is_told_once_and_in_a_fixed_order() -> None:
    found = BIRTHS.explain(valid_birth() | {"phone": "no", "email": "no", "dateOfBirth": 7})
    assert [finding.field for finding in found] == ["dateOfBirth", "email", "phone"]
    judge = _judge({"code": TEXT_FIELD | {"validators": [regex("a"), regex("b")]}})
    assert len(judge.explain({"code": "c"})) == 1


# --- questions about the schema itself -------------------------------------------------------------------------------


def test_the_schema_knows_its_fields_and_which_are_written_by_language() -> None:
    assert BIRTHS.has_field("fullName")
    assert not BIRTHS.has_field("fulName")
    assert [BIRTHS.field_is_localized(name) for name in ("fullName", "gender", "zone")] == [True] * 3
    assert [BIRTHS.field_is_localized(name) for name in ("phone", "UIN", "typeOfDeath", "proofOfIdentity")] == [
        False
    ] * 4


def test_the_text_of_the_schema_is_the_whole_file() -> None:
    file: Path = INCLUDE / "schemas" / "id-schema.json"
    assert json.loads(BIRTHS.text) == json.loads(file.read_text(encoding="utf-8"))
    assert "\n" not in BIRTHS.text
