"""The registry's own count: what was never read shows, what has changed is no loss, and neither hides the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from day_books import DAY, Books
from sqlalchemy import Engine, create_engine, text

from mosip_crvs.errors import RetryLater
from mosip_crvs.ledger.alarms import open_alarms
from mosip_crvs.model import RegistrationKind
from mosip_crvs.reconciliation import recount as recounting
from mosip_crvs.reconciliation.balance import day_balance
from mosip_crvs.reconciliation.recount import recount
from mosip_crvs.registry.extract import Extract
from mosip_crvs.submission.close import close_batch

START = datetime.combine(DAY, time(), UTC)
LATER = START + timedelta(days=3)
SQL = "SELECT id AS registration_id, changed AS modified_at FROM registrations"


@pytest.fixture
def registry(registry_url: str) -> Iterator[Engine]:
    """A registry of one table."""
    engine = create_engine(registry_url.replace("postgresql://", "postgresql+psycopg2://"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE registrations (id text, changed timestamptz NOT NULL)"))
    yield engine
    engine.dispose()


def write(registry: Engine, *names: str | None, at: datetime = START + timedelta(hours=1)) -> None:
    with registry.begin() as connection:
        for name in names:
            connection.execute(text("INSERT INTO registrations VALUES (:id, :at)"), {"id": name, "at": at})


def change(registry: Engine, name: str, at: datetime = LATER) -> None:
    with registry.begin() as connection:
        connection.execute(text("UPDATE registrations SET changed = :at WHERE id = :id"), {"id": name, "at": at})


def ask(books: Books, registry: Engine, batch: int, kind: RegistrationKind = RegistrationKind.BIRTH) -> list[str]:
    return recount(books.ledger, Extract(registry, SQL), kind, batch)


def kept(books: Books, batch: int) -> tuple[int, int, int]:
    row: Any = books.run("SELECT registry_count, unread, moved_on FROM batches WHERE batch_id = :b", b=batch)[0]
    return row.registry_count, row.unread, row.moved_on


def alarms(books: Books) -> list[tuple[str, str]]:
    return [(alarm.code, alarm.subject) for alarm in open_alarms(books.ledger)]


def test_a_day_that_was_read_to_its_end_agrees(books: Books, registry: Engine) -> None:
    write(registry, "a", "b", " c ", None, "")
    write(registry, "out", at=LATER)
    batch = books.batch()
    books.read(batch, "known", ["a", "b", "c", "(without registration_id) 2026-03-14 01:00:00 "])

    assert ask(books, registry, batch) == []
    assert kept(books, batch) == (3, 0, 0)
    assert day_balance(books.ledger, DAY).balanced
    assert alarms(books) == []


def test_what_was_never_read_is_an_alarm_until_the_day_is_synced_again(books: Books, registry: Engine) -> None:
    write(registry, "a", "late")
    first = books.batch()
    books.read(first, "known", ["a"])

    (said,) = ask(books, registry, first)
    assert "1 births of 2026-03-14 stand in the registry and were never read: run the sync of that day again" in said
    assert alarms(books) == [("unread", "2026-03-14 birth")]
    assert day_balance(books.ledger, DAY).unexplained == 1

    again = books.batch()
    books.read(again, "known", ["a", "late"])
    assert ask(books, registry, again) == []
    assert (kept(books, first), kept(books, again)) == ((2, 0, 0), (2, 0, 0))
    assert alarms(books) == []
    assert day_balance(books.ledger, DAY).balanced


def test_what_another_sync_has_read_is_not_unread(books: Books, registry: Engine) -> None:
    write(registry, "a", "late")
    batch = books.batch()
    books.read(batch, "known", ["a"])
    books.read(books.batch(day=DAY + timedelta(days=1)), "quarantined", ["late"])

    assert ask(books, registry, batch) == []
    assert kept(books, batch) == (2, 0, 0)


def test_a_death_does_not_stand_for_a_birth_of_the_same_number(books: Books, registry: Engine) -> None:
    write(registry, "a")
    books.read(books.batch("death"), "known", ["a"])
    birth = books.batch()

    assert ask(books, registry, birth) != []
    assert kept(books, birth) == (1, 1, 0)


def test_one_that_moved_on_does_not_hide_one_that_was_never_read(books: Books, registry: Engine) -> None:
    write(registry, "a", "b")
    batch = books.batch()
    books.read(batch, "known", ["a", "b"])
    change(registry, "b")
    write(registry, "late")

    assert len(ask(books, registry, batch)) == 1
    assert kept(books, batch) == (2, 1, 1), "the sums agree"


def test_the_same_batch_counted_again_is_brought_up_to_date(books: Books, registry: Engine) -> None:
    write(registry, "a", "b")
    batch = books.batch()
    books.read(batch, "known", ["a", "b"])
    ask(books, registry, batch)
    change(registry, "a")

    ask(books, registry, batch)

    assert kept(books, batch) == (1, 0, 1)
    assert day_balance(books.ledger, DAY).balanced


@pytest.mark.parametrize("at_once", [1, 3, 1_000])
def test_keys_are_compared_part_by_part(
    books: Books, registry: Engine, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(recounting, "KEYS_AT_ONCE", at_once)
    write(registry, *(f"R{n}" for n in range(10)), *(f"R{n}" for n in range(4)))
    batch = books.batch()
    books.read(batch, "known", [f"R{n}" for n in range(2, 12)])

    ask(books, registry, batch)

    assert kept(books, batch) == (10, 2, 2)


def test_a_window_that_is_not_over_is_asked_for_when_it_is(books: Books, registry: Engine) -> None:
    write(registry, "a")
    batch = books.batch()
    books.run("UPDATE batches SET window_end = now() + interval '1 hour'")
    assert ask(books, registry, batch) == []
    assert kept(books, batch) == (None, None, None)

    books.run("UPDATE batches SET window_end = window_start + interval '1 day'")
    ask(books, registry, books.batch(day=DAY + timedelta(days=5)))
    assert kept(books, batch) == (1, 1, 0), "a later night makes up for it"


def test_a_registry_that_is_away_leaves_the_batch_closed_and_the_question_open(books: Books) -> None:
    batch = books.batch(finished=False)
    away = Extract(create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none"), SQL)

    with pytest.raises(RetryLater, match="did not answer"):
        close_batch(books.ledger, "birth", batch, 0.8, extract=away)

    assert books.run("SELECT finished_at IS NOT NULL AS done, counted_at FROM batches")[0] == (True, None)
    assert day_balance(books.ledger, DAY).registry == {}


def test_closing_a_batch_asks_the_registry_and_says_what_is_unread(
    books: Books, registry: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    write(registry, "SECRET-REGISTRATION")
    batch = books.batch(finished=False)

    said = close_batch(books.ledger, "birth", batch, 0.8, extract=Extract(registry, SQL))

    assert "is closed" in said
    assert kept(books, batch) == (1, 1, 0)
    assert "ALARM unread: 1 births" in caplog.text
    assert "SECRET" not in caplog.text
