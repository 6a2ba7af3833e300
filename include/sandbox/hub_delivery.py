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
    """Talks to subscribers.

    :ivar faults: what goes wrong at the hub.
    """

    def __init__(self, settings: Settings, faults: Faults, session: aiohttp.ClientSession, hub_url: str) -> None:
        self._settings = settings
        self.faults = faults
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
        """One message. :returns: False when the subscriber did not take it, and so has to be dropped."""
        if self.faults.quiet:
            return await self._send(subscription, body)
        if self.faults.hit("events_off") or self.faults.hit("delivery_lost"):
            return True
        if self.faults.hit("delivery_delay"):
            await asyncio.sleep(self.faults.seconds("delivery_delay"))
        if not await self._send(subscription, body):
            return False
        return not self.faults.hit("delivery_duplicate") or await self._send(subscription, body)

    async def _send(self, subscription: Subscription, body: bytes) -> bool:
        """Connection errors are retried, an answer outside 2xx is not."""
        secret = subscription.secret + ("-of-old" if self.faults.hit("stale_signature") else "")
        headers = {
            "Content-Type": "application/json",
            "Link": f'{self._hub_url}; rel="hub", {subscription.topic}; rel="self"',
            "X-Hub-Signature": sign(secret, body, legacy=self.faults.hit("legacy_signature")),
        }

        async def exchange() -> bool:
            url = URL(subscription.callback, encoded=True)
            async with self._session.post(
                url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
            ) as answer:
                await answer.read()
                return 200 <= answer.status < 300

        taken = await self._retrying(exchange) or False
        subscription.deliveries += taken
        return taken

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
    faults = courier.faults
    if faults.hit("registered_not_flowing"):
        subscription.stalled = True
        return
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
        for body in _in_delivery_order(polled, faults):
            if not await courier.deliver(subscription, body):
                hub.drop(subscription)
                return
            subscription.delivered = min(subscription.delivered + 1, position)
            subscription.committed = position
            if faults.hit("hub_drop"):
                hub.drop(subscription)
                return


def _in_delivery_order(polled: list[bytes], faults: Faults) -> list[bytes]:
    """The messages of one poll, in the order and as often as they go out."""
    if len(polled) > 1 and faults.hit("delivery_reorder"):
        polled.reverse()
    return polled * 2 if faults.hit("hub_rebalance") else polled
