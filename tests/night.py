"""A country's small night: a registry, a ledger and a far side, and the hands by which tests move them."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from sqlalchemy import Engine, text

from mosip_crvs.ledger.alarms import OpenAlarm, open_alarms
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.evidence import Fact
from mosip_crvs.model import RegistrationKind
from mosip_crvs.mosip.calls import Reply, SingleCalls
from mosip_crvs.mosip.token import TokenSource, fetch_token
from mosip_crvs.reconciliation.inbox import settle_inbox
from mosip_crvs.reconciliation.polling import StatusDesk
from mosip_crvs.reconciliation.verifying import check_evidence
from mosip_crvs.settlement.events import WORKFLOW_COMPLETED
from mosip_crvs.settlement.rules import Case, EvidenceKind, Piece, state_of
from mosip_crvs.submission.pipeline import Submission, submit_range
from reference_registry import load
from tests.conftest import free_port, service
from tests.rig import CLIENT, SECRET, YESTERDAY, FarSide, asking, close, plan, status_desk, submission

PREFIX = "1000110077"
BIRTH, DEATH = RegistrationKind.BIRTH, RegistrationKind.DEATH


@contextmanager
def sandbox(*arguments: str) -> Iterator[FarSide]:
    """Run the far side in a process of its own, told more than the fixture tells it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given = ["-m", "sandbox", "--port", str(port), "--tick-seconds", "0", "--client-id", CLIENT, "--center-id", "10001"]
    given += ["--machine-id", "10077", "--officer-id", "crvs", *arguments]
    with service(given, f"{url}/sandbox/health", MOSIP_CLIENT_SECRET=SECRET):
        yield FarSide(url)


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


class CountedCalls(SingleCalls):
    """Single calls that remember how often each path was asked, and with how many applications."""

    def __init__(self, base_url: str, before: Callable[[str], None] | None = None) -> None:
        super().__init__(base_url)
        self.asked: list[tuple[str, int]] = []
        self._before = before or (lambda path: None)

    def send(self, method: str, path: str, **how: Any) -> Reply:
        """Count, and send."""
        body = how.get("body")
        self.asked.append((path, len(json.loads(body).get("request") or ()) if body else 0))
        self._before(path)
        return super().send(method, path, **how)

    def sizes(self, ending: str) -> list[int]:
        """Give how many applications each call of a path asked about."""
        return [size for path, size in self.asked if path.endswith(ending)]


@dataclass
class Night:
    """All that a test of one country needs."""

    ledger: Engine
    ledger_url: str
    registry_url: str
    far_side: FarSide
    made: list[Submission] = field(default_factory=list)

    def submission(self, kind: RegistrationKind = BIRTH, *, asks: bool = True, **changes: Any) -> Submission:
        """Put a submission together; it asks whether refusals stand unless told not to."""
        one = submission(self.ledger_url, self.registry_url, self.far_side.url, kind, **changes)
        self.made.append(one)
        return asking(one) if asks else one

    def close(self) -> None:
        """Let go of all databases."""
        for one in self.made:
            close(one)

    def send(self, *, births: int = 0, deaths: int = 0) -> list[str]:
        """Register some, and send yesterday; give all AIDs in the order of claiming."""
        load(self.registry_url, births=births, deaths=deaths, clean_only=True, end_day=YESTERDAY)
        for kind in [kind for kind, number in ((BIRTH, births), (DEATH, deaths)) if number]:
            self.run_day(self.submission(kind), YESTERDAY)
        return self.aids()

    def run_day(self, made: Submission, day: date | None = None) -> Counter[str]:
        """Send a day, by default the present one."""
        tally: Counter[str] = Counter()
        for batch_id, number in plan(made, day or datetime.now(UTC).date()):
            tally += submit_range(made, batch_id, number, "test")
        return tally

    def amend(self, aid: str) -> None:
        """Let a registrar correct the birth that an application is of."""
        (row,) = self.run("SELECT registration_id FROM applications WHERE aid = :aid", aid=aid)
        with psycopg.connect(self.registry_url) as registry:
            registry.execute(
                "UPDATE crvs.birth_registration SET residence_address_line1 = 'Amended Street 1' "
                "WHERE registration_id = %s",
                [row.registration_id],
            )

    def desk(self, calls: SingleCalls | None = None, **changes: Any) -> StatusDesk:
        """Enter as the task that asks MOSIP."""
        desk = status_desk(self.ledger, self.far_side.url, **changes)
        if calls is None:
            return desk
        chosen = desk.settings
        return StatusDesk(self.ledger, calls, TokenSource(lambda: fetch_token(calls, chosen)), chosen)

    def due(self) -> None:
        """Let the time come of everything that is ever asked about again."""
        self.run("UPDATE applications SET next_poll_at = now() - interval '1 second' WHERE next_poll_at IS NOT NULL")

    def ago(self, interval: str) -> None:
        """Let the triggers have been sent earlier."""
        self.run(f"UPDATE applications SET triggering_at = triggering_at - interval '{interval}'")

    def announce(self, aid: str, result: str = "PROCESSED", error: str | None = None) -> Counter[str]:
        """Let the hub announce a result, and settle it."""
        body = json.dumps(
            {"instanceId": aid, "resultCode": result, "workflowType": "CRVS_NEW", "errorCode": error}
        ).encode()
        self.run(
            "INSERT INTO inbox (topic, body, body_sha256) VALUES (:topic, :body, :digest)",
            topic=WORKFLOW_COMPLETED,
            body=body,
            digest=hashlib.sha256(body).hexdigest(),
        )
        return settle_inbox(self.ledger, PREFIX)

    def resume(self, aid: str, *, announced: bool = True) -> None:
        """Let an operator of MOSIP resume a refused application, which completes then."""
        self.far_side.operator(aid, "resume")
        self.far_side.tick()
        if announced:
            self.announce(aid)

    def run(self, statement: str, **values: Any) -> Any:
        """Run one statement in a transaction of its own; give its rows, if it has any."""
        with transaction(self.ledger) as connection:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else result.rowcount

    def aids(self, where: str = "true") -> list[str]:
        """Give AIDs in the order of claiming."""
        return [row.aid for row in self.run(f"SELECT aid FROM applications WHERE {where} ORDER BY application_id")]

    def states(self) -> dict[str, str]:
        """Give the state of every application, in the order of claiming."""
        return {row.aid: row.state for row in self.run("SELECT aid, state FROM applications ORDER BY application_id")}

    def tally(self) -> Counter[str]:
        """Count applications by state."""
        return Counter(self.states().values())

    def evidence(self, aid: str) -> list[str]:
        """Give the kinds of what was said of an application."""
        rows = self.run("SELECT kind FROM evidence WHERE aid = :aid ORDER BY sequence", aid=aid)
        return [row.kind for row in rows]

    def alarms(self) -> dict[str, OpenAlarm]:
        """Give the open alarms by code; of each code one."""
        return {alarm.code: alarm for alarm in open_alarms(self.ledger)}

    def pollings(self) -> list[Any]:
        """Give what is on record of asking, oldest first."""
        return list(self.run("SELECT * FROM pollings ORDER BY polling_id"))

    def uins(self) -> Mapping[str, int]:
        """Count what the far side has issued, and how often a child got two."""
        totals = self.far_side.totals()
        return {"uins": totals["uins_issued"], "twice": totals["children_with_two_uins"]}


@contextmanager
def night(ledger: Engine, ledger_url: str, registry_url: str, far_side: FarSide) -> Iterator[Night]:
    """Give a night, and let go of it at the end; whatever happened, the evidence accounts for every state."""
    one = Night(ledger, ledger_url, registry_url, far_side)
    yield one
    one.close()
    check_the_books(ledger)


def check_the_books(ledger: Engine) -> None:
    """Hold what every test must leave behind: chains that hold, and states that follow from what is kept."""
    checked = check_evidence(ledger)
    assert checked.broken == (), checked.sentence
    with transaction(ledger) as connection:
        applications = connection.execute(text("SELECT aid, state, triggering_at FROM applications")).all()
        rows = connection.execute(text("SELECT * FROM evidence")).all()
    pieces: dict[str, list[Piece]] = {row.aid: [] for row in applications}
    for row in rows:
        said = Fact(
            row.aid, EvidenceKind(row.kind), row.source, row.code, row.body_sha256, row.received_at, row.occasion
        )
        pieces[row.aid].append(said.piece)
    stored = {row.aid: row.state for row in applications}
    assert stored == {row.aid: state_of(Case(row.triggering_at), pieces[row.aid]) for row in applications}
