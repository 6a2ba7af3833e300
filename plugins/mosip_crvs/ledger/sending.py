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
from datetime import UTC, datetime

from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import one_statement, repeated_when_busy, transaction
from mosip_crvs.ledger.relatives import NO_RELATIVE_ALIVE, POSSIBLE_SECOND_ID
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
    poll_after: float = 240.0,
) -> frozenset[str]:
    """Commit what is waiting, in one transaction.

    :param triggering: AIDs whose packet MOSIP has accepted and whose trigger is about to be sent.
    :param poll_after: seconds after its trigger from which MOSIP may be asked about an application.
    :return: those of ``triggering`` that may now be triggered. One that is missing is no longer ours: it was taken
        over, or its result was there first, or what it supersedes is with MOSIP again; its trigger must not be sent.
    """
    occasion = datetime.now(UTC).isoformat()
    said = [
        {
            "aid": outcome.aid,
            "kind": outcome.kind,
            "reference": outcome.reference,
            "alarm": outcome.alarm,
            "digest": hashlib.sha256(f"{outcome.kind}:{outcome.reference}".encode()).hexdigest(),
            "occasion": occasion,
        }
        for outcome in outcomes
    ]
    waiting = [{"aid": each.aid, "code": each.code} for each in held]
    values = {
        "session_id": session_id,
        "triggering": ",".join(triggering),
        "said": json.dumps(said),
        "waiting": json.dumps(waiting),
        "untried": HOLIDAY,
        "poll_after": poll_after,
    }
    return repeated_when_busy(lambda: _write(engine, values))


def _write(engine: Engine, values: dict[str, object]) -> frozenset[str]:
    with one_statement(engine) as connection:
        return frozenset(connection.execute(_GROUP, values).scalars())


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

    A successor is not among them while an application that it supersedes is with MOSIP again.

    Those in the hands of a living session come along; taking them over is :func:`adopt`'s to refuse.
    """
    with transaction(engine) as connection:
        rows = connection.execute(_STRANDED, {"kind": kind, "limit": limit})
        return [row.aid for row in rows]


_STRANDED = text(
    f"""
    SELECT aid FROM applications a
     WHERE kind = :kind AND state = 'TRIGGERING' AND is_current AND (supersedes IS NULL OR {NO_RELATIVE_ALIVE})
     ORDER BY application_id LIMIT :limit
    """  # noqa: S608 (a constant)
)

# One statement, so that a group costs one round trip and one commit. No application stands in two of its parts: what
# is said of a trigger comes after it was granted. What is said locks in the order in which settlers lock.
_GROUP = text(
    f"""
    WITH seen AS (
        UPDATE sessions SET seen_at = clock_timestamp() WHERE session_id = :session_id
    ), said AS (
        SELECT * FROM json_to_recordset(CAST(:said AS json))
            AS said (aid text, kind text, reference text, alarm text, digest text, occasion text)
    ), stands AS (
        SELECT a.aid, a.state AS moved_from,
               CASE WHEN a.state IN ('TRIGGERING', 'WITHDRAWN')
                      OR a.state = 'HALF_CREATED' AND said.kind = 'trigger_accepted'
                    THEN 'TRIGGERED' ELSE a.state END AS moved_to, a.supersedes
          FROM said JOIN applications a USING (aid) ORDER BY a.aid FOR UPDATE OF a
    ), moved AS (
        UPDATE applications a
           SET state = stands.moved_to, held_code = NULL, triggered_at = coalesce(a.triggered_at, now()),
               workflow_instance_id = coalesce(a.workflow_instance_id, said.reference),
               next_poll_at = coalesce(a.next_poll_at, CASE stands.moved_to WHEN 'TRIGGERED' THEN now() END),
               evidence_count = a.evidence_count + 1,
               evidence_head = evidence_link(
                   a.evidence_head, a.aid, a.evidence_count + 1, said.kind, 'workflowinstance', NULL, said.digest,
                   said.occasion, stands.moved_from, stands.moved_to, said.alarm, now())
          FROM said JOIN stands USING (aid) WHERE a.aid = said.aid
        RETURNING a.aid, a.evidence_count, a.evidence_head
    ), kept AS (
        INSERT INTO evidence (aid, sequence, kind, source, body_sha256, occasion, moved_from, moved_to, alarm,
                              received_at, link)
        SELECT said.aid, moved.evidence_count, said.kind, 'workflowinstance', said.digest, said.occasion,
               stands.moved_from, stands.moved_to, said.alarm, now(), moved.evidence_head
          FROM said JOIN stands USING (aid) JOIN moved USING (aid)
    ), raised AS (
        INSERT INTO alarms (code, subject, other)
        SELECT coalesce(said.alarm, '{POSSIBLE_SECOND_ID}'), stands.aid, stands.supersedes
          FROM said JOIN stands USING (aid) WHERE said.alarm IS NOT NULL OR stands.moved_from = 'WITHDRAWN'
        ON CONFLICT (code, subject) WHERE cleared_at IS NULL DO UPDATE SET seen_at = now()
    ), held AS (
        UPDATE applications a
           SET held_code = waiting.code, held_times = held_times + CASE waiting.code WHEN :untried THEN 0 ELSE 1 END
          FROM json_to_recordset(CAST(:waiting AS json)) AS waiting (aid text, code text)
         WHERE a.aid = waiting.aid AND a.state IN ('AID_ASSIGNED', 'TRIGGERING')
    )
    UPDATE applications a
       SET state = 'TRIGGERING', triggering_at = now(), held_code = NULL,
           next_poll_at = now() + make_interval(secs => :poll_after)
     WHERE aid = ANY(string_to_array(:triggering, ',')) AND state = 'AID_ASSIGNED' AND session_id = :session_id
       AND (supersedes IS NULL OR {NO_RELATIVE_ALIVE})
    RETURNING aid
    """  # noqa: S608 (a constant)
)


def adopt(engine: Engine, session_id: int, aids: Sequence[str]) -> Taken:
    """Take over stranded applications from sessions that are dead; those of a living one are left to it."""
    with transaction(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT aid, session_id FROM applications WHERE aid = ANY(:aids) AND state = 'TRIGGERING' "
                "AND is_current"
            ),
            {"aids": list(aids)},
        ).all()
        return take_over(connection, session_id, {row.aid: row.session_id for row in rows})
