"""AIDs: 29 digits, headed by centre and machine, ended by a moment of the calendar, and never the same twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosip_crvs.aid import TICKS_PER_SECOND, check_center_and_machine, first_tick, mint_aids

NOW = datetime(2026, 11, 24, 10, 30, 15, tzinfo=UTC)
digits_5 = st.from_regex(r"[0-9]{5}", fullmatch=True)
ticks = st.integers(first_tick(datetime(2000, 1, 1, tzinfo=UTC)), first_tick(datetime(2099, 12, 31, tzinfo=UTC)))


def _one(tick: int, center: str = "10001", machine: str = "20002") -> str:
    (aid,) = mint_aids(center, machine, tick, 1)
    return aid


def test_an_aid_is_centre_machine_sequence_and_utc_moment() -> None:
    tick = first_tick(NOW) + 42
    assert _one(tick) == "10001" + "20002" + "00042" + "20261124103015"


@given(center=digits_5, machine=digits_5, tick=ticks)
def test_an_aid_is_29_digits_with_a_moment_of_the_calendar(center: str, machine: str, tick: int) -> None:
    aid = _one(tick, center, machine)
    assert len(aid) == 29
    assert aid.isascii()
    assert aid.isdigit()
    assert aid[:10] == center + machine
    moment = datetime.strptime(aid[15:], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    assert first_tick(moment) + int(aid[10:15]) == tick  # read back: so no two ticks give the same AID


@given(one=ticks, other=ticks)
def test_two_ticks_never_give_the_same_aid(one: int, other: int) -> None:
    assert (_one(one) == _one(other)) == (one == other)


@given(tick=ticks, apart=st.integers(1, 3 * TICKS_PER_SECOND))
def test_ticks_close_to_each_other_give_different_aids(tick: int, apart: int) -> None:
    assert _one(tick) != _one(tick + apart)


def test_half_a_million_aids_in_a_row_are_all_different_and_borrow_from_the_next_seconds() -> None:
    aids = mint_aids("10001", "20002", first_tick(NOW), 500_000)
    assert len(set(aids)) == len(aids) == 500_000
    assert {aid[15:] for aid in aids} == {f"2026112410301{second}" for second in range(5, 10)}
    assert aids[-1][10:15] == "99999"


@given(tick=ticks, count=st.integers(0, 50), cut=st.integers(0, 50))
def test_minting_in_two_goes_is_minting_in_one(tick: int, count: int, cut: int) -> None:
    cut = min(cut, count)
    in_two = mint_aids("10001", "20002", tick, cut) + mint_aids("10001", "20002", tick + cut, count - cut)
    assert mint_aids("10001", "20002", tick, count) == in_two


def test_the_last_second_of_a_leap_day_is_followed_by_march() -> None:
    last = first_tick(datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)) + TICKS_PER_SECOND - 1
    assert [aid[15:] for aid in mint_aids("10001", "20002", last, 2)] == ["20280229235959", "20280301000000"]


def test_the_moment_is_utc_wherever_the_clock_is() -> None:
    abroad = NOW.astimezone(timezone(timedelta(hours=-7)))
    assert first_tick(abroad) == first_tick(NOW)


def test_a_second_has_one_first_tick_whatever_its_fraction() -> None:
    assert first_tick(NOW.replace(microsecond=999_999)) == first_tick(NOW)
    assert first_tick(NOW + timedelta(seconds=1)) == first_tick(NOW) + TICKS_PER_SECOND


@pytest.mark.parametrize(
    "wrong", ["", "1000", "100011", "1000x", "10 01", "-1000", "１０００１", "١٠٠٠١", "1000\n", "²0001"]
)
def test_a_centre_or_machine_that_is_not_five_digits_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(ValueError, match="center_id must be exactly 5 digits"):
        mint_aids(wrong, "20002", first_tick(NOW), 1)
    with pytest.raises(ValueError, match="machine_id must be exactly 5 digits"):
        check_center_and_machine("10001", wrong)
