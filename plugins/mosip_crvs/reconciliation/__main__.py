"""``python -m mosip_crvs.reconciliation``: show a day's balance, list what a number counts, sign and verify."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

from mosip_crvs.errors import FixTheData, MosipCrvsError, StopTheRun
from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.installation import rotate_key, signing_key
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.reconciliation.balance import day_balance
from mosip_crvs.reconciliation.drilldown import (
    ALL,
    EARLIER,
    KINDS,
    LAST,
    LISTED,
    Entry,
    Spot,
    all_applications_at,
    readings_at,
)
from mosip_crvs.reconciliation.report import as_table
from mosip_crvs.reconciliation.report_csv import as_csv
from mosip_crvs.reconciliation.report_html import as_html
from mosip_crvs.reconciliation.signed import Signed
from mosip_crvs.reconciliation.signing import evidence_horizon, keep_signed_balance
from mosip_crvs.reconciliation.standing import AGES
from mosip_crvs.reconciliation.terms import DayBalance
from mosip_crvs.reconciliation.verifying import check_balances, check_evidence, check_file

FORMATS: dict[str, Callable[[DayBalance], str]] = {
    "table": as_table,
    "json": DayBalance.as_json,
    "csv": as_csv,
    "html": as_html,
}


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = argparse.ArgumentParser(prog="python -m mosip_crvs.reconciliation", description=__doc__)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", default=os.environ.get("CRVS_LEDGER_URL"), help="default: $CRVS_LEDGER_URL")
    verbs = made.add_subparsers(dest="verb", required=True)

    show = verbs.add_parser("show", parents=[common], help="print a day's balance as it stands")
    show.add_argument("--day", type=date.fromisoformat, required=True)
    show.add_argument("--format", choices=list(FORMATS), default="table")

    behind = verbs.add_parser("list", parents=[common], help="list what a number of the balance counts: AIDs and codes")
    behind.add_argument("--day", type=date.fromisoformat, required=True)
    behind.add_argument("--kind", choices=[str(kind) for kind in KINDS], required=True)
    behind.add_argument("--term", choices=LISTED, required=True)
    behind.add_argument("--syncs", choices=[ALL, LAST, EARLIER], default=ALL, help="of which syncs of the day")
    behind.add_argument("--center", help="five digits")
    behind.add_argument("--reason", help="such as NOT_ASKED_YET, or the code of what is held")
    behind.add_argument("--age", choices=list(AGES))
    behind.add_argument("--limit", type=int, help="default: all")

    sign = verbs.add_parser("sign", parents=[common], help="take a day's balance, sign it, keep it, write it to a file")
    sign.add_argument("--day", type=date.fromisoformat, required=True)
    sign.add_argument("--to", type=Path, required=True)

    verify = verbs.add_parser(
        "verify", parents=[common], help="check signed balances and the evidence; without options, all of both"
    )
    verify.add_argument("--file", type=Path, help="a signed balance; without a ledger only its signature is checked")
    verify.add_argument("--day", type=date.fromisoformat, help="the balance that the ledger keeps of a day")
    verify.add_argument("--evidence", action="store_true", help="every chain of evidence")

    verbs.add_parser("rotate-key", parents=[common], help="make a new key to sign by; the old ones stay good")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; 0 when it is done or all is right, 1 when it is not."""
    options = parser().parse_args(arguments)
    verbs = {"show": _show, "list": _list, "sign": _sign, "verify": _verify, "rotate-key": _rotate}
    try:
        return verbs[options.verb](options)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # somebody read enough
        return 0
    except MosipCrvsError as problem:
        print(f"Stopped: {problem}", file=sys.stderr)
        return 1


def _show(options: argparse.Namespace) -> int:
    print(FORMATS[options.format](day_balance(_ledger(options), options.day)))
    return 0


def _list(options: argparse.Namespace) -> int:
    spot = Spot(options.day, options.kind, options.term, options.syncs, options.center, options.reason, options.age)
    ledger = _ledger(options)
    for share in readings_at(ledger, spot):
        print(f"{share.count:>12,}  {share.what} {share.field}".rstrip())
    for entry in islice(all_applications_at(ledger, spot), options.limit):
        print(_line(entry))
    return 0


def _line(entry: Entry) -> str:
    """Write an application in columns that other programs can take apart: nothing is empty, nothing has a space."""
    cells = (entry.aid, entry.kind, entry.state, entry.reason, entry.code, entry.since.isoformat(), entry.superseded_by)
    return "\t".join(cell or "-" for cell in cells)


def _sign(options: argparse.Namespace) -> int:
    ledger, seal = _ledger(options), _seal()
    if seal is None:
        raise StopTheRun("set CRVS_SEAL_KEY: the installation's private key is sealed by it")
    _, signed = keep_signed_balance(ledger, signing_key(ledger, seal), options.day, evidence_horizon(ledger))
    options.to.write_text(signed.as_file(), encoding="utf-8")
    print(f"The balance of {options.day} is signed by key {signed.key_id}: {options.to}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    everything = not (options.file or options.day or options.evidence)
    seal, right = _seal(), True
    if seal is None:
        print("CRVS_SEAL_KEY is not set: whether the keys are this installation's own is not checked", file=sys.stderr)
    if options.file:
        checked = check_file(_ledger(options) if options.url else None, seal, _read(options.file))
        print(checked.sentence)
        right = not checked.problems
    if options.day or everything:
        found = 0
        for checked in check_balances(_ledger(options), seal, options.day):
            print(checked.sentence)
            found += 1
            right = right and not checked.problems
        if not found:
            print("the ledger keeps no balance" + (f" of {options.day}" if options.day else ""))
            right = right and options.day is None
    if options.evidence or everything:
        evidence = check_evidence(_ledger(options))
        print(evidence.sentence)
        right = right and not evidence.broken
    return 0 if right else 1


def _rotate(options: argparse.Namespace) -> int:
    seal = _seal()
    if seal is None:
        raise StopTheRun("set CRVS_SEAL_KEY: the new private key is sealed by it")
    print(f"Balances are signed by key {rotate_key(_ledger(options), seal).key_id} from now on")
    return 0


def _read(file: Path) -> Signed:
    try:
        return Signed.from_file(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise FixTheData(f"{file} cannot be read: {type(problem).__name__}") from None


def _ledger(options: argparse.Namespace) -> Engine:
    if not options.url:
        raise StopTheRun("give --url or set CRVS_LEDGER_URL")
    return connect_to_ledger(options.url)


def _seal() -> Seal | None:
    key = os.environ.get("CRVS_SEAL_KEY")
    return Seal(key) if key else None


if __name__ == "__main__":
    raise SystemExit(main())
