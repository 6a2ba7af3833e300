"""The stub as the benchmark sees it: started, reset, asked what arrived, and judged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from http.client import HTTPConnection
from types import TracebackType


class EventsWrong(Exception):
    """An event was lost, or sent twice: the figures of such a run are worth nothing."""


class FarSide:
    """The stub in a process of its own, for the length of a ``with``.

    :param environment: with the ``PYTHONPATH`` that finds this package.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.stub"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if not said.isdigit():
            self._process.kill()
            raise RuntimeError("the stub did not start")
        self.port = int(said)

    @property
    def url(self) -> str:
        """Where it answers MOSIP's paths."""
        return f"http://127.0.0.1:{self.port}"

    def counts(self) -> dict[str, int]:
        """Give what arrived since the last reset, as :meth:`bench.stub.Record.counts` does."""
        return self._ask("GET", "/counts")

    def reset(self) -> None:
        """Forget what arrived."""
        self._ask("POST", "/reset")

    def _ask(self, method: str, path: str) -> dict[str, int]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers={"Content-Length": "0"})
            return dict(json.loads(connection.getresponse().read()))
        finally:
            connection.close()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> FarSide:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


def check(counts: Mapping[str, int], events: int, what: str) -> None:
    """Make sure that every event arrived exactly once, its packet before its trigger.

    :param counts: the stub's; :param what: names the measurement.
    :raises EventsWrong: saying how many were lost or sent twice.
    """
    problems = []
    for calls, distinct, name in (("creates", "created", "packet"), ("triggers", "triggered", "trigger")):
        if counts[calls] > counts[distinct]:
            problems.append(f"{counts[calls] - counts[distinct]} {name}(s) were sent twice")
        if counts[distinct] < events:
            problems.append(f"{events - counts[distinct]} {name}(s) of {events} were lost")
        if counts[distinct] > events:
            problems.append(f"{counts[distinct] - events} {name}(s) more than the {events} events were sent")
    if counts["without_packet"]:
        problems.append(f"{counts['without_packet']} trigger(s) came before their packet")
    if problems:
        raise EventsWrong(f"{what}: {'; '.join(problems)}")
