"""How the verbs start a stack and stop it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

import psutil

from quickstart import environment, processes, stack
from quickstart.console import Console
from quickstart.errors import QuickstartError
from quickstart.places import Places
from quickstart.plan import Plan
from quickstart.stack import FAILED, READY, Stack
from quickstart.supervisor import KEEP, tail

_STOP_SECONDS = 60.0


class Interrupted(BaseException):
    """The person or the system asked this verb to end."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.exit_code = 128 + number


@dataclass
class Tether:
    """A started stack, and the line that ends it when this process does.

    :param supervisor: the supervisor; its standard input is the tether.
    """

    places: Places
    stack: Stack
    supervisor: subprocess.Popen[str]

    def release(self) -> None:
        """Let the stack outlive this process."""
        assert self.supervisor.stdin is not None
        self.supervisor.stdin.write(f"{KEEP}\n")
        self.supervisor.stdin.close()

    def check(self) -> None:
        """:raises QuickstartError: when the stack is not running any more."""
        if self.supervisor.poll() is not None:
            raise _failure(self.places)


def listen_for_the_end() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into :class:`Interrupted`, so that every ``finally`` is run."""

    def end(number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, end)


@contextlib.contextmanager
def started(places: Places, plan: Plan, console: Console) -> Iterator[Tether]:
    """A stack, from start to ready; at the end it is stopped, unless it was released.

    :raises QuickstartError: when a stack is running already, or this one does not come up.
    """
    present = stack.read(places)
    if present is not None and present.alive:
        raise QuickstartError("A stack is running here already. Stop it with: ./run down")
    stack_id = processes.new_stack_id(places.root)
    places.demo.mkdir(parents=True, exist_ok=True)
    with places.supervisor_log.open("w", encoding="utf-8") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "quickstart.launch"],
            cwd=places.root,
            env=environment.clean(stack_id) | environment.include_path(places),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
    tether = supervisor.stdin
    assert tether is not None
    try:
        with contextlib.suppress(BrokenPipeError):  # it died at once: the wait below says why
            tether.write(plan.to_json() + "\n")
            tether.flush()
        yield Tether(places, _wait_ready(places, supervisor, stack_id, console), supervisor)
    finally:
        if not tether.closed:
            stop(places, supervisor)


def stop(places: Places, supervisor: subprocess.Popen[str] | None = None, *, grace: float = 6.0) -> int:
    """End the running stack, or what is left of one.

    :param grace: seconds that leftovers have to end by themselves.
    :return: how many processes had to be ended after the supervisor was gone.
    """
    present = stack.read(places)
    if supervisor is not None:
        supervisor.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            supervisor.wait(_STOP_SECONDS)
    elif present is not None and present.alive:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(present.supervisor)
            process.terminate()
            process.wait(_STOP_SECONDS)
    return processes.end_all(processes.clone_prefix(places.root), grace=grace)


def _wait_ready(places: Places, supervisor: subprocess.Popen[str], stack_id: str, console: Console) -> Stack:
    step = ""
    while True:
        state = stack.read(places)
        if state is not None and state.id == stack_id:
            if state.status == READY:
                return state
            if state.status == FAILED:
                break
            if state.step != step:
                step = state.step
                console.note(step)
        if supervisor.poll() is not None:
            break
        time.sleep(0.1)
    supervisor.wait()
    raise _failure(places)


def _failure(places: Places) -> QuickstartError:
    """Why the stack is not there: from its state, or from the supervisor's own output."""
    state = stack.read(places)
    if state is not None and state.error:
        return QuickstartError(state.error)
    log = places.supervisor_log
    return QuickstartError(f"The supervisor ended. The end of {log}:\n{tail(log)}")
