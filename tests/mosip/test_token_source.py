"""The token source: one fetch for many callers, early renewal, and no refused token ever again."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from mosip_crvs.errors import MosipUnavailable
from mosip_crvs.mosip.token import Token, TokenSource


class Office:
    """Counts what it gives out: ``token-1``, ``token-2``, …"""

    def __init__(self, lifetime: float = 3600.0, takes: float = 0.0) -> None:
        self.lifetime, self.takes = lifetime, takes
        self.fetched = 0
        self.problem: Exception | None = None
        self.at_once, self.most_at_once = 0, 0
        self._lock = threading.Lock()

    def fetch(self) -> Token:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.fetched += 1
            number = self.fetched
        time.sleep(self.takes)
        with self._lock:
            self.at_once -= 1
        if self.problem is not None:
            raise self.problem
        return Token(f"token-{number}", time.monotonic() + self.lifetime)


def _in_threads(count: int, call: Callable[[], str]) -> list[str]:
    barrier = threading.Barrier(count)

    def together() -> str:
        barrier.wait(5)
        return call()

    with ThreadPoolExecutor(count) as pool:
        return [future.result(10) for future in [pool.submit(together) for _ in range(count)]]


def test_nothing_is_fetched_before_it_is_needed() -> None:
    office = Office()
    TokenSource(office.fetch)
    assert office.fetched == 0


def test_fifty_threads_share_one_fetch() -> None:
    office = Office(takes=0.05)
    source = TokenSource(office.fetch)
    assert _in_threads(50, source.get) == ["token-1"] * 50
    assert office.fetched == 1


async def test_two_hundred_coroutines_share_one_fetch() -> None:
    office = Office(takes=0.05)
    source = TokenSource(office.fetch)
    assert await asyncio.gather(*(source.get_async() for _ in range(200))) == ["token-1"] * 200
    assert office.fetched == 1


def test_fifty_threads_with_the_same_refused_token_share_one_new_fetch() -> None:
    office = Office(takes=0.02)
    source = TokenSource(office.fetch)
    refused = source.get()
    assert _in_threads(50, lambda: source.get(refused)) == ["token-2"] * 50
    assert office.fetched == 2


async def test_two_hundred_coroutines_with_the_same_refused_token_share_one_new_fetch() -> None:
    office = Office(takes=0.02)
    source = TokenSource(office.fetch)
    refused = await source.get_async()
    assert await asyncio.gather(*(source.get_async(refused) for _ in range(200))) == ["token-2"] * 200
    assert office.fetched == 2
    assert office.most_at_once == 1


async def test_threads_and_coroutines_share_the_same_token() -> None:
    office = Office(takes=0.02)
    source = TokenSource(office.fetch)
    found = await asyncio.gather(asyncio.to_thread(source.get), source.get_async(), asyncio.to_thread(source.get))
    assert set(found) == {"token-1"}


def test_a_refused_token_is_never_handed_out_again() -> None:
    office = Office()
    source = TokenSource(office.fetch)
    refused = source.get()
    source.get(refused)
    assert {source.get(), source.get(refused), source.get("something else")} == {"token-2"}
    assert office.fetched == 2


def test_a_late_refusal_of_the_token_before_fetches_nothing() -> None:
    office = Office()
    source = TokenSource(office.fetch)
    first = source.get()
    second = source.get(first)
    assert source.get(first) == second
    assert office.fetched == 2


def test_a_refused_token_does_not_come_back_when_no_new_one_can_be_had() -> None:
    office = Office()
    source = TokenSource(office.fetch)
    refused = source.get()
    office.problem = MosipUnavailable("down")
    for call in (lambda: source.get(refused), source.get, source.get):
        with pytest.raises(MosipUnavailable):
            call()
    office.problem = None
    assert source.get() != refused


async def test_a_refused_token_does_not_come_back_to_coroutines_either() -> None:
    office = Office()
    source = TokenSource(office.fetch)
    refused = await source.get_async()
    office.problem = MosipUnavailable("down")
    with pytest.raises(MosipUnavailable):
        await source.get_async(refused)
    with pytest.raises(MosipUnavailable):
        await source.get_async()


def test_a_token_past_its_time_is_renewed() -> None:
    office = Office(lifetime=-0.001)
    source = TokenSource(office.fetch)
    assert [source.get(), source.get()] == ["token-1", "token-2"]
    office.lifetime = 60
    assert [source.get(), source.get()] == ["token-3", "token-3"]


async def test_a_token_past_its_time_is_renewed_for_coroutines() -> None:
    office = Office(lifetime=-0.001)
    source = TokenSource(office.fetch)
    assert [await source.get_async(), await source.get_async()] == ["token-1", "token-2"]
    office.lifetime = 60
    assert [await source.get_async(), await source.get_async()] == ["token-3", "token-3"]


async def test_a_slow_fetch_does_not_hold_up_the_event_loop() -> None:
    source = TokenSource(Office(takes=1.0).fetch)
    waiting = asyncio.ensure_future(source.get_async())
    started = time.monotonic()
    await asyncio.sleep(0.01)
    assert time.monotonic() - started < 0.8
    assert not waiting.done()
    assert await waiting == "token-1"


def test_a_failed_fetch_is_told_and_the_next_caller_tries_again() -> None:
    office = Office()
    office.problem = MosipUnavailable("down")
    source = TokenSource(office.fetch)
    with pytest.raises(MosipUnavailable, match="down"):
        source.get()
    office.problem = None
    assert source.get() == "token-2"


def test_those_who_wait_for_a_fetch_that_fails_share_its_failure() -> None:
    office = Office(takes=0.3)
    office.problem = MosipUnavailable("down")
    source = TokenSource(office.fetch)
    told: list[str] = []

    def ask() -> None:
        try:
            source.get()
        except MosipUnavailable as problem:
            told.append(str(problem))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["down"] * 20
    assert time.monotonic() - started < 3, "one fetch of 0.3 s, not twenty after one another"


def test_a_representation_of_a_token_keeps_it_secret() -> None:
    assert "abc.def" not in repr(Token("abc.def", 1.0))
