"""Fixtures: Airflow in a folder of its own, and connections in the environment, as a deployment gives them."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

_HERE = Path(__file__).resolve().parent
for _folder in (_HERE.parent / "receiver", _HERE.parent / "reconciliation"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))
if "airflow" not in sys.modules:
    _AIRFLOW_HOME = tempfile.TemporaryDirectory(prefix="airflow-of-the-tests-", ignore_cleanup_errors=True)
    os.environ.setdefault("AIRFLOW_HOME", _AIRFLOW_HOME.name)

import pytest  # noqa: E402
from day_books import Books  # noqa: E402
from emptied_ledger import empty  # noqa: E402
from sqlalchemy import Engine  # noqa: E402

Connect = Callable[..., None]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """`connect("mosip", host=…, extra={…})` sets a connection."""

    def set_connection(name: str, **fields: Any) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))

    return set_connection


@pytest.fixture(scope="module")
def shared_ledger_url(postgres: Any) -> str:
    """The ledger of a module's tests."""
    return str(postgres.create("ledger_of_the_roof", template="ledger_template"))


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
def ledger_connection(connect: Connect, ledger_url: str, seal_key: str) -> dict[str, Any]:
    """The connection ``crvs_ledger`` to an empty ledger."""
    where = urlsplit(ledger_url)
    fields = {
        "conn_type": "crvs_ledger",
        "host": unquote(where.query.partition("host=")[2]),
        "schema": where.path.lstrip("/"),
        "login": "postgres",
        "extra": {"seal_secret": seal_key},
    }
    connect("crvs_ledger", **fields)
    return fields
