"""Settlement: whatever the order of the evidence, and however often it comes, an application ends in the same state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosip_crvs.model import ApplicationState as State
from mosip_crvs.settlement.rules import (
    ANSWERS,
    HALF_CREATED_AFTER,
    SUCCESSES,
    Alarm,
    Case,
    EvidenceKind,
    Piece,
    Verdict,
    answers_contradiction,
    state_of,
    was_ever_completed,
    weigh,
)

STARTED = datetime(2026, 11, 23, 1, tzinfo=UTC)
SENT, UNSENT = Case(STARTED), Case(None)
KINDS = list(EvidenceKind)
NOTIFICATIONS = [
    EvidenceKind.WORKFLOW_PROCESSED,
    EvidenceKind.WORKFLOW_REJECTED,
    EvidenceKind.WORKFLOW_FAILED,
    EvidenceKind.PAUSED_FOR_INFO,
]
MOVES_NOTHING = [
    EvidenceKind.SEARCH_HINT,
    EvidenceKind.STATUS_OTHER,
    EvidenceKind.STAGE_FAILED,
    EvidenceKind.SUPERSEDED,
]


def piece(kind: EvidenceKind, minute: float = 1, digest: str = "") -> Piece:
    """A piece of evidence so many minutes after the trigger."""
    return Piece(kind, STARTED + timedelta(minutes=minute), digest)


def after(*pieces: tuple[EvidenceKind, float] | EvidenceKind, case: Case = SENT) -> State:
    """The state that some evidence comes to; what names no minute comes one after the other."""
    placed = [
        piece(*each) if isinstance(each, tuple) else piece(each, number) for number, each in enumerate(pieces, start=1)
    ]
    return state_of(case, placed)


def decoded(drawn: bytes) -> list[Piece]:
    """Read evidence out of bytes, two a piece: a draw for each value would cost ten times as much."""
    return [
        piece(KINDS[kind % len(KINDS)], (when >> 1) % 96 - 5, "ab"[when & 1])
        for kind, when in zip(drawn[::2], drawn[1::2], strict=False)
    ]


pieces = st.binary(max_size=24).map(decoded)
orders = st.integers(0, 2**32 - 1).map(Random)
cases = st.sampled_from([SENT, UNSENT, Case(STARTED, timedelta(0)), Case(STARTED, timedelta(days=1))])


@settings(max_examples=10_000, deadline=None)
@given(case=cases, evidence=pieces, order=orders)
def test_the_order_and_the_repetition_of_evidence_do_not_matter(
    case: Case, evidence: list[Piece], order: Random
) -> None:
    again = order.choices(evidence, k=order.randint(0, 8)) if evidence else []
    mixed = order.sample(evidence + again, len(evidence + again))
    assert state_of(case, mixed) is state_of(case, evidence)


@settings(max_examples=2000, deadline=None)
@given(case=cases, evidence=pieces, order=orders)
def test_a_notification_that_comes_once_more_and_later_changes_nothing(
    case: Case, evidence: list[Piece], order: Random
) -> None:
    late = [Piece(each.kind, each.at + timedelta(minutes=order.randint(0, 500)), each.digest) for each in evidence]
    assert state_of(case, evidence + late) is state_of(case, evidence)


@settings(max_examples=2000, deadline=None)
@given(case=cases, evidence=pieces, order=orders)
def test_working_evidence_off_piece_by_piece_comes_to_the_same_as_all_at_once(
    case: Case, evidence: list[Piece], order: Random
) -> None:
    known: list[Piece] = []
    state = case.start
    for each in order.sample(evidence, len(evidence)):
        state = weigh(case, known, each).state
        known.append(each)
    assert state is state_of(case, evidence)


@settings(max_examples=2000, deadline=None)
@given(case=cases, evidence=pieces)
def test_without_an_answer_that_says_otherwise_one_word_of_success_is_enough(
    case: Case, evidence: list[Piece]
) -> None:
    refusals = {EvidenceKind.STATUS_REJECTED, EvidenceKind.STATUS_REREGISTER}
    said = [each for each in evidence if each.kind not in refusals]
    if any(each.kind in SUCCESSES for each in said):
        assert state_of(case, said) is State.COMPLETED
        assert was_ever_completed(said)


@settings(max_examples=2000, deadline=None)
@given(case=cases, evidence=pieces)
def test_notifications_alone_never_lower_a_state(case: Case, evidence: list[Piece]) -> None:
    ranks = [list(State).index(case.start)]
    told = sorted((each for each in evidence if each.kind in NOTIFICATIONS), key=lambda each: each.at)
    for number in range(len(told)):
        ranks.append(list(State).index(state_of(case, told[: number + 1])))
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (EvidenceKind.TRIGGER_ACCEPTED, State.TRIGGERED),
        (EvidenceKind.TRIGGER_ALREADY_PRESENT, State.TRIGGERED),
        (EvidenceKind.WORKFLOW_REJECTED, State.REJECTED),
        (EvidenceKind.WORKFLOW_FAILED, State.FAILED),
        (EvidenceKind.PAUSED_FOR_INFO, State.AWAITING_INFO),
        (EvidenceKind.STATUS_PROCESSING, State.TRIGGERED),
        (EvidenceKind.STATUS_AWAITING_INFORMATION, State.AWAITING_INFO),
        (EvidenceKind.STATUS_REREGISTER, State.FAILED),
        (EvidenceKind.STATUS_REJECTED, State.REJECTED),
        (EvidenceKind.STATUS_UPLOAD_PENDING, State.TRIGGERING),
        (EvidenceKind.STATUS_NOT_FOUND, State.TRIGGERING),
        (EvidenceKind.WITHDRAWN, State.TRIGGERING),
        *[(kind, State.COMPLETED) for kind in SUCCESSES],
        *[(kind, State.TRIGGERING) for kind in MOVES_NOTHING],
    ],
)
def test_each_word_alone_settles_an_application_that_is_being_triggered(kind: EvidenceKind, state: State) -> None:
    assert weigh(SENT, [], piece(kind)) == Verdict(state)


def test_answers_are_told_from_notifications_by_their_name() -> None:
    assert {kind for kind in EvidenceKind if kind.name.startswith("STATUS_")} == ANSWERS
    assert len(ANSWERS) == 8


def test_a_result_may_come_before_the_answer_to_the_trigger() -> None:
    assert after(EvidenceKind.WORKFLOW_PROCESSED, EvidenceKind.TRIGGER_ACCEPTED) is State.COMPLETED


@pytest.mark.parametrize("refusal", [EvidenceKind.WORKFLOW_REJECTED, EvidenceKind.WORKFLOW_FAILED])
def test_a_success_is_not_taken_back_by_a_notification_but_it_alarms(refusal: EvidenceKind) -> None:
    done = [piece(EvidenceKind.IDENTITY_CREATED)]
    assert weigh(SENT, done, piece(refusal, 2)) == Verdict(State.COMPLETED, Alarm.CONTRADICTED_SUCCESS)


@pytest.mark.parametrize(
    ("answer", "state"),
    [(EvidenceKind.STATUS_REJECTED, State.REJECTED), (EvidenceKind.STATUS_REREGISTER, State.FAILED)],
)
def test_a_success_is_taken_back_by_an_answer_that_was_asked_for_afterwards(answer: EvidenceKind, state: State) -> None:
    told = [piece(EvidenceKind.WORKFLOW_PROCESSED, 1), piece(EvidenceKind.WORKFLOW_REJECTED, 2)]
    assert weigh(SENT, told, piece(answer, 3)) == Verdict(state, Alarm.REVOKED_SUCCESS)
    assert was_ever_completed(told), "such an event is never sent under another number"


def test_only_an_answer_that_was_asked_for_after_every_refusal_answers_a_contradiction() -> None:
    told = [piece(EvidenceKind.WORKFLOW_PROCESSED, 1), piece(EvidenceKind.WORKFLOW_REJECTED, 3)]
    ends = {EvidenceKind.STATUS_UIN_GENERATED, EvidenceKind.STATUS_REJECTED, EvidenceKind.STATUS_REREGISTER}
    assert {kind for kind in KINDS if answers_contradiction(told, piece(kind, 4))} == ends
    assert not any(answers_contradiction(told, piece(kind, 2)) for kind in KINDS)


def test_an_answer_from_before_the_success_takes_nothing_back_however_late_it_is_worked_off() -> None:
    done = [piece(EvidenceKind.WORKFLOW_PROCESSED, 5)]
    assert weigh(SENT, done, piece(EvidenceKind.STATUS_REJECTED, 4)) == Verdict(State.COMPLETED)


@pytest.mark.parametrize("refusal", [EvidenceKind.WORKFLOW_REJECTED, EvidenceKind.WORKFLOW_FAILED])
@pytest.mark.parametrize("success", sorted(SUCCESSES))
def test_a_refused_application_that_is_completed_after_all_alarms(
    refusal: EvidenceKind, success: EvidenceKind
) -> None:
    assert weigh(SENT, [piece(refusal)], piece(success, 2)) == Verdict(State.COMPLETED, Alarm.REVERSED_REFUSAL)


def test_an_operator_who_resumes_takes_a_refusal_back_once_mosip_says_so() -> None:
    refused = (EvidenceKind.WORKFLOW_FAILED, 1)
    assert after(refused, (EvidenceKind.STATUS_PROCESSING, 2)) is State.TRIGGERED
    assert after(refused, (EvidenceKind.STATUS_AWAITING_INFORMATION, 2)) is State.AWAITING_INFO
    assert after((EvidenceKind.STATUS_PROCESSING, 0.5), refused) is State.FAILED
    assert after(refused, (EvidenceKind.STATUS_PROCESSING, 2), (EvidenceKind.WORKFLOW_REJECTED, 3)) is State.REJECTED


@pytest.mark.parametrize("kind", [*SUCCESSES, EvidenceKind.WORKFLOW_REJECTED, EvidenceKind.WORKFLOW_FAILED])
def test_a_result_for_an_application_that_was_never_triggered_alarms(kind: EvidenceKind) -> None:
    assert weigh(UNSENT, [], piece(kind)).alarm is Alarm.RESULT_BEFORE_TRIGGER


def test_what_mosip_noted_and_did_not_begin_is_half_created_after_its_grace_and_not_before() -> None:
    grace = HALF_CREATED_AFTER / timedelta(minutes=1)
    accepted = piece(EvidenceKind.TRIGGER_ALREADY_PRESENT)
    pending = EvidenceKind.STATUS_UPLOAD_PENDING
    assert weigh(SENT, [accepted], piece(pending, grace - 0.1)) == Verdict(State.TRIGGERED)
    assert weigh(SENT, [accepted], piece(pending, grace)) == Verdict(State.HALF_CREATED, Alarm.HALF_CREATED)


def test_a_half_created_application_that_mosip_begins_after_all_is_under_way_again() -> None:
    half = [(EvidenceKind.TRIGGER_ALREADY_PRESENT, 1), (EvidenceKind.STATUS_UPLOAD_PENDING, 40)]
    assert after(*half) is State.HALF_CREATED
    assert after(*half, (EvidenceKind.TRIGGER_ALREADY_PRESENT, 41)) is State.HALF_CREATED
    assert after(*half, (EvidenceKind.TRIGGER_ACCEPTED, 41)) is State.TRIGGERED
    assert after(*half, (EvidenceKind.STATUS_PROCESSING, 41)) is State.TRIGGERED
    assert after(*half, (EvidenceKind.WORKFLOW_PROCESSED, 41)) is State.COMPLETED


def test_an_accepted_application_that_mosip_does_not_know_alarms() -> None:
    accepted = [piece(EvidenceKind.TRIGGER_ACCEPTED)]
    verdict = weigh(SENT, accepted, piece(EvidenceKind.STATUS_NOT_FOUND, 2))
    assert verdict == Verdict(State.TRIGGERED, Alarm.UNKNOWN_TO_MOSIP)


def test_an_unsent_application_is_withdrawn_at_once_and_one_in_doubt_when_mosip_does_not_know_it_long_after() -> None:
    assert after(EvidenceKind.WITHDRAWN, case=UNSENT) is State.WITHDRAWN
    assert after((EvidenceKind.WITHDRAWN, 1), (EvidenceKind.STATUS_NOT_FOUND, 10)) is State.TRIGGERING
    assert after((EvidenceKind.WITHDRAWN, 1), (EvidenceKind.STATUS_NOT_FOUND, 40)) is State.WITHDRAWN
    assert after((EvidenceKind.STATUS_NOT_FOUND, 40)) is State.TRIGGERING, "nobody had given it up"
    known = (EvidenceKind.TRIGGER_ACCEPTED, 2)
    assert after((EvidenceKind.WITHDRAWN, 1), known, (EvidenceKind.STATUS_NOT_FOUND, 40)) is State.TRIGGERED


def test_the_states_that_are_sent_and_settled_are_as_the_ledger_counts_them() -> None:
    assert [state.value for state in State if not state.is_sent] == ["AID_ASSIGNED", "WITHDRAWN"]
    assert {state.value for state in State if state.is_settled} == {"COMPLETED", "REJECTED", "FAILED"}
