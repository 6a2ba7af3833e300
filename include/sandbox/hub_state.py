"""The hub's state: topics, their logs, and persisted subscriptions (mosip-events.md §1.1, §1.6, §1.7)."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.faults import Faults

_NOT_KAFKA = re.compile(r"[^a-zA-Z0-9]")


def sanitise(topic: str) -> str:
    """A topic's Kafka name: every character outside `[a-zA-Z0-9]` becomes `_`."""
    return _NOT_KAFKA.sub("_", topic)


def subscriber_id(topic: str, callback: str) -> str:
    """The callback, byte for byte, is the identity."""
    return f"{sanitise(topic)}:::{callback}"


def serialise(message: Any) -> bytes:
    """Ballerina's `toJsonString`: a blank after each comma, none after a colon."""
    return json.dumps(message, ensure_ascii=False, separators=(", ", ":")).encode("utf-8", "surrogatepass")


@dataclass(slots=True)
class Subscription:
    """A persisted subscription with its consumer group's offsets.

    :param committed: where delivery resumes after a drop.
    :param delivered: how far messages really went out.
    :param active: whether the hub has it in memory, which means that a worker delivers unless it is stalled.
    :param stalled: registered without a consumer: nothing flows, and subscribing again is denied as known.
    :param lost: messages that a commit of their whole poll skipped.
    """

    topic: str
    callback: str
    secret: str
    committed: int
    delivered: int = 0
    active: bool = False
    deliveries: int = 0
    drops: int = 0
    stalled: bool = False
    lost: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    worker: asyncio.Task[None] | None = None


class Hub:
    """Topics and subscriptions. Sending is the business of a worker, which `start_worker` makes.

    :param start_worker: starts the delivery task of a subscription.
    :ivar listeners: MOSIP's own subscribers by topic, who are told at once.
    """

    def __init__(self, start_worker: Callable[[Subscription], asyncio.Task[None]], faults: Faults) -> None:
        self._start_worker = start_worker
        self._faults = faults
        self._registered: set[str] = set()
        self._logs: dict[str, list[bytes]] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.listeners: dict[str, Callable[[Any], None]] = {}

    def register(self, topic: str) -> bool:
        """:returns: False when the topic was there already."""
        name = sanitise(topic)
        if name in self._registered:
            return False
        self._registered.add(name)
        return True

    def deregister(self, topic: str) -> bool:
        """:returns: False when there was no such topic."""
        name = sanitise(topic)
        if name not in self._registered:
            return False
        self._registered.remove(name)
        return True

    def has_topic(self, topic: str) -> bool:
        """Is it registered?"""
        return sanitise(topic) in self._registered

    def publish(self, topic: str, message: Any) -> bool:
        """Append a message; topics register themselves.

        :returns: False when the fault `events_off` swallowed it.
        """
        name = sanitise(topic)
        self._registered.add(name)
        if self._faults.hit("events_off"):
            return False
        self._logs.setdefault(name, []).append(serialise(message))
        for subscription in self.subscriptions.values():
            if subscription.active and sanitise(subscription.topic) == name:
                subscription.wake.set()
        if topic in self.listeners:
            self.listeners[topic](message)
        return True

    def end(self, topic: str) -> int:
        """Offset after a topic's last message."""
        return len(self._logs.get(sanitise(topic), ()))

    def poll(self, topic: str, offset: int, limit: int) -> list[bytes]:
        """Messages from `offset` on."""
        return self._logs.get(sanitise(topic), [])[offset : offset + limit]

    def is_wanted(self, topic: str) -> bool:
        """Has anyone subscribed? New groups start at the latest message, so nobody else could ever see one."""
        return any(subscription.topic == topic for subscription in self.subscriptions.values())

    def is_active(self, topic: str, callback: str) -> bool:
        """Is a worker delivering to this subscriber? A dropped one is not in the hub's memory."""
        found = self.subscriptions.get(subscriber_id(topic, callback))
        return found is not None and found.active

    def subscribe(self, topic: str, callback: str, secret: str) -> None:
        """Persist a verified subscription. The first record stays: old group, old offset, **old secret**."""
        key = subscriber_id(topic, callback)
        if key not in self.subscriptions:
            end = self.end(topic)
            self.subscriptions[key] = Subscription(topic, callback, secret, committed=end, delivered=end)
        self.start_missing()

    def unsubscribe(self, topic: str, callback: str) -> None:
        """Forget a verified unsubscription and end its delivery."""
        found = self.subscriptions.pop(subscriber_id(topic, callback), None)
        if found is not None:
            found.active = False
            if found.worker is not None:
                found.worker.cancel()
        self.start_missing()

    def start_missing(self) -> None:
        """Any new record of subscribers revives every dropped one, as a restart does (mosip-events.md §1.7)."""
        for subscription in self.subscriptions.values():
            if not subscription.active:
                subscription.active = True
                subscription.worker = self._start_worker(subscription)

    def drop(self, subscription: Subscription) -> None:
        """Delivery ended: out of memory, but still persisted. What was committed but not delivered is lost."""
        self._forget(subscription)
        subscription.drops += 1

    def drop_all(self, callback: str | None = None) -> int:
        """Drop every active subscriber, or those with one callback. :returns: how many."""
        chosen = [
            one for one in self.subscriptions.values() if one.active and (callback is None or one.callback == callback)
        ]
        for one in chosen:
            self.drop(one)
        return len(chosen)

    def restart(self) -> None:
        """Begin again with what is persisted: every subscription is served from its last commit."""
        for subscription in self.subscriptions.values():
            self._forget(subscription)
        self.start_missing()

    def _forget(self, subscription: Subscription) -> None:
        subscription.active = subscription.stalled = False
        skipped = subscription.committed - subscription.delivered
        if skipped > 0:
            subscription.lost += skipped
            subscription.delivered = subscription.committed
            self._faults.counters["batch_commit_lost"] += skipped
        if subscription.worker is not None and subscription.worker is not asyncio.current_task():
            subscription.worker.cancel()

    async def drained(self, within: float) -> bool:
        """Wait until every active subscriber was given what is published now.

        :returns: False if `within` seconds were not enough.
        """
        targets = [(one, self.end(one.topic)) for one in self.subscriptions.values()]
        deadline = time.monotonic() + within
        while any(one.active and not one.stalled and one.delivered < end for one, end in targets):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.002)
        return True

    def close(self) -> None:
        """Stop all workers."""
        for subscription in self.subscriptions.values():
            if subscription.worker is not None:
                subscription.worker.cancel()

    def view(self) -> list[dict[str, Any]]:
        """The subscriptions, without their secrets."""
        return [
            {
                "topic": one.topic,
                "callback": one.callback,
                "active": one.active,
                "committed": one.committed,
                "delivered": one.delivered,
                "end": self.end(one.topic),
                "deliveries": one.deliveries,
                "drops": one.drops,
                "stalled": one.stalled,
                "lost": one.lost,
            }
            for one in self.subscriptions.values()
        ]
