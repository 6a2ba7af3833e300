"""Registration centres (mosip-onboarding.md §2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from onboarding_calls import CENTER, MASTERDATA, PROVISIONER, SEARCH, Provisioner, machine, now

CENTERS = f"{MASTERDATA}/registrationcenters"
EXCEPTIONS = "exceptionalHolidayPutPostDto"


@pytest.fixture
async def stock(start: Any) -> Provisioner:
    """A stock MOSIP whose provisioner has no zone yet; the day is a holiday."""
    today = datetime.now(UTC).date()
    days = frozenset({today.isoformat(), (today + timedelta(days=1)).isoformat()})
    return Provisioner(await start(onboarded=False, holidays=days))


@pytest.fixture
async def mapped(stock: Provisioner) -> Provisioner:
    """The provisioner with the root zone."""
    await stock.be_mapped()
    return stock


async def test_a_centre_is_born_inactive_with_an_id_of_the_servers(mapped: Provisioner) -> None:
    made = await mapped.do("POST", CENTERS, CENTER | {"id": "20002"})
    assert (made["id"], made["isActive"], made["langCode"]) == ("10001", False, "eng")
    assert made["workingNonWorkingDays"] == {str(day): day in (101, 102) for day in range(101, 108)}
    [read] = (await mapped.do("GET", f"{CENTERS}/10001/eng"))["registrationCenters"]
    assert (read["name"], read["isActive"]) == (CENTER["name"], False)
    assert await mapped.code("GET", f"{CENTERS}/10001/all") == "KER-MSD-215"
    await mapped.do("PATCH", f"{CENTERS}?id=10001&isActive=true")
    assert (await mapped.do("GET", f"{CENTERS}/10001/all"))["registrationCenters"][0]["isActive"]


async def test_the_same_name_makes_another_centre(mapped: Provisioner) -> None:
    made = [await mapped.do("POST", CENTERS, CENTER) for _ in range(2)]
    assert [row["id"] for row in made] == ["10001", "10002"]
    wanted = SEARCH | {"filters": [{"columnName": "name", "type": "equals", "value": CENTER["name"].upper()}]}
    found = await mapped.do("POST", f"{CENTERS}/search", wanted)
    assert (found["totalRecord"], [row["id"] for row in found["data"]]) == (2, ["10001", "10002"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "KER-MSD-999"),
        ({"addressLine1": "x" * 257}, "KER-MSD-999"),
        ({"centerStartTime": "9:00"}, "KER-MSD-999"),
        ({"langCode": "fra"}, "KER-MSD-382"),
        ({"centerTypeCode": "NONE"}, "KER-MSD-060"),
        ({"locationCode": "NOWHERE"}, "ADM-MSD-446"),
        ({"locationCode": "KTA"}, "ADM-MSD-445"),
        ({"zoneCode": "NTH"}, "KER-MSD-346"),
        ({"longitude": "105.8342"}, "KER-MSD-307"),
        ({"latitude": "34.52"}, "KER-MSD-307"),
        ({"numberOfKiosks": 0}, "KER-MSD-281"),
        ({"centerStartTime": "18:00:00", "centerEndTime": "09:00:00"}, "KER-MSD-309"),
        ({"lunchStartTime": "14:00:00", "lunchEndTime": "13:00:00"}, "KER-MSD-308"),
        ({"centerStartTime": "09:00:00", "lunchStartTime": "08:00:00", "lunchEndTime": "13:00:00"}, "KER-MSD-259"),
        ({"centerEndTime": "12:30:00", "lunchStartTime": "12:00:00", "lunchEndTime": "13:00:00"}, "KER-MSD-260"),
    ],
)
async def test_what_masterdata_refuses_in_a_centre(mapped: Provisioner, changes: dict[str, Any], code: str) -> None:
    before, writes = await mapped.control("state"), await mapped.count()
    assert await mapped.code("POST", CENTERS, CENTER | changes) == code
    assert (await mapped.control("state"), await mapped.count()) == (before, writes)


async def test_one_without_a_zone_can_create_a_centre_and_do_nothing_with_it(stock: Provisioner) -> None:
    assert await stock.do("GET", f"{MASTERDATA}/zones/subzone/eng") == []
    made = await stock.do("POST", CENTERS, CENTER | {"zoneCode": "ORL"})
    assert await stock.code("PATCH", f"{CENTERS}?id={made['id']}&isActive=true") == "KER-MSD-441"
    assert await stock.code("POST", f"{CENTERS}/search", SEARCH) == "KER-MSD-341"
    await stock.be_mapped()
    zones = {row["code"] for row in await stock.do("GET", f"{MASTERDATA}/zones/subzone/eng")}
    assert zones == {"MOR", "NTH", "RSK", "ORL", "STH"}
    assert await stock.code("PATCH", f"{CENTERS}?id={made['id']}&isActive=true") is None


async def test_a_zone_of_somebody_else_is_refused(mapped: Provisioner) -> None:
    await mapped.edit("zoneUsers", f"service-account-{PROVISIONER}", zoneCode="STH")
    assert await mapped.code("POST", CENTERS, CENTER) == "KER-MSD-346"


async def test_a_language_is_a_row_cloned_from_the_first(mapped: Provisioner) -> None:
    center = await mapped.center()
    assert [row["id"] for row in await mapped.do("GET", f"{CENTERS}/missingids/fra")] == ["10000", center]
    row = {"id": center, "name": "État civil", "addressLine1": "1 rue", "langCode": "fra"}
    assert await mapped.code("PUT", f"{CENTERS}/language", row) == "KER-MSD-382"
    await mapped.control("configuration", {"languages": ["eng", "fra"]})
    assert await mapped.code("PUT", f"{CENTERS}/language", row) is None
    [read] = (await mapped.do("GET", f"{CENTERS}/{center}/fra"))["registrationCenters"]
    assert (read["name"], read["zoneCode"], read["isActive"]) == ("État civil", "RSK", True)
    assert [row["id"] for row in await mapped.do("GET", f"{CENTERS}/missingids/fra")] == ["10000"]
    await mapped.control("configuration", {"languages": ["eng", "xyz"]})
    assert await mapped.code("PUT", f"{CENTERS}/language", row | {"langCode": "xyz"}) == "KER-MSD-321"


async def test_common_fields_change_in_every_language_and_the_zone_only_while_nobody_is_mapped(
    mapped: Provisioner,
) -> None:
    center = await mapped.center()
    changed = CENTER | {"id": center, "numberOfKiosks": 3}
    assert (await mapped.do("PUT", f"{CENTERS}/nonlanguage", changed))["numberOfKiosks"] == 3
    await mapped.machine(center, await mapped.signing_key())
    assert await mapped.code("PUT", f"{CENTERS}/nonlanguage", changed | {"zoneCode": "ORL"}) == "KER-MSD-397"
    assert await mapped.code("PUT", f"{CENTERS}/decommission/{center}") == "KER-MSD-351"
    assert await mapped.code("PUT", f"{CENTERS}/nonlanguage", changed | {"id": "10009"}) == "KER-MSD-215"


async def test_exceptional_holidays_are_shown_by_a_search_alone_and_deleted_by_a_list_without_them(
    mapped: Provisioner,
) -> None:
    days = [{"exceptionHolidayDate": f"2030-01-0{day}", "exceptionHolidayName": "Flood"} for day in (1, 2, 3)]
    center = await mapped.center(exceptionalHolidayPutPostDto=days[:2])
    wanted = SEARCH | {"filters": [{"columnName": "id", "type": "equals", "value": center}]}

    async def shown() -> tuple[list[str], dict[str, bool]]:
        [row] = (await mapped.do("POST", f"{CENTERS}/search", wanted))["data"]
        return [each["exceptionHolidayDate"][-1] for each in row[EXCEPTIONS]], row["workingNonWorkingDays"]

    [read] = (await mapped.do("GET", f"{CENTERS}/{center}/eng"))["registrationCenters"]
    assert not {EXCEPTIONS, "workingNonWorkingDays", "createdBy"} & read.keys()
    working = (await shown())[1]
    assert working["101"]
    body = CENTER | {"id": center, "workingNonWorkingDays": None, "numberOfKiosks": 2}
    assert await mapped.fault("PUT", f"{CENTERS}/nonlanguage", body | {EXCEPTIONS: None}) == "KER-MSD-500"
    assert (await mapped.do("GET", f"{CENTERS}/{center}/eng"))["registrationCenters"][0]["numberOfKiosks"] == 1
    for sent, left in (
        (days[:2], ["1", "2"]),
        (days[2:], ["1", "2", "3"]),  # what is new is added, and nothing is deleted by the way
        (days[1:], ["2", "3"]),
        ([], []),
    ):
        await mapped.do("PUT", f"{CENTERS}/nonlanguage", body | {EXCEPTIONS: sent})
        assert await shown() == (left, working)
    assert await mapped.code("PUT", f"{CENTERS}/nonlanguage", body | {EXCEPTIONS: None}) is None


async def test_history_begins_when_the_change_was_made(mapped: Provisioner) -> None:
    before = now()
    center = await mapped.center()
    path = f"{MASTERDATA}/registrationcentershistory/{center}/eng"
    assert await mapped.code("GET", f"{path}/2024-01-01T00:00:00.000Z") == "KER-MSD-215"
    rows = (await mapped.do("GET", f"{path}/{now()}"))["registrationCentersHistory"]
    assert [row["isActive"] for row in rows] == [True, False]
    assert all(row["effectDateTime"] >= before for row in rows)
    await mapped.do("PATCH", f"{CENTERS}?id={center}&isActive=false")
    rows = (await mapped.do("GET", f"{path}/{now()}"))["registrationCentersHistory"]
    assert [row["isActive"] for row in rows] == [False, True, False]


async def test_holidays_are_the_utc_dates_of_the_holiday_location_and_nothing_else(mapped: Provisioner) -> None:
    rests = await mapped.center(holidayLocationCode="KTA")
    works = await mapped.center(workingNonWorkingDays={})
    today = datetime.now(UTC).date()
    for center, day, status in (
        (rests, today, "Invalid"),
        (rests, today + timedelta(days=2), "Valid"),
        (works, today, "Valid"),
    ):
        for hour in ("00:00:00.000", "23:59:59.999"):
            path = f"{CENTERS}/validate/{center}/eng/{day}T{hour}Z"
            assert await mapped.do("GET", path) == {"status": status}
    assert await mapped.code("GET", f"{CENTERS}/validate/{rests}/eng/today") == "KER-MSD-999"


async def test_the_stock_centre_is_there(stock: Provisioner) -> None:
    [row] = (await stock.do("GET", f"{CENTERS}/10000/eng"))["registrationCenters"]
    assert row["isActive"]


async def test_a_search_for_a_column_that_does_not_exist_is_refused(mapped: Provisioner) -> None:
    wanted = SEARCH | {"filters": [{"columnName": "colour", "type": "equals", "value": "red"}]}
    assert await mapped.code("POST", f"{CENTERS}/search", wanted) == "KER-MSD-317"
    wanted["filters"][0]["columnName"] = EXCEPTIONS  # shown, and no column
    assert await mapped.fault("POST", f"{CENTERS}/search", wanted) == "KER-MSD-500"


async def test_a_search_shows_centres_of_the_lowest_zones_alone(mapped: Provisioner) -> None:
    center = await mapped.center()
    found = await mapped.do("POST", f"{CENTERS}/search", SEARCH)
    assert [row["id"] for row in found["data"]] == [center]  # the stock centre lies at the root


async def test_a_deleted_centre_is_gone_for_machines_too(mapped: Provisioner) -> None:
    center = await mapped.center()
    await mapped.control("edit", {"entity": "centers", "id": center, "delete": True})
    assert await mapped.code("GET", f"{CENTERS}/{center}/eng") == "KER-MSD-215"
    body = machine(center, await mapped.signing_key())
    assert await mapped.code("POST", f"{MASTERDATA}/machines", body) == "KER-MSD-222"
