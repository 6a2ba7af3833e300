"""When to ask MOSIP about an application again: often while it is young, rarely when it is old. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

AGE_BUCKETS: tuple[tuple[str, timedelta], ...] = (
    ("15 m", timedelta(minutes=15)),
    ("4 h", timedelta(hours=4)),
    ("24 h", timedelta(hours=24)),
    ("72 h", timedelta(hours=72)),
    ("7 d", timedelta(days=7)),
)
"""Ages since the trigger, each below its bound; what is older than the last one is older."""

_PAUSES = (
    timedelta(minutes=4),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
    timedelta(days=1),
)
"""How long to wait between two questions, by age bucket; the last one for what is older than all."""

POLL_AFTER = timedelta(minutes=4)
"""MOSIP's reprocessor begins workflows every three minutes: nothing is known sooner (``mosip-events.md`` §4.4)."""


def ask_again_at(triggering_at: datetime, now: datetime, poll_after: timedelta = POLL_AFTER) -> datetime:
    """Give the moment of the next question about an application that is not settled.

    :param poll_after: how long after the trigger the first question is asked; all pauses are in proportion to it.
    """
    scale = poll_after / POLL_AFTER
    age = now - triggering_at
    place = sum(age >= bound * scale for _, bound in AGE_BUCKETS)
    return now + _PAUSES[place] * scale
