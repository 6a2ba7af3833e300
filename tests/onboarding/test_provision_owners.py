"""What may be somebody else's is asked about before anything of it is changed: Keycloak's clients, and policies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.onboarding.provisioning_rig import (
    DEMO,
    DONE,
    EVERYTHING,
    PARTNERS,
    QUESTION,
    Operator,
    new_operator,
    operator,
    some_keys,
)

from mosip_crvs.mosip import keycloak as kc
from mosip_crvs.mosip.doors import Door
from mosip_crvs.mosip.keycloak import CONFIDENTIAL_CLIENT, KeycloakAdmin
from mosip_crvs.mosip.partners import Partners
from mosip_crvs.onboarding.surroundings import Identity

__all__ = ["new_operator", "operator", "some_keys"]
CLIENT = "mosip-crvs1-client"
ONCE = ("provision", "--yes", "--publish-id-schema")
SHUT: dict[str, dict[str, Any]] = {
    "public": {"publicClient": True},
    "without a service account": {"serviceAccountsEnabled": False},
    "disabled": {"enabled": False},
    "by a signed assertion": {"clientAuthenticatorType": "client-jwt"},
}
"""Clients whose secret opens nothing, be it right or wrong."""
POLICY = DEMO["credential_partner"]["policy"]


@pytest.fixture
def country(operator: Operator) -> Operator:
    """Somebody whose country has no partners."""
    operator.wants(*PARTNERS)
    return operator


def client_of_others(operator: Operator, **settings: Any) -> None:
    """Let somebody have a client of our name."""
    theirs = {**CONFIDENTIAL_CLIENT, "clientId": CLIENT, "secret": "theirs", **settings}
    admin = operator.keycloak()
    admin._writing.tell(kc.CREATE_CLIENT, theirs, prefix=admin._prefix, realm=admin._realm)


def realm(operator: Operator) -> Any:
    """Clients and users of the realm."""
    found = operator.state()["keycloak"]
    users = {name: user for name, user in found["users"].items() if name == f"service-account-{CLIENT}"}
    return found["clients"][CLIENT], users


def is_asked_about(operator: Operator, *said: str) -> None:
    """The run ends with a question, and the client is as it was, its account's roles too."""
    before = realm(operator)
    asked = operator.run(*ONCE)
    assert asked.code == QUESTION, asked
    for text in (f"the client {CLIENT} exists", *said):
        assert text in asked.err
    assert "theirs" not in asked.err + asked.out
    assert realm(operator) == before


@pytest.mark.parametrize("how", SHUT)
def test_a_client_that_cannot_be_tried_is_a_question_before_it_is_changed(country: Operator, how: str) -> None:
    client_of_others(country, **SHUT[how])
    is_asked_about(country, "was not made here", "lets nobody in by a secret: it has not")


def test_a_client_that_may_do_more_is_a_question_before_it_is_changed(country: Operator) -> None:
    client_of_others(country, standardFlowEnabled=True)
    is_asked_about(country, "its secret is not known here")
    country.variables["MOSIP_CLIENT_SECRET"] = "theirs"
    assert country.run(*ONCE).code == DONE
    assert realm(country)[0]["standardFlowEnabled"] is False


@pytest.mark.parametrize("how", SHUT)
def test_a_given_secret_makes_only_a_confidential_client_ours_and_only_the_right_one(
    country: Operator, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_of_others(country, **SHUT[how])
    if how == "public":  # a server may keep the secret of before, with which nobody has to prove anything now
        monkeypatch.setattr(KeycloakAdmin, "client_secret", lambda *_: "theirs")
    country.variables["MOSIP_CLIENT_SECRET"] = "of-another-client"
    is_asked_about(country, "was not made here")
    country.variables["MOSIP_CLIENT_SECRET"] = "theirs"
    if how == "public":
        is_asked_about(country, "was not made here")
        return
    run = country.run(*ONCE)
    assert (run.code, CLIENT in country.secrets) == (DONE, False)
    assert kc.missing_settings(realm(country)[0]) == {}


@pytest.mark.parametrize("how", SHUT)
def test_a_client_that_we_made_is_mended_without_a_question(country: Operator, how: str) -> None:
    country.run(*ONCE)
    country.edit("clients", CLIENT, **SHUT[how])
    run = country.run(*ONCE)
    assert (run.code, run.calls[0]) == (DONE, ("PUT", "/admin/realms/{realm}/clients/{uuid}"))
    assert kc.missing_settings(realm(country)[0]) == {}
    assert country.run(*ONCE).lines == []


def test_a_client_of_our_name_that_took_the_place_of_ours_is_a_question(country: Operator) -> None:
    country.run(*ONCE)
    country.edit("clients", CLIENT, publicClient=True)
    state = json.loads(country.file("state.json").read_text())
    assert state["ids"][f"made/{CLIENT}"] == realm(country)[0]["id"]
    state["ids"][f"made/{CLIENT}"] = "of-the-one-before"
    country.file("state.json").write_text(json.dumps(state))
    is_asked_about(country, "was not made here")


def test_a_client_that_somebody_made_between_our_look_and_our_call_is_a_question(
    country: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = KeycloakAdmin.create_client

    def too_late(self: KeycloakAdmin, client_id: str, secret: str) -> bool:
        client_of_others(country, publicClient=True)
        return create(self, client_id, secret)

    monkeypatch.setattr(KeycloakAdmin, "create_client", too_late)
    asked = country.run(*ONCE)
    assert asked.code == QUESTION
    assert "was not made here" in asked.err
    assert realm(country)[0]["publicClient"] is True
    is_asked_about(country, "was not made here")


# --- policies


def policies(operator: Operator) -> dict[str, dict[str, Any]]:
    """Every policy by the name of its group."""
    pms = operator.state()["pms"]
    return {pms["policy_groups"][row["policyGroupId"]]["name"]: row for row in pms["policies"].values()}


def test_a_policy_of_our_name_in_another_group_is_left_alone(operator: Operator) -> None:
    others = Partners(operator.access().door(Identity.PROVISIONER, Door))
    others.create_policy_group("others", "not ours")
    request = {"policyGroupName": "others", "policyType": "DataShare", "name": POLICY["name"], "desc": "theirs"}
    others.create_policy({**request, "version": "1.0", "policies": POLICY["body"]})
    theirs = policies(operator)["others"]

    operator.make_everything()
    there = policies(operator)
    assert there["others"] == theirs, "a draft of theirs, and not published by us"
    ours = there[POLICY["group"]]
    assert (ours["name"], ours["isActive"], ours["id"] != theirs["id"]) == (POLICY["name"], True, True)
    assert operator.kept["crvs-partner/policy_id"] == ours["id"]
    mapped = [row["policyId"] for row in operator.state()["pms"]["credential_types"].values()]
    assert mapped == [ours["id"]]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"policyType": "Auth"}, "in policyType;"), ({"policies": {"shareableAttributes": []}}, "in policies;")],
)
@pytest.mark.parametrize("published", [True, False])
def test_a_policy_that_says_something_else_is_a_question(
    operator: Operator, change: dict[str, Any], said: str, published: bool
) -> None:
    operator.run(*EVERYTHING)
    row = policies(operator)[POLICY["group"]]
    draft = {} if published else {"isActive": False, "policySchema": None}
    operator.edit("policies", row["id"], **change, **draft)
    there = operator.state()["pms"]["policies"]

    operator.sign()
    asked = operator.run(*EVERYTHING)
    assert asked.code == QUESTION
    assert "the policy 'crvs-credentials' of the group 'civil-registration' differs from the country file" in asked.err
    assert said in asked.err
    assert ("name a successor" in asked.err) is published
    assert operator.state()["pms"]["policies"] == there
    requested = operator.state()["pms"]["partner_policy_requests"].values()
    assert {each["partnerId"] for each in requested} == {"crvs-auth"}, "nobody is let use it"


def test_a_successor_named_in_the_country_file_is_made(operator: Operator) -> None:
    operator.run(*EVERYTHING)
    partner = DEMO["credential_partner"]
    share = {**POLICY["body"]["dataSharePolicies"], "transactionsAllowed": "5"}
    policy = {**POLICY, "body": {**POLICY["body"], "dataSharePolicies": share}}
    operator.wants(credential_partner={**partner, "policy": policy})
    assert operator.run(*EVERYTHING).code == QUESTION
    operator.wants(credential_partner={**partner, "policy": {**policy, "name": "crvs-credentials-2"}})
    operator.sign()
    assert operator.run(*EVERYTHING).code == DONE
    assert operator.state()["pms"]["credential_types"]
