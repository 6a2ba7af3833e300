"""Evidence: what MOSIP said of an application, kept for ever, and the state that it moved."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from mosip_crvs.model import ApplicationState


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One piece of evidence and its effect.

    :param source: the topic or the call that it came by.
    :param code: MOSIP's own code for why, if it gave one.
    """

    aid: str
    kind: str
    source: str
    code: str | None
    body_sha256: str
    received_at: datetime
    moved_from: ApplicationState
    moved_to: ApplicationState
    alarm: str | None


def lock_states(connection: Connection, aids: Collection[str]) -> dict[str, ApplicationState]:
    """Give the states of some applications and keep everybody else from changing them until the commit."""
    rows = connection.execute(
        text("SELECT aid, state FROM applications WHERE aid = ANY(:aids) ORDER BY aid FOR UPDATE"),
        {"aids": sorted(aids)},
    )
    return {row.aid: ApplicationState(row.state) for row in rows}


def append(connection: Connection, rows: Sequence[EvidenceRow]) -> int:
    """Keep evidence; the same thing said twice is kept once.

    :return: how many rows were new.
    """
    if not rows:
        return 0
    result = connection.execute(
        text(
            """
            INSERT INTO evidence (aid, kind, source, code, body_sha256, received_at, moved_from, moved_to, alarm)
            SELECT * FROM unnest(
                   CAST(:aids AS text[]), CAST(:kinds AS text[]), CAST(:sources AS text[]), CAST(:codes AS text[]),
                   CAST(:digests AS text[]), CAST(:moments AS timestamptz[]), CAST(:from_ AS text[]),
                   CAST(:to AS text[]), CAST(:alarms AS text[]))
            ON CONFLICT ON CONSTRAINT evidence_once DO NOTHING
            """
        ),
        {
            "aids": [row.aid for row in rows],
            "kinds": [row.kind for row in rows],
            "sources": [row.source for row in rows],
            "codes": [row.code for row in rows],
            "digests": [row.body_sha256 for row in rows],
            "moments": [row.received_at for row in rows],
            "from_": [str(row.moved_from) for row in rows],
            "to": [str(row.moved_to) for row in rows],
            "alarms": [row.alarm for row in rows],
        },
    )
    return int(result.rowcount)


def move(connection: Connection, states: dict[str, ApplicationState]) -> None:
    """Set the states of applications that :func:`lock_states` holds."""
    if not states:
        return
    connection.execute(
        text(
            """
            UPDATE applications a
               SET state = said.state, held_code = NULL,
                   settled_at = CASE WHEN said.settled THEN coalesce(a.settled_at, now()) ELSE a.settled_at END
              FROM unnest(CAST(:aids AS text[]), CAST(:states AS text[]), CAST(:settled AS boolean[]))
                AS said (aid, state, settled)
             WHERE a.aid = said.aid
            """
        ),
        {
            "aids": list(states),
            "states": [str(state) for state in states.values()],
            "settled": [state.is_settled for state in states.values()],
        },
    )
