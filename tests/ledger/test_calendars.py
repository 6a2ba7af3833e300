"""What the ledger remembers of a centre's days."""

from __future__ import annotations

import threading
from datetime import date, timedelta

from sqlalchemy import Engine
from tests.ledger.books import count

from mosip_crvs.ledger.calendars import keep_days, known_days

EVE, CHRISTMAS, BOXING = (date(2026, 12, day) for day in (24, 25, 26))


def test_what_was_kept_is_known_and_the_rest_is_not(ledger: Engine) -> None:
    keep_days(ledger, "10001", {CHRISTMAS: True, EVE: False}, "live")
    assert known_days(ledger, "10001", EVE, BOXING) == {EVE: False, CHRISTMAS: True}
    assert known_days(ledger, "10001", BOXING, BOXING + timedelta(days=9)) == {}


def test_what_is_learned_later_takes_the_place_of_what_was_known(ledger: Engine) -> None:
    keep_days(ledger, "10001", {CHRISTMAS: False}, "preflight")
    keep_days(ledger, "10001", {CHRISTMAS: True}, "live")
    assert known_days(ledger, "10001", CHRISTMAS, CHRISTMAS) == {CHRISTMAS: True}
    assert count(ledger, "center_days", "source = 'live'") == count(ledger, "center_days") == 1


def test_each_centre_has_a_calendar_of_its_own(ledger: Engine) -> None:
    keep_days(ledger, "10001", {CHRISTMAS: True}, "live")
    keep_days(ledger, "10002", {CHRISTMAS: False}, "live")
    assert known_days(ledger, "10001", EVE, BOXING) == {CHRISTMAS: True}
    assert known_days(ledger, "10002", EVE, BOXING) == {CHRISTMAS: False}


def test_nothing_learned_changes_nothing(ledger: Engine) -> None:
    keep_days(ledger, "10001", {}, "live")
    assert count(ledger, "center_days") == 0


def test_tasks_may_keep_the_same_days_at_once(ledger: Engine) -> None:
    days = [EVE + timedelta(days=n) for n in range(50)]
    problems: list[BaseException] = []

    def task(order: list[date]) -> None:
        try:
            for _ in range(20):
                keep_days(ledger, "10001", dict.fromkeys(order, True), "live")
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=task, args=(order,)) for order in (days, days[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert count(ledger, "center_days") == 50
