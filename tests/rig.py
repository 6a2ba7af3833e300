"""A submission put together for tests: real registry, real ledger, and whatever far side a test wants."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Engine, create_engine

from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.model import RegistrationKind
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource, fetch_token
from mosip_crvs.reconciliation.polling import StatusDesk, status_now
from mosip_crvs.submission.assemble import CountryFiles, assemble
from mosip_crvs.submission.pipeline import Submission
from mosip_crvs.submission.plan import plan_batch, window_of
from mosip_crvs.submission.supersession import AskStatus
from tests.conftest import INCLUDE

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
SOON = 0.0
"""Seconds after its trigger from which a test asks about an application."""
CLIENT, SECRET = "mosip-crvs1-client", "test-secret"


def settings(mosip_url: str, **changes: Any) -> MosipSettings:
    """Settings of a test's MOSIP; nothing waits longer than a test can."""
    plain = MosipSettings(mosip_url, CLIENT, SECRET, "10001", "10077", concurrency=32, timeout=10.0, takeover_wait=0.0)
    return replace(plain, **changes)


def submission(
    ledger_url: str, registry_url: str, mosip_url: str, kind: RegistrationKind = RegistrationKind.BIRTH, **changes: Any
) -> Submission:
    """Put a submission together; the caller disposes of its engines by :func:`close`.

    It asks nobody for the status of refused applications; :func:`asking` makes it ask.
    """
    chosen = settings(mosip_url, **changes)
    calls = SingleCalls(mosip_url)
    return assemble(
        kind,
        CountryFiles(INCLUDE),
        registry=create_engine(registry_url.replace("postgresql://", "postgresql+psycopg2://")),
        ledger=connect_to_ledger(ledger_url),
        settings=chosen,
        tokens=TokenSource(lambda: fetch_token(calls, chosen)),
    )


def status_desk(ledger: Engine, mosip_url: str, **changes: Any) -> StatusDesk:
    """Enter as the task that asks MOSIP does; an application is asked about as soon as it was triggered."""
    chosen = settings(mosip_url, **{"poll_after": SOON, **changes})
    calls = SingleCalls(mosip_url)
    return StatusDesk(ledger, calls, TokenSource(lambda: fetch_token(calls, chosen)), chosen)


def asking(made: Submission, ask: AskStatus | None = None) -> Submission:
    """Let a submission ask its MOSIP, or somebody else, whether a refusal stands."""
    desk = status_desk(made.ledger, made.settings.base_url)
    return replace(made, ask_status=ask or (lambda aids: status_now(desk, aids)))


def close(made: Submission) -> None:
    """Let go of the databases."""
    made.ledger.dispose()
    made.extract.engine.dispose()


def plan(made: Submission, day: date = YESTERDAY, range_size: int = 5000, spread: int = 1) -> list[tuple[int, int]]:
    """Plan a day; give what there is to do."""
    start = datetime.combine(day, time(), UTC)
    window = window_of(made.kind, start, start + timedelta(days=1), look_back=timedelta(hours=6), time_zone="UTC")
    return plan_batch(made.ledger, made.extract, window, "test", range_size=range_size, spread=spread)[1]


@dataclass(frozen=True)
class FarSide:
    """What a test asks the sandbox, as a witness that shares no code with us."""

    url: str

    def totals(self) -> dict[str, Any]:
        """What the far side accepted, in all."""
        return dict(self._get("/sandbox/record?totals=1")["totals"])

    def applications(self) -> dict[str, dict[str, Any]]:
        """What the far side accepted, by AID."""
        return dict(self._get("/sandbox/record")["aids"])

    def faults(self, **faults: Any) -> None:
        """Switch faults; all others are off."""
        self._post("/sandbox/faults", {"clear": True, "faults": faults})

    def faults_of(self, faults_by_aid: dict[str, dict[str, Any]]) -> None:
        """Switch faults of single applications on, beside those that are on."""
        self._post("/sandbox/faults", {"aids": faults_by_aid})

    def main_processes(self, which: str) -> None:
        """Configure what the status call can answer about: ``shipped``, or ``with_crvs``."""
        self._post("/sandbox/faults", {"main_processes": which})

    def operator(self, aid: str, action: str) -> None:
        """Let one of MOSIP's operators ``resume``, ``stop`` or ``reject`` an application."""
        self._post("/sandbox/operator", {"aid": aid, "action": action})

    def drop_subscribers(self) -> None:
        """Let the hub forget, without a word, whom it delivers to."""
        self._post("/sandbox/hub", {"drop": True})

    def hits(self, fault: str) -> int:
        """How often a fault has shown."""
        return int(self._get("/sandbox/faults")["faults"][fault]["hits"])

    def tick(self) -> None:
        """Let MOSIP work off what was triggered."""
        self._post("/sandbox/tick?quota=100000&settle=10", {})

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:
            return json.load(reply)

    def _post(self, path: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=60).read()
