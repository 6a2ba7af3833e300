"""Doors: answers with an envelope and without, readings again and changes once, a new token once, no secrets told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from mosip_servers import Asked, FarSide, Said, said, token_text

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.mosip import doors
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.codes import Action
from mosip_crvs.mosip.doors import READ_TRIES, Door, must
from mosip_crvs.mosip.endpoints import Probe, Read, Write
from mosip_crvs.mosip.token import Token, TokenSource

LOOK = Read("GET", "/look/{id}?size=10")
SEARCH = Read("POST", "/v1/masterdata/machines/search")
PLAIN = Read("GET", "/plain", enveloped=False)
CHANGE = Write("POST", "/change/{id}")
PLAIN_CHANGE = Write("PUT", "/plain", enveloped=False)
OTHER_SPELLING = Write("POST", "/oidc/client", time_field="requestTime")
PROBE = Probe("PUT", "/commons/v1/packetmanager/createPacket")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(doors, "_WAIT_SECONDS", 0.0)


@pytest.fixture
def door(far_side: FarSide) -> Door:
    """A door for which no token is asked."""
    return Door(SingleCalls(far_side.url), None)


def refused(code: str, text: str = "no", status: int = 200) -> Said:
    """MOSIP's refusal."""
    return said({"response": None, "errors": [{"errorCode": code, "message": text}]}, status)


# --- reading answers


@pytest.mark.parametrize("errors", [{}, {"errors": None}, {"errors": []}])
def test_the_response_of_an_envelope_is_given(far_side: FarSide, door: Door, errors: dict[str, Any]) -> None:
    far_side.say(said({"id": "x", "response": {"a": 1}, **errors}))
    answer = door.ask(LOOK, id="1")
    assert (answer.succeeded, answer.code, answer.response) == (True, None, {"a": 1})


@pytest.mark.parametrize("status", [200, 400, 404])
def test_an_error_code_counts_whatever_the_status(far_side: FarSide, door: Door, status: int) -> None:
    far_side.say(refused("KER-MSD-215", "Registration Center not found", status))
    answer = door.ask(LOOK, id="1")
    assert (answer.succeeded, answer.code, answer.action) == (False, "KER-MSD-215", Action.ABSENT)
    assert answer.refusal == f"HTTP {status} KER-MSD-215: Registration Center not found"


@pytest.mark.parametrize("payload", [[{"id": "a"}], {"id": "a"}, []])
def test_without_an_envelope_the_body_is_the_answer(far_side: FarSide, door: Door, payload: Any) -> None:
    far_side.say(said(payload))
    assert door.ask(PLAIN).response == payload


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"errorMessage": "Client exists"}, "Client exists"),
        ({"error": "invalid_client", "error_description": "Bad secret"}, "Bad secret"),
        ({"error": "HTTP 404 Not Found"}, "HTTP 404 Not Found"),
        ([], ""),
    ],
)
def test_keycloaks_own_words_are_found(far_side: FarSide, door: Door, payload: Any, words: str) -> None:
    far_side.say(said(payload, 409))
    answer = door.ask(PLAIN)
    assert (answer.code, answer.text) == ("HTTP_409", words)
    assert answer.refusal == ("HTTP_409: " + words if words else "HTTP_409")


@pytest.mark.parametrize("status", [401, 403])
def test_a_closed_gate_is_known(far_side: FarSide, door: Door, status: int) -> None:
    far_side.say(refused(f"KER-ATH-{status}", status=status))
    assert door.ask(LOOK, id="1").gate_closed
    far_side.say(refused("KER-MSD-215"))
    assert not door.ask(LOOK, id="1").gate_closed


@pytest.mark.parametrize("code", ["KER-ATH-403", "RPR-AUT-02"])
def test_a_gate_may_close_with_http_200(far_side: FarSide, door: Door, code: str) -> None:
    far_side.say(refused(code))
    assert door.ask(LOOK, id="1").gate_closed


def test_what_must_succeed_tells_what_was_asked(far_side: FarSide, door: Door) -> None:
    far_side.say(refused("KER-MSD-342", "Zone not found"))
    with pytest.raises(MosipRefused, match=r"look for the centre: HTTP 200 KER-MSD-342: Zone not found"):
        must(door.ask(LOOK, id="1"), "look for the centre")


def test_words_of_a_service_are_short_and_printable(far_side: FarSide, door: Door) -> None:
    far_side.say(refused("KER-MSD-041", "a\x1b[31m\r\n" + "b" * 1000))
    text = door.ask(LOOK, id="1").text
    assert len(text) <= 200
    assert text.isprintable()


# --- requests


def test_a_request_travels_in_an_envelope(far_side: FarSide, door: Door) -> None:
    far_side.say(said({"response": {}}))
    door.ask(SEARCH, {"filters": []})
    body = json.loads(far_side.asked[0].body)
    assert body["request"] == {"filters": []}
    assert MOMENT.match(body["requesttime"])
    assert far_side.asked[0].header("Content-Type") == ["application/json"]


def test_the_other_spelling_of_the_moment_is_sent_alone(far_side: FarSide, door: Door) -> None:
    far_side.say(said({"response": {}}))
    door.tell(OTHER_SPELLING, {})
    body = json.loads(far_side.asked[0].body)
    assert MOMENT.match(body["requestTime"])
    assert "requesttime" not in body


def test_without_an_envelope_the_request_is_the_body(far_side: FarSide, door: Door) -> None:
    far_side.say(Said(204))
    door.tell(PLAIN_CHANGE, [{"id": "1"}])
    assert json.loads(far_side.asked[0].body) == [{"id": "1"}]


def test_a_get_and_a_bare_patch_have_no_body(far_side: FarSide, door: Door) -> None:
    far_side.say(said({"response": {}}))
    door.ask(LOOK, id="1")
    door.tell(Write("PATCH", "/machines?id={id}"), id="1")
    assert [asked.body for asked in far_side.asked] == [b"", b""]


def test_a_probe_is_sent_as_it_is_and_once(far_side: FarSide, door: Door) -> None:
    far_side.say(said({}, 503))
    assert door.knock(PROBE, {"request": None}).status == 503
    assert [json.loads(asked.body) for asked in far_side.asked] == [{"request": None}]


# --- again, or once


@pytest.mark.parametrize(
    "passing",
    [said({}, 502), said({}, 429), Said(200, b"<html>"), refused("KER-KMS-005"), Said(200, b"{", cut=True)],
    ids=["502", "429", "html", "code", "cut"],
)
def test_a_reading_is_tried_again_and_a_change_is_not(far_side: FarSide, door: Door, passing: Said) -> None:
    far_side.say(passing, said({"response": {"a": 1}}))
    assert door.ask(LOOK, id="1").response == {"a": 1}
    assert len(far_side.asked) == 2

    far_side.asked.clear()
    far_side.say(passing, said({"response": {}}))
    with pytest.raises(MosipUnavailable):
        door.tell(CHANGE, {}, id="1")
    assert len(far_side.asked) == 1


def test_a_reading_is_not_tried_for_ever(far_side: FarSide, door: Door) -> None:
    far_side.say(said({}, 503))
    with pytest.raises(MosipUnavailable, match=r"GET /look/\{id\}: HTTP_503"):
        door.ask(LOOK, id="1")
    assert len(far_side.asked) == READ_TRIES


def test_a_refusal_is_not_tried_again(far_side: FarSide, door: Door) -> None:
    far_side.say(refused("KER-MSD-041"))
    assert not door.ask(LOOK, id="1").succeeded
    with pytest.raises(MosipRefused, match=r"POST /change/\{id\}: HTTP 200 KER-MSD-041"):
        door.tell(CHANGE, {}, id="1")
    assert len(far_side.asked) == 2


@pytest.mark.parametrize("code", ["KER-USR-018", "KER-PCM-003", "PMS_PRT_051", "duplicate_client_id"])
def test_what_was_done_before_is_a_success(far_side: FarSide, door: Door, code: str) -> None:
    far_side.say(refused(code))
    assert door.tell(CHANGE, {}, id="1").code == code


def test_an_empty_answer_to_a_change_of_keycloak_is_a_success(far_side: FarSide, door: Door) -> None:
    far_side.say(Said(201, b"", [("Location", "http://k/clients/1")]))
    answer = door.tell(PLAIN_CHANGE, {})
    assert (answer.succeeded, answer.headers["location"]) == (True, "http://k/clients/1")


# --- tokens


class Tokens:
    """A source that counts what it fetched."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.source = TokenSource(self._fetch)

    def _fetch(self) -> Token:
        self.fetched.append(token_text(number=len(self.fetched)))
        return Token(self.fetched[-1], float("inf"))


def only(good: Callable[[], str], bearer: bool) -> Callable[[Asked], Said]:
    """Let in whoever shows a token."""

    def script(asked: Asked) -> Said:
        shown = asked.header("Authorization") if bearer else asked.header("Cookie")
        wanted = f"Bearer {good()}" if bearer else f"Authorization={good()}"
        return said({"response": {}}) if shown == [wanted] else refused("KER-ATH-401", status=401)

    return script


@pytest.mark.parametrize("bearer", [False, True])
@pytest.mark.parametrize("change", [False, True])
def test_a_refused_token_is_renewed_once(far_side: FarSide, bearer: bool, change: bool) -> None:
    tokens = Tokens()
    door = Door(SingleCalls(far_side.url), tokens.source, bearer=bearer)
    far_side.script = only(lambda: tokens.fetched[1] if len(tokens.fetched) > 1 else "", bearer)
    answer = door.tell(CHANGE, {}, id="1") if change else door.ask(LOOK, id="1")
    assert answer.succeeded
    assert (len(tokens.fetched), len(far_side.asked)) == (2, 2)


def test_a_token_that_is_refused_again_is_not_renewed_again(far_side: FarSide) -> None:
    tokens = Tokens()
    door = Door(SingleCalls(far_side.url), tokens.source)
    far_side.say(refused("KER-ATH-401", status=401))
    assert door.ask(LOOK, id="1").gate_closed
    assert (len(tokens.fetched), len(far_side.asked)) == (2, 2)
    with pytest.raises(MosipRefused, match="KER-ATH-401"):
        door.tell(CHANGE, {}, id="1")


def test_the_token_travels_one_way_only(far_side: FarSide) -> None:
    tokens = Tokens()
    far_side.say(said({"response": {}}))
    Door(SingleCalls(far_side.url), tokens.source).ask(LOOK, id="1")
    Door(SingleCalls(far_side.url), tokens.source, bearer=True).ask(LOOK, id="1")
    cookie, bearer = far_side.asked
    assert (cookie.header("Authorization"), bearer.header("Cookie")) == ([], [])


# --- discretion


def test_errors_name_neither_tokens_nor_what_was_sent(far_side: FarSide) -> None:
    tokens = Tokens()
    door = Door(SingleCalls(far_side.url), tokens.source)
    for answer in (refused("KER-MSD-041"), said({}, 503), refused("KER-ATH-401", status=401)):
        far_side.say(answer)
        with pytest.raises((MosipRefused, MosipUnavailable)) as caught:
            door.tell(CHANGE, {"secret": "very-secret"}, id="person-1")
        told = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
        for hidden in (*tokens.fetched, "very-secret", "person-1"):
            assert hidden not in told
    assert "secret" not in repr(Token("secret", 1.0))


def test_a_far_side_that_is_not_there_is_unavailable() -> None:
    door = Door(SingleCalls("http://127.0.0.1:9", timeout=1), None)
    with pytest.raises(MosipUnavailable, match="no answer"):
        door.ask(LOOK, id="1")
