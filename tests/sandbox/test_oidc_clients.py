"""eSignet clients made through PMS (mosip-onboarding.md §8)."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pms_calls import AUTH, ESIGNET, GROUP, OIDC, PARTNERS, Desk, client_request, new_jwk, rsa_jwk

CLIENT_MGMT = f"{ESIGNET}/client-mgmt/oidc-client"


def with_types(*kinds: dict[str, Any]) -> dict[str, Any]:
    """An Auth policy with these authentication types."""
    return copy.deepcopy(AUTH) | {"allowedAuthTypes": list(kinds)}


async def test_the_client_id_follows_from_the_key(desk: Desk) -> None:
    policy = await desk.relying_party()
    key = rsa.generate_private_key(65537, 2048)
    made = await desk.do("POST", OIDC, client_request(policy, rsa_jwk(key)))
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    hashed = hashlib.sha256(base64.b64encode(der)).digest()
    assert made == {"clientId": base64.urlsafe_b64encode(hashed).decode().rstrip("="), "status": "ACTIVE"}
    assert await desk.refused("POST", OIDC, client_request(policy, rsa_jwk(key))) == "PMS_ESI_001"
    found = await desk.do("GET", f"{OIDC}/{made['clientId']}")
    assert (found["claims"], found["acrValues"]) == (["name"], ["mosip:idp:acr:generated-code"])
    assert (found["policyName"], found["relyingPartyId"]) == ("login", "informants")
    assert json.loads(found["publicKey"])["n"] == rsa_jwk(key)["n"]
    listed = await desk.do("GET", "/v1/partnermanager/oauth/client")
    assert [row["clientId"] for row in listed["data"]] == [made["clientId"]]


async def test_an_update_changes_everything_but_the_key(desk: Desk) -> None:
    policy = await desk.relying_party()
    _, jwk = new_jwk()
    id = (await desk.do("POST", OIDC, client_request(policy, jwk)))["clientId"]
    change = client_request(policy, new_jwk()[1], redirectUris=["https://new.example.org/cb"], status="INACTIVE")
    await desk.do("PUT", f"{OIDC}/{id}", change | {"clientName": "New name"})
    found = await desk.do("GET", f"{OIDC}/{id}")
    assert (found["name"], found["status"], found["redirectUris"]) == (
        "New name", "INACTIVE", ["https://new.example.org/cb"],
    )  # fmt: skip
    assert json.loads(found["publicKey"])["x"] == jwk["x"]
    assert await desk.refused("PUT", f"{OIDC}/nobody", change) == "PMS_ESI_004"


async def test_the_partner_must_be_an_active_auth_partner(desk: Desk) -> None:
    policy = await desk.relying_party()
    wanted = client_request(policy, new_jwk()[1])
    assert await desk.refused("POST", OIDC, wanted | {"authPartnerId": "nobody"}) == "PMS_PRT_058"
    await desk.edit("partners", "informants", {"partnerType": "Credential_Partner"})
    assert await desk.refused("POST", OIDC, wanted) == "PMS_PRT_059"
    await desk.edit("partners", "informants", {"isActive": False})
    assert await desk.refused("POST", OIDC, wanted) == "PMS_PMP_016"


async def test_the_policy_must_be_an_approved_auth_policy(desk: Desk) -> None:
    await desk.relying_party()
    groups = await desk.do("GET", "/v1/policymanager/policies/group/all")
    group = next(entry["policyGroup"]["id"] for entry in groups if entry["policyGroup"]["name"] == GROUP)
    shares = await desk.published(group, "shares")
    other = await desk.published(group, "second-login", kind="Auth")
    jwk = new_jwk()[1]
    assert await desk.refused("POST", OIDC, client_request("7", jwk)) == "PMS_PRT_073"
    assert await desk.refused("POST", OIDC, client_request(shares, jwk)) == "PMS_PRT_057"
    assert await desk.refused("POST", OIDC, client_request(other, jwk)) == "PMS_ESI_002"
    await desk.do(
        "POST", f"{PARTNERS}/informants/policy/map", {"policyName": "second-login", "useCaseDescription": "d"}
    )
    assert await desk.refused("POST", OIDC, client_request(other, jwk)) == "PMS_ESI_002"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (with_types({"authType": "otp", "mandatory": True}), "PMS_ESI_003"),
        (copy.deepcopy(AUTH) | {"allowedKycAttributes": [{"attributeName": "shoeSize"}]}, "PMS_ESI_005"),
        (with_types({"authType": "demo", "mandatory": False}), "PMS_ESI_006"),
        (with_types({"authType": "kbi", "mandatory": False}), "PMS_ESI_006"),
    ],
)
async def test_claims_and_acr_values_come_from_the_policy(desk: Desk, body: dict[str, Any], code: str) -> None:
    policy = await desk.relying_party(body)
    assert await desk.refused("POST", OIDC, client_request(policy, new_jwk()[1])) == code


async def test_the_knowledge_acr_needs_a_longer_mapping_file(desk: Desk) -> None:
    policy = await desk.relying_party(with_types({"authType": "kbi", "mandatory": False}))
    await desk.edit("acr_values", "kbi", {"acr": "mosip:idp:acr:knowledge"})
    id = (await desk.do("POST", OIDC, client_request(policy, new_jwk()[1])))["clientId"]
    assert (await desk.do("GET", f"{OIDC}/{id}"))["acrValues"] == ["mosip:idp:acr:knowledge"]


async def test_a_key_must_be_a_public_one_of_a_known_kind(desk: Desk) -> None:
    policy = await desk.relying_party()
    for jwk in (None, {}, {"kty": "RSA"}, new_jwk()[1] | {"d": "secret"}, {"kty": "oct", "k": "c2VjcmV0"}):
        assert await desk.refused("POST", OIDC, client_request(policy, jwk)) == "PMS_ESI_007"


async def test_what_esignet_refuses_pms_does_not_keep(desk: Desk) -> None:
    policy = await desk.relying_party()
    wanted = client_request(policy, new_jwk()[1], redirectUris=[])
    assert await desk.refused("POST", OIDC, wanted) == "invalid_redirect_uri"
    assert (await desk.do("GET", "/v1/partnermanager/oauth/client"))["totalResults"] == 0


async def test_pms_makes_the_client_in_esignet_too(desk: Desk) -> None:
    policy = await desk.relying_party()
    id = (await desk.do("POST", OIDC, client_request(policy, new_jwk()[1])))["clientId"]
    assert (await desk.state())["esignet_clients"][id]["relyingPartyId"] == "informants"
