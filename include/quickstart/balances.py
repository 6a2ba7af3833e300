"""The day's balance, as the plugin counts it, for the terminal and for ``.demo/``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import sqlalchemy

from mosip_crvs.ledger.schema import applications
from mosip_crvs.model import ApplicationState, RegistrationKind
from mosip_crvs.reconciliation import balance as counting
from mosip_crvs.reconciliation import report
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


def count(engine: sqlalchemy.Engine, days: Sequence[date]) -> list[counting.DayBalance]:
    """The balance of each day."""
    return [counting.day_balance(engine, day) for day in days]


def completed_births(engine: sqlalchemy.Engine) -> int:
    """How many births of the whole ledger MOSIP has completed."""
    completed = sqlalchemy.select(sqlalchemy.func.count()).where(
        applications.c.kind == RegistrationKind.BIRTH, applications.c.state == ApplicationState.COMPLETED
    )
    with engine.connect() as connection:
        return int(connection.execute(completed).scalar_one())


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


def tables(balances: Sequence[counting.DayBalance]) -> str:
    """The balances as tables for the terminal."""
    return "\n\n".join(report.as_table(each) for each in balances)


def publish(places: Places, balances: Sequence[counting.DayBalance]) -> dict[str, Any]:
    """Write ``.demo/balance.json`` and ``.demo/balance.html``; the JSON's content."""
    content = summed([each.as_dict() for each in balances])
    write_private(places.balance_json, content)
    write_private(places.balance_html, report.as_html(*balances))
    return content
