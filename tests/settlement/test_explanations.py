"""Explanations: every code that a birth or a death can meet has a sentence, and so has every other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosip_crvs.settlement.explanations import EXPLANATIONS, GENERAL, OUTCOMES, STAGES, explain

EVERY = {**EXPLANATIONS, **OUTCOMES, **STAGES, "": GENERAL}
ON_THE_ROUTES = [
    *(f"RPR-PKV-FAILED-{number:03d}" for number in (1, 2, 3, 6, 8, 9, 10, 11, 12, 14, 17, 18)),
    *(f"RPR-CMD-FAILED-{number:03d}" for number in (2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 19)),
    *(f"RPR-OVM-FAILED-{number:03d}" for number in range(1, 7)),
    *(f"RPR-SVM-FAILED-{number:03d}" for number in range(1, 6)),
    *("RPR-DDP-FAILED-001", "RPR-DDP-FAILED-002", "RPR-DDP-SKIPPED-003"),
    *(f"RPR-UIN-FAILED-{number:03d}" for number in range(1, 10)),
    *(f"RPR-UIN-SUCCESS-{number:03d}" for number in range(1, 5)),
]


@pytest.mark.parametrize("code", ON_THE_ROUTES)
def test_every_code_of_the_routes_has_a_sentence_of_its_own(code: str) -> None:
    assert explain(code) == EXPLANATIONS[code]


@pytest.mark.parametrize(
    "outcome", ["PACKET_REJECTED", "PACKET_FAILED", "AWAITING_INFO", "HALF_CREATED", "COMPLETED", "REVOKED_SUCCESS"]
)
def test_every_outcome_has_a_sentence(outcome: str) -> None:
    assert explain(outcome) == OUTCOMES[outcome]


@pytest.mark.parametrize(
    ("code", "stage"),
    [
        ("RPR-CMD-FAILED-016", "CMD"),
        ("RPR-PKC-FAILED-001", "PKC"),
        ("RPR-PKCFAILED-001", "PKC"),
        ("RPR-FIN-FAILED-003", "FIN"),
    ],
)
def test_an_unlisted_failure_is_told_by_its_stage(code: str, stage: str) -> None:
    assert code not in EXPLANATIONS
    assert explain(code) == STAGES[stage]


@pytest.mark.parametrize("code", [None, "", "RPR-XYZ-FAILED-001", "RPR-CMD-SUCCESS-001", "CMD", "nonsense"])
def test_what_nobody_knows_has_a_general_sentence(code: str | None) -> None:
    assert explain(code) == GENERAL


@given(code=st.text(max_size=30))
def test_there_is_always_a_sentence(code: str) -> None:
    assert explain(code) in EVERY.values()


@pytest.mark.parametrize("sentence", sorted(set(EVERY.values())))
def test_a_sentence_is_plain_and_says_what_to_do(sentence: str) -> None:
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "  " not in sentence
    assert len(sentence) <= 260
    assert "RPR-" not in sentence
    assert any(
        word in sentence.lower()
        for word in (
            "check",
            "correct",
            "have ",
            "ask ",
            "tell ",
            "find",
            "fill",
            "must",
            "again",
            "nothing needs",
            "never",
        )
    )


def test_no_failure_is_called_well() -> None:
    calm = "Nothing needs to be done."
    assert [code for code, sentence in EXPLANATIONS.items() if calm in sentence and "SUCCESS" not in code] == []
