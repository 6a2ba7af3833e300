"""Findings for people and for programs: a table with colours, or JSON."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Sequence

from mosip_crvs.onboarding.configuration import ConfigFinding
from mosip_crvs.onboarding.preflight import Status, Survey

_COLOURS = {"PASS": "32", "WARN": "33", "FAIL": "31;1", "SKIP": "90"}
_WIDTH = 118


def preflight_table(survey: Survey, configuration: Sequence[ConfigFinding] = (), *, colours: bool = False) -> str:
    """Write a preflight as text: a line a check, and beneath what went wrong the fix."""
    lines = [
        line for result in survey.results for line in _check(result.check.id, result.status, result.check.asserts,
                                                             result.evidence, result.fix, colours=colours)
    ]  # fmt: skip
    for finding in configuration:
        lines += _check(finding.id, finding.status, finding.asserts, finding.evidence, finding.fix, colours=colours)
        lines += [
            f"{'':13}{line.file}{' in ' + line.under if line.under else ''}:  {line.text}" for line in finding.lines
        ]
    return "\n".join([*lines, "", summary(survey, configuration)])


def summary(survey: Survey, configuration: Sequence[ConfigFinding] = ()) -> str:
    """Say in a sentence how it stands, and where to begin."""
    statuses = [str(result.status) for result in survey.results] + [str(finding.status) for finding in configuration]
    counts = Counter(statuses)
    said = ", ".join(f"{counts[status]} {status}" for status in _COLOURS if counts[status])
    failing = [result.check.id for result in survey.results if result.status is Status.FAIL]
    failing += [finding.id for finding in configuration if str(finding.status) == "FAIL"]
    if failing:
        return f"{said}. Mend {failing[0]} first" + (f", then {', '.join(failing[1:])}." if failing[1:] else ".")
    skipped = [result.check.id for result in survey.results if result.status is Status.SKIP]
    skipped += [finding.id for finding in configuration if str(finding.status) == "SKIP"]
    everything = not skipped and survey.complete
    ready = "MOSIP is ready" if everything else "What was looked at is in order"
    left = f"; not looked at: {', '.join(skipped)}" if skipped else ""
    return f"{said}. {ready}{'; see the warnings' if counts['WARN'] else ''}{left}."


def preflight_json(survey: Survey, configuration: Sequence[ConfigFinding] = ()) -> str:
    """Write a preflight as JSON."""
    statuses = {str(survey.worst()), *(str(finding.status) for finding in configuration)}
    content = {
        "verdict": next(status for status in ("FAIL", "WARN", "PASS") if status in statuses),
        "checks": [result.as_dict() for result in survey.results],
        "configuration": [
            {
                "id": finding.id,
                "status": str(finding.status),
                "asserts": finding.asserts,
                "evidence": finding.evidence,
                "fix": finding.fix,
                "lines": [{"file": line.file, "under": line.under, "text": line.text} for line in finding.lines],
            }
            for finding in configuration
        ],
    }
    return json.dumps(content, indent=2)


def _check(check_id: str, status: str, asserts: str, evidence: str, fix: str, *, colours: bool) -> list[str]:
    shown = f"\x1b[{_COLOURS[str(status)]}m{status}\x1b[0m" if colours else str(status)
    lines = [f"{shown}  {check_id:<5}  {line}" if not number else f"{'':13}{line}"
             for number, line in enumerate(_wrapped(f"{asserts}: {evidence}", _WIDTH - 13))]  # fmt: skip
    if fix and str(status) != "PASS":
        lines += [f"{'':13}{'-> ' if not number else '   '}{line}"
                  for number, line in enumerate(_wrapped(fix, _WIDTH - 16))]  # fmt: skip
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """Cut a text into lines, and never a name: names are copied from here."""
    return textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False)
