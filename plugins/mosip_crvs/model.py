"""The words of the domain as values: registrations, acts, applications and their states.

A *registration* (of a birth or a death) concerns a *person*; what is done to it is an *act*; one act on one
registration is one *event*; the *application* that carries an event to MOSIP is named by its AID.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RegistrationKind(StrEnum):
    """What was registered."""

    BIRTH = "birth"
    DEATH = "death"


class Act(StrEnum):
    """What was done to a registration. Only ``register`` is carried to MOSIP so far."""

    REGISTER = "register"
    CORRECT = "correct"
    CANCEL = "cancel"
    REVERSE = "reverse"
    REINSTATE = "reinstate"


@dataclass(frozen=True, slots=True, order=True)
class EventKey:
    """One act on one registration: the unit that owns at most one AID.

    :param registration_id: the registry's own number of the registration. It is personal: never log it.
    :param act: what was done.
    :param act_number: counts acts of the same name on one registration, from 1.
    """

    registration_id: str
    act: Act = Act.REGISTER
    act_number: int = 1

    def __repr__(self) -> str:
        """Hide the registration number: representations end up in logs and tracebacks."""
        return f"EventKey(<registration>, {self.act}, {self.act_number})"


class ApplicationState(StrEnum):
    """Where an application stands (``mosip-events.md`` §4.5).

    ``TRIGGERING`` is durable before the trigger is sent: from then on the packet is never created again.
    """

    AID_ASSIGNED = "AID_ASSIGNED"
    TRIGGERING = "TRIGGERING"
    TRIGGERED = "TRIGGERED"
    HALF_CREATED = "HALF_CREATED"
    """MOSIP noted the application and never began it, nor ever will (``mosip-events.md`` §4.2)."""
    AWAITING_INFO = "AWAITING_INFO"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    COMPLETED = "COMPLETED"
    WITHDRAWN = "WITHDRAWN"
    """Never sent: the application that it superseded was completed after all."""

    @property
    def is_sent(self) -> bool:
        """Whether MOSIP may know the application: the trigger was, or may have been, sent."""
        return self not in _NEVER_SENT

    @property
    def is_settled(self) -> bool:
        """Whether MOSIP has said what became of the application."""
        return self in _SETTLED


_NEVER_SENT = frozenset({ApplicationState.AID_ASSIGNED, ApplicationState.WITHDRAWN})
_SETTLED = frozenset({ApplicationState.COMPLETED, ApplicationState.REJECTED, ApplicationState.FAILED})


class ReadingOutcome(StrEnum):
    """What one reading of an event from the registry came to. Every event read has exactly one."""

    KNOWN = "known"
    """An earlier batch had claimed it."""
    NOT_ELIGIBLE = "not_eligible"
    """A rule of ``include/rules`` says that no ID is due."""
    QUARANTINED = "quarantined"
    """It breaks a rule of the ID schema or of the domain; a person must correct it."""
    CLAIMED = "claimed"
    """This batch gave it its AID."""


class ResultOutcome(StrEnum):
    """What the registry is told of an event."""

    SENT = "sent"
    """It is with MOSIP, or about to be. Told only where something else had been told before."""
    COMPLETED = "completed"
    """MOSIP has taken it; of a birth, an identity exists."""
    ISSUED = "issued"
    """The identifier that the country's policy allows came with the credential."""
    UPDATES_REQUIRED = "updates_required"
    """A registrar must correct the record; it is then sent again by itself."""
    INFORMATION_REQUIRED = "information_required"
    """MOSIP waits for more information."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Why an event cannot be sent, without any personal value.

    :param field: path of the identity field, such as ``dateOfBirth`` or ``fullName/0/value``.
    :param rule: code of the rule, a key of :data:`mosip_crvs.identity.rules.SENTENCES`.
    """

    field: str
    rule: str


@dataclass(frozen=True, slots=True, order=True)
class Bound:
    """A place in the registry's order of change: a moment, then a registration number."""

    modified_at: datetime
    registration_id: str = ""

    def __repr__(self) -> str:
        """Show the moment only: registration numbers are personal."""
        return f"Bound({self.modified_at.isoformat()})"


@dataclass(frozen=True, slots=True)
class PlannedRange:
    """Part of a window: ``lower`` is included, ``upper`` is not."""

    lower: Bound
    upper: Bound
    rows: int
