"""Fixtures: Airflow's API in a process of its own, with the plugin loaded from ``plugins/`` as in production."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from sqlalchemy import Engine

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
for _folder in (_HERE.parent / "receiver", _HERE.parent / "reconciliation"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from day_books import Books  # noqa: E402
from emptied_ledger import empty  # noqa: E402
from receiver_calls import Answer, call  # noqa: E402

PASSWORDS = {"chief": "of-the-chief", "guest": "of-the-guest"}


@dataclass
class Airflow:
    """A running API.

    :param said: what it announced: its routes, and whether its plugins loaded.
    :param before: answers from the time when it had no connection to the ledger.
    """

    base: str
    said: dict[str, Any]
    before: dict[str, Answer] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def login(self, user: str) -> dict[str, str]:
        """Give the headers of a user who logged in with his password."""
        if user not in self.tokens:
            credentials = json.dumps({"username": user, "password": PASSWORDS[user]}).encode()
            answer = call(self.base, "POST", "/auth/token", credentials, {"Content-Type": "application/json"})
            assert answer.status == 201
            self.tokens[user] = json.loads(answer.body)["access_token"]
        return {"Authorization": f"Bearer {self.tokens[user]}"}

    def get(self, path: str, user: str | None = None) -> Answer:
        """Get a page, as a user or as nobody."""
        return call(self.base, "GET", path, headers=self.login(user) if user else {})


@pytest.fixture(scope="session")
def shared_ledger_url(postgres: Any) -> str:
    """The ledger behind the API."""
    return str(postgres.create("ledger_of_the_pages", template="ledger_template"))


@pytest.fixture
def ledger_url(shared_ledger_url: str) -> str:
    """The URL of an empty ledger."""
    empty(shared_ledger_url)
    return shared_ledger_url


@pytest.fixture
def books(ledger: Engine) -> Books:
    """An empty ledger's books."""
    return Books(ledger)


@pytest.fixture(scope="session")
def airflow(shared_ledger_url: str, seal_key: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """Airflow, asked before and after it was given its connection to the ledger."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "passwords.json").write_text(json.dumps(PASSWORDS))
    settings = {
        "CORE__PLUGINS_FOLDER": _ROOT / "plugins",
        "CORE__DAGS_FOLDER": home / "dags",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "chief:admin,guest:viewer",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": home / "passwords.json",
        "CORE__FERNET_KEY": seal_key,
        "API_AUTH__JWT_SECRET": "for the tests only, " * 4,
    }
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("AIRFLOW", "_AIRFLOW", "CRVS_"))}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(_HERE / "airflow_api.py")],
        env={
            **inherited,
            "AIRFLOW_HOME": str(home),
            "_AIRFLOW_PROCESS_CONTEXT": "server",
            "PYTHONPATH": "",
            **{f"AIRFLOW__{name}": str(value) for name, value in settings.items()},
        },
        stdout=subprocess.PIPE,
        stderr=(home / "stderr").open("wb"),
        text=True,
    )
    try:
        assert process.stdout is not None
        announced = ""
        while not announced.startswith('{"port"'):
            announced = process.stdout.readline()
            assert announced, (home / "stderr").read_text()[-3000:]
        said = json.loads(announced)
        running = Airflow(f"http://127.0.0.1:{said['port']}", said)
        running.before = {
            path: running.get(path, "chief")
            for path in ("/mosip-websub/health", "/mosip-websub/websub/token?hub.mode=subscribe", "/mosip-crvs/")
        }
        where = urlsplit(shared_ledger_url)
        connection = {
            "connection_id": "crvs_ledger",
            "conn_type": "crvs_ledger",
            "host": unquote(where.query.partition("host=")[2]),
            "schema": where.path.lstrip("/"),
            "login": "postgres",
            "extra": json.dumps({"seal_secret": seal_key}),
        }
        made = call(
            running.base,
            "POST",
            "/api/v2/connections",
            json.dumps(connection).encode(),
            {"Content-Type": "application/json", **running.login("chief")},
        )
        assert made.status == 201, made.body
        yield running
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
