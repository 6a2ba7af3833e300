"""The work on a running stack: load the registry, sync a day, settle, count."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from quickstart import environment, runs
from quickstart.airflow_api import AirflowApi
from quickstart.components import python
from quickstart.console import Console
from quickstart.errors import QuickstartError
from quickstart.places import Places
from quickstart.runs import RECONCILE_DAG, SYNC_DAGS, Run
from quickstart.stack import Stack
from quickstart.supervisor import tail

if TYPE_CHECKING:
    from quickstart.arrivals import Waiting

_LOAD_SECONDS = 600.0
_RECONCILE_SECONDS = 300.0
_ASK_AGAIN_SECONDS = 10.0
_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Registrations:
    """What the generator is to write, spread over ``days`` days, the last of them ``last_day``."""

    births: int
    deaths: int
    days: int
    seed: int
    last_day: date


class Work:
    """The verbs' hands on one stack.

    :param check: called while waiting; raises when the stack is gone.
    """

    def __init__(
        self, places: Places, stack: Stack, console: Console, check: Callable[[], None] = lambda: None
    ) -> None:
        self.places = places
        self.stack = stack
        self.console = console
        self.api = AirflowApi(stack.urls["airflow"], stack.airflow["user"], stack.airflow["password"])
        self._check = check

    def today(self) -> date:
        """Today in the registry's time zone."""
        return datetime.now(self.stack.zone).date()

    def load(self, wanted: Registrations) -> None:
        """Create the registry's schema where it is missing, and write registrations."""
        command = python(
            *("-m", "reference_registry", "--url", self.stack.urls["registry"]),
            *("--births", str(wanted.births), "--deaths", str(wanted.deaths), "--days", str(wanted.days)),
            *("--seed", str(wanted.seed), "--end-day", wanted.last_day.isoformat()),
            *("--time-zone", self.stack.timezone),
        )
        own = environment.clean(self.stack.id) | environment.include_path(self.places)
        log = self.places.log("registry")
        with log.open("ab") as output:
            done = subprocess.run(
                command, env=own, cwd=self.places.root, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, check=False, timeout=_LOAD_SECONDS,
            )  # fmt: skip
        if done.returncode != 0:
            raise QuickstartError(f"The registry was not loaded. The end of {log}:\n{tail(log)}")

    def sync(self, day: date, *, seconds: float) -> None:
        """Run both sync DAGs over one day, and wait for them."""
        from quickstart import balances  # late, here and below: what needs no count must not need the plugin

        asked = [runs.trigger_day(self.api, dag_id, day, self.stack.zone) for dag_id in SYNC_DAGS]
        with balances.ledger_engine(self.stack.urls["ledger"]) as engine:

            def show(text: str) -> None:
                self._check()
                self.console.live(f"{text} · ledger: {balances.live_counts(engine, [day])}")

            runs.wait(self.api, asked, places=self.places, seconds=seconds, show=show, note=self.console.note)

    def reconcile(self) -> None:
        """Run the reconciliation once, and wait for it."""
        self._finish(runs.trigger_now(self.api, RECONCILE_DAG))

    def settle(self, *, seconds: float) -> Waiting:
        """Wait until all is settled, taken and told. Events start the reconciliation by themselves; ask for it as well.

        :return: what is still on its way.
        """
        from quickstart import arrivals, balances

        deadline = time.monotonic() + seconds
        asked: Run | None = None
        next_asking = 0.0
        with balances.ledger_engine(self.stack.urls["ledger"]) as engine:
            while True:
                self._check()
                now = time.monotonic()
                if now >= next_asking and not self.api.unfinished_runs(RECONCILE_DAG):
                    asked = runs.trigger_now(self.api, RECONCILE_DAG)
                    next_asking = now + _ASK_AGAIN_SECONDS
                states = balances.states(engine)
                self.console.live("ledger: " + ", ".join(f"{number} {state}" for state, number in states.items()))
                waiting = arrivals.waiting(engine)
                if (not waiting and asked is not None) or now > deadline:
                    break
                time.sleep(_LOOK_SECONDS)
            if asked is not None and not waiting:
                self._finish(asked)
                waiting = arrivals.waiting(engine)
        return waiting

    def arrived(self) -> str:
        """What settled applications, and what the registry was told of them, in two lines."""
        from quickstart import arrivals, balances

        with balances.ledger_engine(self.stack.urls["ledger"]) as engine:
            ways = arrivals.settled_by(engine)
        return (
            f"Settled by what MOSIP announced: {ways['events']}; by asking MOSIP: {ways['polling']}\n"
            f"In the registry: {arrivals.in_registry(self.stack.urls['registry'])}"
        )

    def in_progress(self) -> int:
        """How many applications of the ledger are in progress."""
        from quickstart import balances

        with balances.ledger_engine(self.stack.urls["ledger"]) as engine:
            return balances.in_progress(engine)

    def synced_days(self) -> list[date]:
        """The days that the sync DAGs have had runs for."""
        starts = {run["data_interval_start"] for dag_id in SYNC_DAGS for run in self.api.runs(dag_id)}
        return sorted({datetime.fromisoformat(each).astimezone(self.stack.zone).date() for each in starts if each})

    def balance(self, days: Sequence[date]) -> tuple[dict[str, Any], str]:
        """Count, and write the files in ``.demo/``; the numbers and the tables."""
        from quickstart import balances

        with balances.ledger_engine(self.stack.urls["ledger"]) as engine:
            counted = balances.count(engine, days)
        return balances.publish(self.places, counted), balances.tables(counted)

    def exported(self, days: Sequence[date], kind: str) -> str:
        """Count; the numbers as ``csv`` or ``html``."""
        from quickstart import balances

        with balances.ledger_engine(self.stack.urls["ledger"]) as engine:
            return balances.exported(balances.count(engine, days), kind)

    def signed_balance(self, day: date) -> str:
        """Count, sign and keep; what the file of a signed balance is to hold."""
        from quickstart import balances

        with balances.ledger_engine(self.stack.urls["ledger"]) as engine:
            return balances.signed(engine, self.stack.onboarding["CRVS_SEAL_KEY"], day)

    def last_days(self, number: int) -> list[date]:
        """The ``number`` days that end with yesterday, the oldest first."""
        return [self.today() - timedelta(days=back) for back in range(number, 0, -1)]

    def _finish(self, run: Run) -> None:
        def show(text: str) -> None:
            self._check()
            self.console.live(text)

        runs.wait(self.api, [run], places=self.places, seconds=_RECONCILE_SECONDS, show=show, note=self.console.note)
