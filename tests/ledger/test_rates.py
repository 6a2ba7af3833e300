"""One rate for all tasks together, and one pause."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

from sqlalchemy import Engine

from mosip_crvs.ledger.rates import pause, reserve


def test_reservations_of_many_tasks_follow_each_other_at_the_rate(ledger: Engine) -> None:
    waits: list[float] = []
    lock = threading.Lock()
    began = time.monotonic()

    def task() -> None:
        for _ in range(5):
            wait = reserve(ledger, 10, per_second=100.0).wait + time.monotonic() - began
            with lock:
                waits.append(wait)

    threads = [threading.Thread(target=task) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waits.sort()
    assert len(waits) == 20
    assert 1.85 < waits[-1] < 2.6, "twenty handfuls of ten at 100 a second begin over 1.9 seconds"
    assert all(later - earlier > 0.05 for earlier, later in pairwise(waits))


def test_without_a_ceiling_nobody_waits(ledger: Engine) -> None:
    assert [reserve(ledger, 500, 0.0).wait for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_pause_is_obeyed_by_all_and_never_shortened_by_a_later_shorter_one(ledger: Engine) -> None:
    pause(ledger, 5.0)
    pause(ledger, 1.0)
    assert 4.0 < reserve(ledger, 1, 0.0).wait <= 5.0
    assert 4.0 < reserve(ledger, 1, 50.0).wait <= 5.1


def test_after_a_quiet_time_no_burst_is_saved_up(ledger: Engine) -> None:
    reserve(ledger, 1, 1000.0)
    time.sleep(0.3)
    assert reserve(ledger, 100, 100.0).wait == 0.0
    assert reserve(ledger, 1, 100.0).wait > 0.9
