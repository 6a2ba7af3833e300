"""The write-ahead rule, in the ledger: TRIGGERING is granted once, to its owner, and never taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from tests.ledger.books import count, state_of, window

from mosip_crvs.ledger.batches import open_batch
from mosip_crvs.ledger.claims import Claimant, ReadEvent, claim_page
from mosip_crvs.ledger.sending import Held, TriggerOutcome, adopt, stranded, write_group
from mosip_crvs.ledger.sessions import Session, dead_sessions, seconds_to_wait
from mosip_crvs.model import EventKey, RegistrationKind
from mosip_crvs.settlement.rules import EvidenceKind

ACCEPTED, PRESENT = EvidenceKind.TRIGGER_ACCEPTED, EvidenceKind.TRIGGER_ALREADY_PRESENT


@pytest.fixture
def mine(ledger: Engine):
    """A living session."""
    session = Session.open(ledger, "mine")
    yield session
    session.close(in_order=True)


@pytest.fixture
def aids(ledger: Engine, mine: Session) -> list[str]:
    """Five claimed applications of that session."""
    claimant = Claimant(
        RegistrationKind.BIRTH, open_batch(ledger, window(), "t", []), mine.session_id, "10001", "10077"
    )
    page = claim_page(ledger, claimant, [ReadEvent(EventKey(f"R{n}"), None) for n in range(5)])
    return list(page.to_create.values())


def test_a_trigger_is_granted_to_the_owner_and_durable_at_once(ledger, mine, aids) -> None:
    assert write_group(ledger, mine.session_id, triggering=aids[:2]) == set(aids[:2])
    assert {state_of(ledger, aid) for aid in aids[:2]} == {"TRIGGERING"}
    assert state_of(ledger, aids[2]) == "AID_ASSIGNED"


def test_a_trigger_is_not_granted_twice(ledger, mine, aids) -> None:
    write_group(ledger, mine.session_id, triggering=aids)
    assert write_group(ledger, mine.session_id, triggering=aids) == set()


def test_a_trigger_is_not_granted_to_a_session_that_lost_its_application(ledger, mine, aids) -> None:
    thief = Session.open(ledger, "thief")
    with ledger.begin() as connection:
        connection.execute(
            text("UPDATE applications SET session_id = :s WHERE aid = :a"), {"s": thief.session_id, "a": aids[0]}
        )
    assert write_group(ledger, mine.session_id, triggering=aids) == set(aids[1:])
    thief.close(in_order=True)


def test_an_outcome_moves_only_what_is_being_triggered_and_is_always_evidence(ledger, mine, aids) -> None:
    write_group(ledger, mine.session_id, triggering=aids[:2])
    with ledger.begin() as connection:  # the result was here before the trigger's answer
        connection.execute(text("UPDATE applications SET state = 'COMPLETED' WHERE aid = :a"), {"a": aids[1]})
    write_group(
        ledger,
        mine.session_id,
        outcomes=[TriggerOutcome(aids[0], ACCEPTED, "w0"), TriggerOutcome(aids[1], PRESENT)],
    )
    assert state_of(ledger, aids[0]) == "TRIGGERED"
    assert state_of(ledger, aids[1]) == "COMPLETED"
    assert count(ledger, "evidence") == 2
    assert count(ledger, "evidence", "moved_from = 'TRIGGERING' AND moved_to = 'TRIGGERED'") == 1


def test_every_answer_to_a_trigger_is_evidence_of_its_own_and_moves_no_more_than_one(ledger, mine, aids) -> None:
    write_group(ledger, mine.session_id, triggering=aids[:1])
    for _ in range(2):
        write_group(ledger, mine.session_id, outcomes=[TriggerOutcome(aids[0], PRESENT)])
    assert count(ledger, "evidence", "moved_from = 'TRIGGERING' AND moved_to = 'TRIGGERED'") == 1
    assert count(ledger, "evidence", "moved_from = 'TRIGGERED' AND moved_to = 'TRIGGERED'") == 1
    assert count(ledger, "applications", "evidence_count = 2") == 1


def test_what_could_not_be_sent_is_held_with_its_code_and_released_when_it_is_sent(ledger, mine, aids) -> None:
    write_group(ledger, mine.session_id, held=[Held(aids[0], "RESPONSE_NULL")])
    assert count(ledger, "applications", "held_code = 'RESPONSE_NULL' AND state = 'AID_ASSIGNED'") == 1
    write_group(ledger, mine.session_id, triggering=aids[:1])
    assert count(ledger, "applications", "held_code IS NOT NULL") == 0


def test_stranded_triggers_are_adopted_from_dead_sessions_only(ledger, mine, aids) -> None:
    write_group(ledger, mine.session_id, triggering=aids)
    heir = Session.open(ledger, "heir")
    assert sorted(stranded(ledger, "birth")) == sorted(aids)
    assert stranded(ledger, "death") == []
    assert adopt(ledger, heir.session_id, aids).states == {}, "their owner lives"
    with ledger.begin() as connection:
        connection.execute(text("UPDATE applications SET session_id = 999999 WHERE aid = :a"), {"a": aids[0]})
    assert list(adopt(ledger, heir.session_id, aids).states) == [aids[0]]
    heir.close(in_order=True)


def test_a_session_is_alive_exactly_as_long_as_its_connection(ledger: Engine) -> None:
    session = Session.open(ledger, "s")
    with ledger.begin() as connection:
        assert dead_sessions(connection, [session.session_id]) == {}
    with ledger.begin() as connection:  # as if its process had been killed: the server ends the connection
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = :id"),
            {"id": session.session_id},
        )
    with ledger.begin() as connection:
        dead = dead_sessions(connection, [session.session_id])
    assert list(dead) == [session.session_id]
    assert dead[session.session_id] is not None
    with pytest.raises(Exception, match="lock is gone"):
        session.check()


def test_the_wait_before_a_takeover_is_counted_from_the_last_sign_of_life(ledger: Engine) -> None:
    session = Session.open(ledger, "s")
    with ledger.begin() as connection:
        connection.execute(text("UPDATE sessions SET seen_at = clock_timestamp() - interval '4 seconds'"))
        seen = connection.execute(text("SELECT seen_at FROM sessions")).scalar_one()
        assert 5.0 < seconds_to_wait(connection, [seen], 10.0) <= 6.0
        assert seconds_to_wait(connection, [seen], 3.0) == 0.0
        assert seconds_to_wait(connection, [None], 10.0) == 0.0
    session.close(in_order=True)


@pytest.mark.parametrize(
    "act", ["UPDATE evidence SET moved_to = 'FAILED'", "DELETE FROM evidence", "TRUNCATE evidence"]
)
def test_evidence_can_only_be_added(ledger, mine, aids, act) -> None:
    write_group(ledger, mine.session_id, triggering=aids[:1])
    write_group(ledger, mine.session_id, outcomes=[TriggerOutcome(aids[0], ACCEPTED, "w")])
    with pytest.raises(DBAPIError, match="append-only"), ledger.begin() as connection:
        connection.execute(text(act))
