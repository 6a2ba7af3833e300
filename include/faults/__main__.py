"""``python -m faults``: a campaign, and the table of what came of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from faults.campaign import Plan, run
from faults.report import as_dict, as_table

_ABOUT = """\
Drives births, deaths and repeats through every fault of the stand-in for MOSIP while processes are killed before and
after the commit of every step of the ledger and PostgreSQL is stopped at once, then compares three books: the
registry's, the ledger's, and the far side's. Exit code 0 when nothing was lost, doubled or left unexplained."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a campaign."""
    parser = argparse.ArgumentParser(
        prog="./run faults", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=_positive, default=20_000, metavar="N", help="births and deaths (20000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of faults, deaths and registrations (1)")
    parser.add_argument(
        "--at-least", type=int, default=20, metavar="N", help="how often each fault and each death is to occur (20)"
    )
    parser.add_argument(
        "--longest",
        type=float,
        default=3600.0,
        metavar="SECONDS",
        help="when the faults end in any case (3600); then five minutes or more to come to rest"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to keep the outcome")
    parser.add_argument("--log", type=Path, metavar="FILE", help="where to keep what processes said of their failures")
    options = parser.parse_args(argv)
    plan = Plan(options.events, options.seed, target=options.at_least, longest=options.longest)
    try:
        outcome = run(plan, lambda line: print(line, file=sys.stderr, flush=True))
    except KeyboardInterrupt:
        print("Interrupted; everything was stopped.", file=sys.stderr)
        return 130
    print(as_table(outcome))
    if options.json:
        options.json.write_text(json.dumps(as_dict(outcome), indent=1) + "\n", encoding="utf-8")
    if options.log:
        options.log.write_text(outcome.mistakes, encoding="utf-8")
    return 0 if outcome.is_good else 1


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
