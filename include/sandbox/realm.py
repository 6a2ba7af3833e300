"""What one Keycloak realm holds: roles, clients, users, client scopes; and what their tokens say."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.content import digest
from sandbox.tokens import Subject

SERVICE_ACCOUNT = "service-account-"
EVERYONE = "default-roles-{realm}"
INHERITED = ("offline_access", "uma_authorization")
"""What the realm's default role is composed of."""

DEFAULT_SCOPES = ("web-origins", "roles", "profile", "email")
IN_TOKEN = frozenset({"profile", "email"})
"""Of the default scopes, those whose names show in a token's `scope`."""

FLAGS: Mapping[str, Any] = {
    "enabled": True,
    "protocol": "openid-connect",
    "publicClient": False,
    "bearerOnly": False,
    "standardFlowEnabled": True,
    "implicitFlowEnabled": False,
    "directAccessGrantsEnabled": False,
    "serviceAccountsEnabled": False,
    "fullScopeAllowed": True,
    "clientAuthenticatorType": "client-secret",
    "redirectUris": (),
}
"""What a client is when its creator does not say."""


class Refused(Exception):
    """An OAuth refusal: status, `error`, `error_description`."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.code = code


@dataclass(slots=True)
class RealmClient:
    """A client. `fields` is its representation without id, secret and scopes."""

    id: str
    client_id: str
    secret: str
    fields: dict[str, Any]
    scopes: list[str]

    def view(self) -> dict[str, Any]:
        """The representation the admin API gives; never with the secret."""
        return {
            "id": self.id,
            "clientId": self.client_id,
            **self.fields,
            "defaultClientScopes": list(self.scopes),
        }


@dataclass(slots=True)
class RealmUser:
    """A user, or a client's service account. `fields` are what the admin API shows besides id and name."""

    id: str
    username: str
    password: str | None = None
    temporary: bool = False
    fields: dict[str, Any] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)
    service_of: str | None = None

    def view(self) -> dict[str, Any]:
        """The representation the admin API gives."""
        return {"id": self.id, "username": self.username, "enabled": True, "emailVerified": False} | self.fields


class Realm:
    """One realm's content. Every lookup that finds nothing gives None."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.roles: dict[str, dict[str, Any]] = {}
        self.clients: dict[str, RealmClient] = {}
        self.users: dict[str, RealmUser] = {}
        self.scopes: dict[str, dict[str, Any]] = {}
        for scope in DEFAULT_SCOPES:
            self.add_scope(scope)
        for role in (*INHERITED, self.everyone):
            self.add_role(role)

    @property
    def everyone(self) -> str:
        """The role that every new user has."""
        return EVERYONE.format(realm=self.name)

    def add_role(self, name: str, description: str | None = None) -> dict[str, Any]:
        """A new realm role."""
        role = {
            "id": self._id("role", name),
            "name": name,
            "composite": name == self.everyone,
            "clientRole": False,
            "containerId": self.name,
        }
        self.roles[name] = role if description is None else role | {"description": description}
        return self.roles[name]

    def add_scope(self, name: str) -> dict[str, Any]:
        """A new client scope."""
        made = {"id": self._id("scope", name), "name": name, "protocol": "openid-connect"}
        self.scopes[made["id"]] = made
        return made

    def add_client(self, client_id: str, given: Mapping[str, Any], secret: str | None = None) -> RealmClient:
        """A new client, with its service account if it has one. A secret is made up when none is given."""
        fields = {name: list(value) if isinstance(value, tuple) else value for name, value in FLAGS.items()}
        client = RealmClient(
            self._id("client", client_id), client_id, secret or secrets.token_urlsafe(24), fields, list(DEFAULT_SCOPES)
        )
        self.clients[client.id] = client
        self.change_client(client, given)
        return client

    def change_client(self, client: RealmClient, given: Mapping[str, Any]) -> None:
        """Take over what a representation says; what it leaves out stays, scopes are not changed this way.

        A client that becomes public loses its secret for good; confidential again, it gets a new one.
        """
        for name, value in given.items():
            if name == "secret":
                client.secret = str(value)
            elif name not in ("id", "clientId", "defaultClientScopes", "optionalClientScopes") and value is not None:
                client.fields[name] = value
        if client.fields["publicClient"]:
            client.secret = ""
        elif not client.secret:
            client.secret = secrets.token_urlsafe(24)
        account = self.service_account(client)
        if client.fields["serviceAccountsEnabled"] and account is None:
            self.add_user(SERVICE_ACCOUNT + client.client_id, service_of=client.client_id)
        elif account is not None and not client.fields["serviceAccountsEnabled"]:
            del self.users[account.id]  # and with it its roles: who is let in again has none

    def rename_client(self, client: RealmClient, client_id: str) -> None:
        """A new public id; the service account is renamed with it."""
        account = self.service_account(client)
        client.client_id = client_id
        if account is not None:
            account.service_of, account.username = client_id, (SERVICE_ACCOUNT + client_id).lower()

    def add_user(self, username: str, *, service_of: str | None = None, password: str | None = None) -> RealmUser:
        """A new user with the default role; the name is kept in lower case."""
        name = username.lower()
        user = RealmUser(self._id("user", name), name, password, roles={self.everyone}, service_of=service_of)
        self.users[user.id] = user
        return user

    def client(self, client_id: str) -> RealmClient | None:
        """A client by its public id."""
        return next((client for client in self.clients.values() if client.client_id == client_id), None)

    def user(self, username: str) -> RealmUser | None:
        """A user by name, in any case."""
        return next((user for user in self.users.values() if user.username == username.lower()), None)

    def service_account(self, client: RealmClient) -> RealmUser | None:
        """The user behind a client, if it has one."""
        return next((user for user in self.users.values() if user.service_of == client.client_id), None)

    def effective(self, roles: Iterable[str]) -> frozenset[str]:
        """Roles with what the default role is composed of."""
        direct = frozenset(roles)
        return direct | frozenset(INHERITED) if self.everyone in direct else direct

    def client_credentials(self, client_id: str, secret: str) -> Subject:
        """The service account of a client.

        :raises Refused: for anything Keycloak refuses.
        """
        client = self.authenticate(client_id, secret)
        if client.fields["publicClient"]:
            raise Refused(401, "unauthorized_client", "Public client not allowed to retrieve service account")
        account = self.service_account(client) if client.fields["serviceAccountsEnabled"] else None
        if account is None:
            raise Refused(401, "unauthorized_client", "Client not enabled to retrieve service account")
        return self.subject(client, account)

    def password(self, client_id: str, secret: str, username: str, password: str) -> Subject:
        """A user who gives name and password to a client.

        :raises Refused: for anything Keycloak refuses.
        """
        client = self.authenticate(client_id, secret)
        if not client.fields["directAccessGrantsEnabled"]:
            raise Refused(400, "unauthorized_client", "Client not allowed for direct access grants")
        user = self.user(username)
        if user is None or user.password is None or user.password != password:
            raise Refused(401, "invalid_grant", "Invalid user credentials")
        if not user.fields.get("enabled", True):
            raise Refused(400, "invalid_grant", "Account disabled")
        if user.temporary:
            raise Refused(400, "invalid_grant", "Account is not fully set up")
        return self.subject(client, user)

    def authenticate(self, client_id: str, secret: str) -> RealmClient:
        """The client that knows its secret; a public one needs none.

        :raises Refused: for an unknown or disabled client and for a wrong secret.
        """
        client = self.client(client_id)
        if client is None or not client.fields["enabled"]:
            raise Refused(401, "invalid_client", "Invalid client credentials")
        if not client.fields["publicClient"] and client.secret != secret:
            raise Refused(401, "unauthorized_client", "Invalid client secret")
        return client

    def subject(self, client: RealmClient, user: RealmUser) -> Subject:
        """What a token says of a user who came through a client."""
        named = set(client.scopes)
        email = user.fields.get("email")
        return Subject(
            id=user.id,
            username=user.username,
            azp=client.client_id,
            roles=self.effective(user.roles) if client.fields["fullScopeAllowed"] else frozenset(),
            scopes=frozenset(named - set(DEFAULT_SCOPES) | (named & IN_TOKEN)),
            email=str(email) if email and "email" in named else None,
            is_service=user.service_of is not None,
        )

    def _id(self, kind: str, name: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.name}/{kind}/{name}"))

    def state(self) -> dict[str, Any]:
        """Roles, clients, users and client scopes, by name."""
        clients = sorted(self.clients.values(), key=lambda client: client.client_id)
        users = sorted(self.users.values(), key=lambda user: user.username)
        return {
            "roles": sorted(self.roles),
            "scopes": sorted(scope["name"] for scope in self.scopes.values()),
            "clients": {client.client_id: client.view() | {"secret": _fingerprint(client)} for client in clients},
            "users": {
                user.username: user.view()
                | {"roles": sorted(user.roles), "password": None if user.password is None else digest(user.password)}
                for user in users
            },
        }

    def edit(self, entity: str, id: str, values: Mapping[str, Any], *, delete: bool) -> bool:
        """`clients` by client id, `users` by name (also `roles`, `password`, `enabled`), `roles` by name."""
        if entity == "clients":
            self._edit_client(id, values, delete)
        elif entity == "users":
            self._edit_user(id, values, delete)
        elif entity == "roles":
            self._edit_role(id, delete)
        else:
            return False
        return True

    def _edit_client(self, client_id: str, values: Mapping[str, Any], delete: bool) -> None:
        client = self.client(client_id)
        if client is None:
            raise KeyError(client_id)
        if delete:
            self.remove_client(client)
            return
        self.change_client(client, values)
        if "defaultClientScopes" in values:
            client.scopes = list(values["defaultClientScopes"])

    def remove_client(self, client: RealmClient) -> None:
        """A client, and with it its service account."""
        account = self.service_account(client)
        if account is not None:
            del self.users[account.id]
        del self.clients[client.id]

    def _edit_user(self, username: str, values: Mapping[str, Any], delete: bool) -> None:
        user = self.user(username)
        if user is None:
            raise KeyError(username)
        if delete:
            del self.users[user.id]
            return
        for name, value in values.items():
            if name == "roles":
                user.roles = set(value)
            elif name == "password":
                user.password = value
            else:
                user.fields[name] = value

    def _edit_role(self, name: str, delete: bool) -> None:
        if name not in self.roles:
            raise KeyError(name)
        if delete:
            del self.roles[name]
            for user in self.users.values():
                user.roles.discard(name)


def _fingerprint(client: RealmClient) -> str | None:
    """Public clients have no secret that anybody could use."""
    return None if client.fields["publicClient"] else digest(client.secret)
