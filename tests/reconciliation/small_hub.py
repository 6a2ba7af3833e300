"""A small WebSub hub with a token endpoint: it does what the test tells it to (``mosip-events.md`` §1.3 to §1.5)."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

CHALLENGE = "5f3c1d2e-0000-4000-8000-1234567890ab"


@dataclass
class SmallHub:
    """Takes subscriptions.

    :param then: what it does after it has accepted one: :meth:`verify`, :meth:`deny`, or nothing.
    :param refusal: answers every request; :param refusals: answer those for some topics.
    """

    then: Callable[[dict[str, str]], None] | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    echoes: list[bytes] = field(default_factory=list)
    refusal: tuple[int, str] | None = None
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    clients: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        """Make the ASGI application."""
        return Starlette(
            routes=[
                Route("/auth/realms/mosip/protocol/openid-connect/token", self._token, methods=["POST"]),
                Route("/hub/", self._subscribe, methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        client = parse_qs((await request.body()).decode())["client_id"][0]
        self.clients.append(client)
        token = "a-token" if client == "crvs-client" else f"a-token-of-{client}"
        return JSONResponse({"access_token": token, "expires_in": 300})

    async def _subscribe(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        self.asked.append(form)
        self.cookies.append(request.headers.get("cookie", ""))
        refusal = self.refusals.get(form["hub.topic"], self.refusal)
        if refusal is not None:
            return PlainTextResponse(refusal[1], status_code=refusal[0])
        if self.then is not None:
            threading.Thread(target=self.then, args=(form,), daemon=True).start()
        return PlainTextResponse("hub.mode=accepted", status_code=202)

    def verify(self, form: dict[str, str]) -> None:
        """Challenge the subscriber."""
        self.echoes.append(
            _get(f"{form['hub.callback']}?hub.mode={form['hub.mode']}&hub.topic={form['hub.topic']}&hub.challenge={CHALLENGE}")
        )

    def asked_for(self, topic: str) -> list[dict[str, str]]:
        """Give the requests for one topic, oldest first."""
        return [asked for asked in self.asked if asked["hub.topic"] == topic]

    def deny(self, reason: str) -> Callable[[dict[str, str]], None]:
        """Give what denies every subscription for a reason."""

        def tell(form: dict[str, str]) -> None:
            _get(f"{form['hub.callback']}?hub.mode=denied&hub.topic={form['hub.topic']}&hub.reason={quote(reason)}")

        return tell


def _get(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=10) as reply:
            return bytes(reply.read())
    except urllib.error.HTTPError as problem:
        return b"HTTP %d" % problem.code
    except OSError:
        return b"not reached"
