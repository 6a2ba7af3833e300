"""The ledger's side of sending: every write is committed before the call that it makes safe.

The write-ahead rule: ``TRIGGERING`` is durable before a trigger leaves, and nothing moves an application from there
back. So a crash at any point leaves either an application that MOSIP cannot know (create again, same AID) or one that
it may know (trigger again, never create again).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import one_statement, transaction
from mosip_crvs.ledger.takeover import Taken, take_over
from mosip_crvs.settlement.rules import EvidenceKind

MOST_HELD_TIMES = 10
"""Runs, over two nights or so, after which an application no longer keeps its range open and its DAG red."""


NOT_READ_AGAIN = "NOT_READ_AGAIN"
"""Held by a holiday, and the registry did not give the registration again when its batch was read to the end."""
HOLIDAY = "HOLIDAY"
"""The code of what waits for a working day. It was not tried, so it is not counted as held once more."""


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
    said = [
        {
            "aid": outcome.aid,
            "kind": outcome.kind,
            "reference": outcome.reference,
            "alarm": outcome.alarm,
            "digest": hashlib.sha256(f"{outcome.kind}:{outcome.reference}".encode()).hexdigest(),
        }
        for outcome in outcomes
    ]
    waiting = [{"aid": each.aid, "code": each.code} for each in held]
    with one_statement(engine) as connection:
        rows = connection.execute(
            _GROUP,
            {
                "session_id": session_id,
                "triggering": ",".join(triggering),
                "said": json.dumps(said),
                "waiting": json.dumps(waiting),
                "untried": HOLIDAY,
            },
        )
        return frozenset(rows.scalars())


def worn_out(engine: Engine, aids: Sequence[str]) -> frozenset[str]:
    """Say which applications were held so often that no further run may wait for them; a person must look."""
    if not aids:
        return frozenset()
    with transaction(engine) as connection:
        rows = connection.execute(
            text("SELECT aid FROM applications WHERE aid = ANY(:aids) AND held_times >= :most"),
            {"aids": list(aids), "most": MOST_HELD_TIMES},
        )
        return frozenset(rows.scalars())


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


# One statement, so that a group costs one round trip and one commit. No application stands in two of its parts: what
# is said of a trigger comes after it was granted.
_GROUP = text(
    """
    WITH seen AS (
        UPDATE sessions SET seen_at = clock_timestamp() WHERE session_id = :session_id
    ), said AS (
        SELECT * FROM json_to_recordset(CAST(:said AS json))
            AS said (aid text, kind text, reference text, alarm text, digest text)
    ), moved AS (
        UPDATE applications a
           SET state = 'TRIGGERED', triggered_at = now(), workflow_instance_id = said.reference, held_code = NULL
          FROM said WHERE a.aid = said.aid AND a.state = 'TRIGGERING'
        RETURNING a.aid
    ), kept AS (
        INSERT INTO evidence (aid, kind, source, code, body_sha256, moved_from, moved_to, alarm)
        SELECT said.aid, said.kind, 'workflowinstance', NULL, said.digest,
               CASE WHEN moved.aid IS NULL THEN a.state ELSE 'TRIGGERING' END,
               CASE WHEN moved.aid IS NULL THEN a.state ELSE 'TRIGGERED' END, said.alarm
          FROM said JOIN applications a USING (aid) LEFT JOIN moved USING (aid)
        ON CONFLICT ON CONSTRAINT evidence_once DO NOTHING
    ), held AS (
        UPDATE applications a
           SET held_code = waiting.code, held_times = held_times + CASE waiting.code WHEN :untried THEN 0 ELSE 1 END
          FROM json_to_recordset(CAST(:waiting AS json)) AS waiting (aid text, code text)
         WHERE a.aid = waiting.aid AND a.state IN ('AID_ASSIGNED', 'TRIGGERING')
    )
    UPDATE applications SET state = 'TRIGGERING', triggering_at = now(), held_code = NULL
     WHERE aid = ANY(string_to_array(:triggering, ',')) AND state = 'AID_ASSIGNED' AND session_id = :session_id
    RETURNING aid
    """
)


def adopt(engine: Engine, session_id: int, aids: Sequence[str]) -> Taken:
    """Take over stranded applications from sessions that are dead; those of a living one are left to it."""
    with transaction(engine) as connection:
        rows = connection.execute(
            text("SELECT aid, session_id FROM applications WHERE aid = ANY(:aids) AND state = 'TRIGGERING'"),
            {"aids": list(aids)},
        ).all()
        return take_over(connection, session_id, {row.aid: row.session_id for row in rows})
