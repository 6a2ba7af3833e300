"""Settlement: whatever the order of the evidence, and however often it comes, an application ends in the same state."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosip_crvs.model import ApplicationState
from mosip_crvs.settlement.rules import MOVES_TO, Alarm, EvidenceKind, Verdict, settle

STATES = list(ApplicationState)
KINDS = list(EvidenceKind)
ORDER = ["AID_ASSIGNED", "TRIGGERING", "TRIGGERED", "AWAITING_INFO", "FAILED", "REJECTED", "COMPLETED"]
"""From the weakest state to the strongest."""
SENT = STATES[1:]

evidence = st.lists(st.sampled_from(KINDS), max_size=12)


def _rank(state: ApplicationState) -> int:
    return ORDER.index(state.value)


def _walk(start: ApplicationState, pieces: list[EvidenceKind]) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for piece in pieces:
        verdicts.append(settle(verdicts[-1].state if verdicts else start, piece))
    return verdicts


def _end(start: ApplicationState, pieces: list[EvidenceKind]) -> ApplicationState:
    verdicts = _walk(start, pieces)
    return verdicts[-1].state if verdicts else start


@settings(max_examples=2000, deadline=None)
@given(start=st.sampled_from(STATES), pieces=evidence, data=st.data())
def test_the_order_and_the_repetition_of_evidence_do_not_matter(
    start: ApplicationState, pieces: list[EvidenceKind], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(pieces), max_size=8)) if pieces else []
    mixed = data.draw(st.permutations(pieces + again))
    assert _end(start, mixed) is _end(start, pieces)


@settings(max_examples=2000, deadline=None)
@given(start=st.sampled_from(STATES), pieces=evidence, data=st.data())
def test_evidence_that_comes_later_catches_up_with_what_was_lost(
    start: ApplicationState, pieces: list[EvidenceKind], data: st.DataObject
) -> None:
    arrived = [piece for piece in pieces if data.draw(st.booleans())]
    assert _rank(_end(start, arrived)) <= _rank(_end(start, pieces))
    assert _end(_end(start, arrived), pieces) is _end(start, pieces)


@settings(max_examples=2000, deadline=None)
@given(start=st.sampled_from(STATES), pieces=evidence)
def test_an_application_never_steps_back(start: ApplicationState, pieces: list[EvidenceKind]) -> None:
    states = [start, *(verdict.state for verdict in _walk(start, pieces))]
    assert all(_rank(before) <= _rank(after) for before, after in pairwise(states))


@settings(max_examples=2000, deadline=None)
@given(start=st.sampled_from(STATES), pieces=evidence)
def test_an_application_ends_where_its_strongest_evidence_says(
    start: ApplicationState, pieces: list[EvidenceKind]
) -> None:
    assert _end(start, pieces) is max([start, *(MOVES_TO[piece] for piece in pieces)], key=_rank)


def test_every_kind_of_evidence_moves_to_a_state() -> None:
    assert set(MOVES_TO) == set(EvidenceKind)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (EvidenceKind.TRIGGER_ACCEPTED, ApplicationState.TRIGGERED),
        (EvidenceKind.TRIGGER_ALREADY_PRESENT, ApplicationState.TRIGGERED),
        (EvidenceKind.WORKFLOW_PROCESSED, ApplicationState.COMPLETED),
        (EvidenceKind.WORKFLOW_REJECTED, ApplicationState.REJECTED),
        (EvidenceKind.WORKFLOW_FAILED, ApplicationState.FAILED),
        (EvidenceKind.PAUSED_FOR_INFO, ApplicationState.AWAITING_INFO),
    ],
)
def test_each_piece_of_evidence_settles_an_application_that_is_being_triggered(
    kind: EvidenceKind, state: ApplicationState
) -> None:
    assert settle(ApplicationState.TRIGGERING, kind) == Verdict(state)


def test_a_result_may_come_before_the_answer_to_the_trigger() -> None:
    verdicts = _walk(ApplicationState.TRIGGERING, [EvidenceKind.WORKFLOW_PROCESSED, EvidenceKind.TRIGGER_ACCEPTED])
    assert verdicts == [Verdict(ApplicationState.COMPLETED)] * 2


def test_a_completed_application_stays_so_and_alarms_when_mosip_says_otherwise() -> None:
    for kind in (EvidenceKind.WORKFLOW_REJECTED, EvidenceKind.WORKFLOW_FAILED):
        verdict = settle(ApplicationState.COMPLETED, kind)
        assert verdict == Verdict(ApplicationState.COMPLETED, Alarm.CONTRADICTED_SUCCESS)


@pytest.mark.parametrize("refused", [ApplicationState.REJECTED, ApplicationState.FAILED])
def test_a_refused_application_that_is_completed_after_all_alarms(refused: ApplicationState) -> None:
    assert settle(refused, EvidenceKind.WORKFLOW_PROCESSED) == Verdict(
        ApplicationState.COMPLETED, Alarm.REVERSED_REFUSAL
    )


@pytest.mark.parametrize(
    "kind", [EvidenceKind.WORKFLOW_PROCESSED, EvidenceKind.WORKFLOW_REJECTED, EvidenceKind.WORKFLOW_FAILED]
)
def test_a_result_for_an_application_that_was_never_triggered_alarms(kind: EvidenceKind) -> None:
    verdict = settle(ApplicationState.AID_ASSIGNED, kind)
    assert verdict == Verdict(MOVES_TO[kind], Alarm.RESULT_BEFORE_TRIGGER)


def test_nothing_else_alarms() -> None:
    alarmed = {(state, kind) for state in STATES for kind in KINDS if settle(state, kind).alarm is not None}
    negative = {EvidenceKind.WORKFLOW_REJECTED, EvidenceKind.WORKFLOW_FAILED}
    refused = {ApplicationState.REJECTED, ApplicationState.FAILED}
    expected = {(ApplicationState.COMPLETED, kind) for kind in negative}
    expected |= {(state, EvidenceKind.WORKFLOW_PROCESSED) for state in refused}
    expected |= {(ApplicationState.AID_ASSIGNED, kind) for kind in (*negative, EvidenceKind.WORKFLOW_PROCESSED)}
    assert alarmed == expected


@pytest.mark.parametrize("state", SENT)
def test_hearing_of_the_trigger_again_changes_nothing_further_on(state: ApplicationState) -> None:
    after = settle(state, EvidenceKind.TRIGGER_ALREADY_PRESENT)
    assert after.alarm is None
    assert after.state is (ApplicationState.TRIGGERED if state is ApplicationState.TRIGGERING else state)


def test_the_states_that_are_sent_and_settled_are_as_the_ledger_counts_them() -> None:
    assert [state.value for state in STATES] == ORDER
    assert [state.value for state in STATES if not state.is_sent] == ["AID_ASSIGNED"]
    assert {state.value for state in STATES if state.is_settled} == {"COMPLETED", "REJECTED", "FAILED"}
