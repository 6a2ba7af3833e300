"""The order of a run: set up, measure in turns, check what arrived after each, clear up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench import machine
from bench.database import Postgres
from bench.far_side import FarSide, check
from bench.report import Memory, Round, figures
from bench.work import INCLUDE, Result, Work

MOST_SECONDS = 1800
Say = Callable[[str], None]


@dataclass(frozen=True)
class Sizes:
    """How much to measure.

    :param events: of floor and sync, each round.
    :param loop_events: of the loop, which is slow: the first ones of the same.
    :param memory_events: of the larger process; the smaller one sends a tenth. 0 leaves memory out.
    :param rounds: how often floor, sync and loop are measured, in turns.
    """

    events: int = 20_000
    loop_events: int = 2_000
    memory_events: int = 100_000
    rounds: int = 3


QUICK = Sizes(events=1_500, loop_events=200, memory_events=1_500, rounds=1)
"""Shows in seconds that everything works; its figures say little."""


class Campaign:
    """One run on one machine."""

    def __init__(self, sizes: Sizes, postgres: Postgres, far_side: FarSide, say: Say) -> None:
        self._sizes = replace(sizes, loop_events=min(sizes.loop_events, sizes.events))
        self._postgres = postgres
        self._far_side = far_side
        self._say = say
        yesterday = datetime.now(UTC).date() - timedelta(days=1)
        self._work = Work("", registry=postgres.registry_url, far_side=far_side.url, day=yesterday.isoformat())
        larger = sizes.memory_events > sizes.events
        self._memory_day = (yesterday - timedelta(days=1)).isoformat() if larger else self._work.day

    def run(self) -> dict[str, Any]:
        """Measure all there is to measure.

        :raises EventsWrong: when an event did not arrive exactly once.
        """
        self._prepare()
        rounds = [self._round(number) for number in range(1, self._sizes.rounds + 1)]
        memory = self._memory() if self._sizes.memory_events else None
        return figures(rounds, memory)

    def _prepare(self) -> None:
        births = {self._work.day: self._sizes.events}
        if self._memory_day != self._work.day:
            births[self._memory_day] = self._sizes.memory_events
        self._say(f"loading {sum(births.values()):,} births into the registry")
        for day, events in births.items():
            work_in_a_process(
                replace(self._work, kind="prepare", day=day, events=events, ledger=self._postgres.template_url)
            )

    def _round(self, number: int) -> Round:
        name = f"round {number} of {self._sizes.rounds}"
        events = self._sizes.events
        return Round(
            self._measure(replace(self._work, kind="floor", events=events), f"{name}, floor"),
            self._sync(replace(self._work, kind="sync", events=events), f"{name}, sync"),
            self._measure(replace(self._work, kind="loop", events=self._sizes.loop_events), f"{name}, loop"),
        )

    def _memory(self) -> Memory:
        large = self._sizes.memory_events
        # One task each, however many events: the range is as large as what is sent.
        works = [
            replace(self._work, kind="sync", day=self._memory_day, events=events, range_size=events)
            for events in (max(large // 10, 1), large)
        ]
        return Memory(*(self._sync(work, f"memory, {work.events:,} events") for work in works))

    def _sync(self, work: Work, name: str) -> Result:
        ledger = self._postgres.new_ledger()
        result = self._measure(replace(work, ledger=ledger), name)
        self._postgres.drop(ledger)
        return result

    def _measure(self, work: Work, name: str) -> Result:
        self._far_side.reset()
        result = work_in_a_process(work)
        counts = self._far_side.counts()
        check(counts, work.events, name)
        size = counts["body_bytes"] / counts["creates"]
        self._say(
            f"{name}: {result.events:,} events in {result.seconds:.1f} s, {result.rate:,.0f}/s "
            f"({result.cpu_microseconds:.0f} µs of CPU an event, packets of {size / 1000:.1f} kB, "
            f"peak {result.peak_rss / 2**20:.0f} MiB)"
        )
        return result


def run(sizes: Sizes, say: Say) -> dict[str, Any]:
    """Start what a run needs, measure, and stop it again.

    :return: the figures, with the machine and the sizes they were taken with.
    """
    about = machine.describe()
    began = time.monotonic()
    with ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="crvs-bench-"))
        say("starting PostgreSQL and the stub")
        postgres = opened.enter_context(Postgres(Path(folder)))
        far_side = opened.enter_context(FarSide(environment()))
        server = postgres.describe()
        measured = Campaign(sizes, postgres, far_side, say).run()
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "took_seconds": round(time.monotonic() - began, 1),
        "machine": {**about, "postgresql": server},
        "sizes": asdict(sizes),
        **measured,
    }


def work_in_a_process(work: Work) -> Result:
    """Do one piece of work in a process of its own.

    :raises RuntimeError: when it fails; what it said stands on standard error already.
    """
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "bench.child", json.dumps(asdict(work))],
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
    )
    try:
        printed, _ = child.communicate(timeout=MOST_SECONDS)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if child.returncode:
        raise RuntimeError(f"the process that measures {work.kind!r} ended with {child.returncode}")
    return Result(**json.loads(printed.splitlines()[-1]))


def environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the environment of the children: this clone's folders on their path, and no proxy between the two ends."""
    folders = (str(INCLUDE), base.get("PYTHONPATH", ""), str(INCLUDE.parent / "plugins"))
    path = os.pathsep.join(filter(None, folders))
    return {**base, "PYTHONPATH": path, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
