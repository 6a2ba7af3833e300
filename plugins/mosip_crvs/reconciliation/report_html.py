"""A balance as a page for browsers that needs nothing else: no script, no font, no picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from mosip_crvs.reconciliation.drilldown import ALL, UNEXPLAINED, Spot
from mosip_crvs.reconciliation.report import (
    AGE_LABELS,
    LABELS,
    Pen,
    ages_of,
    count_of,
    level,
    process_of,
    sentences,
    spot_of,
    unexplained,
    verdict,
)
from mosip_crvs.reconciliation.standing import AGES, REASONS
from mosip_crvs.reconciliation.terms import OF_APPLICATIONS, DayBalance

Address = Callable[[Spot], str]


class HtmlPen(Pen):
    """Writes for a page.

    :param address: where the list behind a number is; without it a number is no link.
    """

    def __init__(self, address: Address | None = None) -> None:
        self.address = address

    def number(self, count: int, spot: Spot) -> str:
        """Write a number; what counts nothing leads nowhere."""
        if self.address is None or not count:
            return f"{count:,}"
        return f'<a href="{escape(self.address(spot))}">{count:,}</a>'

    def text(self, words: str) -> str:
        """Write anything else, escaped."""
        return escape(words)


def as_html(*balances: DayBalance, address: Address | None = None) -> str:
    """Write balances as a page.

    :param address: where the list behind each number is; without it the page leads nowhere.
    """
    title = f"Balance of {', '.join(balance.day.isoformat() for balance in balances)}"
    pen = HtmlPen(address)
    return page(title, "".join(_section(balance, pen) for balance in balances))


def page(title: str, body: str) -> str:
    """Write a whole page.

    :param body: HTML.
    """
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )


def table(head: Iterable[str], rows: Iterable[str]) -> str:
    """Write a table.

    :param head: texts. :param rows: of :func:`row`.
    """
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    return f"<table><thead><tr>{columns}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def row(label: str, cells: Iterable[str], look: str = "") -> str:
    """Write a table's row.

    :param label: a text. :param cells: HTML. :param look: a class of :data:`STYLE`.
    """
    opened = f'<tr class="{look}">' if look else "<tr>"
    return f'{opened}<th scope="row">{escape(label)}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _section(balance: DayBalance, pen: Pen) -> str:
    look = "good" if balance.balanced else "bad"
    said = "".join(f"<p>{sentence}</p>" for sentence in sentences(balance, pen))
    taken = balance.taken_at.strftime("%Y-%m-%d %H:%M:%S %Z")
    return (
        f'<h1>Balance of {balance.day.isoformat()}</h1><p class="{look}">{escape(verdict(balance))}</p>'
        f"{_equations(balance, pen)}{said}{_centers(balance, pen)}{_waiting(balance, pen)}"
        f"<p><small>Taken {escape(taken)}</small></p>"
    )


def _equations(balance: DayBalance, pen: Pen) -> str:
    columns = {**balance.kinds, "all": balance.terms}
    rows = [
        row(
            label,
            (pen.number(count_of(terms, term), spot_of(balance, kind, term)) for kind, terms in columns.items()),
            f"level{level(term)}",
        )
        for term, label in LABELS.items()
    ]
    left = zip(columns, unexplained(balance), strict=True)
    cells = (pen.number(count, spot_of(balance, kind, UNEXPLAINED)) for kind, count in left)
    return table(["Events", *columns], [*rows, row("Unexplained", cells, "level0")])


def _centers(balance: DayBalance, pen: Pen) -> str:
    rows = [
        row(
            f"{center} {kind} {process_of(kind)}",
            (
                pen.number(count_of(terms, term), Spot(balance.day, kind, term, ALL, center=center))
                for term in OF_APPLICATIONS
            ),
        )
        for kind, centers in balance.centers.items()
        for center, terms in centers.items()
    ]
    head = ["Centre", *(term.replace("_", " ") for term in OF_APPLICATIONS)]
    return f"<h2>By centre, over all syncs of the day</h2>{table(head, rows)}" if rows else ""


def _waiting(balance: DayBalance, pen: Pen) -> str:
    rows = [
        row(
            f"{kind} {reason}: {REASONS[reason]}",
            (pen.number(ages.get(age, 0), Spot(balance.day, kind, term, ALL, reason=reason, age=age)) for age in AGES),
        )
        for (kind, term, reason), ages in ages_of(balance).items()
    ]
    head = ["Since it was sent", *(AGE_LABELS[age] for age in AGES)]
    return f"<h2>Not settled, over all syncs of the day</h2>{table(head, rows)}" if rows else ""


STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0}"
    "main{max-width:56rem;margin:auto;padding:1rem}table{border-collapse:collapse;width:100%}"
    "th,td{padding:.3rem .5rem;border-bottom:1px solid #8886}th[scope=row]{text-align:left;font-weight:400}"
    "td,thead th{text-align:right;font-variant-numeric:tabular-nums}thead th:first-child{text-align:left}"
    "h2{font-size:1.1rem}a{color:inherit}"
    ".level0 th,.level0 td{font-weight:700}.level1 th{padding-left:1.5rem}.level2 th{padding-left:3rem}"
    ".good{border-left:.3rem solid #2a7}.bad{border-left:.3rem solid #c33}.good,.bad{padding:.3rem .7rem}"
)
