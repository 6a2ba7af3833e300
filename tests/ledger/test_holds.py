"""A range that waits for a day is held, a batch when nothing else of it is left, and nobody is worn out by waiting."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine
from tests.ledger.books import count, window

from mosip_crvs.errors import BatchIncomplete
from mosip_crvs.ledger import batches
from mosip_crvs.ledger.batches import Hold, check_finished, finish_range, hold_range, open_batch, take_range
from mosip_crvs.ledger.claims import Claimant, ReadEvent, claim_page
from mosip_crvs.ledger.sending import HOLIDAY, MOST_HELD_TIMES, Held, worn_out, write_group
from mosip_crvs.ledger.sessions import Session
from mosip_crvs.model import Bound, EventKey, PlannedRange, RegistrationKind

CHRISTMAS, BOXING, MONDAY = (date(2026, 12, day) for day in (25, 26, 28))
BIRTH = RegistrationKind.BIRTH
START, END = (Bound(datetime(2026, 12, day, tzinfo=UTC)) for day in (24, 25))


@pytest.fixture
def batch(ledger: Engine) -> int:
    """A batch of two ranges."""
    return open_batch(ledger, window(), "t", [PlannedRange(START, END, 5), PlannedRange(END, END, 5)])


def test_a_batch_is_held_when_all_that_is_left_of_it_is(ledger: Engine, batch: int) -> None:
    hold_range(ledger, batch, 0, Hold(HOLIDAY, CHRISTMAS, BOXING))
    with pytest.raises(BatchIncomplete, match="1 ranges are not finished"):
        check_finished(ledger, batch)
    finish_range(ledger, batch, 1)
    assert check_finished(ledger, batch) == Hold(HOLIDAY, CHRISTMAS, BOXING)
    assert batches.finish_batches(ledger, BIRTH) == []
    assert batches.unfinished_ranges(ledger, BIRTH, 10) == [(batch, 0)], "the next run takes it up"


def test_the_longest_hold_of_its_ranges_is_the_batchs(ledger: Engine, batch: int) -> None:
    hold_range(ledger, batch, 0, Hold(HOLIDAY, BOXING, MONDAY))
    hold_range(ledger, batch, 1, Hold(HOLIDAY, CHRISTMAS, BOXING))
    assert check_finished(ledger, batch) == Hold(HOLIDAY, BOXING, MONDAY)


def test_a_range_that_is_taken_up_again_is_held_no_longer(ledger: Engine, batch: int) -> None:
    for number in (0, 1):
        hold_range(ledger, batch, number, Hold(HOLIDAY, CHRISTMAS, BOXING))
    take_range(ledger, batch, 0)
    with pytest.raises(BatchIncomplete):
        check_finished(ledger, batch)
    finish_range(ledger, batch, 0)
    take_range(ledger, batch, 1)
    finish_range(ledger, batch, 1)
    assert batches.finish_batches(ledger, BIRTH) == [batch]
    assert check_finished(ledger, batch) is None
    assert count(ledger, "ranges", "held_code IS NOT NULL OR held_on IS NOT NULL OR held_until IS NOT NULL") == 0


def test_waiting_for_a_day_wears_nobody_out(ledger: Engine, batch: int) -> None:
    session = Session.open(ledger, "mine")
    claimant = Claimant(BIRTH, batch, session.session_id, "10001", "10077")
    aids = list(claim_page(ledger, claimant, [ReadEvent(EventKey(f"R{n}"), None) for n in range(3)]).to_create.values())
    for _ in range(MOST_HELD_TIMES):
        write_group(ledger, session.session_id, held=[Held(aids[0], HOLIDAY), Held(aids[1], "RESPONSE_NULL")])
    session.close(in_order=True)
    assert worn_out(ledger, aids) == {aids[1]}
    assert count(ledger, "applications", "held_code = 'HOLIDAY' AND held_times = 0") == 1
    assert batches.held_of(ledger, batch, HOLIDAY) == (1, "10001")
    assert batches.held_of(ledger, batch, "ANOTHER") == (0, "")
