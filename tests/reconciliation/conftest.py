"""Fixtures: an emptied ledger and its books."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

_HERE = Path(__file__).resolve().parent
for _folder in (_HERE, _HERE.parent / "receiver"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from day_books import Books  # noqa: E402
from emptied_ledger import empty  # noqa: E402


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
