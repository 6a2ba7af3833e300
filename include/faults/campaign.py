"""One campaign: events go through all faults while processes die at every step, until the books are compared."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from cryptography.fernet import Fernet

import mosip_crvs
from faults import books, tempers, work
from faults.books import Comparison
from faults.people import Operator, Registrar
from faults.processes import Nursery
from faults.scene import FarSide, Places, Postgres, free_port, keep_partner_keys, wait_for
from faults.steps import Fate
from faults.work import Order
from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.migrate import migrate
from mosip_crvs.model import RegistrationKind
from mosip_crvs.receiver import __main__ as receiver
from reference_registry import create_schema, load

SIDE_BY_SIDE = 6
TEMPER_SECONDS = 6.0
RECEIVER_DIES = 0.002
"""At each look, of which there are a hundred a second at most; its next one has a point of its own to die at."""
REST_SECONDS = 300.0
"""How long everything may take to come to rest once the faults are over; longer by a twentieth second an event."""
_WEIGHTS = {"sync": 6, "settle": 4, "ask": 4, "credentials": 3, "deliver": 3, "balance": 1, "subscribe": 2, "resume": 1}


@dataclass(frozen=True)
class Plan:
    """How much is asked for.

    :param target: how often every fault and every point of death is to occur.
    :param longest: seconds after which the faults end, whatever did not occur often enough.
    """

    events: int
    seed: int
    target: int = 20
    longest: float = 3600.0

    @property
    def days(self) -> int:
        """Over how many days the events are spread; they become known to the registry one after the other."""
        return max(6, self.events // 250)


@dataclass
class Outcome:
    """What came of it.

    :param points: all points of death. :param never_reached: those that no process ever came to.
    """

    plan: Plan
    comparison: Comparison
    faults: dict[str, int]
    killed: Counter[tuple[str, str]]
    points: list[tuple[str, str]]
    never_reached: list[tuple[str, str]]
    ends: Counter[str]
    restarts: int
    balances_unexplained: int
    chain: str
    seconds: float
    mistakes: str
    jobs: Counter[str] = field(default_factory=Counter)

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, doubled, or left without an explanation."""
        return self.comparison.agree and not self.balances_unexplained and not self.ends["mistake"] and not self.chain


def run(plan: Plan, say: Callable[[str], None]) -> Outcome:
    """Run a campaign from its first event to the comparison of the books."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="crvs-faults-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return _Campaign(plan, say, folder, stack).run()


class _Campaign:
    def __init__(self, plan: Plan, say: Callable[[str], None], folder: Path, stack: ExitStack) -> None:
        self._plan = plan
        self._say = say
        self._chance = random.Random(plan.seed)
        self._log = folder / "log"
        self._postgres = Postgres(folder / "pg")
        stack.callback(self._postgres.close)
        signal.signal(signal.SIGTERM, _interrupt)  # the server's package has put its own there
        self._far_side = FarSide(plan.seed, folder / "sandbox.log")
        stack.callback(self._far_side.close)
        keep_partner_keys(self._far_side, folder / "keys")
        self._port = free_port()
        self._places = Places(
            self._postgres.url("registry"), self._postgres.url("ledger"), self._far_side.url,
            f"http://127.0.0.1:{self._port}", Fernet.generate_key().decode(), folder / "keys",
        )  # fmt: skip
        self._nursery = Nursery(Path(mosip_crvs.__file__).parent, folder / "diary", self._chance)
        stack.callback(self._nursery.stop)
        self._receiver: int | None = None
        self._jobs: Counter[str] = Counter()
        self._last_day = datetime.now(UTC).date() - timedelta(days=1)
        self._registrar = Registrar(self._places.registry_url, self._chance)
        self._operator = Operator(self._far_side, self._chance)
        self._mistakes = 0
        self._known_days = 0

    def run(self) -> Outcome:
        began = time.monotonic()
        self._prepare()
        self._storm(began + self._plan.longest)
        self._say("The faults are over; everything comes to rest ...")
        faults = self._hits()
        self._far_side.post("/sandbox/faults", {"clear": True, "faults": {}, "main_processes": "with_crvs"})
        self._rest()
        self._say("Comparing the books ...")
        comparison = books.compare(
            self._places.registry_url, self._places.ledger_url, self._far_side.get("/sandbox/record")
        )
        points = self._nursery.points
        ends = self._nursery.ends + Counter(mistake=self._mistakes)
        return Outcome(
            self._plan, comparison, faults, self._nursery.killed, points,
            [point for point in points if point not in self._nursery.passed], ends, self._postgres.restarts,
            self._unexplained(), self._broken_chain(), time.monotonic() - began,
            self._log.read_text("utf-8") if self._log.exists() else "", self._jobs,
        )  # fmt: skip

    def _prepare(self) -> None:
        """Load the registry, migrate the ledger, and have the receiver up before anything is sent."""
        create_schema(self._places.registry_url)
        deaths = self._plan.events // 5
        load(
            self._places.registry_url, births=self._plan.events - deaths, deaths=deaths, days=self._plan.days,
            seed=self._plan.seed, end_day=self._last_day, clean_only=True,
        )  # fmt: skip
        engine = connect_to_ledger(self._places.ledger_url)
        migrate(engine)
        engine.dispose()
        self._keep_receiver(None)
        for _ in range(20):
            if self._run_alone(Order("subscribe")) == 0:
                return
        self._say("The subscriptions did not come about; going on, so that asking must do")

    def _storm(self, deadline: float) -> None:
        """Work while faults show and processes die, until all of it occurred often enough."""
        temper_until = struck = told = 0.0
        while time.monotonic() < deadline:
            now = time.monotonic()
            if now > temper_until:
                temper_until = now + TEMPER_SECONDS
                self._change_temper()
            if now - struck > 12 and self._postgres.restarts < max(self._plan.target, 1):
                struck = now
                self._postgres.strike()
            if now - told > 15:
                told = now
                self._tell()
            self._see_to_children()
            self._people()
            if self._is_enough():
                return
            time.sleep(0.01)

    def _change_temper(self) -> None:
        self._known_days = min(self._known_days + 1, self._plan.days)
        hits = self._hits()
        lacking = [name for name, count in hits.items() if count < self._plan.target]
        faults = tempers.draw(self._chance, hits, lacking)
        # As MOSIP is shipped, its status call fails for our processes.
        processes = "shipped" if self._chance.random() < 0.15 else "with_crvs"
        self._far_side.post("/sandbox/faults", {"clear": True, "faults": faults, "main_processes": processes})
        if "registered_not_flowing" not in faults and self._chance.random() < 0.3:
            self._far_side.post("/sandbox/hub", {"restart": True})

    def _hits(self) -> dict[str, int]:
        shown = self._far_side.get("/sandbox/faults")["faults"]
        return {name: int(each["hits"]) for name, each in shown.items() if name not in tempers.NOT_HERE}

    def _see_to_children(self) -> None:
        for pid, (name, code) in self._nursery.reap().items():
            if pid == self._receiver:
                self._receiver = None
            self._count(name, code)
        target = self._plan.target
        if self._receiver is not None and self._chance.random() < RECEIVER_DIES:
            os.kill(self._receiver, signal.SIGKILL)
        if self._receiver is None:
            self._keep_receiver(self._nursery.fate_for("receiver", target))
        while len(self._nursery.children) <= SIDE_BY_SIDE:
            order = self._order()
            self._start(order, self._nursery.fate_for(order.name, target) if self._chance.random() < 0.85 else None)

    def _order(self) -> Order:
        names = [name for name in _WEIGHTS if name in work.JOBS]
        name = self._chance.choices(names, [_WEIGHTS[each] for each in names])[0]
        if self._chance.random() < 0.5:
            name = self._nursery.job_in_need(self._plan.target) or name
        kind = self._chance.choice(list(RegistrationKind))
        order = Order(name, kind, holiday=self._chance.random() < 0.1, rotate=self._chance.random() < 0.1)
        return replace(order, **self._window()) if name == "sync" else order

    def _window(self) -> dict[str, Any]:
        """Choose a day, or what has changed today: the corrections of registrars come in there."""
        if self._chance.random() < 0.4:
            return {"day": datetime.now(UTC).date(), "until": datetime.now(UTC)}
        newest = self._chance.random() < 0.7
        place = self._known_days - 1 if newest else self._chance.randrange(self._known_days)
        return {"day": self._last_day - timedelta(days=self._plan.days - 1 - place)}

    def _start(self, order: Order, fate: Fate | None) -> int:
        self._jobs[order.name] += 1
        return self._nursery.start(order.name, lambda: work.run(self._places, order, self._log), fate)

    def _keep_receiver(self, fate: Fate | None) -> None:
        def serve() -> int:
            import uvicorn

            app = receiver.build(self._places.ledger_url, self._places.seal_key)
            uvicorn.run(app, host="127.0.0.1", port=self._port, access_log=False, log_level="critical")
            return 0

        self._receiver = pid = self._nursery.start("receiver", serve, fate)
        if fate is None:
            wait_for(f"{self._places.receiver_url}/health", lambda: pid in self._nursery.children)

    def _run_alone(self, order: Order) -> int:
        """Run one job to its end, with nothing else beside it."""
        pid = self._start(order, None)
        while True:
            ended = self._nursery.reap()
            for each, (name, code) in ended.items():
                self._count(name, code)
                if each == self._receiver:
                    self._keep_receiver(None)
            if pid in ended:
                return ended[pid][1]
            time.sleep(0.01)

    def _count(self, name: str, code: int) -> None:
        self._nursery.ends[f"{name} {_END.get(code, 'killed')}"] += 1
        self._mistakes += code not in _END or (code == 1)

    def _people(self) -> None:
        if self._chance.random() < 0.01:
            _patiently(self._let_time_pass)
        if self._chance.random() < 0.02:
            _patiently(self._registrar.correct_some)
        if self._chance.random() < 0.02:
            self._operator.act(_patiently(self._refused_for_good))

    def _refused_for_good(self) -> list[str]:
        """Give AIDs that an operator may resume: refused, and now and then superseded, too, which nobody tells him."""
        superseded = self._chance.random() < 0.2
        with psycopg.connect(self._places.ledger_url) as ledger:
            rows = ledger.execute(
                "SELECT aid FROM applications WHERE state IN ('REJECTED', 'FAILED') AND is_current <> %s LIMIT 50",
                (superseded,),
            )
            return [row[0] for row in rows]

    def _is_enough(self) -> bool:
        if self._nursery.lacking(self._plan.target) or self._open_events():
            return False
        return all(count >= self._plan.target for count in self._hits().values())

    def _open_events(self) -> int:
        return int(_patiently(self._unread))

    def _unread(self) -> int:
        with psycopg.connect(self._places.ledger_url) as ledger:
            row = ledger.execute("SELECT count(DISTINCT (kind, registration_id)) FROM applications").fetchone()
        assert row is not None
        return self._plan.events - int(row[0])

    def _rest(self) -> None:
        """Let everything come to its end: operators and registrars see to what they were asked for."""
        deadline = time.monotonic() + REST_SECONDS + self._plan.events / 20
        while self._nursery.children.keys() - {self._receiver} and time.monotonic() < deadline:
            for pid, (name, code) in self._nursery.reap().items():
                self._count(name, code)
                self._receiver = None if pid == self._receiver else self._receiver
            time.sleep(0.05)
        if self._receiver is None:
            self._keep_receiver(None)
        while time.monotonic() < deadline:
            for order in self._orders_of_rest():
                self._run_alone(order)
            self._operator.resume_all()
            self._registrar.correct_all()
            self._let_time_pass()
            self._say(f"{self._still_open():,} things are still on their way")
            if self._is_at_rest():
                return
        self._say("It did not come to rest in time")

    def _orders_of_rest(self) -> Iterator[Order]:
        yield Order("subscribe")
        today = datetime.now(UTC)
        for kind in RegistrationKind:
            for day in self._unfinished_days(kind):
                yield Order("sync", kind, day)
            yield Order("sync", kind, today.date(), today)
        for name in ("settle", "ask", "credentials", "deliver", "balance"):
            if name in work.JOBS:
                yield Order(name)

    def _unfinished_days(self, kind: RegistrationKind) -> list[date]:
        with psycopg.connect(self._places.ledger_url) as ledger:
            rows = ledger.execute(
                "SELECT DISTINCT day FROM batches WHERE kind = %s AND (finished_at IS NULL OR unread > 0)",
                (str(kind),),
            )
            known = {row[0] for row in rows}
            seen = ledger.execute("SELECT DISTINCT day FROM batches WHERE kind = %s", (str(kind),))
            read = {row[0] for row in seen}
        every = {self._last_day - timedelta(days=ago) for ago in range(self._plan.days)}
        return sorted((known | (every - read)) - {datetime.now(UTC).date()})

    def _let_time_pass(self) -> None:
        """Let what waits for its time not wait: a campaign has minutes for what takes days."""
        with psycopg.connect(self._places.ledger_url) as ledger:
            ledger.execute("UPDATE results SET next_try_at = now() WHERE delivered_version < version")
            ledger.execute("UPDATE credentials SET next_try_at = now() WHERE next_try_at IS NOT NULL")
            ledger.execute("UPDATE applications SET next_poll_at = now() WHERE next_poll_at IS NOT NULL")

    def _is_at_rest(self) -> bool:
        return self._still_open() == 0 and self._unread() == 0

    def _still_open(self) -> int:
        """Count applications, notifications, results, batches and credentials that are not at their end."""
        with psycopg.connect(self._places.ledger_url) as ledger:
            row = ledger.execute(
                "SELECT (SELECT count(*) FROM applications WHERE is_current AND state <> 'COMPLETED') "
                "+ (SELECT count(*) FROM inbox WHERE state IN ('new', 'parked')) "
                "+ (SELECT count(*) FROM results WHERE delivered_version < version) "
                "+ (SELECT count(*) FROM batches WHERE finished_at IS NULL) "
                "+ (SELECT count(*) FROM credentials WHERE next_try_at IS NOT NULL)"
            ).fetchone()
        assert row is not None
        return int(row[0])

    def _unexplained(self) -> int:
        with psycopg.connect(self._places.ledger_url) as ledger:
            row = ledger.execute("SELECT coalesce(sum((terms->>'unexplained')::int), 0) FROM balances").fetchone()
        assert row is not None
        return int(row[0])

    def _broken_chain(self) -> str:
        """Say where the evidence's chain is broken, by a reading of the tables that shares nothing with the product."""
        with psycopg.connect(self._places.ledger_url) as ledger:
            row = ledger.execute(books.BROKEN_LINKS).fetchone()
        return f"the chain of {row[0]} is broken" if row else ""

    def _tell(self) -> None:
        hits = self._hits()
        lacking = len(self._nursery.lacking(self._plan.target))
        rare = sum(count < self._plan.target for count in hits.values())
        self._say(
            f"{self._plan.events - self._open_events():,} of {self._plan.events:,} events claimed, "
            f"{sum(self._nursery.killed.values()):,} processes killed ({lacking} points lack some), "
            f"{sum(hits.values()):,} faults ({rare} kinds lack some), {self._postgres.restarts} restarts of PostgreSQL"
        )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _patiently(ask: Callable[[], Any]) -> Any:
    """Ask a database that may be restarting right now."""
    for _ in range(100):
        try:
            return ask()
        except psycopg.OperationalError:
            time.sleep(0.1)
    return ask()


_END = {0: "done", 1: "mistake", 3: "to be repeated", -9: "killed"}
