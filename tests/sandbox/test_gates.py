"""Audience and role: the two gates of every service (mosip-onboarding.md §0.1, §0.2)."""

from __future__ import annotations

from typing import Any

from onboarding_calls import MASTERDATA, PROVISIONER, Provisioner
from sandbox_calls import TRIGGER, Caller
from sandbox_samples import birth, new_aid, trigger

SCHEMA = f"{MASTERDATA}/idschema/latest"
ROLE = "mosip.role.commons-packet.putcreatepacket"
LABEL = "CRVS_BIRTH_REGISTRATION_ROLE"


async def test_the_runtime_client_is_not_in_the_kernel_audience_until_someone_configures_it(start: Any) -> None:
    mosip = await start(client_roles=frozenset({"GLOBAL_ADMIN"}))
    assert (await mosip.call("GET", SCHEMA))[0] == 403
    provisioner = Provisioner(mosip)
    allowed = (await provisioner.control("configuration"))["audiences"]["kernel"]
    await provisioner.control("configuration", {"audiences": {"kernel": [*allowed, "MOSIP-crvs1-client"]}})
    assert (await mosip.call("GET", SCHEMA))[0] == 200


async def test_masterdata_looks_at_the_cookie_and_never_at_a_bearer_header(mosip: Caller) -> None:
    token = mosip.sandbox.token(client_id=PROVISIONER)
    assert (await mosip.call("GET", SCHEMA, token=token))[0] == 200
    headers = {"Cookie": "", "Authorization": f"Bearer {token}"}
    status, answer, _ = await mosip.call("GET", SCHEMA, headers=headers)
    assert (status, answer["errors"][0]["errorCode"]) == (401, "KER-ATH-401")


async def test_a_role_that_the_endpoint_does_not_name_is_a_403(mosip: Caller) -> None:
    token = mosip.sandbox.token(client_id="mosip-pms-client")
    assert (await mosip.call("GET", f"{MASTERDATA}/zones/subzone/eng", token=token))[0] == 200
    status, answer, _ = await mosip.call("POST", f"{MASTERDATA}/machines", {"request": {}}, token=mosip.regproc)
    assert (status, answer["errors"][0]["errorCode"]) == (403, "KER-ATH-403")


async def test_a_countrys_own_role_passes_create_packet_once_configured_and_never_the_workflow(start: Any) -> None:
    mosip = await start(client_roles=frozenset({LABEL}))
    assert (await mosip.create(birth(new_aid())))[0] == 403
    await Provisioner(mosip).control("configuration", {"roles": {ROLE: ["REGISTRATION_PROCESSOR", LABEL]}})
    aid = new_aid()
    assert (await mosip.create(birth(aid)))[0] == 200
    assert (await mosip.call("POST", TRIGGER, trigger(aid)))[0] == 403


async def test_create_packet_can_be_closed_to_the_shipped_role(mosip: Caller) -> None:
    await Provisioner(mosip).control("configuration", {"roles": {ROLE: ["REGISTRATION_PROCESSOR"]}})
    assert (await mosip.create(birth(new_aid())))[0] == 403


async def test_a_configuration_that_makes_no_sense_is_refused_and_changes_nothing(mosip: Caller) -> None:
    provisioner = Provisioner(mosip)
    before = await provisioner.control("configuration")
    for change in (
        {"roles": {ROLE: []}, "languages": []},
        {"audiences": {"kernel": "all"}},
        {"weather": ["fine"]},
        ["audiences"],
    ):
        assert (await mosip.call("POST", "/sandbox/configuration", change))[0] == 400
    assert await provisioner.control("configuration") == before
