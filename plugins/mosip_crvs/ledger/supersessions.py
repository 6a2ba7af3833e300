"""Sending a refused event again: the refused application is superseded by a new one, with an AID of its own.

Only what MOSIP has refused, or noted and never begun, may be superseded, and never when anything ever said that an
identity exists for it, or for any other application of its event, nor while MOSIP works on another one again because
an operator resumed it. All this is looked at under the application's lock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from mosip_crvs.ledger import alarms, evidence
from mosip_crvs.ledger.connection import now_of, transaction
from mosip_crvs.ledger.evidence import EvidenceRow, Fact
from mosip_crvs.ledger.keys import ARE_RELATIVES, key_arrays
from mosip_crvs.ledger.relatives import NO_RELATIVE_ALIVE
from mosip_crvs.model import Act, ApplicationState, EventKey, RegistrationKind
from mosip_crvs.settlement.rules import SUCCESSES, Alarm, EvidenceKind


@dataclass(frozen=True, slots=True)
class Refused:
    """An application that MOSIP refused and whose event the registry has corrected since, or that it never began."""

    aid: str
    state: ApplicationState


def corrected(
    engine: Engine, kind: RegistrationKind, batch_id: int, events: Mapping[EventKey, datetime | None]
) -> list[Refused]:
    """Find refused applications among some events, of earlier batches, whose events were changed since they were sent.

    :param events: what may be sent, with when the registry last changed it.
    """
    if not events:
        return []
    with transaction(engine) as connection:
        rows = connection.execute(
            _CORRECTED,
            {"kind": str(kind), "batch": batch_id, "modified": list(events.values()), **key_arrays(list(events))},
        )
        return [Refused(row.aid, ApplicationState(row.state)) for row in rows]


def elders(engine: Engine, kind: RegistrationKind, keys: Collection[EventKey]) -> dict[str, EventKey]:
    """Give AIDs that were superseded, of events whose current application is unsent, or may be superseded too.

    An operator may have resumed them since: whether their refusal still stands decides about what came after them.
    """
    if not keys:
        return {}
    with transaction(engine) as connection:
        rows = connection.execute(_ELDERS, {"kind": str(kind), **key_arrays(list(keys))})
        return {row.aid: EventKey(row.id, Act(row.act), row.number) for row in rows}


def waiting(engine: Engine, kind: RegistrationKind, before_batch: int, after: int, limit: int) -> list[tuple[int, str]]:
    """Give applications that are to be sent again and that no window brings back: (application, registration).

    The correction of refused ones was read before they were refused, or they need none because MOSIP never began them.
    Successors that were claimed and not sent, be it that a holiday or a killed process came in between, are among them.

    :param after: the last application of the page before.
    """
    with transaction(engine) as connection:
        rows = connection.execute(
            _WAITING, {"kind": str(kind), "batch": before_batch, "after": after, "limit": limit}
        )
        return [(row.application_id, row.registration_id) for row in rows]


def supersede(connection: Connection, successors: Mapping[str, str]) -> dict[str, str]:
    """Let applications go in favour of new ones that are inserted next; :func:`finish` must follow.

    :param successors: the new AID by the old one.
    :return: those of them that may be, being still refused and never completed.
    """
    if not successors:
        return {}
    evidence.lock(connection, successors)  # before anything is looked at
    rows = connection.execute(
        _SUPERSEDE,
        {"olds": list(successors), "news": list(successors.values()), "successes": [str(kind) for kind in SUCCESSES]},
    )
    return {row.aid: row.superseded_by for row in rows}


def finish(connection: Connection, successors: Mapping[str, str], inserted: Collection[str]) -> None:
    """Keep, as evidence, what was superseded by what; an old one whose successor could not be inserted stays."""
    vain = [old for old, new in successors.items() if new not in inserted]
    if vain:
        connection.execute(
            text("UPDATE applications SET is_current = true, superseded_by = NULL WHERE aid = ANY(:aids)"),
            {"aids": vain},
        )
    _keep(connection, {old: new for old, new in successors.items() if new in inserted})


def _keep(connection: Connection, successors: Mapping[str, str]) -> None:
    if not successors:
        return
    now = now_of(connection)
    held = evidence.hold(connection, successors)
    rows: Sequence[EvidenceRow] = [
        EvidenceRow(_superseded(old, new, now), held[old].state, held[old].state, None)
        for old, new in successors.items()
    ]
    evidence.append(connection, rows)
    alarms.clear_each(connection, [(str(Alarm.HALF_CREATED), old) for old in successors])


def _superseded(old: str, new: str, now: datetime) -> Fact:
    digest = hashlib.sha256(new.encode()).hexdigest()
    return Fact(old, EvidenceKind.SUPERSEDED, "supersession", new, digest, now)


_CORRECTED = text(
    """
    SELECT a.aid, a.state
      FROM unnest(CAST(:ids AS text[]), CAST(:acts AS text[]), CAST(:numbers AS int[]),
                  CAST(:modified AS timestamptz[])) AS read (id, act, number, modified)
      JOIN applications a
        ON a.kind = :kind AND a.registration_id = read.id AND a.act = read.act AND a.act_number = read.number
       AND a.is_current
     WHERE a.batch_id <> :batch
       AND (a.state = 'HALF_CREATED' OR a.state IN ('REJECTED', 'FAILED') AND read.modified > a.registry_modified_at)
    """
)

_ELDERS = text(
    """
    SELECT old.aid, read.id, read.act, read.number
      FROM unnest(CAST(:ids AS text[]), CAST(:acts AS text[]), CAST(:numbers AS int[])) AS read (id, act, number)
      JOIN applications old
        ON old.kind = :kind AND old.registration_id = read.id AND old.act = read.act AND old.act_number = read.number
       AND old.superseded_by IS NOT NULL AND NOT old.is_current AND old.state IN ('REJECTED', 'FAILED', 'HALF_CREATED')
      JOIN applications a
        ON a.kind = old.kind AND a.registration_id = old.registration_id AND a.act = old.act
       AND a.act_number = old.act_number AND a.is_current
       AND a.state IN ('AID_ASSIGNED', 'TRIGGERING', 'REJECTED', 'FAILED', 'HALF_CREATED')
    """
)

_WAITING = text(
    """
    SELECT application_id, registration_id FROM (
        (SELECT application_id, registration_id FROM applications
          WHERE kind = :kind AND state IN ('REJECTED', 'FAILED', 'HALF_CREATED') AND is_current AND act = 'register'
            AND (state = 'HALF_CREATED' OR seen_modified_at > registry_modified_at)
            AND batch_id < :batch AND application_id > :after
          ORDER BY application_id LIMIT :limit)
        UNION ALL
        (SELECT application_id, registration_id FROM applications
          WHERE kind = :kind AND state = 'AID_ASSIGNED' AND is_current AND supersedes IS NOT NULL
            AND application_id > :after
          ORDER BY application_id LIMIT :limit)
    ) again ORDER BY application_id LIMIT :limit
    """
)

_SUPERSEDE = text(
    f"""
    UPDATE applications a SET is_current = false, superseded_by = successor.aid
      FROM unnest(CAST(:olds AS text[]), CAST(:news AS text[])) AS successor (old, aid)
     WHERE a.aid = successor.old AND a.is_current AND a.state IN ('REJECTED', 'FAILED', 'HALF_CREATED')
       AND NOT EXISTS (
           SELECT 1 FROM evidence e WHERE e.aid = a.aid AND e.kind = ANY(:successes))
       AND NOT EXISTS (
           SELECT 1 FROM applications other JOIN evidence e ON e.aid = other.aid
            WHERE {ARE_RELATIVES} AND e.kind = ANY(:successes))
       AND {NO_RELATIVE_ALIVE}
    RETURNING a.aid, a.superseded_by
    """  # noqa: S608 (a constant)
)
