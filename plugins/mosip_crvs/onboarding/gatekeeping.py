"""What a preflight leaves behind for the nights: its findings and the centre's holidays; and the gate that asks."""

from __future__ import annotations

from sqlalchemy import Engine

from mosip_crvs.errors import PreflightFailed
from mosip_crvs.ledger import calendars, preflights
from mosip_crvs.onboarding.preflight import Status, Stops, Survey

STALE_HOURS = 36
"""An older preflight says nothing about tonight."""


def keep_survey(ledger: Engine, survey: Survey) -> None:
    """Keep the findings."""
    preflights.keep(ledger, str(survey.worst()), [result.as_dict() for result in survey.results])


def keep_calendar(ledger: Engine, survey: Survey) -> int:
    """Keep what was learned about the centre's holidays; give how many days are known now."""
    days = survey.facts.get("center_days", {})
    center = str(survey.facts.get("center_id", ""))
    if days and center:
        calendars.keep_days(ledger, center, days, "preflight")
    return len(days)


def check_gate(ledger: Engine, *, stop: bool = True) -> list[str]:
    """Ask the preflights of the last evening whether anything may be sent.

    Of each check the newest finding counts; that somebody looked without a login in between is no finding.

    :param stop: refuse when one failed; otherwise only warn.
    :return: what to warn of; nothing when all is well.
    :raises PreflightFailed: naming every failed check that stops sending, and its fix.
    """
    hours = preflights.hours_since_last(ledger)
    if hours is None:
        return ["No preflight is on record: run the DAG mosip_preflight to learn of mistakes before MOSIP does"]
    if hours > STALE_HOURS:
        return [f"The last preflight is {hours:.0f} hours old: is the DAG mosip_preflight paused?"]
    found: dict[str, dict[str, str]] = {}
    for results in preflights.recent(ledger, STALE_HOURS):
        for each in results:
            if each["status"] != Status.SKIP:
                found.setdefault(each["id"], each)
    failed = [each for each in found.values() if each["status"] == Status.FAIL]
    # What could not be looked at has not failed: MOSIP may have been away that evening only.
    stopping = [each for each in failed if each["stops"] == Stops.SENDING and not each["unseen"]]
    if stopping and stop:
        told = "; ".join(map(_told, stopping))
        raise PreflightFailed(f"the preflight failed: {told}. Mend it and run mosip_preflight")
    return [f"Preflight: {_told(each)}" for each in failed]


def _told(result: dict[str, str]) -> str:
    return f"{result['id']} {result['evidence']} -> {result['fix']}"
