"""Polling: every answer is about an AID that was asked, poison costs few calls, and nothing learned is lost."""

from __future__ import annotations

import hashlib
import json
import math
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mosip_servers import Asked, FarSide, Said, said

from mosip_crvs.errors import MosipCrvsError, MosipRefused, MosipUnavailable
from mosip_crvs.mosip import status as polling
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.poison import ChunkReading, Poison
from mosip_crvs.mosip.status import (
    MOST_IN_ONE_CALL,
    ExternalStatus,
    SearchHint,
    StatusAnswers,
    ask_external,
    ask_search,
)
from mosip_crvs.mosip.token import Token, TokenSource

EXTERNAL = "/registrationprocessor/v1/registrationstatus/externalstatus/search"
SEARCH = "/registrationprocessor/v1/registrationstatus/search"
WORD = "Quetzalcoatlus"
POISON = said({"response": None, "errors": [{"errorCode": "RPR-RGS-018", "errorMessage": "Unknown Exception Found"}]})


def aids(number: int) -> list[str]:
    """So many AIDs of one centre and machine."""
    return [f"1000120002{each:05d}20261124103015" for each in range(number)]


def asked_for(asked: Asked) -> list[str]:
    """The AIDs in a request."""
    return [item["registrationId"] for item in json.loads(asked.body)["request"]]


def item(aid: str, word: str = "PROCESSING", request: str | None = None) -> dict[str, Any]:
    """One item of an answer, as MOSIP writes it."""
    return {"registrationId": aid, "statusCode": word, "additionalInfoReqId": request}


def missing(aid: str) -> dict[str, Any]:
    """The error about an AID that MOSIP does not know."""
    return {"registrationId": aid, "errorCode": "RPR-RGS-031", "errorMessage": "RID Not Found"}


def answer(*items: dict[str, Any], errors: Sequence[dict[str, Any]] | None = None) -> Said:
    """MOSIP's answer."""
    return said({"id": "x", "version": "1.0", "response": list(items), "errors": errors})


def mosip(poisonous: Sequence[str] = (), unknown: Sequence[str] = (), word: str = "PROCESSING") -> Any:
    """A MOSIP of which some AIDs poison every call that names them."""

    def script(asked: Asked) -> Said:
        these = asked_for(asked)
        if set(these) & set(poisonous):
            return POISON
        return answer(
            *(item(aid, word) for aid in these if aid not in unknown),
            errors=[missing(aid) for aid in these if aid in unknown],
        )

    return script


@pytest.fixture
def tokens() -> TokenSource:
    """Tokens ``jwt-1``, ``jwt-2``, …"""
    numbers = count(1)
    return TokenSource(lambda: Token(f"jwt-{next(numbers)}", time.monotonic() + 60))


@pytest.fixture
def ask(far_side: FarSide, tokens: TokenSource) -> Callable[[Sequence[str]], Iterator[StatusAnswers[ExternalStatus]]]:
    """Ask the far side for external statuses."""
    return lambda these: ask_external(SingleCalls(far_side.url, timeout=2), tokens, these)


Ask = Callable[[Sequence[str]], Iterator[StatusAnswers[ExternalStatus]]]


def problem_of(chunks: Iterator[Any]) -> MosipCrvsError:
    """The error that asking ends with; it tells nothing of whom it was about."""
    with pytest.raises(MosipCrvsError) as caught:
        list(chunks)
    told = "".join(traceback.format_exception(caught.value))
    assert "jwt-" not in told
    assert "2026112410" not in told
    assert WORD not in told
    return caught.value


# --- the request


@pytest.mark.parametrize(
    ("ask_with", "path", "api_id"),
    [
        (ask_external, EXTERNAL, "mosip.registration.external.status"),
        (ask_search, SEARCH, "mosip.registration.status"),
    ],
)
def test_each_call_has_its_own_path_and_id(
    far_side: FarSide, tokens: TokenSource, ask_with: Any, path: str, api_id: str
) -> None:
    far_side.script = mosip()
    before = datetime.now(UTC)
    list(ask_with(SingleCalls(far_side.url), tokens, aids(2)))
    (asked,) = far_side.asked
    body = json.loads(asked.body)
    assert (asked.method, asked.path) == ("POST", path)
    assert (body["id"], body["version"]) == (api_id, "1.0")
    assert body["request"] == [{"registrationId": aid} for aid in aids(2)]
    assert abs(datetime.fromisoformat(body["requesttime"]) - before).total_seconds() < 5
    assert asked.header("Cookie") == ["Authorization=jwt-1"]


@pytest.mark.parametrize("ask_with", [ask_external, ask_search])
def test_no_call_asks_for_more_than_mosip_answers(far_side: FarSide, tokens: TokenSource, ask_with: Any) -> None:
    far_side.script = mosip()
    these = aids(MOST_IN_ONE_CALL * 2 + 7)
    chunks = list(ask_with(SingleCalls(far_side.url), tokens, these))
    assert [len(asked_for(asked)) for asked in far_side.asked] == [100, 100, 7]
    assert [aid for chunk in chunks for aid in chunk.asked] == these
    assert [aid for chunk in chunks for aid in chunk.found] == these


def test_an_aid_is_asked_for_once_and_nobody_not_at_all(far_side: FarSide, ask: Ask) -> None:
    far_side.script = mosip()
    assert list(ask([])) == []
    assert far_side.asked == []
    (chunk,) = ask(aids(2) * 3)
    assert chunk.asked == tuple(aids(2))


def test_nothing_is_asked_before_the_chunk_is_taken(far_side: FarSide, ask: Ask) -> None:
    far_side.script = mosip()
    chunks = ask(aids(300))
    next(chunks)
    assert len(far_side.asked) == 1


# --- the answer


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *((each.value, each) for each in ExternalStatus if each.name not in ("NOT_FOUND", "POISONED", "OTHER")),
        *((word, ExternalStatus.OTHER) for word in ("PROCESSED", "RESEND", "RECEIVED", "REPROCESS_FAILED", "NEWS")),
        *((word, ExternalStatus.OTHER) for word in ("POISONED", "NOT_FOUND", "OTHER", "processing")),
    ],
)
def test_a_word_is_read_and_kept(far_side: FarSide, ask: Ask, word: str, status: ExternalStatus) -> None:
    (aid,) = aids(1)
    far_side.say(answer(item(aid, word)))
    (chunk,) = ask([aid])
    assert (chunk.found[aid].status, chunk.found[aid].word) == (status, word)


@pytest.mark.parametrize("word", [None, 7, "", ["REJECTED"], "x" * 65, "REJECTED\x00"])
def test_what_is_no_word_settles_nothing(far_side: FarSide, ask: Ask, word: Any) -> None:
    (aid,) = aids(1)
    far_side.say(answer({"registrationId": aid, "statusCode": word}))
    (chunk,) = ask([aid])
    assert (chunk.found[aid].status, chunk.found[aid].word) == (ExternalStatus.OTHER, "")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("PROCESSING", SearchHint.STILL_EARLY),
        ("PROCESSED", SearchHint.GONE_ON),
        ("UPLOAD_PENDING", SearchHint.UPLOAD_PENDING),
        ("UIN_GENERATED", SearchHint.OTHER),
        ("RESEND", SearchHint.OTHER),
    ],
)
def test_a_search_gives_hints_only(far_side: FarSide, tokens: TokenSource, word: str, hint: SearchHint) -> None:
    known, unknown = aids(2)
    far_side.say(answer(item(known, word), errors=[missing(unknown)]))
    (chunk,) = ask_search(SingleCalls(far_side.url), tokens, [known, unknown])
    assert {aid: found.status for aid, found in chunk.found.items()} == {known: hint, unknown: SearchHint.NOT_FOUND}


def test_an_unknown_aid_stands_beside_the_answers(far_side: FarSide, ask: Ask) -> None:
    known, unknown = aids(2)
    far_side.script = mosip(unknown=[unknown], word="REJECTED")
    (chunk,) = ask([known, unknown])
    assert chunk.found[known].status is ExternalStatus.REJECTED
    assert (chunk.found[unknown].status, chunk.found[unknown].word) == (ExternalStatus.NOT_FOUND, "RPR-RGS-031")
    assert (chunk.unanswered, chunk.config_trap) == ((), False)


def test_the_request_for_information_is_kept(far_side: FarSide, ask: Ask) -> None:
    (aid,) = aids(1)
    far_side.say(answer(item(aid, "AWAITING_INFORMATION", f"{aid}-CORRECTION-1")))
    (chunk,) = ask([aid])
    assert chunk.found[aid].additional_info_request_id == f"{aid}-CORRECTION-1"
    far_side.say(answer(item(aid, "PROCESSING", "")))
    (chunk,) = ask([aid])
    assert chunk.found[aid].additional_info_request_id is None


def test_the_digest_is_of_the_aids_own_item_alone(far_side: FarSide, ask: Ask) -> None:
    one, other = aids(2)
    whole = {"statusCode": "REJECTED", "registrationId": one, "additionalInfoReqId": None, "later": {"b": 1, "a": "é"}}
    far_side.say(answer(whole, item(other)))
    (chunk,) = ask([one, other])
    canonical = (
        f'{{"additionalInfoReqId":null,"later":{{"a":"\\u00e9","b":1}},"registrationId":"{one}",'
        '"statusCode":"REJECTED"}'
    )
    assert chunk.found[one].body_sha256 == hashlib.sha256(canonical.encode()).hexdigest()
    far_side.say(answer(dict(reversed(whole.items())), item(other, "UIN_GENERATED")))
    (again,) = ask([one, other])
    assert again.found[one].body_sha256 == chunk.found[one].body_sha256
    assert again.found[other].body_sha256 != chunk.found[other].body_sha256


def test_the_moment_is_from_before_the_call(far_side: FarSide, ask: Ask) -> None:
    arrived: list[datetime] = []

    def script(asked: Asked) -> Said:
        arrived.append(datetime.now(UTC))
        return answer(*(item(aid) for aid in asked_for(asked)))

    far_side.script = script
    before = datetime.now(UTC)
    (chunk,) = ask(aids(1))
    (found,) = chunk.found.values()
    assert before <= found.asked_at <= arrived[0]


def test_what_mosip_leaves_out_is_unanswered(far_side: FarSide, ask: Ask) -> None:
    one, other = aids(2)
    far_side.say(answer(item(one)))
    (chunk,) = ask([one, other])
    assert (list(chunk.found), chunk.unanswered) == ([one], (other,))


def test_answers_about_others_are_ignored(far_side: FarSide, ask: Ask) -> None:
    one, stranger, unknown = aids(3)
    other_things = [item(stranger, "REJECTED"), {"statusCode": "REJECTED"}, {"registrationId": 7}]
    far_side.say(answer(item(one), *other_things, errors=[missing(unknown)]))
    (chunk,) = ask([one])
    assert {aid: found.status for aid, found in chunk.found.items()} == {one: ExternalStatus.PROCESSING}


def test_the_same_said_twice_counts_once(far_side: FarSide, ask: Ask) -> None:
    (aid,) = aids(1)
    far_side.say(answer(item(aid, "REJECTED"), {**item(aid, "REJECTED"), "later": 1}))
    (chunk,) = ask([aid])
    assert chunk.found[aid].status is ExternalStatus.REJECTED


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_contradiction_is_no_answer(far_side: FarSide, ask: Ask, order: tuple[int, int]) -> None:
    aid, other = aids(2)
    two = [item(aid, "UIN_GENERATED"), item(aid, "REJECTED")]
    far_side.say(answer(*(two[place] for place in order), item(other)))
    (chunk,) = ask([aid, other])
    assert (list(chunk.found), chunk.unanswered) == ([other], (aid,))


# --- poison


@pytest.mark.parametrize("place", [0, 1, 37, 50, 98, 99])
def test_one_poisonous_aid_costs_few_calls_and_hides_nobody(far_side: FarSide, ask: Ask, place: int) -> None:
    these = aids(100)
    far_side.script = mosip([these[place]])
    (chunk,) = ask(these)
    assert {aid for aid, found in chunk.found.items() if found.status is ExternalStatus.POISONED} == {these[place]}
    assert (len(chunk.found), chunk.config_trap) == (100, False)
    assert len(far_side.asked) <= 2 + 2 * math.ceil(math.log2(100))


def test_a_half_that_must_hold_the_poison_is_not_asked_as_a_whole(far_side: FarSide, ask: Ask) -> None:
    these = aids(100)
    far_side.script = mosip([these[98]])
    list(ask(these))
    # The whole, one alone, and then the left halves only, down to the poison itself.
    assert len(far_side.asked) <= 3 + math.ceil(math.log2(100))


def test_a_poisoned_answer_has_the_errors_word_and_digest(far_side: FarSide, ask: Ask) -> None:
    these = aids(3)
    far_side.script = mosip([these[1]])
    (chunk,) = ask(these)
    found = chunk.found[these[1]]
    canonical = '{"errorCode":"RPR-RGS-018","errorMessage":"Unknown Exception Found"}'
    assert (found.word, found.body_sha256) == ("RPR-RGS-018", hashlib.sha256(canonical.encode()).hexdigest())


def test_poison_of_one_chunk_does_not_keep_the_next_from_being_asked(far_side: FarSide, ask: Ask) -> None:
    these = aids(200)
    far_side.script = mosip([these[3], these[60]])
    chunks = list(ask(these))
    assert [len(chunk.found) for chunk in chunks] == [100, 100]
    assert not any(chunk.config_trap for chunk in chunks)


def test_the_shipped_configuration_shows_after_a_handful_of_calls(far_side: FarSide, ask: Ask) -> None:
    these = aids(5000)
    far_side.script = mosip(these)
    (chunk,) = ask(these)
    assert len(far_side.asked) <= 5
    assert (chunk.config_trap, chunk.asked) == (True, tuple(these[:100]))
    assert {found.status for found in chunk.found.values()} == {ExternalStatus.POISONED}
    assert len(chunk.found) == 100


def test_the_trap_shows_although_mosip_does_not_know_every_aid(far_side: FarSide, ask: Ask) -> None:
    these = aids(100)
    unknown = [these[0], these[99], these[50], these[1]]
    far_side.script = mosip([aid for aid in these if aid not in unknown], unknown)
    (chunk,) = ask(these)
    assert chunk.config_trap
    assert len(far_side.asked) < 20
    assert chunk.found[these[0]].status is ExternalStatus.NOT_FOUND
    assert chunk.found[these[2]].status is ExternalStatus.POISONED


def test_a_process_that_mosip_knows_is_no_trap(far_side: FarSide, ask: Ask) -> None:
    these = aids(100)
    far_side.script = mosip(these[::2])
    (chunk,) = ask(these)
    assert not chunk.config_trap
    assert [aid for aid in these if chunk.found[aid].status is ExternalStatus.POISONED] == these[::2]


def test_one_poisonous_aid_alone_proves_no_trap(far_side: FarSide, ask: Ask) -> None:
    far_side.script = mosip(aids(1))
    (chunk,) = ask(aids(1))
    assert (chunk.config_trap, len(far_side.asked)) == (False, 1)
    assert chunk.found[aids(1)[0]].status is ExternalStatus.POISONED


def test_what_was_left_out_before_the_trap_showed_stays_unanswered(far_side: FarSide, ask: Ask) -> None:
    these = aids(9)

    def script(asked: Asked) -> Said:
        return answer() if asked_for(asked) == [these[0]] else POISON

    far_side.script = script
    (chunk,) = ask(these)
    assert (chunk.config_trap, chunk.unanswered) == (True, (these[0],))


def test_a_search_knows_no_poison(far_side: FarSide, tokens: TokenSource) -> None:
    far_side.say(POISON)
    problem = problem_of(ask_search(SingleCalls(far_side.url), tokens, aids(3)))
    assert isinstance(problem, MosipUnavailable)
    assert "RPR-RGS-018" in str(problem)
    assert len(far_side.asked) == 1


@settings(max_examples=200, deadline=None)
@given(size=st.integers(1, 60), poison=st.sets(st.integers(0, 59)), unknown=st.sets(st.integers(0, 59)))
def test_without_the_trap_exactly_the_poisonous_are_poisoned(size: int, poison: set[int], unknown: set[int]) -> None:
    these = aids(size)
    bad = {aid for place, aid in enumerate(these) if place in poison}
    absent = {aid for place, aid in enumerate(these) if place in unknown} - bad
    made: list[Sequence[str]] = []

    def one_call(some: Sequence[str]) -> dict[str, bool] | Poison:
        made.append(some)
        if set(some) & bad:
            return Poison(datetime.now(UTC), "0")
        return {aid: aid not in absent for aid in some}

    reading: ChunkReading[bool] = ChunkReading(one_call, lambda known: known)
    reading.read(these)
    assert set(reading.found) | set(reading.poisoned) == set(these)
    assert not set(reading.found) & set(reading.poisoned)
    assert set(reading.poisoned) >= bad - set(reading.found)
    if not reading.trapped:
        assert set(reading.poisoned) == bad
    assert len(made) <= 4 + len(bad) * 2 * math.ceil(math.log2(size) if size > 1 else 1)


# --- errors


def test_what_was_learned_comes_before_the_error(far_side: FarSide, ask: Ask) -> None:
    these = aids(250)
    far_side.script = lambda asked: Said(503) if these[100] in asked_for(asked) else mosip()(asked)
    chunks = ask(these)
    assert len(next(chunks).found) == 100
    assert isinstance(problem_of(chunks), MosipUnavailable)
    assert len(far_side.asked) == 2


def test_a_chunk_that_breaks_half_way_gives_what_it_has(far_side: FarSide, ask: Ask) -> None:
    these = aids(100)
    far_side.script = lambda asked: Said(502) if asked_for(asked) == [these[2]] else mosip([these[2]])(asked)
    chunks = ask(these)
    part = next(chunks)
    assert 0 < len(part.found) < 100
    assert set(part.found) | set(part.unanswered) == set(these)
    assert these[2] in part.unanswered
    assert isinstance(problem_of(chunks), MosipUnavailable)


@pytest.mark.parametrize(
    "reply",
    [
        Said(502), Said(503, b"<html>"), Said(200, b"<html>"), Said(200, b"[]"), Said(200, b"\xff"), Said(200),
        Said(200, b'{"response": [', cut=True), said({"response": None, "errors": None}), said({}),
        said({"response": [], "errors": [{"errorCode": "RPR-RGS-001"}]}), said({"errors": [{}]}),
        said({"response": None, "errors": [{"errorCode": "RPR-RGS-030", "errorMessage": WORD}]}, 500),
        said({"errors": [{"errorCode": "KER-ATH-021"}]}, 401), Said(302, b"", [("Location", "/x")]),
    ],
)  # fmt: skip
def test_a_passing_fault_is_told_as_one(far_side: FarSide, ask: Ask, reply: Said) -> None:
    far_side.say(reply)
    assert isinstance(problem_of(ask(aids(2))), MosipUnavailable)


def test_too_many_requests_says_how_long_to_wait(far_side: FarSide, ask: Ask) -> None:
    far_side.say(Said(429, b"", [("Retry-After", "17")]))
    problem = problem_of(ask(aids(1)))
    assert isinstance(problem, MosipUnavailable)
    assert problem.retry_after == 17


@pytest.mark.parametrize("code", ["RPR-RGS-016", "RPR-RGS-022", "RPR-RGS-023", "RPR-RGS-024"])
def test_a_request_that_mosip_does_not_take_stops_the_run(far_side: FarSide, ask: Ask, code: str) -> None:
    far_side.say(said({"response": None, "errors": [{"errorCode": code, "errorMessage": WORD}]}))
    problem = problem_of(ask(aids(2)))
    assert isinstance(problem, MosipRefused)
    assert code in str(problem)


@pytest.mark.parametrize(
    "refusal",
    [
        Said(401),
        said({"errors": [{"errorCode": "KER-ATH-401"}]}, 401),
        said({"errors": [{"errorCode": "KER-ATH-402"}]}),
        said({"errors": [{"errorCode": "RPR-AUT-01"}]}, 403),
    ],
)
def test_a_refused_token_is_renewed_once(far_side: FarSide, ask: Ask, refusal: Said) -> None:
    (aid,) = aids(1)
    far_side.say(refusal, answer(item(aid)))
    (chunk,) = ask([aid])
    assert list(chunk.found) == [aid]
    assert [asked.header("Cookie") for asked in far_side.asked] == [["Authorization=jwt-1"], ["Authorization=jwt-2"]]
    far_side.say(refusal)
    assert isinstance(problem_of(ask([aid])), MosipRefused)
    assert len(far_side.asked) == 4


@pytest.mark.parametrize(
    "refusal",
    [
        Said(403),
        said({"errors": [{"errorCode": "KER-ATH-403", "message": WORD}]}, 403),
        said({"errors": [{"errorCode": "KER-ATH-403"}]}),
        said({"errors": [{"errorCode": "RPR-AUT-02"}]}, 401),
    ],
)
def test_a_client_without_the_role_is_told_which(far_side: FarSide, ask: Ask, refusal: Said) -> None:
    far_side.say(refusal)
    problem = problem_of(ask(aids(1)))
    assert isinstance(problem, MosipRefused)
    assert polling.STATUS_ROLES in str(problem)
    assert "REGISTRATION_ADMIN" in str(problem)
    assert len(far_side.asked) == 1


def test_a_mosip_that_is_not_there_is_unavailable(tokens: TokenSource) -> None:
    chunks = ask_external(SingleCalls("http://127.0.0.1:9", timeout=1), tokens, aids(1))
    assert isinstance(problem_of(chunks), MosipUnavailable)
