"""A server ends with whoever started it, with its children and its folder."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tests.conformance.supervisor import DidNotStart, supervised

pytestmark = pytest.mark.keycloak

ROOT = Path(__file__).resolve().parents[2]
SERVER = "sleep 600 & echo $! >{pids}.part; echo $$ >>{pids}.part; mv {pids}.part {pids}; trap '' TERM HUP; wait; wait"
"""A start script that leaves its work to a child and does not listen to polite signals."""


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The folder of a server."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(pids: list[int]) -> bool:
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids)


def test_the_server_and_its_children_end_with_the_block(tmp_path: Path, scratch: Path) -> None:
    pids = tmp_path / "pids"
    with supervised(scratch, ["sh", "-c", SERVER.format(pids=pids)], {}) as server:
        server.wait_until(pids.exists, 20)
        running = [int(pid) for pid in pids.read_text().split()]
        assert not ended(running)
    assert ended(running)
    assert not scratch.exists()


def test_the_server_and_its_children_end_when_the_tests_are_killed(tmp_path: Path, scratch: Path) -> None:
    pids = tmp_path / "pids"
    program = (
        "import pathlib, sys, time\n"
        "from tests.conformance.supervisor import supervised\n"
        f"with supervised(pathlib.Path({str(scratch)!r}), ['sh', '-c', sys.argv[1]], {{}}):\n"
        "    time.sleep(600)\n"
    )
    tests = subprocess.Popen([sys.executable, "-c", program, SERVER.format(pids=pids)], cwd=ROOT)
    try:
        until(pids.exists)
        running = [int(pid) for pid in pids.read_text().split()]
        assert not ended(running)
    finally:
        tests.kill()
        tests.wait()
    until(lambda: ended(running) and not scratch.exists())


def test_a_server_that_ends_at_once_is_reported_with_what_it_said(scratch: Path) -> None:
    with (
        supervised(scratch, ["sh", "-c", "echo the port is taken; exit 7"], {}) as server,
        pytest.raises(DidNotStart, match=r"ended with 7:\n(?s:.*)the port is taken"),
    ):
        server.wait_until(lambda: False, 20)


def test_a_server_that_takes_too_long_is_reported_with_what_it_said(scratch: Path) -> None:
    with supervised(scratch, ["sh", "-c", "echo still thinking; sleep 600"], {}) as server:
        server.wait_until(lambda: "thinking" in server.said(), 20)
        with pytest.raises(DidNotStart, match=r"not ready after 0\.1 s:\n(?s:.*)still thinking"):
            server.wait_until(lambda: False, 0.1)
