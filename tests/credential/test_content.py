"""Reading who a credential is about, and choosing what may be handed on."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosip_crvs.credential.content import Identifiers, Kind, chosen, identifiers
from mosip_crvs.credential.layout import Reason, UnreadableCredential

AID = "10001200020004220261124103015"
PSUT, UIN, VID = "294756102938475610293847561029384756", "4958203716", "6034829175638204"
NAME = "Amina Tazi"


def _default(**subject: Any) -> bytes:
    """What the default provider writes: every attribute a text."""
    written = {name: value if isinstance(value, str) else json.dumps(value) for name, value in subject.items()}
    return json.dumps(
        {
            "id": "http://mosip.io/credentials/6e1f", "type": ["MOSIPVerifiableCredential"], "issuedTo": "crvs1",
            "consent": "", "credentialSubject": {"id": AID, "fullName": NAME, **written}, "protectedAttributes": [],
        }
    ).encode()  # fmt: skip


def _verifiable(**subject: Any) -> bytes:
    """What the provider of verifiable credentials writes: values as they are."""
    return json.dumps(
        {
            "@context": ["https://www.w3.org/2018/credentials/v1", {"sec": "https://w3id.org/security#"}],
            "type": ["VerifiableCredential", "MOSIPVerifiableCredential"], "id": "https://mosip.example/credentials/7",
            "credentialSubject": {
                "id": f"https://mosip.example/credentials/{AID}", "vcVer": "VC-V1",
                "fullName": [{"language": "eng", "value": NAME}], **subject,
            },
            "proof": {"type": "RsaSignature2018", "jws": "x..y"},
        }
    ).encode()  # fmt: skip


SHAPES = {"default": _default, "verifiable": _verifiable}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


@shapes
def test_every_identifier_is_read(shape: Any) -> None:
    found = identifiers(shape(PSUT=PSUT, UIN=UIN, VID=VID))
    assert found == Identifiers(psut=PSUT, uin=UIN, vid=VID, registration_id=AID)


@shapes
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("PSUT", "psut"),
        ("psut", "psut"),
        ("token", "psut"),
        ("UIN", "uin"),
        ("uin", "uin"),
        ("VID", "vid"),
        ("vid", "vid"),
    ],
)
@pytest.mark.parametrize(
    "value",
    [
        UIN, f" {UIN}\n", [{"language": "eng", "value": UIN}], [{"language": "eng", "value": UIN}] * 2, [UIN],
        [{"language": "eng", "value": UIN}, {"language": "ara", "value": UIN}], {"language": "eng", "value": UIN},
        int(UIN),
    ],
)  # fmt: skip
def test_names_and_values_are_read_in_every_spelling(shape: Any, name: str, field: str, value: Any) -> None:
    found = identifiers(shape(**{name: value}))
    assert getattr(found, field) == UIN
    assert sum(getattr(found, each) is not None for each in ("psut", "uin", "vid")) == 1


NOTHING = ["", " ", [], [{}], [{"language": "eng"}], {}, "[", "{", "[1", "a\x00b", "4" * 129, [None], [["1"]], "\ud800"]


@pytest.mark.parametrize(
    ("shape", "value"),
    [*((_default, value) for value in NOTHING), *((_verifiable, value) for value in [*NOTHING, None, True, 1.5])],
)
def test_what_is_no_identifier_is_none(shape: Any, value: Any) -> None:
    assert identifiers(shape(UIN=value)).uin is None


@shapes
def test_two_values_of_one_identifier_are_none(shape: Any) -> None:
    assert identifiers(shape(UIN=UIN, uin=UIN)).uin == UIN
    assert identifiers(shape(UIN=UIN, uin=VID)).uin is None
    assert identifiers(shape(PSUT=PSUT, token=VID)).psut is None
    assert identifiers(shape(UIN=[{"language": "eng", "value": UIN}, {"language": "ara", "value": VID}])).uin is None


def test_an_attribute_that_is_encrypted_with_a_pin_is_no_identifier() -> None:
    whole = json.loads(_default(UIN="c2FsdCBub25jZSBhbmQgdGV4dA", VID=VID))
    whole["protectedAttributes"] = ["UIN"]
    assert identifiers(json.dumps(whole).encode()) == Identifiers(vid=VID, registration_id=AID)


@pytest.mark.parametrize(
    ("name", "found"),
    [(AID, AID), (f"https://m.example/credentials/{AID}", AID), ("https://m.example/", None), ("", None), (None, None),
     (7, None), ("a/" + "1" * 129, None), ("a/b\x00", None)],
)  # fmt: skip
def test_the_registration_is_the_tail_of_the_subjects_id(name: Any, found: str | None) -> None:
    assert identifiers(_verifiable(id=name)).registration_id == found


@shapes
def test_nothing_of_it_is_shown(shape: Any) -> None:
    found = identifiers(shape(PSUT=PSUT, UIN=UIN, VID=VID))
    for shown in (repr(found), str(found), f"{found}"):
        assert not any(secret in shown for secret in (PSUT, UIN, VID, AID))


@pytest.mark.parametrize(
    "content",
    [b"", NAME.encode(), b"[]", b"null", b'"x"', b"{", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"9" * 9999,
     b"{}", b'{"credentialSubject": null}', b'{"credentialSubject": ["Amina Tazi"]}', _default()[:-3]],
)  # fmt: skip
def test_what_is_no_credential_is_refused_without_quoting_it(content: bytes) -> None:
    with pytest.raises(UnreadableCredential) as caught:
        identifiers(content)
    assert caught.value.reason is Reason.NOT_A_CREDENTIAL
    assert NAME not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert caught.value.__context__ is None


ALL = Identifiers(psut=PSUT, uin=UIN, vid=VID)


@pytest.mark.parametrize("allowed", [(), ("UIN",), ("VID",), ("UIN", "VID"), ("PSUT",)])
def test_the_partner_specific_token_goes_first(allowed: tuple[str, ...]) -> None:
    assert chosen(ALL, allowed) == (Kind.PSUT, PSUT)


@pytest.mark.parametrize(
    ("found", "allowed", "expected"),
    [
        (Identifiers(uin=UIN, vid=VID), (), None),
        (Identifiers(uin=UIN, vid=VID), ("PSUT",), None),
        (Identifiers(uin=UIN, vid=VID), ("NIN",), None),
        (Identifiers(uin=UIN, vid=VID), ("UIN",), ("UIN", UIN)),
        (Identifiers(uin=UIN, vid=VID), ("VID",), ("VID", VID)),
        (Identifiers(uin=UIN, vid=VID), ("VID", "UIN"), ("VID", VID)),
        (Identifiers(uin=UIN), ("VID", "UIN"), ("UIN", UIN)),
        (Identifiers(uin=UIN), ("VID",), None),
        (Identifiers(registration_id=AID), ("UIN", "VID"), None),
    ],
)
def test_uin_and_vid_are_chosen_only_where_they_are_allowed(
    found: Identifiers, allowed: tuple[str, ...], expected: tuple[str, str] | None
) -> None:
    assert chosen(found, allowed) == expected


_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["credentialSubject", "protectedAttributes", "id", "UIN", "vid", "token", "value"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=60),
        _JSON.map(lambda value: json.dumps(value).encode()),
        _JSON.map(lambda value: json.dumps({"credentialSubject": {"id": value, "UIN": value}}).encode()),
    )
)
def test_whatever_comes_is_read_or_unreadable(content: bytes) -> None:
    try:
        found = identifiers(content)
    except UnreadableCredential:
        return
    for value in (found.psut, found.uin, found.vid, found.registration_id):
        assert value is None or (0 < len(value) <= 128 and value.isprintable())
