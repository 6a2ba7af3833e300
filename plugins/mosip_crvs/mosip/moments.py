"""Moments as MOSIP writes them: UTC, with milliseconds and a Z."""

from __future__ import annotations

from datetime import UTC, datetime


def as_mosip(moment: datetime) -> str:
    """Write a moment.

    :param moment: in UTC.
    """
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now_text() -> str:
    """Write the present moment."""
    return as_mosip(datetime.now(UTC))
