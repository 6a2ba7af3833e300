"""Writing into a ledger what a night of sending would have left there, and reading what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Engine, text

from mosip_crvs.ledger import facts
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.evidence import Fact
from mosip_crvs.settlement.events import WORKFLOW_COMPLETED, WORKFLOW_PAUSED
from mosip_crvs.settlement.rules import EvidenceKind

PREFIX = "1000110077"
DAY = date(2026, 3, 14)


def aid(number: int, prefix: str = PREFIX) -> str:
    """Give an AID of ours."""
    return f"{prefix}{number:05d}20260314010203"


def completed(
    of: str, result: str = "PROCESSED", error: str | None = None, workflow: str = "CRVS_NEW"
) -> tuple[str, bytes]:
    """Write what MOSIP says when a workflow ends (``mosip-events.md`` §2.1)."""
    return WORKFLOW_COMPLETED, json.dumps(
        {"instanceId": of, "resultCode": result, "workflowType": workflow, "errorCode": error}
    ).encode()


def paused(of: str) -> tuple[str, bytes]:
    """Write what MOSIP says when it waits for information (``mosip-events.md`` §2.2)."""
    return WORKFLOW_PAUSED, json.dumps(
        {
            "instanceId": of,
            "workflowType": "CRVS_NEW",
            "additionalInfoProcess": "CRVS_CORRECTION",
            "additionalInfoRequestId": f"{of}-CRVS_CORRECTION-1",
        }
    ).encode()


_SAID_FOR = {
    "TRIGGERED": EvidenceKind.TRIGGER_ACCEPTED,
    "HALF_CREATED": EvidenceKind.STATUS_UPLOAD_PENDING,
    "AWAITING_INFO": EvidenceKind.PAUSED_FOR_INFO,
    "FAILED": EvidenceKind.WORKFLOW_FAILED,
    "REJECTED": EvidenceKind.WORKFLOW_REJECTED,
    "COMPLETED": EvidenceKind.WORKFLOW_PROCESSED,
    "WITHDRAWN": EvidenceKind.WITHDRAWN,
}


def said(of: str, state: str) -> list[Fact]:
    """Give what must have been said of a triggered application for it to be in a state; the digest tells nobody's."""
    kind = _SAID_FOR.get(state)
    if kind is None:
        return []
    return [Fact(of, kind, "a test", None, hashlib.sha256(f"{of}{kind}".encode()).hexdigest(), datetime.now(UTC))]


@dataclass(frozen=True)
class Books:
    """One ledger."""

    ledger: Engine

    def run(self, statement: str, **values: Any) -> Any:
        """Run one statement in a transaction of its own; give its rows, if it has any."""
        with transaction(self.ledger) as connection:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else result.rowcount

    def batch(self, kind: str = "birth", day: date = DAY, *, finished: bool = True) -> int:
        """Open, and usually close, a batch."""
        return int(
            self.run(
                "INSERT INTO batches (kind, day, window_start, window_end, run_label, finished_at) VALUES (:kind, "
                ":day, CAST(:day AS date), CAST(:day AS date) + interval '1 day', 'a test', "
                "CASE WHEN :finished THEN now() END) RETURNING batch_id",
                kind=kind,
                day=day,
                finished=finished,
            )[0].batch_id
        )

    def read(self, batch: int, outcome: str, registrations: Sequence[str]) -> None:
        """Note how the reading of some registrations came out."""
        for registration in registrations:
            self.run(
                "INSERT INTO readings VALUES (:batch, :registration, 'register', 1, :outcome)",
                batch=batch,
                registration=registration,
                outcome=outcome,
            )

    def apply(self, batch: int, states: Mapping[str, str]) -> None:
        """Claim some AIDs, read the registrations that they are of, and let MOSIP have said what makes their states."""
        kind = self.run("SELECT kind FROM batches WHERE batch_id = :batch", batch=batch)[0].kind
        with transaction(self.ledger) as connection:
            for own, state in states.items():
                sent = state not in ("AID_ASSIGNED", "WITHDRAWN")
                values = {"kind": kind, "id": f"registration-of-{own}", "aid": own, "batch": batch, "sent": sent}
                connection.execute(
                    text(
                        "INSERT INTO applications (kind, registration_id, act, act_number, aid, batch_id, state, "
                        "triggering_at, next_poll_at) VALUES (:kind, :id, 'register', 1, :aid, :batch, "
                        "CASE WHEN :sent THEN 'TRIGGERING' ELSE 'AID_ASSIGNED' END, "
                        "CASE WHEN :sent THEN now() - interval '1 hour' END, CASE WHEN :sent THEN now() END)"
                    ),
                    values,
                )
                connection.execute(text("INSERT INTO readings VALUES (:batch, :id, 'register', 1, 'claimed')"), values)
            facts.record(connection, [fact for own, state in states.items() for fact in said(own, state)])

    def receive(self, *notifications: tuple[str, bytes]) -> None:
        """Put notifications into the inbox, as the receiver does."""
        with transaction(self.ledger) as connection:
            for topic, body in notifications:
                connection.execute(
                    text("INSERT INTO inbox (topic, body, body_sha256) VALUES (:topic, :body, :digest)"),
                    {"topic": topic, "body": body, "digest": hashlib.sha256(body).hexdigest()},
                )

    def states(self) -> dict[str, str]:
        """Give the state of every application."""
        return {row.aid: row.state for row in self.run("SELECT aid, state FROM applications")}

    def inbox(self) -> list[Any]:
        """Give the inbox, oldest first."""
        return list(self.run("SELECT * FROM inbox ORDER BY inbox_id"))

    def evidence(self) -> list[Any]:
        """Give the evidence, oldest first, without what :meth:`apply` had said."""
        return list(self.run("SELECT * FROM evidence WHERE source <> 'a test' ORDER BY evidence_id"))
