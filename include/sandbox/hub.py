"""`POST /hub/`: the WebSub hub's one URL (mosip-events.md §1.2-1.5)."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from sandbox.gate import Gatekeeper, hub_token
from sandbox.hub_delivery import Courier
from sandbox.hub_state import Hub
from sandbox.tokens import Claims

CONTENT_TYPES = frozenset(
    {
        "application/x-www-form-urlencoded", "application/json", "application/xml", "application/octet-stream",
        "text/plain",
    }
)  # fmt: skip
FORM = "application/x-www-form-urlencoded"
_SERVICE_ACCOUNT = "service-account-"
_BROKER = "Error occurred while publishing the content"
_OUTAGE = "Error occurred while validating the token"


def may_subscribe(claims: Claims | None, topic: str) -> bool:
    """Roles a subscriber needs, by the form of the topic (mosip-events.md §1.3)."""
    if claims is None:
        return False
    partner, slash, name = topic.partition("/")
    if not slash:
        return f"SUBSCRIBE_{topic}_GENERAL" in claims.roles
    user = claims.user_id.removeprefix(_SERVICE_ACCOUNT)
    return f"SUBSCRIBE_{name}_INDIVIDUAL" in claims.roles and user == partner


def may_publish(claims: Claims | None, topic: str) -> bool:
    """Roles a publisher needs."""
    if claims is None:
        return False
    _, slash, name = topic.partition("/")
    role = f"PUBLISH_{name}_ALL_INDIVIDUAL" if slash else f"PUBLISH_{topic}_GENERAL"
    return role in claims.roles


def _answer(status: int, reason: str | None = None) -> web.Response:
    text = "hub.mode=accepted" if reason is None else f"hub.mode=denied&hub.reason={reason}"
    return web.Response(status=status, text=text, content_type=FORM)


def _bad(text: str, status: int = 400) -> web.Response:
    return web.Response(status=status, text=text)


class HubService:
    """The endpoint. HTTP codes mislead on purpose: 500 for an unauthorised subscriber, 200 for a denied publisher."""

    def __init__(self, gatekeeper: Gatekeeper, hub: Hub, courier: Courier) -> None:
        self._gatekeeper = gatekeeper
        self._hub = hub
        self._courier = courier
        self._faults = courier.faults
        self._verifying: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """Where it lives."""
        return [
            web.post("/hub", self.call),
            web.post("/hub/", self.call),
            web.get("/hub/actuator/health", self.health),
        ]

    async def health(self, request: web.Request) -> web.Response:
        """Always up."""
        return web.json_response({"status": "UP", "details": {}})

    async def call(self, request: web.Request) -> web.Response:
        """Told apart by `hub.mode`: in the query for publish, in the form for everything else."""
        if request.content_type not in CONTENT_TYPES:
            return _bad("Unrecognized content-type [" + request.content_type + "] found.")
        body = await request.read()
        values = dict(request.query)
        if values.get("hub.mode") != "publish":
            form = body.decode("utf-8", "replace") if request.content_type == FORM else ""
            values = dict(parse_qsl(form, keep_blank_values=True))
        mode, topic = values.get("hub.mode", ""), values.get("hub.topic", "")
        if not mode or not topic:
            return _bad("Missing required parameter hub.mode or hub.topic")
        claims = self._gatekeeper.claims(request, hub_token)
        if mode == "publish":
            return self._publish(claims, topic, body)
        if mode in ("register", "deregister"):
            return self._register(claims, mode, topic)
        if mode in ("subscribe", "unsubscribe"):
            return self._subscribe(claims, mode, topic, values)
        return _bad(f"The request does not include valid hub.mode form param: {mode}")

    @property
    def verifying(self) -> int:
        """Intent verifications and denials under way."""
        return len(self._verifying)

    def close(self) -> None:
        """Stop verifications that are under way."""
        for task in self._verifying:
            task.cancel()

    def _publish(self, claims: Claims | None, topic: str, body: bytes) -> web.Response:
        if not may_publish(claims, topic):
            return _answer(200, "Publisher is not authorized")
        if self._faults.hit("publish_denied"):
            return _answer(200, _BROKER)
        try:
            message = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return _answer(200, "Payload is not valid JSON")
        self._hub.publish(topic, message)
        return _answer(200)

    def _register(self, claims: Claims | None, mode: str, topic: str) -> web.Response:
        if not may_publish(claims, topic):
            return _answer(200, "Publisher is not authorized")
        if self._faults.hit("publish_denied"):
            return _answer(200, _BROKER)
        if mode == "register":
            return _answer(200, None if self._hub.register(topic) else "Topic has already registered with the Hub")
        return _answer(200, None if self._hub.deregister(topic) else "Topic has not been registered in the Hub")

    def _subscribe(self, claims: Claims | None, mode: str, topic: str, values: dict[str, str]) -> web.Response:
        callback = values.get("hub.callback", "")
        if not callback:
            return _bad("Missing required parameter hub.callback")
        if self._faults.hit("subscribe_500"):
            return _answer(500, _OUTAGE)
        if not may_subscribe(claims, topic):
            return _answer(500, "Subscriber is not authorized")
        secret = values.get("hub.secret", "")
        if mode == "subscribe" and not secret:
            # Optional in the standard, a panic here (mosip-events.md §1.2).
            return _bad("incompatible types: '()' cannot be cast to 'string'", 500)
        if self._faults.hit("subscribe_silent"):
            return _answer(202)
        verification = (
            self._verify_subscribe(topic, callback, secret, values.get("hub.lease_seconds"))
            if mode == "subscribe"
            else self._verify_unsubscribe(topic, callback)
        )
        task = asyncio.create_task(verification)
        self._verifying.add(task)
        task.add_done_callback(self._verifying.discard)
        return _answer(202)

    async def _verify_subscribe(self, topic: str, callback: str, secret: str, lease: str | None) -> None:
        """202 → validation → GET callback → persist → delivery (mosip-events.md §1.4)."""
        self._hub.register(topic)
        if self._faults.hit("challenge_delay"):
            await asyncio.sleep(self._faults.seconds("challenge_delay"))
        if self._hub.is_active(topic, callback):
            await self._courier.deny(topic, callback, "Subscriber has already registered with the Hub")
        elif await self._courier.verify_intent("subscribe", topic, callback, lease):
            self._hub.subscribe(topic, callback, secret)

    async def _verify_unsubscribe(self, topic: str, callback: str) -> None:
        if not self._hub.has_topic(topic):
            await self._courier.deny(topic, callback, f"Topic [{topic}] is not registered with the Hub")
        elif not self._hub.is_active(topic, callback):
            reason = f"Could not find a valid subscriber for Topic [{topic}] and Callback [{callback}]"
            await self._courier.deny(topic, callback, reason)
        elif await self._courier.verify_intent("unsubscribe", topic, callback, None):
            self._hub.unsubscribe(topic, callback)
