"""What the preflights found: the nightly sync asks the last one before it sends."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import transaction


def keep(engine: Engine, verdict: str, results: Sequence[dict[str, str]]) -> None:
    """Keep what a preflight found."""
    with transaction(engine) as connection:
        connection.execute(
            text("INSERT INTO preflights (verdict, results) VALUES (:verdict, CAST(:results AS jsonb))"),
            {"verdict": verdict, "results": json.dumps(list(results))},
        )


def recent(engine: Engine, hours: float) -> list[list[dict[str, str]]]:
    """Give the findings of the last hours, the newest preflight first."""
    with transaction(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT results FROM preflights WHERE taken_at > now() - make_interval(secs => :hours * 3600) "
                "ORDER BY preflight_id DESC LIMIT 100"
            ),
            {"hours": hours},
        )
        return [row.results for row in rows]


def hours_since_last(engine: Engine) -> float | None:
    """Say how old the latest one is; None when there was none."""
    with transaction(engine) as connection:
        age = connection.execute(text("SELECT extract(epoch FROM now() - max(taken_at)) FROM preflights")).scalar_one()
    return None if age is None else float(age) / 3600
