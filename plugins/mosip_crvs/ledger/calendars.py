"""What was learned about the days of a centre: which are holidays, who said so, and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import transaction

# In the order of the days, so that tasks which keep the same days at once wait for each other in one order.
_KEEP = text(
    """
    INSERT INTO center_days AS kept (center_id, day, is_holiday, source)
    SELECT :center_id, day, is_holiday, :source
      FROM unnest(CAST(:days AS date[]), CAST(:holidays AS boolean[])) AS told (day, is_holiday)
     ORDER BY day
    ON CONFLICT (center_id, day) DO UPDATE
       SET is_holiday = EXCLUDED.is_holiday, source = EXCLUDED.source, learned_at = now()
    """
)


def keep_days(engine: Engine, center_id: str, days: Mapping[date, bool], source: str) -> None:
    """Keep what was said about days of a centre, over what was said before.

    :param days: True for a holiday. :param source: who said so, such as ``live`` or ``preflight``.
    """
    if days:
        with transaction(engine) as connection:
            connection.execute(
                _KEEP,
                {"center_id": center_id, "days": list(days), "holidays": list(days.values()), "source": source},
            )


def known_days(engine: Engine, center_id: str, first: date, last: date) -> dict[date, bool]:
    """Give what is known of the days from ``first`` to ``last``; a day that nobody spoke of is missing."""
    with transaction(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT day, is_holiday FROM center_days "
                "WHERE center_id = :center_id AND day BETWEEN :first AND :last ORDER BY day"
            ),
            {"center_id": center_id, "first": first, "last": last},
        )
        return {row.day: row.is_holiday for row in rows}
