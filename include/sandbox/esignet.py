"""`/v1/esignet`: discovery, client management, the token endpoint as far as a machine gets (mosip-onboarding.md §8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.esignet_clients import ASSERTION_TYPE, EsignetClients
from sandbox.gate import Gatekeeper
from sandbox.pms import Call, Handler, Refused, Row, read_call
from sandbox.pms_content import OFFERED, PmsContent
from sandbox.wire import json_reply, now_text

BASE = "/v1/esignet"
KINDS = ("oidc-client", "oauth-client", "client")
TOKEN_PATHS = (f"{BASE}/oauth/v2/token", f"{BASE}/oauth/token")


def _envelope(response: Any, code: str | None = None) -> Row:
    """eSignet's wrapper: `responseTime`, and `errorMessage` where the others say `message`."""
    errors = [] if code is None else [{"errorCode": code, "errorMessage": code}]
    return {"responseTime": now_text(), "response": response, "errors": errors}


def _refuse(code: str) -> web.Response:
    return json_reply({"error": code, "error_description": code}, 400)


class EsignetService:
    """The endpoints. Client management looks at a bearer token's scope, at no cookie and at no role.

    :param url: base URL of the sandbox, without a trailing slash.
    :param wrote: told of every accepted call that changed something.
    """

    def __init__(
        self,
        url: str,
        gatekeeper: Gatekeeper,
        content: PmsContent,
        clients: EsignetClients,
        wrote: Callable[[web.Request], None],
    ) -> None:
        self._url = url
        self._content = content
        self._gatekeeper = gatekeeper
        self._clients = clients
        self._wrote = wrote

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        found = [web.get(f"{BASE}/oidc/.well-known/openid-configuration", self.discovery)]
        found += [web.post(path, self.token) for path in TOKEN_PATHS]
        for kind in KINDS:
            path = f"{BASE}/client-mgmt/{kind}"
            found.append(web.post(path, self._managed(self.create, "add_oidc_client")))
            found.append(web.put(f"{path}/{{id}}", self._managed(self.update, "update_oidc_client")))
        return found

    async def discovery(self, request: web.Request) -> web.Response:
        """What eSignet can do; needs no token."""
        return json_reply(
            {
                "issuer": self._url + BASE,
                "authorization_endpoint": f"{self._url}/authorize",
                "token_endpoint": self._url + TOKEN_PATHS[0],
                "userinfo_endpoint": f"{self._url}{BASE}/oidc/userinfo",
                "jwks_uri": f"{self._url}{BASE}/oauth/.well-known/jwks.json",
                "scopes_supported": ["openid", "profile", "email", "phone"],
                "response_types_supported": ["code"],
                **{name: self._content.offered(name) for name in OFFERED},
                "id_token_signing_alg_values_supported": ["RS256"],
                "userinfo_signing_alg_values_supported": ["RS256"],
            }
        )

    def create(self, call: Call) -> Row:
        """A relying party that IDA does not know of, unless PMS made it."""
        row = self._clients.create(call.body, call.claims.user_id)
        return {"clientId": row["id"], "status": row["status"]}

    def update(self, call: Call) -> Row:
        """A relying party's names, addresses and status."""
        row = self._clients.update(call.path("id"), call.body, call.claims.user_id)
        return {"clientId": row["id"], "status": row["status"]}

    async def token(self, request: web.Request) -> web.Response:
        """Who the client is, is looked at; then every code is unknown, since nobody logs in here."""
        form = await request.post()
        sent = {name: str(value) for name, value in form.items()}
        if sent.get("grant_type") not in self._content.offered("grant_types_supported"):
            return _refuse("unsupported_grant_type" if sent.get("grant_type") else "invalid_request")
        audiences = [self._url + path for path in TOKEN_PATHS]
        is_own = sent.get("client_assertion_type") == ASSERTION_TYPE and self._clients.proves(
            sent.get("client_id", ""), sent.get("client_assertion", ""), audiences
        )
        return _refuse("invalid_grant" if is_own else "invalid_client")

    def _managed(self, handler: Handler, scope: str) -> Callable[[web.Request], Any]:
        async def serve(request: web.Request) -> web.Response:
            claims = self._gatekeeper.bearer(request)
            if claims is None or scope not in claims.scopes:
                # Spring's resource server answers without a body.
                return web.Response(status=401 if claims is None else 403)
            call = await read_call(request, claims)
            if call is None:
                return json_reply(_envelope(None, "invalid_request"))
            try:
                done = handler(call)
            except Refused as refused:
                return json_reply(_envelope(None, refused.code))
            self._wrote(request)
            return json_reply(_envelope(done))

        return serve
