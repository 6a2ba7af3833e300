"""Which registrations fall on which day, and at what time of the office's day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from reference_registry.numbers import uins

OPENS = time(8)
OFFICE_SECONDS = 9 * 3600  # until 17:00


class Series(NamedTuple):
    """A run of numbered registrations: the n-th of a day is always the same one, however many are asked for.

    :param kind: B or D.
    :param seed: as given.
    :param mark: tells runs with the same seed and another content apart: C for clean only, H for hostile.
    """

    kind: str
    seed: int
    mark: str = ""


def yesterday(time_zone: str) -> date:
    """The last whole day in a time zone."""
    return datetime.now(ZoneInfo(time_zone)).date() - timedelta(days=1)


def spread(total: int, days: int, end_day: date) -> Iterator[tuple[date, int]]:
    """``total`` over the ``days`` that end on ``end_day``, as evenly as it goes; the last days get the rest."""
    if days < 1 or total < 0:
        raise ValueError("days must be at least 1, and counts not negative")
    each, rest = divmod(total, days)
    for ago in range(days - 1, -1, -1):
        yield end_day - timedelta(days=ago), each + (1 if ago < rest else 0)


class OfficeDay(NamedTuple):
    """A day on which registrations are made.

    :param rng: the day's own source of chance; what is drawn from it, and in which order, decides everything.
    :param ids: the UINs that are the day's to give.
    """

    series: Series
    day: date
    zone: ZoneInfo
    rng: Random
    ids: Iterator[str]

    @classmethod
    def open(cls, series: Series, day: date, zone: ZoneInfo, lane: str) -> OfficeDay:
        """The day from its beginning. Text seeds are hashed the same on every machine.

        :param lane: whose UINs they are, as for :func:`~reference_registry.numbers.uins`.
        """
        rng = Random(f"{series.kind}/{series.seed}/{series.mark}/{day}")
        return cls(series, day, zone, rng, uins(series.seed, day, lane))

    def stem(self, number: int) -> str:
        """What the ids of a registration and of its people have in common: ``2026-1123-S1-00017``."""
        return f"{self.day:%Y-%m%d}-S{self.series.seed}{self.series.mark}-{number:05d}"

    def moments(self) -> tuple[datetime, datetime]:
        """When a registration was made, and last modified: in office hours; one in twenty was corrected that day."""
        opening = datetime.combine(self.day, OPENS, tzinfo=self.zone)
        second = self.rng.random() * OFFICE_SECONDS
        registered = opening + timedelta(milliseconds=int(second * 1000))
        if self.rng.random() >= 0.05:
            return registered, registered
        later = second + self.rng.random() * (OFFICE_SECONDS - second)
        return registered, opening + timedelta(milliseconds=int(later * 1000))
