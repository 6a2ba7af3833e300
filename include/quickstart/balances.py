"""The day's balance, as the plugin counts it, for the terminal and for ``.demo/``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import sqlalchemy

from mosip_crvs.errors import MosipCrvsError
from mosip_crvs.ledger.installation import signing_key
from mosip_crvs.ledger.schema import applications
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.reconciliation import balance as counting
from mosip_crvs.reconciliation.report import as_table
from mosip_crvs.reconciliation.report_csv import as_csv
from mosip_crvs.reconciliation.report_html import as_html
from mosip_crvs.reconciliation.signing import evidence_horizon, keep_signed_balance
from mosip_crvs.reconciliation.terms import DayBalance
from quickstart.errors import QuickstartError
from quickstart.places import Places, write_private

_LIVE_TERMS = ("read", "submitted", "completed", "quarantined", "in_progress")


@contextlib.contextmanager
def ledger_engine(url: str) -> Iterator[sqlalchemy.Engine]:
    """A small engine on the ledger, closed at the end."""
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=1)
    try:
        yield engine
    finally:
        engine.dispose()


def count(engine: sqlalchemy.Engine, days: Sequence[date]) -> list[DayBalance]:
    """The balance of each day."""
    return [counting.day_balance(engine, day) for day in days]


def in_progress(engine: sqlalchemy.Engine) -> int:
    """How many applications of the whole ledger MOSIP has not spoken about."""
    return counting.open_applications(engine)


def states(engine: sqlalchemy.Engine) -> dict[str, int]:
    """How many applications of the whole ledger are in each state."""
    grouped = sqlalchemy.select(applications.c.state, sqlalchemy.func.count()).group_by(applications.c.state)
    with engine.connect() as connection:
        return {state.lower().replace("_", " "): number for state, number in sorted(connection.execute(grouped).all())}


def live_counts(engine: sqlalchemy.Engine, days: Sequence[date]) -> str:
    """The few terms that move while a run is going on."""
    totals = summed([each.as_dict() for each in count(engine, days)])
    return ", ".join(f"{term.replace('_', ' ')} {totals[term]}" for term in _LIVE_TERMS if term in totals)


def summed(days: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One day as it is; several as the sums of their numbers, balanced when all are, with the days as ``days``."""
    if len(days) <= 1:
        return dict(days[0]) if days else {}
    numbers = {
        name for day in days for name, value in day.items() if isinstance(value, int) and not isinstance(value, bool)
    }
    return {
        **{name: sum(int(day.get(name, 0)) for day in days) for name in days[0] if name in numbers},
        "balanced": all(day["balanced"] for day in days),
        "days": list(days),
    }


def tables(balances: Sequence[DayBalance]) -> str:
    """The balances as tables for the terminal."""
    return "\n\n".join(as_table(each) for each in balances)


def publish(places: Places, balances: Sequence[DayBalance]) -> dict[str, Any]:
    """Write ``.demo/balance.json`` and ``.demo/balance.html``; the JSON's content."""
    content = summed([each.as_dict() for each in balances])
    write_private(places.balance_json, content)
    write_private(places.balance_html, as_html(*balances))
    return content


def exported(balances: Sequence[DayBalance], kind: str) -> str:
    """The balances as ``csv``, one below the other, or as one page of ``html``."""
    return as_html(*balances) if kind == "html" else "".join(as_csv(each) for each in balances)


def signed(engine: sqlalchemy.Engine, seal_key: str, day: date) -> str:
    """Take a day's balance, sign it and keep it in the ledger; what its file is to hold."""
    try:
        if not counting.day_balance(engine, day).kinds:
            raise QuickstartError(f"nothing was read for {day} yet: there is nothing to sign")
        key = signing_key(engine, Seal(seal_key))
        _, made = keep_signed_balance(engine, key, day, evidence_horizon(engine))
    except MosipCrvsError as problem:
        raise QuickstartError(f"not signed: {problem}") from problem
    return made.as_file()
