"""Masterdata: searches that match too much, absence in its many words, lists in pages, and what creations must say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from mosip_servers import Asked, FarSide, Said, said

from mosip_crvs.errors import MosipRefused
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.doors import Door
from mosip_crvs.mosip.keymanager import KeyManager, same_key
from mosip_crvs.mosip.masterdata import Masterdata, active

NOW = "2024-01-02T03:04:05.000Z"


@pytest.fixture
def data(far_side: FarSide) -> Masterdata:
    """Masterdata of a country whose first language is French."""
    return Masterdata(Door(SingleCalls(far_side.url), None), "fra")


def found(*rows: dict[str, Any]) -> Said:
    """The answer to a search."""
    return said({"response": {"data": list(rows), "totalRecord": len(rows)}, "errors": None})


def refused(code: str) -> Said:
    """A refusal."""
    return said({"response": None, "errors": [{"errorCode": code, "message": "no"}]})


def sent(far_side: FarSide) -> dict[str, Any]:
    """The request of the last call."""
    return dict(json.loads(far_side.asked[-1].body)["request"])


# --- searches


def test_a_search_asks_for_equal_values_in_the_first_language(far_side: FarSide, data: Masterdata) -> None:
    far_side.say(found())
    assert data.centers_named("État civil") == []
    assert sent(far_side)["filters"] == [{"columnName": "name", "type": "equals", "value": "État civil"}]
    assert sent(far_side)["languageCode"] == "fra"


@pytest.mark.parametrize(
    ("look", "column", "value"),
    [
        (lambda data: data.centers_named("Civil"), "name", "Civil"),
        (lambda data: data.machines_named("Civil"), "name", "Civil"),
        (lambda data: data.zone_users("crvs"), "userId", "crvs"),
        (lambda data: data.user_centers("crvs"), "userId", "crvs"),
    ],
)
def test_rows_that_match_too_loosely_are_left_out(
    far_side: FarSide, data: Masterdata, look: Callable[[Masterdata], Any], column: str, value: str
) -> None:
    names: list[str | None] = [f"{value} 2", value.upper(), value, None]
    rows: list[dict[str, Any]] = [{"n": n, column: name, "regCenterId": "10001"} for n, name in enumerate(names, 1)]
    far_side.say(found(*rows, {"n": 5, "regCenterId": "10001"}))
    assert [row["n"] for row in look(data)] == [2, 3]
    assert sent(far_side)["filters"] == [{"columnName": column, "type": "equals", "value": value}]


def test_a_user_with_a_zone_and_no_centre_has_no_centre(far_side: FarSide, data: Masterdata) -> None:
    far_side.say(found({"userId": "crvs", "zoneCode": "RSK", "regCenterId": None, "isActive": True}))
    assert data.user_centers("crvs") == []


def test_a_search_that_ends_in_a_fault_is_no_empty_one(far_side: FarSide, data: Masterdata) -> None:
    fault = {"response": None, "errors": [{"errorCode": "KER-MSD-500", "message": "Could not resolve attribute"}]}
    far_side.say(said(fault, 500))
    with pytest.raises(MosipRefused, match="look for the user's centre: HTTP 500 KER-MSD-500"):
        data.user_centers("crvs")


def test_exceptional_holidays_are_what_a_search_shows(far_side: FarSide, data: Masterdata) -> None:
    days = [{"exceptionHolidayDate": "2030-01-01", "exceptionHolidayName": "Flood"}]
    far_side.say(found({"id": "10001", "exceptionalHolidayPutPostDto": days}))
    assert data.exceptional_holidays("10001") == days
    assert sent(far_side)["filters"][0] == {"columnName": "id", "type": "equals", "value": "10001"}
    far_side.say(found({"id": "10001", "exceptionalHolidayPutPostDto": None}))
    assert data.exceptional_holidays("10001") == []
    far_side.say(found())
    assert data.exceptional_holidays("10001") is None


def test_a_machine_is_found_by_its_whole_id(far_side: FarSide, data: Masterdata) -> None:
    far_side.say(found({"id": "100770"}, {"id": "10077", "signPublicKey": "k"}))
    assert data.machine_with_keys("10077") == {"id": "10077", "signPublicKey": "k"}


def test_a_key_is_looked_for_in_both_alphabets(far_side: FarSide, data: Masterdata) -> None:
    machine = {"id": "10077", "signPublicKey": "a-b_"}
    far_side.script = lambda asked: (
        found(machine) if json.loads(asked.body)["request"]["filters"][0]["value"] == "a-b_" else found()
    )
    assert data.machines_with_key("a+b/") == [machine]


@pytest.mark.parametrize("code", ["KER-MSD-215", "KER-USR-007"])
def test_a_search_that_finds_nothing_may_say_so_with_a_code(far_side: FarSide, data: Masterdata, code: str) -> None:
    far_side.say(refused(code))
    assert data.centers_named("Civil") == []


def test_a_search_without_a_zone_is_no_empty_one(far_side: FarSide, data: Masterdata) -> None:
    far_side.say(refused("KER-MSD-342"))
    with pytest.raises(MosipRefused, match="look for the centre: HTTP 200 KER-MSD-342"):
        data.centers_named("Civil")


# --- looking at one thing


@pytest.mark.parametrize("shape", ["in a list", "alone"])
def test_a_centre_is_found_whatever_it_is_wrapped_in(far_side: FarSide, data: Masterdata, shape: str) -> None:
    row = {"id": "10001", "isActive": False}
    far_side.say(said({"response": {"registrationCenters": [row]} if shape == "in a list" else row}))
    assert data.center("10001") == row
    data.center("10001", "eng")
    assert [asked.path.rpartition("/")[2] for asked in far_side.asked] == ["fra", "eng"]


def test_a_centre_that_is_not_there_is_none(far_side: FarSide, data: Masterdata) -> None:
    far_side.say(refused("KER-MSD-215"))
    assert data.center("10001") is None
    far_side.say(refused("KER-MSD-041"))
    with pytest.raises(MosipRefused):
        data.center("10001")


def test_a_machine_that_is_not_there_is_none(far_side: FarSide, data: Masterdata) -> None:
    far_side.say(refused("KER-MSD-030"))
    assert data.machine("10077") is None
    far_side.say(refused("KER-MSD-029"))
    with pytest.raises(MosipRefused, match="KER-MSD-029"):
        data.machine("10077")


HISTORIES: dict[str, tuple[Callable[[Masterdata], Any], str, str]] = {
    "centre": (lambda data: data.center_history("10001", NOW), "KER-MSD-215", "KER-MSD-041"),
    "machine": (lambda data: data.machine_history("10077", NOW), "KER-MSD-032", "KER-MSD-031"),
    "officer": (lambda data: data.officer_history("crvs", NOW), "KER-USR-003", "KER-USR-001"),
    "mapping": (lambda data: data.mapping_history("10001", "10077", "crvs", NOW), "KER-MSD-038", "KER-MSD-037"),
}
"""Each history's look, its code for "there is none", and its code for "the database failed". All are HTTP 200."""


@pytest.mark.parametrize("history", HISTORIES)
def test_a_history_that_could_not_be_read_is_no_empty_one(far_side: FarSide, data: Masterdata, history: str) -> None:
    look, absent, failed = HISTORIES[history]
    far_side.say(refused(absent))
    assert look(data) == []
    others = {code for name, each in HISTORIES.items() if name != history for code in each[1:]}
    for code in (failed, "KER-MSD-500", *others):
        far_side.say(refused(code))
        with pytest.raises(MosipRefused, match=f"look at the {history}'s history: HTTP 200 {code}"):
            look(data)


def test_an_officers_id_stays_one_part_of_the_path(far_side: FarSide, data: Masterdata) -> None:
    far_side.say(found())
    data.officer_history("a/b?c", NOW)
    data.mapping_history("10001", "10077", "a/b?c", NOW)
    data.activate_zone_user("a&isActive=false")
    assert [asked.path for asked in far_side.asked] == [
        "/v1/masterdata/users/a%2Fb%3Fc/2024-01-02T03%3A04%3A05.000Z",
        "/v1/masterdata/getregistrationmachineusermappinghistory/2024-01-02T03%3A04%3A05.000Z/10001/10077/a%2Fb%3Fc",
        "/v1/masterdata/zoneuser?userId=a%26isActive%3Dfalse&isActive=true",
    ]


def test_a_closed_gate_is_no_empty_history(far_side: FarSide, data: Masterdata) -> None:
    far_side.say(said({"response": None, "errors": [{"errorCode": "KER-ATH-403", "message": "Forbidden"}]}, 403))
    with pytest.raises(MosipRefused, match="KER-ATH-403"):
        data.officer_history("crvs", NOW)
    with pytest.raises(MosipRefused, match="KER-ATH-403"):
        data.subzones()
    far_side.say(refused("KER-MSD-337"))
    with pytest.raises(MosipRefused, match="KER-MSD-337"):
        data.subzones()
    far_side.say(said({"response": [], "errors": None}))
    assert data.subzones() == []


def test_lists_are_read_page_after_page(far_side: FarSide, data: Masterdata) -> None:
    def page(asked: Asked) -> Said:
        number = int(asked.path.partition("pageNumber=")[2].partition("&")[0])
        return said({"response": {"totalPages": 3, "data": [{"id": f"S{number}", "name": f"Server {number}"}]}})

    far_side.script = page
    for wanted in ("S2", "Server 2"):
        specification = data.machine_specification(wanted)
        assert specification is not None
        assert specification["id"] == "S2"
    assert data.machine_specification("S9") is None
    assert len(far_side.asked) == 9


def test_the_schemas_of_a_title_are_drafts_and_published_ones(far_side: FarSide, data: Masterdata) -> None:
    rows = [
        {"title": "CRVS", "status": "DRAFT", "id": "1"},
        {"title": "CRVS", "status": "PUBLISHED", "id": "2"},
        {"title": "Other", "status": "DRAFT", "id": "3"},
    ]
    far_side.say(found(*rows))
    assert [row["id"] for row in data.schemas("CRVS")] == ["1", "2"]


def test_without_a_published_schema_there_is_none(far_side: FarSide, data: Masterdata) -> None:
    far_side.say(refused("KER-SCH-007"))
    assert data.latest_schema() is None


# --- changes


def test_a_new_centre_says_that_it_has_no_exceptional_holidays_and_a_change_says_what_it_was_told(
    far_side: FarSide, data: Masterdata
) -> None:
    far_side.say(said({"response": {"id": "10001"}}))
    data.create_center({"name": "Civil"})
    assert sent(far_side) == {"name": "Civil", "exceptionalHolidayPutPostDto": [], "isActive": True}
    data.set_center_common({"id": "10001", "exceptionalHolidayPutPostDto": [{"a": 1}]})
    assert sent(far_side)["exceptionalHolidayPutPostDto"] == [{"a": 1}]
    data.set_center_common({"id": "10001"})
    assert "exceptionalHolidayPutPostDto" not in sent(far_side), "an empty list would delete them"


def test_a_users_centre_says_nothing_where_nothing_may_be_said(far_side: FarSide, data: Masterdata) -> None:
    far_side.say(said({"response": {}}))
    data.create_user_center("crvs", "10001")
    wanted = {
        "id": "crvs",
        "name": None,
        "statusCode": None,
        "regCenterId": "10001",
        "isActive": True,
        "langCode": "fra",
    }
    assert sent(far_side) == wanted
    data.move_user_center("crvs", "10002")
    assert (far_side.asked[-1].method, sent(far_side)["regCenterId"]) == ("PUT", "10002")


def test_a_schema_travels_as_text(far_side: FarSide, data: Masterdata) -> None:
    far_side.say(said({"response": {"id": "1"}}))
    data.create_schema("CRVS", "Births", {"title": "état"})
    assert json.loads(sent(far_side)["schema"]) == {"title": "état"}
    data.publish_schema("1", NOW)
    assert sent(far_side) == {"id": "1", "effectiveFrom": NOW}


def test_only_true_is_active() -> None:
    assert active({"isActive": True})
    assert not any(active(row) for row in (None, {}, {"isActive": False}, {"isActive": "true"}))


# --- the key manager


def test_keys_are_the_same_in_both_alphabets_and_with_or_without_padding() -> None:
    assert same_key("a+b/cw==", "a-b_cw")
    assert same_key("a+b/\ncw==", "a+b/cw==")
    assert not same_key("a+b/cw==", "a+b/cx==")
    assert not same_key("AAAA", "aaaa")


@pytest.mark.parametrize("response", [None, {}, {"publicKey": ""}])
def test_a_key_manager_without_a_key_is_an_error(far_side: FarSide, response: Any) -> None:
    far_side.say(said({"response": response}))
    with pytest.raises(MosipRefused, match="the key manager gave none"):
        KeyManager(Door(SingleCalls(far_side.url), None)).signing_key()


@pytest.mark.parametrize(
    ("status", "trusted"), [("true", True), (True, True), ("success", True), ("false", False), (None, False)]
)
def test_trust_is_told_in_several_ways(far_side: FarSide, status: Any, trusted: bool) -> None:
    far_side.say(said({"response": {"status": status}}))
    assert KeyManager(Door(SingleCalls(far_side.url), None)).trusts("PEM") is trusted
