"""Behind every number stands a list that is as long as the number says, of AIDs and codes and never of people."""

from __future__ import annotations

import pytest
from day_books import DAY, Books, aid

from mosip_crvs.reconciliation.__main__ import main
from mosip_crvs.reconciliation.balance import day_balance
from mosip_crvs.reconciliation.drilldown import (
    BY_AID,
    BY_RULE,
    Share,
    Spot,
    all_applications_at,
    applications_at,
    readings_at,
)
from mosip_crvs.reconciliation.report import count_of

STATES = (
    "AID_ASSIGNED", "TRIGGERING", "TRIGGERED", "HALF_CREATED", "AWAITING_INFO", "FAILED", "REJECTED", "COMPLETED",
    "WITHDRAWN",
)  # fmt: skip


@pytest.fixture
def day(books: Books) -> Books:
    """A day with an earlier sync, two kinds, two centres, and everything in it, each a different number of times."""
    books.apply(books.batch(), {aid(n): state for n, state in enumerate(STATES)})
    number, batch = 100, 0
    for kind, prefix in (("birth", "1000110077"), ("birth", "2000210077"), ("death", "1000110077")):
        batch = books.batch(kind) if prefix != "2000210077" else batch
        for times, state in enumerate(STATES, start=1):
            books.apply(batch, {aid(number + n, prefix): state for n in range(times)})
            number += times
        books.read(batch, "not_eligible", [f"{kind}-{prefix}-young-{n}" for n in range(3)])
        books.read(batch, "quarantined", [f"{kind}-{prefix}-bad-{n}" for n in range(2)])
        books.read(batch, "known", [f"{kind}-{prefix}-known"])
    return books


def test_every_number_of_the_equations_is_as_long_as_its_list(day: Books) -> None:
    taken = day_balance(day.ledger, DAY)
    assert taken.unexplained == 0
    for syncs, kind, terms in (
        ("last", "birth", taken.kinds["birth"]),
        ("last", "death", taken.kinds["death"]),
        ("last", "all", taken.terms),
        ("earlier", "all", taken.earlier),
        ("all", "all", taken.terms + taken.earlier),
    ):
        for term in BY_AID:
            listed = list(all_applications_at(day.ledger, Spot(DAY, kind, term, syncs), page_size=7))
            assert len(listed) == len({entry.aid for entry in listed}) == count_of(terms, term), (syncs, kind, term)
        for term in BY_RULE:
            counted = sum(share.count for share in readings_at(day.ledger, Spot(DAY, kind, term, syncs)))
            assert counted == count_of(terms, term), (syncs, kind, term)


def test_every_number_by_centre_and_by_age_is_as_long_as_its_list(day: Books) -> None:
    taken = day_balance(day.ledger, DAY)
    for kind, centers in taken.centers.items():
        for center, terms in centers.items():
            for term in BY_AID:
                listed = list(all_applications_at(day.ledger, Spot(DAY, kind, term, center=center)))
                assert len(listed) == count_of(terms, term)
                assert {entry.aid[:5] for entry in listed} <= {center}
    for each in taken.waiting:
        spot = Spot(DAY, each.kind, each.term, reason=each.reason, age=each.age)
        assert len(list(all_applications_at(day.ledger, spot))) == each.count
    for code, count in taken.holds.items():
        assert len(list(all_applications_at(day.ledger, Spot(DAY, "all", "held", reason=code)))) == count


def test_pages_follow_each_other_without_gap_or_repetition(day: Books) -> None:
    spot = Spot(DAY, "all", "submitted")
    whole = applications_at(day.ledger, spot, limit=1_000)
    first = applications_at(day.ledger, spot, limit=5)
    second = applications_at(day.ledger, spot, after=first[-1].number, limit=5)

    assert first + second == whole[:10]


def test_quarantined_events_are_listed_by_rule_and_field(books: Books) -> None:
    batch = books.batch()
    books.read(batch, "quarantined", ["a", "b", "c"])
    for registration, rule in (("a", "MISSING"), ("b", "MISSING"), ("b", "TOO_LONG")):
        books.run(
            "INSERT INTO quarantine (kind, registration_id, act, act_number, field, rule, batch_id) "
            "VALUES ('birth', :id, 'register', 1, 'dateOfBirth', :rule, :batch)",
            id=registration,
            rule=rule,
            batch=batch,
        )

    assert readings_at(books.ledger, Spot(DAY, "birth", "quarantined")) == [
        Share("MISSING", "dateOfBirth", 2),
        Share("CORRECTED_SINCE", "", 1),
        Share("TOO_LONG", "dateOfBirth", 1),
    ]


def test_what_is_unexplained_is_listed(books: Books) -> None:
    batch = books.batch()
    books.apply(batch, {aid(1): "COMPLETED", aid(2): "COMPLETED"})
    books.run("DELETE FROM readings WHERE registration_id = :id", id=f"registration-of-{aid(1)}")
    books.read(batch, "claimed", ["lost"])
    spot = Spot(DAY, "birth", "unexplained")

    assert [entry.aid for entry in applications_at(books.ledger, spot)] == [aid(1)]
    assert {share.what for share in readings_at(books.ledger, spot)} == {
        "READING_WITHOUT_APPLICATION",
        "APPLICATION_WITHOUT_READING",
    }


def test_the_command_lists_aids_and_codes_and_no_registration(
    day: Books, ledger_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ["list", "--url", ledger_url, "--day", str(DAY), "--kind", "birth"]

    assert main([*ask, "--term", "failed", "--syncs", "last", "--center", "20002"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 6
    assert {(line[0][:5], line[2]) for line in lines} == {("20002", "FAILED")}

    assert main([*ask, "--term", "in_progress", "--reason", "HALF_CREATED", "--limit", "2"]) == 0
    assert [line.split("\t")[3] for line in capsys.readouterr().out.splitlines()] == ["HALF_CREATED"] * 2

    for term in ("read", "known", "quarantined", "submitted", "unexplained"):
        main([*ask, "--term", term])
    assert "registration-of" not in (out := capsys.readouterr().out)
    assert "birth-1000110077-bad" not in out
