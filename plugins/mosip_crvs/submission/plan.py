"""Planning a sync: the window of a day, cut into ranges that tasks take up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from mosip_crvs.errors import ExtractError
from mosip_crvs.ledger import batches
from mosip_crvs.ledger.batches import Window
from mosip_crvs.model import RegistrationKind
from mosip_crvs.registry.extract import Extract

MOST_RANGES = 1000
"""Airflow refuses to map over more than 1,024."""


def window_of(
    kind: RegistrationKind, start: datetime, end: datetime, *, look_back: timedelta, time_zone: str
) -> Window:
    """Give the window of a data interval.

    :param look_back: how far before the interval to begin, for rows that were committed late.
    :param time_zone: the registry's, by which a day is named.
    :raises ExtractError: when the interval is empty: a plain cron schedule gives such ones, and would sync nothing.
    """
    if end <= start:
        raise ExtractError("the data interval is empty: schedule the DAG by CronDataIntervalTimetable")
    day = start.astimezone(ZoneInfo(time_zone)).date()
    return Window(kind, day, start - look_back, end)


def without_gap(ledger: Engine, window: Window) -> Window:
    """Begin where the last planned window ended, if that is earlier: a night that never ran must not be skipped.

    For runs of the schedule. A day that somebody asks for by hand is read as asked.
    """
    last_end = batches.last_window_end(ledger, window.kind, window.end)
    return replace(window, start=last_end) if last_end is not None and last_end < window.start else window


def plan_batch(
    ledger: Engine, extract: Extract, window: Window, run_label: str, *, range_size: int, spread: int = 4
) -> tuple[int, list[tuple[int, int]]]:
    """Plan a window, or take its unfinished batch up again, and list what there is to do.

    :return: the batch's number, and (batch, range) pairs: its own, and those that earlier batches left unfinished.
    """
    batch_id = batches.unfinished_batch(ledger, window)
    if batch_id is None:
        ranges = extract.plan(window.start, window.end, range_size=range_size, spread=spread, most=MOST_RANGES // 2)
        batch_id = batches.open_batch(ledger, window, run_label, ranges)
    return batch_id, batches.unfinished_ranges(ledger, window.kind, MOST_RANGES)
