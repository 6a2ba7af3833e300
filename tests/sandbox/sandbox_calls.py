"""A caller and a subscriber for the sandbox's tests."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from aiohttp import web
from sandbox_samples import trigger

from sandbox.app import Sandbox

CREATE = "/commons/v1/packetmanager/createPacket"
READ = "/commons/v1/packetmanager"
TRIGGER = "/registrationprocessor/v1/workflowmanager/workflowinstance"
STATUS = "/registrationprocessor/v1/registrationstatus"
TOPIC = "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT"
SECRET = "hub-secret"


class Caller:
    """Calls a sandbox over HTTP."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())
        self.token = sandbox.token(client_id=None if sandbox.settings.onboarded else "mosip-deployment-client")
        self.regproc = sandbox.token(client_id="mosip-regproc-client")

    async def close(self) -> None:
        """Hang up and stop the sandbox."""
        await self.http.close()
        await self.sandbox.close()

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any, Any]:
        """Status, parsed body (text when it is not JSON), headers."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"Cookie": f"Authorization={token or self.token}", "Content-Type": "application/json"} | (headers or {})
        sent = {name: value for name, value in sent.items() if value}
        async with self.http.request(method, self.sandbox.url + path, data=data, headers=sent) as answer:
            text = await answer.text()
            try:
                return answer.status, json.loads(text), answer.headers
            except ValueError:
                return answer.status, text, answer.headers

    async def create(self, body: Any, **options: Any) -> tuple[int, Any, Any]:
        """PUT createPacket."""
        return await self.call("PUT", CREATE, body, **options)

    async def trigger(self, body: Any, **options: Any) -> tuple[int, Any, Any]:
        """POST workflowinstance."""
        return await self.call("POST", TRIGGER, body, **options)

    async def read(self, path: str, **asked: Any) -> Any:
        """A reading call of the packet manager with regproc's token; its `response`."""
        status, body, _ = await self.call("POST", READ + path, {"request": asked}, token=self.regproc)
        assert status == 200, body
        return body["response"]

    async def field(self, aid: str, name: str) -> Any:
        """One field as it reads back."""
        return (await self.read("/searchField", id=aid, field=name))["fields"][name]

    async def submit(self, body: dict[str, Any]) -> str:
        """Create and trigger, which must both be accepted."""
        aid, process = body["request"]["id"], body["request"]["process"]
        assert (await self.create(body))[1]["response"]
        assert (await self.trigger(trigger(aid, process)))[1]["response"]
        return str(aid)

    async def finish(self, body: dict[str, Any]) -> dict[str, Any]:
        """Create, trigger, tick: what the record says of the application."""
        aid = await self.submit(body)
        await self.sandbox.tick()
        return self.sandbox.record.applications[aid].view()

    async def hub(self, values: dict[str, str], **options: Any) -> tuple[int, str]:
        """A form sent to the hub."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | options.pop("headers", {})
        form = "&".join(f"{name}={value}" for name, value in values.items()).encode()
        status, text, _ = await self.call("POST", "/hub/", form, headers=headers, **options)
        return status, text

    async def subscribe(self, subscriber: Subscriber, topic: str = TOPIC, secret: str = SECRET) -> tuple[int, str]:
        """Subscribe and wait until the hub has asked back."""
        asked = len(subscriber.asked)
        answer = await self.hub(
            {"hub.mode": "subscribe", "hub.topic": topic, "hub.callback": subscriber.url, "hub.secret": secret}
        )
        await until(lambda: len(subscriber.asked) > asked)
        await until(lambda: not self.sandbox.verifying)
        return answer

    async def totals(self) -> dict[str, Any]:
        """The record's totals over HTTP."""
        _, body, _ = await self.call("GET", "/sandbox/record?totals=1")
        return dict(body["totals"])


class Subscriber:
    """A callback server that remembers what it was asked and sent."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.raw_queries: list[str] = []
        self.received: list[tuple[bytes, dict[str, str]]] = []
        self.status = 200
        self.statuses: list[int] = []
        self.answer: str | None = None

    async def listen(self, port: int = 0) -> None:
        """Begin to listen."""
        app = web.Application()
        app.router.add_get("/callback", self._ask)
        app.router.add_post("/callback", self._receive)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}/callback"

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    @property
    def events(self) -> list[dict[str, Any]]:
        """The bodies received with success."""
        return [json.loads(body) for body, _ in self.received]

    async def _ask(self, request: web.Request) -> web.Response:
        self.raw_queries.append(request.raw_path.partition("?")[2])
        self.asked.append(dict(request.query))
        return web.Response(text=self.answer or request.query.get("hub.challenge", ""))

    async def _receive(self, request: web.Request) -> web.Response:
        status = self.statuses.pop(0) if self.statuses else self.status
        if status == 200:
            self.received.append((await request.read(), dict(request.headers)))
        return web.Response(status=status)


async def until(true: Any, seconds: float = 3.0) -> None:
    """Wait until a condition holds."""
    for _ in range(int(seconds / 0.005)):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came true")
