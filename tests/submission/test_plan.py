"""Windows: a day of the registry, and no night forgotten."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from mosip_crvs.errors import ExtractError
from mosip_crvs.ledger.batches import Window, open_batch
from mosip_crvs.model import RegistrationKind
from mosip_crvs.submission.plan import window_of, without_gap

BIRTH, DEATH = RegistrationKind
START = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)


def night(kind: RegistrationKind, start: datetime) -> Window:
    return window_of(kind, start, start + DAY, look_back=timedelta(hours=6), time_zone="UTC")


def test_a_window_looks_back_and_is_named_by_the_registrys_day() -> None:
    window = window_of(
        BIRTH,
        datetime(2026, 11, 22, 18, 15, tzinfo=UTC),
        datetime(2026, 11, 23, 18, 15, tzinfo=UTC),
        look_back=timedelta(hours=6),
        time_zone="Asia/Kathmandu",
    )
    assert (window.day, window.start) == (date(2026, 11, 23), datetime(2026, 11, 22, 12, 15, tzinfo=UTC))


def test_an_empty_interval_is_refused() -> None:
    with pytest.raises(ExtractError, match="data interval is empty"):
        window_of(BIRTH, START, START, look_back=timedelta(0), time_zone="UTC")


def test_a_night_after_two_that_never_ran_reads_from_where_the_last_one_ended(ledger: Engine) -> None:
    open_batch(ledger, night(BIRTH, START - 3 * DAY), "t", [])
    tonight = without_gap(ledger, night(BIRTH, START))
    assert (tonight.start, tonight.end, tonight.day) == (START - 2 * DAY, START + DAY, date(2026, 11, 23))


def test_a_night_after_a_night_reads_its_own_day(ledger: Engine) -> None:
    open_batch(ledger, night(BIRTH, START - DAY), "t", [])
    assert without_gap(ledger, night(BIRTH, START)) == night(BIRTH, START)


def test_the_first_night_ever_and_nights_of_deaths_are_not_stretched_by_others(ledger: Engine) -> None:
    open_batch(ledger, night(DEATH, START - 9 * DAY), "t", [])
    assert without_gap(ledger, night(BIRTH, START)) == night(BIRTH, START)


def test_a_later_window_does_not_hide_a_gap_before_this_one(ledger: Engine) -> None:
    open_batch(ledger, night(BIRTH, START - 5 * DAY), "t", [])
    open_batch(ledger, night(BIRTH, START + 5 * DAY), "t", [])
    assert without_gap(ledger, night(BIRTH, START)).start == START - 4 * DAY
