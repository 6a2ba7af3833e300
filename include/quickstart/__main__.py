"""``python -m quickstart VERB``: read the command line, run the verb, say what failed. Called by ``./run``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from quickstart.errors import QuickstartError
from quickstart.places import Places, this_clone

Verb = Callable[[Places, argparse.Namespace], int]

_BIRTHS, _DEATHS, _SEED = 1000, 300, 7


ONBOARDING = {
    "preflight": "look at the prerequisites of the running stack's MOSIP",
    "provision": "make what it lacks, or plan it (--plan)",
    "rotate-secret": "change a client's secret in two phases",
}
"""Verbs of the onboarding's command line, which the running stack's addresses and logins are given to."""


def parser() -> argparse.ArgumentParser:
    """The command line of all verbs that need the stack."""
    top = argparse.ArgumentParser(prog="./run", allow_abbrev=False)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    demo = _verb(verbs, "demo", "the main job from start to finish on real parts; stops what it started")
    _add_registrations(demo)
    demo.add_argument(
        "--days",
        type=_positive,
        default=1,
        metavar="D",
        help="days of registrations, the last of them yesterday (default 1)",
    )
    demo.add_argument(
        "--again", action="store_true", help="the same registry and days once more, on the state of the demo before"
    )
    _add_mosip(demo)
    demo.add_argument(
        "--settle-seconds",
        type=_positive,
        default=150,
        metavar="S",
        help="how long to wait for MOSIP's answers (default 150)",
    )
    demo.add_argument("--keep", action="store_true", help="leave the stack running at the end")

    up = _verb(verbs, "up", "start the stack with yesterday's registrations, not synced yet, and leave it running")
    _add_registrations(up)
    up.add_argument("--empty", action="store_true", help="only the registry's schema, no registrations")
    up.add_argument(
        "--stock", action="store_true", help="leave the sandbox as stock MOSIP comes: ./run provision prepares it"
    )
    up.add_argument(
        "--holiday", action="append", default=[], metavar="YYYY-MM-DD", help="of the sandbox's country; repeatable"
    )
    up.add_argument("--again", action="store_true", help="go on with the state of the stack before")
    _add_mosip(up)

    for name, purpose in ONBOARDING.items():
        _verb(verbs, name, f"{purpose}; options as of python -m mosip_crvs.onboarding {name}")

    _verb(verbs, "down", "stop the running stack and whatever a killed one left behind")
    _verb(verbs, "env", "print the running stack's addresses, to be sourced: source <(./run env)")

    sync = _verb(verbs, "sync", "run the birth and death DAGs for a day through the scheduler, and wait")
    _add_day(sync)
    sync.add_argument(
        "--timeout",
        type=_positive,
        default=3600,
        metavar="S",
        help="give up waiting after so many seconds (default 3600)",
    )

    settle = _verb(verbs, "settle", "run the reconciliation, and wait")
    settle.add_argument(
        "--until-settled",
        type=_positive,
        metavar="SECONDS",
        help="until all is settled and told to the registry; exit code 3 when SECONDS pass before",
    )

    balance = _verb(verbs, "balance", "print a day's balance; exit code 1 when it does not balance")
    _add_day(balance)
    form = balance.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON, the same as in .demo/balance.json")
    form.add_argument("--csv", action="store_true", help="for spreadsheets")
    form.add_argument("--html", action="store_true", help="as a page")
    balance.add_argument("--signed", metavar="FILE", help="also write it to a file, signed by the installation")

    verify = _verb(verbs, "verify", "check that what was signed, and the evidence, is still what it was")
    verify.add_argument(
        "file", nargs="?", metavar="FILE", help="of ./run balance DAY --signed FILE; default: all that the ledger keeps"
    )
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    run = _verb_for(given)
    # Imported late: --help must not wait for the database drivers.
    attach = import_module("quickstart.attach")
    attach.listen_for_the_end()
    try:
        return run(this_clone())
    except QuickstartError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except attach.Interrupted as ending:
        print("\nInterrupted.", file=sys.stderr)
        return int(ending.exit_code)


def _verb_for(given: Sequence[str]) -> Callable[[Places], int]:
    """What a command line asks for. A verb of the onboarding's own command line is handed on, options and all."""
    if given and given[0] in ONBOARDING:
        return lambda places: int(import_module("quickstart.verbs").onboarding(places, given))
    options = parser().parse_args(given)
    module = import_module("quickstart.demo" if options.verb == "demo" else "quickstart.verbs")
    verb: Verb = getattr(module, options.verb)
    return lambda places: verb(places, options)


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, purpose: str
) -> argparse.ArgumentParser:
    return verbs.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".", allow_abbrev=False)


def _add_registrations(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--births", type=_count, default=_BIRTHS, metavar="N", help=f"births in all (default {_BIRTHS})")
    verb.add_argument("--deaths", type=_count, default=_DEATHS, metavar="M", help=f"deaths in all (default {_DEATHS})")
    verb.add_argument("--seed", type=int, default=_SEED, metavar="S", help=f"the generator's seed (default {_SEED})")


def _add_mosip(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--mosip",
        metavar="URL",
        help="a MOSIP in place of the sandbox; MOSIP_CLIENT_ID, MOSIP_CLIENT_SECRET, MOSIP_CENTER_ID and "
        "MOSIP_MACHINE_ID (and MOSIP_OFFICER_ID, default crvs) from the environment; CRVS_RECEIVER_URL when its hub "
        "reaches the receiver under another address than 127.0.0.1",
    )


def _add_day(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("day", metavar="DAY", help="2026-11-23, or yesterday, or today, in the registry's time zone")


def _count(text: str) -> int:
    if (number := int(text)) < 0:
        raise argparse.ArgumentTypeError("may not be negative")
    return number


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
