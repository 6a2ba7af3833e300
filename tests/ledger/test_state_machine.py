"""The ledger as a machine: tasks come, die and return, results arrive when they like, MOSIP is asked, its operators
resume what it refused, registrars correct; the promise holds throughout."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

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
from tests.night import check_the_books

from mosip_crvs.ledger import facts, polling, sending
from mosip_crvs.ledger.batches import open_batch
from mosip_crvs.ledger.claims import Claimant, ReadEvent, claim_page
from mosip_crvs.ledger.connection import clock, connect_to_ledger, transaction
from mosip_crvs.ledger.evidence import Fact
from mosip_crvs.ledger.sending import Held, TriggerOutcome, write_group
from mosip_crvs.ledger.sessions import Session
from mosip_crvs.model import ApplicationState, EventKey, Finding, RegistrationKind
from mosip_crvs.reconciliation.balance import day_balance
from mosip_crvs.reconciliation.inbox import settle_inbox
from mosip_crvs.settlement.events import WORKFLOW_COMPLETED, WORKFLOW_PAUSED
from mosip_crvs.settlement.rules import HALF_CREATED_AFTER
from mosip_crvs.settlement.rules import EvidenceKind as Kind
from mosip_crvs.submission.supersession import StatusNow, leave_for

BAD = (Finding("dateOfBirth", "DATE_MALFORMED"),)
FIRST_CHANGE = datetime(2026, 11, 23, 8, tzinfo=UTC)
REFUSED = frozenset({"REJECTED", "FAILED", "HALF_CREATED"})
RESULTS = {"COMPLETED": "PROCESSED", "REJECTED": "REJECTED", "FAILED": "FAILED"}
"""MOSIP's words for what it announces."""
ANSWER_OF = {
    "UNKNOWN": Kind.STATUS_NOT_FOUND,
    "PROCESSING": Kind.STATUS_PROCESSING,
    "AWAITING": Kind.STATUS_AWAITING_INFORMATION,
    "HALF_CREATED": Kind.STATUS_UPLOAD_PENDING,
    "REJECTED": Kind.STATUS_REJECTED,
    "FAILED": Kind.STATUS_REREGISTER,
    "COMPLETED": Kind.STATUS_UIN_GENERATED,
}

ENDS = ["COMPLETED", "REJECTED", "REJECTED", "FAILED", "AWAITING", "HALF_CREATED", "HALF_CREATED"]

COURSES = [
    ("it is resumed", "we are told", "it is sent", "it is completed", "we are told"),
    ("it is resumed", "we are told", "it is completed", "it is sent", "we are told"),
    ("it is resumed", "it is completed", "we are told", "it is sent"),
    ("it is resumed", "it is sent", "we are told", "it is completed", "we are told"),
    ("it is sent", "it is resumed", "it is completed", "we are told"),
    ("it is resumed", "it is completed", "it is sent"),
]
"""What befalls an application that was superseded, and when its successor is sent."""

PAGES = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from(["good", "good", "corrected", "corrected", "bad", "old"])),
    min_size=3,
    max_size=8,
)


class LedgerMachine(RuleBasedStateMachine):
    """Tasks over eight events of six persons; the model remembers what must never be undone.

    MOSIP tells no lies here, but it tells late, twice, or not at all: of every application it knows the one truth.
    """

    engine: Engine
    reached: Counter[str]
    tasks = Bundle("tasks")

    @initialize(target=tasks)
    def begin(self):
        with self.engine.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # evidence is append-only
            connection.execute(
                text(
                    "TRUNCATE readings, applications, inbox, quarantine, ranges, batches, sessions, alarms, results, "
                    "evidence CASCADE"
                )
            )
        self.numbers_of: dict[str, list[str]] = {}
        self.claimed: list[str] = []
        self.answered = 0
        self.attempted: set[str] = set()
        self.truth: dict[str, str] = {}
        self.changed: dict[int, int] = {}
        self.in_hand: dict[int, dict[str, str]] = {}
        self.living: dict[int, Session] = {}
        first, second = self.a_new_task(), self.a_new_task()
        self.read_page(first, [(number, "good") for number in range(6)])
        self.create_packets(first, 4)
        write_group(self.engine, first[0].session_id, outcomes=[
            TriggerOutcome(aid, Kind.TRIGGER_ACCEPTED, "w") for aid in self.in_order(self.attempted)])  # fmt: skip
        self.truth |= dict.fromkeys(self.attempted, "PROCESSING")
        return multiple(first, second)

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

    @rule(task=tasks, read=PAGES, sends=st.booleans())
    def it_reads_a_page(self, task: tuple[Session, Claimant], read: list[tuple[int, str]], sends: bool) -> None:
        self.read_page(task, read)
        if sends:
            self.create_packets(task, 8)

    def read_page(self, task: tuple[Session, Claimant], read: list[tuple[int, str]]) -> None:
        """Read, ask whether refusals stand, and claim; what was corrected has changed since."""
        session, claimant = task
        for number, how in read:
            self.changed[number] = self.changed.get(number, 0) + (how == "corrected")
        events = [
            ReadEvent(
                EventKey(f"R{number}"), f"P{min(number, 5)}", BAD if how == "bad" else (),
                "OVER_INFANT_LIMIT" if how == "old" else None,
                FIRST_CHANGE + timedelta(hours=self.changed.get(number, 0)),
            )
            for number, how in read
        ]  # fmt: skip
        leave = leave_for(self.engine, claimant, events, self.mosip_says, HALF_CREATED_AFTER)
        assert all(self.truth[aid] in REFUSED for aid in leave.supersede), "MOSIP, asked just now, says that it refused"
        page = claim_page(self.engine, claimant, events, leave.supersede, leave.in_doubt)
        for key, aid in page.to_create.items():
            assert aid not in self.attempted, "a packet is never created again after its trigger was attempted"
            numbers = self.numbers_of.setdefault(key.registration_id, [aid])
            if aid not in self.claimed:
                self.claimed.append(aid)
            if numbers[-1] != aid:
                assert numbers[-1] in leave.supersede, "an event keeps its AID until MOSIP has refused it"
                numbers.append(aid)
            for other, hand in self.in_hand.items():
                assert aid not in hand or other == session.session_id, "two living tasks have the same packet in hand"
        assert not set(page.to_trigger) - self.attempted
        self.in_hand[session.session_id] |= {aid: key.registration_id for key, aid in page.to_create.items()}

    @precondition(lambda self: any(self.in_hand.values()))
    @rule(task=tasks, count=st.integers(1, 4))
    def its_packets_are_created(self, task: tuple[Session, Claimant], count: int) -> None:
        self.create_packets(task, count)

    def create_packets(self, task: tuple[Session, Claimant], count: int) -> None:
        """Ask to trigger some of what a task has in hand."""
        session, _ = task
        asked = list(self.in_hand[session.session_id])[:count]
        granted = write_group(self.engine, session.session_id, triggering=asked)
        assert not granted & self.attempted
        for aid in granted:
            (numbers,) = [each for each in self.numbers_of.values() if aid in each]
            known = self.states()
            older = {known[each] for each in numbers[: numbers.index(aid)]}
            assert older <= REFUSED, "nothing is triggered while MOSIP works on an older number, as far as we know"
        self.attempted |= granted
        self.truth |= dict.fromkeys(granted, "UNKNOWN")
        for aid in asked:
            self.in_hand[session.session_id].pop(aid)

    @precondition(lambda self: self.attempted)
    @rule(task=tasks, kind=st.sampled_from([Kind.TRIGGER_ACCEPTED, Kind.TRIGGER_ALREADY_PRESENT]))
    def triggers_are_answered(self, task: tuple[Session, Claimant], kind: Kind) -> None:
        session, _ = task
        self.answered += 1
        aids = self.in_order(self.attempted)[:3]
        self.truth |= {aid: "PROCESSING" for aid in aids if self.truth[aid] == "UNKNOWN"}
        write_group(self.engine, session.session_id, outcomes=[
            TriggerOutcome(aid, kind, f"w{self.answered}") for aid in aids])  # fmt: skip

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

    @precondition(lambda self: any(state in ("PROCESSING", "AWAITING") for state in self.truth.values()))
    @rule(steps=st.lists(st.tuples(st.integers(0, 20), st.sampled_from(ENDS), st.booleans()), min_size=2, max_size=4))
    def mosip_goes_on(self, steps: list[tuple[int, str, bool]]) -> None:
        """It works on some that are under way, and tells of each or not."""
        for number, becomes, told in steps:
            under_way = [aid for aid in self.in_order(self.attempted) if self.truth[aid] in ("PROCESSING", "AWAITING")]
            if under_way:
                aid = under_way[number % len(under_way)]
                self.truth[aid] = becomes
                if told and becomes in RESULTS:
                    self.tell(aid, RESULTS[becomes])
                elif becomes == "HALF_CREATED":
                    self.let_pass(31)
                    with transaction(self.engine) as connection:
                        facts.record(connection, self.mosip_says([aid]).facts)
                elif told and becomes == "AWAITING":
                    self.receive(WORKFLOW_PAUSED, {"instanceId": aid, "additionalInfoProcess": "CRVS_CORRECTION"})

    @precondition(lambda self: any(state in ("REJECTED", "FAILED") for state in self.truth.values()))
    @rule(number=st.integers(0, 20), told=st.booleans(), completes=st.booleans())
    def an_operator_resumes(self, number: int, told: bool, completes: bool) -> None:
        refused = [aid for aid in self.in_order(self.truth) if self.truth[aid] in ("REJECTED", "FAILED")]
        aid = refused[number % len(refused)]
        self.truth[aid] = "COMPLETED" if completes else "PROCESSING"
        if told and completes:
            self.tell(aid, "PROCESSED")

    @precondition(lambda self: "PROCESSING" in self.truth.values())
    @rule(
        target=tasks, number=st.integers(0, 20), course=st.sampled_from(COURSES),
    )  # fmt: skip
    def one_is_refused_corrected_read_again_and_resumed(
        self, number: int, course: Sequence[str]
    ) -> tuple[Session, Claimant]:
        """In the next night; sent before or after the resumption, and before or after we know of it."""
        task = self.a_new_task()
        under_way = [aid for aid in self.in_order(self.truth) if self.truth[aid] == "PROCESSING"]
        aid = under_way[number % len(under_way)]
        self.truth[aid] = "FAILED"
        self.tell(aid, "FAILED")
        (event,) = [event for event, numbers in self.numbers_of.items() if aid in numbers]
        self.read_page(task, [(int(event[1:]), "corrected")])
        for step in course:
            if step == "it is sent":
                self.create_packets(task, 8)
            elif step == "we are told":
                with transaction(self.engine) as connection:
                    facts.record(connection, self.mosip_says([aid]).facts)
            elif self.truth[aid] != "COMPLETED":
                self.truth[aid] = "PROCESSING" if step == "it is resumed" else "COMPLETED"
        return task

    @precondition(lambda self: any(self.truth.get(aid) in RESULTS for aid in self.attempted))
    @rule(number=st.integers(0, 20))
    def the_hub_repeats_what_is_true_and_tells_of_somebody_else(self, number: int) -> None:
        self.tell("1000110077" + "9" * 19, "PROCESSED")
        ended = [aid for aid in self.in_order(self.truth) if self.truth[aid] in RESULTS]
        self.tell(ended[number % len(ended)], RESULTS[self.truth[ended[number % len(ended)]]])

    def tell(self, aid: str, result: str) -> None:
        """Let the end of a workflow be announced."""
        self.receive(WORKFLOW_COMPLETED, {"instanceId": aid, "resultCode": result, "workflowType": "CRVS_NEW"})

    def receive(self, topic: str, event: dict[str, str]) -> None:
        """Let a notification come, and settle it."""
        body = json.dumps(event)
        with self.engine.begin() as connection:
            connection.execute(
                text("INSERT INTO inbox (topic, body, body_sha256) VALUES (:t, :b, :d)"),
                {"t": topic, "b": body.encode(), "d": hashlib.sha256(body.encode()).hexdigest()},
            )
        settle_inbox(self.engine, "1000110077")

    @precondition(lambda self: self.attempted)
    @rule(some=st.sets(st.integers(0, 12), min_size=3, max_size=12), nonsense=st.sampled_from([False, False, True]))
    def mosip_is_asked(self, some: set[int], nonsense: bool) -> None:
        """Whether their time has come or not; sometimes it says a word that settles nothing."""
        aids = [aid for place, aid in enumerate(self.in_order(self.attempted)) if place in some]
        said = self.mosip_says(aids, nonsense=nonsense)
        with transaction(self.engine) as connection:
            facts.record(connection, said.facts)
            polling.asked(connection, {f.aid: f.code or "" for f in said.facts}, {f.aid: f.at for f in said.facts})

    def mosip_says(self, aids: Sequence[str], *, nonsense: bool = False) -> StatusNow:
        """Answer by the truth."""
        at = clock(self.engine)
        kinds = {aid: Kind.STATUS_OTHER if nonsense else ANSWER_OF[self.truth[aid]] for aid in aids}
        return StatusNow(
            [Fact(aid, kind, "externalstatus", str(kind), "0" * 64, at, at.isoformat()) for aid, kind in kinds.items()]
        )

    @rule(minutes=st.sampled_from([31, 300]))
    def time_passes(self, minutes: int) -> None:
        self.let_pass(minutes)

    def let_pass(self, minutes: int) -> None:
        """The triggers have been sent earlier; only where no answer yet depends on when."""
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE applications a SET triggering_at = triggering_at - make_interval(mins => :minutes) "
                    "WHERE NOT EXISTS (SELECT FROM evidence e WHERE e.aid = a.aid "
                    "AND e.kind IN ('status_upload_pending', 'status_not_found'))"
                ),
                {"minutes": minutes},
            )

    def in_order(self, aids: Collection[str]) -> list[str]:
        """Put AIDs into the order of their claims: their own order depends on the clock."""
        return [aid for aid in self.claimed if aid in aids]

    def states(self) -> dict[str, str]:
        """Give the state of every application."""
        with self.engine.begin() as connection:
            return {row.aid: row.state for row in connection.execute(text("SELECT aid, state FROM applications"))}

    def teardown(self) -> None:
        """End what is still alive, so that the next example begins with nobody."""
        for session in getattr(self, "living", {}).values():
            session.close(in_order=True)

    @invariant()
    def the_promise_holds(self) -> None:
        if not hasattr(self, "numbers_of"):
            return
        with self.engine.begin() as connection:
            rows = connection.execute(
                text("SELECT registration_id, person_id, aid, state, is_current FROM applications")
            ).all()
            told = text("SELECT subject FROM alarms WHERE code = 'possible_second_id'")
            alarms = set(connection.execute(told).scalars())
        current = [row for row in rows if row.is_current]
        assert len({row.registration_id for row in current}) == len(current), "of an event one application is current"
        assert {row.registration_id for row in current} == {row.registration_id for row in rows}
        assert len({row.person_id for row in current}) == len(current), "a person has one"
        assert {row.aid for row in rows} == {aid for numbers in self.numbers_of.values() for aid in numbers}
        for numbers in self.numbers_of.values():
            states = {row.aid: row.state for row in rows if row.aid in numbers}
            alive = [aid for aid in numbers if aid in self.attempted and states[aid] not in {*REFUSED, "WITHDRAWN"}]
            if any(states[aid] == "COMPLETED" for aid in alive):
                assert len(alive) < 2 or alarms & set(alive), "what may be a second identity is told"
        self.reached.update(row.state for row in rows)
        self.reached.update(["superseded"] * (len(rows) > len(current)) + ["possible second"] * bool(alarms))
        for row in rows:
            if row.state != "WITHDRAWN":
                assert (row.state == "AID_ASSIGNED") == (row.aid not in self.attempted)
        check_the_books(self.engine)
        assert day_balance(self.engine, DAY).unexplained == 0


@pytest.mark.slow
def test_the_ledger_keeps_its_promise_whatever_happens(ledger_url: str) -> None:
    engine = connect_to_ledger(ledger_url, pool_size=30)
    machine = type("Bound", (LedgerMachine,), {"engine": engine, "reached": Counter()})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )  # fmt: skip
    engine.dispose()
    never = {*ApplicationState, "superseded", "possible second"} - machine.reached.keys()
    assert not never, "what is never reached is not proved"
