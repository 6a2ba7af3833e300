"""The sandbox's Keycloak answers as real ones do: statuses, error codes, and no names in a body that they have not."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import requests
from tests.conformance.keycloak_servers import RealKeycloak
from tests.onboarding.environments import LoopInThread

from mosip_crvs.mosip.keycloak import CONFIDENTIAL_CLIENT

DIFFERENT = {
    "16": {
        "token, unknown client": (400, "invalid_client"),
        "token, disabled client": (400, "unauthorized_client"),
        "service account, switched off": (400, "unknown_error"),
        "look without power": (403, "unknown_error"),
        "write without power": (403, "unknown_error"),
        "body that is no JSON": (400, "unknown_error"),
    },
    "26": {
        "password, wrong": (400, "invalid_grant"),
        "password, unknown user": (400, "invalid_grant"),
    },
}
"""What a generation answers where the sandbox answers like the other one."""


@dataclass(frozen=True)
class Answer:
    """An answer without what differs from case to case: status, error code, and the names in its body."""

    status: int
    error: str | None
    names: frozenset[str] = frozenset()


@dataclass
class Talk:
    """A fixed list of calls with one server, and what it answered.

    :param name: part of the name of everything that it makes.
    """

    server: RealKeycloak
    token: str = field(repr=False)
    name: str
    answers: dict[str, Answer] = field(default_factory=dict)

    def note(self, what: str, answer: requests.Response) -> Any:
        """Remember an answer; give its body."""
        try:
            body = answer.json()
        except ValueError:
            body = None
        one = body[0] if isinstance(body, list) and body else body
        names = frozenset(one) if isinstance(one, dict) else frozenset()
        error = str(one["error"]).replace(self.name, "<name>") if "error" in names else None
        # How a server words a refusal beside its code is its own affair.
        self.answers[what] = Answer(answer.status_code, error, names if answer.ok else names & {"errorMessage"})
        return body

    def admin(self, what: str, method: str, path: str, body: Any = None, *, token: str = "") -> Any:
        """Call the admin API of realm ``mosip``."""
        return self.note(what, self.server.admin(method, f"/mosip{path}", body, token=token or self.token))

    def grant(self, what: str, client_id: str, secret: str = "one") -> Any:
        """Ask for a token of a service account."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        return self.note(what, self.server.token(**form))

    def password(self, what: str, user: str, password: str) -> Any:
        """Ask for a user's token."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": user, "password": password}
        return self.note(what, self.server.token(**form))


def _talk(server: RealKeycloak) -> dict[str, Answer]:
    talk = Talk(server, server.admin_token(), secrets.token_hex(4))
    role = _roles(talk, f"ROLE_{talk.name}")
    client = _clients(talk, f"Client-{talk.name}")
    _mappings(talk, client, role)
    _secrets(talk, client)
    _users(talk, f"User-{talk.name}")
    _discovery(talk)
    return talk.answers


def _roles(talk: Talk, name: str) -> dict[str, Any]:
    talk.admin("role, missing", "GET", f"/roles/{name}")
    talk.admin("role, made", "POST", "/roles", {"name": name, "description": "a role"})
    talk.admin("role, made twice", "POST", "/roles", {"name": name})
    return dict(talk.admin("role", "GET", f"/roles/{name}"))


def _clients(talk: Talk, name: str) -> dict[str, Any]:
    wanted = {**CONFIDENTIAL_CLIENT, "clientId": name, "secret": "one", "redirectUris": []}
    talk.admin("client, made", "POST", "/clients", wanted)
    talk.admin("client, made twice", "POST", "/clients", wanted)
    assert talk.admin("clients, none of this name", "GET", f"/clients?clientId={name.lower()}") == []
    [client] = talk.admin("clients", "GET", f"/clients?clientId={name}")
    assert {key: client[key] for key in CONFIDENTIAL_CLIENT} == dict(CONFIDENTIAL_CLIENT)
    talk.admin("client, missing", "GET", f"/clients/{secrets.token_hex(16)}")
    return dict(client)


def _mappings(talk: Talk, client: dict[str, Any], role: dict[str, Any]) -> None:
    account = talk.admin("service account", "GET", f"/clients/{client['id']}/service-account-user")
    mapped = f"/users/{account['id']}/role-mappings/realm"
    talk.admin("roles given", "POST", mapped, [{"id": role["id"], "name": role["name"]}])
    talk.admin("roles given again", "POST", mapped, [{"id": role["id"], "name": role["name"]}])
    talk.admin("roles given by name only", "POST", mapped, [{"name": role["name"]}])
    talk.admin("roles given with another's id", "POST", mapped, [{"id": secrets.token_hex(16), "name": role["name"]}])
    talk.admin("roles given to nobody", "POST", f"/users/{secrets.token_hex(16)}/role-mappings/realm", [role])
    assert role["name"] in {each["name"] for each in talk.admin("roles of an account", "GET", mapped)}


def _secrets(talk: Talk, client: dict[str, Any]) -> None:
    path, name = f"/clients/{client['id']}", client["clientId"]
    talk.grant("token", name)
    talk.grant("token, wrong secret", name, "two")
    talk.grant("token, unknown client", f"{name}-2")
    talk.admin("secret changed", "PUT", path, client | {"secret": "two"})
    talk.grant("token, old secret", name)
    talk.grant("token, new secret", name, "two")
    talk.admin("changed without a secret", "PUT", path, {k: v for k, v in client.items() if k != "secret"})
    talk.grant("token, secret as before", name, "two")
    talk.admin("secret", "GET", f"{path}/client-secret")
    changes = ("publicClient", True), ("publicClient", False), ("enabled", False), ("serviceAccountsEnabled", False)
    for key, value in changes:
        talk.admin(f"{key} {value}", "PUT", path, CONFIDENTIAL_CLIENT | {"clientId": name, key: value})
        what = {"publicClient": f"public {value}", "enabled": "disabled"}.get(key, "no account")
        talk.grant("token, disabled client" if what == "disabled" else f"token, {what}", name, "two")
        talk.admin(f"secret, {what}", "GET", f"{path}/client-secret")
    talk.admin("service account, switched off", "GET", f"{path}/service-account-user")
    talk.admin("account switched on again", "PUT", path, CONFIDENTIAL_CLIENT | {"clientId": name})
    account = talk.admin("service account, new", "GET", f"{path}/service-account-user")
    roles = talk.admin("roles of a new account", "GET", f"/users/{account['id']}/role-mappings/realm")
    assert [role["name"] for role in roles] == ["default-roles-mosip"]


def _users(talk: Talk, name: str) -> None:
    word = {"type": "password", "value": "a-long-Password-1", "temporary": False}
    user = {"username": name, "firstName": "A", "lastName": "B", "email": f"{name}@example.org", "enabled": True}
    talk.admin("user, made", "POST", "/users", user | {"credentials": [word]})
    talk.admin("user, made twice", "POST", "/users", user)
    talk.admin(
        "user, address taken", "POST", "/users", user | {"username": f"{name}-2", "email": user["email"].upper()}
    )
    talk.admin("user, longer name", "POST", "/users", {"username": f"{name}-3"})
    [found] = talk.admin("users", "GET", f"/users?username={name.upper()}&exact=true")
    assert found["username"] == name.lower()
    assert len(talk.admin("users by a part", "GET", f"/users?username={name}")) == 2
    talk.admin("user disabled", "PUT", f"/users/{found['id']}", found | {"enabled": False})
    talk.password("password, disabled user", name, word["value"])
    talk.admin("user enabled", "PUT", f"/users/{found['id']}", found | {"enabled": True})
    token = talk.password("password", name, word["value"])["access_token"]
    talk.password("password, wrong", name, "another")
    talk.password("password, unknown user", f"{name}-4", "another")
    talk.admin("look without power", "GET", "/clients?clientId=account", token=token)
    talk.admin("write without power", "POST", "/roles", {"name": f"{name}_ROLE"}, token=token)
    talk.admin("look without a good token", "GET", "/roles", token="nonsense")


def _discovery(talk: Talk) -> None:
    server, document = talk.server, "/.well-known/openid-configuration"
    found = talk.note("discovery", requests.get(server.realm_url() + document, timeout=10))
    assert found["token_endpoint"] == f"{server.realm_url()}/protocol/openid-connect/token"
    talk.note("discovery, no realm", requests.get(server.realm_url("nowhere") + document, timeout=10))
    other = replace(server, prefix={"": "/auth", "/auth": ""}[server.prefix])
    assert requests.get(other.realm_url() + document, timeout=10).status_code == 404
    talk.note("token, no grant", server.token(client_id="admin-cli"))
    talk.note("token, unknown grant", server.token(client_id="admin-cli", grant_type="nonsense"))
    talk.note("token, no realm", server.token("nowhere", grant_type="client_credentials", client_id="a"))
    roles = f"{server.base_url}{server.prefix}/admin/realms/mosip/roles"
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {talk.token}"}
    talk.note("body that is no JSON", requests.post(roles, data="{", headers=headers, timeout=10))
    cookie = {"Cookie": f"Authorization={talk.token}"}
    talk.note("look with a cookie", requests.get(roles, headers=cookie, timeout=10))


@pytest.fixture
def sandbox(keycloak: RealKeycloak) -> Iterator[RealKeycloak]:
    """A sandbox that has Keycloak below the same prefix."""
    loop = LoopInThread()
    with loop.sandbox(onboarded=False, keycloak_prefix=keycloak.prefix) as running:
        yield RealKeycloak(running.url, keycloak.prefix, "admin", running.settings.admin_secret, "sandbox")
    loop.close()


def test_the_sandbox_answers_as_keycloak_does(keycloak: RealKeycloak, sandbox: RealKeycloak) -> None:
    theirs, ours = _talk(keycloak), _talk(sandbox)
    differing = {
        what: (said.status, said.error)
        for what, said in theirs.items()
        if (said.status, said.error) != (ours[what].status, ours[what].error)
    }
    assert differing == DIFFERENT[keycloak.generation]
    made_up = {what: ours[what].names - said.names for what, said in theirs.items() if ours[what].names - said.names}
    assert made_up == {}
