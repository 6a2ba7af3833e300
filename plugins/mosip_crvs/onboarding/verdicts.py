"""How checks say what they found, and the small readings that many of them share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mosip_crvs.onboarding.preflight import Status, Verdict


def passed(evidence: str, **facts: Any) -> Verdict:
    """All is well."""
    return Verdict(Status.PASS, evidence, facts=facts)


def failed(evidence: str, fix: str = "") -> Verdict:
    """Something must be done."""
    return Verdict(Status.FAIL, evidence, fix)


def warned(evidence: str, fix: str = "", **facts: Any) -> Verdict:
    """Something should be done some day."""
    return Verdict(Status.WARN, evidence, fix, facts)


def not_wanted(what: str) -> Verdict:
    """The country does not ask for it."""
    return Verdict(Status.SKIP, f"the country file asks for no {what}")


def date_of(text: Any) -> datetime | None:
    """Read a moment as MOSIP's services write them; with no zone it is UTC."""
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def days_left(until: datetime) -> int:
    """Count the days until a moment; negative when it is past."""
    return (until - datetime.now(UTC)).days


def latest(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Give the row of a history that counts: the one whose time came last."""
    return max(rows, key=lambda row: str(row.get("effectDateTime") or row.get("effDTimes") or ""), default=None)


def listed(names: Sequence[str]) -> str:
    """Name things one after the other."""
    return ", ".join(names)
