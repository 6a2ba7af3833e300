"""``python -m mosip_crvs.receiver``: the receiver as a service of its own."""

from __future__ import annotations

import argparse
import os

import uvicorn
from starlette.applications import Starlette

from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.receiver.app import create_app
from mosip_crvs.receiver.store import Store


def build(ledger_url: str, seal_key: str, *, sticky: bool = True) -> Starlette:
    """Make the application over a ledger; a wrong seal key is told at once, not at the first notification."""
    store = Store(connect_to_ledger(ledger_url, pool_size=4), Seal(seal_key))
    return create_app(lambda: store, sticky=sticky)


def main(arguments: list[str] | None = None) -> None:
    """Parse and serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m mosip_crvs.receiver", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8085)
    parser.add_argument("--ledger-url", default=os.environ.get("CRVS_LEDGER_URL"), help="default: $CRVS_LEDGER_URL")
    parser.add_argument(
        "--refuse-loudly",
        action="store_true",
        help="answer 401 to posts that are not believed; MOSIP's hub then drops the subscription",
    )
    options = parser.parse_args(arguments)
    seal_key = os.environ.get("CRVS_SEAL_KEY")
    if not options.ledger_url or not seal_key:
        parser.error("set CRVS_LEDGER_URL and CRVS_SEAL_KEY (the same key as in the crvs_ledger connection)")
    uvicorn.run(
        build(options.ledger_url, seal_key, sticky=not options.refuse_loudly),
        host=options.host,
        port=options.port,
        access_log=False,
        log_level="info",
        timeout_keep_alive=75,
    )


if __name__ == "__main__":
    main()
