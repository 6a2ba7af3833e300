"""The calendar: MOSIP must not be able to store a packet on a holiday, and whoever knows best is believed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from tests.rig import settings

from mosip_crvs.ledger.calendars import keep_days, known_days
from mosip_crvs.submission.calendar import (
    HolidayGate,
    Source,
    Verdict,
    WorkingDays,
    find_working_days,
    nobody_to_ask,
)

EVE, CHRISTMAS, BOXING, AFTER = (date(2026, 12, day) for day in (24, 25, 26, 27))
ONE_HOLIDAY = WorkingDays("10001", live={EVE: False, CHRISTMAS: True, BOXING: False})


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-12-{text}+00:00")


@pytest.mark.parametrize(
    ("moment", "timeout", "verdict"),
    [
        ("24T12:00:00", 30, Verdict.OPEN),
        ("24T23:58:29", 30, Verdict.OPEN),
        ("24T23:58:30", 30, Verdict.HOLIDAY),
        ("24T23:58:30", 5, Verdict.OPEN),
        ("24T23:59:59", 5, Verdict.HOLIDAY),
        ("25T00:00:00", 5, Verdict.HOLIDAY),
        ("25T12:00:00", 5, Verdict.HOLIDAY),
        ("25T23:59:59", 5, Verdict.HOLIDAY),
        ("26T00:00:59", 5, Verdict.HOLIDAY),
        ("26T00:01:00", 5, Verdict.OPEN),
        ("26T23:58:59", 0, Verdict.OPEN),
        ("26T23:59:00", 0, Verdict.UNKNOWN),
        ("28T12:00:00", 5, Verdict.UNKNOWN),
    ],
)
def test_a_call_must_not_be_able_to_reach_a_holiday(moment: str, timeout: float, verdict: Verdict) -> None:
    assert ONE_HOLIDAY.verdict(at(moment), timeout) is verdict


def test_whoever_knows_best_is_believed() -> None:
    days = WorkingDays(
        "10001",
        live={EVE: False},
        kept={EVE: True, CHRISTMAS: False},
        configured=frozenset({EVE, CHRISTMAS, BOXING}),
    )
    assert [(days.is_holiday(day), days.source(day)) for day in (EVE, CHRISTMAS, BOXING, AFTER)] == [
        (False, Source.LIVE),
        (False, Source.KEPT),
        (True, Source.CONFIGURED),
        (False, Source.CONFIGURED),
    ]


def test_a_list_of_last_years_holidays_says_nothing_of_this_year() -> None:
    days = WorkingDays("10001", configured=frozenset({date(2025, 12, 25)}))
    assert (days.is_holiday(date(2025, 12, 24)), days.is_holiday(CHRISTMAS)) == (False, None)
    assert days.source(CHRISTMAS) is Source.UNKNOWN


def test_an_empty_list_says_that_there_are_no_holidays_and_no_list_says_nothing() -> None:
    assert WorkingDays("10001", configured=frozenset()).is_holiday(CHRISTMAS) is False
    assert WorkingDays("10001").is_holiday(CHRISTMAS) is None


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ({EVE: False, CHRISTMAS: True}, BOXING),
        ({CHRISTMAS: True, BOXING: True}, AFTER),
        ({CHRISTMAS: True, BOXING: True, AFTER: False}, AFTER),
    ],
)
def test_the_next_working_day_is_the_first_that_is_not_known_as_a_holiday(
    days: Mapping[date, bool], expected: date
) -> None:
    assert WorkingDays("10001", live=days).next_working_day(CHRISTMAS) == expected


class Masterdata:
    """Answers by a table, None for days that are not in it; remembers what it was asked."""

    def __init__(self, days: Mapping[date, bool]) -> None:
        self.days = days
        self.asked: list[date] = []

    def __call__(self, day: date) -> bool | None:
        self.asked.append(day)
        return self.days.get(day)


def test_today_and_tomorrow_are_asked_for_and_kept(ledger: Engine) -> None:
    masterdata = Masterdata({EVE: False, CHRISTMAS: False, BOXING: False})
    days = find_working_days(ledger, settings("http://x"), masterdata, EVE)
    assert masterdata.asked == [EVE, CHRISTMAS]
    assert days.source(CHRISTMAS) is Source.LIVE
    assert known_days(ledger, "10001", EVE, AFTER) == {EVE: False, CHRISTMAS: False}


def test_over_holidays_in_a_row_the_next_working_day_is_asked_for(ledger: Engine) -> None:
    masterdata = Masterdata({EVE: False, CHRISTMAS: True, BOXING: True, AFTER: False})
    days = find_working_days(ledger, settings("http://x"), masterdata, EVE)
    assert masterdata.asked == [EVE, CHRISTMAS, BOXING, AFTER]
    assert days.next_working_day(CHRISTMAS) == AFTER


def test_a_masterdata_that_calls_every_day_a_holiday_is_not_asked_for_ever(ledger: Engine) -> None:
    masterdata = Masterdata({EVE + timedelta(days=n): True for n in range(1000)})
    find_working_days(ledger, settings("http://x"), masterdata, EVE)
    assert len(masterdata.asked) == 10


def test_a_masterdata_that_may_not_be_asked_is_asked_once(ledger: Engine) -> None:
    keep_days(ledger, "10001", {EVE: True}, "preflight")
    masterdata = Masterdata({})
    days = find_working_days(ledger, settings("http://x", holidays=frozenset({CHRISTMAS})), masterdata, EVE)
    assert masterdata.asked == [EVE]
    assert [days.source(day) for day in (EVE, CHRISTMAS)] == [Source.KEPT, Source.CONFIGURED]
    assert (days.is_holiday(EVE), days.is_holiday(CHRISTMAS)) == (True, True)


def test_what_mosip_says_now_overrules_what_was_kept_and_is_kept_in_its_place(ledger: Engine) -> None:
    keep_days(ledger, "10001", {EVE: True}, "preflight")
    days = find_working_days(ledger, settings("http://x"), Masterdata({EVE: False, CHRISTMAS: True}), EVE)
    assert days.is_holiday(EVE) is False
    later = find_working_days(ledger, settings("http://x"), nobody_to_ask, EVE)
    assert (later.is_holiday(EVE), later.is_holiday(CHRISTMAS), later.source(EVE)) == (False, True, Source.KEPT)


def test_another_centres_days_are_not_ours(ledger: Engine) -> None:
    keep_days(ledger, "10002", {EVE: True}, "live")
    assert find_working_days(ledger, settings("http://x"), nobody_to_ask, EVE).is_holiday(EVE) is None


@given(
    start=st.integers(0, 4 * 86_400),
    steps=st.lists(st.integers(-100, 40_000), max_size=30),
    holidays=st.frozensets(st.sampled_from([EVE, CHRISTMAS, BOXING, AFTER])),
    timeout=st.sampled_from([0.01, 5.0, 30.0, 600.0]),
)
def test_the_gate_says_at_every_moment_what_the_calendar_says(
    start: int, steps: list[int], holidays: frozenset[date], timeout: float
) -> None:
    days = WorkingDays("10001", configured=holidays)
    now = at("23T12:00:00").timestamp() + start
    moments = [now := now + step for step in [0, *steps]]
    clock = iter(moments)
    gate = HolidayGate(days, timeout, lambda: next(clock))
    for moment in moments:
        verdict = days.verdict(datetime.fromtimestamp(moment, UTC), timeout)
        assert gate.may_create() is (verdict is not Verdict.HOLIDAY)


class CountedDays(WorkingDays):
    """Counts how often it is asked."""

    looks = 0

    def verdict(self, moment: datetime, timeout: float) -> Verdict:
        type(self).looks += 1
        return super().verdict(moment, timeout)


def test_between_midnights_no_calendar_is_looked_at() -> None:
    now = at("24T10:00:00").timestamp()
    gate = HolidayGate(CountedDays("10001", configured=frozenset()), 30.0, lambda: now)
    for _ in range(10_000):
        assert gate.may_create()
        now += 1.0
    assert CountedDays.looks == 1


def test_an_unknown_day_is_warned_of_once_and_does_not_stop(caplog: pytest.LogCaptureFixture) -> None:
    now = at("24T10:00:00").timestamp()
    gate = HolidayGate(WorkingDays("10001"), 30.0, lambda: now)
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            assert gate.may_create()
            now += 3600.0
    (record,) = caplog.records
    assert "2026-12-24" in record.getMessage()
    assert "10001" in record.getMessage()
    assert "Run the preflight with the provisioner's client, or set holidays" in record.getMessage()


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("24T12:00:00", 0.0),
        ("24T23:59:30", 0.0),
        ("25T12:00:00", 0.0),
        ("25T23:58:00", 0.0),
        ("25T23:59:30", 90.0),
        ("26T00:00:10", 50.0),
        ("26T00:01:00", 0.0),
    ],
)
def test_a_holidays_last_moments_are_waited_for(moment: str, seconds: float) -> None:
    gate = HolidayGate(ONE_HOLIDAY, 30.0, at(moment).timestamp)
    assert gate.seconds_to_wait() == seconds


def test_the_end_of_the_first_of_two_holidays_is_not_waited_for() -> None:
    two = WorkingDays("10001", live={CHRISTMAS: True, BOXING: True, AFTER: False})
    assert HolidayGate(two, 30.0, at("26T00:00:10").timestamp).seconds_to_wait() == 0.0
