"""``python -m bench.child {…}``: one piece of work in a process of its own; its result is the last line it prints."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

from bench.work import Result, Work


def _prepare(work: Work) -> Result:
    from mosip_crvs.ledger.connection import connect_to_ledger
    from mosip_crvs.ledger.migrate import migrate
    from reference_registry.loading import load

    engine = connect_to_ledger(work.ledger)
    migrate(engine)
    engine.dispose()
    added = load(work.registry, births=work.events, end_day=date.fromisoformat(work.day), clean_only=True)
    return Result(added.total())


def _floor(work: Work) -> Result:
    from bench.floor import measure

    return measure(work)


def _sync(work: Work) -> Result:
    from bench.sync import measure

    return measure(work)


def _loop(work: Work) -> Result:
    from bench.loop import measure

    return measure(work)


KINDS: dict[str, Callable[[Work], Result]] = {
    "prepare": _prepare,
    "floor": _floor,
    "sync": _sync,
    "loop": _loop,
}


def peak_rss() -> int:
    """The most memory that this process ever held, in bytes.

    The kernel's own mark of this process is preferred: ``getrusage`` starts from what the parent held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    """Do the work named by the only argument."""
    work = Work(**json.loads(sys.argv[1]))
    result = KINDS[work.kind](work)
    print(json.dumps(asdict(replace(result, peak_rss=peak_rss()))))


if __name__ == "__main__":
    main()
