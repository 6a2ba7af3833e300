"""Fixtures: an emptied ledger, receivers on free ports, and a subscription that the hub knows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from mosip_crvs.ledger import subscriptions
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.receiver.__main__ import build

_HERE = str(Path(__file__).resolve().parent)
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)

from emptied_ledger import empty  # noqa: E402
from receiver_calls import TOPIC, Subscriber, serving  # noqa: E402

Start = Callable[..., str]


@pytest.fixture(scope="module")
def shared_ledger_url(postgres: object) -> str:
    """The ledger of a module's tests."""
    return str(postgres.create("ledger_of_the_receiver", template="ledger_template"))  # type: ignore[attr-defined]


@pytest.fixture
def ledger_url(shared_ledger_url: str) -> str:
    """The URL of an empty ledger."""
    empty(shared_ledger_url)
    return shared_ledger_url


@pytest.fixture
def start_anew(ledger_url: str, seal_key: str) -> Iterator[Start]:
    """`start_anew(sticky=False)` gives the address of a receiver that knows nothing yet."""
    with ExitStack() as running:
        yield lambda **how: running.enter_context(serving(build(ledger_url, seal_key, **how)))


@pytest.fixture(scope="module")
def start(shared_ledger_url: str, seal_key: str) -> Iterator[Start]:
    """`start(sticky=False)` gives the address of a receiver that the module's tests share."""
    addresses: dict[bool, str] = {}
    with ExitStack() as running:

        def begin(sticky: bool = True) -> str:
            if sticky not in addresses:
                addresses[sticky] = running.enter_context(serving(build(shared_ledger_url, seal_key, sticky=sticky)))
            return addresses[sticky]

        yield begin


@pytest.fixture
def receiver(start: Start) -> str:
    """The address of a receiver as it runs by default."""
    return start()


@pytest.fixture
def subscriber(ledger: Engine, seal: Seal) -> Subscriber:
    """A subscription that we have just asked for."""
    return Subscriber.of(subscriptions.request(ledger, seal, TOPIC, "http://receiver.example"), seal)
