"""On a holiday nothing is created: AIDs are kept, the night is green, and a working day sends each of them once."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.conftest import free_port, service
from tests.ledger.books import count
from tests.rig import CLIENT, SECRET, YESTERDAY, FarSide, close, plan, submission
from tests.submission.clocked_mosip import Mosip

from mosip_crvs.errors import BatchIncomplete, QuarantineShareExceeded
from mosip_crvs.ledger.calendars import keep_days, known_days
from mosip_crvs.mosip.calendar import holiday_on
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.reconciliation.balance import day_balance, days_to_balance
from mosip_crvs.reconciliation.report import as_table
from mosip_crvs.submission import sender
from mosip_crvs.submission.close import close_batch
from mosip_crvs.submission.pipeline import Submission, submit_range
from reference_registry import load

Make = Callable[..., Submission]
TODAY = datetime.now(UTC).date()
TOMORROW = TODAY + timedelta(days=1)
HOLIDAYS = frozenset({TODAY, TOMORROW})
"""Two, so that a test that runs over midnight stays within them."""


@pytest.fixture
def make(ledger_url: str, registry_url: str) -> Iterator[Make]:
    """Put submissions together and let go of them at the end."""
    made: list[Submission] = []

    def one(url: str, clock: Callable[[], float] = time.time, **changes: Any) -> Submission:
        made.append(replace(submission(ledger_url, registry_url, url, **changes), clock=clock))
        return made[-1]

    yield one
    for each in made:
        close(each)


@pytest.fixture
def resting_far_side() -> Iterator[FarSide]:
    """A sandbox whose centre has holidays: what is created on them fails there."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = ["-m", "sandbox", "--port", str(port), "--tick-seconds", "0", "--client-id", CLIENT]
    arguments += ["--center-id", "10001", "--machine-id", "10077", "--officer-id", "crvs"]
    for day in sorted(HOLIDAYS):
        arguments += ["--holiday", day.isoformat()]
    with service(arguments, f"{url}/sandbox/health", MOSIP_CLIENT_SECRET=SECRET):
        yield FarSide(url)


def run_all(made: Submission, todo: list[tuple[int, int]] | None = None) -> Counter[str]:
    tally: Counter[str] = Counter()
    for batch_id, number in todo if todo is not None else plan(made):
        tally += submit_range(made, batch_id, number, "test")
    return tally


def aids(ledger: Engine) -> set[str]:
    with ledger.begin() as connection:
        return set(connection.exec_driver_sql("SELECT aid FROM applications").scalars())


def test_what_is_created_on_a_holiday_that_nobody_told_us_of_is_burnt(
    make: Make, registry_url: str, resting_far_side: FarSide, caplog: pytest.LogCaptureFixture
) -> None:
    """The far side bites: without this, the tests below would prove nothing."""
    load(registry_url, births=5, clean_only=True, end_day=YESTERDAY)
    with caplog.at_level(logging.WARNING):
        run_all(make(resting_far_side.url))
    resting_far_side.tick()
    assert resting_far_side.totals()["triggers_accepted"] == 5
    assert resting_far_side.totals()["uins_issued"] == 0
    assert len([r for r in caplog.records if "NOBODY KNOWS" in r.getMessage()]) == 1, "it was said, once"


def test_a_holiday_costs_a_day_and_nothing_else(
    make: Make, registry_url: str, ledger: Engine, resting_far_side: FarSide, far_side: FarSide
) -> None:
    load(registry_url, births=130, clean_only=True, end_day=YESTERDAY)
    made = make(resting_far_side.url, holidays=HOLIDAYS)
    todo = plan(made, range_size=50, spread=3)
    tally = run_all(made, todo)

    assert (tally["held_for_holiday"], tally["unsent"], tally["triggered"]) == (130, 0, 0)
    assert resting_far_side.totals()["creates_accepted"] == resting_far_side.totals()["triggers_accepted"] == 0
    assert resting_far_side.applications() == {}
    assert count(ledger, "applications", "state = 'AID_ASSIGNED' AND held_code = 'HOLIDAY' AND held_times = 0") == 130
    batch_id, until = todo[0][0], TOMORROW + timedelta(days=1)
    said = close_batch(ledger, "birth", batch_id, 0.8)
    assert said.startswith(f"batch {batch_id} is HELD: {TODAY if count_on(ledger, TODAY) else TOMORROW} is a holiday")
    assert said.endswith(f"of centre 10001; the next run from {until} (UTC) on sends its 130 applications")
    held = day_balance(ledger, YESTERDAY)
    assert (held.terms.read, held.terms.held, held.terms.submitted, held.unexplained) == (130, 130, 0, 0)
    assert (held.finished, held.balanced) == (False, False)
    assert (held.as_dict()["holds"], held.as_dict()["held_until"]) == ({"HOLIDAY": 130}, until.isoformat())
    assert f"130 HOLIDAY (until {until})" in as_table(held)
    assert as_table(held).splitlines()[-1].startswith("HELD: ")
    assert YESTERDAY in days_to_balance(ledger, newest=0)
    assigned = aids(ledger)

    working = make(far_side.url, holidays=frozenset())
    again = plan(working, range_size=50, spread=3)
    assert sorted(again) == sorted(todo), "the next run takes the same ranges up"
    assert run_all(working, again)["triggered"] == 130
    far_side.tick()
    totals = far_side.totals()
    assert totals["creates_accepted"] == totals["triggers_accepted"] == totals["uins_issued"] == 130
    assert set(far_side.applications()) == assigned == aids(ledger), "under the AIDs that they were given"
    assert "is closed" in close_batch(ledger, "birth", batch_id, 0.8)
    sent = day_balance(ledger, YESTERDAY)
    assert (sent.terms.held, sent.terms.submitted, sent.balanced) == (0, 130, True)
    assert (sent.as_dict()["holds"], sent.as_dict()["held_until"]) == ({}, None)
    assert count(ledger, "applications", "held_code IS NOT NULL") == 0


def count_on(ledger: Engine, day: date) -> int:
    return count(ledger, "ranges", f"held_on = '{day}'")


def test_holidays_in_a_row_hold_the_night_each_time_and_wear_nothing_out(
    make: Make, registry_url: str, ledger: Engine, resting_far_side: FarSide
) -> None:
    load(registry_url, births=10, clean_only=True, end_day=YESTERDAY)
    made = make(resting_far_side.url, holidays=HOLIDAYS)
    for _ in range(12):
        assert run_all(made)["held_for_holiday"] == 10
    assert count(ledger, "applications", "held_times > 0") == 0
    assert count(ledger, "ranges", "finished_at IS NULL AND held_code = 'HOLIDAY'") == 1
    assert count(ledger, "batches") == 1


def test_a_broken_mapping_is_told_on_a_holiday_too(
    make: Make, registry_url: str, ledger: Engine, resting_far_side: FarSide
) -> None:
    load(registry_url, births=10, hostile=190, clean_only=True, end_day=YESTERDAY)
    made = make(resting_far_side.url, holidays=HOLIDAYS)
    todo = plan(made)
    run_all(made, todo)
    with pytest.raises(QuarantineShareExceeded):
        close_batch(ledger, "birth", todo[0][0], 0.5)


@pytest.fixture
def mosip() -> Iterator[Mosip]:
    """A far side whose clock stands still until it is turned."""
    server = Mosip()
    yield server
    server.shutdown()
    server.server_close()


CHRISTMAS = frozenset({date(2026, 12, 25)})


def test_when_midnight_falls_into_a_run_what_was_created_is_triggered_and_the_rest_waits(
    make: Make, registry_url: str, ledger: Engine, mosip: Mosip
) -> None:
    load(registry_url, births=120, clean_only=True, end_day=YESTERDAY)
    # Two calls at once turn the clock by a minute at most, less than the margin and the time-out together.
    made = make(mosip.url, mosip.clock, holidays=CHRISTMAS, concurrency=2, timeout=10.0)
    mosip.set("24T23:30:00")
    mosip.seconds_a_create = 30.0
    todo = plan(made)
    tally = run_all(made, todo)

    sent = len(mosip.created)
    assert 50 <= sent <= 70, "until a minute and a time-out before midnight"
    assert set(mosip.created_on) == {"2026-12-24"}
    assert set(mosip.triggered) == set(mosip.created), "triggers leave on any day"
    assert (tally["triggered"], tally["held_for_holiday"], tally["unsent"]) == (sent, 120 - sent, 0)
    said = close_batch(ledger, "birth", todo[0][0], 0.8)
    assert "2026-12-25 is a holiday" in said
    assert f"from 2026-12-26 (UTC) on sends its {120 - sent} applications" in said
    split = day_balance(ledger, YESTERDAY)
    assert (split.terms.held, split.terms.in_progress, split.unexplained) == (120 - sent, sent, 0)

    mosip.set("26T12:00:00")
    assert run_all(made)["triggered"] == 120 - sent
    assert set(mosip.created.values()) == set(mosip.triggered.values()) == {1}
    assert set(mosip.created) == set(mosip.triggered) == aids(ledger)
    assert set(mosip.created_on) == {"2026-12-24", "2026-12-26"}
    assert day_balance(ledger, YESTERDAY).balanced


def test_a_packet_that_was_refused_before_midnight_is_not_tried_again_after_it(
    make: Make, registry_url: str, ledger: Engine, mosip: Mosip
) -> None:
    load(registry_url, births=1, clean_only=True, end_day=YESTERDAY)
    made = make(mosip.url, mosip.clock, holidays=CHRISTMAS)
    mosip.set("24T23:50:00")
    mosip.refuse_creates, mosip.seconds_a_create = 1, 1200.0
    tally = run_all(made)
    assert (tally["held_for_holiday"], tally["unsent"]) == (1, 0)
    assert mosip.created_on == {"2026-12-24": 1}
    assert count(ledger, "applications", "held_code = 'HOLIDAY' AND held_times = 0") == 1
    mosip.set("26T12:00:00")
    mosip.seconds_a_create = 0.0
    assert run_all(made)["triggered"] == 1
    assert mosip.created_on == {"2026-12-24": 1, "2026-12-26": 1}
    assert len(mosip.created) == len(mosip.triggered) == 1


def test_what_failed_before_midnight_is_tried_again_and_held_and_only_then_is_the_night_green(
    make: Make, registry_url: str, ledger: Engine, mosip: Mosip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "TRIES", 1)
    load(registry_url, births=6, clean_only=True, end_day=YESTERDAY)
    made = make(mosip.url, mosip.clock, holidays=CHRISTMAS, concurrency=1)
    mosip.set("24T23:57:00")
    mosip.refuse_creates, mosip.seconds_a_create = 2, 30.0
    todo = plan(made)
    with pytest.raises(BatchIncomplete, match=r"2 applications are not sent yet \(.*held_for_holiday"):
        run_all(made, todo)
    with pytest.raises(BatchIncomplete, match="not finished"):
        close_batch(ledger, "birth", todo[0][0], 0.8)
    assert as_table(day_balance(ledger, YESTERDAY)).splitlines()[-1].startswith("Not finished")
    assert run_all(made, todo)["unsent"] == 0  # as Airflow would, a little later
    assert "is HELD" in close_batch(ledger, "birth", todo[0][0], 0.8)
    assert set(mosip.created_on) == {"2026-12-24"}


def test_held_applications_are_no_sign_that_mosip_is_down(
    make: Make, registry_url: str, mosip: Mosip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "FAILURES_TO_STOP", 3)
    load(registry_url, births=40, clean_only=True, end_day=YESTERDAY)
    mosip.set("25T12:00:00")
    assert run_all(make(mosip.url, mosip.clock, holidays=CHRISTMAS))["held_for_holiday"] == 40


def test_triggers_in_doubt_are_repeated_on_a_holiday(
    make: Make, registry_url: str, ledger: Engine, mosip: Mosip
) -> None:
    load(registry_url, births=3, clean_only=True, end_day=YESTERDAY)
    made = make(mosip.url, mosip.clock, holidays=CHRISTMAS)
    todo = plan(made)
    run_all(made, todo)
    with ledger.begin() as connection:  # as if the answers had been lost
        connection.exec_driver_sql("UPDATE applications SET state = 'TRIGGERING'")
    mosip.set("25T12:00:00")
    tally = run_all(made, todo)
    assert (tally["triggered"], tally["held_for_holiday"]) == (3, 0)
    assert set(mosip.created.values()) == {1}
    assert set(mosip.triggered.values()) == {2}


def test_a_night_that_begins_as_a_holiday_ends_waits_for_its_last_moments(
    make: Make, registry_url: str, mosip: Mosip
) -> None:
    load(registry_url, births=3, clean_only=True, end_day=YESTERDAY)
    mosip.set("26T00:00:59")
    began = time.monotonic()
    made = make(mosip.url, lambda: mosip.now + time.monotonic() - began, holidays=CHRISTMAS)
    tally = run_all(made)
    assert (tally["triggered"], tally["held_for_holiday"]) == (3, 0)
    assert time.monotonic() - began >= 1.0


def asking(made: Submission, mosip: Mosip) -> Submission:
    calls = SingleCalls(mosip.url)
    return replace(made, ask_live=lambda day: holiday_on(calls, made.tokens, made.settings, day))


def test_masterdata_is_believed_before_everything_and_remembered(
    make: Make, registry_url: str, ledger: Engine, mosip: Mosip
) -> None:
    load(registry_url, births=4, clean_only=True, end_day=YESTERDAY)
    made = asking(make(mosip.url, mosip.clock, holidays=frozenset({date(2026, 12, 24)})), mosip)
    mosip.holidays = frozenset({"2026-12-25", "2026-12-26"})
    mosip.set("25T12:00:00")
    todo = plan(made)
    assert run_all(made, todo)["held_for_holiday"] == 4
    assert "from 2026-12-27 (UTC) on" in close_batch(ledger, "birth", todo[0][0], 0.8)
    known = {date(2026, 12, 25): True, date(2026, 12, 26): True, date(2026, 12, 27): False}
    assert known_days(ledger, "10001", date(2026, 12, 20), date(2026, 12, 31)) == known

    mosip.holidays = None  # masterdata goes away; what it said stays
    mosip.set("26T12:00:00")
    assert run_all(made)["held_for_holiday"] == 4
    mosip.set("27T12:00:00")
    assert run_all(made)["triggered"] == 4
    assert set(mosip.created_on) == {"2026-12-27"}


def test_a_far_side_without_masterdata_is_asked_once_a_task_and_the_sync_goes_on(
    make: Make, registry_url: str, mosip: Mosip, caplog: pytest.LogCaptureFixture
) -> None:
    load(registry_url, births=30, clean_only=True, end_day=YESTERDAY)
    with caplog.at_level(logging.WARNING):
        assert run_all(asking(make(mosip.url, mosip.clock), mosip))["triggered"] == 30
    assert len(mosip.asked) == 1
    (warning,) = [r.getMessage() for r in caplog.records if "NOBODY KNOWS" in r.getMessage()]
    assert "2026-12-24" in warning
    assert "preflight" in warning


def test_what_the_preflight_learned_holds_the_night(
    make: Make, registry_url: str, ledger: Engine, mosip: Mosip, caplog: pytest.LogCaptureFixture
) -> None:
    load(registry_url, births=2, clean_only=True, end_day=YESTERDAY)
    keep_days(ledger, "10001", {date(2026, 12, 24): True, date(2026, 12, 25): False}, "preflight")
    with caplog.at_level(logging.WARNING):
        assert run_all(asking(make(mosip.url, mosip.clock), mosip))["held_for_holiday"] == 2
    assert not caplog.records
    mosip.set("25T12:00:00")
    assert run_all(make(mosip.url, mosip.clock))["triggered"] == 2
