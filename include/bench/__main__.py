"""``python -m bench``: measure, print a table, keep the figures as JSON."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import campaign
from bench.campaign import QUICK, Sizes
from bench.far_side import EventsWrong
from bench.report import as_table
from bench.work import INCLUDE

_ABOUT = """\
Events a second of the submission pipeline with all its guarantees, beside the bare wire and a loop written by hand, and
the memory of a submitting process. A minimal stub stands in for MOSIP; PostgreSQL is real, with fsync on. Client, stub
and PostgreSQL share this machine, so compare the ratios, not the rates. Takes about three minutes."""


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    usual = Sizes()
    parser = argparse.ArgumentParser(
        prog="./run bench", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=_positive, metavar="N", help=f"of floor and sync (default {usual.events})")
    parser.add_argument("--loop-events", type=_positive, metavar="N", help=f"of the loop (default {usual.loop_events})")
    parser.add_argument(
        "--memory-events",
        type=int,
        metavar="N",
        help=f"of the larger memory run, a tenth for the smaller; 0 for none (default {usual.memory_events})",
    )
    parser.add_argument("--rounds", type=_positive, metavar="N", help=f"of each, in turns (default {usual.rounds})")
    parser.add_argument("--quick", action="store_true", help="a few seconds in all: shows that it works, no more")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="where to keep the figures (default .demo/bench.json)"
    )
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _sizes(options: argparse.Namespace) -> Sizes:
    given = {name: getattr(options, name) for name in ("events", "loop_events", "memory_events", "rounds")}
    return replace(
        QUICK if options.quick else Sizes(), **{name: value for name, value in given.items() if value is not None}
    )


def _machine(said: dict[str, Any]) -> str:
    about = said["machine"]
    server = about["postgresql"]
    return (
        f"{about['cores']} cores ({about['processor']}), {about['memory_gib']} GiB, {about['system']}; "
        f"Python {about['python']}; PostgreSQL {server['server_version']}, fsync {server['fsync']}, "
        f"synchronous_commit {server['synchronous_commit']}, {server['fsync_ms']} ms an fsync"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Progress on standard error, the table on standard output.

    :return: 1 when an event was lost or sent twice, or a part failed.
    """
    options = _arguments(argv)
    file: Path = options.json or INCLUDE.parent / ".demo" / "bench.json"
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", file=sys.stderr, flush=True)

    try:
        said = campaign.run(_sizes(options), say)
    except EventsWrong as problem:
        print(f"The benchmark failed, its figures are worth nothing: {problem}.", file=sys.stderr)
        return 1
    except RuntimeError as problem:
        print(f"The benchmark could not be finished: {problem}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    print(f"\n{as_table(said)}\n\n{_machine(said)}\nFigures: {file}")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    sys.exit(main())
