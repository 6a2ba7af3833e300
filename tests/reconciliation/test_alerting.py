"""What is wrong in the morning becomes an open alarm with a sentence, and goes when its cause is gone."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from day_books import Books, aid

from mosip_crvs.ledger import alarms
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.reconciliation import asking, delivering, polling, recount, rotating, signing, tending, troubles
from mosip_crvs.reconciliation.alert_kinds import KINDS, Alert, Severity
from mosip_crvs.reconciliation.alerting import (
    CONDITIONS,
    MOST_ALIKE,
    Deadline,
    close_alarms,
    find_alerts,
    open_alerts,
    telling,
    told,
)
from mosip_crvs.reconciliation.morning import as_table, summary
from mosip_crvs.settlement.events import WORKFLOW_COMPLETED
from mosip_crvs.settlement.rules import Alarm

NAME = "Aminata Diallo"
NOW = datetime.now(UTC).replace(hour=6, minute=0, second=1)
DAY = NOW.date() - timedelta(days=1)


def found(books: Books, **options: Any) -> dict[str, Alert]:
    """Look; give what is open by code and subject."""
    return {f"{alert.code} {alert.subject}": alert for alert in find_alerts(books.ledger, NOW, **options)}


def balance(books: Books, day: date = DAY, taken_at: datetime | None = None) -> None:
    books.run(
        "INSERT INTO balances (day, terms, balanced, taken_at) VALUES (:day, '{}', true, :at) "
        "ON CONFLICT (day) DO UPDATE SET taken_at = :at",
        day=day, at=taken_at or datetime.now(UTC),
    )  # fmt: skip


def settled_day(books: Books, day: date = DAY, *, finished: bool = True) -> int:
    """Give a day with one birth that is completed, and its balance."""
    batch = books.batch("birth", day, finished=finished)
    books.apply(batch, {aid(batch): "COMPLETED"})
    balance(books, day)
    return batch


def raised(books: Books, code: str, subject: str, **more: Any) -> None:
    with transaction(books.ledger) as connection:
        alarms.raise_alarm(connection, code, subject, **more)


@pytest.mark.parametrize(
    ("now", "zone", "day"),
    [
        ("2026-03-15T06:00:00+00:00", "UTC", "2026-03-14"),
        ("2026-03-15T05:59:59+00:00", "UTC", "2026-03-13"),
        ("2026-03-15T00:15:00+00:00", "Asia/Kathmandu", "2026-03-14"),
        ("2026-03-15T00:14:59+00:00", "Asia/Kathmandu", "2026-03-13"),
        ("2026-03-15T03:30:00+00:00", "America/New_York", "2026-03-13"),
    ],
)
def test_a_day_is_due_at_the_deadline_of_the_next_by_the_registrys_clock(now: str, zone: str, day: str) -> None:
    assert Deadline(time(6), zone).last_due_day(datetime.fromisoformat(now)).isoformat() == day


def test_a_day_in_order_alarms_nobody(books: Books) -> None:
    settled_day(books)
    assert found(books) == {}


def test_what_is_in_progress_at_the_deadline_is_told_by_reason_and_age_until_it_is_settled(books: Books) -> None:
    batch = settled_day(books)
    books.apply(batch, {aid(501): "TRIGGERED", aid(502): "TRIGGERED"})
    books.run("UPDATE applications SET last_status = 'PROCESSING' WHERE aid = :aid", aid=aid(501))

    alert = found(books)[f"not_settled {DAY}"]
    assert alert.severity is Severity.ERROR
    assert "2 of 3 applications are not settled" in alert.sentence
    assert "1 births for less than 4 hours, MOSIP says that it works on it" in alert.sentence
    assert "1 births for less than 4 hours, sent, and not asked about yet" in alert.sentence

    books.run("UPDATE applications SET state = 'COMPLETED' WHERE state = 'TRIGGERED'")
    assert found(books) == {}


def test_a_day_that_is_not_due_yet_alarms_nobody_and_an_older_one_does(books: Books) -> None:
    for day in (DAY + timedelta(days=1), DAY - timedelta(days=30)):
        batch = books.batch("birth", day)
        books.apply(batch, {aid(batch): "TRIGGERED"})
    settled_day(books)
    for day in (DAY + timedelta(days=1), DAY - timedelta(days=30)):
        balance(books, day)
    assert list(found(books)) == [f"not_settled {DAY - timedelta(days=30)}"]


def test_what_cannot_be_explained_is_critical_until_it_can(books: Books) -> None:
    batch = settled_day(books)
    books.read(batch, "claimed", ["a registration without application"])

    alert = found(books)[f"unexplained {DAY}"]
    assert alert.severity is Severity.CRITICAL
    assert "1 events are unexplained" in alert.sentence

    books.run("DELETE FROM readings WHERE registration_id LIKE 'a registration%'")
    assert found(books) == {}


def test_a_day_of_which_no_balance_was_taken_is_told(books: Books) -> None:
    settled_day(books)
    books.run("UPDATE batches SET planned_at = :then, finished_at = :then", then=NOW - timedelta(hours=2))
    books.run("DELETE FROM balances")
    assert "no balance was taken" in found(books)[f"not_balanced {DAY}"].sentence

    balance(books, taken_at=NOW - timedelta(hours=3))
    assert "since its last sync was closed" in found(books)[f"not_balanced {DAY}"].sentence

    balance(books, taken_at=NOW - timedelta(minutes=30))
    assert found(books) == {}


def test_a_ledger_into_which_nothing_was_ever_read_is_not_well(books: Books) -> None:
    assert list(found(books)) == [f"not_balanced {DAY}"]


def test_a_sync_that_did_not_run_is_told_for_each_kind_that_was_synced_lately(books: Books) -> None:
    for kind, age in (("birth", 1), ("death", 40)):
        books.batch(kind, DAY - timedelta(days=age))
        balance(books, DAY - timedelta(days=age))

    assert list(found(books)) == [f"not_synced {DAY} birth"]
    # it is kept in mind when the next day is due
    settled_day(books, DAY + timedelta(days=1))
    later = {f"{a.code} {a.subject}" for a in find_alerts(books.ledger, NOW + timedelta(days=1))}
    assert later == {f"not_synced {DAY} birth"}

    settled_day(books)
    assert found(books) == {}


def test_a_sync_that_was_not_read_to_its_end_is_told_but_not_one_that_waits_for_a_working_day(books: Books) -> None:
    batch = settled_day(books, finished=False)
    books.run(
        "INSERT INTO ranges (batch_id, range_number, lower_modified_at, lower_id, upper_modified_at, upper_id, "
        "planned_rows) VALUES (:batch, 1, now(), '', now(), '', 1)",
        batch=batch,
    )
    assert f"is not finished (batch {batch})" in found(books)[f"not_synced {DAY} birth"].sentence

    books.run("UPDATE ranges SET held_code = 'HOLIDAY', held_on = :day, held_until = :day", day=DAY)
    assert found(books) == {}


def test_too_much_in_quarantine_is_told_until_the_day_was_read_again(books: Books) -> None:
    batch = settled_day(books)
    books.read(batch, "quarantined", [f"bad {number}" for number in range(59)])
    assert list(found(books, max_quarantine_share=0.99)) == []

    alert = found(books, max_quarantine_share=0.8)[f"quarantine_share {DAY} birth"]
    assert "59 of 60 events are in quarantine, more than the set share of 80%" in alert.sentence

    settled_day(books)
    assert found(books) == {}


def test_a_silent_subscription_is_told_until_it_is_heard(books: Books) -> None:
    batch = settled_day(books)
    books.apply(batch, {aid(501): "TRIGGERED"})
    with transaction(books.ledger) as connection:
        from mosip_crvs.ledger import facts
        from mosip_crvs.ledger.evidence import Fact
        from mosip_crvs.settlement.rules import EvidenceKind

        at = datetime.now(UTC) - timedelta(hours=1)
        facts.record(
            connection, [Fact(aid(501), EvidenceKind.STATUS_UIN_GENERATED, "externalstatus", None, "0" * 64, at)]
        )
    alert = found(books)[f"subscription_silent {WORKFLOW_COMPLETED}"]
    assert "1 applications were found completed by asking" in alert.sentence

    books.run("INSERT INTO inbox (topic, body_sha256, state) VALUES (:topic, 'x', 'foreign')", topic=WORKFLOW_COMPLETED)
    assert found(books) == {}


def test_a_possible_second_identity_stands_before_everything(books: Books) -> None:
    raised(books, "result_before_trigger", aid(3))
    raised(books, "polling_forbidden", "externalstatus")
    raised(books, "unknown_to_mosip", aid(4))
    raised(books, "possible_second_id", aid(1), other=aid(2))
    settled_day(books)

    alerts = find_alerts(books.ledger, NOW)
    assert [alert.code for alert in alerts] == [
        "possible_second_id", "result_before_trigger", "unknown_to_mosip", "polling_forbidden"
    ]  # fmt: skip
    assert aid(1) in alerts[0].sentence
    assert aid(2) in alerts[0].sentence
    assert summary(alerts).startswith("possible_second_id: ")
    assert "2 more" in summary(alerts)
    assert as_table(DAY, alerts).index("possible_second_id") < as_table(DAY, alerts).index("unknown_to_mosip")


def test_notices_leave_the_morning_well(books: Books) -> None:
    settled_day(books)
    raised(books, "reversed_refusal", aid(1))
    raised(books, "half_created", aid(2))
    alerts = find_alerts(books.ledger, NOW)
    assert summary(alerts) == ""
    assert "reversed_refusal" in as_table(DAY, alerts)
    assert "it is sent again by itself" in as_table(DAY, alerts)
    assert "All is well" in as_table(DAY, [])


@pytest.mark.parametrize(
    "code",
    [
        *Alarm, asking.REFUSED, asking.UNVERIFIED, delivering.NOT_DELIVERED, polling.POLLING_FORBIDDEN,
        polling.STATUS_CALL_POISONED, recount.UNREAD, rotating.STALLED, signing.EVIDENCE_TAMPERED, tending.SILENT,
        troubles.OVERDUE, "aid_in_use",
    ],
)  # fmt: skip
def test_every_alarm_that_is_raised_anywhere_has_a_sentence(code: str) -> None:
    assert code in KINDS


def test_an_alarm_that_nobody_described_is_told_all_the_same(books: Books) -> None:
    raised(books, "something_new", aid(1))
    (alert,) = open_alerts(books.ledger)
    assert alert.needs_a_person
    assert "something_new" in alert.sentence
    assert aid(1) in alert.sentence


def test_an_alarm_that_somebody_saw_to_is_closed_and_one_that_holds_comes_again(books: Books) -> None:
    batch = settled_day(books)
    books.read(batch, "claimed", ["a registration without application"])
    raised(books, "contradicted_success", aid(1))
    assert len(found(books)) == 2

    lines = [f" contradicted_success {aid(1)}", f"unexplained {DAY}", "", "half_created nothing"]
    assert close_alarms(books.ledger, lines) == [f"contradicted_success {aid(1)}", f"unexplained {DAY}"]
    assert open_alerts(books.ledger) == []
    assert list(found(books)) == [f"unexplained {DAY}"]


def test_each_alarm_is_told_once_and_again_only_when_it_comes_again(books: Books) -> None:
    raised(books, "half_created", aid(1))
    with telling(books.ledger) as messages:
        (message,) = messages
    with telling(books.ledger) as messages:
        assert messages == [message], "nobody noted that it was sent"
        told(books.ledger, message)
    raised(books, "half_created", aid(1))
    with telling(books.ledger) as messages:
        assert messages == []
    with transaction(books.ledger) as connection:
        alarms.clear(connection, "half_created", aid(1))
    raised(books, "half_created", aid(1))
    with telling(books.ledger) as messages:
        assert len(messages) == 1


def test_a_flood_of_one_alarm_is_told_as_a_number_after_the_first(books: Books) -> None:
    with transaction(books.ledger) as connection:
        for number in range(MOST_ALIKE + 500):
            alarms.raise_alarm(connection, "half_created", aid(number))
    with telling(books.ledger) as messages:
        assert len(messages) == MOST_ALIKE + 1
        assert messages[-1].body["sentence"].startswith("500 further alarms half_created")
        told(books.ledger, messages[-1])
    with telling(books.ledger) as messages:
        assert len(messages) == MOST_ALIKE


def test_nothing_that_is_told_names_anybody(books: Books) -> None:
    batch = settled_day(books)
    books.read(batch, "claimed", [NAME])
    books.read(batch, "quarantined", [f"{NAME} {number}" for number in range(400)])
    our_own_counts = {
        "unread", "parked", "unreadable", "subscription_silent", "results_not_delivered", troubles.OVERDUE,
    }  # fmt: skip
    for code in {*KINDS, "something_new"} - {*CONDITIONS, *our_own_counts}:
        raised(books, code, aid(1), details=f"MOSIP says: {NAME} is unknown")
    alerts = find_alerts(books.ledger, NOW)
    assert len(alerts) > 20
    with telling(books.ledger) as messages:
        sent = json.dumps([message.body for message in messages])
    assert NAME not in f"{sent} {as_table(DAY, alerts)} {summary(alerts)}"
