"""Showing what a campaign came to: a table for people, and the same as plain values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from faults.campaign import Outcome
from faults.steps import AFTER, BEFORE

_MOST_SHOWN = 20


def as_table(outcome: Outcome) -> str:
    """Write a campaign's outcome as text."""
    return "\n".join([*_faults(outcome), "", *_kills(outcome), "", *_books(outcome), "", verdict(outcome)])


def verdict(outcome: Outcome) -> str:
    """Say in a sentence whether the promise was kept, and whether everything asked for occurred."""
    kept = "KEPT" if outcome.is_good else "BROKEN"
    rare = [name for name, hits in outcome.faults.items() if hits < outcome.plan.target]
    few = [point for point in outcome.points if outcome.killed[point] < outcome.plan.target]
    missing = f"; too rare: {len(rare)} kinds of fault, {len(few)} points of death" if rare or few else ""
    return f"The promise was {kept} (seed {outcome.plan.seed}, {outcome.seconds:,.0f} s){missing}."


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """Give the outcome as plain values."""
    found = outcome.comparison
    return {
        "seed": outcome.plan.seed,
        "events": found.events,
        "applications": found.applications,
        "superseded": found.superseded,
        "lost": len(found.lost),
        "duplicated": len(found.duplicated),
        "unavoidable_second_ids": found.unavoidable,
        "unexplained": len(found.unexplained) + outcome.balances_unexplained,
        "untold": len(found.untold),
        "longest_to_settle_seconds": round(found.longest_to_settle, 1),
        "faults": outcome.faults,
        "killed": {f"{step} {moment}": count for (step, moment), count in sorted(outcome.killed.items())},
        "never_reached": [f"{step} {moment}" for step, moment in outcome.never_reached],
        "postgres_restarts": outcome.restarts,
        "ends": dict(outcome.ends),
        "chain": outcome.chain or "whole",
        "kept": outcome.is_good,
        "seconds": round(outcome.seconds),
    }


def _faults(outcome: Outcome) -> Iterator[str]:
    yield f"{'Faults injected':<40}{'times':>8}"
    for name, hits in sorted(outcome.faults.items()):
        yield f"  {name:<38}{hits:>8,}{_mark(hits, outcome)}"
    yield f"  {'PostgreSQL stopped at once':<38}{outcome.restarts:>8,}{_mark(outcome.restarts, outcome)}"


def _kills(outcome: Outcome) -> Iterator[str]:
    by_step: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for point in outcome.points:
        by_step[point[0]][point[1]] = outcome.killed[point]
    yield f"{'Processes killed at':<60}{'before its commit':>18}{'after it':>10}"
    for step, moments in sorted(by_step.items()):
        mark = _mark(min(moments.values()), outcome)
        yield f"  {step:<58}{moments.get(BEFORE, 0):>18,}{moments.get(AFTER, 0):>10,}{mark}"


def _books(outcome: Outcome) -> Iterator[str]:
    found = outcome.comparison
    rows = {
        "Events in the registry": found.events,
        "Applications in the ledger": found.applications,
        "  superseded": found.superseded,
        "Lost": len(found.lost),
        "Duplicated": len(found.duplicated),
        "Second IDs that nobody could stop, alarmed": found.unavoidable,
        "Unexplained": len(found.unexplained) + outcome.balances_unexplained,
        "Events whose end the registry was not told": len(found.untold),
    }
    for name, count in rows.items():
        yield f"{name:<46}{count:>10,}"
    yield f"{'Longest time to settle':<46}{found.longest_to_settle:>8,.0f} s"
    yield f"{'Chain of evidence':<46}{outcome.chain or 'whole':>10}"
    for each in [*found.lost, *found.duplicated, *found.unexplained, *found.untold][:_MOST_SHOWN]:
        yield f"  ! {each}"


def _mark(count: int, outcome: Outcome) -> str:
    return "" if count >= outcome.plan.target else "   too rare"
