"""How often MOSIP is asked about one application: often while it is young, rarely when it is old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosip_crvs.settlement.patience import AGE_BUCKETS, POLL_AFTER, ask_again_at

TRIGGERED = datetime(2026, 11, 23, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ages = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))


def pause(age: timedelta, poll_after: timedelta = POLL_AFTER) -> timedelta:
    """How long to wait for the next question about what was triggered so long ago."""
    now = TRIGGERED + age
    return ask_again_at(TRIGGERED, now, poll_after) - now


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (0 * MINUTE, 4 * MINUTE),
        (15 * MINUTE - timedelta(microseconds=1), 4 * MINUTE),
        (15 * MINUTE, 15 * MINUTE),
        (4 * HOUR - MINUTE, 15 * MINUTE),
        (4 * HOUR, HOUR),
        (24 * HOUR - MINUTE, HOUR),
        (24 * HOUR, 4 * HOUR),
        (72 * HOUR - MINUTE, 4 * HOUR),
        (72 * HOUR, 12 * HOUR),
        (7 * DAY - MINUTE, 12 * HOUR),
        (7 * DAY, DAY),
        (300 * DAY, DAY),
    ],
)
def test_each_age_has_its_pause(age: timedelta, wait: timedelta) -> None:
    assert pause(age) == wait


@given(younger=ages, older=ages)
def test_the_older_an_application_the_rarer_it_is_asked_about(younger: timedelta, older: timedelta) -> None:
    assert pause(min(younger, older)) <= pause(max(younger, older))


@given(age=ages)
def test_nothing_is_asked_about_more_often_than_mosip_begins_workflows_and_nothing_is_forgotten(age: timedelta) -> None:
    assert POLL_AFTER <= pause(age) <= DAY


@given(age=ages, scale=st.integers(2, 60))
def test_a_country_with_another_patience_has_all_of_it_in_proportion(age: timedelta, scale: int) -> None:
    assert pause(age * scale, POLL_AFTER * scale) == pause(age) * scale


def test_without_patience_everything_is_due_at_once() -> None:
    assert pause(5 * MINUTE, timedelta(0)) == timedelta(0)


def test_the_whole_first_week_of_one_application_costs_fewer_than_eighty_questions() -> None:
    now, asked = TRIGGERED + POLL_AFTER, 0
    while now - TRIGGERED < AGE_BUCKETS[-1][1]:
        now, asked = ask_again_at(TRIGGERED, now), asked + 1
    assert 50 < asked < 80
