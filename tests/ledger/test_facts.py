"""Whatever is said of an application goes one way into the ledger: kept once, in a chain, with what it does."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from sqlalchemy import Engine
from tests.night import check_the_books
from tests.reconciliation.day_books import Books, aid

from mosip_crvs.ledger import alarms, facts, polling
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.evidence import Fact
from mosip_crvs.ledger.facts import Recorded
from mosip_crvs.ledger.sending import TriggerOutcome, write_group
from mosip_crvs.model import ApplicationState as State
from mosip_crvs.settlement.rules import EvidenceKind as Kind

NOW = datetime.now(UTC) + timedelta(hours=1)
"""Later than all that the books have said already."""
ONE, TWO = aid(1), aid(2)


@pytest.fixture
def books(ledger: Engine) -> Books:
    """An empty ledger's books."""
    return Books(ledger)


def fact(kind: Kind, of: str = ONE, *, minute: float = 0, occasion: str = "", words: str = "") -> Fact:
    """Something that was said, the minutes telling in which order."""
    digest = hashlib.sha256(f"{kind}{words}".encode()).hexdigest()
    return Fact(of, kind, "somebody", None, digest, NOW + timedelta(minutes=minute), occasion)


def record(books: Books, *said: Fact) -> Recorded:
    with transaction(books.ledger) as connection:
        return facts.record(connection, said)


def open_alarms(books: Books) -> set[tuple[str, str]]:
    return {(alarm.code, alarm.subject) for alarm in alarms.open_alarms(books.ledger)}


def test_what_was_said_before_is_counted_and_has_no_effect(books: Books) -> None:
    books.apply(books.batch(), {ONE: "TRIGGERED"})
    done = fact(Kind.WORKFLOW_PROCESSED)
    first = record(books, done, done)
    again = record(books, done, fact(Kind.WORKFLOW_PROCESSED, minute=60))
    assert (first.tally["repeated"], again.tally["repeated"]) == (1, 2), "a notification that comes later is the same"
    assert (first.moved, again.moved) == ({ONE: (State.TRIGGERED, State.COMPLETED)}, {})
    assert len(books.evidence()) == 1


def test_answers_of_the_same_words_on_two_occasions_are_two(books: Books) -> None:
    books.apply(books.batch(), {ONE: "TRIGGERED"})
    said = [fact(Kind.STATUS_PROCESSING, minute=n, occasion=f"{n}") for n in (1, 2, 2)]
    assert record(books, *said).tally["repeated"] == 1
    assert [row.sequence for row in books.evidence()] == [2, 3], "behind the answer to the trigger"


def test_of_what_nobody_knows_nothing_is_kept_and_the_others_have_their_effect(books: Books) -> None:
    books.apply(books.batch(), {ONE: "TRIGGERED"})
    recorded = record(books, fact(Kind.WORKFLOW_FAILED, TWO), fact(Kind.WORKFLOW_FAILED))
    assert recorded.unknown == {TWO}
    assert recorded.moved == {ONE: (State.TRIGGERED, State.FAILED)}
    assert {row.aid for row in books.evidence()} == {ONE}


def test_without_facts_nothing_is_done(books: Books) -> None:
    assert record(books) == Recorded()


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_the_order_within_a_page_and_between_pages_does_not_matter(books: Books, order: tuple[int, ...]) -> None:
    books.apply(books.batch(), dict.fromkeys((ONE, TWO), "TRIGGERED"))
    kinds = (Kind.WORKFLOW_FAILED, Kind.STATUS_PROCESSING, Kind.PAUSED_FOR_INFO)
    said = [fact(kind, minute=n) for n, kind in enumerate(kinds)]
    record(books, *(said[place] for place in order))
    for place in order:
        record(books, fact(kinds[place], TWO, minute=place))
    assert books.states() == {ONE: "AWAITING_INFO", TWO: "AWAITING_INFO"}


def test_a_piece_that_comes_late_is_put_where_it_belongs(books: Books) -> None:
    books.apply(books.batch(), {ONE: "TRIGGERED"})
    record(books, fact(Kind.STATUS_PROCESSING, minute=10))
    recorded = record(books, fact(Kind.WORKFLOW_REJECTED, minute=5))
    assert recorded.moved == {}, "MOSIP had worked on it since"
    (_, late) = books.evidence()
    assert (late.kind, late.moved_from, late.moved_to) == ("workflow_rejected", "TRIGGERED", "TRIGGERED")


def test_the_row_says_what_each_piece_did_as_they_came_in(books: Books) -> None:
    books.apply(books.batch(), {ONE: "TRIGGERING"})
    record(books, fact(Kind.WORKFLOW_FAILED, minute=1), fact(Kind.WORKFLOW_PROCESSED, minute=2))
    rows = books.evidence()
    assert [(row.moved_from, row.moved_to, row.alarm) for row in rows] == [
        ("TRIGGERING", "FAILED", None),
        ("FAILED", "COMPLETED", "reversed_refusal"),
    ]


def test_what_is_completed_is_asked_about_no_more_and_what_is_refused_tomorrow(books: Books) -> None:
    books.apply(books.batch(), dict.fromkeys((ONE, TWO), "TRIGGERED"))
    record(books, fact(Kind.WORKFLOW_PROCESSED), fact(Kind.WORKFLOW_REJECTED, TWO))
    hours = {row.aid: row.hours for row in books.run(
        "SELECT aid, round(extract(epoch FROM next_poll_at - now()) / 3600) AS hours FROM applications")}  # fmt: skip
    assert hours == {ONE: None, TWO: 24}


@pytest.mark.parametrize(
    ("before", "raising", "alarm", "clearing"),
    [
        ("TRIGGERED", Kind.STATUS_NOT_FOUND, "unknown_to_mosip", Kind.WORKFLOW_PROCESSED),
        ("COMPLETED", Kind.WORKFLOW_FAILED, "contradicted_success", Kind.STATUS_UIN_GENERATED),
        ("COMPLETED", Kind.WORKFLOW_FAILED, "contradicted_success", Kind.STATUS_REJECTED),
        ("COMPLETED", Kind.STATUS_REJECTED, "revoked_success", Kind.STATUS_UIN_GENERATED),
        ("REJECTED", Kind.WORKFLOW_PROCESSED, "reversed_refusal", None),
        ("AID_ASSIGNED", Kind.WORKFLOW_FAILED, "result_before_trigger", None),
    ],
)
def test_alarms_are_raised_once_and_cleared_by_what_answers_them(
    books: Books, before: str, raising: Kind, alarm: str, clearing: Kind | None
) -> None:
    books.apply(books.batch(), {ONE: before})
    recorded = record(books, fact(raising, minute=1))
    record(books, fact(raising, minute=1))
    assert recorded.tally[f"alarm_{alarm}"] == 1
    assert open_alarms(books) == {(alarm, ONE)}
    assert books.run("SELECT count(*) AS n FROM alarms")[0].n == 1
    record(books, fact(clearing or Kind.STATUS_OTHER, minute=2))
    assert ((alarm, ONE) in open_alarms(books)) is (clearing is None)


def test_a_contradiction_is_not_answered_by_what_mosip_had_said_before_it(books: Books) -> None:
    books.apply(books.batch(), {ONE: "COMPLETED"})
    record(books, fact(Kind.WORKFLOW_REJECTED, minute=5))
    record(books, fact(Kind.STATUS_UIN_GENERATED, minute=4))
    assert open_alarms(books) == {("contradicted_success", ONE)}


def test_a_contradicted_success_is_due_to_be_asked_about_at_once(books: Books) -> None:
    books.apply(books.batch(), {ONE: "COMPLETED"})
    assert polling.take_due(books.ledger, polling.RegistrationKind.BIRTH, 10) == []
    record(books, fact(Kind.WORKFLOW_REJECTED, minute=5))
    assert [due.aid for due in polling.take_due(books.ledger, polling.RegistrationKind.BIRTH, 10)] == [ONE]


# --- two at once -----------------------------------------------------------------------------------------------------


def side_by_side(*work: Callable[[], None]) -> None:
    """Begin some work at the same moment; each must end by itself, and none may fail."""
    begin = threading.Barrier(len(work))

    def one(each: Callable[[], None]) -> None:
        begin.wait(10)
        each()

    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(one, each) for each in work]:
            done.result(timeout=60)


def test_settlers_of_the_same_applications_never_fork_a_chain_and_wait_for_one_another_in_one_order(
    books: Books,
) -> None:
    aids = [aid(number) for number in range(30)]
    books.apply(books.batch(), dict.fromkeys(aids, "TRIGGERED"))

    def settler(name: str, order: Sequence[str]) -> Callable[[], None]:
        def settle() -> None:
            for number in range(15):
                said = [fact(Kind.STATUS_PROCESSING, each, minute=number, occasion=f"{name}{number}") for each in order]
                record(books, *said)

        return settle

    side_by_side(settler("a", aids), settler("b", aids[::-1]), settler("c", aids[15:] + aids[:15]))

    assert Counter(row.aid for row in books.evidence()) == Counter(dict.fromkeys(aids, 45))
    check_the_books(books.ledger)


def test_the_same_fact_from_two_settlers_at_once_is_kept_once(books: Books) -> None:
    aids = [aid(number) for number in range(40)]
    books.apply(books.batch(), dict.fromkeys(aids, "TRIGGERED"))
    said = [fact(Kind.WORKFLOW_PROCESSED, each) for each in aids]
    tallies: list[Recorded] = []
    side_by_side(*[lambda: tallies.append(record(books, *said))] * 3)
    assert len(books.evidence()) == 40
    assert sum(each.tally["repeated"] for each in tallies) == 80
    assert sum(len(each.moved) for each in tallies) == 40
    check_the_books(books.ledger)


def test_a_sender_and_a_settler_at_the_same_applications_do_not_block_each_other_for_ever(books: Books) -> None:
    aids = [aid(number) for number in range(60)]
    books.apply(books.batch(), dict.fromkeys(aids, "TRIGGERING"))

    def send() -> None:
        for _ in range(25):
            write_group(books.ledger, 1, outcomes=[
                TriggerOutcome(each, Kind.TRIGGER_ALREADY_PRESENT) for each in aids[::-1]])  # fmt: skip

    def settle() -> None:
        for number in range(25):
            record(books, *(fact(Kind.STATUS_PROCESSING, each, minute=number, occasion=f"{number}") for each in aids))

    side_by_side(send, settle)
    assert len(books.evidence()) == 60 * 50
    check_the_books(books.ledger)
