"""The ledger's side of sending: every write is committed before the call that it makes safe.

The write-ahead rule: ``TRIGGERING`` is durable before a trigger leaves, and nothing moves an application from there
back. So a crash at any point leaves either an application that MOSIP cannot know (create again, same AID) or one that
it may know (trigger again, never create again).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.sessions import dead_sessions
from mosip_crvs.settlement.rules import EvidenceKind


@dataclass(frozen=True, slots=True)
class TriggerOutcome:
    """MOSIP's word on a trigger.

    :param kind: accepted, or found to have been accepted before.
    :param reference: the ``workflowInstanceId``, when it gave one.
    :param alarm: set when the answer should not have been possible.
    """

    aid: str
    kind: EvidenceKind
    reference: str | None = None
    alarm: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """An application that could not be sent, and why."""

    aid: str
    code: str


def write_group(
    engine: Engine,
    session_id: int,
    *,
    triggering: Sequence[str] = (),
    outcomes: Sequence[TriggerOutcome] = (),
    held: Sequence[Held] = (),
) -> frozenset[str]:
    """Commit what is waiting, in one transaction.

    :param triggering: AIDs whose packet MOSIP has accepted and whose trigger is about to be sent.
    :return: those of ``triggering`` that may now be triggered. One that is missing is no longer ours: it was taken
        over, or its result was there first; its trigger must not be sent.
    """
    with transaction(engine) as connection:
        connection.execute(
            text("UPDATE sessions SET seen_at = clock_timestamp() WHERE session_id = :id"), {"id": session_id}
        )
        granted = _mark_triggering(connection, session_id, triggering)
        _record_outcomes(connection, outcomes)
        if held:
            connection.execute(_HELD, {"aids": [h.aid for h in held], "codes": [h.code for h in held]})
    return granted


def stranded(engine: Engine, kind: str, limit: int = 50_000) -> list[str]:
    """Give AIDs whose trigger was attempted and never confirmed: they are triggered again, whatever the registry says.

    Those in the hands of a living session come along; taking them over is :func:`adopt`'s to refuse.
    """
    with transaction(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT aid FROM applications WHERE kind = :kind AND state = 'TRIGGERING' "
                "ORDER BY application_id LIMIT :limit"
            ),
            {"kind": kind, "limit": limit},
        )
        return [row.aid for row in rows]


_TRIGGERING = text(
    """
    UPDATE applications SET state = 'TRIGGERING', triggering_at = now(), held_code = NULL
     WHERE aid = ANY(:aids) AND state = 'AID_ASSIGNED' AND session_id = :session_id
    RETURNING aid
    """
)

_TRIGGERED = text(
    """
    WITH said AS (
        SELECT aid, kind, reference, alarm, digest
          FROM unnest(
               CAST(:aids AS text[]), CAST(:kinds AS text[]), CAST(:references AS text[]), CAST(:alarms AS text[]),
               CAST(:digests AS text[])
          ) AS said (aid, kind, reference, alarm, digest)
    ), moved AS (
        UPDATE applications a
           SET state = 'TRIGGERED', triggered_at = now(), workflow_instance_id = said.reference, held_code = NULL
          FROM said WHERE a.aid = said.aid AND a.state = 'TRIGGERING'
        RETURNING a.aid
    )
    INSERT INTO evidence (aid, kind, source, code, body_sha256, moved_from, moved_to, alarm)
    SELECT said.aid, said.kind, 'workflowinstance', NULL, said.digest,
           CASE WHEN moved.aid IS NULL THEN a.state ELSE 'TRIGGERING' END,
           CASE WHEN moved.aid IS NULL THEN a.state ELSE 'TRIGGERED' END, said.alarm
      FROM said JOIN applications a USING (aid) LEFT JOIN moved USING (aid)
    ON CONFLICT ON CONSTRAINT evidence_once DO NOTHING
    """
)

_HELD = text(
    """
    UPDATE applications a SET held_code = held.code
      FROM unnest(CAST(:aids AS text[]), CAST(:codes AS text[])) AS held (aid, code)
     WHERE a.aid = held.aid AND a.state IN ('AID_ASSIGNED', 'TRIGGERING')
    """
)


def _mark_triggering(connection: Connection, session_id: int, aids: Sequence[str]) -> frozenset[str]:
    if not aids:
        return frozenset()
    rows = connection.execute(_TRIGGERING, {"aids": list(aids), "session_id": session_id})
    return frozenset(row.aid for row in rows)


def _record_outcomes(connection: Connection, outcomes: Sequence[TriggerOutcome]) -> None:
    if outcomes:
        connection.execute(
            _TRIGGERED,
            {
                "aids": [outcome.aid for outcome in outcomes],
                "kinds": [str(outcome.kind) for outcome in outcomes],
                "references": [outcome.reference for outcome in outcomes],
                "alarms": [outcome.alarm for outcome in outcomes],
                "digests": [
                    hashlib.sha256(f"{outcome.kind}:{outcome.reference}".encode()).hexdigest() for outcome in outcomes
                ],
            },
        )


def adopt(engine: Engine, session_id: int, aids: Sequence[str]) -> list[str]:
    """Take over stranded applications from sessions that are dead; those of a living one are left to it."""
    with transaction(engine) as connection:
        rows = connection.execute(
            text("SELECT aid, session_id FROM applications WHERE aid = ANY(:aids) AND state = 'TRIGGERING' FOR UPDATE"),
            {"aids": list(aids)},
        ).all()
        dead = dead_sessions(connection, {row.session_id for row in rows if row.session_id is not None})
        free = [row.aid for row in rows if row.session_id is None or row.session_id in dead]
        connection.execute(
            text("UPDATE applications SET session_id = :session WHERE aid = ANY(:aids)"),
            {"session": session_id, "aids": free},
        )
    return free
