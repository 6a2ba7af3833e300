"""The whole stack, through Airflow's scheduler, by the verbs that a user has."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from tests.conftest import ROOT, free_port, service
from tests.rig import CLIENT, SECRET, FarSide

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
NOON = f"{YESTERDAY} 12:00+00"
NAME, FAMILY, UIN = "Zyxwetha", "Qorvanthis", "7304918265"
"""A person whom no generator makes: found anywhere, it was leaked."""

pytestmark = [pytest.mark.slow, pytest.mark.scheduler]


@dataclass
class Clone:
    """A copy of the repository with a stack of its own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, expect: int = 0, seconds: float = 240) -> str:
        """Run a verb as ``./run`` does, give what it printed."""
        env = {**os.environ, **self.environment, "PYTHONPATH": str(self.folder / "include")}
        done = subprocess.run(
            [sys.executable, "-m", "quickstart", *words],
            cwd=self.folder, env=env, capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        assert done.returncode == expect, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def addresses(self) -> dict[str, str]:
        """What ``./run env`` gives to a shell."""
        script = f"set -a; {self.run('env')}\nenv -0"
        told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
        return dict(pair.split("=", 1) for pair in told.split("\0") if "=" in pair)

    def balance(self) -> dict[str, object]:
        """The balance of yesterday."""
        return dict(json.loads(self.run("balance", str(YESTERDAY), "--json")))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """A clone that nothing has run in."""
    folder = tmp_path_factory.mktemp("clone")
    for part in ("dags", "plugins", "include"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    made = Clone(folder)
    yield made
    made.run("down")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def up(clone: Clone) -> dict[str, str]:
    """A running stack with two hundred births, sixty deaths and the planted person; its addresses."""
    clone.run("up", "--births", "200", "--deaths", "60")
    addresses = clone.addresses()
    with psycopg.connect(addresses["REGISTRY_URL"]) as registry:
        plant(registry)
    return addresses


def plant(registry: psycopg.Connection) -> None:
    """Add the planted person's birth, the birth of a bad record of the same name, and a death under the planted UIN."""
    people = [
        ("PLANT-1", NAME, FAMILY, str(YESTERDAY - timedelta(days=2)), None),
        ("PLANT-2", f"[{NAME}", FAMILY, "2026-13-45", None),
        ("PLANT-3", NAME, FAMILY, "1950-01-02", UIN),
    ]
    for person, given, family, born, uin in people:
        registry.execute(
            "INSERT INTO crvs.person (person_id, given_name, family_name, gender, birth_date, uin) "
            "VALUES (%s, %s, %s, 'F', %s, %s)",
            (person, given, family, born, uin),
        )
    for number in (1, 2):
        registry.execute(
            "INSERT INTO crvs.birth_registration (registration_id, child_id, residence_address_line1, "
            "residence_place_code, registered_at, modified_at) VALUES (%s, %s, '1 Market Road', 'BNMR', %s, %s)",
            (f"PLANTED-B{number}", f"PLANT-{number}", NOON, NOON),
        )
    registry.execute(
        "INSERT INTO crvs.death_registration (registration_id, deceased_id, death_date, manner_of_death, "
        "registered_at, modified_at) VALUES ('PLANTED-D1', 'PLANT-3', %s, 'NATURAL', %s, %s)",
        (str(YESTERDAY), NOON, NOON),
    )


def test_a_night_balances_through_the_scheduler(clone: Clone, up: dict[str, str]) -> None:
    clone.run("sync", str(YESTERDAY))
    clone.run("settle", "--until-settled", "90")
    day = clone.balance()
    far_side = FarSide(up["MOSIP_URL"]).totals()
    assert day["read"] == 263
    assert (day["unexplained"], day["balanced"], day["in_progress"]) == (0, True, 0)
    assert day["submitted"] == day["completed"] == far_side["triggers_accepted"]
    births = day["kinds"]["birth"]  # type: ignore[index]
    assert births["completed"] == far_side["uins_issued"] == far_side["children"]
    assert far_side["children_with_two_uins"] == far_side["uins_issued_to_deaths"] == 0


def test_rows_inserted_amended_and_deleted_by_sql_balance_exactly_both_times(clone: Clone, up: dict[str, str]) -> None:
    before = clone.balance()
    with psycopg.connect(up["REGISTRY_URL"]) as registry:
        for number in range(5):
            registry.execute(
                "INSERT INTO crvs.person (person_id, given_name, family_name, gender, birth_date) "
                "VALUES (%s, %s, 'Tazi', 'F', %s)",
                (f"LATE-{number}", ("Amina", "Basma", "Chama", "Dounia", "Emna")[number], str(YESTERDAY)),
            )
            registry.execute(
                "INSERT INTO crvs.birth_registration (registration_id, child_id, residence_address_line1, "
                "residence_place_code, registered_at, modified_at) VALUES (%s, %s, 'x', 'BNMR', %s, %s)",
                (f"LATE-B{number}", f"LATE-{number}", NOON, NOON),
            )
        registry.execute("DELETE FROM crvs.death_registration WHERE registration_id = 'PLANTED-D1'")
        registry.execute(  # the bad record is corrected; its change stays on the day
            "UPDATE crvs.person SET given_name = %s, birth_date = %s WHERE person_id = 'PLANT-2'",
            (NAME, str(YESTERDAY)),
        )
        registry.execute(
            "UPDATE crvs.birth_registration SET modified_at = %s WHERE registration_id = 'PLANTED-B2'", (NOON,)
        )
        rows = registry.execute(
            "SELECT (SELECT count(*) FROM crvs.birth_registration WHERE modified_at::date = %(day)s) + "
            "(SELECT count(*) FROM crvs.death_registration WHERE modified_at::date = %(day)s)",
            {"day": YESTERDAY},
        ).fetchone()
    assert rows is not None
    clone.run("sync", str(YESTERDAY))
    clone.run("settle", "--until-settled", "90")
    first = clone.balance()
    assert first["read"] == rows[0] == before["read"] + 4  # type: ignore[operator]
    assert first["submitted"] == first["completed"] == 6, "five new ones, and the corrected one"
    assert first["quarantined"] == before["quarantined"] - 1  # type: ignore[operator]
    assert (first["unexplained"], first["balanced"]) == (0, True)

    clone.run("sync", str(YESTERDAY))
    second = clone.balance()
    assert second["read"] == rows[0]
    assert second["known"] == first["known"] + 6  # type: ignore[operator]
    assert (second["submitted"], second["unexplained"], second["balanced"]) == (0, 0, True)
    assert FarSide(up["MOSIP_URL"]).totals()["children_with_two_uins"] == 0


def test_a_task_killed_by_the_system_is_repeated_by_airflow_and_nothing_is_sent_twice(
    clone: Clone, up: dict[str, str]
) -> None:
    from reference_registry import load

    day_before = YESTERDAY - timedelta(days=1)
    load(up["REGISTRY_URL"], births=400, clean_only=True, end_day=day_before, seed=99)
    far_side = FarSide(up["MOSIP_URL"])
    before = far_side.totals()
    far_side.faults(create_slow={"probability": 1.0, "seconds": 0.3})
    running = subprocess.Popen(
        [sys.executable, "-m", "quickstart", "sync", str(day_before)],
        cwd=clone.folder, env={**os.environ, "PYTHONPATH": str(clone.folder / "include")},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while far_side.totals()["creates_accepted"] < before["creates_accepted"] + 20:
        assert time.monotonic() < deadline, "nothing was sent"
        time.sleep(0.05)
    killed = [pid for pid in sending_processes(up["LEDGER_URL"]) if kill(pid)]
    assert killed, "no task was sending"
    far_side.faults()
    output, _ = running.communicate(timeout=240)
    assert running.returncode == 0, output.decode()
    clone.run("settle", "--until-settled", "90")
    after = far_side.totals()
    assert after["triggers_accepted"] - before["triggers_accepted"] == 400
    assert after["uins_issued"] - before["uins_issued"] == 400
    assert after["children_with_two_uins"] == after["creates_after_trigger"] == 0
    day = json.loads(clone.run("balance", str(day_before), "--json"))
    assert (day["kinds"]["birth"]["completed"], day["unexplained"], day["balanced"]) == (400, 0, True)


def sending_processes(ledger_url: str) -> list[int]:
    """Find the task processes of Airflow; at least one of them holds a living session's lock."""
    with psycopg.connect(ledger_url) as ledger:
        assert ledger.execute("SELECT count(*) FROM sessions WHERE ended_at IS NULL").fetchone() != (0,)
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                title = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if title.startswith(b"airflow worker -- ") and b"LocalExecutor" not in title:
                found.append(int(entry.name))
    return found


def kill(pid: int) -> bool:
    """``kill -9``; whether there was something to kill."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def test_the_planted_person_is_found_nowhere(clone: Clone, up: dict[str, str]) -> None:
    words = [NAME, FAMILY, UIN, "PLANTED-B", "PLANTED-D"]
    leaks: list[str] = []
    searched = 0
    state = clone.folder / ".demo"
    for path in state.rglob("*"):
        if path.is_file() and "pg" not in path.relative_to(state).parts and path.name != "sandbox.json":
            searched += 1
            content = path.read_bytes()
            leaks += [f"{path.relative_to(state)}: {word}" for word in words if word.encode() in content]
    assert searched > 20, "task logs are among what was searched"
    assert any("attempt=" in str(path) for path in state.rglob("*.log")), "task logs are where they are looked for"
    registrations_are_known_to = {"ledger": words[:3], "airflow": words}
    for database, forbidden in registrations_are_known_to.items():
        dump = dumped(up["LEDGER_URL"].replace("/ledger?", f"/{database}?"))
        assert len(dump) > 10_000
        leaks += [f"database {database}: {word}" for word in forbidden if word.encode() in dump]
    leaks += [f"page {path}: {word}" for path, page in pages(up).items() for word in words if word.encode() in page]
    assert leaks == []
    with psycopg.connect(up["REGISTRY_URL"]) as registry:  # the search would find it where it is
        assert registry.execute("SELECT count(*) FROM crvs.person WHERE family_name = %s", (FAMILY,)).fetchone() == (3,)


def dumped(url: str) -> bytes:
    """All rows of all tables of a database, as text."""
    parts: list[bytes] = []
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
                parts.extend(bytes(chunk) for chunk in copy)
    return b"".join(parts)


def pages(addresses: dict[str, str]) -> dict[str, bytes]:
    """Our pages, and what Airflow's own interface reads about our runs."""
    url = addresses["AIRFLOW_URL"]
    login = json.dumps({"username": addresses["AIRFLOW_USER"], "password": addresses["AIRFLOW_PASSWORD"]}).encode()
    request = urllib.request.Request(f"{url}/auth/token", login, {"Content-Type": "application/json"})
    token = json.load(urllib.request.urlopen(request))["access_token"]
    paths = [
        "/mosip-crvs/", f"/mosip-crvs/balance/{YESTERDAY}", "/api/v2/importErrors", "/api/v2/plugins/importErrors",
        "/api/v2/dags/~/dagRuns/~/taskInstances", "/api/v2/dags/crvs_birth_sync/dagRuns/~/taskInstances/~/xcomEntries",
    ]  # fmt: skip
    found: dict[str, bytes] = {}
    for path in paths:
        asked = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {token}"})
        try:
            found[path] = urllib.request.urlopen(asked).read()
        except urllib.error.HTTPError as problem:
            if problem.code != 404:
                raise
    assert b"Read from the registry" in found[f"/mosip-crvs/balance/{YESTERDAY}"]
    assert json.loads(found["/api/v2/importErrors"])["total_entries"] == 0
    return found


def test_another_far_side_is_reached_by_its_url_alone(clone: Clone) -> None:
    clone.run("down")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = ["-m", "sandbox", "--port", str(port), "--tick-seconds", "1", "--client-id", CLIENT]
    arguments += ["--center-id", "20002", "--machine-id", "20099", "--officer-id", "registrar7"]
    with service(arguments, f"{url}/sandbox/health", MOSIP_CLIENT_SECRET=SECRET):
        other = Clone(
            clone.folder,
            {
                "MOSIP_CLIENT_ID": CLIENT, "MOSIP_CLIENT_SECRET": SECRET, "MOSIP_CENTER_ID": "20002",
                "MOSIP_MACHINE_ID": "20099", "MOSIP_OFFICER_ID": "registrar7",
            },
        )  # fmt: skip
        other.run("demo", "--births", "60", "--deaths", "20", "--mosip", url)
        totals = FarSide(url).totals()
    day = json.loads((clone.folder / ".demo" / "balance.json").read_text())
    assert day["unexplained"] == 0
    assert day["completed"] == totals["triggers_accepted"] == totals["finished"] > 60
    assert day["kinds"]["birth"]["completed"] == totals["uins_issued"]
