"""What the DAG files read from the environment, so that they stay free of logic. Imports nothing heavy."""

from __future__ import annotations

import os
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo


def registry_time_zone() -> str:
    """The registry's time zone, by which days begin and are named: ``$CRVS_REGISTRY_TIMEZONE``, UTC by default."""
    name = os.environ.get("CRVS_REGISTRY_TIMEZONE", "UTC")
    ZoneInfo(name)  # a wrong name is an import error of the DAG, not a night without a sync
    return name


def first_day() -> datetime:
    """The day from which the scheduler starts runs by itself: ``$CRVS_START_DATE`` (``YYYY-MM-DD``)."""
    zone = ZoneInfo(registry_time_zone())
    given = os.environ.get("CRVS_START_DATE")
    return datetime.fromisoformat(given).replace(tzinfo=zone) if given else datetime(2026, 1, 1, tzinfo=UTC)


def preflight_stops() -> bool:
    """Whether a failed preflight keeps the sync from sending: ``$CRVS_PREFLIGHT_GATE``, ``stop`` or ``warn``."""
    given = os.environ.get("CRVS_PREFLIGHT_GATE", "stop")
    if given not in {"stop", "warn"}:
        raise ValueError(f"CRVS_PREFLIGHT_GATE must be stop or warn, not {given!r}")
    return given == "stop"


def range_size() -> int:
    """How many registrations one task sends, about: ``$CRVS_RANGE_SIZE``."""
    return int(os.environ.get("CRVS_RANGE_SIZE", "5000"))


def look_back_seconds() -> int:
    """How far before the day to begin reading, for rows that were committed late: ``$CRVS_LOOK_BACK_SECONDS``."""
    return int(os.environ.get("CRVS_LOOK_BACK_SECONDS", str(6 * 3600)))


def morning() -> time:
    """When the day before must be settled, by the registry's time zone: ``$CRVS_MORNING`` (``HH:MM``), 06:00."""
    given = os.environ.get("CRVS_MORNING", "06:00")
    try:
        return datetime.strptime(given, "%H:%M").time()  # noqa: DTZ007 (a time of day has no zone)
    except ValueError:
        raise ValueError(f"CRVS_MORNING must be a time such as 06:00, not {given!r}") from None
