"""The process that owns a stack: it starts the children, watches them, and ends all of them whatever happens.

Its caller holds the other end of its standard input, the tether. The first line is the plan. When the tether is cut
before the word ``keep`` came, the caller is gone and the stack ends.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from quickstart import processes
from quickstart.components import Component
from quickstart.errors import ComponentDied, QuickstartError
from quickstart.places import Places
from quickstart.stack import FAILED, READY, STOPPED, Stack

START_SECONDS = 180.0
KEEP = "keep"
_TAIL_LINES = 25
_POLL_SECONDS = 0.25
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked the supervisor to end the stack. Not an Exception: no handler on the way may swallow it."""


class Supervisor:
    """Starts and watches the children of one stack.

    :param stack: the state to publish; its id is already in this process's environment.
    :param grace: seconds that a child has to end by itself.
    """

    def __init__(self, places: Places, stack: Stack, *, grace: float = 6.0) -> None:
        self.places = places
        self.stack = stack
        self._grace = grace
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, prepare: Callable[[Supervisor], Sequence[Component]]) -> int:
        """Prepare, start, watch until asked to stop; then leave nothing behind.

        :param prepare: does what must happen before the children start, and says which they are.
        :return: the exit code: 0 when asked to stop, 1 when something failed.
        """
        processes.adopt_orphans()
        outcome, error = STOPPED, ""
        try:
            self._listen()
            components = prepare(self)
            for component in components:
                self.start(component)
            self.wait_ready(components)
            self.publish("running", status=READY)
            self._watch()
        except Stopped:
            pass
        except QuickstartError as failure:
            outcome, error = FAILED, str(failure)
        except Exception as failure:  # a fault of ours must end the stack and be told as well
            outcome, error = FAILED, f"{type(failure).__name__}: {failure}"
            sys.excepthook(type(failure), failure, failure.__traceback__)
        finally:
            for number in _ENDING:
                signal.signal(number, signal.SIG_IGN)
            processes.end_all(self.stack.id, own_descendants=True, grace=self._grace)
            for child in self._children.values():
                child.poll()
        self.stack.error = error
        self.publish("stopped", status=outcome)
        return 0 if outcome == STOPPED else 1

    def publish(self, step: str, status: str | None = None) -> None:
        """Tell the verbs what is going on."""
        if step == self.stack.step and status is None:
            return
        self.stack.step = step
        self.stack.status = status or self.stack.status
        self.stack.write(self.places)

    def start(self, component: Component) -> None:
        """Start one child in a session of its own, writing to its own log."""
        log = self.places.log(component.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._children[component.name] = subprocess.Popen(
                component.command,
                cwd=self.places.root,
                env=dict(component.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.stack.pids[component.name] = self._children[component.name].pid

    def run_to_end(self, jobs: Sequence[Component]) -> None:
        """Run preparations side by side until all have succeeded."""
        for job in jobs:
            self.start(job)
        deadline = time.monotonic() + START_SECONDS
        waiting = [job.name for job in jobs]
        while waiting:
            for name in list(waiting):
                if (code := self._children[name].poll()) is not None:
                    if code != 0:
                        raise self._death(name, code)
                    waiting.remove(name)
                    del self._children[name], self.stack.pids[name]
            self._not_later_than(deadline, waiting)
            time.sleep(0.05)

    def wait_ready(self, components: Sequence[Component]) -> None:
        """Poll until every child does its work."""
        deadline = time.monotonic() + START_SECONDS
        waiting = list(components)
        while waiting:
            self.check()
            waiting = [component for component in waiting if not component.ready()]
            names = [component.name for component in waiting]
            if waiting:
                self.publish("waiting for " + ", ".join(names))
                self._not_later_than(deadline, names)
                time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """:raises ComponentDied: when a child has ended by itself."""
        for name, child in self._children.items():
            if (code := child.poll()) is not None:
                raise self._death(name, code)

    def _watch(self) -> None:
        while True:
            self.check()
            processes.reap(child.pid for child in self._children.values())
            time.sleep(1.0)

    def _death(self, name: str, code: int) -> ComponentDied:
        ending = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        log = self.places.log(name)
        return ComponentDied(f"{name} {ending}. The end of {log}:\n{tail(log)}")

    def _not_later_than(self, deadline: float, waiting: Sequence[str]) -> None:
        if waiting and time.monotonic() > deadline:
            ends = "\n".join(f"--- {self.places.log(name)}\n{tail(self.places.log(name))}" for name in waiting)
            raise QuickstartError(f"Not ready after {START_SECONDS:.0f} s: {', '.join(waiting)}\n{ends}")

    def _listen(self) -> None:
        def stop(_number: int, _frame: FrameType | None) -> None:
            raise Stopped

        for number in _ENDING:
            signal.signal(number, stop)


def hold_tether(tether: TextIO) -> None:
    """Watch the rest of ``tether`` in the background: cut without ``keep``, it ends this process's stack."""

    def watch() -> None:
        for line in tether:
            if line.strip() == KEEP:
                return
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="tether", daemon=True).start()


@contextmanager
def only_one(places: Places) -> Iterator[None]:
    """Hold the clone's lock.

    :raises QuickstartError: when another supervisor holds it.
    """
    places.demo.mkdir(parents=True, exist_ok=True)
    with places.lock_file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise QuickstartError("Another stack of this clone is running or starting: ./run down") from error
        yield


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """The last lines of a log, indented."""
    if not log.exists():
        return "    (no log)"
    text = log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
    return "\n".join(f"    {line}" for line in text)
