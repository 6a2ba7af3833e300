"""The morning report: what is open, in a short table for the log. Codes, subjects and counts only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from mosip_crvs.reconciliation.alert_kinds import Alert


def as_table(day: date, alerts: Sequence[Alert]) -> str:
    """Write the alerts as a table: a line for each code, the worst first, with the sentence of its oldest.

    :param day: the newest day that is due.
    """
    lines = [f"Morning report: everything up to {day.isoformat()} is due", ""]
    if not alerts:
        return "\n".join([*lines, "All is well: nothing is open."])
    by_code: dict[str, list[Alert]] = {}
    for alert in alerts:
        by_code.setdefault(alert.code, []).append(alert)
    lines.append(f"{'severity':<10}{'alarm':<32}{'open':>6}  {'since (UTC)':<18}{'the first of them':<0}")
    for code, alike in by_code.items():
        first = alike[0]
        since = min(alert.raised_at for alert in alike)
        lines.append(f"{first.severity:<10}{code:<32}{len(alike):>6,}  {since:%Y-%m-%d %H:%M}  {first.sentence}")
    return "\n".join(lines)


def summary(alerts: Sequence[Alert]) -> str:
    """Say in a line what needs a person; empty when nothing does."""
    urgent = [alert for alert in alerts if alert.needs_a_person]
    if not urgent:
        return ""
    more = f" And {len(urgent) - 1:,} more: see the report in the log." if len(urgent) > 1 else ""
    return f"{urgent[0].code}: {urgent[0].sentence}{more}"
