"""Fixtures: a sandbox on a free port, someone who calls it, and a subscriber."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
for _folder in (_HERE, _HERE.parents[1] / "include"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from pms_calls import Desk  # noqa: E402
from sandbox_calls import Caller, Subscriber  # noqa: E402

from sandbox.app import Sandbox, start_sandbox  # noqa: E402

Start = Callable[..., Awaitable[Caller]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """`await start(tick_seconds=0, …)` gives a caller of a new sandbox."""
    callers: list[Caller] = []

    async def begin(**overrides: object) -> Caller:
        quick = {"tick_seconds": 0, "create_seconds": 0, "retry_seconds": 0.01, "poll_records": 3}
        sandbox: Sandbox = await start_sandbox(**(quick | overrides))
        caller = Caller(sandbox)
        callers.append(caller)
        return caller

    yield begin
    for caller in callers:
        await caller.close()


@pytest.fixture
async def mosip(start: Start) -> Caller:
    """A caller of a sandbox with no fault."""
    return await start()


@pytest.fixture
def desk(mosip: Caller) -> Desk:
    """A caller of partner management."""
    return Desk(mosip)


@pytest.fixture
async def subscriber() -> AsyncIterator[Subscriber]:
    """A callback server, not subscribed yet."""
    found = Subscriber()
    await found.listen()
    yield found
    await found.close()
