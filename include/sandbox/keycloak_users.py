"""Keycloak's admin API of realm `mosip`: users and their realm roles (mosip-onboarding.md §1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.keycloak_desk import AdminDesk, Answer, nothing, read_body, read_object
from sandbox.realm import RealmUser
from sandbox.wire import json_reply


class KeycloakUsers:
    """Users, service accounts among them, and role mappings."""

    def __init__(self, desk: AdminDesk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        return self._desk.routes(
            (
                ("GET", "/users", self.list_users),
                ("POST", "/users", self.create_user),
                ("GET", "/users/{user}", self.read_user),
                ("PUT", "/users/{user}", self.update_user),
                ("DELETE", "/users/{user}", self.delete_user),
                ("PUT", "/users/{user}/reset-password", self.reset_password),
                ("GET", "/users/{user}/role-mappings/realm", self.direct_roles),
                ("GET", "/users/{user}/role-mappings/realm/composite", self.effective_roles),
                ("GET", "/users/{user}/role-mappings/realm/available", self.available_roles),
                ("POST", "/users/{user}/role-mappings/realm", self.map_roles),
                ("DELETE", "/users/{user}/role-mappings/realm", self.map_roles),
            )
        )

    def _user(self, request: web.Request) -> RealmUser:
        user = self._desk.realm.users.get(request.match_info["user"])
        if user is None:
            raise Answer(404, "User not found")
        return user

    async def list_users(self, request: web.Request) -> web.Response:
        """By `username`: the exact one with `exact=true`, otherwise every name that contains it."""
        wanted = request.query.get("username", "").lower()
        exact = request.query.get("exact", "").lower() == "true"
        found = [
            user.view()
            for user in sorted(self._desk.realm.users.values(), key=lambda user: user.username)
            if (user.username == wanted if exact else wanted in user.username)
        ]
        return json_reply(found)

    async def create_user(self, request: web.Request) -> web.Response:
        """Name and email are each unique."""
        sent = await read_object(request, "username")
        if self._desk.realm.user(sent["username"]) is not None:
            raise Answer(409, "User exists with same username")
        self._check_email(sent, None)
        user = self._desk.realm.add_user(sent["username"])
        user.fields["enabled"] = False
        _take_over(user, sent)
        return self._desk.created(request, user.id)

    async def read_user(self, request: web.Request) -> web.Response:
        """One user."""
        return json_reply(self._user(request).view())

    async def update_user(self, request: web.Request) -> web.Response:
        """What the representation has is taken over; the name cannot be changed."""
        user = self._user(request)
        sent = await read_body(request)
        if not isinstance(sent, dict):
            raise Answer(400, "a user is wanted")
        self._check_email(sent, user)
        _take_over(user, sent)
        return nothing()

    async def delete_user(self, request: web.Request) -> web.Response:
        """For good."""
        del self._desk.realm.users[self._user(request).id]
        return nothing()

    async def reset_password(self, request: web.Request) -> web.Response:
        """A temporary one opens nothing before it was changed by hand."""
        user = self._user(request)
        sent = await read_object(request, "value")
        user.password, user.temporary = sent["value"], bool(sent.get("temporary"))
        return nothing()

    def _check_email(self, sent: Mapping[str, Any], own: RealmUser | None) -> None:
        email = str(sent.get("email") or "").lower()
        others = (user for user in self._desk.realm.users.values() if user is not own)
        if email and any(str(user.fields.get("email") or "").lower() == email for user in others):
            raise Answer(409, "User exists with same email")

    def _roles(self, names: frozenset[str]) -> web.Response:
        return json_reply([self._desk.realm.roles[name] for name in sorted(names) if name in self._desk.realm.roles])

    async def direct_roles(self, request: web.Request) -> web.Response:
        """Roles given to the user itself."""
        return self._roles(frozenset(self._user(request).roles))

    async def effective_roles(self, request: web.Request) -> web.Response:
        """Those, and what they are composed of."""
        return self._roles(self._desk.realm.effective(self._user(request).roles))

    async def available_roles(self, request: web.Request) -> web.Response:
        """Roles the user could be given."""
        return self._roles(frozenset(self._desk.realm.roles) - self._user(request).roles)

    async def map_roles(self, request: web.Request) -> web.Response:
        """An array of roles, each with the id and the name that belong together."""
        user = self._user(request)
        sent = await read_body(request)
        if not isinstance(sent, list) or not all(isinstance(role, dict) for role in sent):
            raise Answer(400, "an array of roles is wanted")
        for role in sent:
            if self._desk.realm.roles.get(str(role.get("name")), {}).get("id") != role.get("id"):
                raise Answer(404, "Role not found")
        names = {str(role["name"]) for role in sent}
        user.roles = user.roles | names if request.method == "POST" else user.roles - names
        return nothing()


def _take_over(user: RealmUser, sent: Mapping[str, Any]) -> None:
    for name, value in sent.items():
        if name in ("enabled", "emailVerified", "firstName", "lastName", "email", "attributes") and value is not None:
            user.fields[name] = value
    for credential in sent.get("credentials") or ():
        if credential.get("type") == "password":
            user.password, user.temporary = credential.get("value"), bool(credential.get("temporary"))
