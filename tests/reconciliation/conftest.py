"""Fixtures: an emptied ledger and its books."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.receiver.__main__ import build

if TYPE_CHECKING:
    from tests.rig import FarSide

_HERE = Path(__file__).resolve().parent
for _folder in (_HERE, _HERE.parent / "receiver"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from day_books import Books  # noqa: E402
from emptied_ledger import empty  # noqa: E402
from hub_scene import HubScene  # noqa: E402
from receiver_calls import serving  # noqa: E402
from small_hub import SmallHub  # noqa: E402


@pytest.fixture(scope="module")
def shared_ledger_url(postgres: object) -> str:
    """The ledger of a module's tests."""
    return str(postgres.create("ledger_of_the_books", template="ledger_template"))  # type: ignore[attr-defined]


@pytest.fixture
def ledger_url(shared_ledger_url: str) -> str:
    """The URL of an empty ledger."""
    empty(shared_ledger_url)
    return shared_ledger_url


@pytest.fixture
def books(ledger: Engine) -> Books:
    """An empty ledger's books."""
    return Books(ledger)


@pytest.fixture
def hub_scene(books: Books, ledger_url: str, seal: Seal, seal_key: str, far_side: FarSide) -> Iterator[HubScene]:
    """The sandbox's hub and the real receiver."""
    from tests.rig import CLIENT, SECRET

    with serving(build(ledger_url, seal_key)) as receiver:
        yield HubScene(
            books, seal, MosipSettings(far_side.url, CLIENT, SECRET, "10001", "10077", receiver_url=receiver)
        )


@pytest.fixture
def small_hub() -> SmallHub:
    """A hub that verifies, as hubs do, unless the test says otherwise."""
    hub = SmallHub()
    hub.then = hub.verify
    return hub


@pytest.fixture
def small_scene(
    books: Books, ledger_url: str, seal: Seal, seal_key: str, small_hub: SmallHub
) -> Iterator[HubScene]:
    """That hub and the real receiver."""
    with serving(small_hub.app()) as address, serving(build(ledger_url, seal_key)) as receiver:
        yield HubScene(
            books,
            seal,
            MosipSettings(address, "crvs-client", "its-secret", "10001", "10077", receiver_url=receiver),
        )
