"""What evidence makes of an application (``mosip-events.md`` §4.5). Pure: values in, values out.

States have a rank and evidence only ever lifts an application to a higher one. So the order in which evidence arrives,
and how often, cannot change where an application ends: what matters is the strongest thing that MOSIP has said.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mosip_crvs.model import ApplicationState


class EvidenceKind(StrEnum):
    """What MOSIP, or its hub, told us about an application."""

    TRIGGER_ACCEPTED = "trigger_accepted"
    """The trigger returned a ``workflowInstanceId``."""
    TRIGGER_ALREADY_PRESENT = "trigger_already_present"
    """The trigger answered ``RPR-WIS-001``: an earlier one had been accepted."""
    WORKFLOW_PROCESSED = "workflow_processed"
    WORKFLOW_REJECTED = "workflow_rejected"
    WORKFLOW_FAILED = "workflow_failed"
    PAUSED_FOR_INFO = "paused_for_info"


class Alarm(StrEnum):
    """What a person must look at, although the state is settled by the rules."""

    CONTRADICTED_SUCCESS = "contradicted_success"
    """MOSIP had completed the application and now says rejected or failed: confirm by the status call."""
    REVERSED_REFUSAL = "reversed_refusal"
    """A refused application was completed after all: an operator resumed it."""
    RESULT_BEFORE_TRIGGER = "result_before_trigger"
    """A result for an application that we never triggered: somebody else used our AID."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a piece of evidence moves an application to, and what it should alarm."""

    state: ApplicationState
    alarm: Alarm | None = None


MOVES_TO: dict[EvidenceKind, ApplicationState] = {
    EvidenceKind.TRIGGER_ACCEPTED: ApplicationState.TRIGGERED,
    EvidenceKind.TRIGGER_ALREADY_PRESENT: ApplicationState.TRIGGERED,
    EvidenceKind.WORKFLOW_PROCESSED: ApplicationState.COMPLETED,
    EvidenceKind.WORKFLOW_REJECTED: ApplicationState.REJECTED,
    EvidenceKind.WORKFLOW_FAILED: ApplicationState.FAILED,
    EvidenceKind.PAUSED_FOR_INFO: ApplicationState.AWAITING_INFO,
}

_RANK = {state: rank for rank, state in enumerate(ApplicationState)}
_NEGATIVE = frozenset({ApplicationState.REJECTED, ApplicationState.FAILED})
_RESULTS = frozenset({EvidenceKind.WORKFLOW_PROCESSED, EvidenceKind.WORKFLOW_REJECTED, EvidenceKind.WORKFLOW_FAILED})


def settle(state: ApplicationState, evidence: EvidenceKind) -> Verdict:
    """Apply one piece of evidence to an application.

    Never steps back: silence or a weaker word changes nothing, and a completed application stays completed.
    """
    target = MOVES_TO[evidence]
    alarm: Alarm | None = None
    if state is ApplicationState.COMPLETED and target in _NEGATIVE:
        alarm = Alarm.CONTRADICTED_SUCCESS
    elif state in _NEGATIVE and target is ApplicationState.COMPLETED:
        alarm = Alarm.REVERSED_REFUSAL
    elif not state.is_sent and evidence in _RESULTS:
        alarm = Alarm.RESULT_BEFORE_TRIGGER
    return Verdict(target if _RANK[target] > _RANK[state] else state, alarm)
