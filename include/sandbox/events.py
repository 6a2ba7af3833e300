"""Events on their way to the hub, and what becomes of them at the source (mosip-events.md §2.1, §2.2, §2.7, §4.1)."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.faults import Faults
from sandbox.hub_state import Hub
from sandbox.record import Record
from sandbox.registrations import Registration
from sandbox.wire import now_text

TOPIC = "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT"
PAUSED_TOPIC = "REGISTRATION_PROCESSOR_WORKFLOW_PAUSED_FOR_ADDITIONAL_INFO_EVENT"

IDENTITY_TOPICS = {"create": "IDENTITY_CREATED", "update": "IDENTITY_UPDATED"}

ADDITIONAL_INFO_PROCESS = "BIOMETRIC_CORRECTION"
"""The additional-info process MOSIP ships; a country's own has another name."""


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


def additional_info_request_id(row: Registration) -> str:
    """What a paused workflow waits for: `<RID>-<process>-<iteration>`."""
    return f"{row.rid}-{ADDITIONAL_INFO_PROCESS}-{row.iteration}"


class Publisher:
    """Puts events of MOSIP's own services into the hub. Nobody there notices when that fails."""

    def __init__(self, hub: Hub, faults: Faults) -> None:
        self._hub = hub
        self._faults = faults
        self._later: set[asyncio.TimerHandle] = set()

    def publish(self, topic: str, message: Mapping[str, Any], aid: str) -> bool:
        """:returns: False when the publish failed and was forgotten."""
        return not self._faults.hit("publish_lost", aid) and self._hub.publish(topic, message)

    def publish_if_wanted(self, topic: str, make: Callable[[], Mapping[str, Any]], aid: str) -> bool:
        """The same, but the message is not even made when nobody could ever see it."""
        return self.publish(topic, make(), aid) if self._hub.is_wanted(topic) else True

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something so many seconds later, unless the sandbox is closed first."""

        def run() -> None:
            self._later.discard(handle)
            act()

        handle = asyncio.get_running_loop().call_later(seconds, run)
        self._later.add(handle)

    def close(self) -> None:
        """Drop what is still to come."""
        for handle in self._later:
            handle.cancel()
        self._later.clear()


class WorkflowEvents:
    """Publishes one event for each workflow that ended PROCESSED, REJECTED or FAILED, or that waits for more."""

    def __init__(self, publisher: Publisher, faults: Faults, record: Record) -> None:
        self._publisher = publisher
        self._faults = faults
        self._record = record
        self._held: list[tuple[str, dict[str, Any]]] = []

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
            self._publisher.later(self._faults.seconds("event_delay"), lambda: self._publish(row.rid, event))
        elif self._faults.hit("event_reorder", row.rid):
            self._held.append((row.rid, event))
            loop = asyncio.get_running_loop()
            loop.call_later(self._faults.seconds("event_reorder"), self._release)
        else:
            self._publish(row.rid, event)
            self._release()

    def tell_of_pause(self, row: Registration) -> None:
        """More is wanted: by whom the packet must come is `additionalInfoProcess`."""
        event = {
            "instanceId": row.rid,
            "workflowType": row.process,
            "additionalInfoProcess": ADDITIONAL_INFO_PROCESS,
            "additionalInfoRequestId": row.additional_info_req_id,
        }
        self._publisher.publish(PAUSED_TOPIC, event, row.rid)

    def tell_of_identity(self, rid: str, action: str, uin: str) -> None:
        """The ID repository's own event: a second witness."""
        topic = IDENTITY_TOPICS[action]
        lost = self._faults.hit("identity_event_lost", rid)
        if lost or not self._publisher.publish_if_wanted(topic, lambda: identity_event(topic, rid, uin), rid):
            self._record.identity_event_lost(rid)

    def close(self) -> None:
        """Drop what is held back."""
        self._held.clear()

    def _release(self) -> None:
        held, self._held = self._held, []
        for aid, event in held:
            self._publish(aid, event)

    def _publish(self, aid: str, event: dict[str, Any]) -> None:
        sent = self._publisher.publish(TOPIC, event, aid)
        self._record.event(aid, lost=not sent)
