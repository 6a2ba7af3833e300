"""Waiting notifications become one event, wherever and however often the trigger runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from airflow.triggers.base import BaseEventTrigger
from day_books import PREFIX, Books, aid, completed
from receiver_calls import unreachable

from mosip_crvs.reconciliation.inbox import settle_inbox
from mosip_crvs.triggers.inbox import InboxTrigger

QUICK = 0.05


class Heard:
    """Collects the events of a running trigger."""

    def __init__(self) -> None:
        self.payloads: list[Any] = []

    async def until(self, number: int, seconds: float = 10.0) -> None:
        """Wait for so many events."""
        async with asyncio.timeout(seconds):
            while len(self.payloads) < number:
                await asyncio.sleep(0.01)

    async def quiet(self, seconds: float = 0.5) -> None:
        """Make sure that no event comes for a while."""
        before = len(self.payloads)
        await asyncio.sleep(seconds)
        assert len(self.payloads) == before


@asynccontextmanager
async def running() -> AsyncIterator[Heard]:
    heard = Heard()

    async def listen() -> None:
        async for event in InboxTrigger(poll_interval=QUICK).run():
            heard.payloads.append(event.payload)

    task = asyncio.create_task(listen())
    try:
        yield heard
        assert not task.done(), "the trigger ended by itself"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_it_comes_back_from_what_it_serialises_to() -> None:
    path, arguments = InboxTrigger("another_ledger", 7.5).serialize()
    module, _, name = path.rpartition(".")
    again = getattr(__import__(module, fromlist=[name]), name)(**arguments)

    assert isinstance(again, InboxTrigger)
    assert isinstance(again, BaseEventTrigger)
    assert (again.ledger_conn_id, again.poll_interval) == ("another_ledger", 7.5)
    assert again.serialize() == (path, arguments)
    assert BaseEventTrigger.hash(path, arguments) == BaseEventTrigger.hash(
        *InboxTrigger("another_ledger", 7.5).serialize()
    )


def test_what_it_serialises_passes_through_airflows_own_serialisation() -> None:
    from airflow.sdk.serde import deserialize, serialize

    _, arguments = InboxTrigger().serialize()
    assert deserialize(serialize(arguments)) == arguments
    assert set(arguments) == {"ledger_conn_id", "poll_interval"}


@pytest.mark.usefixtures("ledger_connection")
async def test_an_empty_inbox_is_silent_and_a_notification_fires_once(books: Books) -> None:
    async with running() as heard:
        await heard.quiet()
        books.receive(completed(aid(1)))
        await heard.until(1)
        await heard.quiet()

    assert heard.payloads == [{"waiting": 1}]


@pytest.mark.usefixtures("ledger_connection")
async def test_many_notifications_at_once_are_one_event(books: Books) -> None:
    books.receive(*(completed(aid(n)) for n in range(50)))
    async with running() as heard:
        await heard.until(1)
        await heard.quiet()

    assert heard.payloads == [{"waiting": 50}]


@pytest.mark.usefixtures("ledger_connection")
async def test_it_fires_again_for_a_newer_notification_only(books: Books) -> None:
    async with running() as heard:
        books.receive(completed(aid(1)))
        await heard.until(1)
        books.receive(completed(aid(2)))
        await heard.until(2)
        settle_inbox(books.ledger, PREFIX)
        await heard.quiet()
        books.receive(completed(aid(3)))
        await heard.until(3)
        await heard.quiet()

    assert heard.payloads == [{"waiting": 1}, {"waiting": 2}, {"waiting": 1}]


@pytest.mark.usefixtures("ledger_connection")
async def test_a_new_triggerer_fires_for_what_still_waits(books: Books) -> None:
    books.receive(completed(aid(1)))
    for _ in range(2):
        async with running() as heard:
            await heard.until(1)


@pytest.mark.usefixtures("ledger_connection")
async def test_it_lives_through_a_restart_of_the_ledger(books: Books, ledger_url: str, postgres: Any) -> None:
    async with running() as heard:
        await heard.quiet(0.2)
        with unreachable(postgres.url("postgres"), ledger_url):
            await heard.quiet(0.4)
        books.receive(completed(aid(1)))
        await heard.until(1)

    assert heard.payloads == [{"waiting": 1}]


@pytest.mark.usefixtures("ledger_connection")
async def test_it_starts_while_the_ledger_is_away(books: Books, ledger_url: str, postgres: Any) -> None:
    books.receive(completed(aid(1)))
    with unreachable(postgres.url("postgres"), ledger_url):
        task = running()
        heard = await task.__aenter__()
        await heard.quiet(0.3)
    try:
        await heard.until(1)
    finally:
        await task.__aexit__(None, None, None)


@pytest.mark.usefixtures("ledger_connection")
async def test_it_waits_for_a_ledger_that_is_not_migrated_yet(books: Books) -> None:
    books.receive(completed(aid(1)))
    books.run("ALTER TABLE inbox RENAME TO inbox_of_the_future")
    try:
        async with running() as heard:
            await heard.quiet(0.3)
            books.run("ALTER TABLE inbox_of_the_future RENAME TO inbox")
            await heard.until(1)
    finally:
        books.run("ALTER TABLE IF EXISTS inbox_of_the_future RENAME TO inbox")


@pytest.mark.usefixtures("ledger_connection")
async def test_its_events_name_nobody(books: Books) -> None:
    books.receive(completed(aid(1)))
    async with running() as heard:
        await heard.until(1)

    assert aid(1) not in repr(heard.payloads)


@pytest.mark.usefixtures("ledger_connection")
async def test_it_keeps_no_connection_when_it_ends(books: Books) -> None:
    count = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()"
    books.ledger.dispose()
    before = books.run(count)[0].n
    async with running() as heard:
        books.receive(completed(aid(1)))
        await heard.until(1)
    await asyncio.sleep(0.2)

    assert books.run(count)[0].n <= before
