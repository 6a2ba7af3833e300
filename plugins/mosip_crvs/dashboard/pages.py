"""The pages: the newest balances, one day's, and what each of its numbers counts. Server-rendered; never people."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import transaction
from mosip_crvs.reconciliation.balance import day_balance
from mosip_crvs.reconciliation.drilldown import Entry, Spot, applications_at, readings_at
from mosip_crvs.reconciliation.report import LABELS
from mosip_crvs.reconciliation.report_csv import as_csv
from mosip_crvs.reconciliation.report_html import as_html, page, row, table

DAYS_SHOWN = 60
ENTRIES_SHOWN = 200


def index_page(ledger: Engine) -> str:
    """List the newest days with the terms that matter most, each linked to its balance."""
    with transaction(ledger) as connection:
        rows = connection.execute(
            text("SELECT day, terms, balanced FROM balances ORDER BY day DESC LIMIT :most"), {"most": DAYS_SHOWN}
        ).all()
    body = "".join(
        f'<tr><th scope="row"><a href="balance/{row.day}">{row.day}</a></th>'
        + "".join(f"<td>{int({**row.terms, **row.terms.get('day_total', {})}.get(term, 0)):,}</td>" for term in _SHOWN)
        + f"<td>{_balanced(row)}</td></tr>"
        for row in rows
    )
    empty = "" if rows else "<p>No day has been reconciled yet.</p>"
    listed = table(["Day", *(term.replace("_", " ") for term in _SHOWN), "balanced"], [body])
    return page("Births and deaths to MOSIP", f"<h1>Births and deaths to MOSIP</h1>{empty}{listed}")


def balance_page(ledger: Engine, day: date) -> str:
    """Show one day's balance as it stands now; every number leads to what it counts."""
    links = f'<p><a href="../">All days</a> <a href="{day}.csv">CSV</a></p>'
    return as_html(day_balance(ledger, day), address=_address).replace("</main>", f"{links}</main>")


def balance_csv(ledger: Engine, day: date) -> str:
    """Give one day's balance as it stands now for spreadsheets."""
    return as_csv(day_balance(ledger, day))


def spot_page(ledger: Engine, spot: Spot, after: int = 0) -> str:
    """List a page of what a number counts.

    :param after: the number of the last entry of the page before.
    """
    shares = [row(share.what, (f"{share.count:,}", escape(share.field))) for share in readings_at(ledger, spot)]
    entries = applications_at(ledger, spot, after=after, limit=ENTRIES_SHOWN)
    title = f"{spot.day}: {LABELS.get(spot.term, spot.term)}"
    parts = [
        f"<h1>{escape(title)}</h1><p>{escape(_narrowed(spot))}</p>",
        table(["", "events", "field"], shares) if shares else "",
        table(_COLUMNS, map(_row, entries)) if entries else "",
        "" if shares or entries else "<p>Nothing.</p>",
    ]
    if len(entries) == ENTRIES_SHOWN:
        query = urlencode({**_narrowing(spot), "after": entries[-1].number})
        parts.append(f'<p><a href="?{escape(query)}">More</a></p>')
    parts.append(f'<p><a href="../../{spot.day}">The balance</a></p>')
    return page(title, "".join(parts))


def _address(spot: Spot) -> str:
    """Give where a number's list is, from the balance's page: Airflow may lie below a path of its own."""
    return f"{spot.day}/{spot.kind}/{spot.term}?{urlencode(_narrowing(spot))}"


def _narrowing(spot: Spot) -> dict[str, str]:
    wanted = {"syncs": spot.syncs, "center": spot.center, "reason": spot.reason, "age": spot.age}
    return {name: value for name, value in wanted.items() if value}


def _narrowed(spot: Spot) -> str:
    return ", ".join([f"kind {spot.kind}", *(f"{name} {value}" for name, value in _narrowing(spot).items())])


def _row(entry: Entry) -> str:
    since = entry.since.strftime("%Y-%m-%d %H:%M:%S")
    cells = (entry.kind, entry.state, entry.reason, entry.code, since, entry.superseded_by)
    return row(entry.aid, map(escape, cells))


def _balanced(row: Any) -> str:
    """Say whether a day balanced; one that waits for a holiday to pass has not failed to."""
    held_until = row.terms.get("held_until")
    return "yes" if row.balanced else f"held until {escape(str(held_until))}" if held_until else "NO"


_COLUMNS = ("AID", "kind", "state", "reason", "MOSIP's code", "since (UTC)", "superseded by")
_SHOWN = ("read", "quarantined", "held", "submitted", "completed", "in_progress")
