"""Processes that may die: forked from one that has read everything in already, so that a death costs little."""

from __future__ import annotations

import logging
import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faults.steps import AFTER, BEFORE, Fate, Places, Point, Watch, find_steps

PATIENCE_SECONDS = 90.0
"""After which a process that does not end is killed, and counted as stuck."""
MOMENTS = (BEFORE, AFTER)

RARE = 0.5
"""Points that fewer of a job's processes than this come to, on average, are struck whenever one does."""


@dataclass(slots=True)
class Child:
    """A process under way."""

    name: str
    started: float


class Nursery:
    """Forks processes, arms them, and reads what they told of themselves.

    :param diary: the file that every process writes its steps to, line by line.
    :ivar passed: by point, the names of the jobs that came to it.
    :ivar killed: how often a process died at a point.
    """

    def __init__(self, plugin: Path, diary: Path, chance: random.Random) -> None:
        self.places: Places = find_steps(plugin)
        self.points: list[Point] = [(name, moment) for name in self._names() for moment in MOMENTS]
        self.passed: defaultdict[Point, set[str]] = defaultdict(set)
        self.killed: Counter[Point] = Counter()
        self.ends: Counter[str] = Counter()
        self.children: dict[int, Child] = {}
        self._diary = os.open(diary, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600)
        self._read_to = 0
        self._passings: Counter[tuple[str, Point]] = Counter()
        self._started: Counter[str] = Counter()
        self._chance = chance

    def start(self, name: str, work: Callable[[], int], fate: Fate | None) -> int:
        """Start a process.

        :param work: what it does; its exit code is what this gives.
        """
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            logging.disable(logging.CRITICAL)
            code = 1
            try:
                Watch(self.places, lambda line: self._write(f"{name}\t{line}"), fate).install()
                code = work()
            finally:
                os._exit(code)
        self.children[pid] = Child(name, time.monotonic())
        self._started[name] += 1
        return pid

    def reap(self) -> dict[int, tuple[str, int]]:
        """Give the processes that have ended since: name and exit code, negative for a signal."""
        ended: dict[int, tuple[str, int]] = {}
        for pid, child in list(self.children.items()):
            gone, status = os.waitpid(pid, os.WNOHANG)
            if gone == 0:
                if child.name != "receiver" and time.monotonic() - child.started > PATIENCE_SECONDS:
                    self.ends["stuck"] += 1
                    os.killpg(pid, signal.SIGKILL)
                continue
            ended[pid] = (child.name, os.waitstatus_to_exitcode(status))
            del self.children[pid]
        self.read_diary()
        return ended

    def stop(self) -> None:
        """Kill all that is left."""
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.children.clear()
        self.read_diary()

    def fate_for(self, name: str, target: int) -> Fate | None:
        """Choose where a process dies: at the point of its job that was struck least; None when all had their share."""
        known = [point for point, jobs in self.passed.items() if name in jobs and self.killed[point] < target]
        rare = frozenset(point for point in known if self._passings[(name, point)] < RARE * self._started[name])
        usual = [point for point in known if point not in rare]
        if not known:
            return None
        least = min((self.killed[point] for point in usual), default=0)
        chosen = [point for point in usual if self.killed[point] == least]
        return Fate(self._chance.choice(chosen) if chosen else None, self._chance.choice((1, 1, 1, 2, 3)), rare)

    def job_in_need(self, target: int) -> str | None:
        """Give a job that comes to a point which was struck too rarely."""
        jobs = [sorted(self.passed.get(point, set()) - {"receiver"}) for point in self.lacking(target)]
        known = [each for each in jobs if each]
        return self._chance.choice(self._chance.choice(known)) if known else None

    def lacking(self, target: int) -> list[Point]:
        """Give the points at which too few processes have died."""
        return [point for point in self.points if self.killed[point] < target]

    def read_diary(self) -> None:
        """Take in what was told since the last look."""
        text = os.pread(self._diary, 64 * 1024 * 1024, self._read_to)
        whole = text.rpartition(b"\n")[0]
        self._read_to += len(whole) + 1 if whole else 0
        for line in whole.decode().splitlines():
            name, what, step, moment = line.split("\t")
            self.passed[(step, moment)].add(name)
            self._passings[(name, (step, moment))] += 1
            if what == "killed":
                self.killed[(step, moment)] += 1

    def _names(self) -> list[str]:
        return sorted({str(step) for step in self.places.values()})

    def _write(self, line: str) -> None:
        os.write(self._diary, line.encode())
