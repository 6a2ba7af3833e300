"""Nothing runs on after a stack has ended, however it ended."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from quickstart import attach, stack

# The supervisor, two children, and a grandchild of each that has left the session and the family.
FULL = 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_supervisor_alone_leaves_no_process(stubborn: Any, number: signal.Signals) -> None:
    supervisor = stubborn.start()
    stubborn.wait_ready(supervisor, FULL)
    supervisor.send_signal(number)
    assert supervisor.wait(20) == 0
    assert stubborn.left() == []


def test_a_signal_to_the_whole_group_leaves_no_process(stubborn: Any) -> None:
    supervisor = stubborn.start()
    stubborn.wait_ready(supervisor, FULL)
    os.killpg(supervisor.pid, signal.SIGINT)
    assert supervisor.wait(20) == 0
    assert stubborn.left() == []


def test_a_caller_that_vanishes_takes_the_stack_with_it(stubborn: Any) -> None:
    supervisor = stubborn.start()
    stubborn.wait_ready(supervisor, FULL)
    supervisor.stdin.close()
    assert supervisor.wait(20) == 0
    assert stubborn.left() == []


def test_a_caller_that_lets_go_leaves_the_stack_running(stubborn: Any) -> None:
    supervisor = stubborn.start()
    stubborn.wait_ready(supervisor, FULL)
    attach.Tether(stubborn.places, stack.read(stubborn.places), supervisor).release()
    with pytest.raises(attach.subprocess.TimeoutExpired):
        supervisor.wait(1.0)
    assert len(stubborn.left()) == FULL
    assert attach.stop(stubborn.places) == 0
    assert supervisor.wait(20) == 0
    assert stubborn.left() == []


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ("mortal", ["mortal ended with exit code 1", "the reason is in the log"]),
        ("failing-migration", ["migration ended with exit code 1", "the reason is in the log"]),
        ("error", ["ValueError: a fault of ours"]),
    ],
)
def test_a_failure_is_named_and_leaves_no_process(stubborn: Any, wish: str, told: list[str]) -> None:
    supervisor = stubborn.start(wish)
    assert supervisor.wait(20) == 1
    state = stack.read(stubborn.places)
    assert state.status == stack.FAILED
    assert all(text in state.error for text in told)
    assert stubborn.left() == []


def test_what_a_killed_supervisor_leaves_is_ended_by_the_next_start(stubborn: Any) -> None:
    first = stubborn.start()
    stubborn.wait_ready(first, FULL)
    orphans = {process.pid for process in stubborn.left()} - {first.pid}
    first.kill()
    first.wait()
    assert {process.pid for process in stubborn.left()} == orphans
    second = stubborn.start()
    stubborn.wait_ready(second, FULL)
    assert not orphans & {process.pid for process in stubborn.left()}
    second.terminate()
    assert second.wait(20) == 0
    assert stubborn.left() == []


def test_down_ends_what_a_killed_supervisor_left(stubborn: Any) -> None:
    supervisor = stubborn.start("postgres")
    stubborn.wait_ready(supervisor, FULL + 1)
    supervisor.kill()
    supervisor.wait()
    assert attach.stop(stubborn.places, grace=0.3) >= FULL
    assert stubborn.left() == []


def test_postgresql_is_shut_down_properly(stubborn: Any) -> None:
    for _ in range(2):
        supervisor = stubborn.start("postgres")
        stubborn.wait_ready(supervisor, FULL + 1)
        supervisor.terminate()
        assert supervisor.wait(30) == 0
        assert stubborn.left() == []
    log = (stubborn.places.postgres / "log").read_text()
    assert log.count("database system is shut down") >= 2
    assert "not properly shut down" not in log


def test_a_second_stack_of_the_same_clone_is_refused(stubborn: Any) -> None:
    first = stubborn.start()
    stubborn.wait_ready(first, FULL)
    second = stubborn.start()
    assert second.wait(20) == 1
    assert "Another stack of this clone" in second.stderr.read()
    first.terminate()
    assert first.wait(20) == 0
