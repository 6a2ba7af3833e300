"""The hub's calls to a subscriber: intent verification, denial, delivery (mosip-events.md §1.4, §1.5, §1.7)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
from yarl import URL

from sandbox.faults import Faults
from sandbox.hub_state import Hub, Subscription
from sandbox.settings import Settings

LEASE_SECONDS = "864000"
_FACTOR = 2.0
_NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError, ValueError)

T = TypeVar("T")


def sign(secret: str, body: bytes, *, legacy: bool = False) -> str:
    """`X-Hub-Signature`: lower-case hex of HMAC-SHA256 over the raw body."""
    prefix = "SHA256" if legacy else "sha256"
    return f"{prefix}={hmac.digest(secret.encode(), body, hashlib.sha256).hex()}"


def with_query(callback: str, pairs: list[tuple[str, str]]) -> URL:
    """The callback with parameters that are not URL-encoded, but for blanks, which no request line can hold."""
    text = "&".join(f"{name}={value}" for name, value in pairs).replace(" ", "%20")
    return URL(callback + ("&" if "?" in callback else "?") + text, encoded=True)


class Courier:
    """Talks to subscribers."""

    def __init__(self, settings: Settings, faults: Faults, session: aiohttp.ClientSession, hub_url: str) -> None:
        self._settings = settings
        self._faults = faults
        self._session = session
        self._hub_url = hub_url
        self._timeout = aiohttp.ClientTimeout(total=settings.callback_timeout_seconds)

    async def verify_intent(self, mode: str, topic: str, callback: str, lease: str | None) -> bool:
        """The body must equal the challenge; the status is not looked at."""
        challenge = str(uuid.uuid4())
        pairs = [("hub.mode", mode), ("hub.topic", topic), ("hub.challenge", challenge)]
        if mode == "subscribe":
            pairs.append(("hub.lease_seconds", lease or LEASE_SECONDS))
        answer = await self._get(callback, pairs)
        return answer == challenge.encode()

    async def deny(self, topic: str, callback: str, reason: str) -> None:
        """Tell a subscriber that it was refused."""
        pairs = [("hub.mode", "denied"), ("hub.topic", topic), ("hub.reason", reason)]
        await self._get(callback, pairs)

    async def deliver(self, subscription: Subscription, body: bytes) -> bool:
        """One message; connection errors are retried, an answer outside 2xx is not."""
        headers = {
            "Content-Type": "application/json",
            "Link": f'{self._hub_url}; rel="hub", {subscription.topic}; rel="self"',
            "X-Hub-Signature": sign(subscription.secret, body, legacy=self._faults.hit("legacy_signature")),
        }

        async def exchange() -> bool:
            url = URL(subscription.callback, encoded=True)
            async with self._session.post(
                url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                await answer.read()
                return 200 <= answer.status < 300

        return await self._retrying(exchange) or False

    async def _get(self, callback: str, pairs: list[tuple[str, str]]) -> bytes | None:
        async def exchange() -> bytes:
            url = with_query(callback, pairs)
            async with self._session.get(url, timeout=self._timeout, allow_redirects=False) as answer:
                return await answer.read()

        return await self._retrying(exchange)

    async def _retrying(self, exchange: Callable[[], Awaitable[T]]) -> T | None:
        """The exchange's result; None when the connection failed every time."""
        wait = self._settings.retry_seconds
        for _ in range(self._settings.retry_count):
            try:
                return await exchange()
            except _NO_ANSWER:
                await asyncio.sleep(wait)
                wait = min(wait * _FACTOR, self._settings.retry_cap_seconds)
        try:
            return await exchange()
        except _NO_ANSWER:
            return None


async def run_worker(hub: Hub, courier: Courier, subscription: Subscription, settings: Settings) -> None:
    """Deliver in order, a poll at a time.

    A commit after each success covers the whole poll. So a failure behind a success loses the rest of that poll, and
    a failure at its head loses nothing (mosip-events.md §1.7).
    """
    if settings.sync_seconds > 0:
        await asyncio.sleep(settings.sync_seconds)
        if not subscription.deliveries and not subscription.drops:
            subscription.committed = subscription.delivered = hub.end(subscription.topic)
    position = subscription.delivered = subscription.committed
    while True:
        polled = hub.poll(subscription.topic, position, settings.poll_records)
        if not polled:
            subscription.wake.clear()
            await subscription.wake.wait()
            continue
        position += len(polled)
        for body in polled:
            if not await courier.deliver(subscription, body):
                hub.drop(subscription)
                return
            subscription.deliveries += 1
            subscription.delivered += 1
            subscription.committed = position
