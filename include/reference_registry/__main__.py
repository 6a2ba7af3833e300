"""``python -m reference_registry --url postgresql://… --births 1000``: fill a registry to try things on."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date

from reference_registry.loading import load


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m reference_registry",
        description="Create the reference registry and load births and deaths into it. Safe to repeat.",
    )
    parser.add_argument("--url", required=True, help="postgresql://user@host/database")
    parser.add_argument("--births", type=int, default=1000, metavar="N", help="births in all (default %(default)s)")
    parser.add_argument("--deaths", type=int, default=100, metavar="N", help="deaths in all (default %(default)s)")
    parser.add_argument("--days", type=int, default=1, metavar="N", help="spread over N days (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other people (default %(default)s)")
    parser.add_argument("--end-day", type=date.fromisoformat, metavar="DATE", help="last day, ISO (default: yesterday)")
    parser.add_argument("--time-zone", default="UTC", help="of the registry's offices (default %(default)s)")
    parser.add_argument("--hostile", type=int, default=0, metavar="N", help="N further births, each with one fault")
    parser.add_argument("--clean-only", action="store_true", help="only births and deaths that are eligible and sound")
    return parser.parse_args(argv)


def _table(added: Counter[str]) -> str:
    rows = [*sorted(added.items()), ("added in all", added.total())]
    width = max(len(kind) for kind, _ in rows)
    return "\n".join(f"{kind:<{width}}  {number:>9,}" for kind, number in rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Load, with progress on standard error and the summary on standard output."""
    arguments = vars(_arguments(argv))
    print(_table(load(arguments.pop("url"), **arguments, report=lambda line: print(line, file=sys.stderr))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
