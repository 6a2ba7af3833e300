"""What the preflights found: the nightly sync asks the last one before it sends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import transaction


@dataclass(frozen=True, slots=True)
class KeptPreflight:
    """A preflight as the ledger keeps it.

    :param results: each check's id, status, what it asserts, evidence, fix and what it stops.
    :param age_seconds: since it was taken.
    """

    taken_at: datetime
    age_seconds: float
    verdict: str
    results: list[dict[str, str]]


def keep(engine: Engine, verdict: str, results: Sequence[dict[str, str]]) -> None:
    """Keep what a preflight found."""
    with transaction(engine) as connection:
        connection.execute(
            text("INSERT INTO preflights (verdict, results) VALUES (:verdict, CAST(:results AS jsonb))"),
            {"verdict": verdict, "results": json.dumps(list(results))},
        )


def last(engine: Engine) -> KeptPreflight | None:
    """Give the latest one, if there was any."""
    with transaction(engine) as connection:
        row = connection.execute(
            text(
                "SELECT taken_at, extract(epoch FROM now() - taken_at) AS age, verdict, results FROM preflights "
                "ORDER BY preflight_id DESC LIMIT 1"
            )
        ).one_or_none()
    return KeptPreflight(row.taken_at, float(row.age), row.verdict, row.results) if row else None
