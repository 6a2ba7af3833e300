"""Machines and their keys (mosip-onboarding.md §3)."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from onboarding_calls import MASTERDATA, SEARCH, Provisioner, machine, new_key, now

MACHINES = f"{MASTERDATA}/machines"


@pytest.fixture
async def stock(start: Any) -> Provisioner:
    """A stock MOSIP whose provisioner has the root zone."""
    found = Provisioner(await start(onboarded=False))
    await found.be_mapped()
    return found


async def test_a_machine_is_born_inactive_and_its_answer_has_no_keys(stock: Provisioner) -> None:
    center, key = await stock.center(), await stock.signing_key()
    made = await stock.do("POST", MACHINES, machine(center, key))
    assert (made["id"], made["isActive"], made["regCenterId"]) == ("10077", False, center)
    [read] = (await stock.do("GET", f"{MACHINES}/10077"))["machines"]
    assert not {"publicKey", "signPublicKey"} & (made.keys() | read.keys())
    await stock.do("PATCH", f"{MACHINES}?id=10077&isActive=true")
    assert (await stock.do("GET", f"{MACHINES}/10077"))["machines"][0]["isActive"]
    assert (await stock.do("GET", f"{MACHINES}/mappedmachines/{center}"))["totalItems"] == 1


async def test_a_search_shows_the_keys_and_finds_by_them(stock: Provisioner) -> None:
    key = await stock.signing_key()
    center = await stock.center()
    made = await stock.machine(center, key)
    for column, value in (("signPublicKey", key), ("name", "crvs_machine"), ("id", made)):
        wanted = SEARCH | {"filters": [{"columnName": column, "type": "equals", "value": value}]}
        [row] = (await stock.do("POST", f"{MACHINES}/search", wanted))["data"]
        assert (row["id"], row["signPublicKey"]) == (made, key)
        assert row["mapStatus"] == f"{center} (Civil registry)"
        assert "keyIndex" not in row
    wanted = SEARCH | {"filters": [{"columnName": "keyIndex", "type": "equals", "value": "0"}]}
    assert await stock.code("POST", f"{MACHINES}/search", wanted) == "KER-MSD-317"
    wanted["filters"][0]["columnName"] = "mapStatus"  # shown, and no column
    assert await stock.fault("POST", f"{MACHINES}/search", wanted) == "KER-MSD-500"


async def test_one_key_makes_one_machine_whichever_place_it_is_in(stock: Provisioner) -> None:
    center, key = await stock.center(), await stock.signing_key()
    await stock.machine(center, key)
    plain = base64.b64encode(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))).decode()
    other = machine(center, plain, name="another", signPublicKey=new_key())
    assert await stock.code("POST", MACHINES, other) == "KER-MSD-414"
    swapped = machine(center, other["signPublicKey"], name="another", signPublicKey=plain)
    assert await stock.code("POST", MACHINES, swapped) == "KER-MSD-414"
    assert await stock.code("POST", MACHINES, machine(center, other["signPublicKey"], name="another")) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": ""}, "KER-MSD-999"),
        ({"ipAddress": None}, "KER-MSD-999"),
        ({"name": "CRVS_machine"}, "KER-MSD-413"),
        ({"machineSpecId": "NONE"}, "KER-MSD-063"),
        ({"publicKey": "not base64!"}, "KER-MSD-257"),
        ({"signPublicKey": "bm8ga2V5"}, "KER-MSD-410"),
        ({"zoneCode": "NOWHERE"}, "KER-MSD-255"),
        ({"regCenterId": "10009"}, "KER-MSD-222"),
        ({"zoneCode": "STH"}, "KER-MSD-219"),
    ],
)
async def test_what_masterdata_refuses_in_a_machine(stock: Provisioner, changes: dict[str, Any], code: str) -> None:
    center = await stock.center()
    await stock.machine(center, await stock.signing_key())
    before = await stock.control("state")
    body = machine(center, new_key(), name="another") | changes
    assert await stock.code("POST", MACHINES, body) == code
    assert await stock.control("state") == before


async def test_the_centre_must_be_active_when_the_machine_is_mapped_to_it(stock: Provisioner) -> None:
    center, key = await stock.center(), await stock.signing_key()
    await stock.edit("centers", center, isActive=False)
    assert await stock.code("POST", MACHINES, machine(center, key)) == "KER-MSD-222"


async def test_one_without_a_zone_can_neither_make_nor_look_for_machines(start: Any) -> None:
    stock = Provisioner(await start(onboarded=False))
    body = machine(None, await stock.signing_key())
    assert await stock.code("POST", MACHINES, body) == "KER-MSD-255"
    assert await stock.code("POST", f"{MACHINES}/search", SEARCH) == "KER-MSD-342"


async def test_a_machine_of_another_zone_is_invisible_but_its_key_still_clashes(stock: Provisioner) -> None:
    key = await stock.signing_key()
    await stock.do("POST", MACHINES, machine(None, key, name="resident_machine", zoneCode="STH"))
    await stock.edit("zoneUsers", "service-account-mosip-deployment-client", zoneCode="NTH")
    assert (await stock.do("POST", f"{MACHINES}/search", SEARCH))["totalRecord"] == 0
    assert await stock.code("POST", MACHINES, machine(None, key)) == "KER-MSD-414"


async def test_an_update_takes_new_keys_and_keeps_the_status(stock: Provisioner) -> None:
    center, key = await stock.center(), new_key()
    made = await stock.machine(center, key)
    fresh = await stock.signing_key()
    assert (await stock.do("PUT", MACHINES, machine(center, fresh, id=made)))["isActive"]
    [row] = (await stock.do("POST", f"{MACHINES}/search", SEARCH))["data"]
    assert row["signPublicKey"] == fresh
    assert await stock.code("PUT", MACHINES, machine(center, fresh, id="10099")) == "KER-MSD-030"
    assert await stock.code("PUT", f"{MACHINES}/decommission/{made}") == "KER-MSD-256"


async def test_the_newest_history_row_says_whether_it_is_active(stock: Provisioner) -> None:
    made = await stock.machine(await stock.center(), await stock.signing_key())
    await stock.do("PATCH", f"{MACHINES}?id={made}&isActive=false")
    for path in (f"{MASTERDATA}/machineshistories/{made}", f"{MASTERDATA}/machineshistories/{made}/eng"):
        rows = (await stock.do("GET", f"{path}/{now()}"))["machineHistoryDetails"]
        assert [row["isActive"] for row in rows] == [False, True, False]
        assert await stock.code("GET", f"{path}/2024-01-01T00:00:00.000Z") == "KER-MSD-032"


async def test_the_stock_specification_is_listed(stock: Provisioner) -> None:
    [row] = (await stock.do("GET", f"{MASTERDATA}/machinespecifications/all"))["data"]
    assert (row["id"], row["machineTypeCode"], row["isActive"]) == ("RESIDENT-1", "RESIDENT-REG", True)
    assert (await stock.do("GET", f"{MASTERDATA}/machinetypes/all"))["data"][0]["code"] == "RESIDENT-REG"
