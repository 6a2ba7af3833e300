"""The outbox: what is told of an event follows from what became of it, and is told once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from tests.outbox import BIRTH, Outbox, aid, key

from mosip_crvs.ledger import results
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.results import DueResult
from mosip_crvs.model import EventKey, Finding, ResultOutcome
from mosip_crvs.reconciliation.wording import sentence


@pytest.fixture
def outbox(ledger: Engine) -> Outbox:
    return Outbox(ledger)


def take(outbox: Outbox, limit: int = 100, after: timedelta = timedelta()) -> list[DueResult]:
    with transaction(outbox.ledger) as connection:
        return results.take_due(connection, limit, datetime.now(UTC) + after + timedelta(seconds=1))


def deliver(outbox: Outbox, rows: Sequence[DueResult]) -> None:
    with transaction(outbox.ledger) as connection:
        results.delivered(connection, rows)


@pytest.mark.parametrize("state", ["AID_ASSIGNED", "TRIGGERING", "TRIGGERED", "WITHDRAWN"])
def test_that_an_event_is_on_its_way_is_told_only_where_something_else_had_been_told(
    outbox: Outbox, state: str
) -> None:
    outbox.apply(1, state)
    outbox.post(1)
    assert outbox.told(1) is None


@pytest.mark.parametrize(
    ("state", "outcome", "code"),
    [
        ("COMPLETED", "completed", None),
        ("REJECTED", "updates_required", "REJECTED"),
        ("FAILED", "updates_required", "FAILED"),
        ("AWAITING_INFO", "information_required", "AWAITING_INFO"),
    ],
)
def test_every_state_that_a_registrar_must_know_of_is_told_once(
    outbox: Outbox, state: str, outcome: str, code: str | None
) -> None:
    outbox.apply(1, state)
    for _ in range(3):
        outbox.post(1)
    assert outbox.told(1) == (outcome, code, aid(1), 1)


def test_the_stage_that_failed_explains_a_refusal_better_than_the_result(outbox: Outbox) -> None:
    outbox.apply(1, "FAILED")
    outbox.say(1, "trigger_already_present", "RPR-WIS-001")
    outbox.say(1, "workflow_failed", "PACKET_FAILED")
    outbox.post(1)
    assert outbox.told(1) == ("updates_required", "PACKET_FAILED", aid(1), 1)
    outbox.say(1, "stage_failed", "RPR-PKV-FAILED-007")
    outbox.say(1, "workflow_rejected", "PACKET_REJECTED")
    outbox.say(1, "status_reregister", "REREGISTER")
    outbox.post(1)
    assert outbox.told(1) == ("updates_required", "RPR-PKV-FAILED-007", aid(1), 2)


def test_a_corrected_event_is_sent_again_and_finished(outbox: Outbox) -> None:
    outbox.apply(1, "REJECTED")
    outbox.post(1)
    outbox.apply(2, "AID_ASSIGNED", of=1)
    outbox.release(1)
    assert outbox.told(1) == ("sent", None, aid(2), 2)
    outbox.move(2, "TRIGGERED")
    assert outbox.told(1) == ("sent", None, aid(2), 2), "nothing new for a registrar"
    outbox.move(2, "COMPLETED")
    assert outbox.told(1) == ("completed", None, aid(2), 3)


def test_an_operator_who_resumes_a_refused_application_is_followed(outbox: Outbox) -> None:
    outbox.apply(1, "REJECTED")
    outbox.post(1)
    outbox.move(1, "TRIGGERED")
    assert outbox.told(1) == ("sent", None, aid(1), 2)
    outbox.move(1, "COMPLETED")
    assert outbox.told(1) == ("completed", None, aid(1), 3)


def test_of_two_applications_of_an_event_the_current_one_is_told_whichever_moved(outbox: Outbox) -> None:
    outbox.apply(1, "REJECTED")
    outbox.apply(2, "COMPLETED", of=1)
    outbox.post(1)
    assert outbox.told(1) == ("completed", None, aid(2), 1)
    outbox.run("UPDATE applications SET is_current = false, state = 'REJECTED' WHERE aid = :aid", aid=aid(2))
    outbox.run("UPDATE applications SET is_current = true, state = 'COMPLETED' WHERE aid = :aid", aid=aid(1))
    outbox.post(1, 2)
    assert outbox.told(1) == ("completed", None, aid(1), 2)


def test_an_identifier_stays_told_whatever_else_comes_of_the_same_application(outbox: Outbox) -> None:
    outbox.apply(1, "COMPLETED")
    outbox.post(1)
    assert outbox.issue(1, b"sealed")
    assert outbox.told(1) == ("issued", None, aid(1), 2)
    outbox.post(1)
    assert outbox.issue(1, b"sealed again")
    assert outbox.told(1) == ("issued", None, aid(1), 2), "the same identifier, sealed anew, is no news"
    assert outbox.issue(1, b"another", kind="UIN")
    assert outbox.told(1) == ("issued", None, aid(1), 3)
    assert bytes(outbox.rows()[0].sealed_identifier) == b"another"


@pytest.mark.parametrize("state", ["REJECTED", "FAILED"])
@pytest.mark.parametrize("is_issued", [False, True])
def test_a_success_that_mosip_takes_back_is_told_and_no_correction_asked_for(
    outbox: Outbox, state: str, is_issued: bool
) -> None:
    outbox.apply(1, "COMPLETED")
    outbox.say(1, "status_uin_generated", None)
    outbox.post(1)
    if is_issued:
        outbox.issue(1, b"sealed")
    outbox.say(1, "workflow_failed", "PACKET_FAILED")
    for _ in range(2):
        outbox.move(1, state)
    told = outbox.told(1)
    assert told == ("updates_required", "REVOKED_SUCCESS", aid(1), 3 if is_issued else 2)
    assert (outbox.rows()[0].identifier_kind, outbox.rows()[0].sealed_identifier) == (None, None)
    assert "do not amend the record" in sentence(ResultOutcome.UPDATES_REQUIRED, told[1])


def test_a_success_that_mosip_takes_back_before_it_was_told_is_told_alike(outbox: Outbox) -> None:
    outbox.apply(1, "REJECTED")
    outbox.say(1, "workflow_processed", None)
    outbox.post(1)
    assert outbox.told(1) == ("updates_required", "REVOKED_SUCCESS", aid(1), 1)
    outbox.move(1, "COMPLETED")
    assert outbox.told(1) == ("completed", None, aid(1), 2)


def test_an_identifier_may_come_before_the_result(outbox: Outbox) -> None:
    outbox.apply(1, "TRIGGERED")
    assert outbox.issue(1, b"sealed")
    outbox.move(1, "COMPLETED")
    assert outbox.told(1) == ("issued", None, aid(1), 1)


def test_an_identifier_of_an_application_that_does_not_stand_for_its_event_is_not_told(outbox: Outbox) -> None:
    outbox.apply(1, "REJECTED")
    outbox.apply(2, "TRIGGERED", of=1)
    assert not outbox.issue(1, b"sealed")
    assert not outbox.issue(7, b"of nobody")
    assert outbox.told(1) is None


def test_another_application_does_not_inherit_the_identifier(outbox: Outbox) -> None:
    outbox.apply(1, "COMPLETED")
    outbox.issue(1, b"sealed")
    outbox.apply(2, "COMPLETED", of=1)
    outbox.post(2)
    assert outbox.told(1) == ("completed", None, aid(2), 2)
    assert (outbox.rows()[0].identifier_kind, outbox.rows()[0].sealed_identifier) == (None, None)


def test_findings_are_told_by_field_and_rule_at_most_five_of_them(outbox: Outbox) -> None:
    rules = ["MISSING", "MISSING", *(f"RULE_{number}" for number in range(6))]
    outbox.find(1, *rules)
    code = "; ".join(f"dateOfBirth {rule}" for rule in ["MISSING", "RULE_0", "RULE_1", "RULE_2", "RULE_3"])
    assert outbox.told(1) == ("updates_required", code, None, 1)
    outbox.find(1, *rules)
    assert outbox.told(1) == ("updates_required", code, None, 1)
    outbox.find(1, "DATE_IN_FUTURE")
    assert outbox.told(1) == ("updates_required", "dateOfBirth DATE_IN_FUTURE", None, 2)


def test_a_corrected_finding_is_told_as_sent_once_the_event_was_claimed(outbox: Outbox) -> None:
    outbox.find(1, "MISSING")
    outbox.release(1)
    assert outbox.told(1) == ("updates_required", "dateOfBirth MISSING", None, 1), "nobody claimed it"
    outbox.apply(1, "AID_ASSIGNED")
    outbox.release(1)
    assert outbox.told(1) == ("sent", None, aid(1), 2)


@pytest.mark.parametrize("state", ["TRIGGERING", "TRIGGERED", "AWAITING_INFO", "COMPLETED"])
def test_findings_do_not_call_in_question_what_mosip_has(outbox: Outbox, state: str) -> None:
    outbox.apply(1, state)
    outbox.post(1)
    before = outbox.told(1)
    outbox.find(1, "MISSING")
    assert outbox.told(1) == before


@pytest.mark.parametrize("state", ["AID_ASSIGNED", "REJECTED", "FAILED"])
def test_what_was_corrected_wrongly_is_told_by_the_findings_until_they_are_resolved(outbox: Outbox, state: str) -> None:
    outbox.apply(1, state)
    outbox.post(1)
    outbox.find(1, "MISSING")
    told = outbox.told(1)
    assert told is not None
    assert told[:3] == ("updates_required", "dateOfBirth MISSING", None)
    outbox.post(1)
    assert outbox.told(1) == told, "the older refusal is no news"
    outbox.release(1)
    told = outbox.told(1)
    assert told is not None
    assert told[:3] == (("sent", None) if state == "AID_ASSIGNED" else ("updates_required", state)) + (aid(1),)


def test_a_refusal_is_told_although_findings_of_an_earlier_reading_are_open(outbox: Outbox) -> None:
    outbox.apply(1, "TRIGGERED")
    outbox.find(1, "MISSING")
    outbox.move(1, "REJECTED")
    assert outbox.told(1) == ("updates_required", "REJECTED", aid(1), 1)


def test_a_page_of_which_nothing_is_to_be_told_costs_one_statement(outbox: Outbox) -> None:
    seen: list[str] = []
    event.listen(outbox.ledger, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    with transaction(outbox.ledger) as connection:
        results.post_quarantine(connection, BIRTH, {}, ())
        assert not seen
        results.post_quarantine(connection, BIRTH, {}, [key(number) for number in range(500)])
    assert len(seen) == 1


def test_every_change_is_due_at_once_however_long_the_row_was_waiting(outbox: Outbox) -> None:
    outbox.apply(1, "REJECTED")
    outbox.post(1)
    with transaction(outbox.ledger) as connection:
        taken = results.take_due(connection, 10, datetime.now(UTC) + timedelta(seconds=1))
        results.failed(connection, taken, "the registry did not answer", datetime.now(UTC) + timedelta(hours=1))
    assert take(outbox) == []
    (row,) = outbox.rows()
    assert (row.tries, row.problem) == (1, "the registry did not answer")
    outbox.move(1, "COMPLETED")
    (due,) = take(outbox)
    assert (due.outcome, due.version, due.tries) == ("completed", 2, 0)


def test_what_one_run_took_no_other_takes_until_the_lease_is_over(outbox: Outbox) -> None:
    for number in range(5):
        outbox.apply(number, "COMPLETED")
    outbox.post(*range(5))
    first, second = take(outbox, limit=3), take(outbox, limit=3)
    assert {row.key for row in first} | {row.key for row in second} == {key(number) for number in range(5)}
    assert (len(first), len(second), take(outbox)) == (3, 2, [])
    deliver(outbox, second)
    assert {row.key for row in take(outbox, after=results.LEASE)} == {row.key for row in first}


def test_rows_that_another_transaction_is_changing_are_left_to_the_next_run(outbox: Outbox) -> None:
    outbox.apply(1, "COMPLETED")
    outbox.apply(2, "COMPLETED")
    outbox.post(1, 2)
    with transaction(outbox.ledger) as busy:
        results.post_identifier(busy, aid(1), "PSUT", b"sealed")
        assert [row.key for row in take(outbox)] == [key(2)]


def test_a_result_that_changed_while_it_was_delivered_stays_due(outbox: Outbox) -> None:
    outbox.apply(1, "REJECTED")
    outbox.post(1)
    taken = take(outbox)
    outbox.move(1, "COMPLETED")
    deliver(outbox, taken)
    with transaction(outbox.ledger) as connection:
        results.failed(connection, taken, "came too late", datetime.now(UTC) + timedelta(hours=1))
    (due,) = take(outbox)
    assert due.version == 2
    deliver(outbox, [due])
    assert take(outbox, after=timedelta(days=1)) == []
    deliver(outbox, taken)
    assert outbox.rows()[0].delivered_version == 2, "the older version came late"


def test_neither_registration_nor_seal_is_shown_when_a_due_result_is_printed(outbox: Outbox) -> None:
    outbox.apply(1, "COMPLETED")
    outbox.issue(1, b"sealed-identifier")
    shown = repr(take(outbox))
    assert "B-1" not in shown
    assert "sealed-identifier" not in shown


def test_posts_of_many_events_at_once_do_not_lock_each_other_out(outbox: Outbox) -> None:
    from concurrent.futures import ThreadPoolExecutor

    numbers = list(range(60))
    for number in numbers:
        outbox.apply(number, "REJECTED")

    def post(turn: int) -> None:
        order = numbers if turn % 2 else numbers[::-1]
        with transaction(outbox.ledger) as connection:
            if turn % 3:
                results.post_states(connection, [aid(number) for number in order])
            else:
                findings: dict[EventKey, Any] = {key(n): [Finding("gender", f"RULE_{turn}")] for n in order}
                results.post_quarantine(connection, BIRTH, findings, ())

    with ThreadPoolExecutor(4) as posts:
        list(posts.map(post, range(24)))
    assert len(outbox.rows()) == 60
