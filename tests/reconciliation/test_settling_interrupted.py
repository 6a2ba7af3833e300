"""Runs side by side, runs that break off and runs that are killed: nothing is done twice, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from day_books import PREFIX, Books, aid, completed
from receiver_calls import environment

from mosip_crvs.errors import LedgerUnavailable
from mosip_crvs.ledger import inbox as ledger_inbox
from mosip_crvs.reconciliation import inbox
from mosip_crvs.reconciliation.inbox import settle_inbox


def test_runs_side_by_side_never_process_a_notification_twice(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "PAGE_SIZE", 5)
    books.apply(books.batch(), {aid(n): "TRIGGERED" for n in range(200)})
    books.receive(*(completed(aid(n % 200), "FAILED" if n < 200 else "PROCESSED") for n in range(400)))

    with ThreadPoolExecutor(4) as runs:
        tallies = list(runs.map(lambda _: settle_inbox(books.ledger, PREFIX), range(4)))

    total = sum(tallies, Counter())
    assert total["settled"] == 400
    assert total["repeated"] == 0
    assert len(books.evidence()) == 400
    assert set(books.states().values()) == {"COMPLETED"}
    assert {row.state for row in books.inbox()} == {"settled"}
    assert sum(1 for tally in tallies if tally["settled"]) > 1, "only one run did anything: nothing was proved"


def test_a_run_that_ends_in_the_middle_of_a_page_has_done_nothing_of_that_page(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "PAGE_SIZE", 4)
    books.apply(books.batch(), {aid(n): "TRIGGERED" for n in range(10)})
    books.receive(*(completed(aid(n)) for n in range(10)))
    pages = 0
    close = ledger_inbox.close

    def break_off(*arguments: object) -> None:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise LedgerUnavailable("the connection is gone")
        close(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as broken:
        broken.setattr(ledger_inbox, "close", break_off)
        with pytest.raises(LedgerUnavailable):
            settle_inbox(books.ledger, PREFIX)
    assert Counter(books.states().values()) == Counter(COMPLETED=4, TRIGGERED=6)
    assert Counter(row.state for row in books.inbox()) == Counter(settled=4, new=6)
    assert len(books.evidence()) == 4

    settle_inbox(books.ledger, PREFIX)
    assert set(books.states().values()) == {"COMPLETED"}
    assert len(books.evidence()) == 10


def test_a_run_that_is_killed_loses_nothing_and_the_next_one_finishes(books: Books, ledger_url: str) -> None:
    many = 1500
    books.apply(books.batch(), {aid(n): "TRIGGERED" for n in range(many)})
    books.receive(*(completed(aid(n)) for n in range(many)))
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\n"
            "from mosip_crvs.ledger.connection import connect_to_ledger\n"
            "from mosip_crvs.reconciliation import inbox\n"
            "inbox.PAGE_SIZE = 3\n"
            "inbox.settle_inbox(connect_to_ledger(sys.argv[1]), sys.argv[2])\n",
            ledger_url,
            PREFIX,
        ],
        env=environment(),
    )
    try:
        deadline = time.monotonic() + 30
        while len(books.evidence()) < 30:
            assert time.monotonic() < deadline
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    time.sleep(0.2)
    done = Counter(books.states().values())
    assert 0 < done["COMPLETED"] < many, "it was not killed in the middle"
    assert Counter(row.state for row in books.inbox())["settled"] == done["COMPLETED"] == len(books.evidence())

    settle_inbox(books.ledger, PREFIX)
    assert Counter(books.states().values()) == Counter(COMPLETED=many)
    assert len(books.evidence()) == many
