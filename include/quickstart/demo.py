"""``./run demo``: the main job, start to finish."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from quickstart import attach, far_side, mishaps, provisioned, runs
from quickstart.console import Console
from quickstart.errors import QuickstartError
from quickstart.places import Places, read_json
from quickstart.plan import plan_from
from quickstart.work import Registrations, Work

NOT_SETTLED = 3
_SYNC_SECONDS = 1800.0


def demo(places: Places, options: argparse.Namespace) -> int:
    """Start a stack, sync, settle, count, stop.

    :return: 0 when all went well and everything is explained, be it rejected; 1 when not; 3 when something is still on
        its way.
    """
    console = Console()
    # The sandbox forgets when it stops: what an interrupted demo had sent to it would never be answered.
    if options.again and not (places.has_state() and (options.mosip or places.balance_json.exists())):
        raise QuickstartError("--again needs the state of a finished demo: run ./run demo first")
    plan = plan_from(fresh=not options.again, mosip=options.mosip)
    console.step("Start PostgreSQL, the receiver, " + ("" if plan.far_side else "the MOSIP sandbox, ") + "and Airflow")
    with attach.started(places, plan, console) as tether:
        work = Work(places, tether.stack, console, tether.check)
        prepare(work, kept=options.again)
        days = (options.again and work.synced_days()) or work.last_days(options.days)
        console.note(addresses(work))
        if not options.again:
            console.step(f"Load the registry: {options.births} births and {options.deaths} deaths of {_span(days)}")
            work.load(Registrations(options.births, options.deaths, options.days, options.seed, days[-1]))
            _let_things_go_wrong(work, options.births + options.deaths)
        for day in days:
            console.step(f"Sync {day} through Airflow's scheduler")
            work.sync(day, seconds=_SYNC_SECONDS)
        console.step(f"Wait until all is settled and told to the registry, at most {options.settle_seconds} s")
        waiting = work.settle(seconds=options.settle_seconds)
        console.step("Balance")
        content, table = work.balance(days)
        console.say(table)
        console.say(f"\n{work.arrived()}")
        explained = _explained(content) & far_side.agrees(work, again=options.again, waiting=waiting)
        console.say("\nWritten: .demo/balance.json, .demo/balance.html; logs in .demo/logs and .demo/airflow/logs")
        if options.keep:
            tether.release()
            console.say(f"Still running: {addresses(work)}\nStop it with: ./run down")
        else:
            console.step("Stop everything")
    console.say(f"Done after {console.elapsed:.0f} s.")
    if waiting:
        console.say(f"Still on its way: {waiting}. Look later with ./run up --again and ./run settle")
    if not explained:
        return 1
    return NOT_SETTLED if waiting else 0


def _let_things_go_wrong(work: Work, events: int) -> None:
    """Let the sandbox be as MOSIP is; a real one needs no help."""
    if work.stack.far_side == "mosip":
        return
    mishaps.let_happen(work.stack.urls["mosip"], events)
    work.console.note("the sandbox will reject, fail, give up or pause a few of them, and lose some announcements")


def prepare(work: Work, *, kept: bool) -> None:
    """Make the DAGs ready, and clear away what a stack before left unfinished."""
    tell_findings(work)
    provisioned.keep_connection(work.places, work.stack, work.api)
    work.console.note("waiting for the DAGs")
    runs.make_ready(work.api)
    if not kept:
        return
    if left := runs.give_up_unfinished(work.api):
        work.console.note(f"{left} unfinished run(s) of the stopped stack marked failed")
    if work.stack.far_side != "mosip" and (forgotten := work.in_progress()):
        work.console.note(f"{forgotten} application(s) in progress were forgotten by the sandbox when it stopped")


def tell_findings(work: Work) -> None:
    """Say what the preflight found: on a MOSIP that others prepared, each finding is a warning."""
    found = read_json(work.places.onboarding / "preflight.json")
    if work.stack.far_side == "stock" or not found:
        return
    counts = Counter(check["status"] for check in found["checks"])
    made = "provisioned; preflight" if work.stack.far_side == "sandbox" else "preflight"
    work.console.note(f"{made}: {', '.join(f'{count} {status}' for status, count in sorted(counts.items()))}")
    for check in found["checks"]:
        if check["status"] in ("FAIL", "WARN"):
            work.console.note(f"warning {check['id']}: {check['asserts']}: {check['evidence']} -> {check['fix']}")


def addresses(work: Work) -> str:
    """Where to look."""
    stack = work.stack
    return f"Airflow {stack.urls['airflow']} (user {stack.airflow['user']}, password {stack.airflow['password']})"


def _explained(content: dict[str, Any]) -> bool:
    """Whether the balance leaves nothing open to question."""
    return bool(content["balanced"]) and content["unexplained"] == 0


def _span(days: Sequence[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
