"""The children's environment holds what the quickstart decided and nothing that the caller happened to have."""

from __future__ import annotations

import sys
from pathlib import Path

from quickstart import environment, ports, processes


def test_the_callers_own_settings_do_not_come_through() -> None:
    caller = {
        "AIRFLOW_HOME": "/elsewhere",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW_CONN_MOSIP": "http://production",
        "MOSIP_CLIENT_SECRET": "secret",
        "PGPORT": "5433",
        "PYTHONPATH": "/elsewhere",
        "TZ": "Asia/Kolkata",
        "LC_ALL": "xx_XX",
        "HOME": "/home/me",
        "PATH": "/bin",
    }
    clean = environment.clean("marker", caller)
    assert not {"AIRFLOW_HOME", "AIRFLOW__CORE__EXECUTOR", "AIRFLOW_CONN_MOSIP", "PGPORT", "PYTHONPATH"} & set(clean)
    assert "MOSIP_CLIENT_SECRET" not in clean
    assert (clean["HOME"], clean["TZ"], clean[processes.MARKER]) == ("/home/me", "UTC", "marker")
    assert clean["PATH"].split(":")[0] == str(Path(sys.executable).parent)


def test_a_proxy_is_not_asked_for_this_machine() -> None:
    clean = environment.clean("marker", {"HTTP_PROXY": "http://proxy", "no_proxy": "example.org"})
    assert clean["NO_PROXY"] == clean["no_proxy"] == "example.org,127.0.0.1,localhost"


def test_ports_are_distinct_and_kept_when_still_free() -> None:
    first = ports.as_dict(ports.choose())
    assert len(set(first.values())) == len(first)
    assert ports.as_dict(ports.choose(first)) == first
