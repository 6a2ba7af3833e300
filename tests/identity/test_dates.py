"""Dates: calendar dates written YYYY-MM-DD, between 1869 and the UTC day of sending."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from identity_samples import TODAY, birth, broken, death, map_one

from mosip_crvs.identity.page import PageMapper

MALFORMED = {("dateOfBirth", "DATE_MALFORMED")}


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "31/12/2026", "12/31/2026", "2026/11/20", "20261120",
        "26-11-20", "2026-1-05", "2026-11-5", "2026-W47-5", "2026-W01-1", "2026-324", "0000-01-01", "-026-11-20",
        "2026-11-20T00:00", "2026-11-20Z", "２０２６-11-20", "٢٠٢٦-١١-٢٠", "2026–11–20", "yesterday",
        "", "   ", "\t\n", None, pd.NaT, 20261120, 2026.5, True,
    ],
)  # fmt: skip
def test_what_is_no_calendar_date_is_malformed(births: PageMapper, written: Any) -> None:
    event = map_one(births, birth(child_birth_date=written))
    assert {(f.field, f.rule) for f in event.findings} == MALFORMED
    assert "dateOfBirth" not in event.identity


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("2024-02-29", "2024/02/29"),
        ("  2026-11-20  ", "2026/11/20"),
        (date(2026, 11, 20), "2026/11/20"),
        (datetime(2026, 11, 20, 23, 59), "2026/11/20"),
        (datetime(2026, 11, 20, 23, 59, tzinfo=UTC), "2026/11/20"),
        (datetime(2026, 11, 20, 0, 30, tzinfo=timezone(timedelta(hours=3))), "2026/11/20"),
        (pd.Timestamp("2026-11-20 08:00"), "2026/11/20"),
    ],
)
def test_a_date_is_sent_as_mosip_writes_it(births: PageMapper, written: Any, sent: str) -> None:
    event = map_one(births, birth(child_birth_date=written))
    assert event.findings == []
    assert event.identity["dateOfBirth"] == sent


def test_a_child_may_be_born_on_the_day_of_sending(births: PageMapper) -> None:
    assert broken(births, birth(child_birth_date=TODAY.isoformat())) == set()


def test_a_child_may_not_be_born_on_the_day_after_sending(births: PageMapper) -> None:
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    assert broken(births, birth(child_birth_date=tomorrow)) == {("dateOfBirth", "DATE_IN_FUTURE")}


def test_the_future_is_counted_from_the_day_given_and_not_from_the_clock(births: PageMapper) -> None:
    row = birth(child_birth_date="2031-05-02")
    assert broken(births, row, date(2031, 5, 1)) == {("dateOfBirth", "DATE_IN_FUTURE")}
    assert broken(births, row, date(2031, 5, 2)) == set()


def test_a_date_before_1869_is_too_old_for_the_schema(deaths: PageMapper) -> None:
    row = death(deceased_birth_date="1860-01-01")
    assert broken(deaths, row | {"death_date": "1869-01-01"}) == set()
    assert broken(deaths, row | {"death_date": "1868-12-31"}) == {("deceasedDeclarationDate", "DATE_TOO_OLD")}


def test_a_death_before_the_birth_is_refused(deaths: PageMapper) -> None:
    row = death(deceased_birth_date="1950-04-02")
    assert broken(deaths, row | {"death_date": "1950-04-02"}) == set()
    assert broken(deaths, row | {"death_date": "1950-04-01"}) == {("deceasedDeclarationDate", "DEATH_BEFORE_BIRTH")}


def test_a_death_before_the_birth_is_found_across_texts_dates_and_moments(deaths: PageMapper) -> None:
    row = death(deceased_birth_date=date(1950, 4, 2), death_date=datetime(1950, 4, 1, 23, 0))
    assert broken(deaths, row) == {("deceasedDeclarationDate", "DEATH_BEFORE_BIRTH")}


@pytest.mark.parametrize("born", [None, "", "unknown", "1950-00-00"])
def test_an_unknown_birth_date_does_not_hold_up_a_death(deaths: PageMapper, born: Any) -> None:
    assert broken(deaths, death(deceased_birth_date=born)) == set()


@pytest.mark.parametrize("died", [None, "", "2026-02-30"])
def test_a_death_needs_its_date(deaths: PageMapper, died: Any) -> None:
    assert broken(deaths, death(death_date=died)) == {("deceasedDeclarationDate", "DATE_MALFORMED")}


@settings(max_examples=100, deadline=None)
@given(day=st.dates(date(1869, 1, 1), TODAY))
def test_every_day_since_1869_can_be_sent_and_reads_back(deaths: PageMapper, day: date) -> None:
    event = map_one(deaths, death(death_date=day.isoformat(), deceased_birth_date=None))
    assert event.findings == []
    assert datetime.strptime(event.identity["deceasedDeclarationDate"], "%Y/%m/%d").date() == day


@settings(max_examples=200, deadline=None)
@given(text=st.from_regex(r"\s?[0-9]{1,4}[-/.W][0-9W]{1,3}[-/.]?[0-9]{0,2}\s?", fullmatch=True))
def test_only_four_two_and_two_digits_make_a_date(deaths: PageMapper, text: str) -> None:
    event = map_one(deaths, death(death_date=text, deceased_birth_date=None))
    sent = event.identity.get("deceasedDeclarationDate")
    assert sent is None or sent.replace("/", "-") == text.strip()
