"""Keycloak's admin API of realm `mosip`: roles, clients and client scopes (mosip-onboarding.md §1)."""

from __future__ import annotations

import secrets

from aiohttp import web

from sandbox.keycloak_desk import AdminDesk, Answer, nothing, read_object
from sandbox.realm import RealmClient
from sandbox.wire import json_reply


class KeycloakClients:
    """Roles, clients and client scopes."""

    def __init__(self, desk: AdminDesk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        return self._desk.routes(
            (
                ("GET", "/roles", self.list_roles),
                ("POST", "/roles", self.create_role),
                ("GET", "/roles/{role}", self.read_role),
                ("GET", "/clients", self.list_clients),
                ("POST", "/clients", self.create_client),
                ("GET", "/clients/{client}", self.read_client),
                ("PUT", "/clients/{client}", self.update_client),
                ("DELETE", "/clients/{client}", self.delete_client),
                ("GET", "/clients/{client}/client-secret", self.read_secret),
                ("POST", "/clients/{client}/client-secret", self.renew_secret),
                ("GET", "/clients/{client}/service-account-user", self.service_account),
                ("GET", "/clients/{client}/default-client-scopes", self.default_scopes),
                ("PUT", "/clients/{client}/default-client-scopes/{scope}", self.set_scope),
                ("DELETE", "/clients/{client}/default-client-scopes/{scope}", self.set_scope),
                ("GET", "/client-scopes", self.list_scopes),
                ("POST", "/client-scopes", self.create_scope),
            )
        )

    def _client(self, request: web.Request) -> RealmClient:
        client = self._desk.realm.clients.get(request.match_info["client"])
        if client is None:
            raise Answer(404, "Could not find client")
        return client

    async def list_roles(self, request: web.Request) -> web.Response:
        """All realm roles."""
        return json_reply([self._desk.realm.roles[name] for name in sorted(self._desk.realm.roles)])

    async def create_role(self, request: web.Request) -> web.Response:
        """409 when there is one of that name; its location ends in the name."""
        sent = await read_object(request, "name")
        if sent["name"] in self._desk.realm.roles:
            raise Answer(409, f"Role with name {sent['name']} already exists")
        self._desk.realm.add_role(sent["name"], sent.get("description"))
        return self._desk.created(request, sent["name"])

    async def read_role(self, request: web.Request) -> web.Response:
        """One role by name."""
        role = self._desk.realm.roles.get(request.match_info["role"])
        if role is None:
            raise Answer(404, "Could not find role")
        return json_reply(role | {"attributes": {}})

    async def list_clients(self, request: web.Request) -> web.Response:
        """All, or the one with exactly this `clientId`."""
        wanted = request.query.get("clientId")
        clients = sorted(self._desk.realm.clients.values(), key=lambda client: client.client_id)
        return json_reply([client.view() for client in clients if wanted in (None, client.client_id)])

    async def create_client(self, request: web.Request) -> web.Response:
        """The secret is made here unless the body has one."""
        sent = await read_object(request, "clientId")
        if self._desk.realm.client(sent["clientId"]) is not None:
            raise Answer(409, f"Client {sent['clientId']} already exists")
        return self._desk.created(request, self._desk.realm.add_client(sent["clientId"], sent).id)

    async def read_client(self, request: web.Request) -> web.Response:
        """One client, without its secret."""
        return json_reply(self._client(request).view())

    async def update_client(self, request: web.Request) -> web.Response:
        """What the representation has is taken over, `secret` too; its scopes are not."""
        client = self._client(request)
        sent = await read_object(request, "clientId")
        other = self._desk.realm.client(sent["clientId"])
        if other is not None and other is not client:
            raise Answer(409, f"Client {sent['clientId']} already exists")
        self._desk.realm.rename_client(client, sent["clientId"])
        self._desk.realm.change_client(client, sent)
        return nothing()

    async def delete_client(self, request: web.Request) -> web.Response:
        """The service account goes with it."""
        self._desk.realm.remove_client(self._client(request))
        return nothing()

    async def read_secret(self, request: web.Request) -> web.Response:
        """The only call that shows it; a public client has none."""
        secret = self._client(request).secret
        return json_reply({"type": "secret"} | ({"value": secret} if secret else {}))

    async def renew_secret(self, request: web.Request) -> web.Response:
        """A new secret; the old one opens nothing from now on."""
        client = self._client(request)
        client.secret = secrets.token_urlsafe(24)
        return json_reply({"type": "secret", "value": client.secret})

    async def service_account(self, request: web.Request) -> web.Response:
        """400 where service accounts are off."""
        client = self._client(request)
        account = self._desk.realm.service_account(client) if client.fields["serviceAccountsEnabled"] else None
        if account is None:
            raise Answer(400, f"Service account not enabled for the client '{client.client_id}'")
        return json_reply(account.view())

    async def list_scopes(self, request: web.Request) -> web.Response:
        """All client scopes."""
        return json_reply(sorted(self._desk.realm.scopes.values(), key=lambda scope: str(scope["name"])))

    async def create_scope(self, request: web.Request) -> web.Response:
        """A scope shows in tokens once a client has it."""
        sent = await read_object(request, "name")
        if any(scope["name"] == sent["name"] for scope in self._desk.realm.scopes.values()):
            raise Answer(409, f"Client Scope {sent['name']} already exists")
        return self._desk.created(request, self._desk.realm.add_scope(sent["name"])["id"])

    async def default_scopes(self, request: web.Request) -> web.Response:
        """The client's default scopes, id and name."""
        names = self._client(request).scopes
        return json_reply(
            [
                {"id": id, "name": scope["name"]}
                for id, scope in self._desk.realm.scopes.items()
                if scope["name"] in names
            ]
        )

    async def set_scope(self, request: web.Request) -> web.Response:
        """PUT adds one and changes nothing when it is there, DELETE takes it away."""
        client = self._client(request)
        scope = self._desk.realm.scopes.get(request.match_info["scope"])
        if scope is None:
            raise Answer(404, "Client scope not found")
        others = [name for name in client.scopes if name != scope["name"]]
        client.scopes = [*others, scope["name"]] if request.method == "PUT" else others
        return nothing()
