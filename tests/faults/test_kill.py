"""``kill -9`` in the middle of sending, twenty times: the far side's own book says what became of it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import Engine
from tests.conftest import INCLUDE, ROOT
from tests.ledger.books import count
from tests.rig import YESTERDAY, FarSide, close, plan, submission

from mosip_crvs.model import RegistrationKind
from reference_registry import load

KILLS = 20
BIRTHS = 900


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_a_worker_killed_at_twenty_random_moments_loses_nothing_and_repeats_nothing(
    ledger_url: str, registry_url: str, ledger: Engine, far_side: FarSide, seed: int
) -> None:
    load(registry_url, births=BIRTHS, clean_only=True, end_day=YESTERDAY, seed=seed)
    chance = random.Random(seed)
    far_side.faults(
        trigger_slow={"probability": 0.3, "seconds": 0.03},
        create_slow={"probability": 0.3, "seconds": 0.05},
        trigger_reset_after={"probability": 0.05},
        reply_cut={"probability": 0.03},
    )
    killed_while_sending = 0
    for _ in range(KILLS):
        sent_before = far_side.totals()["creates_accepted"]
        worker = start(ledger_url, registry_url, far_side.url)
        # Kill it once it has sent a random number of packets more, so that every kill falls into the sending.
        target = sent_before + chance.randint(1, BIRTHS // KILLS)
        while worker.poll() is None and far_side.totals()["creates_accepted"] < target:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.02))
        killed_while_sending += worker.poll() is None
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    assert killed_while_sending >= KILLS * 0.9

    assert start(ledger_url, registry_url, far_side.url).wait(timeout=120) == 0
    far_side.faults()
    far_side.tick()
    totals = far_side.totals()
    assert totals["triggers_accepted"] == totals["uins_issued"] == totals["children"] == BIRTHS, "nothing is lost"
    assert totals["children_with_two_uins"] == 0
    assert totals["creates_after_trigger"] == 0, "no packet is created again once its trigger was sent"
    assert totals["aids"] == BIRTHS, "no event was ever sent under a second AID"
    assert count(ledger, "applications") == BIRTHS
    assert count(ledger, "applications", "state = 'TRIGGERED'") == BIRTHS
    assert count(ledger, "ranges", "finished_at IS NULL") == 0
    assert count(ledger, "readings", "outcome = 'claimed'") == BIRTHS


@pytest.mark.parametrize("parallel", [3])
def test_several_workers_at_the_same_window_share_it_and_send_nothing_twice(
    ledger_url: str, registry_url: str, far_side: FarSide, parallel: int
) -> None:
    load(registry_url, births=300, clean_only=True, end_day=YESTERDAY)
    made = submission(ledger_url, registry_url, far_side.url)
    plan(made, range_size=100, spread=3)
    close(made)
    workers = [start(ledger_url, registry_url, far_side.url) for _ in range(parallel)]
    assert [worker.wait(timeout=120) for worker in workers] == [0] * parallel
    totals = far_side.totals()
    assert totals["triggers_accepted"] == totals["creates_accepted"] == totals["aids"] == 300
    assert totals["triggers_duplicate"] == 0


def test_births_and_deaths_use_one_series_of_aids(
    ledger_url: str, registry_url: str, ledger: Engine, far_side: FarSide
) -> None:
    load(registry_url, births=40, deaths=40, clean_only=True, end_day=YESTERDAY)
    from mosip_crvs.submission.pipeline import submit_range

    for kind in RegistrationKind:
        made = submission(ledger_url, registry_url, far_side.url, kind)
        for batch_id, number in plan(made):
            submit_range(made, batch_id, number, "test")
        close(made)
    far_side.tick()
    totals = far_side.totals()
    assert (totals["aids"], totals["uins_issued"], totals["uins_issued_to_deaths"]) == (80, 40, 0)


def start(ledger_url: str, registry_url: str, mosip_url: str) -> subprocess.Popen[bytes]:
    """Start a worker in a process group of its own."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "plugins"), str(INCLUDE)])
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.faults.worker", ledger_url, registry_url, mosip_url],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
