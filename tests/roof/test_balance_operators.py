"""The operators that close and balance a day: the registry is asked, and what is kept is signed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from day_books import DAY, Books, aid
from tests.conftest import INCLUDE

from mosip_crvs.errors import AskAnOperator, StopTheRun
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.operators.reconcile import BalanceOperator
from mosip_crvs.operators.sync import CloseBatchOperator
from mosip_crvs.reconciliation.verifying import check_balances
from reference_registry import load

NO_CONTEXT: Any = {}


def test_every_balance_is_kept_signed(ledger_connection: dict[str, Any], books: Books, seal: Seal) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERED", aid(2): "COMPLETED"})
    books.apply(books.batch(day=DAY + timedelta(days=1)), {aid(3): "REJECTED"})

    assert BalanceOperator(task_id="balance").execute(NO_CONTEXT) == {"days": 2}

    checked = list(check_balances(books.ledger, seal))
    assert [(each.day, each.problems) for each in checked] == [(str(DAY + timedelta(days=n)), ()) for n in range(2)]
    assert len({each.key_id for each in checked}) == 1


def test_a_day_that_is_unexplained_is_kept_and_told(
    ledger_connection: dict[str, Any], books: Books, seal: Seal
) -> None:
    books.apply(books.batch(), {aid(1): "COMPLETED"})
    books.run("DELETE FROM readings")

    with pytest.raises(AskAnOperator, match=str(DAY)):
        BalanceOperator(task_id="balance").execute(NO_CONTEXT)

    (checked,) = check_balances(books.ledger, seal)
    assert checked.problems == ()


def test_a_day_that_was_tampered_with_fails_the_run_and_the_others_are_kept(
    ledger_connection: dict[str, Any], books: Books, seal: Seal
) -> None:
    for number in range(2):
        books.apply(books.batch(day=DAY + timedelta(days=number)), {aid(number): "TRIGGERED"})
    operator = BalanceOperator(task_id="balance")
    operator.execute(NO_CONTEXT)
    books.run("UPDATE balances SET terms = '{}' WHERE day = :day", day=DAY + timedelta(days=1))
    before = books.run("SELECT taken_at FROM balances ORDER BY day")

    with pytest.raises(AskAnOperator, match=f"{DAY + timedelta(days=1)}.*not those that were signed"):
        operator.execute(NO_CONTEXT)

    after = books.run("SELECT taken_at FROM balances ORDER BY day")
    assert [then.taken_at < now.taken_at for then, now in zip(before, after, strict=True)] == [True, False]


def test_without_a_seal_nothing_is_balanced(ledger_connection: dict[str, Any], connect: Any, books: Books) -> None:
    connect("crvs_ledger", **(ledger_connection | {"extra": {}}))

    with pytest.raises(StopTheRun, match="seal_secret"):
        BalanceOperator(task_id="balance").execute(NO_CONTEXT)


def test_closing_asks_the_registry_over_its_connection(
    ledger_connection: dict[str, Any],
    connect: Any,
    books: Books,
    registry_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    where = urlsplit(registry_url)
    folder = unquote(where.query.partition("host=")[2])
    connect("crvs_registry", conn_type="postgres", host=folder, schema=where.path.lstrip("/"), login="postgres")
    load(registry_url, births=12, clean_only=True, end_day=DAY)
    batch = books.batch(finished=False)

    CloseBatchOperator(task_id="close", kind="birth", batch_id=str(batch), include_dir=str(INCLUDE)).execute(NO_CONTEXT)

    (row,) = books.run("SELECT registry_count, unread, moved_on, finished_at FROM batches")
    assert (row.registry_count, row.unread, row.moved_on) == (12, 12, 0)
    assert row.finished_at is not None
    assert "12 births of 2026-03-14 stand in the registry and were never read" in caplog.text
