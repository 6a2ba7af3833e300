"""What every alarm means to the person who reads it in the morning: how bad it is, and one sentence. Data and words.

A sentence is built from subjects (AIDs, topics, days) and from counts of our own only. Details that quote MOSIP, its
hub or the registry stay in the ledger: these sentences leave the house.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from mosip_crvs.ledger.alarms import OpenAlarm
from mosip_crvs.ledger.relatives import POSSIBLE_SECOND_ID
from mosip_crvs.settlement.rules import Alarm

NOT_SETTLED = "not_settled"
NOT_SYNCED = "not_synced"
NOT_BALANCED = "not_balanced"
UNEXPLAINED = "unexplained"
QUARANTINE_SHARE = "quarantine_share"


class Severity(StrEnum):
    """How bad an alarm is, worst first."""

    CRITICAL = "critical"
    """A person may get a wrong identity, or an event may be lost: act now."""
    ERROR = "error"
    """It does not mend itself: somebody must look today."""
    NOTICE = "notice"
    """To be known. The morning's run succeeds all the same."""


@dataclass(frozen=True, slots=True)
class AlertKind:
    """What an alarm's code means.

    :param says: what, where and what to do; ``{subject}``, ``{other}`` and ``{details}`` are filled in. Only alarms
        whose details are counts of our own have ``{details}``.
    """

    severity: Severity
    says: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An open alarm in words.

    :param is_told: whether somebody was told of it.
    """

    alarm_id: int
    code: str
    severity: Severity
    subject: str
    other: str | None
    sentence: str
    raised_at: datetime
    is_told: bool

    @property
    def needs_a_person(self) -> bool:
        """Whether the morning is not well while it is open."""
        return self.severity is not Severity.NOTICE

    def as_dict(self) -> dict[str, Any]:
        """Give what is sent of it; ``text`` is what Slack and its likes show."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "subject": self.subject,
            "other": self.other,
            "sentence": self.sentence,
            "raised_at": self.raised_at.isoformat(),
            "text": f"{self.severity.upper()} {self.code}: {self.sentence}",
        }


def alert_of(alarm: OpenAlarm) -> Alert:
    """Put an alarm into words; one whose code nobody described is told all the same."""
    kind = KINDS.get(alarm.code, _UNDESCRIBED)
    sentence = kind.says.format(
        subject=alarm.subject, other=alarm.other or "another one", details=alarm.details or "no count", code=alarm.code
    )
    return Alert(
        alarm.alarm_id,
        alarm.code,
        kind.severity,
        alarm.subject,
        alarm.other,
        sentence,
        alarm.raised_at,
        alarm.notified_at is not None,
    )


def worst_first(alert: Alert) -> tuple[int, bool, str, int]:
    """Give the place of an alert among others: a possible second identity stands before everything."""
    rank = list(Severity).index(alert.severity)
    return rank, alert.code != POSSIBLE_SECOND_ID, alert.code, alert.alarm_id


_HUB = "Look at the runs of mosip_subscriptions and at the ledger's table handshakes."
_CREDENTIAL = "Ask MOSIP's operators to issue it again."

KINDS: dict[str, AlertKind] = {
    POSSIBLE_SECOND_ID: AlertKind(
        Severity.CRITICAL,
        "Applications {subject} and {other} are of one registration, and MOSIP may make an identity of each: have "
        "MOSIP's operators stop {subject} at once, or deactivate its identity if there is one.",
    ),
    Alarm.RESULT_BEFORE_TRIGGER: AlertKind(
        Severity.CRITICAL,
        "MOSIP reports a result for application {subject}, which was never triggered from here: find out who else "
        "sends under this centre and machine, and stop the syncs until you know.",
    ),
    "aid_in_use": AlertKind(
        Severity.CRITICAL,
        "MOSIP had application {subject} already when it was triggered from here for the first time: find out who else "
        "sends under this centre and machine, and stop the syncs until you know.",
    ),
    "evidence_tampered": AlertKind(
        Severity.CRITICAL,
        "The evidence or the balance of {subject} is not what was signed, and the signed one was not replaced: keep a "
        "copy (./run verify says what differs) and find out who wrote into the ledger.",
    ),
    Alarm.REVOKED_SUCCESS: AlertKind(
        Severity.CRITICAL,
        "MOSIP had completed application {subject} and now answers that it is refused: ask MOSIP's operators whether "
        "its identity still holds.",
    ),
    UNEXPLAINED: AlertKind(
        Severity.CRITICAL,
        "On {subject} {details}: open the day's balance, list what is unexplained, and call nothing done before.",
    ),
    Alarm.CONTRADICTED_SUCCESS: AlertKind(
        Severity.ERROR,
        "MOSIP had completed application {subject} and then announced a refusal: ask MOSIP's operators which holds.",
    ),
    Alarm.HALF_CREATED: AlertKind(
        Severity.NOTICE,
        "MOSIP noted application {subject} and never began it: nothing is to be done, it is sent again by itself. Do "
        "not have it resumed in MOSIP.",
    ),
    Alarm.UNKNOWN_TO_MOSIP: AlertKind(
        Severity.ERROR,
        "MOSIP accepted application {subject} and, asked, does not know it: ask MOSIP's operators to look for it.",
    ),
    Alarm.REVERSED_REFUSAL: AlertKind(
        Severity.NOTICE,
        "MOSIP completed application {subject} after having refused it: nothing is to be done.",
    ),
    NOT_SETTLED: AlertKind(
        Severity.ERROR,
        "Of {subject} {details}: list them (python -m mosip_crvs.reconciliation list --day {subject} --kind all "
        "--term in_progress) and ask MOSIP's operators about the oldest.",
    ),
    NOT_SYNCED: AlertKind(
        Severity.ERROR, "The sync of {subject} {details}: look at the sync's run in Airflow, and run it again."
    ),
    NOT_BALANCED: AlertKind(
        Severity.ERROR, "Of {subject} {details}: see whether the syncs and mosip_reconcile are switched on and run."
    ),
    QUARANTINE_SHARE: AlertKind(
        Severity.ERROR,
        "In the sync of {subject} {details}: compare the registry's columns and codes with include/mappings; the "
        "quarantine names fields and rules.",
    ),
    "unread": AlertKind(Severity.ERROR, "{details}."),
    "parked": AlertKind(
        Severity.CRITICAL,
        "{details} under our centre and machine belong to no application of this ledger. Was it restored from a "
        "backup, or does somebody else use our AIDs? Do not sync before you know.",
    ),
    "unreadable": AlertKind(
        Severity.ERROR,
        "{details} had a shape that nobody knows; they are kept in the table inbox, state 'unreadable'. Has MOSIP "
        "been updated? Then the plugin must be, too. Set their state to 'new' then, or to 'foreign' if you do not "
        "need them, and close the alarm: trigger mosip_morning with done.",
    ),
    "subscription_silent": AlertKind(
        Severity.ERROR,
        "The subscription to {subject} looks healthy and is silent: {details}. If it stays so after "
        "mosip_subscriptions has replaced the callback, ask MOSIP's operators to restart the hub.",
    ),
    "subscription_refused": AlertKind(
        Severity.ERROR, "MOSIP's hub refuses our subscription to {subject}, so results will not be announced. " + _HUB
    ),
    "subscription_unverified": AlertKind(
        Severity.ERROR,
        "MOSIP's hub did not verify our callback for {subject}: see whether the receiver can be reached from MOSIP. "
        + _HUB,
    ),
    "rotation_stalled": AlertKind(
        Severity.ERROR, "The change of the secret of {subject} has been under way for more than a day. " + _HUB
    ),
    "polling_forbidden": AlertKind(
        Severity.NOTICE,
        "Our client may not ask MOSIP by {subject}, so only what is announced settles: ask for the role that the "
        "preflight names.",
    ),
    "status_call_poisoned": AlertKind(
        Severity.NOTICE,
        "MOSIP cannot say what became of a {subject}: have the CRVS processes added to its "
        "registration.processor.main-processes.",
    ),
    "results_not_delivered": AlertKind(
        Severity.ERROR,
        "Results have not reached the {subject} for a day ({details}): look at the task deliver of mosip_reconcile and "
        "at the connection crvs_results.",
    ),
    "credential_lost": AlertKind(
        Severity.ERROR, "The credential of application {subject} is lost: its link was used up. " + _CREDENTIAL
    ),
    "credential_overdue": AlertKind(
        Severity.ERROR,
        "Births were completed a day ago or longer and no credential of theirs was announced to partner {subject} "
        "({details}): see whether MOSIP issues them to it and announces that on its topic; set credential_suffix in "
        "the connection mosip to have them issued again.",
    ),
    "credential_unreadable": AlertKind(
        Severity.ERROR, "The credential of application {subject} cannot be read. " + _CREDENTIAL
    ),
    "credential_mismatch": AlertKind(
        Severity.CRITICAL,
        "The credential that came for application {subject} is of somebody else and was not used: tell MOSIP's "
        "operators.",
    ),
    "credential_wrong_proof": AlertKind(
        Severity.CRITICAL,
        "The credential that came for application {subject} was not signed by this MOSIP and was not used: find out "
        "who sent it.",
    ),
    "credential_host_refused": AlertKind(
        Severity.ERROR,
        "Credentials of partner {subject} lie on a host that nobody allowed: if it is MOSIP's, add it to the list of "
        "hosts in the connection mosip.",
    ),
    "credential_not_proven": AlertKind(
        Severity.ERROR,
        "Credentials of partner {subject} wait because nobody can tell that MOSIP signed them: give the certificates "
        "of MOSIP's signing keys.",
    ),
    "credential_accepted_unproven": AlertKind(
        Severity.NOTICE,
        "Credentials of partner {subject} are used although nobody could tell that MOSIP signed them: give the "
        "certificates of MOSIP's signing keys.",
    ),
    "credential_without_identifier": AlertKind(
        Severity.ERROR,
        "Credentials of partner {subject} hold no identifier: have the partner's policy share one, or none be asked "
        "for.",
    ),
    "credential_unknown_key": AlertKind(
        Severity.ERROR,
        "Credentials wait for the private key whose certificate's SHA-256 begins with {subject}: put it into the "
        "folder for keys.",
    ),
    "credential_share_refused": AlertKind(
        Severity.ERROR, "Partner {subject} may not fetch its credentials: ask for the role that the preflight names."
    ),
    "credential_status_refused": AlertKind(
        Severity.NOTICE,
        "Partner {subject} may not tell MOSIP that credentials arrived: ask for the role that the preflight names.",
    ),
    "credential_reissue_refused": AlertKind(
        Severity.ERROR,
        "Partner {subject} may not ask for a credential again: ask for the role that the preflight names.",
    ),
}
"""By the alarm's code."""

_UNDESCRIBED = AlertKind(Severity.ERROR, "The alarm {code} is open for {subject}: look it up in the ledger's alarms.")
