"""What the product does, as jobs for processes that may be killed: each is what one task of a DAG does."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Engine, create_engine

from faults.scene import CLIENT, INCLUDE, PARTNER, PARTNER_SECRET, SECRET, SUFFIX, Places
from mosip_crvs.errors import LedgerRefused, MosipCrvsError, StopTheRun
from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.installation import signing_key
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.model import RegistrationKind
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource, fetch_token
from mosip_crvs.reconciliation.asking import Dealings
from mosip_crvs.reconciliation.balance import days_to_balance
from mosip_crvs.reconciliation.credentials import Partner, work_credentials
from mosip_crvs.reconciliation.delivering import deliver_results
from mosip_crvs.reconciliation.inbox import settle_inbox
from mosip_crvs.reconciliation.partner_trust import trust_of
from mosip_crvs.reconciliation.polling import StatusDesk, explain_refusals, poll, status_now
from mosip_crvs.reconciliation.rotating import Patience
from mosip_crvs.reconciliation.signing import evidence_horizon, keep_signed_balance
from mosip_crvs.reconciliation.tending import tend
from mosip_crvs.registry.results import ResultsWriter, read_sql
from mosip_crvs.submission.assemble import CountryFiles, assemble
from mosip_crvs.submission.close import close_batch
from mosip_crvs.submission.pipeline import Submission, resume_triggers, submit_corrected, submit_range
from mosip_crvs.submission.plan import plan_batch, window_of, without_gap

TIMEOUT = 1.0
"""Seconds for one call: short, so that what is slow is given up, and a successor need not wait long."""
HALF_CREATED_AFTER = 4.0
RANGE_SIZE = 250


@dataclass(frozen=True)
class Order:
    """What a process is to do.

    :param day: the day that a sync reads; :param until: the end of its window, when the day is not over.
    :param holiday: whether today is one.
    """

    name: str
    kind: RegistrationKind = RegistrationKind.BIRTH
    day: date | None = None
    until: datetime | None = None
    holiday: bool = False
    rotate: bool = False


class World:
    """Connections and settings of one process."""

    def __init__(self, places: Places, order: Order) -> None:
        self.order = order
        self.places = places
        self.ledger: Engine = connect_to_ledger(places.ledger_url)
        self.seal = Seal(places.seal_key)
        self.settings = MosipSettings(
            places.mosip_url, CLIENT, SECRET, "10001", "10077", concurrency=16, timeout=TIMEOUT,
            takeover_wait=TIMEOUT + 0.3, receiver_url=places.receiver_url, poll_after=0.6,
            half_created_after=HALF_CREATED_AFTER, partner_id=PARTNER, partner_secret=PARTNER_SECRET,
            credential_suffix=SUFFIX, partner_keys=str(places.keys), identifiers=("PSUT", "UIN"),
        )  # fmt: skip
        self.calls = SingleCalls(places.mosip_url, timeout=TIMEOUT)
        self.tokens = TokenSource(lambda: fetch_token(self.calls, self.settings))
        partner = replace(self.settings, client_id=PARTNER, client_secret=PARTNER_SECRET)
        self.partner_tokens = TokenSource(lambda: fetch_token(self.calls, partner))
        self.desk = StatusDesk(self.ledger, self.calls, self.tokens, self.settings)

    def registry(self) -> Engine:
        """Reach the registry as Airflow's PostgreSQL hook does."""
        return create_engine(self.places.registry_url.replace("postgresql://", "postgresql+psycopg2://"))

    def submission(self) -> Submission:
        """Put a submission of the order's kind together."""
        return assemble(
            self.order.kind, CountryFiles(INCLUDE), registry=self.registry(), ledger=self.ledger,
            settings=self.settings, tokens=self.tokens, ask_live=lambda day: self.order.holiday,
            ask_status=lambda aids: status_now(self.desk, aids),
        )  # fmt: skip


def sync(world: World) -> None:
    """Plan a day, send some of its ranges, and what is to be sent again; close the batch."""
    order = world.order
    made = world.submission()
    assert order.day is not None
    start = datetime.combine(order.day, datetime.min.time(), UTC)
    window = window_of(
        made.kind, start, order.until or start + timedelta(days=1), look_back=timedelta(hours=6), time_zone="UTC"
    )
    if order.until:
        window = without_gap(made.ledger, window)
    batch_id, todo = plan_batch(made.ledger, made.extract, window, "campaign", range_size=RANGE_SIZE, spread=1)
    problems: list[MosipCrvsError] = []
    for batch, number in todo[:4]:
        _try(problems, partial(submit_range, made, batch, number, "campaign"))
    _try(problems, partial(submit_corrected, made, batch_id, "campaign"))
    _try(problems, partial(resume_triggers, made, "campaign"))
    close_batch(made.ledger, made.kind, batch_id, 1.0, extract=made.extract)
    if problems:
        raise problems[0]


def resume(world: World) -> None:
    """Repeat the triggers whose answers never came."""
    resume_triggers(world.submission(), "campaign")


def settle(world: World) -> None:
    """Work the inbox off."""
    settle_inbox(world.ledger, "1000110077", timedelta(seconds=HALF_CREATED_AFTER))


def ask(world: World) -> None:
    """Ask MOSIP about what nobody announced, and why it refused what it did refuse."""
    poll(world.desk)
    explain_refusals(world.desk)


def fetch_credentials(world: World) -> None:
    """Take every announced credential as far as it will go."""
    trust = trust_of(world.settings, world.places.keys, world.calls, world.tokens)
    partner = Partner(world.calls, requests.Session(), world.partner_tokens, world.settings, trust)
    work_credentials(world.ledger, world.seal, partner)


def deliver(world: World) -> None:
    """Tell the registry what became of its events."""
    writer = ResultsWriter(world.registry(), read_sql(INCLUDE / "sql" / "result.sql"))
    deliver_results(world.ledger, world.seal, writer)


def balance(world: World) -> None:
    """Take and sign the balances."""
    key, horizon = signing_key(world.ledger, world.seal), evidence_horizon(world.ledger)
    for day in days_to_balance(world.ledger, 3):
        keep_signed_balance(world.ledger, key, day, horizon)


def subscribe(world: World) -> None:
    """Renew the subscriptions; rotate when the order says so."""
    dealings = Dealings(world.ledger, world.seal, world.calls, world.tokens, world.settings, world.partner_tokens)
    patience = Patience(verify=3.0, least_overlap=1.0, most_overlap=5.0)
    tend(dealings, rotation_wanted=world.order.rotate, patience=patience)


JOBS: dict[str, Callable[[World], None]] = {
    "sync": sync,
    "resume": resume,
    "settle": settle,
    "ask": ask,
    "credentials": fetch_credentials,
    "deliver": deliver,
    "balance": balance,
    "subscribe": subscribe,
}


def _try(problems: list[MosipCrvsError], part: Callable[[], Any]) -> None:
    """Go on after a failure that a task of its own would have had."""
    try:
        part()
    except StopTheRun:
        raise
    except MosipCrvsError as problem:
        problems.append(problem)


def run(places: Places, order: Order, log: Path) -> int:
    """Do an order in this process; 0 when all of it was done, 3 when a later run must go on, 1 for a mistake of ours.

    :param log: takes the traceback of a mistake.
    """
    try:
        JOBS[order.name](World(places, order))
    except MosipCrvsError as problem:
        _note(log, f"{order.name}: {type(problem).__name__}: {problem}\n")
        return 1 if isinstance(problem, LedgerRefused) else 3
    except BaseException:
        _note(log, f"{order.name} {order.kind}\n{traceback.format_exc()}\n")
        return 1
    return 0


def _note(log: Path, text: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%H:%M:%S')} {os.getpid()} {text}")
    sys.stdout.flush()
