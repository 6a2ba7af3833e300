"""A server that ends when whoever started it ends, however they do.

As a script, ``supervisor.py SCRATCH COMMAND...`` runs a server as long as somebody holds its standard input open. The
tests hold the other end of that pipe, which the system closes even when they are killed. The start script of a server
runs Java as its child, so the whole process group is killed: there is nothing in it worth an orderly end.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import IO

LOOK_SECONDS = 0.2
END_SECONDS = 60


class DidNotStart(Exception):
    """A server ended, or took too long, before it was ready; the text has the end of what it said."""


class Supervised:
    """A server under supervision."""

    def __init__(self, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self._process = process
        self._log = log

    def said(self) -> str:
        """All that the server has said so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Ask again and again whether the server is ready.

        :raises DidNotStart: if it ends, or is not ready in time.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if (code := self._process.poll()) is not None:
                raise DidNotStart(f"The server ended with {code}:\n{self.said()[-4000:]}")
            if time.monotonic() > deadline:
                raise DidNotStart(f"The server was not ready after {seconds:g} s:\n{self.said()[-4000:]}")
            time.sleep(LOOK_SECONDS)


@contextmanager
def supervised(scratch: Path, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Supervised]:
    """Run a server until the block or this process ends.

    :param scratch: the server's folder; it goes when the server does.
    """
    # Read and written through descriptors of their own, which share no position.
    with TemporaryFile() as written, open(f"/dev/fd/{written.fileno()}", "rb") as log:
        process = subprocess.Popen(
            [sys.executable, __file__, str(scratch), *command],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the tests; the server ends after them
        )
        try:
            yield Supervised(process, log)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(END_SECONDS)


def supervise(scratch: str, command: Sequence[str]) -> int:
    """Run the server; give its exit code, or 0 if it was ended on purpose."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    server = None
    try:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        while server.poll() is None:
            if select.select([sys.stdin], [], [], LOOK_SECONDS)[0]:
                return 0
        return server.returncode
    finally:
        if server:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        shutil.rmtree(scratch, ignore_errors=True)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(supervise(sys.argv[1], sys.argv[2:]))
