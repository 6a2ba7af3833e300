"""Reading WebSub bodies: what is no notification is refused without a word of what it holds."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosip_crvs.settlement.events import (
    WORKFLOW_COMPLETED,
    WORKFLOW_PAUSED,
    UnreadableEvent,
    WorkflowEvent,
    read_event,
)
from mosip_crvs.settlement.rules import EvidenceKind

AID = "10001200020004220261124103015"
WORD = "Quetzalcoatlus"
_EVENT = {"instanceId": AID, "resultCode": "PROCESSED", "workflowType": "CRVS_NEW", "errorCode": None}


def _body(**changed: Any) -> bytes:
    return json.dumps(_EVENT | changed).encode()


def _refusal(topic: str, body: bytes) -> str:
    """Text, causes and all, of what a body raises."""
    with pytest.raises(UnreadableEvent) as caught:
        read_event(topic, body)
    return str(caught.value) + "".join(traceback.format_exception_only(caught.value)) + str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("result", "error", "kind"),
    [
        ("PROCESSED", None, EvidenceKind.WORKFLOW_PROCESSED),
        ("REJECTED", "PACKET_REJECTED", EvidenceKind.WORKFLOW_REJECTED),
        ("FAILED", "PACKET_FAILED", EvidenceKind.WORKFLOW_FAILED),
    ],
)
def test_a_finished_workflow_is_read_with_its_code(result: str, error: str | None, kind: EvidenceKind) -> None:
    body = _body(resultCode=result, errorCode=error)
    assert read_event(WORKFLOW_COMPLETED, body) == WorkflowEvent(AID, kind, error)


def test_a_paused_workflow_is_read_without_a_result() -> None:
    body = json.dumps({"instanceId": AID, "additionalInfoProcess": "CORRECTION", "pauseFor": 432000}).encode()
    assert read_event(WORKFLOW_PAUSED, body) == WorkflowEvent(AID, EvidenceKind.PAUSED_FOR_INFO, "CORRECTION")


def test_order_of_keys_blanks_and_unknown_keys_do_not_matter() -> None:
    body = b'\n {"later": {"a": [1]}, "errorCode": null, "resultCode":"FAILED" ,\t"instanceId": "%s"} ' % AID.encode()
    assert read_event(WORKFLOW_COMPLETED, body).kind is EvidenceKind.WORKFLOW_FAILED


def test_a_missing_error_code_is_none() -> None:
    assert read_event(WORKFLOW_COMPLETED, json.dumps({"instanceId": AID, "resultCode": "FAILED"}).encode()).code is None


@pytest.mark.parametrize("code", [7, ["PACKET_FAILED"], {"a": 1}, True, "a\x00b", "\ud800", "two\nlines"])
def test_an_error_code_that_cannot_be_kept_is_left_out(code: Any) -> None:
    assert read_event(WORKFLOW_COMPLETED, _body(resultCode="FAILED", errorCode=code)).code is None


def test_an_error_code_is_kept_short() -> None:
    assert read_event(WORKFLOW_COMPLETED, _body(resultCode="FAILED", errorCode="X" * 500)).code == "X" * 64


MALFORMED = {
    "nothing": b"",
    "blank": b"  ",
    "text": WORD.encode(),
    "cut": _body(errorCode=WORD)[:-3],
    "two documents": _body() + _body(),
    "html": b"<html>" + WORD.encode(),
    "form": b"hub.mode=denied&hub.reason=" + WORD.encode(),
    "not utf-8": b'{"instanceId": "' + WORD.encode() + b'\xff\xfe"}',
    "a control character": b'{"instanceId": "' + WORD.encode() + b'\x00"}',
    "list": json.dumps([_EVENT | {"errorCode": WORD}]).encode(),
    "string": json.dumps(WORD).encode(),
    "null": b"null",
    "number": b"12345",
    "huge number": b"9" * 50_000,
    "huge nesting of lists": b"[" * 100_000,
    "huge nesting of objects": b'{"a":' * 100_000,
    "empty object": b"{}",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("topic", [WORKFLOW_COMPLETED, WORKFLOW_PAUSED, "crvs/CREDENTIAL_ISSUED"])
def test_a_body_that_is_no_notification_is_refused_without_quoting_it(topic: str, body: bytes) -> None:
    assert WORD not in _refusal(topic, body)


@pytest.mark.parametrize("field", ["instanceId", "resultCode"])
@pytest.mark.parametrize(
    "value", [None, "", 7, 1.5, True, [WORD], {"a": WORD}, WORD * 6, f"{WORD}\x00", f"{WORD}\ud800", f"{WORD}\n"]
)
def test_a_field_that_is_missing_or_wrong_is_named_without_its_value(field: str, value: Any) -> None:
    said = _refusal(WORKFLOW_COMPLETED, _body(**{field: value}))
    assert f"{field} is missing or not a short text" in said
    assert WORD not in said
    without = {name: kept for name, kept in _EVENT.items() if name != field}
    assert field in _refusal(WORKFLOW_COMPLETED, json.dumps(without).encode())


@pytest.mark.parametrize("result", [WORD, "processed", "PROCESSED ", "REPROCESS_FAILED", "PAUSED"])
def test_a_result_that_is_none_of_the_three_is_refused(result: str) -> None:
    said = _refusal(WORKFLOW_COMPLETED, _body(resultCode=result))
    assert "none of PROCESSED, REJECTED, FAILED" in said
    assert WORD not in said


@pytest.mark.parametrize(
    "topic", ["", "IDENTITY_DELETED", "/CREDENTIAL_ISSUED", "CREDENTIAL_ISSUED", WORKFLOW_COMPLETED.lower(),
              WORKFLOW_COMPLETED + " "]
)  # fmt: skip
def test_another_topic_is_refused(topic: str) -> None:
    assert "no rule for this topic" in _refusal(topic, _body())


@settings(max_examples=500, deadline=None)
@given(
    topic=st.sampled_from([WORKFLOW_COMPLETED, WORKFLOW_PAUSED, "other"]),
    body=st.one_of(
        st.binary(max_size=80),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(st.sampled_from(["instanceId", "resultCode", "errorCode"]), inner, max_size=3),
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_whatever_comes_is_either_an_event_or_unreadable(topic: str, body: bytes) -> None:
    try:
        event = read_event(topic, body)
    except UnreadableEvent:
        return
    assert event.aid.isprintable()
    assert 0 < len(event.aid) <= 64
    assert event.code is None or event.code.isprintable()
