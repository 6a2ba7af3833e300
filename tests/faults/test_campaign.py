"""The campaign of faults in small, and the parts that make it worth believing: its list of steps, and its books."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.conftest import INCLUDE, ROOT

import mosip_crvs
from faults import books
from faults.books import Comparison, compare
from faults.processes import Nursery
from faults.steps import AFTER, BEFORE, LEFT_OUT, Fate, find_steps

PLUGIN = Path(mosip_crvs.__file__).parent


@pytest.mark.slow
def test_a_small_campaign_loses_nothing_doubles_nothing_and_explains_everything(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    arguments = ["--events", "150", "--seed", "7", "--at-least", "1", "--longest", "25", "--json", str(told)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "faults", *arguments],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{INCLUDE}"},
        capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    found = json.loads(told.read_text())
    assert found["events"] == 150
    assert (found["lost"], found["duplicated"], found["unexplained"], found["untold"]) == (0, 0, 0, 0)
    assert sum(found["killed"].values()) > 20, "processes died"
    assert sum(1 for hits in found["faults"].values() if hits) > 10, "faults showed"
    assert found["postgres_restarts"] >= 1
    assert found["chain"] == "whole"


def test_the_steps_are_read_from_the_source_and_none_is_skipped() -> None:
    steps = {str(step) for step in find_steps(PLUGIN).values()}
    assert {"ledger.claims.claim_page", "ledger.claims.claim_page #2", "ledger.sending._write"} <= steps
    assert {"receiver.store.Store._execute_store", "reconciliation.inbox._Desk._settle"} <= steps
    withs = sum(
        line.count("with transaction(") + line.count("with one_statement(")
        for file in PLUGIN.rglob("*.py")
        for line in file.read_text("utf-8").splitlines()
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("faults.steps.LEFT_OUT", {})
        assert len(find_steps(PLUGIN)) == withs


@pytest.mark.parametrize("left_out", sorted(LEFT_OUT))
def test_what_is_left_out_exists(left_out: str) -> None:
    folder, _, rest = left_out.partition(".")
    module, _, function = rest.partition(".")
    place = PLUGIN / folder / f"{module}.py" if module else PLUGIN / folder
    assert place.exists()
    assert not function or f"def {function.rpartition('.')[2]}" in place.read_text("utf-8")


@pytest.mark.parametrize(("moment", "committed"), [(BEFORE, 0), (AFTER, 1)])
def test_a_process_dies_right_before_or_right_after_the_commit_of_its_step(
    ledger_url: str, tmp_path: Path, moment: str, committed: int
) -> None:
    import random

    from mosip_crvs.ledger.connection import connect_to_ledger
    from mosip_crvs.ledger.subscriptions import request

    class Seal:
        def close(self, text: str) -> bytes:
            return text.encode()

    def work() -> int:
        request(connect_to_ledger(ledger_url), Seal(), "a topic", "http://receiver.example")  # type: ignore[arg-type]
        return 0

    point = ("ledger.subscriptions.request", moment)
    nursery = Nursery(PLUGIN, tmp_path / "diary", random.Random(1))
    pid = nursery.start("a job", work, Fate(point))
    ended: dict[int, Any] = {}
    while pid not in ended:
        ended |= nursery.reap()
    assert ended[pid] == ("a job", -signal.SIGKILL)
    assert nursery.killed[point] == 1
    with psycopg.connect(ledger_url) as ledger:
        assert ledger.execute("SELECT count(*) FROM subscriptions").fetchone() == (committed,)


def test_the_books_tell_a_lost_a_doubled_and_an_unexplained_event(registry_url: str, ledger_url: str) -> None:
    from reference_registry import load

    load(registry_url, births=4, clean_only=True)
    with psycopg.connect(registry_url) as registry:
        numbers = [row[0] for row in registry.execute("SELECT registration_id FROM crvs.birth_registration ORDER BY 1")]
    with psycopg.connect(ledger_url, autocommit=True) as ledger:
        ledger.execute(
            "INSERT INTO batches (kind, day, window_start, window_end, run_label) "
            "VALUES ('birth', now(), now(), now(), 't')"
        )
        for place, (registration, state, current) in enumerate(
            [(numbers[0], "COMPLETED", True), (numbers[1], "COMPLETED", True), (numbers[1], "REJECTED", False),
             (numbers[2], "COMPLETED", True)]
        ):  # fmt: skip
            ledger.execute(
                "INSERT INTO applications (kind, registration_id, act, act_number, aid, batch_id, state, is_current) "
                "VALUES ('birth', %s, 'register', 1, %s, 1, %s, %s)",
                (registration, f"A{place}", state, current),
            )
    done = {"result": "PROCESSED", "uin": "1"}
    record = {
        "aids": {"A0": done, "A1": done, "A2": done, "A3": {"result": "REJECTED", "uin": None}},
        "totals": {"children_with_two_uins": 1},
    }
    found = compare(registry_url, ledger_url, record)
    assert found.lost == [f"birth {numbers[2]}", f"birth {numbers[3]}"]
    assert found.duplicated == [f"birth {numbers[1]}: A1, A2"]
    assert found.unexplained == ["A2: REJECTED here, PROCESSED there", "A3: COMPLETED here, REJECTED there"]
    assert not found.agree
    assert Comparison().agree

    with psycopg.connect(ledger_url, autocommit=True) as ledger:
        ledger.execute("INSERT INTO alarms (code, subject, other) VALUES ('possible_second_id', 'A1', 'A2')")
    again = compare(registry_url, ledger_url, record)
    assert (again.duplicated, again.unavoidable) == ([], 1)


def test_the_campaigns_own_reading_of_the_chain_finds_a_changed_row(ledger_url: str) -> None:
    with psycopg.connect(ledger_url, autocommit=True) as ledger:
        ledger.execute(
            "INSERT INTO evidence (aid, sequence, kind, source, body_sha256, moved_from, moved_to, received_at, link) "
            "VALUES ('A1', 1, 'trigger_accepted', 's', 'd', 'TRIGGERING', 'TRIGGERED', now(), ''::bytea)"
        )
        assert ledger.execute(books.BROKEN_LINKS).fetchone() == ("A1",)
