"""Showing a balance to people: as a table for logs and terminals, as a page for browsers. Counts only."""

from __future__ import annotations

from dataclasses import asdict
from html import escape

from mosip_crvs.model import RegistrationKind
from mosip_crvs.reconciliation.balance import DayBalance, Terms

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
_SUBMITTED = ("completed", "rejected", "failed", "awaiting", "in_progress")


def as_table(balance: DayBalance) -> str:
    """Write a balance as a table of text."""
    columns = {**balance.kinds, "all": balance.terms}
    lines = [f"Balance of {balance.day.isoformat()}", ""]
    lines.append(" " * 30 + "".join(f"{name:>12}" for name in columns))
    for term, label in LABELS.items():
        lines.append(
            f"{_indent(term) + label:<30}" + "".join(f"{_count(terms, term):>12,}" for terms in columns.values())
        )
    lines.append(f"{'Unexplained':<30}" + "".join(f"{count:>12,}" for count in _unexplained(balance)))
    for sentence in (_earlier(balance), _held(balance), verdict(balance)):
        lines += ["", sentence] if sentence else []
    return "\n".join(lines)


def _earlier(balance: DayBalance) -> str:
    """Say what became of the applications of the day's earlier syncs; empty when there are none."""
    earlier = balance.earlier
    if not earlier.submitted + earlier.held:
        return ""
    parts = [f"{_count(earlier, term):,} {LABELS[term]}" for term in _SUBMITTED if _count(earlier, term)]
    held = f", and {earlier.held:,} are {LABELS['held']}" if earlier.held else ""
    return f"Earlier syncs of this day submitted {earlier.submitted:,}: {', '.join(parts) or 'none'}{held}."


def _held(balance: DayBalance) -> str:
    """Say why what is held is held, and what waits for a day until when; empty when nothing is held."""
    if not balance.holds:
        return ""
    until = {balance.hold.code: f" (until {balance.hold.until})"} if balance.hold else {}
    parts = [f"{count:,} {code}{until.get(code, '')}" for code, count in sorted(balance.holds.items())]
    return f"Held over all syncs of the day: {', '.join(parts)}."


def verdict(balance: DayBalance) -> str:
    """Say in a sentence whether the day balances."""
    if not balance.kinds:
        return "Nothing was read for this day yet."
    if balance.unexplained:
        return f"NOT BALANCED: {balance.unexplained} events are unexplained."
    if not balance.finished and balance.hold:
        return (
            f"HELD: {balance.hold.on} is a holiday of the centre, and MOSIP fails what is created on one; "
            f"the next run from {balance.hold.until} (UTC) on sends what waits; what was read is explained."
        )
    if not balance.finished:
        return "Not finished: part of the day is still to be read; what was read is explained."
    unread = [f"{kind}s" for kind in RegistrationKind if kind not in balance.kinds]
    but = f" But no {' and no '.join(unread)} were read for this day." if unread else ""
    return f"Balanced: every event stands in exactly one place.{but}"


def as_html(*balances: DayBalance) -> str:
    """Write balances as a page that needs nothing else: no script, no font, no picture."""
    title = f"Balance of {', '.join(balance.day.isoformat() for balance in balances)}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>{''.join(map(_section, balances))}</main></body></html>"
    )


def _section(balance: DayBalance) -> str:
    columns = {**balance.kinds, "all": balance.terms}
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        f'<tr class="level{len(_indent(term)) // 2}"><th scope="row">{escape(label)}</th>'
        + "".join(f"<td>{_count(terms, term):,}</td>" for terms in columns.values())
        + "</tr>"
        for term, label in LABELS.items()
    )
    unexplained = "".join(f"<td>{count:,}</td>" for count in _unexplained(balance))
    return (
        f"<h1>Balance of {balance.day.isoformat()}</h1>"
        f'<p class="{"good" if balance.balanced else "bad"}">{escape(verdict(balance))}</p>'
        f'<table><thead><tr><th scope="col">Events</th>{head}</tr></thead><tbody>{body}'
        f'<tr class="level0"><th scope="row">Unexplained</th>{unexplained}</tr></tbody></table>'
        + "".join(f"<p>{escape(sentence)}</p>" for sentence in (_earlier(balance), _held(balance)) if sentence)
        + f"<p><small>Taken {escape(balance.taken_at.strftime('%Y-%m-%d %H:%M:%S %Z'))}</small></p>"
    )


STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0}"
    "main{max-width:46rem;margin:auto;padding:1rem}table{border-collapse:collapse;width:100%}"
    "th,td{padding:.3rem .5rem;border-bottom:1px solid #8886}th[scope=row]{text-align:left;font-weight:400}"
    "td,thead th{text-align:right;font-variant-numeric:tabular-nums}thead th:first-child{text-align:left}"
    ".level0 th,.level0 td{font-weight:700}.level1 th{padding-left:1.5rem}.level2 th{padding-left:3rem}"
    ".good{border-left:.3rem solid #2a7}.bad{border-left:.3rem solid #c33}.good,.bad{padding:.3rem .7rem}"
)


def _indent(term: str) -> str:
    if term == "read":
        return ""
    return "    " if term in _SUBMITTED else "  "


def _unexplained(balance: DayBalance) -> list[int]:
    """Give the row's counts: what is too much in births must not hide what is too little in deaths."""
    return [*(terms.unexplained for terms in balance.kinds.values()), balance.unexplained]


def _count(terms: Terms, term: str) -> int:
    return int(asdict(terms)[term])
