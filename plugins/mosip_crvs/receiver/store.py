"""The receiver's side of the ledger: what is waiting is stored together, and answered only when it is durable."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from dataclasses import dataclass, field

from sqlalchemy import Engine, text

from mosip_crvs.errors import LedgerUnavailable, MosipCrvsError, StopTheRun
from mosip_crvs.ledger import handshakes, subscriptions
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.inbox import REFUSE, STORE
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.ledger.subscriptions import Subscription
from mosip_crvs.receiver.verify import Known

MOST_WAITING = 10_000
MOST_REFUSALS_A_MINUTE = 600
_FRESH_SECONDS = 5.0
_NOTE_SECONDS = 1.0
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
        self._known: dict[str, Known] = {}
        self._known_at = -math.inf
        self._looking: asyncio.Task[None] | None = None
        self._noted: dict[tuple[str, bool], float] = {}
        self._notes: set[asyncio.Task[None]] = set()

    async def subscription(self, token: str, *, fresh: bool = False) -> Known | None:
        """Find the subscription that a callback's last part names.

        :param fresh: look into the ledger even if the last look was moments ago. Else what was known a moment ago is
            good enough when the ledger does not answer: a delivery must not be refused for a look that failed.
        """
        if fresh:
            await self._look()
        elif time.monotonic() - self._known_at > _FRESH_SECONDS:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            try:
                await asyncio.shield(self._looking)  # one look for all who came meanwhile
            except MosipCrvsError as problem:
                if token not in self._known:
                    raise
                log.warning("The subscriptions could not be looked up: %s", problem)
        return self._known.get(token)

    async def _look(self) -> None:
        try:
            self._known = self._open(await asyncio.to_thread(subscriptions.every, self._ledger))
        finally:
            self._known_at = time.monotonic()  # of a look that failed, too: not every delivery is to wait for another

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
        except MosipCrvsError as problem:
            log.warning("The refusal could not be noted: %s", problem)

    def note_delivery(self, subscription: Subscription, *, believed: bool) -> None:
        """Note beside the answer, about once a second, that a callback is at work; nothing waits for it.

        :param believed: by the callback's own secret.
        """
        key = (subscription.callback, believed)
        if time.monotonic() - self._noted.get(key, -math.inf) > _NOTE_SECONDS:
            self._noted[key] = time.monotonic()
            note = asyncio.create_task(self._note_delivery(subscription, believed))
            self._notes.add(note)
            note.add_done_callback(self._notes.discard)

    async def _note_delivery(self, subscription: Subscription, believed: bool) -> None:
        try:
            await asyncio.to_thread(
                subscriptions.delivered, self._ledger, subscription.topic, subscription.callback, believed=believed
            )
        except MosipCrvsError as problem:
            log.warning("A delivery could not be noted at its subscription: %s", problem)

    async def unanswered(self, subscription: Subscription) -> None:
        """Note a challenge for something that we did not ask for."""
        await asyncio.to_thread(
            handshakes.note_unanswered, self._ledger, subscription.topic, subscription.callback, "not asked for"
        )

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

    def _open(self, every: list[Subscription]) -> dict[str, Known]:
        secrets = {each.token: self._secret(each) for each in every}
        return {
            each.token: Known(
                each,
                secrets[each.token],
                tuple(
                    secret
                    for other in every
                    if _take_turns(each, other) and (secret := secrets[other.token]) is not None
                ),
            )
            for each in every
        }

    def _secret(self, subscription: Subscription) -> str | None:
        try:
            return self._seal.open(subscription.sealed_secret)
        except StopTheRun as problem:
            log.error("The secret of a subscription to %s: %s", subscription.topic, problem)
            return None

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


def _take_turns(one: Subscription, other: Subscription) -> bool:
    """Say whether two callbacks of a topic are both in use, because one takes over from the other."""
    return (
        one.topic == other.topic
        and one.callback != other.callback
        and "ended" not in (one.state, other.state)
        and (one.retiring_at is None) != (other.retiring_at is None)
    )
