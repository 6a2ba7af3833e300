"""Which corrected events may be sent under a new AID: only those of which MOSIP, asked just now, says that it refused.

A refusal that was only announced may have been taken back by an operator since. So MOSIP is asked about every candidate
right before its successor is claimed. Where it may not be asked, or cannot answer about our processes, its announcement
is all there is, and it is believed; whatever else is in doubt stays as it is until the next run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from mosip_crvs.errors import MosipUnavailable
from mosip_crvs.ledger import facts, supersessions
from mosip_crvs.ledger.claims import Claimant, ReadEvent
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.evidence import Fact
from mosip_crvs.ledger.supersessions import Refused
from mosip_crvs.model import ApplicationState, EventKey
from mosip_crvs.settlement.rules import EvidenceKind

log = logging.getLogger(__name__)

_STILL_REFUSED = {
    ApplicationState.REJECTED: frozenset({EvidenceKind.STATUS_REJECTED, EvidenceKind.STATUS_REREGISTER}),
    ApplicationState.FAILED: frozenset({EvidenceKind.STATUS_REJECTED, EvidenceKind.STATUS_REREGISTER}),
    ApplicationState.HALF_CREATED: frozenset({EvidenceKind.STATUS_UPLOAD_PENDING}),
}
"""What MOSIP must answer for its refusal to stand. For what it never began there is nothing but its answer."""
_NOTHING = EvidenceKind.STATUS_OTHER
_SAYS_NOTHING = frozenset({EvidenceKind.STATUS_OTHER, EvidenceKind.STATUS_NOT_FOUND})
_ANNOUNCED = frozenset({ApplicationState.REJECTED, ApplicationState.FAILED})


@dataclass(frozen=True, slots=True)
class StatusNow:
    """MOSIP's answers, as facts.

    :param unaskable: AIDs that it cannot, or may not, tell us about at all.
    """

    facts: Sequence[Fact]
    unaskable: frozenset[str] = frozenset()


AskStatus = Callable[[Sequence[str]], StatusNow]
"""Asks MOSIP about some AIDs, raising :class:`MosipUnavailable` when it does not answer as it should."""


def nobody_to_ask(aids: Sequence[str]) -> StatusNow:
    """Stand in for a MOSIP that may not be asked."""
    return StatusNow((), frozenset(aids))


@dataclass(frozen=True, slots=True)
class Leave:
    """What of a page may be sent again.

    :param supersede: AIDs of refused applications whose corrected events may be sent under a new one.
    :param in_doubt: events of which MOSIP does not say whether an earlier refusal stands: nothing of them is sent.
    """

    supersede: frozenset[str] = frozenset()
    in_doubt: frozenset[EventKey] = frozenset()


def leave_for(
    ledger: Engine,
    claimant: Claimant,
    events: Sequence[ReadEvent],
    ask: AskStatus,
    grace: timedelta,
) -> Leave:
    """Say which refused events, read again and corrected, may be sent under a new AID.

    MOSIP is asked, too, about what was superseded earlier: when it works on that again, the ledger sends nothing after.

    :param grace: after which an application that MOSIP noted and did not begin is half-created.
    """
    sendable = {event.key: event.modified_at for event in events if event.may_be_sent}
    candidates = supersessions.corrected(ledger, claimant.kind, claimant.batch_id, sendable)
    elders = supersessions.elders(ledger, claimant.kind, sendable)
    if not candidates and not elders:
        return Leave()
    try:
        now = ask([*(candidate.aid for candidate in candidates), *elders])
    except MosipUnavailable as problem:
        log.warning("%d corrected events wait for the next run: MOSIP does not say whether their refusal stands (%s)",
                    len({*elders.values()} | {candidate.aid for candidate in candidates}), problem)  # fmt: skip
        return Leave(in_doubt=frozenset(elders.values()))
    with transaction(ledger) as connection:
        facts.record(connection, now.facts, grace)
    said = {fact.aid: fact.kind for fact in now.facts}
    return Leave(
        frozenset(candidate.aid for candidate in candidates if _stands(candidate, said, now.unaskable)),
        frozenset(key for aid, key in elders.items() if said.get(aid, _NOTHING) in _SAYS_NOTHING
                  and aid not in now.unaskable),
    )  # fmt: skip


def _stands(candidate: Refused, said: dict[str, EvidenceKind], unaskable: frozenset[str]) -> bool:
    if candidate.aid in said:
        return said[candidate.aid] in _STILL_REFUSED[candidate.state]
    return candidate.aid in unaskable and candidate.state in _ANNOUNCED
