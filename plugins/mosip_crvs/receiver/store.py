"""The receiver's side of the ledger: what is waiting is stored together, and answered only when it is durable."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from dataclasses import dataclass, field

from sqlalchemy import Engine, text

from mosip_crvs.errors import LedgerUnavailable
from mosip_crvs.ledger import subscriptions
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.inbox import REFUSE, STORE
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.ledger.subscriptions import CALLBACK_PATH, Subscription

MOST_WAITING = 10_000
MOST_REFUSALS_A_MINUTE = 600
_FRESH_SECONDS = 5.0
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Group:
    topics: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Store:
    """All that the receiver reads and writes.

    :param seal: opens the secrets of our subscriptions.
    """

    def __init__(self, ledger: Engine, seal: Seal) -> None:
        self._ledger = ledger
        self._seal = seal
        self._waiting: _Group | None = None
        self._writer: asyncio.Task[None] | None = None
        self._known: dict[str, tuple[Subscription, str]] = {}
        self._known_at = 0.0

    async def subscription(self, token: str, *, fresh: bool = False) -> tuple[Subscription, str] | None:
        """Find the subscription that a callback's last part names, with its secret.

        :param fresh: look into the ledger even if the last look was moments ago.
        """
        if fresh or time.monotonic() - self._known_at > _FRESH_SECONDS:
            every = await asyncio.to_thread(subscriptions.every, self._ledger)
            self._known = {
                s.callback.rpartition(CALLBACK_PATH)[2]: (s, self._seal.open(s.sealed_secret)) for s in every
            }
            self._known_at = time.monotonic()
        return self._known.get(token)

    async def keep(self, topic: str, body: bytes) -> None:
        """Store a notification; returns when it is durable.

        :raises LedgerUnavailable: when it is not; the hub must then be told to come again.
        """
        if self._waiting is None:
            self._waiting = _Group()
        group = self._waiting
        if len(group.topics) >= MOST_WAITING:
            raise LedgerUnavailable("too many notifications are waiting to be stored")
        group.topics.append(topic)
        group.bodies.append(body)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(group.done)

    async def refuse(self, topic: str, reason: str, body: bytes, size: int) -> None:
        """Note a post that is not believed: facts about it, never the post itself."""
        log.warning("A post to the WebSub callback was refused: %s, %d bytes", reason, size)
        facts = {
            "topic": topic,
            "reason": reason,
            "body_bytes": size,
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "most_a_minute": MOST_REFUSALS_A_MINUTE,
        }
        try:
            await asyncio.to_thread(self._execute_refusal, facts)
        except LedgerUnavailable as problem:
            log.warning("The refusal could not be noted: %s", problem)

    async def hub_said(self, subscription: Subscription, state: str, reason: str | None = None) -> None:
        """Note the hub's challenge or denial."""
        await asyncio.to_thread(
            subscriptions.answer, self._ledger, subscription.topic, subscription.callback, state, reason
        )

    async def check(self) -> None:
        """Make sure that the ledger answers.

        :raises LedgerUnavailable: when it does not.
        """
        await asyncio.to_thread(self._ping)

    async def _write(self) -> None:
        while self._waiting is not None:
            group, self._waiting = self._waiting, None
            try:
                await asyncio.to_thread(self._execute_store, group.topics, group.bodies)
            except Exception as problem:
                log.error("Notifications could not be stored: %s", type(problem).__name__)
                group.done.set_exception(LedgerUnavailable(type(problem).__name__))
                group.done.exception()
            else:
                group.done.set_result(None)

    def _execute_store(self, topics: list[str], bodies: list[bytes]) -> None:
        digests = [hashlib.sha256(body).hexdigest() for body in bodies]
        with transaction(self._ledger) as connection:
            connection.execute(STORE, {"topics": topics, "bodies": bodies, "digests": digests})

    def _execute_refusal(self, facts: dict[str, object]) -> None:
        with transaction(self._ledger) as connection:
            connection.execute(REFUSE, facts)

    def _ping(self) -> None:
        with transaction(self._ledger) as connection:
            connection.execute(text("SELECT 1"))
