"""The other verbs of ``./run``: up, down, env, sync, settle, balance, verify."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from quickstart import attach, environment, provisioned, stack
from quickstart.console import Console
from quickstart.demo import NOT_SETTLED, addresses, prepare
from quickstart.errors import QuickstartError
from quickstart.places import Places, write_private
from quickstart.plan import plan_from
from quickstart.work import Registrations, Work


def up(places: Places, options: argparse.Namespace) -> int:
    """Start a stack and leave it running."""
    console = Console()
    present = stack.read(places)
    if present is not None and present.alive and present.status == stack.READY:
        console.say(f"Running already since {present.started_at}. {addresses(Work(places, present, console))}")
        return 0
    if options.again and not places.has_state():
        raise QuickstartError("--again needs the state of an earlier stack: leave it out the first time")
    plan = plan_from(fresh=not options.again, mosip=options.mosip, stock=options.stock, holidays=options.holiday)
    if not options.again and places.has_state():
        console.say("Starting empty: the registry and the ledger of the last stack are removed (--again keeps them).")
    console.step("Start PostgreSQL, the receiver, " + ("" if plan.far_side else "the MOSIP sandbox, ") + "and Airflow")
    with attach.started(places, plan, console) as tether:
        work = Work(places, tether.stack, console, tether.check)
        prepare(work, kept=options.again)
        if not options.again:
            yesterday = work.today() - timedelta(days=1)
            births, deaths = (0, 0) if options.empty else (options.births, options.deaths)
            console.step(f"Load the registry: {births} births and {deaths} deaths of {yesterday}, not synced yet")
            work.load(Registrations(births, deaths, 1, options.seed, yesterday))
        tether.release()
        console.say(f"\nRunning after {console.elapsed:.0f} s. {addresses(work)}")
        first = "./run preflight, ./run provision --plan, ./run provision, then " if options.stock else ""
        console.say(
            f"Next: {first}source <(./run env), ./run sync yesterday, ./run settle, ./run balance yesterday, ./run down"
        )
    return 0


def down(places: Places, _options: argparse.Namespace) -> int:
    """End the stack, or what one left behind whose supervisor was killed."""
    console = Console()
    present = stack.read(places)
    was_running = present is not None and present.alive
    if was_running:
        console.say("Stopping ...")
    left = attach.stop(places)
    if left:
        console.say(f"Ended {left} process(es) that a killed stack had left behind.")
    console.say("Stopped." if was_running or left else "Nothing was running.")
    return 0


def env(places: Places, _options: argparse.Namespace) -> int:
    """Print the addresses as lines for the shell."""
    running = stack.running(places)
    values = {
        "REGISTRY_URL": running.urls["registry"],
        "LEDGER_URL": running.urls["ledger"],
        "AIRFLOW_URL": running.urls["airflow"],
        "AIRFLOW_USER": running.airflow["user"],
        "AIRFLOW_PASSWORD": running.airflow["password"],
        "RECEIVER_URL": running.urls["receiver"],
        "MOSIP_URL": running.urls["mosip"],
    }
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def sync(places: Places, options: argparse.Namespace) -> int:
    """Run both sync DAGs over a day."""
    running = stack.running(places)
    console = Console()
    work = Work(places, running, console)
    day = _day(options.day, running.zone)
    console.say(f"Sync {day} ({running.timezone}) through Airflow's scheduler")
    work.sync(day, seconds=options.timeout)
    console.note("both runs succeeded")
    return 0


def onboarding(places: Places, arguments: Sequence[str]) -> int:
    """Run a verb of the onboarding's command line on the running stack's MOSIP."""
    if {"-h", "--help"} & set(arguments):
        help_only = [sys.executable, "-m", "mosip_crvs.onboarding", *arguments]
        return subprocess.run(help_only, cwd=places.root, check=False).returncode
    running = stack.running(places)
    own = environment.clean(running.id) | environment.include_path(places) | running.onboarding
    module = "mosip_crvs.onboarding"
    if arguments[0] == "provision" and running.far_side != "mosip":
        module = "quickstart.signed"  # the same, with the demo's certification authority at hand
    code = subprocess.run([sys.executable, "-m", module, *arguments], env=own, cwd=places.root, check=False).returncode
    if code == 0 and arguments[0] != "preflight" and "--plan" not in arguments:
        work = Work(places, running, Console())
        if provisioned.keep_connection(places, running, work.api):
            work.console.say("Airflow's connection 'mosip' holds it.")
    return code


def settle(places: Places, options: argparse.Namespace) -> int:
    """Run the reconciliation; with a time limit, until nothing is in progress."""
    console = Console()
    work = Work(places, stack.running(places), console)
    if options.until_settled is None:
        work.reconcile()
        console.note("the reconciliation succeeded")
        return 0
    waiting = work.settle(seconds=options.until_settled)
    if waiting:
        console.say(f"Not settled after {options.until_settled:.0f} s: {waiting}.")
        return NOT_SETTLED
    console.note("settled: nothing is on its way")
    return 0


def balance(places: Places, options: argparse.Namespace) -> int:
    """Print a day's balance, or write it signed."""
    running = stack.running(places)
    work = Work(places, running, Console(sys.stderr))
    day = _day(options.day, running.zone)
    if options.signed:
        target = Path(options.signed)
        if target.is_dir() or not target.absolute().parent.is_dir():
            raise QuickstartError(f"cannot write {target}: name a file in a folder that is there")
        write_private(Path(options.signed), work.signed_balance(day))
        work.console.say(f"Signed: {options.signed}. Check it with ./run verify {options.signed}")
    content, table = work.balance([day])
    wanted = "csv" if options.csv else "html" if options.html else ""
    if wanted:
        print(work.exported([day], wanted), end="")
    else:
        print(json.dumps(content, indent=2, default=str) if options.json else table)
    if content.get("held_until") and content["unexplained"] == 0:
        return NOT_SETTLED  # in order, and waiting for a working day
    return 0 if content["balanced"] else 1


def verify(places: Places, options: argparse.Namespace) -> int:
    """Check a signed balance, or all that the ledger keeps and the evidence with them."""
    running = stack.running(places)
    own = environment.clean(running.id) | environment.include_path(places) | running.onboarding
    file = ["--file", str(Path(options.file).resolve())] if options.file else []
    command = [sys.executable, "-m", "mosip_crvs.reconciliation", "verify", *file]
    return subprocess.run(command, env=own, cwd=places.root, check=False).returncode


def _day(text: str, zone: ZoneInfo) -> date:
    """A date in ISO form, or ``today`` or ``yesterday`` in the registry's zone."""
    today = datetime.now(zone).date()
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    if text in named:
        return named[text]
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise QuickstartError(f"Not a day: {text!r}. Write 2026-11-23, or yesterday, or today") from error
