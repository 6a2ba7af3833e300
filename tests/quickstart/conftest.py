"""A supervisor of harmless but stubborn children, in a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from quickstart import environment, processes, stack
from quickstart.places import Places

REPOSITORY = Path(__file__).resolve().parents[2]

DRIVER = """
import os, sys
from pathlib import Path
from quickstart import environment, postgres, processes
from quickstart.components import Component, python
from quickstart.places import Places
from quickstart.stack import Stack
from quickstart.supervisor import Supervisor, hold_tether, only_one

STUBBORN = '''
import os, signal, time
from setproctitle import setproctitle
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
setproctitle("something else " + "x" * 2000)
while True:
    time.sleep(1)
'''
DYING = "import sys, time; time.sleep(0.5); sys.exit('the reason is in the log')"

def prepare(own):
    base = environment.clean(own.stack.id)
    wishes = sys.argv[2:]
    if "postgres" in wishes:
        postgres.start(own.places.postgres)
    if "failing-migration" in wishes:
        own.run_to_end([Component("migration", python("-c", DYING), base)])
    if "error" in wishes:
        raise ValueError("a fault of ours")
    children = [Component(name, python("-c", STUBBORN), base) for name in ("one", "two")]
    return children + [Component("mortal", python("-c", DYING), base)] * ("mortal" in wishes)

places = Places(Path(sys.argv[1]))
with only_one(places):
    processes.end_all(processes.clone_prefix(places.root), grace=0.3)
    hold_tether(sys.stdin)
    driven = Stack(os.environ[processes.MARKER], os.getpid(), "", "UTC")
    sys.exit(Supervisor(places, driven, grace=0.3).run(prepare))
"""


@dataclass
class Stubborn:
    """Starts supervisors over one folder and looks for what they leave behind."""

    places: Places

    def start(self, *wishes: str) -> subprocess.Popen[str]:
        """Start a supervisor; the caller holds its tether."""
        marker = processes.new_stack_id(self.places.root)
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(self.places.root), *wishes],
            env=environment.clean(marker) | {"PYTHONPATH": str(REPOSITORY / "include")},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )

    def left(self) -> list[psutil.Process]:
        """The processes that carry this folder's marker."""
        return processes.marked(processes.clone_prefix(self.places.root))

    def wait_ready(self, supervisor: subprocess.Popen[str], number: int) -> None:
        """Wait until the stack is ready and at least so many processes are there."""

        def ready() -> bool:
            state = stack.read(self.places)
            return state is not None and state.supervisor == supervisor.pid and state.status == stack.READY

        eventually(lambda: ready() and len(self.left()) >= number)


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


@pytest.fixture
def stubborn(tmp_path: Path) -> Iterator[Stubborn]:
    """Supervisors over a folder, and an end for whatever a failing test leaves."""
    made = Stubborn(Places(tmp_path))
    yield made
    for process in made.left():
        os.kill(process.pid, signal.SIGKILL)
