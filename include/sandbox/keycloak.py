"""Keycloak's realms `mosip` and `master`: tokens, discovery, keys (mosip-packets.md §10.1, mosip-onboarding.md §1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from sandbox.faults import Faults
from sandbox.realm import Realm, Refused
from sandbox.tokens import Subject, TokenOffice
from sandbox.wire import json_reply

ADMIN_TOKEN_SECONDS = 60
"""How long a token of realm master lives; nobody changes Keycloak's default there."""


@dataclass(frozen=True, slots=True)
class RealmDoor:
    """A realm, and who signs its tokens."""

    realm: Realm
    office: TokenOffice


def _refuse(status: int, code: str, description: str) -> web.Response:
    return json_reply({"error": code, "error_description": description}, status)


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user, password


def _grant(realm: Realm, client: tuple[str, str], form: Mapping[str, str]) -> Subject:
    """:raises Refused: as Keycloak does."""
    realm.authenticate(*client)
    if form["grant_type"] == "client_credentials":
        return realm.client_credentials(*client)
    if form["grant_type"] == "password":
        return realm.password(*client, form.get("username", ""), form.get("password", ""))
    raise Refused(400, "unsupported_grant_type", "Unsupported grant_type")


class Keycloak:
    """The three endpoints a client of MOSIP needs, for each realm."""

    def __init__(self, prefix: str, doors: Mapping[str, RealmDoor], faults: Faults) -> None:
        self._prefix = prefix
        self._doors = doors
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """Where they live; a realm's name is part of the path."""
        base = f"{self._prefix}/realms/{{realm}}"
        return [
            web.post(f"{base}/protocol/openid-connect/token", self.token),
            web.get(f"{base}/protocol/openid-connect/certs", self.certs),
            web.get(f"{base}/.well-known/openid-configuration", self.discovery),
        ]

    async def token(self, request: web.Request) -> web.Response:
        """Client credentials in the form or as HTTP basic authentication; or a user's name and password."""
        door = self._doors.get(request.match_info["realm"])
        if door is None:
            return _no_realm()
        form = {name: str(value) for name, value in (await request.post()).items()}
        if not form.get("grant_type"):
            return _refuse(400, "invalid_request", "Missing form parameter: grant_type")
        basic = _basic(request.headers.get("Authorization", ""))
        client = basic or (form.get("client_id", ""), form.get("client_secret", ""))
        try:
            subject = _grant(door.realm, client, form)
        except Refused as refused:
            return _refuse(refused.status, refused.code, str(refused))
        seconds = ADMIN_TOKEN_SECONDS if door.realm.name == "master" else self._faults.token_seconds
        return json_reply(
            {
                "access_token": door.office.issue(subject, seconds),
                "expires_in": seconds,
                "refresh_expires_in": 0,
                "token_type": "Bearer",
                "not-before-policy": 0,
                "scope": " ".join(sorted(subject.scopes)),
            },
            headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
        )

    async def certs(self, request: web.Request) -> web.Response:
        """The realm's public keys."""
        door = self._doors.get(request.match_info["realm"])
        return _no_realm() if door is None else json_reply(door.office.certs())

    async def discovery(self, request: web.Request) -> web.Response:
        """OpenID discovery."""
        door = self._doors.get(request.match_info["realm"])
        if door is None:
            return _no_realm()
        base = f"{door.office.issuer}/protocol/openid-connect"
        return json_reply(
            {
                "issuer": door.office.issuer,
                "authorization_endpoint": f"{base}/auth",
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/certs",
                "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token", "password"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )


def _no_realm() -> web.Response:
    return json_reply({"error": "Realm does not exist"}, 404)
