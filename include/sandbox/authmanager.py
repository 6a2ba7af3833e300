"""authmanager: tokens by client id and secret, and their validation (mosip-packets.md §10.1, §10.3)."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from sandbox.faults import Faults
from sandbox.gate import Gatekeeper, refusal, spring_token
from sandbox.realm import Realm, Refused
from sandbox.tokens import TokenOffice
from sandbox.wire import envelope, error, json_reply

APP_IDS = frozenset(
    {
        "admin", "crereq", "creser", "datsha", "digitalcard", "hotlist", "ida", "idrepo", "partner", "pms",
        "prereg", "registrationclient", "regproc", "resident", "compliance", "signup",
    }
)  # fmt: skip
"""Application ids of the realm map. The list is MOSIP's customary one; a country may change it (unverified)."""

COOKIE_MAX_AGE = 6_000_000


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


class AuthManager:
    """The two authmanager calls a client meets."""

    def __init__(self, office: TokenOffice, realm: Realm, faults: Faults, gatekeeper: Gatekeeper) -> None:
        self._office = office
        self._realm = realm
        self._faults = faults
        self._gatekeeper = gatekeeper

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        return [
            web.post("/v1/authmanager/authenticate/clientidsecretkey", self.authenticate),
            web.get("/v1/authmanager/authorize/admin/validateToken", self.validate_token),
        ]

    async def authenticate(self, request: web.Request) -> web.Response:
        """The token is in a header and a cookie, never in the body; a wrong secret is a 500."""
        try:
            sent = msgspec.json.decode(await request.read())["request"]
            asked = (_text(sent.get("clientId")), _text(sent.get("secretKey")), _text(sent.get("appId")))
        except (msgspec.DecodeError, AttributeError, KeyError, TypeError):
            asked = ("", "", "")
        client_id, secret, app_id = asked
        if not all(asked):
            return json_reply(envelope(None, [error("KER-ATH-019", "Invalid request")]))
        if app_id.lower() not in APP_IDS:
            return json_reply(envelope(None, [error("KER-ATH-026", f"Realm not found:: {app_id}")]))
        try:
            subject = self._realm.client_credentials(client_id, secret)
        except Refused:
            return json_reply(envelope(None, [error("500", "401 Unauthorized")]), 500)
        token = self._office.issue(subject, self._faults.token_seconds)
        message = "Clientid and Token combination had been validated successfully"
        body = envelope({"status": "Success", "message": message}, None, id="string", version="string")
        cookie = f"Authorization={token}; Max-Age={COOKIE_MAX_AGE}; Path=/; HttpOnly"
        return json_reply(body, headers={"Authorization": token, "Set-Cookie": cookie})

    async def validate_token(self, request: web.Request) -> web.Response:
        """User id and roles of the cookie's token; what the hub asks on every request."""
        claims = self._gatekeeper.claims(request, spring_token)
        if claims is None:
            return refusal(401)
        user = {
            "userId": claims.user_id,
            "mobile": None,
            "mail": None,
            "langCode": None,
            "userPassword": None,
            "name": claims.user_id,
            "role": ",".join(sorted(claims.roles)),
            "token": spring_token(request.headers.get("Cookie", "")),
            "rId": None,
        }
        return json_reply(envelope(user, None))
