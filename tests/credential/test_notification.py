"""Reading the notification of a credential: where it is, and nothing shown of what it holds."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosip_crvs.credential.notification import CredentialNotification, read_notification
from mosip_crvs.settlement.events import UnreadableEvent

AID = "10001200020004220261124103015"
WORD = "Quetzalcoatlus"
LINK = "http://datashare.datashare/v1/datashare/get/policy/crvs1/4x7Key"
EVENT_ID, REQUEST_ID = "5f0c3e0a-0a51-4f0e-9f0e-6d6a2b8f1c11", "a1d3b5c7-1111-4222-8333-944455556666"


def _body(*, event: dict[str, Any] | None = None, data: dict[str, Any] | None = None) -> bytes:
    """A notification with a link, some of it changed; a value of ``...`` takes the field away."""
    inner = {
        "registrationId": AID, "templateTypeCode": "RPR_UIN_CARD_TEMPLATE", "credentialType": "vercred",
        "protectionKey": None, "proof": {"signature": "head..tail"}, "ExpiryTimestamp": None, "opencrvsBRN": "B-1",
    } | (data or {})  # fmt: skip
    outer = {
        "id": EVENT_ID, "transactionId": REQUEST_ID, "type": {"namespace": "mosip", "name": "mosip"},
        "timestamp": "2026-01-01T09:30:15.123Z", "dataShareUri": LINK, "data": _kept(inner),
    } | (event or {})  # fmt: skip
    whole = {"publisher": "CREDENTIAL_SERVICE", "topic": "crvs1/CREDENTIAL_ISSUED", "event": _kept(outer)}
    return json.dumps(whole).encode()


def _kept(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not ...}


def _refusal(body: bytes) -> str:
    with pytest.raises(UnreadableEvent) as caught:
        read_notification(body)
    assert caught.value.__context__ is None
    return "".join(traceback.format_exception(caught.value)) + repr(caught.value)


def test_a_notification_with_a_link_is_read() -> None:
    assert read_notification(_body()) == CredentialNotification(
        event_id=EVENT_ID, transaction_id=REQUEST_ID, registration_id=AID, credential_type="vercred",
        signature="head..tail", link=LINK, inline=None,
    )  # fmt: skip


@pytest.mark.parametrize("none", [None, "", ...])
def test_a_notification_with_the_credential_itself_is_read(none: Any) -> None:
    found = read_notification(_body(event={"dataShareUri": none}, data={"credential": "VkVSX1Iy"}))
    assert (found.link, found.inline) == (None, "VkVSX1Iy")


@pytest.mark.parametrize("none", [None, "", ...])
def test_exactly_one_of_link_and_credential_is_there(none: Any) -> None:
    both = _body(data={"credential": WORD})
    neither = _body(event={"dataShareUri": none}, data={"credential": none})
    for body in (both, neither):
        said = _refusal(body)
        assert "exactly one of dataShareUri and credential" in said
        assert WORD not in said


@pytest.mark.parametrize("none", [None, "", ...])
def test_what_other_services_leave_out_is_none(none: Any) -> None:
    found = read_notification(
        _body(data={"registrationId": none, "credentialType": none, "proof": _kept({"signature": none})})
    )
    assert (found.registration_id, found.credential_type, found.signature) == (None, None, None)


@pytest.mark.parametrize("proof", [None, ..., {}])
def test_a_notification_without_a_proof_has_no_signature(proof: Any) -> None:
    assert read_notification(_body(data={"proof": proof})).signature is None


@pytest.mark.parametrize("name", ["id", "transactionId"])
@pytest.mark.parametrize("none", [None, "", ...])
def test_the_ids_of_the_event_are_needed(name: str, none: Any) -> None:
    assert f"{name} is missing" in _refusal(_body(event={name: none}))


BAD = [7, True, [WORD], {"a": WORD}, WORD * 5, f"{WORD}\x00", f"{WORD}\ud800", f"{WORD}\n"]


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("name", ["id", "transactionId"])
def test_an_event_id_that_cannot_be_kept_is_named_without_its_value(name: str, value: Any) -> None:
    said = _refusal(_body(event={name: value}))
    assert f"{name} is not a" in said
    assert WORD not in said


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("name", ["registrationId", "credentialType"])
def test_an_id_that_cannot_be_kept_is_named_without_its_value(name: str, value: Any) -> None:
    said = _refusal(_body(data={name: value}))
    assert f"{name} is not a" in said
    assert WORD not in said


@pytest.mark.parametrize("value", [7, [WORD], WORD * 200, f"http://{WORD}/\x00", f"http://{WORD}/\n"])
def test_a_link_that_is_no_short_text_is_refused(value: Any) -> None:
    said = _refusal(_body(event={"dataShareUri": value}))
    assert "dataShareUri is not a" in said
    assert WORD not in said


@pytest.mark.parametrize(
    "data", [{"proof": WORD}, {"proof": [WORD]}, {"proof": {"signature": [WORD]}}, {"credential": 7}]
)
def test_a_proof_or_credential_of_another_shape_is_refused(data: dict[str, Any]) -> None:
    assert WORD not in _refusal(_body(data=data))


@pytest.mark.parametrize("value", [None, WORD, [WORD], 7, ...])
def test_an_event_without_data_is_refused(value: Any) -> None:
    said = _refusal(_body(event={"data": value}))
    assert "data is missing or not an object" in said
    assert WORD not in said


@pytest.mark.parametrize(
    "body",
    [b"", WORD.encode(), b"null", b"[]", b"{}", b'{"event": "%s"}' % WORD.encode(), _body()[:-3], b"[" * 100_000,
     b'{"a":' * 100_000, b"9" * 50_000, b'{"event": "\xff"}', _body() + _body()],
)  # fmt: skip
def test_a_body_that_is_no_notification_is_refused_without_quoting_it(body: bytes) -> None:
    said = _refusal(body)
    assert WORD not in said
    assert AID not in said


def test_neither_credential_nor_signature_nor_link_is_shown() -> None:
    for found in (
        read_notification(_body(data={"proof": {"signature": WORD}})),
        read_notification(_body(event={"dataShareUri": None}, data={"credential": WORD})),
    ):
        assert WORD not in repr(found) + str(found)
        assert LINK not in repr(found)
        assert AID in repr(found)


_NAMES = ["event", "data", "id", "transactionId", "dataShareUri", "credential", "proof", "signature", "registrationId"]


@settings(max_examples=500, deadline=None)
@given(
    body=st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4)
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
        st.builds(
            lambda event, data: _body(event=event, data=data),
            st.dictionaries(st.sampled_from(_NAMES), st.one_of(st.none(), st.text(max_size=80)), max_size=3),
            st.dictionaries(st.sampled_from(_NAMES), st.one_of(st.none(), st.text(max_size=80)), max_size=3),
        ),
    )
)
def test_whatever_comes_is_a_notification_or_unreadable(body: bytes) -> None:
    try:
        found = read_notification(body)
    except UnreadableEvent:
        return
    assert (found.link is None) != (found.inline is None)
    for value in (found.event_id, found.transaction_id):
        assert 0 < len(value) <= 64
        assert value.isprintable()
