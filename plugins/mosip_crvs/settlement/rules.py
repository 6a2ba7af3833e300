"""What evidence makes of an application (``mosip-events.md`` §4.5). Pure: values in, values out.

The state is a function of all the evidence there is, each piece with the moment of its first coming: :func:`state_of`
puts the pieces into the order of those moments and walks through them. So the order in which they were worked off, and
how often each came, cannot change where an application ends.

Two kinds of words weigh differently. A *notification* says that something happened, at some time before it came: it
lifts an application to a higher state and never lowers it. An *answer* to a question is MOSIP's status at that moment:
it takes a refusal back when an operator has resumed the application, and it alone may take a success back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mosip_crvs.model import ApplicationState

HALF_CREATED_AFTER = timedelta(minutes=30)
"""How long MOSIP may know an application without having begun it, before we believe that it never will."""


class EvidenceKind(StrEnum):
    """What MOSIP, its hub, or we ourselves said of an application."""

    TRIGGER_ACCEPTED = "trigger_accepted"
    """The trigger returned a ``workflowInstanceId``."""
    TRIGGER_ALREADY_PRESENT = "trigger_already_present"
    """The trigger answered ``RPR-WIS-001``: an earlier one had been accepted."""
    WORKFLOW_PROCESSED = "workflow_processed"
    WORKFLOW_REJECTED = "workflow_rejected"
    WORKFLOW_FAILED = "workflow_failed"
    PAUSED_FOR_INFO = "paused_for_info"
    IDENTITY_CREATED = "identity_created"
    IDENTITY_UPDATED = "identity_updated"
    CREDENTIAL_ISSUED = "credential_issued"
    CREDENTIAL_REQUESTED = "credential_requested"
    """A credential was asked for under the application's own number, which is done once the identity exists."""
    STATUS_PROCESSING = "status_processing"
    STATUS_UPLOAD_PENDING = "status_upload_pending"
    """MOSIP has noted the application and not begun it."""
    STATUS_AWAITING_INFORMATION = "status_awaiting_information"
    STATUS_REREGISTER = "status_reregister"
    """Failed, or given up after many tries: the latter is never announced."""
    STATUS_REJECTED = "status_rejected"
    STATUS_UIN_GENERATED = "status_uin_generated"
    """Completed, be it a birth or a death."""
    STATUS_NOT_FOUND = "status_not_found"
    STATUS_OTHER = "status_other"
    """A word that says nothing certain. It moves nothing."""
    SEARCH_HINT = "search_hint"
    """The other status call, which cannot tell success from refusal. It moves nothing."""
    STAGE_FAILED = "stage_failed"
    """The stage at which MOSIP refused; it explains and moves nothing."""
    SUPERSEDED = "superseded"
    """The event was sent again under another number. It moves nothing: MOSIP still decides about this one."""
    WITHDRAWN = "withdrawn"
    """The number that this one superseded was completed after all."""


class Alarm(StrEnum):
    """What a person must look at, although the state is settled by the rules."""

    CONTRADICTED_SUCCESS = "contradicted_success"
    """MOSIP had completed the application and now announces a refusal: believed only once an answer says so, too."""
    REVOKED_SUCCESS = "revoked_success"
    """MOSIP had completed the application and now answers that it is refused."""
    REVERSED_REFUSAL = "reversed_refusal"
    """A refused application was completed after all: an operator resumed it."""
    RESULT_BEFORE_TRIGGER = "result_before_trigger"
    """A result for an application that we never triggered: somebody else used our AID."""
    HALF_CREATED = "half_created"
    """MOSIP noted the application, did not begin it, and will not."""
    UNKNOWN_TO_MOSIP = "unknown_to_mosip"
    """MOSIP had accepted the trigger and does not know the application."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence as the rules see it.

    :param at: when a notification first came, or when a question was asked.
    :param digest: what tells it from another of its kind.
    """

    kind: EvidenceKind
    at: datetime
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """What we ourselves did, before any evidence.

    :param triggering_at: when the first trigger was about to leave; None when none was.
    :param grace: after which an application that MOSIP noted and did not begin is half-created.
    """

    triggering_at: datetime | None
    grace: timedelta = HALF_CREATED_AFTER

    @property
    def start(self) -> ApplicationState:
        """The state without any evidence."""
        return ApplicationState.AID_ASSIGNED if self.triggering_at is None else ApplicationState.TRIGGERING


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a piece of evidence moves an application to, and what it should alarm."""

    state: ApplicationState
    alarm: Alarm | None = None


SUCCESSES = frozenset(
    {
        EvidenceKind.WORKFLOW_PROCESSED,
        EvidenceKind.IDENTITY_CREATED,
        EvidenceKind.IDENTITY_UPDATED,
        EvidenceKind.CREDENTIAL_ISSUED,
        EvidenceKind.CREDENTIAL_REQUESTED,
        EvidenceKind.STATUS_UIN_GENERATED,
    }
)
"""Each alone is enough: an identity exists."""

ANSWERS = frozenset(kind for kind in EvidenceKind if kind.startswith("status_"))
"""MOSIP's status at the moment of a question."""

_LIFTS: dict[EvidenceKind, ApplicationState] = {
    EvidenceKind.TRIGGER_ACCEPTED: ApplicationState.TRIGGERED,
    EvidenceKind.TRIGGER_ALREADY_PRESENT: ApplicationState.TRIGGERED,
    EvidenceKind.PAUSED_FOR_INFO: ApplicationState.AWAITING_INFO,
    EvidenceKind.WORKFLOW_FAILED: ApplicationState.FAILED,
    EvidenceKind.WORKFLOW_REJECTED: ApplicationState.REJECTED,
}
_SNAPSHOTS: dict[EvidenceKind, ApplicationState] = {
    EvidenceKind.STATUS_PROCESSING: ApplicationState.TRIGGERED,
    EvidenceKind.STATUS_AWAITING_INFORMATION: ApplicationState.AWAITING_INFO,
    EvidenceKind.STATUS_REREGISTER: ApplicationState.FAILED,
    EvidenceKind.STATUS_REJECTED: ApplicationState.REJECTED,
}
_RANK = {state: rank for rank, state in enumerate(ApplicationState)}
_ORDER = {kind: place for place, kind in enumerate(EvidenceKind)}
_NEGATIVE = frozenset({ApplicationState.REJECTED, ApplicationState.FAILED})
_REFUSALS = frozenset({EvidenceKind.WORKFLOW_REJECTED, EvidenceKind.WORKFLOW_FAILED})
_LAST_WORDS = frozenset(
    {EvidenceKind.STATUS_UIN_GENERATED, EvidenceKind.STATUS_REJECTED, EvidenceKind.STATUS_REREGISTER}
)
_UNCERTAIN = frozenset({ApplicationState.TRIGGERING, ApplicationState.TRIGGERED})


def state_of(case: Case, pieces: Iterable[Piece]) -> ApplicationState:
    """Give the state that all the evidence of an application comes to, whatever order it is given in."""
    state = case.start
    for state in _walk(case, pieces):  # noqa: B007 (the last one counts)
        pass
    return state


def weigh(case: Case, earlier: Iterable[Piece], new: Piece) -> Verdict:
    """Say what a new piece of evidence does to an application, and what it should alarm."""
    known = list(earlier)
    before, after = state_of(case, known), state_of(case, [*known, new])
    return Verdict(after, _alarm(case, before, after, new.kind))


def was_ever_completed(pieces: Iterable[Piece]) -> bool:
    """Say whether anything ever said that an identity exists. Then the event is never sent under another number."""
    return any(piece.kind in SUCCESSES for piece in pieces)


def answers_contradiction(earlier: Iterable[Piece], new: Piece) -> bool:
    """Say whether a piece is MOSIP's answer on how an application ended, asked for after every announced refusal."""
    return new.kind in _LAST_WORDS and all(piece.at < new.at for piece in earlier if piece.kind in _REFUSALS)


def _walk(case: Case, pieces: Iterable[Piece]) -> Iterator[ApplicationState]:
    state, withdrawn = case.start, False
    for piece in _in_order(pieces):
        withdrawn = withdrawn or piece.kind is EvidenceKind.WITHDRAWN
        state = _step(case, state, piece, withdrawn=withdrawn)
        yield state


def _in_order(pieces: Iterable[Piece]) -> list[Piece]:
    """Put evidence into the order of its moments; of a repeated piece the first coming counts."""
    first: dict[tuple[EvidenceKind, str], Piece] = {}
    for piece in pieces:
        known = first.get((piece.kind, piece.digest))
        if known is None or piece.at < known.at:
            first[(piece.kind, piece.digest)] = piece
    return sorted(first.values(), key=lambda piece: (piece.at, _ORDER[piece.kind], piece.digest))


def _step(case: Case, state: ApplicationState, piece: Piece, *, withdrawn: bool) -> ApplicationState:
    """Apply one piece, all before it being applied.

    :param withdrawn: whether we had given the application up, unless its trigger was on its way already.
    """
    if piece.kind in SUCCESSES:
        return ApplicationState.COMPLETED
    if piece.kind in _SNAPSHOTS:
        target = _SNAPSHOTS[piece.kind]
        return state if state is ApplicationState.COMPLETED and target not in _NEGATIVE else target
    if withdrawn and _never_left(case, state, piece):
        return ApplicationState.WITHDRAWN
    if piece.kind is EvidenceKind.STATUS_UPLOAD_PENDING:
        return ApplicationState.HALF_CREATED if state in _UNCERTAIN and _is_overdue(case, piece) else state
    if _reached_mosip_after_all(state, piece):
        return ApplicationState.TRIGGERED
    target = _LIFTS.get(piece.kind, state)
    return target if _RANK[target] > _RANK[state] else state


def _never_left(case: Case, state: ApplicationState, piece: Piece) -> bool:
    """Say whether MOSIP cannot have an application: no trigger was begun, or it still does not know it long after."""
    if state is ApplicationState.AID_ASSIGNED:
        return True
    unknown = piece.kind is EvidenceKind.STATUS_NOT_FOUND and _is_overdue(case, piece)
    return unknown and state is ApplicationState.TRIGGERING


def _reached_mosip_after_all(state: ApplicationState, piece: Piece) -> bool:
    """Say whether a trigger was answered of which we had believed that it came to nothing."""
    if state is ApplicationState.WITHDRAWN:
        return piece.kind in (EvidenceKind.TRIGGER_ACCEPTED, EvidenceKind.TRIGGER_ALREADY_PRESENT)
    return state is ApplicationState.HALF_CREATED and piece.kind is EvidenceKind.TRIGGER_ACCEPTED


def _is_overdue(case: Case, piece: Piece) -> bool:
    return case.triggering_at is not None and piece.at - case.triggering_at >= case.grace


def _alarm(case: Case, before: ApplicationState, after: ApplicationState, kind: EvidenceKind) -> Alarm | None:
    if before is ApplicationState.COMPLETED and after is before and kind in _REFUSALS:
        return Alarm.CONTRADICTED_SUCCESS
    if before is ApplicationState.COMPLETED and after in _NEGATIVE:
        return Alarm.REVOKED_SUCCESS
    if before in _NEGATIVE and after is ApplicationState.COMPLETED:
        return Alarm.REVERSED_REFUSAL
    if case.triggering_at is None and kind in SUCCESSES | _REFUSALS:
        return Alarm.RESULT_BEFORE_TRIGGER
    if after is ApplicationState.HALF_CREATED and before is not after:
        return Alarm.HALF_CREATED
    if kind is EvidenceKind.STATUS_NOT_FOUND and before is ApplicationState.TRIGGERED:
        return Alarm.UNKNOWN_TO_MOSIP
    return None
