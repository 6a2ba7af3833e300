"""``python -m mosip_crvs.ledger migrate``: bring the ledger to the version of this code."""

from __future__ import annotations

import argparse
import os
import sys

from mosip_crvs.errors import MosipCrvsError
from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.migrate import migrate


def main(arguments: list[str] | None = None) -> int:
    """Parse, migrate, say so."""
    parser = argparse.ArgumentParser(prog="python -m mosip_crvs.ledger", description=__doc__)
    parser.add_argument("action", choices=["migrate"])
    parser.add_argument("--url", default=os.environ.get("CRVS_LEDGER_URL"), help="default: $CRVS_LEDGER_URL")
    options = parser.parse_args(arguments)
    if not options.url:
        parser.error("give --url or set CRVS_LEDGER_URL")
    try:
        migrate(connect_to_ledger(options.url))
    except MosipCrvsError as problem:
        print(f"The ledger was not migrated: {problem}", file=sys.stderr)
        return 1
    print("The ledger is at the version of this code.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
