"""MOSIP as a credential partner meets it: tokens, data share, credential requests and the hub's publishing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

SHARE = "/v1/datashare/get/a-policy/crvs1/"


@dataclass
class SmallMosip:
    """Does what the test tells it to.

    :param shares: bytes by the last part of their link.
    :param left: how often each link still works; those that are not named work always.
    :param down: services that answer 503: ``share``, ``request``, ``hub``.
    :param forbidden: services that refuse the partner's token.
    :param on_share: called when a share was given out.
    """

    shares: dict[str, bytes] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)
    looks: list[str] = field(default_factory=list)
    retriggered: list[str] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    on_share: Callable[[], None] | None = None
    on_publish: Callable[[], None] | None = None

    def app(self) -> Starlette:
        """Make the ASGI application."""
        return Starlette(
            routes=[
                Route("/auth/realms/mosip/protocol/openid-connect/token", self._token, methods=["POST"]),
                Route(SHARE + "{name}", self._share),
                Route("/v1/credentialrequest/retrigger/{request}", self._retrigger, methods=["PUT"]),
                Route("/hub/", self._publish, methods=["POST"]),
            ]
        )

    def _stopped(self, service: str) -> Response | None:
        if service in self.down:
            return PlainTextResponse("down", status_code=503)
        if service in self.forbidden:
            return PlainTextResponse("forbidden", status_code=403)
        return None

    async def _token(self, _: Request) -> Response:
        return JSONResponse({"access_token": "a-token", "expires_in": 300})

    async def _share(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.looks.append(name)
        if stopped := self._stopped("share"):
            return stopped
        if name not in self.shares or self.left.get(name, 1) == 0:
            code = "DAT-SER-006" if name in self.shares else "DAT-SER-008"
            return JSONResponse({"errors": [{"errorCode": code, "message": "no"}], "dataShare": None})
        if name in self.left:
            self.left[name] -= 1
        if self.on_share:
            self.on_share()
        return Response(self.shares[name], media_type="application/octet-stream")

    async def _retrigger(self, request: Request) -> Response:
        if stopped := self._stopped("request"):
            return stopped
        self.retriggered.append(request.path_params["request"])
        if request.path_params["request"].startswith("unknown"):
            return JSONResponse({"response": None, "errors": [{"errorCode": "IDR-CRG-003", "message": "no"}]})
        return JSONResponse({"response": {"requestId": request.path_params["request"]}, "errors": None})

    async def _publish(self, request: Request) -> Response:
        assert request.query_params["hub.mode"] == "publish"
        if "hub" in self.down:
            return PlainTextResponse("down", status_code=503)
        if "hub" in self.forbidden:
            return PlainTextResponse("hub.mode=denied&hub.reason=Publisher is not authorized")
        body = json.loads(await request.body())
        assert body["topic"] == request.query_params["hub.topic"] == "CREDENTIAL_STATUS_UPDATE"
        self.said.append(body)
        if self.on_publish:
            self.on_publish()
        return PlainTextResponse("hub.mode=accepted")
