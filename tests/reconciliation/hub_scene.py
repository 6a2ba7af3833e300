"""Hub, receiver and we between them: what tests of the subscriptions stand on."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from day_books import Books
from sqlalchemy import Engine

from mosip_crvs.ledger import facts, handshakes, subscriptions
from mosip_crvs.ledger.alarms import open_alarms
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.evidence import Fact
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.mosip import hub
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource, fetch_token
from mosip_crvs.reconciliation.asking import Dealings
from mosip_crvs.reconciliation.rotating import Patience
from mosip_crvs.reconciliation.tending import Tended, tend
from mosip_crvs.reconciliation.topics import Topic, topics_of
from mosip_crvs.settlement.events import WORKFLOW_COMPLETED
from mosip_crvs.settlement.rules import EvidenceKind

HASTE = Patience(verify=10.0, least_overlap=0.0, most_overlap=3600.0)
"""A rotation goes on as soon as the new callback has delivered."""


@dataclass
class HubScene:
    """A hub at some address, a receiver, and a ledger."""

    books: Books
    seal: Seal
    settings: MosipSettings
    patience: Patience = HASTE
    published: list[bytes] = field(default_factory=list)

    @property
    def ledger(self) -> Engine:
        """The ledger."""
        return self.books.ledger

    @property
    def topic(self) -> Topic:
        """The topic that results need."""
        return topics_of(self.settings)[0]

    def dealings(self) -> Dealings:
        """Enter anew, as every task does."""
        calls = SingleCalls(self.settings.base_url)
        partner = self.settings.partner_login
        return Dealings(
            self.ledger,
            self.seal,
            calls,
            TokenSource(lambda: fetch_token(calls, self.settings)),
            self.settings,
            TokenSource(lambda: fetch_token(calls, partner)) if partner else None,
        )

    def tend(self, **how: Any) -> Tended:
        """Do what the task does every ten minutes."""
        return tend(self.dealings(), patience=self.patience, **how)

    def callbacks(self, topic: str = WORKFLOW_COMPLETED) -> list[subscriptions.Subscription]:
        """Give a topic's callbacks, the oldest first."""
        found = [each for each in subscriptions.every(self.ledger) if each.topic == topic]
        return sorted(found, key=lambda each: each.retiring_at or datetime.max.replace(tzinfo=UTC))

    def steps(self, topic: str = WORKFLOW_COMPLETED) -> list[str]:
        """Give what is on record of a topic."""
        return [str(step.step) for step in handshakes.history(self.ledger, topic)]

    def alarms(self) -> dict[tuple[str, str], str | None]:
        """Give the open alarms by code and subject, with their details."""
        return {(alarm.code, alarm.subject): alarm.details for alarm in open_alarms(self.ledger)}

    def bodies(self, topic: str = WORKFLOW_COMPLETED) -> list[bytes]:
        """Give what came into the inbox."""
        return [bytes(row.body) for row in self.books.inbox() if row.topic == topic]

    def publish(self, aid: str, result: str = "PROCESSED") -> None:
        """Announce a result, as the registration processor does."""
        who = replace(self.settings, client_id="mosip-regproc-client", client_secret="regproc-secret")
        calls = SingleCalls(who.base_url)
        message = {"instanceId": aid, "resultCode": result, "workflowType": "CRVS_NEW", "errorCode": None}
        hub.publish(
            calls,
            TokenSource(lambda: fetch_token(calls, who)),
            hub_path=who.hub_path,
            topic=WORKFLOW_COMPLETED,
            message=message,
        )
        self.published.append(aid.encode())

    def subscribers(self, topic: str = WORKFLOW_COMPLETED) -> list[dict[str, Any]]:
        """Give the sandbox's subscribers of a topic, without their secrets."""
        with urllib.request.urlopen(f"{self.settings.base_url}/sandbox/subscribers", timeout=10) as reply:
            return [each for each in json.load(reply)["subscribers"] if each["topic"] == topic]

    def found_by_asking(
        self, *aids: str, ago: timedelta, kind: EvidenceKind = EvidenceKind.STATUS_UIN_GENERATED
    ) -> None:
        """Record what MOSIP answered when it was asked for some applications."""
        at = datetime.now(UTC) - ago
        with transaction(self.ledger) as connection:
            said = [Fact(aid, kind, "externalstatus", None, f"digest-of-{aid}", at, at.isoformat()) for aid in aids]
            facts.record(connection, said)
