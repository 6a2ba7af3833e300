"""Looks into the ledger, for tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Engine, text

from mosip_crvs.ledger.batches import Window
from mosip_crvs.model import RegistrationKind

DAY = date(2026, 11, 23)


def window(kind: RegistrationKind = RegistrationKind.BIRTH) -> Window:
    """The window of a day."""
    start = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    return Window(kind, DAY, start, start + timedelta(days=1))


def count(ledger: Engine, table: str, where: str = "true") -> int:
    """Count rows."""
    with ledger.begin() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}")).scalar_one())


def state_of(ledger: Engine, aid: str) -> str:
    """The state of an application."""
    with ledger.begin() as connection:
        return str(
            connection.execute(text("SELECT state FROM applications WHERE aid = :aid"), {"aid": aid}).scalar_one()
        )
