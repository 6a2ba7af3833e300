"""Opening sealed credentials: what opens is what was sealed, and what does not open says why and no more."""

from __future__ import annotations

import base64
import pickle
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.credential.sealing import Pair, b64, seal, seal_as_before

from mosip_crvs.credential.keyring import KeyRing
from mosip_crvs.credential.layout import LARGEST, Reason, UnreadableCredential, open_credential, thumbprint_of

NAME = "Amina Tazi"
CONTENT = f'{{"credentialSubject":{{"fullName":"{NAME}","UIN":"4958203716"}}}}'.encode()
SPLITTER = b"#KEY_SPLITTER#"
LAYOUTS: dict[str, Callable[..., bytes]] = {"present": seal, "older": seal_as_before}
layouts = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def _reason(text: str | bytes, keys: KeyRing, **options: bytes) -> Reason:
    """The reason for which a text does not open, once it is sure that the error tells nothing else."""
    with pytest.raises(UnreadableCredential) as caught:
        open_credential(text, keys, **options)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(caught.value.args)
    assert NAME not in told
    assert "4958203716" not in told
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.reason


@layouts
def test_what_was_sealed_is_opened_to_the_byte(layout: Callable[..., bytes], partner: Pair, keys: KeyRing) -> None:
    assert open_credential(b64(layout(CONTENT, partner)), keys) == CONTENT


@layouts
@pytest.mark.parametrize("around", ["{}", "{}\n", ' \t"{}"\r\n', "'{}'"])
@pytest.mark.parametrize("length", range(60, 64))
def test_padding_blanks_and_quotes_around_it_do_not_matter(
    layout: Callable[..., bytes], around: str, length: int, partner: Pair, keys: KeyRing
) -> None:
    sealed = layout(b"x" * length, partner)
    padded = around.format(base64.urlsafe_b64encode(sealed).decode())
    bare = around.format(b64(sealed))
    for text in (padded, bare, padded.encode(), bare.encode()):
        assert open_credential(text, keys) == b"x" * length
        assert thumbprint_of(text) == partner.thumbprint


@layouts
@settings(max_examples=20, deadline=None)
@given(content=st.one_of(st.binary(max_size=200), st.just(SPLITTER), st.just(b"VER_R2" + SPLITTER)))
def test_any_content_comes_back(layout: Callable[..., bytes], partner: Pair, keys: KeyRing, content: bytes) -> None:
    assert open_credential(b64(layout(content, partner)), keys) == content


@layouts
def test_it_is_split_at_the_first_splitter(layout: Callable[..., bytes], partner: Pair, keys: KeyRing) -> None:
    sealed = layout(CONTENT, partner, start=SPLITTER)
    assert sealed.count(SPLITTER) == 2
    assert open_credential(b64(sealed), keys) == CONTENT


@layouts
def test_however_short_it_is_cut_it_is_damaged(layout: Callable[..., bytes], partner: Pair, keys: KeyRing) -> None:
    sealed = layout(b"", partner)
    start = sealed.index(SPLITTER) + len(SPLITTER)
    for end in range(start, len(sealed)):
        assert _reason(b64(sealed[:end]), keys) is Reason.DAMAGED


@layouts
@pytest.mark.parametrize("length", [1, 255, 257, 512])
def test_a_wrapped_key_of_another_length_is_damaged(
    layout: Callable[..., bytes], length: int, partner: Pair, keys: KeyRing
) -> None:
    head, _, body = layout(CONTENT, partner).partition(SPLITTER)
    resized = head[:-256] + (head[-256:] * 2)[:length]
    assert _reason(b64(resized + SPLITTER + body), keys) is Reason.DAMAGED


def test_the_older_layout_authenticates_what_was_agreed_upon(partner: Pair, keys: KeyRing) -> None:
    text = b64(seal_as_before(CONTENT, partner, aad=b"agreed"))
    assert open_credential(text, keys, aad=b"agreed") == CONTENT
    assert _reason(text, keys) is Reason.DAMAGED
    assert _reason(text, keys, aad=b"other") is Reason.DAMAGED


def test_the_present_layout_brings_its_own(partner: Pair, keys: KeyRing) -> None:
    assert open_credential(b64(seal(CONTENT, partner)), keys, aad=b"agreed") == CONTENT


@layouts
def test_the_thumbprint_is_read_without_a_key(layout: Callable[..., bytes], stranger: Pair) -> None:
    assert thumbprint_of(b64(layout(CONTENT, stranger))) == stranger.thumbprint


@layouts
def test_a_credential_for_another_certificate_has_an_unknown_key(
    layout: Callable[..., bytes], stranger: Pair, keys: KeyRing
) -> None:
    assert _reason(b64(layout(CONTENT, stranger)), keys) is Reason.UNKNOWN_KEY


@layouts
def test_a_key_wrapped_to_another_certificate_than_the_named_one_is_the_wrong_key(
    layout: Callable[..., bytes], partner: Pair, stranger: Pair, keys: KeyRing
) -> None:
    sealed = layout(CONTENT, stranger).replace(stranger.thumbprint, partner.thumbprint)
    assert _reason(b64(sealed), keys) is Reason.WRONG_KEY


@layouts
@pytest.mark.parametrize("length", [16, 24])
def test_a_shorter_aes_key_is_refused_although_the_content_would_open(
    layout: Callable[..., bytes], length: int, partner: Pair, keys: KeyRing
) -> None:
    assert _reason(b64(layout(CONTENT, partner, session_key=b"k" * length)), keys) is Reason.DAMAGED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        '""',
        CONTENT.decode(),
        CONTENT,
        "<html>",
        "AAAA BBBB",
        "AAAA+/==",
        "A",
        "AAAAA",
        "é",
        b"\xff",
        "AA=AA",
    ],
)
def test_what_is_no_base64url_is_said_to_be_none(text: str | bytes, keys: KeyRing) -> None:
    assert _reason(text, keys) is Reason.NOT_BASE64


@layouts
def test_without_a_splitter_nothing_is_opened(layout: Callable[..., bytes], partner: Pair, keys: KeyRing) -> None:
    assert _reason(b64(layout(CONTENT, partner).replace(SPLITTER, b"")), keys) is Reason.NO_SPLITTER
    assert _reason(b64(CONTENT), keys) is Reason.NO_SPLITTER


@pytest.mark.parametrize("block", [b"", b"VER_R2", b"short", b"VER_R2" + b"t" * 32, b"t" * 32])
def test_a_key_block_without_a_key_is_damaged(block: bytes, keys: KeyRing) -> None:
    text = b64(block + SPLITTER + b"x" * 100)
    assert _reason(text, keys) is Reason.DAMAGED
    with pytest.raises(UnreadableCredential) as caught:
        thumbprint_of(text)
    assert caught.value.reason is Reason.DAMAGED


def test_what_is_too_large_is_not_even_decoded(keys: KeyRing) -> None:
    assert _reason("." * (LARGEST + 1), keys) is Reason.TOO_LARGE
    assert _reason(b"." * (LARGEST + 1), keys) is Reason.TOO_LARGE
    assert _reason("." * LARGEST, keys) is Reason.NOT_BASE64


@pytest.mark.parametrize("reason", Reason)
def test_an_error_names_its_reason_and_outlives_a_change_of_process(reason: Reason) -> None:
    error = pickle.loads(pickle.dumps(UnreadableCredential(reason)))
    assert error.reason is reason
    assert f"({reason})" in str(error)


@layouts
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_flip_of_any_byte_opens_to_other_content(
    layout: Callable[..., bytes], partner: Pair, keys: KeyRing, data: st.DataObject
) -> None:
    sealed = bytearray(_once(layout, partner))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    assert _reason(b64(bytes(sealed)), keys) in set(Reason) - {Reason.NOT_BASE64, Reason.TOO_LARGE}


@layouts
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_cut_and_no_change_of_the_text_opens_to_other_content(
    layout: Callable[..., bytes], partner: Pair, keys: KeyRing, data: st.DataObject
) -> None:
    text = b64(_once(layout, partner))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    changed = text[:start] + data.draw(st.text(max_size=4)) + text[end:]
    try:
        opened = open_credential(changed, keys)
    except UnreadableCredential:
        return
    assert opened == CONTENT


@settings(max_examples=300, deadline=None)
@given(
    raw=st.one_of(
        st.binary(max_size=60),
        st.builds(
            b"".join,
            st.tuples(
                st.sampled_from([b"", b"VER_R2"]), st.sampled_from(["known", "unknown"]).map(str.encode),
                st.sampled_from([b"", b"k" * 255, b"k" * 256, b"\xff" * 256, bytes(256), b"k" * 257]),
                st.sampled_from([b"", SPLITTER]), st.binary(max_size=60),
            ),
        ),
    ),
    as_text=st.booleans(),
)  # fmt: skip
def test_whatever_comes_is_unreadable_and_never_another_error(
    raw: bytes, as_text: bool, partner: Pair, keys: KeyRing
) -> None:
    raw = raw.replace(b"known", partner.thumbprint, 1)
    for text in (b64(raw) if as_text else raw, b64(raw)):
        _reason(text, keys)


_SEALED: dict[object, bytes] = {}


def _once(layout: Callable[..., bytes], partner: Pair) -> bytes:
    """The same credential for every example, so that what failed can be repeated."""
    return _SEALED.setdefault(layout, layout(CONTENT, partner))
