"""A page: each row is judged for itself, and an extract that lacks something is told so."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from identity_samples import TODAY, birth, broken, death, frame, map_one, valid_birth

from mosip_crvs.errors import ExtractError, SchemaError
from mosip_crvs.identity import schema
from mosip_crvs.identity.mapping import FieldMapping, Mapping
from mosip_crvs.identity.page import PageMapper
from mosip_crvs.model import EventKey, Finding, RegistrationKind

_SPOILED = {
    "child_birth_date": "31/12/2026",
    "child_gender": "X",
    "child_given_name": "[Amina",
    "child_uin": "2169305392",
    "residence_place_code": None,
    "informant_phone": "none",
    "informant_email": "\ud800",
    "local_language": "xxx",
}


def test_one_bad_row_does_not_stop_the_others(births: PageMapper) -> None:
    rows = [birth(registration_id="B-1"), birth(registration_id="B-2", **_SPOILED), birth(registration_id="B-3")]
    first, bad, last = births.map_page(frame(*rows), TODAY)
    assert (first.findings, last.findings) == ([], [])
    assert len(bad.findings) >= len(_SPOILED)
    assert [event.key for event in (first, bad, last)] == [EventKey("B-1"), EventKey("B-2"), EventKey("B-3")]
    assert first.identity == last.identity == map_one(births, birth()).identity


@settings(max_examples=60, deadline=None)
@given(faults=st.lists(st.sets(st.sampled_from(sorted(_SPOILED)), max_size=2), min_size=1, max_size=8))
def test_a_row_comes_to_the_same_alone_and_in_company(births: PageMapper, faults: list[set[str]]) -> None:
    rows = [birth(registration_id=f"B-{n}", **{c: _SPOILED[c] for c in spoiled}) for n, spoiled in enumerate(faults)]
    together = births.map_page(frame(*rows), TODAY)
    alone = [map_one(births, row) for row in rows]
    assert [(e.key, e.identity, e.findings, e.not_eligible) for e in together] == [
        (e.key, e.identity, e.findings, e.not_eligible) for e in alone
    ]


@settings(max_examples=150, deadline=None)
@given(
    cells=st.dictionaries(
        st.sampled_from(sorted(set(birth()) - {"registration_id"})),
        st.one_of(
            st.text(st.characters(), max_size=30), st.none(), st.integers(), st.floats(), st.booleans(), st.dates(),
            st.datetimes(), st.decimals(allow_nan=False),
            st.sampled_from([[1], {"a": 1}, bytearray(b"x"), Decimal("NaN")]), st.binary(max_size=5),
        ),
        max_size=5,
    )
)  # fmt: skip
def test_no_cell_of_any_type_can_stop_a_page(births: PageMapper, cells: dict[str, Any]) -> None:
    bad, good = births.map_page(frame(birth(**cells), birth(registration_id="B-2")), TODAY)
    assert good.findings == []
    if not bad.findings and bad.not_eligible is None:
        assert births.schema.accepts(bad.identity)


@pytest.mark.parametrize(
    "column", ["registration_id", "person_id", "modified_at", "child_gender", "local_language", "child_uin"]
)
def test_a_column_that_the_extract_lacks_is_named(births: PageMapper, column: str) -> None:
    with pytest.raises(ExtractError, match=f"birth extract SQL lacks the columns {column}$"):
        births.map_page(frame(birth()).drop(columns=[column]), TODAY)


def test_all_columns_that_the_extract_lacks_are_named_at_once(deaths: PageMapper) -> None:
    page = frame(death()).drop(columns=["deceased_vid", "deceased_birth_date"])
    with pytest.raises(ExtractError, match="deceased_birth_date, deceased_vid"):
        deaths.map_page(page, TODAY)


@pytest.mark.parametrize("nothing", [None, "", "   ", float("nan")])
def test_a_row_without_a_registration_number_is_found_wanting_and_stops_nobody(
    births: PageMapper, nothing: Any
) -> None:
    good, bad = births.map_page(frame(birth(), birth(registration_id=nothing, person_id="P-9")), TODAY)
    assert good.findings == []
    assert bad.findings == [Finding("registration_id", "MISSING")]
    assert bad.key.registration_id.startswith("(without registration_id)")
    assert bad.key.registration_id.endswith("P-9")


def test_columns_may_come_in_any_order_and_there_may_be_more(births: PageMapper) -> None:
    names = [*birth(), "comment"]
    random.Random(1).shuffle(names)
    page = frame(birth(comment="anything"))[names]
    assert births.map_page(page, TODAY)[0].identity == map_one(births, birth()).identity


def test_a_frame_with_an_index_of_its_own_is_read_row_by_row(births: PageMapper) -> None:
    page = frame(birth(registration_id="B-1"), birth(registration_id="B-2")).iloc[::-1]
    assert [event.key.registration_id for event in births.map_page(page, TODAY)] == ["B-2", "B-1"]


def test_an_empty_page_gives_no_events(births: PageMapper) -> None:
    assert births.map_page(frame(birth()).iloc[:0], TODAY) == []


@pytest.mark.parametrize(("given_", "kept"), [("P-7", "P-7"), (7, "7"), (None, None), ("  ", None)])
def test_the_persons_number_goes_with_the_event(births: PageMapper, given_: Any, kept: str | None) -> None:
    assert map_one(births, birth(person_id=given_)).person_id == kept


def test_a_sound_birth_becomes_exactly_these_fields(births: PageMapper) -> None:
    identity = map_one(births, birth()).identity
    assert set(identity) == set(valid_birth())
    assert identity["IDSchemaVersion"] == 0.1
    assert identity["dateOfBirth"] == "2026/11/20"
    assert identity["zone"][0] == {"language": "eng", "value": "Ben Mansour"}
    assert births.schema.accepts(identity)


def test_a_representation_of_an_event_names_nobody(births: PageMapper) -> None:
    event = map_one(births, birth(registration_id="B-2026-77"))
    assert "Amina" not in repr(event)
    assert "B-2026-77" not in repr(event)
    assert "6123456789" not in repr(event)


def test_several_things_wrong_with_one_row_are_all_told(births: PageMapper) -> None:
    row = birth(child_birth_date="x", child_gender=None, informant_phone="[1", child_uin="1")
    assert broken(births, row) == {
        ("dateOfBirth", "DATE_MALFORMED"),
        ("gender", "MISSING"),
        ("phone", "VALUE_DROPPED_BY_MOSIP"),
        ("UIN", "BIRTH_WITH_UIN"),
    }


def test_everything_that_the_schema_refuses_is_told(births: PageMapper) -> None:
    row = birth(informant_phone="1", informant_email="nobody", residence_postal_code="1")
    assert broken(births, row) == {(name, "SCHEMA_PATTERN") for name in ("phone", "email", "postalCode")}


def _mapping(*fields: FieldMapping) -> Mapping:
    return Mapping(RegistrationKind.BIRTH, "CRVS_NEW", ("eng",), None, fields, {}, None, None)


def test_a_mapping_that_writes_a_field_unknown_to_the_schema_is_refused(births: PageMapper) -> None:
    with pytest.raises(SchemaError, match=r"birth mapping writes 'fulName'.*drop it silently"):
        PageMapper(_mapping(FieldMapping("fulName", "text", ("x",))), births.schema)


@pytest.mark.parametrize("kind", ["births", "deaths"])
def test_every_mapped_field_of_the_product_is_in_the_schema(kind: str, request: pytest.FixtureRequest) -> None:
    mapper: PageMapper = request.getfixturevalue(kind)
    declared = set(mapper.schema.compiled["properties"])
    assert {mapped.name for mapped in mapper.mapping.fields} <= declared


def test_a_required_plain_text_without_a_value_is_missing(births: PageMapper) -> None:
    mapper = PageMapper(_mapping(FieldMapping("phone", "text", ("phone",))), births.schema)
    row = {"registration_id": "B-1", "person_id": None, "modified_at": None, "phone": " "}
    assert broken(mapper, row) == {("phone", "MISSING")}


def test_a_birth_that_the_mapping_leaves_incomplete_is_told_all_that_is_missing(births: PageMapper) -> None:
    mapper = PageMapper(_mapping(FieldMapping("dateOfBirth", "date", ("born",))), births.schema)
    row = {"registration_id": "B-1", "person_id": None, "modified_at": None, "born": date(2026, 1, 1)}
    missing = {"fullName", "gender", "addressLine1", "region", "province", "city", "zone"}
    assert broken(mapper, row) == {(name, "SCHEMA_REQUIRED") for name in missing}


class _Sceptic:
    """A judge that says no and cannot say why."""

    version = "0.1"

    def accepts(self, identity: schema.Identity) -> bool:
        return False

    def explain(self, identity: schema.Identity) -> list[Finding]:
        return []

    def has_field(self, name: str) -> bool:
        return True


def test_what_only_the_quick_judge_refuses_is_quarantined_all_the_same() -> None:
    mapper = PageMapper(_mapping(FieldMapping("phone", "text", ("phone",))), _Sceptic())  # type: ignore[arg-type]
    row = {"registration_id": "B-1", "person_id": None, "modified_at": None, "phone": "1"}
    assert broken(mapper, row) == {("identity", "SCHEMA_OTHER")}


def test_sql_null_in_every_guise_is_an_empty_cell(births: PageMapper) -> None:
    for nothing in (None, float("nan"), pd.NA, pd.NaT):
        assert "phone" not in map_one(births, birth(informant_phone=nothing)).identity
