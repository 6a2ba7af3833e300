"""Policy groups and policies (mosip-onboarding.md §7)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pms_calls import AUTH, DATA_SHARE, GROUP, PAGE, POLICIES, Desk, policy_request


async def test_a_group_is_born_active_and_its_name_is_taken_from_then_on(desk: Desk) -> None:
    made = await desk.do("POST", f"{POLICIES}/group/new", {"name": GROUP, "desc": "births and deaths"})
    assert (made["name"], made["is_Active"]) == (GROUP, True)
    assert await desk.refused("POST", f"{POLICIES}/group/new", {"name": GROUP, "desc": "again"}) == "PMS_POL_014"
    groups = await desk.do("GET", f"{POLICIES}/group/all")
    assert [entry["policyGroup"]["id"] for entry in groups] == [made["id"]]


async def test_a_group_is_found_by_name(desk: Desk) -> None:
    await desk.group("another")
    id = await desk.group()
    filters = [{"columnName": "name", "type": "equals", "value": GROUP}]
    found = await desk.do("POST", f"{POLICIES}/group/search", PAGE | {"filters": filters})
    assert (found["totalRecord"], found["data"][0]["id"]) == (1, id)
    wrong = [{"columnName": "colour", "type": "equals", "value": "red"}]
    assert await desk.refused("POST", f"{POLICIES}/group/search", PAGE | {"filters": wrong}) == "PMS_PRT_310"


async def test_a_new_policy_is_a_draft_until_it_is_published(desk: Desk) -> None:
    group = await desk.group()
    id = await desk.policy()
    draft = await desk.do("GET", f"{POLICIES}/{id}")
    assert (draft["schema"], draft["is_Active"], draft["status"]) == (None, False, "DRAFTED")
    await desk.do("POST", f"{POLICIES}/{id}/group/{group}/publish")
    published = await desk.do("GET", f"{POLICIES}/{id}")
    assert (bool(published["schema"]), published["is_Active"], published["status"]) == (True, True, "PUBLISHED")
    assert published["validTill"] > "2200"
    assert [policy["policyId"] for policy in await desk.do("GET", POLICIES)] == [id]


async def test_a_published_policy_is_immutable_and_cannot_be_published_twice(desk: Desk) -> None:
    group = await desk.group()
    id = await desk.policy()
    assert (await desk.do("PUT", f"{POLICIES}/{id}", policy_request(desc="better")))["desc"] == "better"
    await desk.do("POST", f"{POLICIES}/{id}/group/{group}/publish")
    assert await desk.refused("POST", f"{POLICIES}/{id}/group/{group}/publish") == "PMS_POL_020"
    assert await desk.refused("PUT", f"{POLICIES}/{id}", policy_request()) == "PMS_POL_055"


async def test_a_draft_cannot_be_activated_and_a_published_policy_can_be_ended(desk: Desk) -> None:
    group = await desk.group()
    id = await desk.policy()
    path = f"{POLICIES}/{id}/group/{group}"
    assert await desk.refused("PATCH", path, {"status": "Active"}) == "PMS_POL_054"
    assert await desk.refused("PATCH", path, {"status": "Sleeping"}) == "PMS_POL_045"
    await desk.do("POST", f"{path}/publish")
    await desk.do("PATCH", path, {"status": "De-active"})
    assert not (await desk.do("GET", f"{POLICIES}/{id}"))["is_Active"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "PMS_POL_009"),
        ({"policyGroupName": "nowhere", "name": "other"}, "PMS_POL_019"),
        ({"policyType": "Colour", "name": "other"}, "PMS_POL_023"),
        ({"name": None}, "PMS_COR_001"),
        ({"name": "other", "version": ""}, "PMS_COR_001"),
        ({"name": "other", "policies": None}, "PMS_COR_001"),
    ],
)
async def test_a_policy_that_does_not_fit_is_refused(desk: Desk, changes: dict[str, Any], code: str) -> None:
    await desk.group()
    await desk.policy()
    assert await desk.refused("POST", POLICIES, policy_request(**changes)) == code


async def test_the_name_counts_within_its_group(desk: Desk) -> None:
    await desk.group()
    await desk.policy()
    await desk.group("another")
    await desk.do("POST", POLICIES, policy_request(policyGroupName="another"))


def _without(body: dict[str, Any], *path: Any) -> dict[str, Any]:
    found = copy.deepcopy(body)
    place = found
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return found


def _with(body: dict[str, Any], value: Any, *path: Any) -> dict[str, Any]:
    found = copy.deepcopy(body)
    place = found
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return found


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("DataShare", _without(DATA_SHARE, "dataSharePolicies", "shareDomain"), "PMS_PV_006"),
        ("DataShare", _with(DATA_SHARE, 30, "dataSharePolicies", "validForInMinutes"), "PMS_PV_005"),
        ("DataShare", _with(DATA_SHARE, "fax", "dataSharePolicies", "typeOfShare"), "PMS_PV_005"),
        ("DataShare", _with(DATA_SHARE, "secret", "dataSharePolicies", "encryptionType"), "PMS_PV_005"),
        ("DataShare", _with(DATA_SHARE, "", "dataSharePolicies", "source"), "PMS_PV_009"),
        ("DataShare", _without(DATA_SHARE, "shareableAttributes", 0, "encrypted"), "PMS_PV_006"),
        ("DataShare", _with(DATA_SHARE, [], "shareableAttributes"), "PMS_PV_008"),
        ("Auth", _without(AUTH, "allowedKycAttributes"), "PMS_PV_006"),
        ("Auth", _with(AUTH, "no", "allowedAuthTypes", 0, "mandatory"), "PMS_PV_005"),
        ("Auth", _with(AUTH, "eternal", "authTokenType"), "PMS_PV_005"),
        ("Auth", _with(AUTH, 1, "colour"), "PMS_PV_005"),
        ("Auth", DATA_SHARE, "PMS_PV_005"),
    ],
)
async def test_a_body_is_looked_into(desk: Desk, kind: str, body: dict[str, Any], code: str) -> None:
    await desk.group()
    assert await desk.refused("POST", POLICIES, policy_request(kind=kind, body=body)) == code


async def test_policies_that_are_not_there(desk: Desk) -> None:
    group, other = await desk.group(), await desk.group("another")
    id = await desk.policy()
    assert await desk.refused("GET", f"{POLICIES}/7") == "PMS_POL_008"
    assert await desk.refused("POST", f"{POLICIES}/7/group/{group}/publish") == "PMS_POL_008"
    assert await desk.refused("POST", f"{POLICIES}/{id}/group/7/publish") == "PMS_POL_016"
    assert await desk.refused("POST", f"{POLICIES}/{id}/group/{other}/publish") == "PMS_POL_015"


async def test_audience_and_role_are_looked_at(desk: Desk) -> None:
    path = f"{POLICIES}/group/new"
    assert await desk.status("POST", path, desk.token("PARTNER_ADMIN", azp="mosip-crvs1-client")) == 403
    assert await desk.status("POST", path, desk.token("AUTH_PARTNER")) == 403
    assert await desk.status("POST", path, desk.token("POLICYMANAGER")) == 200
    assert await desk.status("POST", path, "nonsense") == 401
    desk.configuration.edit({"audiences": {"pms": ["mosip-crvs1-client"]}})
    assert await desk.status("POST", path, desk.token("PARTNER_ADMIN", azp="mosip-crvs1-client")) == 200


async def test_a_body_that_is_no_envelope_is_refused(desk: Desk) -> None:
    for body in (b"{", b"[]", b'{"request": 7}'):
        status, answer, _ = await desk.mosip.call("POST", POLICIES, body, token=desk.admin)
        assert (status, answer["errors"][0]["errorCode"]) == (200, "PMS_COR_001")


async def test_a_search_filters_sorts_and_pages(desk: Desk) -> None:
    for name in ("alpha", "beta", "gamma", "delta"):
        await desk.group(name)
    search = f"{POLICIES}/group/search"

    async def names(**changes: Any) -> list[str]:
        return [row["name"] for row in (await desk.do("POST", search, PAGE | changes))["data"]]

    by_name = [{"sortField": "name", "sortType": "desc"}]
    assert await names(sort=by_name) == ["gamma", "delta", "beta", "alpha"]
    assert await names(sort=by_name, pagination={"pageStart": 1, "pageFetch": 3}) == ["alpha"]
    for kind, value, found in (("contains", "*ELT*", ["delta"]), ("startsWith", "ga", ["gamma"])):
        assert await names(filters=[{"columnName": "name", "type": kind, "value": value}]) == found
    one_of = [{"columnName": "name", "type": "in", "values": ["beta", "alpha"]}]
    assert await names(filters=one_of) == ["alpha", "beta"]
    for change, code in (
        ({"pagination": None}, "PMS_PRT_356"),
        ({"pagination": {"pageStart": 0, "pageFetch": 0}}, "PMS_PRT_313"),
        ({"sort": [{"sortField": "colour", "sortType": "asc"}]}, "PMS_PRT_357"),
        ({"filters": [{"columnName": "name", "type": "like", "value": "a"}]}, "PMS_PRT_312"),
    ):
        assert await desk.refused("POST", search, PAGE | change) == code
