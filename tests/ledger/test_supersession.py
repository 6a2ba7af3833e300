"""Sending a refused event again: when it may be, what becomes of both applications, and who is told in time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from tests.ledger.books import count, state_of, window

from mosip_crvs.ledger import facts, sending
from mosip_crvs.ledger.alarms import open_alarms
from mosip_crvs.ledger.batches import open_batch
from mosip_crvs.ledger.claims import Claimant, ReadEvent, claim_page
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.evidence import Fact
from mosip_crvs.ledger.sending import TriggerOutcome, write_group
from mosip_crvs.ledger.sessions import Session
from mosip_crvs.ledger.supersessions import corrected, waiting
from mosip_crvs.model import EventKey, RegistrationKind
from mosip_crvs.settlement.rules import EvidenceKind

BIRTH = RegistrationKind.BIRTH
KEY = EventKey("R1")
FIRST_CHANGE = datetime(2026, 11, 23, 8, tzinfo=UTC)
CORRECTED = FIRST_CHANGE + timedelta(hours=5)
_MINUTES = iter(range(10_000))


@pytest.fixture
def session(ledger: Engine) -> Iterator[Session]:
    """A living session."""
    opened = Session.open(ledger, "test")
    yield opened
    opened.close(in_order=True)


def read(modified: datetime = FIRST_CHANGE) -> ReadEvent:
    return ReadEvent(KEY, "P1", modified_at=modified)


def claim(ledger: Engine, session: Session, event: ReadEvent, supersede: tuple[str, ...] = ()) -> str | None:
    """Read an event in a batch of its own; give the AID to create a packet for, if there is one."""
    claimant = Claimant(BIRTH, open_batch(ledger, window(), "t", []), session.session_id, "10001", "10077")
    return claim_page(ledger, claimant, [event], supersede).to_create.get(event.key)


def said(ledger: Engine, aid: str, kind: EvidenceKind, *, minutes: float | None = None) -> None:
    """Let something be said of an application, later than all before."""
    at = datetime.now(UTC) + timedelta(minutes=next(_MINUTES) if minutes is None else minutes)
    digest = hashlib.sha256(f"{aid}{kind}{at}".encode()).hexdigest()
    with transaction(ledger) as connection:
        facts.record(connection, [Fact(aid, kind, "a test", None, digest, at)])


def trigger(ledger: Engine, session: Session, aid: str) -> None:
    assert write_group(ledger, session.session_id, triggering=[aid]) == {aid}
    write_group(ledger, session.session_id, outcomes=[TriggerOutcome(aid, EvidenceKind.TRIGGER_ACCEPTED, "w")])


@pytest.fixture
def refused(ledger: Engine, session: Session) -> str:
    """The AID of an event that MOSIP refused."""
    aid = claim(ledger, session, read())
    assert aid is not None
    trigger(ledger, session, aid)
    said(ledger, aid, EvidenceKind.WORKFLOW_FAILED)
    return aid


def superseded(ledger: Engine, session: Session, refused: str) -> str:
    """Send the event again; give its new AID."""
    successor = claim(ledger, session, read(CORRECTED), (refused,))
    assert successor is not None
    return successor


def current(ledger: Engine) -> list[str]:
    with ledger.begin() as connection:
        return list(connection.execute(text("SELECT aid FROM applications WHERE is_current")).scalars())


def test_a_refused_event_that_was_corrected_gets_a_new_aid_and_both_know_of_each_other(ledger, session, refused):
    successor = superseded(ledger, session, refused)
    assert successor != refused
    assert current(ledger) == [successor]
    assert count(ledger, "applications", f"aid = '{refused}' AND superseded_by = '{successor}'") == 1
    assert count(ledger, "applications", f"aid = '{successor}' AND supersedes = '{refused}'") == 1
    assert state_of(ledger, refused) == "FAILED", "it stays in its own day's balance"
    assert count(ledger, "evidence", f"aid = '{refused}' AND kind = 'superseded' AND code = '{successor}'") == 1


def test_without_leave_a_refused_event_is_known_and_nothing_is_sent(ledger, session, refused):
    assert claim(ledger, session, read(CORRECTED)) is None
    assert current(ledger) == [refused]


@pytest.mark.parametrize("kind", [EvidenceKind.IDENTITY_CREATED, EvidenceKind.CREDENTIAL_ISSUED])
def test_an_event_for_which_an_identity_was_ever_reported_is_never_sent_again(ledger, session, refused, kind):
    said(ledger, refused, kind)
    said(ledger, refused, EvidenceKind.STATUS_REJECTED)
    assert state_of(ledger, refused) == "REJECTED", "MOSIP took it back"
    assert claim(ledger, session, read(CORRECTED), (refused,)) is None
    assert count(ledger, "applications") == 1


@pytest.mark.parametrize("state", [EvidenceKind.STATUS_PROCESSING, EvidenceKind.WORKFLOW_PROCESSED])
def test_leave_that_was_given_before_an_operator_resumed_is_worth_nothing(ledger, session, refused, state):
    said(ledger, refused, state)
    assert claim(ledger, session, read(CORRECTED), (refused,)) is None
    assert count(ledger, "applications") == 1


def test_the_batch_that_claimed_the_first_still_counts_it_as_claimed_when_it_is_read_again(ledger, session, refused):
    superseded(ledger, session, refused)
    with ledger.begin() as connection:
        own = connection.execute(text("SELECT batch_id FROM applications WHERE aid = :a"), {"a": refused}).scalar_one()
    claim_page(ledger, Claimant(BIRTH, own, session.session_id, "10001", "10077"), [read(CORRECTED)])
    assert count(ledger, "readings", f"batch_id = {own} AND outcome = 'claimed'") == 1
    assert count(ledger, "readings", "outcome = 'claimed'") == 2


def test_candidates_are_those_changed_since_they_were_sent_and_of_earlier_batches(ledger, session, refused):
    batch = open_batch(ledger, window(), "t", [])
    assert [found.aid for found in corrected(ledger, BIRTH, batch, {KEY: CORRECTED})] == [refused]
    assert corrected(ledger, BIRTH, batch, {KEY: FIRST_CHANGE}) == [], "nobody corrected it"
    with ledger.begin() as connection:
        own = connection.execute(text("SELECT batch_id FROM applications")).scalar_one()
    assert corrected(ledger, BIRTH, own, {KEY: CORRECTED}) == [], "a batch does not send an event twice"


def test_a_correction_that_was_read_before_the_refusal_is_remembered(ledger, session):
    aid = claim(ledger, session, read())
    trigger(ledger, session, aid)
    assert claim(ledger, session, read(CORRECTED)) is None, "it is with MOSIP"
    batch = open_batch(ledger, window(), "t", [])
    assert waiting(ledger, BIRTH, batch, 0, 10) == []
    said(ledger, aid, EvidenceKind.WORKFLOW_REJECTED)
    assert [registration for _, registration in waiting(ledger, BIRTH, batch, 0, 10)] == ["R1"]


def test_a_half_created_event_is_sent_again_without_a_correction(ledger, session):
    aid = claim(ledger, session, read())
    trigger(ledger, session, aid)
    said(ledger, aid, EvidenceKind.STATUS_UPLOAD_PENDING, minutes=40)
    assert state_of(ledger, aid) == "HALF_CREATED"
    batch = open_batch(ledger, window(), "t", [])
    assert [registration for _, registration in waiting(ledger, BIRTH, batch, 0, 10)] == ["R1"]
    assert claim(ledger, session, read(), (aid,)) not in (None, aid)


def test_a_successor_that_a_killed_run_left_unsent_is_found_again(ledger, session, refused):
    successor = superseded(ledger, session, refused)
    batch = open_batch(ledger, window(), "t", [])
    assert [registration for _, registration in waiting(ledger, BIRTH, batch, 0, 10)] == ["R1"]
    trigger(ledger, session, successor)
    assert waiting(ledger, BIRTH, batch, 0, 10) == []


def test_if_the_first_completes_before_the_second_was_triggered_the_second_is_withdrawn(ledger, session, refused):
    successor = superseded(ledger, session, refused)
    said(ledger, refused, EvidenceKind.WORKFLOW_PROCESSED)
    assert (state_of(ledger, refused), state_of(ledger, successor)) == ("COMPLETED", "WITHDRAWN")
    assert current(ledger) == [refused]
    assert write_group(ledger, session.session_id, triggering=[successor]) == frozenset(), "its trigger must not leave"
    assert "possible_second_id" not in {alarm.code for alarm in open_alarms(ledger)}
    assert claim(ledger, session, read(CORRECTED)) is None


def test_if_the_second_is_being_triggered_no_run_triggers_it_again_and_the_alarm_names_both(ledger, session, refused):
    successor = superseded(ledger, session, refused)
    assert write_group(ledger, session.session_id, triggering=[successor]) == {successor}
    said(ledger, refused, EvidenceKind.IDENTITY_CREATED)
    assert current(ledger) == [refused]
    assert sending.stranded(ledger, "birth") == []
    assert sending.adopt(ledger, session.session_id, [successor]).states == {}
    assert [(alarm.subject, alarm.other) for alarm in _second_ids(ledger)] == [(successor, refused)]

    said(ledger, successor, EvidenceKind.STATUS_NOT_FOUND, minutes=45)
    assert state_of(ledger, successor) == "WITHDRAWN", "MOSIP does not know it long after: it never left"
    assert _second_ids(ledger) == []


@pytest.mark.parametrize(
    "then", [None, EvidenceKind.PAUSED_FOR_INFO, EvidenceKind.WORKFLOW_PROCESSED, EvidenceKind.STATUS_UIN_GENERATED]
)
def test_if_the_second_was_triggered_the_loudest_alarm_names_both(ledger, session, refused, then):
    successor = superseded(ledger, session, refused)
    trigger(ledger, session, successor)
    if then is not None:
        said(ledger, successor, then)
    said(ledger, refused, EvidenceKind.WORKFLOW_PROCESSED)
    assert [(alarm.subject, alarm.other) for alarm in _second_ids(ledger)] == [(successor, refused)]


def test_a_second_that_was_refused_as_well_raises_no_alarm_and_the_first_stands_for_the_event(ledger, session, refused):
    successor = superseded(ledger, session, refused)
    trigger(ledger, session, successor)
    said(ledger, successor, EvidenceKind.WORKFLOW_REJECTED)
    said(ledger, refused, EvidenceKind.WORKFLOW_PROCESSED)
    assert current(ledger) == [refused]
    assert _second_ids(ledger) == []
    assert claim(ledger, session, read(CORRECTED + timedelta(hours=1)), (refused, successor)) is None, "never a third"


def test_a_second_that_is_refused_after_the_first_completed_lets_the_first_stand_for_the_event(
    ledger, session, refused
):
    successor = superseded(ledger, session, refused)
    trigger(ledger, session, successor)
    said(ledger, refused, EvidenceKind.WORKFLOW_PROCESSED)
    said(ledger, successor, EvidenceKind.WORKFLOW_FAILED)
    assert current(ledger) == [refused]
    assert claim(ledger, session, read(CORRECTED + timedelta(hours=1)), (refused, successor)) is None


def test_a_person_that_another_registration_has_meanwhile_keeps_the_refused_application(ledger, session, refused):
    with ledger.begin() as connection:  # the person of R1 is claimed by another registration, R1 being without one
        connection.execute(text("UPDATE applications SET person_id = NULL WHERE aid = :aid"), {"aid": refused})
    assert claim(ledger, session, ReadEvent(EventKey("R2"), "P1", modified_at=CORRECTED)) is not None
    assert claim(ledger, session, read(CORRECTED), (refused,)) is None
    assert count(ledger, "applications", f"aid = '{refused}' AND is_current AND superseded_by IS NULL") == 1


def test_a_correction_that_names_another_person_is_quarantined_and_sends_nothing(ledger, session, refused):
    assert claim(ledger, session, ReadEvent(KEY, "P2", modified_at=CORRECTED), (refused,)) is None
    assert current(ledger) == [refused]
    assert count(ledger, "quarantine", "rule = 'REGISTRATION_SHARED' AND resolved_at IS NULL") == 1


def test_a_successor_keeps_the_person_although_the_registry_names_none_any_more(ledger, session, refused):
    assert claim(ledger, session, ReadEvent(KEY, None, modified_at=CORRECTED), (refused,)) is not None
    assert claim(ledger, session, ReadEvent(EventKey("R2"), "P1", modified_at=CORRECTED)) is None


def test_a_trigger_in_doubt_is_not_repeated_while_the_first_is_with_mosip_again_and_both_are_told(
    ledger, session, refused
):
    successor = superseded(ledger, session, refused)
    assert write_group(ledger, session.session_id, triggering=[successor]) == {successor}
    said(ledger, refused, EvidenceKind.STATUS_PROCESSING)
    assert sending.stranded(ledger, "birth") == []
    dead = Session.open(ledger, "dead")
    with ledger.begin() as connection:
        connection.execute(text("UPDATE applications SET session_id = 999999 WHERE aid = :a"), {"a": successor})
    assert sending.adopt(ledger, dead.session_id, [successor]).states == {}
    claimant = Claimant(BIRTH, open_batch(ledger, window(), "t", []), dead.session_id, "10001", "10077")
    page = claim_page(ledger, claimant, [read(CORRECTED)])
    assert (page.to_trigger, page.to_create, page.busy) == ([], {}, 0)
    dead.close(in_order=True)
    assert [(alarm.subject, alarm.other) for alarm in _second_ids(ledger)] == [(successor, refused)]
    said(ledger, refused, EvidenceKind.WORKFLOW_REJECTED)
    assert _second_ids(ledger) == [], "it was stopped"


def test_what_is_in_doubt_is_not_sent_though_it_was_claimed(ledger, session, refused):
    superseded(ledger, session, refused)
    with ledger.begin() as connection:
        connection.execute(text("UPDATE applications SET session_id = NULL"))
    claimant = Claimant(BIRTH, open_batch(ledger, window(), "t", []), session.session_id, "10001", "10077")
    page = claim_page(ledger, claimant, [read(CORRECTED)], (), {KEY})
    assert (page.to_create, page.busy) == ({}, 0)
    assert len(claim_page(ledger, claimant, [read(CORRECTED)]).to_create) == 1


def test_a_trigger_that_reached_mosip_after_it_was_given_up_brings_the_application_and_the_alarm_back(
    ledger, session, refused
):
    successor = superseded(ledger, session, refused)
    write_group(ledger, session.session_id, triggering=[successor])
    said(ledger, refused, EvidenceKind.WORKFLOW_PROCESSED)
    said(ledger, successor, EvidenceKind.STATUS_NOT_FOUND, minutes=45)
    assert state_of(ledger, successor) == "WITHDRAWN"
    write_group(ledger, session.session_id, outcomes=[TriggerOutcome(successor, EvidenceKind.TRIGGER_ACCEPTED, "w")])
    assert state_of(ledger, successor) == "TRIGGERED"
    assert [(alarm.subject, alarm.other) for alarm in _second_ids(ledger)] == [(successor, refused)]
    assert count(ledger, "applications", f"aid = '{successor}' AND next_poll_at IS NOT NULL") == 1


def test_a_half_created_successor_leaves_the_event_to_the_first_that_completed(ledger, session, refused):
    successor = superseded(ledger, session, refused)
    trigger(ledger, session, successor)
    said(ledger, refused, EvidenceKind.WORKFLOW_PROCESSED)
    assert current(ledger) == [successor]
    said(ledger, successor, EvidenceKind.STATUS_UPLOAD_PENDING, minutes=50_000)
    assert state_of(ledger, successor) == "HALF_CREATED"
    assert current(ledger) == [refused]
    assert count(ledger, "results", f"aid = '{refused}' AND outcome = 'completed'") == 1


def test_what_a_later_run_sends_of_an_earlier_claim_is_the_version_that_a_correction_must_be_newer_than(
    ledger, session
):
    dying = Session.open(ledger, "dying")
    claimant = Claimant(BIRTH, open_batch(ledger, window(), "t", []), dying.session_id, "10001", "10077")
    claim_page(ledger, claimant, [read()])
    dying.close(in_order=True)
    aid = claim(ledger, session, read(CORRECTED))
    assert aid is not None
    trigger(ledger, session, aid)
    said(ledger, aid, EvidenceKind.WORKFLOW_REJECTED)
    batch = open_batch(ledger, window(), "t", [])
    assert corrected(ledger, BIRTH, batch, {KEY: CORRECTED}) == []
    assert waiting(ledger, BIRTH, batch, 0, 10) == []


def test_somebody_elses_workflow_under_our_aid_is_an_alarm(ledger, session):
    aid = claim(ledger, session, read())
    write_group(ledger, session.session_id, triggering=[aid])
    write_group(
        ledger,
        session.session_id,
        outcomes=[TriggerOutcome(aid, EvidenceKind.TRIGGER_ALREADY_PRESENT, alarm="aid_in_use")],
    )
    assert [(alarm.code, alarm.subject) for alarm in open_alarms(ledger)] == [("aid_in_use", aid)]


def test_the_first_coming_counts_though_it_is_worked_off_last(ledger, session):
    aid = claim(ledger, session, read())
    trigger(ledger, session, aid)
    now = datetime.now(UTC)
    refusal = hashlib.sha256(b"rejected").hexdigest()
    with transaction(ledger) as connection:
        for minutes in (5, 1):
            at = now + timedelta(minutes=minutes)
            facts.record(connection, [Fact(aid, EvidenceKind.WORKFLOW_REJECTED, "t", None, refusal, at)])
    said(ledger, aid, EvidenceKind.STATUS_PROCESSING, minutes=3)
    assert state_of(ledger, aid) == "TRIGGERED", "it was refused in the first minute and resumed in the third"


def _second_ids(ledger: Engine):
    return [alarm for alarm in open_alarms(ledger) if alarm.code == "possible_second_id"]
