"""Keycloak's realm `mosip`: tokens, discovery, keys (mosip-packets.md §10.1)."""

from __future__ import annotations

import base64
import binascii

from aiohttp import web

from sandbox.faults import Faults
from sandbox.settings import Client
from sandbox.tokens import TokenOffice
from sandbox.wire import json_reply

REALM = "/auth/realms/mosip"


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


class Keycloak:
    """The three endpoints a client of MOSIP needs."""

    def __init__(self, office: TokenOffice, clients: dict[str, Client], faults: Faults) -> None:
        self._office = office
        self._clients = clients
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        return [
            web.post(f"{REALM}/protocol/openid-connect/token", self.token),
            web.get(f"{REALM}/protocol/openid-connect/certs", self.certs),
            web.get(f"{REALM}/.well-known/openid-configuration", self.discovery),
        ]

    async def token(self, request: web.Request) -> web.Response:
        """Client credentials in the form or as HTTP basic authentication."""
        form = await request.post()
        grant = form.get("grant_type")
        if not grant:
            return _refuse(400, "invalid_request", "Missing form parameter: grant_type")
        basic = _basic(request.headers.get("Authorization", ""))
        client_id, secret = basic or (str(form.get("client_id", "")), str(form.get("client_secret", "")))
        client = self._clients.get(client_id)
        if client is None:
            return _refuse(401, "invalid_client", "Invalid client credentials")
        if client.secret != secret:
            return _refuse(401, "unauthorized_client", "Invalid client secret")
        if grant != "client_credentials":
            return _refuse(400, "unsupported_grant_type", "Unsupported grant_type")
        seconds = self._faults.token_seconds
        return json_reply(
            {
                "access_token": self._office.issue(client, seconds),
                "expires_in": seconds,
                "refresh_expires_in": 0,
                "token_type": "Bearer",
                "not-before-policy": 0,
                "scope": "email profile",
            },
            headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
        )

    async def certs(self, request: web.Request) -> web.Response:
        """The realm's public keys."""
        return json_reply(self._office.certs())

    async def discovery(self, request: web.Request) -> web.Response:
        """OpenID discovery."""
        base = f"{self._office.issuer}/protocol/openid-connect"
        return json_reply(
            {
                "issuer": self._office.issuer,
                "authorization_endpoint": f"{base}/auth",
                "token_endpoint": f"{base}/token",
                "jwks_uri": f"{base}/certs",
                "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token", "password"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )
