"""Real Keycloak servers of both generations start, have MOSIP's realm, and give tokens."""

from __future__ import annotations

import base64
import json

import requests
from tests.conformance.keycloak_servers import RealKeycloak
from tests.conformance.mosip_realm import CLIENT_SCOPES, ROLES, make_mosip_realm

SECRET = "conformance-secret"
SESSION_SECONDS = 36_000
"""How long a session lasts at most, which nobody changes; it cuts the day that MOSIP's realm gives a token."""
CLIENT = {
    "clientId": "conformance-client",
    "secret": SECRET,
    "protocol": "openid-connect",
    "publicClient": False,
    "serviceAccountsEnabled": True,
    "standardFlowEnabled": False,
    "directAccessGrantsEnabled": False,
}


def test_the_realm_is_found_below_the_prefix_of_the_generation(keycloak: RealKeycloak) -> None:
    other = {"": "/auth", "/auth": ""}[keycloak.prefix]
    found = requests.get(f"{keycloak.realm_url()}/.well-known/openid-configuration", timeout=10)
    assert found.json()["issuer"] == keycloak.realm_url()
    missing = requests.get(f"{keycloak.base_url}{other}/realms/mosip/.well-known/openid-configuration", timeout=10)
    assert missing.status_code == 404


def test_the_realm_has_the_roles_and_scopes_of_mosip_but_not_the_one_to_be_made(fresh_realm: RealKeycloak) -> None:
    roles = {role["name"] for role in fresh_realm.admin("GET", "/mosip/roles?max=1000").json()}
    assert roles >= {*ROLES, "offline_access", "uma_authorization"}
    assert "ONLINE_REGISTRATION_CLIENT" not in roles
    scopes = {scope["name"] for scope in fresh_realm.admin("GET", "/mosip/client-scopes").json()}
    assert scopes >= {*CLIENT_SCOPES, "roles"}


def test_a_confidential_client_gets_a_token_with_the_realm_roles_of_its_service_account(
    fresh_realm: RealKeycloak,
) -> None:
    assert fresh_realm.admin("POST", "/mosip/clients", CLIENT).status_code == 201
    [client] = fresh_realm.admin("GET", "/mosip/clients?clientId=conformance-client").json()
    user = fresh_realm.admin("GET", f"/mosip/clients/{client['id']}/service-account-user").json()
    role = fresh_realm.admin("GET", "/mosip/roles/REGISTRATION_PROCESSOR").json()
    granted = fresh_realm.admin("POST", f"/mosip/users/{user['id']}/role-mappings/realm", [role])
    assert granted.status_code == 204

    form = {"grant_type": "client_credentials", "client_id": "conformance-client"}
    answer = fresh_realm.token(**form, client_secret=SECRET)
    assert answer.status_code == 200
    assert SESSION_SECONDS - 5 <= answer.json()["expires_in"] <= SESSION_SECONDS
    assert "REGISTRATION_PROCESSOR" in _claims(answer.json()["access_token"])["realm_access"]["roles"]
    assert fresh_realm.token(**form, client_secret="another").status_code == 401


def test_a_realm_made_anew_has_nothing_of_what_was_done_in_it(fresh_realm: RealKeycloak) -> None:
    assert fresh_realm.admin("POST", "/mosip/clients", CLIENT).status_code == 201
    make_mosip_realm(fresh_realm)
    assert fresh_realm.admin("GET", "/mosip/clients?clientId=conformance-client").json() == []


def _claims(token: str) -> dict[str, dict[str, list[str]]]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
