"""Keycloak's admin API: servers old and new, names found among others, and what exists already is no error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mosip_servers import Asked, FarSide, Said, said

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.mosip import doors
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.doors import Door
from mosip_crvs.mosip.keycloak import (
    CONFIDENTIAL_CLIENT,
    KeycloakAdmin,
    find_prefix,
    missing_roles,
    missing_settings,
    token_path,
)

WELL_KNOWN = "/realms/mosip/.well-known/openid-configuration"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(doors, "_WAIT_SECONDS", 0.0)


@pytest.fixture
def admin(far_side: FarSide) -> KeycloakAdmin:
    """A realm of an old server."""
    return KeycloakAdmin(Door(SingleCalls(far_side.url), None), "/auth", "mosip")


def server(far_side: FarSide, prefix: str) -> None:
    """Be a Keycloak whose realm lies below a prefix."""
    known = {"issuer": f"{far_side.url}{prefix}/realms/mosip"}
    far_side.script = lambda asked: (
        said(known, Date="Tue, 02 Jan 2024 03:04:05 GMT") if asked.path == prefix + WELL_KNOWN else said({}, 404)
    )


# --- the prefix


@pytest.mark.parametrize("prefix", ["/auth", ""])
def test_the_prefix_is_found(far_side: FarSide, prefix: str) -> None:
    server(far_side, prefix)
    found, known = find_prefix(SingleCalls(far_side.url), "mosip")
    assert (found, known["issuer"]) == (prefix, f"{far_side.url}{prefix}/realms/mosip")
    assert token_path(found, "mosip") == f"{prefix}/realms/mosip/protocol/openid-connect/token"


def test_a_prefix_that_is_given_is_the_only_one_tried(far_side: FarSide) -> None:
    server(far_side, "")
    with pytest.raises(MosipRefused, match="no realm 'mosip' with or without /auth"):
        find_prefix(SingleCalls(far_side.url), "mosip", "/auth/")
    assert [asked.path for asked in far_side.asked] == ["/auth" + WELL_KNOWN]


def test_a_page_that_answers_everything_is_no_realm(far_side: FarSide) -> None:
    far_side.say(Said(200, b"<html>welcome</html>"))
    with pytest.raises(MosipRefused, match="HTTP 200 without an issuer"):
        find_prefix(SingleCalls(far_side.url), "mosip")


def test_a_server_that_is_down_is_no_missing_realm(far_side: FarSide) -> None:
    far_side.say(said({}, 503))
    with pytest.raises(MosipUnavailable):
        find_prefix(SingleCalls(far_side.url), "mosip")


# --- looking


def test_a_client_is_found_among_those_with_a_longer_name(far_side: FarSide, admin: KeycloakAdmin) -> None:
    far_side.say(said([{"id": "1", "clientId": "crvs-partner-2"}, {"id": "2", "clientId": "crvs-partner"}]))
    client = admin.client("crvs-partner")
    assert client is not None
    assert client["id"] == "2"
    assert far_side.asked[0].path == "/auth/admin/realms/mosip/clients?clientId=crvs-partner"
    far_side.say(said([{"id": "1", "clientId": "crvs-partner-2"}]))
    assert admin.client("crvs-partner") is None


def test_a_user_is_found_among_those_that_contain_the_name(far_side: FarSide, admin: KeycloakAdmin) -> None:
    far_side.say(said([{"id": "1", "username": "crvs2"}, {"id": "2", "username": "CRVS"}]))
    user = admin.user("crvs")
    assert user is not None
    assert user["id"] == "2"
    far_side.say(said([{"id": "1", "username": "crvs2"}]))
    assert admin.user("crvs") is None


def test_what_is_not_there_is_none_and_a_refusal_is_not(far_side: FarSide, admin: KeycloakAdmin) -> None:
    far_side.say(said({"error": "Could not find role"}, 404))
    assert admin.role("OFFICER") is None
    far_side.say(said({"error": "no service account"}, 400))
    assert admin.service_account("1") is None
    far_side.say(said({"error": "unauthorized"}, 403))
    for look in (lambda: admin.role("OFFICER"), lambda: admin.service_account("1"), lambda: admin.client("a")):
        with pytest.raises(MosipRefused, match="HTTP_403: unauthorized"):
            look()


def test_an_answer_of_somebody_else_is_no_empty_list(far_side: FarSide, admin: KeycloakAdmin) -> None:
    far_side.say(Said(200, b"<html>log in</html>"))
    for look in (lambda: admin.client("a"), lambda: admin.user("a"), lambda: admin.role("a")):
        with pytest.raises(MosipUnavailable, match="no answer of Keycloak's, but HTTP 200"):
            look()


def test_roles_of_a_user_are_names(far_side: FarSide, admin: KeycloakAdmin) -> None:
    far_side.say(said([{"id": "1", "name": "A"}, {"id": "2", "name": "B"}]))
    assert admin.roles_of("u/1") == {"A", "B"}
    assert far_side.asked[0].path == "/auth/admin/realms/mosip/users/u%2F1/role-mappings/realm"


# --- changing


def sent(far_side: FarSide) -> Any:
    """The body of the last request."""
    return json.loads(far_side.asked[-1].body)


def test_a_client_is_made_confidential(far_side: FarSide, admin: KeycloakAdmin) -> None:
    far_side.say(Said(201))
    admin.create_client("crvs", "a-secret")
    assert sent(far_side) == {**CONFIDENTIAL_CLIENT, "clientId": "crvs", "redirectUris": [], "secret": "a-secret"}
    assert missing_settings(sent(far_side)) == {}


def test_a_client_is_changed_whole(far_side: FarSide, admin: KeycloakAdmin) -> None:
    far_side.say(Said(204))
    admin.update_client({"id": "1", "clientId": "crvs", "name": "kept"}, {"publicClient": False})
    assert (far_side.asked[0].method, far_side.asked[0].path) == ("PUT", "/auth/admin/realms/mosip/clients/1")
    assert sent(far_side) == {"id": "1", "clientId": "crvs", "name": "kept", "publicClient": False}


def test_roles_are_given_by_id_and_name(far_side: FarSide, admin: KeycloakAdmin) -> None:
    far_side.say(Said(204))
    admin.assign("u", [{"id": "1", "name": "A", "composite": False}])
    assert sent(far_side) == [{"id": "1", "name": "A"}]


def test_what_exists_already_is_no_error(far_side: FarSide, admin: KeycloakAdmin) -> None:
    far_side.say(said({"errorMessage": "it exists"}, 409))
    admin.create_role("A", "a role")
    admin.create_client("crvs", "a-secret")
    assert len(far_side.asked) == 2


def test_a_user_whose_address_is_anothers_is_an_error(far_side: FarSide, admin: KeycloakAdmin) -> None:
    def script(asked: Asked) -> Said:
        return said({"errorMessage": "User exists with same email"}, 409) if asked.method == "POST" else said([])

    far_side.script = script
    with pytest.raises(MosipRefused, match="User exists with same email"):
        admin.create_user({"username": "crvs", "email": "taken@example.org"})


@pytest.mark.parametrize("status", [400, 403])
def test_another_refusal_is_an_error_that_does_not_tell_the_secret(
    far_side: FarSide, admin: KeycloakAdmin, status: int
) -> None:
    far_side.say(said({"errorMessage": "no"}, status))
    with pytest.raises(MosipRefused, match=f"HTTP_{status}: no") as caught:
        admin.create_client("crvs", "a-secret")
    assert "a-secret" not in str(caught.value)


# --- pure


def test_settings_and_roles_that_are_missing() -> None:
    client = {**CONFIDENTIAL_CLIENT, "publicClient": True, "more": 1}
    assert missing_settings(client) == {"publicClient": False}
    del client["fullScopeAllowed"]
    assert missing_settings(client) == {"publicClient": False, "fullScopeAllowed": True}
    assert missing_roles({"B", "Z"}, ["C", "B", "A"]) == ["C", "A"]
