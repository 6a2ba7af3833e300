"""The pages: the newest balances, and one day's. Server-rendered, counts only."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import Any

from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import transaction
from mosip_crvs.reconciliation.balance import day_balance
from mosip_crvs.reconciliation.report import STYLE, as_html

DAYS_SHOWN = 60


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
    head = "".join(f'<th scope="col">{escape(term.replace("_", " "))}</th>' for term in _SHOWN)
    empty = "" if rows else "<p>No day has been reconciled yet.</p>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Births and deaths to MOSIP</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>Births and deaths to MOSIP</h1>{empty}"
        f'<table><thead><tr><th scope="col">Day</th>{head}<th scope="col">balanced</th></tr></thead>'
        f"<tbody>{body}</tbody></table></main></body></html>"
    )


def balance_page(ledger: Engine, day: date) -> str:
    """Show one day's balance as it stands now."""
    return as_html(day_balance(ledger, day))


def _balanced(row: Any) -> str:
    """Say whether a day balanced; one that waits for a holiday to pass has not failed to."""
    held_until = row.terms.get("held_until")
    return "yes" if row.balanced else f"held until {escape(str(held_until))}" if held_until else "NO"


_SHOWN = ("read", "quarantined", "held", "submitted", "completed", "in_progress")
