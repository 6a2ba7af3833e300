"""Fixtures: an Airflow of the tests' own, asked in fresh processes, as its parts ask when they start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
Ask = Callable[..., Any]


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """`ask("dags", …, CRVS_…=…)` runs `dag_probes.py dags …` in a fresh process and gives what it says."""
    home = tmp_path_factory.mktemp("airflow")
    settings = {
        "CORE__DAGS_FOLDER": ROOT / "dags",
        "CORE__PLUGINS_FOLDER": ROOT / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__UNIT_TEST_MODE": False,
    }
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("AIRFLOW", "CRVS_", "PYTHONPATH"))}

    def probe(*what: str, **environment: str) -> Any:
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", str(Path(__file__).with_name("dag_probes.py")), *what],
            env={
                **inherited,
                "AIRFLOW_HOME": str(home),
                **{f"AIRFLOW__{name}": str(value) for name, value in settings.items()},
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert ran.returncode == 0, ran.stderr[-3000:]
        return json.loads(ran.stdout.splitlines()[-1])

    return probe
