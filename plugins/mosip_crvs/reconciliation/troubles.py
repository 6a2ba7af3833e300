"""The alarms about credentials: which there are, whom each is about, and what answers it."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Connection

from mosip_crvs.credential.proof import Verdict
from mosip_crvs.ledger import alarms
from mosip_crvs.ledger.credentials import DueCredential, Overdue
from mosip_crvs.reconciliation.opening import (
    HOST_REFUSED,
    MISMATCH,
    NO_IDENTIFIER,
    NOT_CURRENT,
    NOT_PROVEN,
    UNKNOWN_KEY,
    WRONG_PROOF,
)


class Step(StrEnum):
    """What is done with a credential."""

    FETCH = "fetch"
    OPEN = "open"
    ACKNOWLEDGE = "acknowledge"
    REISSUE = "reissue"


LOST = "credential_lost"
"""Its link was used up, and MOSIP did not issue it again however often it was asked."""
UNREADABLE = "credential_unreadable"
OVERDUE = "credential_overdue"
"""Births were completed a day ago or longer, and nobody announced a credential of theirs."""
ACCEPTED_UNPROVEN = "credential_accepted_unproven"
"""It was used although nobody could tell that MOSIP signed it: the settings say so, or its certificates are missing."""

_OF_APPLICATION = {MISMATCH: "credential_mismatch", WRONG_PROOF: "credential_wrong_proof"}
_OF_PARTNER = {
    HOST_REFUSED: "credential_host_refused",
    NOT_PROVEN: "credential_not_proven",
    NO_IDENTIFIER: "credential_without_identifier",
}
_UNKNOWN_KEY = "credential_unknown_key"
_DIGITS_SHOWN = 16

_NOT_ALLOWED = {
    Step.FETCH: "credential_share_refused",
    Step.ACKNOWLEDGE: "credential_status_refused",
    Step.REISSUE: "credential_reissue_refused",
}


def of_problem(connection: Connection, due: DueCredential, problem: str, details: str | None = None) -> None:
    """Raise the alarm of what is wrong with a credential. What many will have is one alarm, about the partner or key.

    :param problem: a code, and after a blank what the credential waits for.
    """
    code, _, mark = problem.partition(" ")
    if code == NOT_CURRENT:
        return  # possible_second_id speaks of it
    if code == UNKNOWN_KEY:
        shown = mark[:_DIGITS_SHOWN]
        told = f"the partner's certificate whose SHA-256 begins with {shown} is not in the folder for keys"
        alarms.raise_alarm(connection, _UNKNOWN_KEY, shown, other=due.aid, details=told)
    elif code in _OF_PARTNER:
        alarms.raise_alarm(connection, _OF_PARTNER[code], due.partner_id, other=due.aid, details=details)
    else:
        alarms.raise_alarm(connection, _OF_APPLICATION.get(code, UNREADABLE), due.aid, details=details or code)


def unproven(connection: Connection, due: DueCredential, proof: Verdict | None) -> None:
    """Raise the alarm of a credential that was used all the same."""
    details = f"credentials were used although their signature is {proof}"
    alarms.raise_alarm(connection, ACCEPTED_UNPROVEN, due.partner_id, other=due.aid, details=details)


def lost(connection: Connection, due: DueCredential) -> None:
    """Raise the alarm of a credential that will not come."""
    alarms.raise_alarm(connection, LOST, due.aid, details=f"credential request {due.request_id}")


def not_allowed(connection: Connection, due: DueCredential, step: Step, details: str) -> None:
    """Raise the alarm of a step that MOSIP does not let the partner's client make."""
    alarms.raise_alarm(connection, _NOT_ALLOWED[step], due.partner_id, details=details)


def allowed(connection: Connection, due: DueCredential, step: Step) -> None:
    """Clear the alarm of a step that can be made."""
    alarms.clear(connection, _NOT_ALLOWED[step], due.partner_id)


def is_answered(connection: Connection, due: DueCredential) -> None:
    """Clear the alarms about an application whose credential came and can be used."""
    for code in (*_OF_APPLICATION.values(), UNREADABLE, LOST):
        alarms.clear(connection, code, due.aid)


def has_come(connection: Connection, problem: str, mark: str) -> None:
    """Clear the alarms of a problem whose cause has gone; where it has not, it is raised again."""
    if problem == UNKNOWN_KEY:
        alarms.clear(connection, _UNKNOWN_KEY, mark[:_DIGITS_SHOWN])
    elif problem != NOT_CURRENT:
        alarms.clear_others(connection, (_OF_PARTNER | _OF_APPLICATION)[problem], ())


def overdue(connection: Connection, partner_id: str, late: Overdue) -> None:
    """Raise the alarm of credentials that nobody announced, or clear it when there are none."""
    if late.since is None:
        alarms.clear(connection, OVERDUE, partner_id)
    else:
        details = f"{late.births} births, the oldest of {late.since.isoformat(timespec='minutes')}"
        alarms.raise_alarm(connection, OVERDUE, partner_id, details=details)
