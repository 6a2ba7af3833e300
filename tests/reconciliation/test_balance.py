"""A day balances when every event stands in exactly one term, and only then."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from day_books import DAY, Books, aid
from sqlalchemy import Engine

from mosip_crvs.ledger.batches import Hold
from mosip_crvs.reconciliation.balance import day_balance, days_to_balance, open_applications
from mosip_crvs.reconciliation.signing import keep

STATES = {
    "AID_ASSIGNED": "held",
    "TRIGGERING": "in_progress",
    "TRIGGERED": "in_progress",
    "HALF_CREATED": "in_progress",
    "AWAITING_INFO": "awaiting",
    "FAILED": "failed",
    "REJECTED": "rejected",
    "COMPLETED": "completed",
}
OUTCOMES = ["known", "not_eligible", "quarantined"]
SENT = ["completed", "rejected", "failed", "awaiting", "in_progress"]


def a_full_day(books: Books) -> None:
    """Births and deaths in every state, each a different number of times."""
    for kind, start in (("birth", 0), ("death", 50_000)):
        batch = books.batch(kind)
        number = start
        for times, state in enumerate(STATES, start=2 if kind == "birth" else 3):
            books.apply(batch, {aid(number + n): state for n in range(times)})
            number += times
        for times, outcome in enumerate(OUTCOMES, start=4):
            books.read(batch, outcome, [f"{kind}-{outcome}-{n}" for n in range(times)])


@pytest.mark.parametrize(("state", "term"), STATES.items())
def test_each_state_lands_in_its_term_and_in_no_other(books: Books, state: str, term: str) -> None:
    books.apply(books.batch(), {aid(1): state, aid(2): state})

    plain = day_balance(books.ledger, DAY).as_dict()

    submitted = 0 if term == "held" else 2
    assert {name: plain[name] for name in ("held", "submitted", *SENT)} == {
        **dict.fromkeys(("held", *SENT), 0),
        "submitted": submitted,
        term: 2,
    }
    assert plain["read"] == 2
    assert plain["unexplained"] == 0
    assert plain["balanced"] is True


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_without_an_application_is_a_term(books: Books, outcome: str) -> None:
    books.read(books.batch(), outcome, ["a", "b", "c"])

    plain = day_balance(books.ledger, DAY).as_dict()

    assert (plain["read"], plain[outcome], plain["submitted"], plain["held"]) == (3, 3, 0, 0)
    assert sum(plain[name] for name in OUTCOMES) == 3
    assert plain["balanced"] is True


def test_both_equations_hold_for_a_day_with_everything_in_it(books: Books) -> None:
    a_full_day(books)

    balance = day_balance(books.ledger, DAY)
    plain = balance.as_dict()

    for terms in (plain, plain["kinds"]["birth"], plain["kinds"]["death"]):
        assert terms["read"] == sum(terms[name] for name in (*OUTCOMES, "held", "submitted"))
        assert terms["submitted"] == sum(terms[name] for name in SENT)
        assert all(terms[name] > 0 for name in (*OUTCOMES, "held", "submitted", *SENT))
    assert plain["read"] == plain["kinds"]["birth"]["read"] + plain["kinds"]["death"]["read"]
    assert plain["read"] == sum(range(2, 10)) + sum(range(3, 11)) + 2 * (4 + 5 + 6)
    assert (plain["held"], plain["completed"]) == (2 + 3, 9 + 10)
    assert balance.balanced
    assert json.loads(balance.as_json()) == plain


def test_an_application_that_vanished_is_unexplained(books: Books) -> None:
    a_full_day(books)
    books.run("DELETE FROM applications WHERE aid = :aid", aid=aid(0))

    balance = day_balance(books.ledger, DAY)

    assert balance.unexplained == 1
    assert balance.balanced is False
    assert balance.as_dict()["unexplained"] == 1


def test_a_reading_that_vanished_is_unexplained(books: Books) -> None:
    a_full_day(books)
    books.run("DELETE FROM readings WHERE registration_id = :id", id=f"registration-of-{aid(0)}")

    assert day_balance(books.ledger, DAY).unexplained == 1


def test_too_much_in_births_does_not_hide_too_little_in_deaths(books: Books) -> None:
    a_full_day(books)
    books.run("DELETE FROM applications WHERE aid = :aid", aid=aid(0))
    books.run("DELETE FROM readings WHERE registration_id = :id", id=f"registration-of-{aid(50_000)}")

    balance = day_balance(books.ledger, DAY)

    assert balance.unexplained == 2
    assert balance.balanced is False


def test_the_last_batch_of_a_day_is_the_days(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "COMPLETED", aid(2): "COMPLETED"})
    again = books.batch()
    books.read(again, "known", [f"registration-of-{aid(1)}", f"registration-of-{aid(2)}"])

    plain = day_balance(books.ledger, DAY).as_dict()

    assert (plain["read"], plain["known"], plain["submitted"], plain["unexplained"]) == (2, 2, 0, 0)


def test_the_books_of_other_days_stay_out(books: Books) -> None:
    books.apply(books.batch(day=DAY - timedelta(days=1)), {aid(1): "COMPLETED"})
    books.apply(books.batch(day=DAY + timedelta(days=1)), {aid(2): "COMPLETED"})
    books.apply(books.batch(), {aid(3): "REJECTED"})

    plain = day_balance(books.ledger, DAY).as_dict()

    assert (plain["read"], plain["rejected"], plain["completed"]) == (1, 1, 0)


@pytest.mark.parametrize("unfinished", ["birth", "death"])
def test_a_day_that_is_still_being_read_is_explained_and_not_balanced(books: Books, unfinished: str) -> None:
    for number, kind in enumerate(("birth", "death")):
        books.apply(books.batch(kind, finished=kind != unfinished), {aid(number): "TRIGGERED"})

    balance = day_balance(books.ledger, DAY)

    assert (balance.finished, balance.unexplained, balance.balanced) == (False, 0, False)
    assert balance.in_progress == 2


def test_a_day_without_a_batch_has_no_balance_to_be_proud_of(books: Books) -> None:
    balance = day_balance(books.ledger, DAY)

    assert balance.kinds == {}
    assert (balance.finished, balance.balanced, balance.terms.read) == (False, False, 0)


def test_a_batch_of_an_empty_day_balances(books: Books) -> None:
    books.batch()
    books.batch("death")

    balance = day_balance(books.ledger, DAY)

    assert (balance.balanced, balance.terms.read) == (True, 0)


def test_a_balance_that_is_kept_replaces_the_days_earlier_one(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERED"})
    keep(books.ledger, day_balance(books.ledger, DAY))
    books.run("UPDATE applications SET state = 'COMPLETED'")
    last = day_balance(books.ledger, DAY)
    keep(books.ledger, last)
    keep(books.ledger, day_balance(books.ledger, DAY + timedelta(days=1)))

    rows = {row.day: row for row in books.run("SELECT * FROM balances")}
    assert set(rows) == {DAY, DAY + timedelta(days=1)}
    assert rows[DAY].terms == last.as_dict()
    assert (rows[DAY].terms["completed"], rows[DAY].terms["in_progress"]) == (1, 0)
    assert (rows[DAY].balanced, rows[DAY].taken_at) == (True, last.taken_at)
    assert rows[DAY + timedelta(days=1)].balanced is False


def test_old_days_are_balanced_again_only_while_something_of_theirs_is_open(books: Books) -> None:
    first = date(2026, 1, 1)
    for number in range(12):
        state = {0: "TRIGGERED", 1: "AID_ASSIGNED", 2: "AWAITING_INFO", 3: "TRIGGERING"}.get(number, "COMPLETED")
        books.apply(books.batch(day=first + timedelta(days=number)), {aid(number): state})

    assert days_to_balance(books.ledger, newest=2) == [first + timedelta(days=n) for n in (11, 10, 3, 2, 1, 0)]
    assert days_to_balance(books.ledger, newest=0) == [first + timedelta(days=n) for n in (3, 2, 1, 0)]
    assert len(days_to_balance(books.ledger)) == 7 + 4


def test_what_mosip_has_not_spoken_about_is_counted_over_all_days(books: Books) -> None:
    for offset, state in enumerate(STATES):
        books.apply(books.batch(day=DAY + timedelta(days=offset)), {aid(offset): state})

    assert open_applications(books.ledger) == 2


def test_a_lost_reading_and_a_lost_application_do_not_cancel_each_other(ledger: Engine) -> None:
    from tests.ledger.books import DAY, window

    from mosip_crvs.ledger.batches import open_batch
    from mosip_crvs.ledger.claims import Claimant, ReadEvent, claim_page
    from mosip_crvs.ledger.sessions import Session
    from mosip_crvs.model import EventKey, RegistrationKind

    session = Session.open(ledger, "t")
    claimant = Claimant(
        RegistrationKind.BIRTH, open_batch(ledger, window(), "t", []), session.session_id, "10001", "10077"
    )
    claim_page(ledger, claimant, [ReadEvent(EventKey(f"R{n}"), None) for n in range(3)])
    session.close(in_order=True)
    assert day_balance(ledger, DAY).unexplained == 0
    with ledger.begin() as connection:
        connection.exec_driver_sql("DELETE FROM readings WHERE registration_id = 'R0'")
        connection.exec_driver_sql("DELETE FROM applications WHERE registration_id = 'R1'")
    taken = day_balance(ledger, DAY)
    assert taken.terms.read == taken.terms.held == 2, "the sums agree"
    assert taken.unexplained == 2


def test_what_earlier_syncs_of_the_day_left_open_is_not_forgotten_when_it_is_read_again(ledger: Engine) -> None:
    from tests.ledger.books import DAY, window

    from mosip_crvs.ledger.batches import open_batch
    from mosip_crvs.ledger.claims import Claimant, ReadEvent, claim_page
    from mosip_crvs.ledger.sending import write_group
    from mosip_crvs.ledger.sessions import Session
    from mosip_crvs.model import EventKey, RegistrationKind
    from mosip_crvs.reconciliation.report import as_table
    from mosip_crvs.reconciliation.report_html import as_html

    session = Session.open(ledger, "t")

    def claimant() -> Claimant:
        batch = open_batch(ledger, window(), "t", [])
        return Claimant(RegistrationKind.BIRTH, batch, session.session_id, "10001", "10077")

    page = claim_page(ledger, claimant(), [ReadEvent(EventKey(f"R{n}"), None) for n in range(3)])
    write_group(ledger, session.session_id, triggering=list(page.to_create.values())[:2])
    claimant()  # the day is read again, and nothing is found: the rows were amended and have left the window
    session.close(in_order=True)
    taken = day_balance(ledger, DAY)
    assert (taken.terms.read, taken.terms.submitted) == (0, 0)
    assert (taken.earlier.in_progress, taken.earlier.held, taken.in_progress) == (2, 1, 2)
    assert taken.as_dict()["day_total"]["in_progress"] == 2
    assert taken.as_dict()["day_total"]["held"] == 1
    for shown in (as_table(taken), as_html(taken)):
        assert "Earlier syncs of this day submitted 2: 2 in progress, and 1 are held" in shown


def held_ranges(books: Books, batch: int, *held_until: str | None) -> None:
    """Give a batch unfinished ranges, some of them held over Christmas."""
    for number, until in enumerate(held_until):
        books.run(
            "INSERT INTO ranges (batch_id, range_number, lower_modified_at, lower_id, upper_modified_at, upper_id, "
            "planned_rows, held_code, held_on, held_until) VALUES (:batch, :number, now(), '', now(), '', 1, "
            "CASE WHEN CAST(:until AS date) IS NOT NULL THEN 'HOLIDAY' END, CAST(:until AS date) - 1, :until)",
            batch=batch,
            number=number,
            until=until,
        )


def hold(books: Books, code: str, *aids: str) -> None:
    books.run("UPDATE applications SET held_code = :code WHERE aid = ANY(:aids)", code=code, aids=list(aids))


def test_what_is_held_is_counted_by_its_reason_over_all_syncs_of_the_day(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "AID_ASSIGNED", aid(2): "TRIGGERED"})
    books.apply(books.batch(), {aid(n): "AID_ASSIGNED" for n in range(3, 8)})
    books.apply(books.batch("death"), {aid(9): "AID_ASSIGNED"})
    books.apply(books.batch(day=DAY + timedelta(days=1)), {aid(10): "AID_ASSIGNED"})
    hold(books, "HOLIDAY", aid(1), aid(3), aid(4), aid(10))
    hold(books, "HTTP_400", aid(9), aid(2))

    balance = day_balance(books.ledger, DAY)
    plain = balance.as_dict()

    assert plain["holds"] == {"HOLIDAY": 3, "HTTP_400": 1, "NOT_TRIED": 3}
    assert sum(plain["holds"].values()) == plain["day_total"]["held"]
    assert plain["held_until"] is None, "nothing waits for a day: the batches are finished"
    assert balance.balanced


def test_a_day_is_held_when_nothing_but_a_holiday_keeps_it_open(books: Books) -> None:
    births, deaths = books.batch(finished=False), books.batch("death", finished=False)
    books.apply(births, {aid(1): "AID_ASSIGNED"})
    hold(books, "HOLIDAY", aid(1))
    held_ranges(books, births, "2026-12-26", "2026-12-27")
    held_ranges(books, deaths, "2026-12-26")

    balance = day_balance(books.ledger, DAY)

    assert balance.hold == Hold("HOLIDAY", date(2026, 12, 26), date(2026, 12, 27))
    assert balance.as_dict()["held_until"] == "2026-12-27"
    assert (balance.finished, balance.balanced, balance.unexplained) == (False, False, 0)


@pytest.mark.parametrize("left", ["a range", "a kind"])
def test_a_day_of_which_something_is_still_to_be_read_is_not_called_held(books: Books, left: str) -> None:
    births = books.batch(finished=False)
    held_ranges(books, births, "2026-12-26", None if left == "a range" else "2026-12-26")
    if left == "a kind":
        held_ranges(books, books.batch("death", finished=False), None)

    balance = day_balance(books.ledger, DAY)

    assert (balance.hold, balance.as_dict()["held_until"], balance.finished) == (None, None, False)


def test_an_unfinished_day_is_balanced_again_even_if_nothing_of_its_own_is_open(books: Books) -> None:
    old = date(2026, 1, 1)
    books.apply(books.batch(day=old, finished=False), {aid(1): "COMPLETED"})
    books.apply(books.batch(day=old + timedelta(days=1)), {aid(2): "COMPLETED"})
    books.batch(day=DAY)

    assert days_to_balance(books.ledger, newest=1) == [DAY, old]


def supersede(books: Books, old: str, new: str) -> None:
    """Say that one number stands for another's event now, claimed by that batch which has claimed it."""
    books.run("UPDATE applications SET superseded_by = :new, is_current = false WHERE aid = :old", old=old, new=new)
    books.run(
        "UPDATE applications SET registration_id = 'registration-of-' || :old, supersedes = :old WHERE aid = :new",
        old=old,
        new=new,
    )
    books.run(
        "UPDATE readings SET registration_id = 'registration-of-' || :old WHERE registration_id = :new_id",
        old=old,
        new_id=f"registration-of-{new}",
    )


def test_what_was_half_created_and_sent_anew_has_failed_in_its_own_day(books: Books) -> None:
    next_day = DAY + timedelta(days=1)
    books.apply(books.batch(), {aid(1): "HALF_CREATED", aid(2): "HALF_CREATED"})
    books.apply(books.batch(day=next_day), {aid(3): "TRIGGERED"})
    supersede(books, aid(1), aid(3))

    first, second = (day_balance(books.ledger, day) for day in (DAY, next_day))

    assert (first.terms.failed, first.terms.in_progress, first.terms.submitted) == (1, 1, 2)
    assert (second.terms.in_progress, second.terms.submitted) == (1, 1)
    assert first.balanced
    assert second.balanced


def test_what_was_withdrawn_is_known_and_was_never_sent(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "WITHDRAWN", aid(2): "COMPLETED"})

    balance = day_balance(books.ledger, DAY)

    assert (balance.terms.known, balance.terms.submitted, balance.terms.held) == (1, 1, 0)
    assert balance.balanced


def test_two_numbers_of_one_reading_are_counted_once(books: Books) -> None:
    batch = books.batch()
    books.apply(batch, {aid(1): "REJECTED"})
    books.run(
        "INSERT INTO applications (kind, registration_id, act, act_number, aid, batch_id, state, is_current) "
        "VALUES ('birth', :id, 'register', 1, :aid, :batch, 'FAILED', false)",
        id=f"registration-of-{aid(1)}",
        aid=aid(2),
        batch=batch,
    )

    balance = day_balance(books.ledger, DAY)

    assert (balance.terms.read, balance.terms.rejected, balance.terms.failed) == (1, 1, 0)
    assert balance.balanced


def test_the_centres_of_all_syncs_add_up_to_the_day(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "COMPLETED", aid(2, "2000210077"): "TRIGGERED"})
    books.apply(books.batch(), {aid(3): "AID_ASSIGNED"})
    books.apply(books.batch("death"), {aid(4): "REJECTED", aid(5): "COMPLETED"})

    plain = day_balance(books.ledger, DAY).as_dict()

    assert set(plain["centers"]["birth"]) == {"10001", "20002"}
    assert plain["centers"]["birth"]["20002"]["in_progress"] == 1
    assert plain["processes"] == {"birth": "CRVS_NEW", "death": "CRVS_DEATH"}
    rows = [terms for centers in plain["centers"].values() for terms in centers.values()]
    assert {name: sum(row[name] for row in rows) for name in plain["day_total"]} == plain["day_total"]


REASONS_OF = {
    "ANSWER_UNKNOWN": "state = 'TRIGGERING'",
    "HALF_CREATED": "state = 'HALF_CREATED'",
    "AWAITING_INFO": "state = 'AWAITING_INFO'",
    "MOSIP_WORKING": "last_status = 'PROCESSING'",
    "UPLOAD_PENDING": "last_status = 'UPLOAD_PENDING'",
    "UNKNOWN_TO_MOSIP": "last_status = 'RPR-RGS-031'",
    "STATUS_REFUSED": "last_status = 'RPR-RGS-018'",
    "NOT_ANSWERED": "polls = 1",
    "NOT_ASKED_YET": "polls = 0",
}


@pytest.mark.parametrize(("reason", "how"), [*REASONS_OF.items(), ("NOT_ANSWERED", "last_status = '', polls = 1")])
def test_what_is_not_settled_has_a_reason(books: Books, reason: str, how: str) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERED"})
    books.run(f"UPDATE applications SET {how}")

    balance = day_balance(books.ledger, DAY)

    assert [(each.reason, each.age, each.count) for each in balance.waiting] == [(reason, "4h", 1)]
    assert (balance.terms.failed, balance.terms.rejected) == (0, 0)


def test_a_client_that_may_not_ask_is_the_reason_until_it_may(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERED"})
    say = "INSERT INTO pollings (call, verdict, asked, answered) VALUES (:call, :verdict, 1, 0)"

    def reason() -> str:
        (waiting,) = day_balance(books.ledger, DAY).waiting
        return waiting.reason

    books.run(say, call="search", verdict="forbidden")
    assert reason() == "NOT_ASKED_YET"
    books.run(say, call="externalstatus", verdict="forbidden")
    assert reason() == "POLLING_FORBIDDEN"
    books.run(say, call="externalstatus", verdict="answered")
    assert reason() == "NOT_ASKED_YET"


@pytest.mark.parametrize(
    ("since", "age"),
    [
        ("14 minutes", "15m"),
        ("15 minutes", "4h"),
        ("4 hours", "24h"),
        ("24 hours", "72h"),
        ("72 hours", "7d"),
        ("7 days", "older"),
        ("700 days", "older"),
    ],
)
def test_what_is_not_settled_stands_in_the_bucket_of_its_age(books: Books, since: str, age: str) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERED", aid(2): "COMPLETED", aid(3): "AID_ASSIGNED"})
    books.run("UPDATE applications SET triggering_at = now() - CAST(:since AS interval)", since=since)

    assert [(each.age, each.count) for each in day_balance(books.ledger, DAY).waiting] == [(age, 1)]


def test_what_the_registry_counts_and_nobody_read_is_unexplained(books: Books) -> None:
    first, last = books.batch(), books.batch()
    books.read(last, "known", ["a"])
    count = (
        "UPDATE batches SET registry_count = 2, unread = :unread, moved_on = 0, counted_at = now() WHERE batch_id = :b"
    )
    books.run(count, unread=1, b=last)
    balance = day_balance(books.ledger, DAY)
    assert (balance.unexplained, balance.kinds["birth"].unexplained, balance.balanced) == (1, 1, False)
    assert balance.as_dict()["registry"]["birth"]["counted"] == 2

    books.run(count, unread=0, b=last)
    assert day_balance(books.ledger, DAY).balanced
    books.run(count, unread=3, b=first)
    assert day_balance(books.ledger, DAY).unexplained == 3, "an earlier sync's question stays open until it is answered"


def test_a_half_created_application_that_was_sent_anew_keeps_no_day_open(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "HALF_CREATED"})
    assert days_to_balance(books.ledger, newest=0) == [DAY]
    books.run("UPDATE applications SET superseded_by = :aid", aid=aid(2))
    assert days_to_balance(books.ledger, newest=0) == []
