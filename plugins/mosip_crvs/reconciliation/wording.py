"""What a registrar reads of a result: a sentence for each outcome and code. Pure."""

from __future__ import annotations

from mosip_crvs.identity.rules import SENTENCES
from mosip_crvs.model import ResultOutcome
from mosip_crvs.settlement.explanations import explain

_OF_OUTCOMES = {
    ResultOutcome.SENT: "The record is on its way to MOSIP. Nothing needs to be done.",
    ResultOutcome.ISSUED: "MOSIP has finished the application and issued the identifier. Nothing needs to be done.",
}
# Codes of ours, for what MOSIP answered without giving a reason.
_WITHOUT_REASON = {"REJECTED": "PACKET_REJECTED", "FAILED": "PACKET_FAILED"}
_BREAKS_A_RULE = "The value breaks a rule for records that are sent to MOSIP. Correct it in the registry."


def sentence(outcome: ResultOutcome, code: str | None) -> str:
    """Say what a result means and what a registrar can do.

    :param code: a code of MOSIP's, or of findings: fields and the rules that they break, ``dateOfBirth MISSING; …``.
    """
    if outcome in _OF_OUTCOMES:
        return _OF_OUTCOMES[outcome]
    if code is None:
        return explain(str(ResultOutcome.COMPLETED).upper() if outcome is ResultOutcome.COMPLETED else None)
    if " " in code:
        return " ".join(_of_finding(finding) for finding in code.split("; "))
    return explain(_WITHOUT_REASON.get(code, code))


def _of_finding(finding: str) -> str:
    field, _, rule = finding.rpartition(" ")
    return f"{field}: {SENTENCES.get(rule, _BREAKS_A_RULE)}"
