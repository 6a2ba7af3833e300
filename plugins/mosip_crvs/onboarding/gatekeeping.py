"""What a preflight leaves behind for the nights: its findings and the centre's holidays; and the gate that asks."""

from __future__ import annotations

from sqlalchemy import Engine

from mosip_crvs.errors import PreflightFailed
from mosip_crvs.ledger import calendars, preflights
from mosip_crvs.onboarding.preflight import Stops, Survey

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
    """Ask the last preflight whether anything may be sent.

    :param stop: refuse when it failed; otherwise only warn.
    :return: what to warn of; nothing when all is well.
    :raises PreflightFailed: naming every failed check that stops sending, and its fix.
    """
    found = preflights.last(ledger)
    if found is None:
        return ["No preflight is on record: run the DAG mosip_preflight to learn of mistakes before MOSIP does"]
    failed = [each for each in found.results if each["status"] == "FAIL"]
    # What could not be looked at has not failed: MOSIP may have been away that evening only.
    stopping = [each for each in failed if each["stops"] == Stops.SENDING and not each["unseen"]]
    if stopping and stop:
        raise PreflightFailed(
            f"the preflight of {found.taken_at:%Y-%m-%d %H:%M %Z} failed: {'; '.join(map(_told, stopping))}. "
            "Mend it and run mosip_preflight"
        )
    hours = found.age_seconds / 3600
    stale = f"The last preflight is {hours:.0f} hours old: is the DAG mosip_preflight paused?"
    return [*([stale] if hours > STALE_HOURS else []), *(f"Preflight: {_told(each)}" for each in failed)]


def _told(result: dict[str, str]) -> str:
    return f"{result['id']} {result['evidence']} -> {result['fix']}"
