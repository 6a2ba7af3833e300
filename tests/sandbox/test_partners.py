"""Partners, mappings, credential types, API keys, licences (mosip-onboarding.md §7)."""

from __future__ import annotations

from typing import Any

import pytest
from pms_calls import GROUP, PAGE, PARTNER, PARTNERS, POLICIES, Desk, partner_request

REQUESTS = "/v1/partnermanager/partner-policy-requests"
MISPS = "/v1/partnermanager/misps"
KEY_ROLE = "CREDENTIAL_PARTNER"


def asking(policy: str = "births") -> dict[str, str]:
    """A request to map a policy."""
    return {"policyName": policy, "useCaseDescription": "births"}


@pytest.fixture
async def group(desk: Desk) -> str:
    """The group of the policies."""
    return await desk.group()


async def test_a_new_partner_is_in_progress_and_not_active(desk: Desk, group: str) -> None:
    assert await desk.do("POST", PARTNERS, partner_request()) == {"partnerId": PARTNER, "status": "InProgress"}
    found = await desk.do("GET", f"{PARTNERS}/{PARTNER}")
    assert (found["partnerID"], found["status"], found["isActive"]) == (PARTNER, "InProgress", False)
    assert (found["policyGroup"], found["partnerType"]) == (GROUP, "Credential_Partner")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "PMS_PRT_051"),
        ({"partnerId": "another"}, "PMS_PRT_011"),
        ({"partnerId": "two words"}, "PMS_PRT_066"),
        ({"partnerId": "p" * 37}, "PMS_PRT_052"),
        ({"partnerId": "another", "partnerType": "Colour"}, "PMS_PRT_010"),
        ({"partnerId": "another", "policyGroup": None}, "PMS_PRT_108"),
        ({"partnerId": "another", "policyGroup": "nowhere"}, "PMS_PRT_002"),
        ({"partnerId": "another", "emailId": "nobody"}, "PMS_PRT_012"),
        ({"partnerId": "another", "contactNumber": "5" * 17}, "PMS_PRT_013"),
        ({"partnerId": "another", "emailId": "new@example.org", "langCode": "zzz"}, "PMS_PRT_056"),
        ({"partnerId": "another", "address": None}, "PMS_COR_001"),
    ],
)
async def test_a_registration_that_does_not_fit_is_refused(
    desk: Desk, group: str, changes: dict[str, Any], code: str
) -> None:
    await desk.do("POST", PARTNERS, partner_request())
    assert await desk.refused("POST", PARTNERS, partner_request() | changes) == code


async def test_whoever_shares_a_partners_e_mail_cannot_register_another(desk: Desk, group: str) -> None:
    await desk.do("POST", PARTNERS, partner_request())
    same = desk.token(user="clerk", azp="mosip-admin-client", email=f"{PARTNER}@example.org")
    assert await desk.refused("POST", PARTNERS, partner_request("another"), token=same) == "PMS_PRT_055"
    other = desk.token(user="clerk", azp="mosip-admin-client", email="clerk@example.org")
    await desk.do("POST", f"{PARTNERS}/v2", partner_request("another"), token=other)


async def test_a_partner_without_a_certificate_cannot_be_activated(desk: Desk, group: str) -> None:
    await desk.do("POST", PARTNERS, partner_request())
    assert await desk.refused("PATCH", f"{PARTNERS}/{PARTNER}", {"status": "Active"}) == "PMS_PRT_108"


async def test_a_deactivated_partner_never_comes_back(desk: Desk, group: str) -> None:
    await desk.active_partner()
    path = f"{PARTNERS}/{PARTNER}"
    assert await desk.refused("PATCH", path, {"status": "Asleep"}) == "PMS_PM_058"
    await desk.do("PATCH", path, {"status": "De-active"})
    assert not (await desk.do("GET", path))["isActive"]
    assert await desk.refused("PATCH", path, {"status": "Active"}) == "PMS_PM_063"
    assert await desk.refused("PATCH", f"{PARTNERS}/nobody", {"status": "Active"}) == "PMS_PMP_005"


async def test_an_active_partner_may_change_address_and_phone(desk: Desk, group: str) -> None:
    await desk.do("POST", PARTNERS, partner_request())
    change = {"address": "Side street 2", "contactNumber": "5550101"}
    assert await desk.refused("PUT", f"{PARTNERS}/{PARTNER}", change) == "PMS_PMP_016"
    await desk.edit("partners", PARTNER, {"isActive": True})
    await desk.do("PUT", f"{PARTNERS}/{PARTNER}", change)
    listed = await desk.do("GET", f"{PARTNERS}?partnerType=Credential_Partner")
    assert [(row["address"], row["status"]) for row in listed["partners"]] == [("Side street 2", "Active")]


async def test_partners_that_are_not_there(desk: Desk) -> None:
    assert await desk.refused("GET", f"{PARTNERS}/nobody") == "PMS_PRT_005"
    assert await desk.refused("GET", PARTNERS) == "PMS_PMP_013"


async def test_a_mapping_waits_until_someone_approves_it(desk: Desk, group: str) -> None:
    await desk.published(group)
    await desk.active_partner()
    path = f"{PARTNERS}/{PARTNER}/policy/map"
    key = (await desk.do("POST", path, asking()))["mappingkey"]
    assert (await desk.do("GET", REQUESTS))["data"][0]["status"] == "InProgress"
    assert await desk.refused("POST", path, asking()) == "PMS_PRT_053"
    await desk.do("PUT", f"{PARTNERS}/policy/{key}", {"status": "Approved"})
    found = await desk.do("POST", f"{PARTNERS}/apikey/request/search", PAGE)
    assert [(row["apikeyRequestId"], row["statusCode"]) for row in found["data"]] == [(key, "approved")]
    assert await desk.refused("POST", path, asking()) == "PMS_PRT_060"
    assert await desk.refused("PUT", f"{PARTNERS}/policy/{key}", {"status": "Approved"}) == "PMS_PM_034"


async def test_a_rejected_mapping_may_be_asked_for_again(desk: Desk, group: str) -> None:
    await desk.published(group)
    await desk.active_partner()
    key = (await desk.do("POST", f"{PARTNERS}/{PARTNER}/policy/map", asking()))["mappingkey"]
    assert await desk.refused("PUT", f"{PARTNERS}/policy/{key}", {"status": "Maybe"}) == "PMS_PM_045"
    await desk.do("PUT", f"{PARTNERS}/policy/{key}", {"status": "Rejected"})
    assert await desk.refused("PUT", f"{PARTNERS}/policy/{key}", {"status": "Approved"}) == "PMS_PM_035"
    await desk.do("POST", f"{PARTNERS}/{PARTNER}/policy/map", asking())
    rejected = await desk.do("GET", f"{REQUESTS}?status=rejected&pageNo=0&pageSize=5")
    assert (rejected["totalResults"], rejected["data"][0]["id"]) == (1, key)
    assert await desk.refused("PUT", f"{PARTNERS}/policy/7", {"status": "Approved"}) == "PMS_PMP_007"


async def test_a_partner_that_is_not_active_cannot_ask_for_a_policy(desk: Desk, group: str) -> None:
    await desk.published(group)
    await desk.do("POST", PARTNERS, partner_request())
    assert await desk.refused("POST", f"{PARTNERS}/{PARTNER}/policy/map", asking()) == "PMS_PMP_016"


@pytest.mark.parametrize(
    ("entity", "values", "code"),
    [
        ("policies", {"name": "other"}, "PMS_PRT_098"),
        ("policies", {"isActive": False}, "PMS_PMP_019"),
        ("policies", {"validToDate": "2020-01-01T00:00:00.000Z"}, "PMS_PMP_018"),
        ("policy_groups", {"isActive": False}, "PMS_PMP_023"),
        ("partners", {"policyGroupId": None}, "PMS_PRT_047"),
    ],
)
async def test_a_policy_must_be_usable_to_be_mapped(
    desk: Desk, group: str, entity: str, values: dict[str, Any], code: str
) -> None:
    policy = await desk.published(group)
    await desk.active_partner()
    id = {"policies": policy, "policy_groups": group, "partners": PARTNER}[entity]
    await desk.edit(entity, id, values)
    assert await desk.refused("POST", f"{PARTNERS}/{PARTNER}/policy/map", asking()) == code


async def test_a_credential_type_leads_to_one_policy(desk: Desk, group: str) -> None:
    policy = await desk.published(group)
    await desk.active_partner()
    path = f"{PARTNERS}/{PARTNER}/credentialtype/opencrvs/policies"
    assert await desk.refused("GET", path) == "PMS_PRT_064"
    await desk.do("POST", f"{path}/births")
    found = await desk.do("GET", path)
    assert (found["policyId"], found["policyName"], found["credentialType"]) == (policy, "births", "opencrvs")
    await desk.do("POST", f"{path}/births")
    await desk.published(group, "deaths")
    await desk.do("POST", f"{path}/deaths")
    assert await desk.refused("GET", path) == "PMS_PRT_500"


async def test_credential_types_and_partner_types_are_limited(desk: Desk, group: str) -> None:
    await desk.published(group)
    await desk.active_partner()
    path = f"{PARTNERS}/{PARTNER}/credentialtype/birth/policies/births"
    assert await desk.refused("POST", path) == "PMS_PRT_072"
    desk.configuration.edit({"credential_types": ["birth"]})
    await desk.do("POST", path)
    await desk.edit("partners", PARTNER, {"partnerType": "ABIS_Partner"})
    assert await desk.refused("POST", path) == "PMS_PRT_070"


async def test_an_api_key_is_for_a_user_named_as_the_partner(desk: Desk, group: str) -> None:
    await desk.published(group)
    await desk.active_partner()
    path, wanted = f"{PARTNERS}/{PARTNER}/generate/apikey", {"policyName": "births", "label": "first"}
    account = desk.token(KEY_ROLE, azp="mosip-admin-client")
    assert await desk.refused("PATCH", path, wanted, token=account) == "PMS_PRT_055"
    assert await desk.status("PATCH", path, desk.admin) == 403
    own = desk.token(KEY_ROLE, azp="mosip-admin-client", user=PARTNER)
    assert await desk.refused("PATCH", path, wanted, token=own) == "PMS_PRT_109"
    await desk.mapped()
    made = await desk.do("PATCH", path, wanted, token=own)
    assert (made["label"], made["partnerId"]) == ("first", PARTNER)
    assert await desk.refused("PATCH", path, wanted, token=own) == "PMS_PRT_110"
    listed = await desk.do("POST", f"{PARTNERS}/apikey/search", PAGE)
    assert listed["totalRecord"] == 1
    assert made["apiKey"] not in str(listed)
    assert made["apiKey"] not in str(await desk.state())


async def test_looking_at_a_licence_key_makes_a_new_one(desk: Desk, group: str) -> None:
    await desk.active_partner("misp", "MISP_Partner")
    first = await desk.do("POST", MISPS, {"providerId": "misp"})
    assert await desk.refused("POST", MISPS, {"providerId": "misp"}) == "PMS_MSP_416"
    before = await desk.writes()
    second = await desk.do("GET", f"{MISPS}/misp/licenseKey")
    assert first["licenseKey"] != second["licenseKey"]
    assert await desk.writes() == before + 1
    states = {row["licenseKey"]: row["licenseKeyStatus"] for row in await desk.do("GET", MISPS)}
    assert states == {first["licenseKey"]: "INACTIVE", second["licenseKey"]: "ACTIVE"}


async def test_only_what_changes_something_counts_as_a_write(desk: Desk) -> None:
    await desk.group()
    before = await desk.writes()
    await desk.refused("POST", f"{POLICIES}/group/new", {"name": GROUP, "desc": "again"})
    await desk.do("GET", f"{POLICIES}/group/all")
    await desk.do("POST", f"{POLICIES}/group/search", PAGE)
    assert await desk.writes() == before
    await desk.do("POST", PARTNERS, partner_request())
    assert await desk.writes() == before + 1


async def test_the_state_tells_of_changes_and_of_nothing_else(desk: Desk, group: str) -> None:
    await desk.active_partner()
    before = await desk.state()
    await desk.do("GET", f"{PARTNERS}/{PARTNER}")
    await desk.do("GET", f"{PARTNERS}/{PARTNER}/certificate")
    assert await desk.state() == before
    await desk.edit("partners", PARTNER, {"isActive": False})
    assert await desk.state() != before
    await desk.edit("partners", PARTNER, {"isActive": True})
    assert await desk.state() == before
    await desk.edit("partners", PARTNER, delete=True)
    assert await desk.refused("GET", f"{PARTNERS}/{PARTNER}") == "PMS_PRT_005"
