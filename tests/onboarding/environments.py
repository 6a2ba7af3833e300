"""A country's MOSIP for the tests of onboarding: a sandbox, a folder of what was made in it, a ledger, a receiver."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import urllib.request
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import requests
from sqlalchemy import Engine
from tests.conftest import INCLUDE

from mosip_crvs.ledger.schema import metadata
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.onboarding.access import Access
from mosip_crvs.onboarding.checks import CHECKS
from mosip_crvs.onboarding.country import Country, read_country
from mosip_crvs.onboarding.items import items_for
from mosip_crvs.onboarding.preflight import Check, Result, Survey, run_preflight
from mosip_crvs.onboarding.provision import Bench, Outcome, Wishes, provision
from mosip_crvs.onboarding.surroundings import from_environment
from quickstart.authority import sign_requests
from sandbox.app import Sandbox, start_sandbox

COUNTRY_FILE = INCLUDE / "onboarding" / "demo.yaml"
EVERYTHING = Wishes(publish_id_schema=True, attested=frozenset({"G3"}))
LOGINS = {
    "MOSIP_PROVISIONER_SECRET": "deployment-secret",
    "KEYCLOAK_ADMIN_PASSWORD": "admin-secret",
    "MOSIP_GLOBAL_ADMIN_PASSWORD": "globaladmin-secret",
    "MOSIP_GLOBAL_ADMIN_CLIENT_SECRET": "mosip-admin-client-secret",
}
"""The secrets of a stock sandbox."""

T = TypeVar("T")


class LoopInThread:
    """An event loop beside the tests, for sandboxes: what is tested here blocks."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="sandboxes")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something there and give its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    @contextmanager
    def sandbox(self, **overrides: Any) -> Iterator[Sandbox]:
        """A sandbox that ticks only when it is told to, until the block ends."""
        quick = {"tick_seconds": 0, "create_seconds": 0, "retry_seconds": 0.05}
        running = self.run(start_sandbox(**(quick | overrides)))
        try:
            yield running
        finally:
            self.run(running.close())

    def close(self) -> None:
        """Stop the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@dataclass
class Environment:
    """One MOSIP as an operator reaches it.

    :param variables: what the command line would read from its environment; a test may change it.
    :param country: what the country wants; a test may put another one in its place.
    :param session: carries the calls to MOSIP; None for a plain one.
    """

    url: str
    folder: Path
    ledger: Engine
    seal: Seal
    variables: dict[str, str]
    country: Country = field(default_factory=lambda: read_country(COUNTRY_FILE))
    session: requests.Session | None = None

    def access(self) -> Access:
        """Enter it anew, with no token yet."""
        return Access(from_environment(self.folder, self.variables), self.country, self.session)

    def wants(self, **changes: Any) -> None:
        """Let the country want something else."""
        self.country = msgspec.structs.replace(self.country, **changes)

    def preflight(self, checks: Sequence[Check] = CHECKS, *, probes: bool = True) -> dict[str, Result]:
        """Look; give the results by the checks' ids."""
        return by_id(self.survey(checks, probes=probes))

    def survey(self, checks: Sequence[Check] = CHECKS, *, probes: bool = True) -> Survey:
        """Look."""
        return run_preflight(checks, self.access(), ledger=self.ledger, probes=probes)

    def provision(self, wishes: Wishes = EVERYTHING) -> Outcome:
        """Make what is missing."""
        bench = Bench(self.access(), wishes, ledger=self.ledger, seal=self.seal)
        outcome = provision(items_for(self.country), bench, tell=lambda *_: None)
        outcome.ask()
        return outcome

    @property
    def ids(self) -> dict[str, str]:
        """What provisioning kept."""
        return self.access().keeping.ids

    def file(self, name: str) -> Path:
        """A file of the folder."""
        return self.folder / f"{self.country.environment}.{name}"

    def edit(self, entity: str, row: str, /, *, delete: bool = False, **values: Any) -> None:
        """Change a row behind MOSIP's back, as somebody does at a console."""
        self.post("/sandbox/edit", {"entity": entity, "id": row, "set": values, "delete": delete})

    def configure(self, **changes: Any) -> None:
        """Change MOSIP's property files."""
        self.post("/sandbox/configuration", changes)

    def configuration(self) -> dict[str, Any]:
        """Give MOSIP's property files."""
        return dict(self.get("/sandbox/configuration"))

    def state(self) -> dict[str, Any]:
        """Everything that MOSIP holds, its count of changes, what was sent to it and who subscribed."""
        return {name: self.get(f"/sandbox/{name}") for name in ("state", "writes", "record", "subscribers")}

    def get(self, path: str) -> Any:
        """Ask the sandbox."""
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:
            return json.load(reply)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Tell the sandbox."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def books(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table of the ledger."""
        with self.ledger.connect() as connection:
            return {
                name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
                for name, table in metadata.tables.items()
            }


def by_id(survey: Survey) -> dict[str, Result]:
    """Give the results of a preflight by the checks' ids."""
    return {result.check.id: result for result in survey.results}


def sign(environment: Environment) -> None:
    """Be the country's certification authority."""
    sign_requests(environment.folder, environment.country.environment)


def copy_keys(source: Path, target: Path) -> None:
    """Take keys, requests and certificates over: to make them anew would cost each test a second."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in source.glob("*.pem"):
        shutil.copy(file, target / file.name)
