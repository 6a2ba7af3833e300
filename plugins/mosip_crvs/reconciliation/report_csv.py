"""A balance as CSV for spreadsheets: a number a line, with all that says what it counts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict

from mosip_crvs.reconciliation.drilldown import ALL, EARLIER, LAST, UNEXPLAINED
from mosip_crvs.reconciliation.report import LABELS, count_of, process_of
from mosip_crvs.reconciliation.terms import OF_APPLICATIONS, DayBalance

COLUMNS = ("day", "kind", "process", "syncs", "term", "center", "reason", "age", "count")
"""``syncs`` says of which syncs of the day: the ``last`` of the kind, the ``earlier`` ones, or ``all``."""


def as_csv(balance: DayBalance) -> str:
    """Write a balance. Lines of different columns overlap: add up only what has the same columns filled."""
    written = io.StringIO()
    lines = csv.DictWriter(written, COLUMNS, restval="", lineterminator="\n")
    lines.writeheader()
    for line in _lines(balance):
        kind = str(line["kind"])
        lines.writerow({"day": balance.day.isoformat(), "process": process_of(kind), **line})
    return written.getvalue()


def _lines(balance: DayBalance) -> Iterator[dict[str, object]]:
    yield from _equations(balance)
    yield from _centers(balance)
    for code, count in balance.holds.items():
        yield {"kind": "all", "syncs": ALL, "term": "held", "reason": code, "count": count}
    for each in balance.waiting:
        yield {"syncs": ALL, **asdict(each)}
    for kind, said in balance.registry.items():
        for term in ("counted", "moved_on", "unread"):
            yield {"kind": kind, "syncs": LAST, "term": f"registry_{term}", "count": getattr(said, term)}


def _equations(balance: DayBalance) -> Iterator[dict[str, object]]:
    for kind, terms in balance.kinds.items():
        for term in LABELS:
            yield {"kind": kind, "syncs": LAST, "term": term, "count": count_of(terms, term)}
        yield {"kind": kind, "syncs": LAST, "term": UNEXPLAINED, "count": terms.unexplained}
    for term in OF_APPLICATIONS:
        yield {"kind": "all", "syncs": EARLIER, "term": term, "count": count_of(balance.earlier, term)}


def _centers(balance: DayBalance) -> Iterator[dict[str, object]]:
    for kind, centers in balance.centers.items():
        for center, terms in centers.items():
            for term in OF_APPLICATIONS:
                yield {"kind": kind, "syncs": ALL, "term": term, "center": center, "count": count_of(terms, term)}
