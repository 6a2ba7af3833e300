"""Applications of one event: one supersedes the other, and one is current.

An event is sent under a second number only once MOSIP has refused the first. MOSIP's operators can still complete the
first one; then the second is withdrawn if its trigger has not left yet. Otherwise a child may get two identities: the
loudest alarm there is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from mosip_crvs.ledger.evidence import Fact
from mosip_crvs.ledger.keys import ARE_RELATIVES, SAME_EVENT
from mosip_crvs.model import ApplicationState
from mosip_crvs.settlement.rules import EvidenceKind

POSSIBLE_SECOND_ID = "possible_second_id"

NO_RELATIVE_ALIVE = f"""NOT EXISTS (
    SELECT 1 FROM applications other WHERE {ARE_RELATIVES} AND other.aid <> a.aid
       AND other.state NOT IN ('REJECTED', 'FAILED', 'HALF_CREATED', 'WITHDRAWN'))"""  # noqa: S608 (constants)
"""A condition on an application ``a``: no other one of its event is with MOSIP, or was completed by it."""

_UNSENT = frozenset({ApplicationState.AID_ASSIGNED, ApplicationState.TRIGGERING})
_REFUSED = frozenset(
    {ApplicationState.REJECTED, ApplicationState.FAILED, ApplicationState.HALF_CREATED, ApplicationState.WITHDRAWN}
)


@dataclass(frozen=True, slots=True)
class Relative:
    """Another application of the same event."""

    aid: str
    state: ApplicationState

    @property
    def may_be_withdrawn(self) -> bool:
        """Whether its trigger has not left, or may not have: then no run sends it any more."""
        return self.state in _UNSENT

    @property
    def may_be_second(self) -> bool:
        """Whether MOSIP may have made, or may yet make, an identity of it."""
        return self.state is not ApplicationState.AID_ASSIGNED and self.state not in _REFUSED

    @property
    def is_refused(self) -> bool:
        """Whether MOSIP has refused it, never begun it, or never got it."""
        return self.state in _REFUSED

    @property
    def is_alive(self) -> bool:
        """Whether MOSIP has it and has not refused it: it stays the event's current application."""
        return self.may_be_second and not self.may_be_withdrawn


def of(connection: Connection, aid: str) -> list[Relative]:
    """Give, and lock, the other applications of an application's event."""
    rows = connection.execute(_RELATIVES, {"aid": aid})
    return [Relative(row.aid, ApplicationState(row.state)) for row in rows]


def withdrawal(aid: str, completed: str, now: datetime) -> Fact:
    """Give the fact that an application is not to be sent, because another one of its event was completed."""
    digest = hashlib.sha256(completed.encode()).hexdigest()
    return Fact(aid, EvidenceKind.WITHDRAWN, "supersession", completed, digest, now)


def make_current(connection: Connection, aid: str, others: Sequence[str]) -> None:
    """Let an application stand for its event again, in the place of others."""
    connection.execute(text("UPDATE applications SET is_current = false WHERE aid = ANY(:others)"), {"others": others})
    connection.execute(_MAKE_CURRENT, {"aid": aid})


_RELATIVES = text(
    f"""
    SELECT other.aid, other.state FROM applications a JOIN applications other ON {ARE_RELATIVES}
     WHERE a.aid = :aid AND other.aid <> a.aid
     ORDER BY other.aid
       FOR UPDATE OF other
    """  # noqa: S608 (constants)
)

_MAKE_CURRENT = text(
    f"""
    UPDATE applications a SET is_current = true
     WHERE aid = :aid AND NOT EXISTS (
           SELECT 1 FROM applications other WHERE {SAME_EVENT} AND other.is_current)
       AND NOT EXISTS (
           SELECT 1 FROM applications other
            WHERE other.kind = a.kind AND other.person_id = a.person_id AND other.act = 'register'
              AND a.act = 'register' AND other.is_current AND other.aid <> a.aid)
    """  # noqa: S608 (constants)
)
