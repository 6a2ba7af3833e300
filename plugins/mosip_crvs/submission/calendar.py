"""The working days of our centre: MOSIP fails, for good, every packet that is created on a holiday.

The day is that of MOSIP's own clock, in UTC, at the moment at which it stores the packet (``mosip-onboarding.md`` §2).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Engine

from mosip_crvs.ledger import calendars
from mosip_crvs.mosip.settings import MosipSettings

MARGIN = timedelta(seconds=60)
"""How far MOSIP's clock may be from ours, and how long it may be at work on a call that we gave up."""
LONGEST_CALL = 43_200.0
"""Seconds; with a longer time-out than this, no more than two days are looked at all the same."""
HORIZON = timedelta(days=30)
"""How far ahead the kept calendar is read, to say when what is held goes on."""
MOST_ASKED = 10
"""Days that MOSIP is asked about at once, over holidays in a row."""
_DAY = timedelta(days=1)
log = logging.getLogger(__name__)

AskLive = Callable[[date], bool | None]
"""Asks MOSIP about a day: True for a holiday, None when it may not be asked or does not answer. It never raises."""
Clock = Callable[[], float]


def nobody_to_ask(_: date) -> None:
    """Stand in for MOSIP where it is not to be asked."""


class Verdict(StrEnum):
    """Whether a packet may be created."""

    OPEN = "open"
    HOLIDAY = "holiday"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Who says so; the first one that does is believed."""

    LIVE = "live"
    KEPT = "kept"
    CONFIGURED = "configured"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class WorkingDays:
    """What is known of the days of one centre.

    :param live: what MOSIP says now, True for a holiday; :param kept: what the ledger remembers of it.
    :param configured: the holidays that the connection lists, of the years that it names; an empty list says that
        there are none at all, None says nothing.
    """

    center_id: str
    live: Mapping[date, bool] = field(default_factory=dict)
    kept: Mapping[date, bool] = field(default_factory=dict)
    configured: frozenset[date] | None = None

    def is_holiday(self, day: date) -> bool | None:
        """Say whether a day is a holiday; None when nobody knows."""
        return self._told(day)[0]

    def source(self, day: date) -> Source:
        """Say by whom a day is known."""
        return self._told(day)[1]

    def verdict(self, moment: datetime, timeout: float) -> Verdict:
        """Judge a packet whose creation is called for at a moment.

        Every moment at which MOSIP may store it must be free of holidays.

        :param timeout: seconds after which the call is given up.
        """
        if self.holiday_near(moment, timeout) is not None:
            return Verdict.HOLIDAY
        unknown = any(self.is_holiday(day) is None for day in _days(moment, timeout))
        return Verdict.UNKNOWN if unknown else Verdict.OPEN

    def holiday_near(self, moment: datetime, timeout: float) -> date | None:
        """Give the holiday on which a packet might be stored, the last one if there are two."""
        return max((day for day in _days(moment, timeout) if self.is_holiday(day)), default=None)

    def next_working_day(self, day: date) -> date:
        """Give the first day after a day that is not known to be a holiday."""
        following = day + _DAY
        while self.is_holiday(following):
            following += _DAY
        return following

    def _told(self, day: date) -> tuple[bool | None, Source]:
        if day in self.live:
            return self.live[day], Source.LIVE
        if day in self.kept:
            return self.kept[day], Source.KEPT
        # A list answers for the years that it names: that of last year says nothing of this one.
        years = {holiday.year for holiday in self.configured or ()}
        if self.configured is not None and (not years or day.year in years):
            return day in self.configured, Source.CONFIGURED
        return None, Source.UNKNOWN


def find_working_days(ledger: Engine, settings: MosipSettings, ask_live: AskLive, today: date) -> WorkingDays:
    """Put together what MOSIP says, what the ledger remembers and what the connection lists.

    MOSIP is asked about today and tomorrow, and on while there are holidays; at the first question that it does not
    answer it is left in peace. What it says is kept, for tasks to which it does not answer.
    """
    live: dict[date, bool] = {}
    for ahead in range(MOST_ASKED):
        if ahead > 1 and not live[today + (ahead - 1) * _DAY]:
            break
        answer = ask_live(today + ahead * _DAY)
        if answer is None:
            break
        live[today + ahead * _DAY] = answer
    calendars.keep_days(ledger, settings.center_id, live, Source.LIVE)
    kept = calendars.known_days(ledger, settings.center_id, today - _DAY, today + HORIZON)
    return WorkingDays(settings.center_id, live, kept, settings.holidays)


class HolidayGate:
    """Says, at the moment of a call, whether a packet may be created; warns once when nobody knows.

    A calendar is looked at when its answer may change, which is around midnight; in between, two numbers are compared.

    :param timeout: seconds after which a call is given up.
    :param clock: seconds since 1970.
    :ivar holiday: the holiday that closed it last.
    """

    def __init__(self, days: WorkingDays, timeout: float, clock: Clock = time.time) -> None:
        self.holiday: date | None = None
        self._days = days
        self._timeout = timeout
        self._clock = clock
        self._warned = False
        self._open = True
        self._looked_at = self._good_until = 0.0

    def may_create(self) -> bool:
        """Say whether a packet may be created now."""
        now = self._clock()
        if not self._looked_at <= now < self._good_until:
            self._look(now)
        return self._open

    def seconds_to_wait(self) -> float:
        """Say how long to wait for a holiday's last moments to pass: a night is not given up for a minute."""
        now = self._clock()
        moment = datetime.fromtimestamp(now, UTC)
        changes_at = _changes_at(moment, self._timeout)
        if self._days.verdict(moment, self._timeout) is not Verdict.HOLIDAY or changes_at - moment > 2 * MARGIN:
            return 0.0
        opens = self._days.verdict(changes_at, self._timeout) is not Verdict.HOLIDAY
        return changes_at.timestamp() - now if opens else 0.0

    def _look(self, now: float) -> None:
        moment = datetime.fromtimestamp(now, UTC)
        verdict = self._days.verdict(moment, self._timeout)
        if verdict is Verdict.HOLIDAY:
            self.holiday = self._days.holiday_near(moment, self._timeout)
        elif verdict is Verdict.UNKNOWN and not self._warned:
            self._warned = True
            log.warning(
                "NOBODY KNOWS whether %s (UTC) is a holiday of centre %s: MOSIP fails for good whatever is created on "
                "one. Run the preflight with the provisioner's client, or set holidays in the 'mosip' connection "
                "(dates such as 2026-12-25, or none)",
                moment.date(),
                self._days.center_id,
            )
        self._open = verdict is not Verdict.HOLIDAY
        self._looked_at, self._good_until = now, _changes_at(moment, self._timeout).timestamp()


def _days(moment: datetime, timeout: float) -> list[date]:
    """Give the days on which a packet may be stored that is called for at a moment."""
    first, last = (moment - MARGIN).date(), (moment + _reach(timeout)).date()
    return [first] if first == last else [first, last]


def _changes_at(moment: datetime, timeout: float) -> datetime:
    """Give the next moment at which those days are others."""
    return min(_midnight_after(moment - MARGIN) + MARGIN, _midnight_after(moment + _reach(timeout)) - _reach(timeout))


def _reach(timeout: float) -> timedelta:
    return timedelta(seconds=min(timeout, LONGEST_CALL)) + MARGIN


def _midnight_after(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC) + _DAY
