"""Which applications MOSIP is to be asked about, and what was found out about asking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from mosip_crvs.ledger.connection import transaction
from mosip_crvs.model import ApplicationState, RegistrationKind

RESERVED_SECONDS = 300
"""For how long a run has applications to itself that it is about to ask about; a killed one loses them no longer."""


@dataclass(frozen=True, slots=True)
class Due:
    """An application that MOSIP is to be asked about.

    :param last_status: MOSIP's last word when it was asked; None when it never was.
    """

    aid: str
    state: ApplicationState
    triggering_at: datetime
    last_status: str | None


def take_due(engine: Engine, kind: RegistrationKind, limit: int) -> list[Due]:
    """Take those whose time has come, the longest waiting first; another run takes others."""
    with transaction(engine) as connection:
        rows = connection.execute(_TAKE, {"kind": str(kind), "limit": limit, "reserved": RESERVED_SECONDS})
        return [Due(row.aid, ApplicationState(row.state), row.triggering_at, row.last_status) for row in rows]


def asked(connection: Connection, words: Mapping[str, str], next_at: Mapping[str, datetime]) -> None:
    """Note what MOSIP said, and when to ask again about what is not settled.

    :param words: its word by AID, or the code of its refusal to say.
    """
    if words:
        connection.execute(
            _ASKED,
            {"aids": list(words), "words": list(words.values()), "nexts": [next_at[aid] for aid in words]},
        )


def note(
    engine: Engine, call: str, verdict: str, *, asked: int, answered: int, silent: int = 0, problem: str | None = None
) -> None:
    """Keep how a run of asking went.

    :param verdict: ``answered``, ``forbidden``, ``poisoned`` or ``unavailable``.
    :param silent: results that no notification had announced.
    """
    with transaction(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO pollings (call, verdict, asked, answered, silent, problem) "
                "VALUES (:call, :verdict, :asked, :answered, :silent, :problem)"
            ),
            {
                "call": call,
                "verdict": verdict,
                "asked": asked,
                "answered": answered,
                "silent": silent,
                "problem": problem,
            },
        )


def unexplained_refusals(engine: Engine, limit: int) -> Sequence[str]:
    """Give AIDs that MOSIP refused of late and for which nobody knows yet at which stage."""
    with transaction(engine) as connection:
        rows = connection.execute(_UNEXPLAINED, {"limit": limit})
        return list(rows.scalars())


def explain_later(engine: Engine, aid: str) -> None:
    """Note that MOSIP names no stage for a refusal yet; it is asked again after some hours."""
    with transaction(engine) as connection:
        connection.execute(
            text("UPDATE applications SET explain_after = now() + interval '6 hours' WHERE aid = :aid"), {"aid": aid}
        )


_TAKE = text(
    """
    UPDATE applications a SET next_poll_at = now() + make_interval(secs => :reserved)
      FROM (SELECT aid FROM applications
             WHERE next_poll_at <= now() AND kind = :kind AND triggering_at IS NOT NULL
             ORDER BY next_poll_at LIMIT :limit FOR UPDATE SKIP LOCKED) due
     WHERE a.aid = due.aid
    RETURNING a.aid, a.state, a.triggering_at, a.last_status
    """
)

_ASKED = text(
    """
    UPDATE applications a
       SET last_status = said.word, last_polled_at = now(), polls = a.polls + 1,
           next_poll_at = CASE
               WHEN a.state IN ('COMPLETED', 'WITHDRAWN') THEN CASE
                    -- Contradicted while the question was under way: that is to be asked about, too.
                    WHEN a.next_poll_at <= clock_timestamp() THEN a.next_poll_at
                    WHEN EXISTS (SELECT 1 FROM alarms WHERE code = 'contradicted_success' AND subject = a.aid
                                    AND cleared_at IS NULL) THEN said.next END
               WHEN a.state IN ('REJECTED', 'FAILED') OR a.state = 'HALF_CREATED' AND NOT a.is_current THEN
                    CASE WHEN a.triggering_at > now() - interval '30 days' THEN now() + interval '1 day' END
               ELSE said.next END
      FROM unnest(CAST(:aids AS text[]), CAST(:words AS text[]), CAST(:nexts AS timestamptz[]))
        AS said (aid, word, next)
     WHERE a.aid = said.aid
    """
)

_UNEXPLAINED = text(
    """
    SELECT aid FROM applications a
     WHERE state IN ('REJECTED', 'FAILED') AND is_current AND settled_at > now() - interval '7 days'
       AND (explain_after IS NULL OR explain_after < now())
       AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.aid = a.aid AND e.kind = 'stage_failed')
     ORDER BY settled_at DESC LIMIT :limit
    """
)
