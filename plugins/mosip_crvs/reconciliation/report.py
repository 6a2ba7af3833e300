"""A balance in words: its labels, its sentences, its table for logs and terminals. Counts only.

What is said is written by a :class:`Pen`, so that a page can make each number a link to what it counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from mosip_crvs.model import RegistrationKind
from mosip_crvs.reconciliation.drilldown import ALL, EARLIER, LAST, UNEXPLAINED, Spot
from mosip_crvs.reconciliation.standing import AGES, REASONS, SENT_TERMS, SYNC_AGAIN
from mosip_crvs.reconciliation.terms import OF_APPLICATIONS, PROCESSES, DayBalance, Terms

LABELS: dict[str, str] = {
    "read": "Read from the registry",
    "known": "known from earlier",
    "not_eligible": "not eligible",
    "quarantined": "quarantined",
    "held": "held, not sent yet",
    "submitted": "submitted to MOSIP",
    "completed": "completed",
    "rejected": "rejected",
    "failed": "failed",
    "awaiting": "awaiting information",
    "in_progress": "in progress",
}
AGE_LABELS: dict[str, str] = {
    "15m": "< 15 m", "4h": "< 4 h", "24h": "< 24 h", "72h": "< 72 h", "7d": "< 7 d", "older": "older"
}  # fmt: skip
"""Of the keys of :data:`~mosip_crvs.reconciliation.standing.AGES`."""


class Pen:
    """Writes numbers and texts as they are."""

    def number(self, count: int, spot: Spot) -> str:
        """Write a number that counts what is at a spot."""
        return f"{count:,}"

    def text(self, words: str) -> str:
        """Write anything else."""
        return words


PLAIN = Pen()


def as_table(balance: DayBalance) -> str:
    """Write a balance as a table of text."""
    columns = {**balance.kinds, "all": balance.terms}
    lines = [f"Balance of {balance.day.isoformat()}", "", f"{'':<30}{''.join(f'{name:>12}' for name in columns)}"]
    for term, label in LABELS.items():
        numbers = "".join(f"{count_of(terms, term):>12,}" for terms in columns.values())
        lines.append(f"{'  ' * level(term) + label:<30}{numbers}")
    lines.append(f"{'Unexplained':<30}" + "".join(f"{count:>12,}" for count in unexplained(balance)))
    lines += [*_centers(balance), *_waiting(balance)]
    for sentence in (*sentences(balance), verdict(balance)):
        lines += ["", sentence]
    return "\n".join(lines)


def sentences(balance: DayBalance, pen: Pen = PLAIN) -> list[str]:
    """Say what the tables do not: of earlier syncs, of what is held, of the registry's own count."""
    return [said for said in (_earlier(balance, pen), _held(balance, pen), *_registry(balance, pen)) if said]


def _earlier(balance: DayBalance, pen: Pen) -> str:
    """Say what became of the applications of the day's earlier syncs; empty when there are none."""
    earlier = balance.earlier
    if not earlier.submitted + earlier.held:
        return ""

    def number(term: str) -> str:
        return pen.number(count_of(earlier, term), Spot(balance.day, "all", term, EARLIER))

    parts = [f"{number(term)} {LABELS[term]}" for term in SENT_TERMS if count_of(earlier, term)]
    held = f", and {number('held')} are {LABELS['held']}" if earlier.held else ""
    return f"Earlier syncs of this day submitted {number('submitted')}: {', '.join(parts) or 'none'}{held}."


def _held(balance: DayBalance, pen: Pen) -> str:
    """Say why what is held is held, and what waits for a day until when; empty when nothing is held."""
    if not balance.holds:
        return ""
    until = {balance.hold.code: f" (until {balance.hold.until})"} if balance.hold else {}
    parts = [
        f"{pen.number(count, Spot(balance.day, 'all', 'held', ALL, reason=code))} {pen.text(code)}{until.get(code, '')}"
        for code, count in sorted(balance.holds.items())
    ]
    return f"Held over all syncs of the day: {', '.join(parts)}."


def _registry(balance: DayBalance, pen: Pen) -> Iterator[str]:
    """Say what the registry counts itself; it was asked when the last sync was closed, or after."""
    for kind, count in balance.registry.items():
        said = (
            f"The registry itself counts {count.counted:,} {pen.text(kind)}s in the window of the last sync; "
            f"{count.moved_on:,} of those read have changed since"
        )
        unread = pen.number(count.unread, Spot(balance.day, kind, UNEXPLAINED, ALL))
        yield f"{said}, and {unread} WERE NEVER READ: {SYNC_AGAIN}." if count.unread else f"{said}; none is unread."


def verdict(balance: DayBalance) -> str:
    """Say in a sentence whether the day balances."""
    if not balance.kinds:
        return "Nothing was read for this day yet."
    if balance.unexplained:
        unread = balance.terms.unread
        mend = f" {unread:,} of them stand in the registry and were never read: {SYNC_AGAIN}." if unread else ""
        return f"NOT BALANCED: {balance.unexplained} events are unexplained.{mend}"
    if not balance.finished and balance.hold:
        return (
            f"HELD: {balance.hold.on} is a holiday of the centre, and MOSIP fails what is created on one; "
            f"the next run from {balance.hold.until} (UTC) on sends what waits; what was read is explained."
        )
    if not balance.finished:
        return "Not finished: part of the day is still to be read; what was read is explained."
    unread_kinds = [f"{kind}s" for kind in RegistrationKind if kind not in balance.kinds]
    but = f" But no {' and no '.join(unread_kinds)} were read for this day." if unread_kinds else ""
    return f"Balanced: every event stands in exactly one place.{but}"


def level(term: str) -> int:
    """Say how deep in the equations a term stands."""
    if term == "read":
        return 0
    return 2 if term in SENT_TERMS else 1


def unexplained(balance: DayBalance) -> list[int]:
    """Give the row's counts: what is too much in births must not hide what is too little in deaths."""
    return [*(terms.unexplained for terms in balance.kinds.values()), balance.unexplained]


def count_of(terms: Terms, term: str) -> int:
    """Give one of the terms."""
    return int(asdict(terms)[term])


def process_of(kind: str) -> str:
    """Name a kind's process at MOSIP."""
    return PROCESSES.get(kind, "")


def spot_of(balance: DayBalance, kind: str, term: str) -> Spot:
    """Give the place of a number of the equations: of the last sync of each kind."""
    return Spot(balance.day, kind, term, LAST if term != UNEXPLAINED else ALL)


def ages_of(balance: DayBalance) -> dict[tuple[str, str, str], dict[str, int]]:
    """Give the open applications: by kind, term and reason, then by age."""
    rows: dict[tuple[str, str, str], dict[str, int]] = {}
    for each in balance.waiting:
        rows.setdefault((each.kind, each.term, each.reason), {})[each.age] = each.count
    return rows


def _centers(balance: DayBalance) -> list[str]:
    """Write the applications by centre, of all syncs of the day."""
    rows = [(kind, center, terms) for kind, centers in balance.centers.items() for center, terms in centers.items()]
    if not rows:
        return []
    head = f"{'By centre, over all syncs':<30}" + "".join(f"{name:>12}" for name in OF_APPLICATIONS)
    return ["", head] + [
        f"{f'  {center} {kind} {process_of(kind)}':<30}"
        + "".join(f"{count_of(terms, term):>12,}" for term in OF_APPLICATIONS)
        for kind, center, terms in rows
    ]


def _waiting(balance: DayBalance) -> list[str]:
    """Write what is not settled, by reason and age, of all syncs of the day."""
    rows = ages_of(balance)
    if not rows:
        return []
    head = f"{'Not settled, over all syncs':<30}" + "".join(f"{AGE_LABELS[age]:>9}" for age in AGES)
    return ["", head] + [
        f"{f'  {kind} {reason}':<30}" + "".join(f"{ages.get(age, 0):>9,}" for age in AGES) + f"   {REASONS[reason]}"
        for (kind, _, reason), ages in rows.items()
    ]
