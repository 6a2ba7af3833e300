"""Stages: what happened to an application, in order, and where it fell; never a comment."""

from __future__ import annotations

import time
import traceback
from itertools import count
from typing import Any

import pytest
from mosip_servers import FarSide, Said, said

from mosip_crvs.errors import MosipCrvsError, MosipRefused, MosipUnavailable, StopTheRun
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.token import Token, TokenSource
from mosip_crvs.mosip.transactions import Stage, first_failure, transactions

AID = "10001200020004220261124103015"
WORD = "Quetzalcoatlus"


def row(type_code: str, status: str = "SUCCESS", sub: str | None = "RPR-X", moment: Any = None) -> dict[str, Any]:
    """One transaction as MOSIP writes it."""
    return {
        "id": f"id-{type_code}",
        "registrationId": AID,
        "transactionTypeCode": type_code,
        "parentTransactionId": None,
        "statusCode": status,
        "subStatusCode": sub,
        "statusComment": f"about {WORD}",
        "createdDateTimes": moment,
    }


def look(far_side: FarSide, aid: str = AID) -> tuple[Stage, ...]:
    """Ask the far side."""
    numbers = count(1)
    tokens = TokenSource(lambda: Token(f"jwt-{next(numbers)}", time.monotonic() + 60))
    return transactions(SingleCalls(far_side.url, timeout=2), tokens, aid)


def problem_of(far_side: FarSide) -> MosipCrvsError:
    """The error that asking ends with; it names neither the token nor what the service said."""
    with pytest.raises(MosipCrvsError) as caught:
        look(far_side)
    told = "".join(traceback.format_exception(caught.value))
    assert WORD not in told
    assert "jwt-" not in told
    return caught.value


def test_stages_are_read_without_their_comments(far_side: FarSide) -> None:
    far_side.say(said({"response": [row("VALIDATE_PACKET", sub=None), row("CMD_VALIDATION", "FAILED")], "errors": []}))
    stages = look(far_side)
    assert stages == (Stage("VALIDATE_PACKET", "SUCCESS", ""), Stage("CMD_VALIDATION", "FAILED", "RPR-X"))
    assert WORD not in repr(stages)
    (asked,) = far_side.asked
    assert (asked.method, asked.path) == ("GET", f"/registrationprocessor/v1/registrationtransaction/search/{AID}")
    assert asked.header("Cookie") == ["Authorization=jwt-1"]


@pytest.mark.parametrize(
    "moments",
    [
        ("2026-01-01T09:30:15.123", "2026-01-01T09:30:15.9", "2026-01-01T09:31:00"),
        ("2026-01-01T09:30:15Z", "2026-01-01T09:30:15.123Z", "2026-01-01T10:00:00.000Z"),
        ("2026-01-01 09:30:15.123", "2026-01-01 09:30:16", "2026-01-02 09:30:15"),
        ([2026, 1, 1, 9, 30], [2026, 1, 1, 9, 30, 15], [2026, 1, 1, 9, 30, 15, 123000000]),
    ],
)
@pytest.mark.parametrize("received", [(0, 1, 2), (2, 0, 1), (2, 1, 0)])
def test_stages_stand_in_the_order_in_which_they_happened(
    far_side: FarSide, moments: tuple[Any, ...], received: tuple[int, ...]
) -> None:
    far_side.say(said({"response": [row("ABC"[place], moment=moments[place]) for place in received]}))
    assert [stage.type_code for stage in look(far_side)] == ["A", "B", "C"]


@pytest.mark.parametrize("moment", [None, "soon", 5, [2026], [2026, 13, 1, 1, 1], [[]], ["a"] * 7])
def test_without_every_moment_the_order_received_stays(far_side: FarSide, moment: Any) -> None:
    rows = [row("B", moment="2026-01-01T10:00:00"), row("A", moment="2026-01-01T09:00:00"), row("C", moment=moment)]
    far_side.say(said({"response": rows}))
    assert [stage.type_code for stage in look(far_side)] == ["B", "A", "C"]


def test_rows_of_others_and_texts_that_are_no_codes_are_left_out(far_side: FarSide) -> None:
    other = row("B") | {"registrationId": "other"}
    far_side.say(said({"response": [row("A", sub="x" * 65), other, "B", None]}))
    assert look(far_side) == (Stage("A", "SUCCESS", ""),)


@pytest.mark.parametrize(
    "reply",
    [
        said({"response": None, "errors": [{"errorCode": "RPR-RTS-001", "message": "RID Not Found"}]}),
        said({"response": [], "errors": [{"errorCode": "RPR-RPN-001"}]}, 404),
        said({"response": None, "errors": [{"errorCode": "RPR-RGS-031"}]}),
        said({"response": [], "errors": None}),
    ],
)
def test_an_application_without_stages_has_none(far_side: FarSide, reply: Said) -> None:
    far_side.say(reply)
    assert look(far_side) == ()


@pytest.mark.parametrize(
    "reply",
    [
        Said(503), Said(200, b"<html>"), Said(200, b"{", cut=True), said({"response": None}), said({"response": {}}),
        said({"response": [], "errors": [{"errorCode": "RPR-RGS-002", "message": WORD}]}, 500),
        said({"response": None, "errors": [{"errorCode": "RPR-RTS-002", "message": WORD}]}),
        said({"response": [row("A")]}, 500),
    ],
)  # fmt: skip
def test_a_passing_fault_is_told_as_one(far_side: FarSide, reply: Said) -> None:
    far_side.say(reply)
    assert isinstance(problem_of(far_side), MosipUnavailable)


@pytest.mark.parametrize("reply", [Said(403), said({"errors": [{"errorCode": "KER-ATH-403"}]}), Said(401)])
def test_a_client_without_the_role_is_told_which(far_side: FarSide, reply: Said) -> None:
    far_side.say(reply)
    problem = problem_of(far_side)
    assert isinstance(problem, MosipRefused)
    assert "REGISTRATION_PROCESSOR" in str(problem)


def test_a_path_that_is_not_there_stops_the_run(far_side: FarSide) -> None:
    far_side.say(Said(404))
    assert isinstance(problem_of(far_side), MosipRefused)


def test_an_aid_cannot_leave_its_place_in_the_path(far_side: FarSide) -> None:
    far_side.say(said({"response": []}))
    look(far_side, "../other?x=1")
    assert far_side.asked[0].path.endswith("/search/..%2Fother%3Fx%3D1")
    with pytest.raises(StopTheRun):
        look(far_side, "..")


# --- where it fell


def stages(*pairs: tuple[str, str]) -> list[Stage]:
    """Stages without reasons."""
    return [Stage(type_code, status, "") for type_code, status in pairs]


@pytest.mark.parametrize("status", ["FAILED", "REJECTED", "ERROR"])
def test_the_first_failure_is_found(status: str) -> None:
    found = first_failure(stages(("A", "SUCCESS"), ("B", status), ("C", "FAILED")))
    assert found == Stage("B", status, "")


def test_a_failure_that_was_made_good_is_none() -> None:
    way = stages(("A", "ERROR"), ("A", "REPROCESS"), ("A", "SUCCESS"), ("B", "FAILED"))
    assert first_failure(way) == Stage("B", "FAILED", "")
    assert first_failure(way[:3]) is None


def test_a_success_of_before_makes_no_failure_good() -> None:
    assert first_failure(stages(("A", "SUCCESS"), ("A", "FAILED"))) == Stage("A", "FAILED", "")


@pytest.mark.parametrize("status", ["SUCCESS", "IN_PROGRESS", "REPROCESS", "PROCESSED", "PROCESSING", ""])
def test_what_goes_on_is_no_failure(status: str) -> None:
    assert first_failure(stages(("A", status))) is None
    assert first_failure([]) is None
