"""The ledger as a machine: tasks come, die and return, results arrive when they like; the promise holds throughout."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, text
from tests.ledger.books import DAY, window

from mosip_crvs.ledger import sending
from mosip_crvs.ledger.batches import open_batch
from mosip_crvs.ledger.claims import Claimant, ReadEvent, claim_page
from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.sending import Held, TriggerOutcome, write_group
from mosip_crvs.ledger.sessions import Session
from mosip_crvs.model import EventKey, Finding, RegistrationKind
from mosip_crvs.reconciliation.balance import day_balance
from mosip_crvs.reconciliation.inbox import settle_inbox
from mosip_crvs.settlement.events import WORKFLOW_COMPLETED
from mosip_crvs.settlement.rules import EvidenceKind

BAD = (Finding("dateOfBirth", "DATE_MALFORMED"),)
RESULTS = {"PROCESSED": "COMPLETED", "REJECTED": "REJECTED", "FAILED": "FAILED"}
RANK = ["AID_ASSIGNED", "TRIGGERING", "TRIGGERED", "AWAITING_INFO", "FAILED", "REJECTED", "COMPLETED"]


PAGES = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from(["good", "good", "good", "good", "bad", "old"])),
    min_size=3,
    max_size=8,
)


class LedgerMachine(RuleBasedStateMachine):
    """Tasks over eight events of six persons; the model remembers what must never be undone."""

    engine: Engine
    tasks = Bundle("tasks")

    @initialize(target=tasks)
    def begin(self):
        with self.engine.begin() as connection:
            connection.execute(
                text("TRUNCATE readings, applications, inbox, quarantine, ranges, batches, sessions CASCADE")
            )
        self.aid_of: dict[str, str] = {}
        self.attempted: set[str] = set()
        self.rank: dict[str, int] = {}
        self.in_hand: dict[int, dict[str, str]] = {}
        self.living: dict[int, Session] = {}
        return multiple(self.a_new_task(), self.a_new_task())

    @rule(target=tasks)
    def a_task_starts(self) -> tuple[Session, Claimant]:
        return self.a_new_task()

    def a_new_task(self) -> tuple[Session, Claimant]:
        """A session, and in whose name it claims."""
        session = Session.open(self.engine, "t")
        self.living[session.session_id] = session
        batch = open_batch(self.engine, window(), "t", [])
        self.in_hand[session.session_id] = {}
        return session, Claimant(RegistrationKind.BIRTH, batch, session.session_id, "10001", "10077")

    @rule(task=tasks, read=PAGES)
    def it_reads_a_page(self, task: tuple[Session, Claimant], read: list[tuple[int, str]]) -> None:
        session, claimant = task
        events = [
            ReadEvent(
                EventKey(f"R{number}"), f"P{min(number, 5)}", BAD if how == "bad" else (),
                "OVER_INFANT_LIMIT" if how == "old" else None,
            )
            for number, how in read
        ]  # fmt: skip
        page = claim_page(self.engine, claimant, events)
        for key, aid in page.to_create.items():
            assert aid not in self.attempted, "a packet is never created again after its trigger was attempted"
            assert self.aid_of.setdefault(key.registration_id, aid) == aid, "an event keeps its AID"
            for other, hand in self.in_hand.items():
                assert aid not in hand or other == session.session_id, "two living tasks have the same packet in hand"
        assert not set(page.to_trigger) - self.attempted
        self.in_hand[session.session_id] |= {aid: key.registration_id for key, aid in page.to_create.items()}

    @precondition(lambda self: any(self.in_hand.values()))
    @rule(task=tasks, count=st.integers(1, 4))
    def its_packets_are_created(self, task: tuple[Session, Claimant], count: int) -> None:
        session, _ = task
        asked = list(self.in_hand[session.session_id])[:count]
        granted = write_group(self.engine, session.session_id, triggering=asked)
        assert not granted & self.attempted
        self.attempted |= granted
        for aid in asked:
            self.in_hand[session.session_id].pop(aid)

    @precondition(lambda self: self.attempted)
    @rule(task=tasks, kind=st.sampled_from([EvidenceKind.TRIGGER_ACCEPTED, EvidenceKind.TRIGGER_ALREADY_PRESENT]))
    def triggers_are_answered(self, task: tuple[Session, Claimant], kind: EvidenceKind) -> None:
        session, _ = task
        aids = sorted(self.attempted)[:3]
        write_group(self.engine, session.session_id, outcomes=[TriggerOutcome(aid, kind, "w") for aid in aids])

    @precondition(lambda self: any(self.in_hand.values()))
    @rule(task=tasks)
    def a_packet_is_given_up(self, task: tuple[Session, Claimant]) -> None:
        session, _ = task
        hand = self.in_hand[session.session_id]
        if hand:
            aid, _event = hand.popitem()
            write_group(self.engine, session.session_id, held=[Held(aid, "RESPONSE_NULL")])

    @rule(task=consumes(tasks), in_order=st.booleans())
    def it_ends_or_dies(self, task: tuple[Session, Claimant], in_order: bool) -> None:
        session, _ = task
        session.close(in_order=in_order)
        del self.living[session.session_id]
        del self.in_hand[session.session_id]

    @rule(task=tasks)
    def stranded_triggers_are_adopted(self, task: tuple[Session, Claimant]) -> None:
        session, _ = task
        stranded = sending.stranded(self.engine, "birth")
        assert set(sending.adopt(self.engine, session.session_id, stranded).states) <= self.attempted

    @precondition(lambda self: self.attempted)
    @rule(result=st.sampled_from(sorted(RESULTS)), number=st.integers(0, 9))
    def mosip_reports(self, result: str, number: int) -> None:
        aids = [*sorted(self.attempted), "1000110077" + "9" * 19]
        body = json.dumps({"instanceId": aids[number % len(aids)], "resultCode": result, "workflowType": "CRVS_NEW"})
        with self.engine.begin() as connection:
            connection.execute(
                text("INSERT INTO inbox (topic, body, body_sha256) VALUES (:t, :b, :d)"),
                {"t": WORKFLOW_COMPLETED, "b": body.encode(), "d": f"{hash(body)}"},
            )
        settle_inbox(self.engine, "1000110077")

    def teardown(self) -> None:
        """End what is still alive, so that the next example begins with nobody."""
        for session in getattr(self, "living", {}).values():
            session.close(in_order=True)

    @invariant()
    def the_promise_holds(self) -> None:
        if not hasattr(self, "aid_of"):
            return
        with self.engine.begin() as connection:
            rows = connection.execute(text("SELECT registration_id, person_id, aid, state FROM applications")).all()
        assert len({row.registration_id for row in rows}) == len({row.aid for row in rows}) == len(rows)
        assert len({row.person_id for row in rows}) == len(rows), "a person has one application"
        for row in rows:
            assert row.aid == self.aid_of[row.registration_id]
            assert RANK.index(row.state) >= self.rank.get(row.aid, 0), "an application never steps back"
            self.rank[row.aid] = RANK.index(row.state)
            assert (row.state != "AID_ASSIGNED") == (row.aid in self.attempted)
        assert day_balance(self.engine, DAY).unexplained == 0


@pytest.mark.slow
def test_the_ledger_keeps_its_promise_whatever_happens(ledger_url: str) -> None:
    engine = connect_to_ledger(ledger_url, pool_size=30)
    machine = type("Bound", (LedgerMachine,), {"engine": engine})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=80, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )  # fmt: skip
    engine.dispose()
