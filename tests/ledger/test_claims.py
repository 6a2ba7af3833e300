"""One vital event, at most one AID: what a claim gives, to whom, and never twice."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, text
from tests.ledger.books import DAY, count, window

from mosip_crvs.ledger.aids import take_aids
from mosip_crvs.ledger.batches import Window, open_batch
from mosip_crvs.ledger.claims import Claimant, ReadEvent, claim_page
from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.sending import TriggerOutcome, write_group
from mosip_crvs.ledger.sessions import Session
from mosip_crvs.ledger.takeover import take_over
from mosip_crvs.model import EventKey, Finding, ReadingOutcome, RegistrationKind
from mosip_crvs.settlement.rules import EvidenceKind

BAD = (Finding("dateOfBirth", "DATE_MALFORMED"),)


@pytest.fixture
def session(ledger: Engine):
    """A living session."""
    opened = Session.open(ledger, "test")
    yield opened
    opened.close(in_order=True)


def claimant(ledger: Engine, session: Session, batch_id: int | None = None) -> Claimant:
    if batch_id is None:
        batch_id = open_batch(ledger, window(), "test", [])
    return Claimant(RegistrationKind.BIRTH, batch_id, session.session_id, "10001", "10077")


def event(number: int, **changes) -> ReadEvent:
    return ReadEvent(EventKey(f"R{number}"), changes.pop("person_id", f"P{number}"), **changes)


def test_every_event_of_a_page_gets_one_aid_of_its_own(ledger: Engine, session: Session) -> None:
    page = claim_page(ledger, claimant(ledger, session), [event(n) for n in range(300)])
    assert len(page.to_create) == 300
    assert len(set(page.to_create.values())) == 300
    assert all(len(aid) == 29 and aid.startswith("1000110077") for aid in page.to_create.values())


def test_a_page_claimed_again_is_known_and_nothing_of_it_is_sent_by_a_second_session(ledger, session) -> None:
    first = claim_page(ledger, claimant(ledger, session), [event(1)])
    other = Session.open(ledger, "other")
    again = claim_page(ledger, claimant(ledger, other), [event(1)])
    other.close(in_order=True)
    assert again.to_create == {}
    assert again.busy == 1
    assert again.outcomes == {EventKey("R1"): ReadingOutcome.KNOWN}
    assert count(ledger, "applications") == 1
    assert list(first.to_create) == [EventKey("R1")]


def test_what_a_dead_session_claimed_and_did_not_send_is_taken_over_with_the_same_aid(ledger, session) -> None:
    dying = Session.open(ledger, "dying")
    first = claim_page(ledger, claimant(ledger, dying), [event(1)])
    dying.close(in_order=False)
    taken = claim_page(ledger, claimant(ledger, session), [event(1)])
    assert taken.to_create == first.to_create
    assert len(taken.left_by) == 1, "the dead session's last sign of life tells how long to wait"


def test_a_session_that_ended_in_order_leaves_no_call_to_wait_for(ledger, session) -> None:
    ending = Session.open(ledger, "ending")
    claim_page(ledger, claimant(ledger, ending), [event(1)])
    ending.close(in_order=True)
    assert claim_page(ledger, claimant(ledger, session), [event(1)]).left_by == []


def test_an_application_whose_trigger_was_attempted_is_only_ever_triggered_again(ledger, session) -> None:
    dying = Session.open(ledger, "dying")
    page = claim_page(ledger, claimant(ledger, dying), [event(1)])
    (aid,) = page.to_create.values()
    assert write_group(ledger, dying.session_id, triggering=[aid]) == {aid}
    dying.close(in_order=False)
    taken = claim_page(ledger, claimant(ledger, session), [event(1)])
    assert taken.to_create == {}
    assert taken.to_trigger == [aid]


def test_a_trigger_is_repeated_even_when_the_registration_has_become_invalid_since(ledger, session) -> None:
    dying = Session.open(ledger, "dying")
    (aid,) = claim_page(ledger, claimant(ledger, dying), [event(1)]).to_create.values()
    write_group(ledger, dying.session_id, triggering=[aid])
    dying.close(in_order=False)
    assert claim_page(ledger, claimant(ledger, session), [event(1, findings=BAD)]).to_trigger == [aid]


def test_an_unsent_application_is_not_sent_once_its_registration_has_become_invalid(ledger, session) -> None:
    dying = Session.open(ledger, "dying")
    claim_page(ledger, claimant(ledger, dying), [event(1)])
    dying.close(in_order=True)
    page = claim_page(ledger, claimant(ledger, session), [event(1, findings=BAD)])
    assert page.to_create == {}
    assert count(ledger, "quarantine", "resolved_at IS NULL") == 1


def test_a_triggered_application_is_never_sent_again(ledger, session) -> None:
    dying = Session.open(ledger, "dying")
    (aid,) = claim_page(ledger, claimant(ledger, dying), [event(1)]).to_create.values()
    write_group(ledger, dying.session_id, triggering=[aid])
    write_group(ledger, dying.session_id, outcomes=[TriggerOutcome(aid, EvidenceKind.TRIGGER_ACCEPTED, "w")])
    dying.close(in_order=False)
    page = claim_page(ledger, claimant(ledger, session), [event(1)])
    assert page.to_create == {}
    assert page.to_trigger == []
    assert page.busy == 0


def test_an_event_read_twice_by_one_task_is_sent_once(ledger, session) -> None:
    me = claimant(ledger, session)
    assert len(claim_page(ledger, me, [event(1), event(1)]).to_create) == 1
    assert claim_page(ledger, me, [event(1)]).to_create == {}


def test_a_person_with_an_application_cannot_get_a_second_under_another_registration(ledger, session) -> None:
    me = claimant(ledger, session)
    claim_page(ledger, me, [event(1, person_id="P")])
    page = claim_page(ledger, me, [event(2, person_id="P"), event(3, person_id="P")])
    assert page.to_create == {}
    assert set(page.outcomes.values()) == {ReadingOutcome.QUARANTINED}
    assert count(ledger, "quarantine", "rule = 'PERSON_ALREADY_CLAIMED'") == 2


@pytest.mark.parametrize("pages", [1, 2])
def test_two_children_under_one_registration_number_are_told_and_only_the_first_is_sent(ledger, session, pages) -> None:
    me = claimant(ledger, session)
    rows = [event(1, person_id="A"), event(1, person_id="B")]
    sent = [claim_page(ledger, me, rows)] if pages == 1 else [claim_page(ledger, me, [row]) for row in rows]
    assert sum(len(page.to_create) for page in sent) == 1
    assert count(ledger, "quarantine", "rule = 'REGISTRATION_SHARED' AND resolved_at IS NULL") == 1


def test_twins_are_two_persons_and_both_get_an_aid(ledger, session) -> None:
    page = claim_page(ledger, claimant(ledger, session), [event(1, person_id="A"), event(2, person_id="B")])
    assert len(set(page.to_create.values())) == 2


def test_a_person_may_be_born_and_may_die(ledger, session) -> None:
    claim_page(ledger, claimant(ledger, session), [event(1, person_id="P")])
    deaths = open_batch(ledger, Window(RegistrationKind.DEATH, DAY, window().start, window().end), "test", [])
    me = Claimant(RegistrationKind.DEATH, deaths, session.session_id, "10001", "10077")
    assert len(claim_page(ledger, me, [event(1, person_id="P")]).to_create) == 1


def test_registrations_without_a_person_number_do_not_hinder_each_other(ledger, session) -> None:
    page = claim_page(ledger, claimant(ledger, session), [event(n, person_id=None) for n in range(3)])
    assert len(page.to_create) == 3


def test_a_bad_event_never_stops_the_good_ones_of_its_page(ledger, session) -> None:
    events = [event(1, findings=BAD), event(2), event(3, not_eligible="OVER_INFANT_LIMIT"), event(4)]
    page = claim_page(ledger, claimant(ledger, session), events)
    assert sorted(key.registration_id for key in page.to_create) == ["R2", "R4"]
    assert [str(page.outcomes[e.key]) for e in events] == ["quarantined", "claimed", "not_eligible", "claimed"]


def test_a_corrected_event_leaves_the_quarantine_and_is_claimed(ledger, session) -> None:
    me = claimant(ledger, session)
    claim_page(ledger, me, [event(1, findings=BAD)])
    assert count(ledger, "quarantine", "resolved_at IS NULL") == 1
    page = claim_page(ledger, me, [event(1)])
    assert len(page.to_create) == 1
    assert page.outcomes[EventKey("R1")] is ReadingOutcome.CLAIMED
    assert count(ledger, "quarantine", "resolved_at IS NULL") == 0
    assert count(ledger, "readings") == 1, "one event read twice by a batch is one reading"


def test_two_tasks_that_claim_the_same_page_at_once_never_both_get_an_event(ledger_url: str, ledger: Engine) -> None:
    events = [event(n) for n in range(400)]
    got: list[dict[EventKey, str]] = []
    barrier = threading.Barrier(6)

    def task() -> None:
        own = connect_to_ledger(ledger_url)
        mine = Session.open(own, "racer")
        me = claimant(own, mine)
        barrier.wait()
        got.append(claim_page(own, me, events).to_create)
        barrier.wait()
        mine.close(in_order=True)
        own.dispose()

    threads = [threading.Thread(target=task) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = [key for part in got for key in part]
    aids = [aid for part in got for aid in part.values()]
    assert len(keys) == len(set(keys)) == 400
    assert len(set(aids)) == 400


def test_what_another_task_took_over_and_sent_meanwhile_is_left_alone(ledger: Engine, session: Session) -> None:
    """Both saw it unsent and left by a dead session; the other was quicker, sent it, and has ended since."""
    dying = Session.open(ledger, "dying")
    (aid,) = claim_page(ledger, claimant(ledger, dying), [event(1)]).to_create.values()
    dying.close(in_order=True)
    quicker = Session.open(ledger, "quicker")
    assert claim_page(ledger, claimant(ledger, quicker), [event(1)]).to_create == {EventKey("R1"): aid}
    write_group(ledger, quicker.session_id, triggering=[aid])
    write_group(ledger, quicker.session_id, outcomes=[TriggerOutcome(aid, EvidenceKind.TRIGGER_ACCEPTED, "w")])
    quicker.close(in_order=True)
    with ledger.begin() as connection:
        taken = take_over(connection, session.session_id, {aid: dying.session_id})
    assert taken.states == {}


def test_tasks_that_find_the_same_rows_of_a_dead_session_at_once_share_them(ledger_url: str, ledger: Engine) -> None:
    dying = Session.open(ledger, "dying")
    events = [event(n) for n in range(200)]
    claim_page(ledger, claimant(ledger, dying), events)
    dying.close(in_order=False)
    got: list[list[str]] = []
    barrier = threading.Barrier(5)

    def task() -> None:
        own = connect_to_ledger(ledger_url)
        mine = Session.open(own, "heir")
        me = claimant(own, mine)
        barrier.wait()
        got.append(list(claim_page(own, me, events).to_create.values()))
        barrier.wait()
        mine.close(in_order=True)
        own.dispose()

    threads = [threading.Thread(target=task) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [aid for part in got for aid in part]
    assert len(taken) == len(set(taken)) == 200


def test_aids_are_unique_over_processes_and_clock_steps(ledger: Engine) -> None:
    taken: list[str] = []
    lock = threading.Lock()

    def task() -> None:
        for size in (1, 70, 500, 3):
            aids = take_aids(ledger, "10001", "10077", size)
            with lock:
                taken.extend(aids)

    threads = [threading.Thread(target=task) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ledger.begin() as connection:  # the clock of the server steps back by two hours
        connection.execute(text("UPDATE aid_clocks SET last_tick = last_tick + 2 * 3600 * 100000"))
    taken += take_aids(ledger, "10001", "10077", 10)
    taken += take_aids(ledger, "10001", "10078", 10)
    assert len(taken) == len(set(taken)) == 8 * 574 + 20
