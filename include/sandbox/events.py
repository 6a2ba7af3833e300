"""Events on their way to the hub, and what may become of the completed one (mosip-events.md §2.1, §2.7)."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from typing import Any

from sandbox.faults import Faults
from sandbox.hub_state import Hub
from sandbox.record import Record
from sandbox.registrations import Registration
from sandbox.wire import now_text

TOPIC = "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT"

IDENTITY_TOPICS = {"create": "IDENTITY_CREATED", "update": "IDENTITY_UPDATED"}


def identity_event(topic: str, rid: str, uin: str) -> dict[str, Any]:
    """The ID repository's envelope; `data` is in snake case here (mosip-events.md §2.4, §2.7)."""
    now = now_text()
    return {
        "publisher": "ID_REPO",
        "topic": topic,
        "publishedOn": now,
        "event": {
            "id": str(uuid.uuid4()),
            "transactionId": rid,
            "type": {"namespace": "mosip", "name": "ida"},
            "timestamp": now,
            "dataShareUri": None,
            "data": {"id_hash": hashlib.sha256(uin.encode()).hexdigest().upper(), "registration_id": rid},
        },
    }


class CompletedEvents:
    """Publishes one event for each workflow that ended PROCESSED, REJECTED or FAILED."""

    def __init__(self, hub: Hub, faults: Faults, record: Record) -> None:
        self._hub = hub
        self._faults = faults
        self._record = record
        self._held: list[tuple[str, dict[str, Any]]] = []
        self._later: set[asyncio.TimerHandle] = set()

    def send(self, row: Registration) -> None:
        """Publish, or let the faults have it."""
        event = {
            "instanceId": row.rid,
            "resultCode": row.status,
            "workflowType": row.process,
            "errorCode": row.error_code,
        }
        if self._faults.hit("event_lost", row.rid):
            self._record.event(row.rid, lost=True)
            return
        if self._faults.hit("event_duplicate", row.rid):
            self._publish(row.rid, event)
        if self._faults.hit("event_delay", row.rid):
            self._after(self._faults.seconds("event_delay"), row.rid, event)
        elif self._faults.hit("event_reorder", row.rid):
            self._held.append((row.rid, event))
            loop = asyncio.get_running_loop()
            loop.call_later(self._faults.seconds("event_reorder"), self._release)
        else:
            self._publish(row.rid, event)
            self._release()

    def tell_of_identity(self, rid: str, action: str, uin: str) -> None:
        """The ID repository's own event: a second witness, without faults and without a place in the record."""
        topic = IDENTITY_TOPICS[action]
        if self._hub.is_wanted(topic):
            self._hub.publish(topic, identity_event(topic, rid, uin))

    def close(self) -> None:
        """Drop what is still to come."""
        for handle in self._later:
            handle.cancel()
        self._later.clear()
        self._held.clear()

    def _after(self, seconds: float, aid: str, event: dict[str, Any]) -> None:
        def publish() -> None:
            self._later.discard(handle)
            self._publish(aid, event)

        handle = asyncio.get_running_loop().call_later(seconds, publish)
        self._later.add(handle)

    def _release(self) -> None:
        held, self._held = self._held, []
        for aid, event in held:
            self._publish(aid, event)

    def _publish(self, aid: str, event: dict[str, Any]) -> None:
        self._hub.publish(TOPIC, event)
        self._record.event(aid, lost=False)
