"""MOSIP's answers: a success is proven, everything else gets a code, and no text of MOSIP is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mosip_crvs.mosip.answers import NO_ANSWER, TIMED_OUT, Answer, error_code, read_create_packet, read_trigger
from mosip_crvs.mosip.codes import Action

Reader = Callable[..., Answer]
WORD = "Quetzalcoatlus"
AID = "10001200020004220261124103015"

_ENVELOPE = {"id": "mosip.registration.packet.writer", "version": "v1", "responsetime": "2026-11-24T10:30:15.123Z"}
PACKETS = [{"id": AID, "packetName": f"{AID}_{part}"} for part in ("evidence", "optional", "id")]
INSTANCE = {"workflowInstanceId": "7f2c1f0e-93e5-4a38-a6ce-6b6f3d1f8d10"}


def _body(response: Any = None, **rest: Any) -> bytes:
    return json.dumps(_ENVELOPE | {"metadata": None, "response": response} | rest).encode()


both = pytest.mark.parametrize(
    ("read", "response"), [(read_create_packet, PACKETS), (read_trigger, INSTANCE)], ids=["createPacket", "trigger"]
)


@both
@pytest.mark.parametrize("rest", [{"errors": None}, {"errors": []}, {}], ids=["null", "empty", "absent"])
def test_errors_may_be_null_empty_or_absent_in_a_success(read: Reader, response: Any, rest: dict[str, Any]) -> None:
    answer = read(200, _body(response, **rest))
    assert answer.succeeded
    assert answer.code is None


def test_a_trigger_that_was_taken_gives_its_instance() -> None:
    assert read_trigger(200, _body(INSTANCE)).reference == INSTANCE["workflowInstanceId"]
    assert read_create_packet(200, _body(PACKETS)).reference is None


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [2]])
def test_the_id_packet_may_stand_anywhere_in_the_list(order: list[int]) -> None:
    assert read_create_packet(200, _body([PACKETS[n] for n in order])).succeeded


@pytest.mark.parametrize(
    "response",
    [[], PACKETS[:2], {}, {"packetName": f"{AID}_id"}, "ok", 7, [None], [{}], [{"packetName": None}], [f"{AID}_id"],
     [{"packetName": f"{AID}_id_old"}]],
)  # fmt: skip
def test_a_created_packet_without_its_id_part_is_no_success(response: Any) -> None:
    answer = read_create_packet(200, _body(response))
    assert (answer.code, answer.action) == ("PACKET_WITHOUT_ID", Action.RETRY)


@both
def test_a_null_response_without_errors_is_a_failure(read: Reader, response: Any) -> None:
    del response
    for body in (_body(None, errors=[]), _body(None, errors=None), b"{}"):
        answer = read(200, body)
        assert (answer.code, answer.action) == ("RESPONSE_NULL", Action.RETRY)


@pytest.mark.parametrize(
    "response", [{}, [], "ok", {"workflowInstanceId": None}, {"workflowInstanceId": ""}, [INSTANCE]]
)
def test_a_trigger_without_an_instance_is_no_success(response: Any) -> None:
    assert read_trigger(200, _body(response)).code == "REPLY_UNREADABLE"


@both
def test_an_error_code_decides_even_beside_a_response(read: Reader, response: Any) -> None:
    answer = read(200, _body(response, errors=[{"errorCode": "KER-PUT-006", "message": WORD}]))
    assert (answer.code, answer.action) == ("KER-PUT-006", Action.STOP)
    assert WORD not in repr(answer)


def test_a_trigger_that_is_already_present_says_so() -> None:
    answer = read_trigger(200, _body(None, errors=[{"errorCode": "RPR-WIS-001", "message": "already present"}]))
    assert (answer.code, answer.action) == ("RPR-WIS-001", Action.ALREADY_DONE)


def test_of_several_errors_the_first_counts() -> None:
    errors = [{"errorCode": "KER-ATH-401"}, {"errorCode": "KER-PUT-006"}]
    assert read_create_packet(200, _body(None, errors=errors)).code == "KER-ATH-401"


@both
@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"message": WORD},
        {"errorMessage": WORD},
        {"errorCode": None},
        {"errorCode": ""},
        {"errorCode": 7},
        WORD,
        None,
    ],
)
def test_an_error_without_a_code_is_an_error_all_the_same(read: Reader, response: Any, entry: Any) -> None:
    answer = read(200, _body(response, errors=[entry]))
    assert (answer.code, answer.action) == ("ERROR_WITHOUT_CODE", Action.OPERATOR)
    assert WORD not in repr(answer)


@both
def test_json_that_was_cut_anywhere_is_no_success(read: Reader, response: Any) -> None:
    whole = _body(response)
    assert {read(200, whole[:length]).code for length in range(len(whole))} == {"REPLY_UNREADABLE"}


@both
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b"7", b"<html>OK</html>", b"\xff\xfe", b"[" * 100_000])
def test_an_answer_of_200_that_is_no_envelope_is_unreadable(read: Reader, response: Any, body: bytes) -> None:
    del response
    answer = read(200, body)
    assert (answer.code, answer.action) == ("REPLY_UNREADABLE", Action.RETRY)


@both
@pytest.mark.parametrize(
    ("status", "action"),
    [
        (301, Action.OPERATOR), (400, Action.FIX_DATA), (401, Action.REFRESH_TOKEN), (403, Action.STOP),
        (404, Action.STOP), (413, Action.FIX_DATA), (500, Action.RETRY),
        (502, Action.RETRY), (503, Action.RETRY), (504, Action.RETRY),
    ],
)  # fmt: skip
def test_html_from_a_proxy_is_judged_by_its_status(read: Reader, response: Any, status: int, action: Action) -> None:
    del response
    answer = read(status, f"<html><h1>{WORD}</h1></html>".encode())
    assert (answer.status, answer.code, answer.action) == (status, f"HTTP_{status}", action)
    assert WORD not in repr(answer)


@both
@pytest.mark.parametrize(("status", "action"), [(400, Action.FIX_DATA), (500, Action.RETRY)])
def test_springs_own_error_body_is_judged_by_its_status(
    read: Reader, response: Any, status: int, action: Action
) -> None:
    del response
    spring = {
        "timestamp": "2026-11-24T10:30:15.123+0000",
        "status": status,
        "error": WORD,
        "message": WORD,
        "path": "/x",
    }
    answer = read(status, json.dumps(spring).encode())
    assert (answer.code, answer.action) == (f"HTTP_{status}", action)
    assert WORD not in repr(answer)


@both
def test_a_success_under_another_status_than_200_is_not_believed(read: Reader, response: Any) -> None:
    assert read(500, _body(response)).code == "HTTP_500"
    assert read(202, _body(response)).code == "HTTP_202"


@both
@pytest.mark.parametrize("body", [b"", b"slow down", _body(None, errors=[{"errorCode": "KER-XYZ-1"}]), _body(None)])
def test_too_many_requests_keeps_how_long_to_wait(read: Reader, response: Any, body: bytes) -> None:
    del response
    answer = read(429, body, 17.0)
    assert (answer.retry_after, answer.action) == (17.0, Action.RETRY)


@both
def test_a_refused_token_in_an_envelope_of_401_asks_for_a_new_one(read: Reader, response: Any) -> None:
    del response
    body = _body(None, errors=[{"errorCode": "KER-ATH-401", "message": "Authentication Failed"}])
    assert read(401, body).action is Action.REFRESH_TOKEN
    assert read(200, body).action is Action.REFRESH_TOKEN


def test_a_missing_role_stops_the_run() -> None:
    body = _body(None, errors=[{"errorCode": "KER-ATH-403", "message": "Forbidden"}])
    assert read_create_packet(403, body).action is Action.STOP


@pytest.mark.parametrize(("answer", "code"), [(NO_ANSWER, "NO_ANSWER"), (TIMED_OUT, "TIMED_OUT")])
def test_no_answer_at_all_may_be_tried_again(answer: Answer, code: str) -> None:
    assert (answer.status, answer.code, answer.action, answer.succeeded) == (0, code, Action.RETRY, False)


def test_what_a_ledger_cannot_keep_is_left_out_of_codes_and_references() -> None:
    assert read_trigger(200, b'{"response":{"workflowInstanceId":"w\\u0000-1\\n"},"errors":null}').reference == "w-1"
    assert read_create_packet(200, b'{"response":null,"errors":[{"errorCode":"A\\u0000B"}]}').code == "AB"


def test_codes_and_references_are_kept_short() -> None:
    long_code = read_create_packet(200, _body(None, errors=[{"errorCode": "K" * 500}]))
    assert long_code.code == "K" * 40
    assert read_trigger(200, _body({"workflowInstanceId": "w" * 500})).reference == "w" * 64


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (_body(None, errors=[{"errorCode": "500"}]), "500"),
        (_body(None, errors=[{}]), "ERROR_WITHOUT_CODE"),
        (_body(None), None), (b"", None), (b"<html>", None), (b"[1]", None), (b"\xff", None), (b"[" * 100_000, None),
    ],
)  # fmt: skip
def test_the_code_of_an_envelope_is_found_if_it_is_one(body: bytes, code: str | None) -> None:
    assert error_code(body) == code


@given(
    status=st.integers(100, 599),
    body=st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.one_of(st.none(), st.text(max_size=5), st.integers(), st.just(f"{AID}_id")),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from(["errors", "errorCode", "response", "packetName", "workflowInstanceId"]),
                    inner,
                    max_size=4,
                ),
            ),
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_whatever_comes_back_has_an_action_or_is_a_proven_success(status: int, body: bytes) -> None:
    for read in (read_create_packet, read_trigger):
        answer = read(status, body)
        assert answer.action in Action
        if answer.succeeded:
            assert status == 200
            assert b"_id" in body or answer.reference
