"""Zones and centres of users (mosip-onboarding.md §4)."""

from __future__ import annotations

from typing import Any

import pytest
from onboarding_calls import MASTERDATA, OFFICER, PROVISIONER, SEARCH, Provisioner, mapping, now

ZONES = f"{MASTERDATA}/zoneuser"
CENTERS = f"{MASTERDATA}/usercentermapping"
ZONE = {"zoneCode": "RSK", "userId": OFFICER, "langCode": "eng", "isActive": True}


@pytest.fixture
async def stock(start: Any) -> Provisioner:
    """A stock MOSIP whose provisioner has the root zone."""
    found = Provisioner(await start(onboarded=False))
    await found.be_mapped()
    return found


async def test_one_without_a_zone_of_his_own_gives_none(start: Any) -> None:
    stock = Provisioner(await start(onboarded=False))
    assert await stock.code("POST", ZONES, ZONE) == "KER-USR-014"
    user = f"service-account-{PROVISIONER}"
    body = {"zoneCode": "MOR", "userId": user, "langCode": "eng", "isActive": True}
    await stock.do("POST", ZONES, body, token=stock.globaladmin)
    assert await stock.code("POST", ZONES, ZONE) == "KER-USR-014"
    await stock.do("PATCH", f"{ZONES}?userId={user}&isActive=true", token=stock.globaladmin)
    assert await stock.code("POST", ZONES, ZONE) is None


async def test_a_user_has_one_zone(stock: Provisioner) -> None:
    made = await stock.do("POST", ZONES, ZONE | {"userId": OFFICER.upper()})
    assert (made["userId"], made["isActive"]) == (OFFICER, False)
    assert await stock.code("POST", ZONES, ZONE) == "KER-USR-018"
    assert await stock.code("POST", ZONES, ZONE | {"zoneCode": "STH"}) == "KER-USR-021"
    await stock.do("PUT", ZONES, ZONE | {"zoneCode": "STH"})
    wanted = SEARCH | {"filters": [{"columnName": "userId", "type": "equals", "value": OFFICER}]}
    [row] = (await stock.do("POST", f"{ZONES}/search", wanted))["data"]
    assert (row["zoneCode"], row["zoneName"], row["isActive"]) == ("STH", "South", False)
    name = f"{MASTERDATA}/zones/zonename?userID={OFFICER}&langCode=eng"
    assert await stock.do("GET", name) == {"zoneCode": "STH", "zoneName": "South"}
    assert await stock.code("DELETE", f"{ZONES}/{OFFICER}/RSK") == "KER-USR-017"
    await stock.do("DELETE", f"{ZONES}/{OFFICER}/STH")
    assert await stock.code("PATCH", f"{ZONES}?userId={OFFICER}&isActive=true") == "KER-USR-019"


@pytest.mark.parametrize("path", [ZONES, CENTERS])
async def test_both_searches_go_over_users_by_their_zones(stock: Provisioner, path: str) -> None:
    await stock.do("POST", ZONES, ZONE | {"langCode": None})  # the row's language does not count
    wanted = SEARCH | {"filters": [{"columnName": "userId", "type": "equals", "value": OFFICER.upper()}]}
    [row] = (await stock.do("POST", f"{path}/search", wanted))["data"]
    assert (row["userId"], row["zoneCode"], row["zoneName"]) == (OFFICER, "RSK", "North-West")
    for column in ("id", "regCenterId"):  # the table of zones has neither, and nobody checks
        wanted = SEARCH | {"filters": [{"columnName": column, "type": "equals", "value": OFFICER}]}
        assert await stock.fault("POST", f"{path}/search", wanted) == "KER-MSD-500"
    everybody = (await stock.do("POST", f"{path}/search", SEARCH))["totalRecord"]
    await stock.edit("zoneUsers", f"service-account-{PROVISIONER}", zoneCode="RSK")
    assert (await stock.do("POST", f"{path}/search", SEARCH))["totalRecord"] == 2
    await stock.edit("zoneUsers", f"service-account-{PROVISIONER}", isActive=False)
    assert (await stock.do("POST", f"{path}/search", SEARCH))["totalRecord"] == everybody


async def test_a_row_of_the_centre_search_tells_the_mappings_state_and_the_users_zone(stock: Provisioner) -> None:
    wanted = SEARCH | {"filters": [{"columnName": "userId", "type": "equals", "value": OFFICER}]}

    async def found() -> tuple[Any, ...]:
        [row] = (await stock.do("POST", f"{CENTERS}/search", wanted))["data"]
        assert not {"id", "langCode"} & row.keys()
        return row["regCenterId"], row["regCenterName"], row["isActive"], row["zoneCode"]

    center = await stock.center()
    await stock.do("POST", ZONES, ZONE)
    await stock.do("PATCH", f"{ZONES}?userId={OFFICER}&isActive=true")
    assert await found() == (None, None, False, "RSK")
    await stock.do("POST", CENTERS, mapping(center))
    assert await found() == (center, f"{center} (Civil registry)", False, "RSK")
    await stock.do("PATCH", f"{CENTERS}?id={OFFICER}&isActive=true")
    assert await found() == (center, f"{center} (Civil registry)", True, "RSK")


async def test_a_centre_wants_the_zone_first_and_the_zone_stays_while_the_centre_does(stock: Provisioner) -> None:
    center = await stock.center()
    assert await stock.code("POST", CENTERS, mapping(center)) == "KER-USR-008"
    await stock.do("POST", ZONES, ZONE)
    assert await stock.code("POST", CENTERS, mapping(center)) == "KER-USR-008"
    await stock.do("PATCH", f"{ZONES}?userId={OFFICER}&isActive=true")
    made = await stock.do("POST", CENTERS, mapping(center, OFFICER.upper()))
    assert (made["id"], made["isActive"], made["zoneCode"]) == (OFFICER, False, "RSK")
    assert await stock.code("POST", CENTERS, mapping(center)) == "KER-USR-013"
    assert await stock.code("PUT", ZONES, ZONE | {"zoneCode": "STH"}) == "KER-USR-011"
    assert await stock.code("PATCH", f"{ZONES}?userId={OFFICER}&isActive=true") is None
    await stock.do("PATCH", f"{CENTERS}?id={OFFICER}&isActive=true")
    assert await stock.code("PATCH", f"{ZONES}?userId={OFFICER}&isActive=true") == "KER-USR-011"
    assert await stock.code("DELETE", f"{ZONES}/{OFFICER}/RSK") == "KER-USR-011"
    await stock.do("DELETE", f"{CENTERS}/{OFFICER}")
    assert await stock.code("DELETE", f"{ZONES}/{OFFICER}/RSK") is None


async def test_what_masterdata_refuses_in_a_centre_mapping(stock: Provisioner) -> None:
    center, elsewhere = await stock.center(), await stock.center(zoneCode="STH")
    await stock.do("POST", ZONES, ZONE)
    await stock.do("PATCH", f"{ZONES}?userId={OFFICER}&isActive=true")
    for body, code in (
        (mapping(center, name="Somebody"), "KER-MSD-999"),
        (mapping(center, statusCode="ACT"), "KER-MSD-999"),
        (mapping("10099"), "KER-MSD-215"),
        (mapping(elsewhere), "KER-USR-015"),
    ):
        assert await stock.code("POST", CENTERS, body) == code
    assert await stock.code("PATCH", f"{CENTERS}?id={OFFICER}&isActive=true") == "KER-USR-007"
    await stock.do("PUT", CENTERS, mapping(center))
    await stock.edit("zoneUsers", OFFICER, isActive=False)
    assert await stock.code("PATCH", f"{CENTERS}?id={OFFICER}&isActive=true") == "KER-USR-025"


async def test_an_inactive_centre_takes_no_officer(stock: Provisioner) -> None:
    center = await stock.center()
    await stock.officer(center)
    await stock.edit("centers", center, isActive=False)
    assert await stock.code("PATCH", f"{CENTERS}?id={OFFICER}&isActive=true") == "KER-MSD-215"
    assert await stock.code("PUT", CENTERS, mapping(center)) == "KER-MSD-215"


async def test_officer_and_machine_meet_in_the_centre_they_share(stock: Provisioner) -> None:
    center = await stock.center()
    made = await stock.machine(center, await stock.signing_key())
    history = f"{MASTERDATA}/getregistrationmachineusermappinghistory"
    assert await stock.code("GET", f"{history}/{now()}/{center}/{made}/{OFFICER}") == "KER-MSD-038"
    await stock.officer(center)
    [entry] = (await stock.do("GET", f"{history}/{now()}/{center}/{made}/{OFFICER.upper()}"))["registrationCenters"]
    assert entry["isActive"]
    assert await stock.code("GET", f"{history}/{now()}/10000/{made}/{OFFICER}") == "KER-MSD-038"
    assert await stock.code("GET", f"{history}/2024-01-01T00:00:00.000Z/{center}/{made}/{OFFICER}") == "KER-MSD-038"
    await stock.edit("machines", made, isActive=False)
    [entry] = (await stock.do("GET", f"{history}/{now()}/{center}/{made}/{OFFICER}"))["registrationCenters"]
    assert not entry["isActive"]


async def test_a_user_is_shown_as_he_is_and_as_he_was(stock: Provisioner) -> None:
    center = await stock.center()
    await stock.officer(center)
    assert (await stock.do("GET", f"{MASTERDATA}/users/{OFFICER}"))["regCenterId"] == center
    rows = (await stock.do("GET", f"{MASTERDATA}/users/{OFFICER}/{now()}"))["userResponseDto"]
    assert [row["isActive"] for row in rows] == [True, False]
    assert await stock.code("GET", f"{MASTERDATA}/users/{OFFICER}/2024-01-01T00:00:00.000Z") == "KER-USR-003"
    assert (await stock.mosip.call("GET", f"{MASTERDATA}/users/{OFFICER}", token=stock.globaladmin))[0] == 200
    await stock.edit("users", "globaladmin", roles=["GLOBAL_ADMIN"])
    token = stock.sandbox.token(client_id="mosip-admin-client", username="globaladmin")
    assert (await stock.mosip.call("GET", f"{MASTERDATA}/users/{OFFICER}", token=token))[0] == 403
