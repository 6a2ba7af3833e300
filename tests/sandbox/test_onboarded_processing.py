"""What the processor makes of packets when a prerequisite breaks, and of a MOSIP that was onboarded by calls alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from onboarding_calls import KEYCLOAK, MASTERDATA, OFFICER, Provisioner, now
from sandbox_calls import Caller, until
from sandbox_samples import birth, changed, label_values, new_aid

BREAKS: list[tuple[str, list[tuple[str, str, dict[str, Any] | None]], str]] = [
    ("a machine is switched off", [("machines", "10077", {"isActive": False})], "RPR-CMD-FAILED-005"),
    ("a machine is gone", [("machines", "10077", None)], "RPR-CMD-FAILED-004"),
    ("a machine has moved", [("machines", "10077", {"regCenterId": "10000"})], "RPR-OVM-FAILED-001"),
    ("a centre is switched off", [("centers", "10001", {"isActive": False})], "RPR-CMD-FAILED-011"),
    ("a centre is gone", [("centers", "10001", None)], "RPR-CMD-FAILED-002"),
    ("an officer is switched off", [("userCenters", "crvs", {"isActive": False})], "RPR-OVM-FAILED-004"),
    ("an officer is gone", [("userCenters", "crvs", None)], "RPR-OVM-FAILED-001"),
    ("an officer has moved", [("userCenters", "crvs", {"regCenterId": "10000"})], "RPR-OVM-FAILED-001"),
]


@pytest.mark.parametrize(("edits", "reason"), [pytest.param(edits, why, id=name) for name, edits, why in BREAKS])
async def test_a_broken_prerequisite_fails_the_packets_after_it(
    mosip: Caller, edits: list[tuple[str, str, dict[str, Any] | None]], reason: str
) -> None:
    before = await mosip.submit(birth(new_aid()))
    await mosip.sandbox.tick()
    assert mosip.sandbox.record.applications[before].result == "PROCESSED"
    for entity, id, values in edits:
        body = {"entity": entity, "id": id, "set": values or {}, "delete": values is None}
        await Provisioner(mosip).control("edit", body)
    assert (await mosip.finish(birth(new_aid())))["reason"] == reason


async def test_a_packet_from_before_the_break_still_passes(mosip: Caller) -> None:
    aid = await mosip.submit(birth(new_aid()))
    created = now()
    await until(lambda: now() > created)
    await Provisioner(mosip).edit("machines", "10077", isActive=False)
    await mosip.sandbox.tick()
    assert mosip.sandbox.record.applications[aid].result == "PROCESSED"


async def test_a_holiday_that_is_lifted_lets_packets_pass(start: Any) -> None:
    today = datetime.now(UTC).date()
    days = [today.isoformat(), (today + timedelta(days=1)).isoformat()]
    mosip = await start(holidays=frozenset(days))
    assert (await mosip.finish(birth(new_aid())))["reason"] == "RPR-CMD-FAILED-010"
    await Provisioner(mosip).edit("centers", "10001", holidayLocationCode="NOHOL")
    assert (await mosip.finish(birth(new_aid())))["result"] == "PROCESSED"
    await Provisioner(mosip).edit("holidays", "NOHOL", days=days)
    assert (await mosip.finish(birth(new_aid())))["reason"] == "RPR-CMD-FAILED-010"


async def onboard(mosip: Caller) -> tuple[str, str]:
    """Everything a packet needs, by calls alone. :returns: centre and machine."""
    provisioner = Provisioner(mosip)
    form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin-secret"}
    url = f"{mosip.sandbox.url}/auth/realms/master/protocol/openid-connect/token"
    async with mosip.http.post(url, data=form) as answer:
        headers = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}

    async def admin(method: str, path: str, body: Any = None) -> Any:
        status, answer, _ = await mosip.call(method, KEYCLOAK + path, body, headers=headers)
        assert status < 300, answer
        return answer

    role, client = {"name": "ONLINE_REGISTRATION_CLIENT"}, {"clientId": "mosip-crvs1-client"}
    await admin("POST", "/roles", role)
    await admin("POST", "/clients", client | {"serviceAccountsEnabled": True})
    [made] = await admin("GET", "/clients?clientId=mosip-crvs1-client")
    user = await admin("GET", f"/clients/{made['id']}/service-account-user")
    role = await admin("GET", f"/roles/{role['name']}")
    await admin("POST", f"/users/{user['id']}/role-mappings/realm", [role])
    await provisioner.be_mapped()
    center = await provisioner.center()
    machine = await provisioner.machine(center, await provisioner.signing_key())
    await provisioner.officer(center)
    return center, machine


async def test_a_stock_mosip_that_was_onboarded_by_calls_alone_makes_an_identity(start: Any) -> None:
    mosip = await start(onboarded=False)
    center, machine = await onboard(mosip)
    mosip.token = mosip.sandbox.token(client_id="mosip-crvs1-client")
    body = birth(new_aid())
    places = label_values({"centerId": center, "machineId": machine})
    body = changed(body, "request", "metaInfo", "metaData", places)
    officer = label_values({"officerId": OFFICER, "officerPassword": "true"})
    body = changed(body, "request", "metaInfo", "operationsData", officer)
    seen = await mosip.finish(body)
    assert (seen["result"], seen["reason"]) == ("PROCESSED", None)


async def test_what_was_onboarded_reads_like_what_is_seeded_as_onboarded(start: Any) -> None:
    mosip = await start(onboarded=False)
    await onboard(mosip)
    state = await Provisioner(mosip).control("state")
    seeded = await Provisioner(await start()).control("state")
    for entity, id in (("centers", "10001"), ("machines", "10077")):
        made, planted = (one["masterdata"][entity][id] for one in (state, seeded))
        made, planted = (one["eng"] if entity == "centers" else one for one in (made, planted))
        assert made.keys() == planted.keys()
        assert made["isActive"] is planted["isActive"] is True


async def test_the_state_is_the_same_for_the_same_content_and_tells_of_any_change(start: Any) -> None:
    one, two = Provisioner(await start()), Provisioner(await start())
    state = await one.control("state")
    # The two sandboxes share a process, hence the key manager's key.
    assert await two.control("state") == state
    await one.do("POST", f"{MASTERDATA}/machines/search", {"filters": []})
    assert (await one.control("state"), await one.count()) == (state, 0)
    await one.do("PATCH", f"{MASTERDATA}/machines?id=10077&isActive=true")
    assert await one.control("writes") == {
        "count": 1,
        "calls": [{"method": "PATCH", "path": f"{MASTERDATA}/machines"}],
    }
    assert await one.control("state") != state


async def test_an_edit_of_what_does_not_exist_is_refused(mosip: Caller) -> None:
    for body, status in (
        ({"entity": "weather", "id": "x"}, 404),
        ({"entity": "centers", "id": "1"}, 404),
        ({"entity": "roles", "id": "NONE", "delete": True}, 404),
        ({"id": "1"}, 400),
        ({"entity": "machines", "id": "10077", "set": {"publicKey": "bm8ga2V5"}}, 400),
        ({"entity": "centers", "id": "10001", "set": []}, 200),
        ({"entity": "centers", "id": "10001", "set": "off"}, 400),
    ):
        assert (await mosip.call("POST", "/sandbox/edit", body))[0] == status, body
