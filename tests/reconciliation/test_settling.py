"""The inbox is worked off: each notification settles an application, waits for one, or concerns somebody else."""

from __future__ import annotations

from collections import Counter

import pytest
from day_books import PREFIX, Books, aid, completed, paused

from mosip_crvs.ledger.alarms import open_alarms
from mosip_crvs.ledger.sending import TriggerOutcome, write_group
from mosip_crvs.reconciliation import inbox
from mosip_crvs.reconciliation.inbox import settle_inbox
from mosip_crvs.settlement.rules import EvidenceKind

OTHERS = aid(1, prefix="9999988888")


@pytest.mark.parametrize("state", ["TRIGGERED", "TRIGGERING"])
@pytest.mark.parametrize(
    ("notification", "settled", "code"),
    [
        (completed(aid(1)), "COMPLETED", None),
        (completed(aid(1), "REJECTED", "PACKET_REJECTED"), "REJECTED", "PACKET_REJECTED"),
        (completed(aid(1), "FAILED", "PACKET_FAILED"), "FAILED", "PACKET_FAILED"),
        (paused(aid(1)), "AWAITING_INFO", "CRVS_CORRECTION"),
    ],
)
def test_each_result_settles_its_application_and_is_kept_as_evidence(
    books: Books, state: str, notification: tuple[str, bytes], settled: str, code: str | None
) -> None:
    books.apply(books.batch(), {aid(1): state, aid(2): state})
    books.receive(notification)

    tally = settle_inbox(books.ledger, PREFIX)

    assert books.states() == {aid(1): settled, aid(2): state}
    (fact,) = books.evidence()
    assert (fact.aid, fact.source, fact.code) == (aid(1), notification[0], code)
    assert (fact.moved_from, fact.moved_to, fact.alarm) == (state, settled, None)
    (row,) = books.inbox()
    assert (row.state, row.problem, bytes(row.body)) == ("settled", None, notification[1])
    assert row.processed_at is not None
    assert fact.received_at == row.received_at
    assert fact.body_sha256 == row.body_sha256
    assert +tally == Counter(settled=1)


def test_the_moment_of_settling_is_kept_and_waiting_for_information_is_not_settled(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERED", aid(2): "TRIGGERED"})
    books.receive(completed(aid(1)), paused(aid(2)))
    settle_inbox(books.ledger, PREFIX)

    moments = {row.aid: row.settled_at for row in books.run("SELECT aid, settled_at FROM applications")}
    assert moments[aid(1)] is not None
    assert moments[aid(2)] is None


def test_a_result_for_an_application_that_we_never_triggered_settles_it_and_raises_an_alarm(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "AID_ASSIGNED"})
    books.receive(completed(aid(1)))

    tally = settle_inbox(books.ledger, PREFIX)

    assert books.states() == {aid(1): "COMPLETED"}
    assert [fact.alarm for fact in books.evidence()] == ["result_before_trigger"]
    assert tally["alarm_result_before_trigger"] == 1


@pytest.mark.parametrize("result", ["PROCESSED", "REJECTED", "FAILED"])
@pytest.mark.parametrize("kind", [EvidenceKind.TRIGGER_ACCEPTED, EvidenceKind.TRIGGER_ALREADY_PRESENT])
def test_the_answer_to_the_trigger_comes_after_the_result_and_steps_nothing_back(
    books: Books, result: str, kind: EvidenceKind
) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERING"})
    books.receive(completed(aid(1), result))
    settle_inbox(books.ledger, PREFIX)
    (before,) = books.states().values()

    write_group(books.ledger, 1, outcomes=[TriggerOutcome(aid(1), kind, "instance-1")])

    assert books.states() == {aid(1): before}
    assert before not in ("TRIGGERING", "TRIGGERED")
    assert [(f.kind, f.moved_to) for f in books.evidence()][-1] == (str(kind), before)


def test_an_application_whose_result_was_there_first_may_not_be_triggered(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "AID_ASSIGNED", aid(2): "AID_ASSIGNED"})
    books.run("UPDATE applications SET session_id = 1")
    books.receive(completed(aid(1)))
    settle_inbox(books.ledger, PREFIX)

    assert write_group(books.ledger, 1, triggering=[aid(1), aid(2)]) == {aid(2)}
    assert books.states() == {aid(1): "COMPLETED", aid(2): "TRIGGERING"}


def test_the_same_notification_again_is_settled_and_is_no_new_evidence(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERED"})
    books.receive(completed(aid(1)), completed(aid(1)))
    first = settle_inbox(books.ledger, PREFIX)
    books.receive(completed(aid(1)))
    second = settle_inbox(books.ledger, PREFIX)

    assert len(books.evidence()) == 1
    assert [row.state for row in books.inbox()] == ["settled"] * 3
    assert (first["settled"], first["repeated"]) == (2, 1)
    assert (second["settled"], second["repeated"]) == (1, 1)
    assert books.states() == {aid(1): "COMPLETED"}


def test_a_completed_application_stays_completed_and_the_contradiction_raises_an_alarm(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERED"})
    books.receive(completed(aid(1)), completed(aid(1), "FAILED", "PACKET_FAILED"))

    tally = settle_inbox(books.ledger, PREFIX)

    assert books.states() == {aid(1): "COMPLETED"}
    assert [fact.alarm for fact in books.evidence()] == [None, "contradicted_success"]
    assert tally["alarm_contradicted_success"] == 1


def test_a_refused_application_that_an_operator_resumed_becomes_completed_with_an_alarm(books: Books) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERED"})
    books.receive(completed(aid(1), "REJECTED"), completed(aid(1)))
    settle_inbox(books.ledger, PREFIX)

    assert books.states() == {aid(1): "COMPLETED"}
    assert [fact.alarm for fact in books.evidence()] == [None, "reversed_refusal"]


def test_an_unknown_application_with_our_prefix_is_parked_and_settles_when_it_appears(books: Books) -> None:
    notification = completed(aid(1))
    books.receive(notification)

    for _ in range(2):
        assert settle_inbox(books.ledger, PREFIX)["settled"] == 0
        (row,) = books.inbox()
        assert (row.state, bytes(row.body)) == ("parked", notification[1])

    books.apply(books.batch(), {aid(1): "TRIGGERED"})
    assert settle_inbox(books.ledger, PREFIX)["settled"] == 1
    assert books.states() == {aid(1): "COMPLETED"}
    assert books.inbox()[0].state == "settled"
    assert +settle_inbox(books.ledger, PREFIX) == Counter()


def test_somebody_elses_result_is_forgotten(books: Books) -> None:
    books.receive(completed(OTHERS), completed("9" * 29), completed("x"))

    tally = settle_inbox(books.ledger, PREFIX)

    assert tally["foreign"] == 3
    assert [(row.state, row.body) for row in books.inbox()] == [("foreign", None)] * 3
    assert OTHERS not in repr(books.inbox())
    assert books.evidence() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"instanceId": 5, "resultCode": "PROCESSED"}',
        b'{"instanceId": "%s", "resultCode": "MAYBE"}' % aid(1).encode(),
        b'{"instanceId": "%s"}' % aid(1).encode(),
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_is_kept_with_its_problem_and_stops_nobody(books: Books, body: bytes) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERED"})
    topic, good = completed(aid(1))
    books.receive((topic, body), (topic, good))

    tally = settle_inbox(books.ledger, PREFIX)

    assert (tally["unreadable"], tally["settled"]) == (1, 1)
    bad, _ = books.inbox()
    assert (bad.state, bytes(bad.body)) == ("unreadable", body)
    assert bad.problem
    assert aid(1) not in bad.problem
    assert books.states() == {aid(1): "COMPLETED"}


@pytest.mark.parametrize(
    "strange",
    [
        '{"instanceId": "1\\u00000", "resultCode": "PROCESSED"}',
        '{"instanceId": "\\ud800", "resultCode": "PROCESSED"}',
        f'{{"instanceId": "{PREFIX}\\ud800", "resultCode": "PROCESSED"}}',
        f'{{"instanceId": "{aid(2)}", "resultCode": "FAILED", "errorCode": "nul \\u0000 byte"}}',
        f'{{"instanceId": "{aid(2)}", "resultCode": "FAILED", "errorCode": "\\udfff"}}',
    ],
)
def test_text_that_the_ledger_cannot_hold_does_not_block_the_inbox(books: Books, strange: str) -> None:
    books.apply(books.batch(), {aid(1): "TRIGGERED", aid(2): "TRIGGERED"})
    topic, good = completed(aid(1))
    books.receive((topic, strange.encode()), (topic, good))

    settle_inbox(books.ledger, PREFIX)

    assert books.states()[aid(1)] == "COMPLETED"
    assert "new" not in {row.state for row in books.inbox()}


def test_a_topic_without_a_rule_is_kept_as_unreadable(books: Books) -> None:
    books.receive(("crvs1/CREDENTIAL_ISSUED", completed(aid(1))[1]))

    assert settle_inbox(books.ledger, PREFIX)["unreadable"] == 1


def test_many_pages_are_worked_off_in_one_run(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "PAGE_SIZE", 7)
    books.apply(books.batch(), {aid(n): "TRIGGERED" for n in range(50)})
    books.receive(*(completed(aid(n)) for n in range(50)))
    books.receive(*(completed(OTHERS) for _ in range(10)), *(completed(aid(90 + n)) for n in range(10)))

    tally = settle_inbox(books.ledger, PREFIX)

    assert set(books.states().values()) == {"COMPLETED"}
    assert (tally["settled"], tally["foreign"]) == (50, 10)
    assert Counter(row.state for row in books.inbox()) == Counter(settled=50, foreign=10, parked=10)


def test_results_that_belong_to_nobody_here_raise_an_alarm_until_their_application_is_known(books: Books) -> None:
    books.receive(completed(aid(1)), ("a topic of no rule", b"{}"))
    settle_inbox(books.ledger, PREFIX)
    assert {(alarm.code, alarm.subject, alarm.details) for alarm in open_alarms(books.ledger)} == {
        ("parked", "inbox", "1 results"), ("unreadable", "inbox", "1 notifications"),
    }  # fmt: skip
    books.apply(books.batch(), {aid(1): "TRIGGERED"})
    settle_inbox(books.ledger, PREFIX)
    assert [alarm.code for alarm in open_alarms(books.ledger)] == ["unreadable"]
