"""Asking the registration processor what became of applications (``mosip-events.md`` §4.3).

``externalstatus`` tells success from refusal, but as MOSIP is shipped it cannot answer about a process that is missing
from ``registration.processor.main-processes``: a single such AID makes the call fail for all AIDs in it. So ask for
applications of one process at a time; then either all of them are answered or none is, and the trap shows at once.
``search`` is always answered and tells little: a hint, never evidence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from mosip_crvs.errors import MosipCrvsError
from mosip_crvs.mosip.authorised import failure, payload_of, send_authorised
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.endpoints import Read
from mosip_crvs.mosip.moments import as_mosip
from mosip_crvs.mosip.poison import ChunkReading, Poison
from mosip_crvs.mosip.token import TokenSource

MOST_IN_ONE_CALL = 100
"""``search`` drops what is beyond without a word."""
STATUS_ROLES = "REGISTRATION_ADMIN, REGISTRATION_OFFICER, REGISTRATION_SUPERVISOR or RESIDENT"

_BASE = "/registrationprocessor/v1/registrationstatus"
EXTERNAL_STATUS = Read("POST", _BASE + "/externalstatus/search")
SEARCH = Read("POST", _BASE + "/search")

_POISON = "RPR-RGS-018"
_UNKNOWN_AID = "RPR-RGS-031"
_MOST_WORD = 64
_MOST_REQUEST_ID = 128


class ExternalStatus(StrEnum):
    """What ``externalstatus`` says of an application."""

    UIN_GENERATED = "UIN_GENERATED"
    """Completed: deaths and updates, too, are called so."""
    REJECTED = "REJECTED"
    REREGISTER = "REREGISTER"
    """Failed, or MOSIP gave up retrying, for which no event is ever sent."""
    AWAITING_INFORMATION = "AWAITING_INFORMATION"
    PROCESSING = "PROCESSING"
    UPLOAD_PENDING = "UPLOAD_PENDING"
    """MOSIP noted the AID and has no workflow of it; when it stays so, the trigger was half done."""
    NOT_FOUND = "NOT_FOUND"
    POISONED = "POISONED"
    """The call fails when it asks for this AID. It says nothing about the application."""
    OTHER = "OTHER"
    """A word that settles nothing."""


class SearchHint(StrEnum):
    """What ``search`` says of an application: a reason to look closer, no more."""

    STILL_EARLY = "STILL_EARLY"
    GONE_ON = "GONE_ON"
    """Past its first stages, or completed, or refused: the call does not tell which."""
    UPLOAD_PENDING = "UPLOAD_PENDING"
    NOT_FOUND = "NOT_FOUND"
    OTHER = "OTHER"


S = TypeVar("S", ExternalStatus, SearchHint)


@dataclass(frozen=True, slots=True)
class StatusAnswer(Generic[S]):
    """What MOSIP said of one AID.

    :param word: MOSIP's own word or code.
    :param additional_info_request_id: which request of MOSIP's is to be answered, where it waits for information.
    :param body_sha256: hex digest of this AID's own item as received, in canonical JSON: sorted keys, no blanks, ASCII.
    :param asked_at: UTC, taken before the call: what MOSIP said was true then or later.
    """

    aid: str
    status: S
    word: str
    additional_info_request_id: str | None
    body_sha256: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class StatusAnswers(Generic[S]):
    """What came of one chunk.

    :param asked: its AIDs.
    :param found: by AID; never one that was not asked for.
    :param config_trap: MOSIP's ``registration.processor.main-processes`` lacks the process of these applications.
        The rest of the chunk counts as poisoned unasked, and the chunks after it are not asked at all.
    """

    asked: tuple[str, ...]
    found: Mapping[str, StatusAnswer[S]]
    config_trap: bool = False

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Of which AIDs MOSIP said nothing, or two things that contradict each other."""
        return tuple(aid for aid in self.asked if aid not in self.found)


@dataclass(frozen=True, slots=True)
class _Question(Generic[S]):
    """One of the two calls.

    :param words: MOSIP's words and codes, and what they mean.
    :param poisoned: how a poisonous AID is called, for the call that knows poison.
    """

    read: Read
    api_id: str
    words: Mapping[str, S]
    other: S
    poisoned: S | None = None


_EXTERNAL = _Question(
    EXTERNAL_STATUS,
    "mosip.registration.external.status",
    {
        _UNKNOWN_AID: ExternalStatus.NOT_FOUND,
        _POISON: ExternalStatus.POISONED,
        **{
            status.value: status
            for status in ExternalStatus
            if status not in (ExternalStatus.NOT_FOUND, ExternalStatus.POISONED, ExternalStatus.OTHER)
        },
    },
    ExternalStatus.OTHER,
    ExternalStatus.POISONED,
)
_SEARCH = _Question(
    SEARCH,
    "mosip.registration.status",
    {
        _UNKNOWN_AID: SearchHint.NOT_FOUND,
        "PROCESSING": SearchHint.STILL_EARLY,
        "PROCESSED": SearchHint.GONE_ON,
        "UPLOAD_PENDING": SearchHint.UPLOAD_PENDING,
    },
    SearchHint.OTHER,
)


def ask_external(
    calls: SingleCalls, tokens: TokenSource, aids: Sequence[str]
) -> Iterator[StatusAnswers[ExternalStatus]]:
    """Ask what became of applications, chunk by chunk, so that each chunk can be kept before the next is asked.

    Nothing is sent before the first chunk is taken. Should a call fail in the middle of a chunk, what that chunk had
    learned is given before the error is raised.

    :param aids: of one process, best.
    :raises MosipRefused: when the client may not ask; the text names the roles.
    :raises MosipUnavailable: when MOSIP does not answer as it should, with its ``retry_after``.
    """
    return _chunks(calls, tokens, _EXTERNAL, aids)


def ask_search(calls: SingleCalls, tokens: TokenSource, aids: Sequence[str]) -> Iterator[StatusAnswers[SearchHint]]:
    """Ask for hints, in the same way; ``search`` knows no poison."""
    return _chunks(calls, tokens, _SEARCH, aids)


def _chunks(
    calls: SingleCalls, tokens: TokenSource, question: _Question[S], aids: Sequence[str]
) -> Iterator[StatusAnswers[S]]:
    each_once = tuple(dict.fromkeys(aids))
    for start in range(0, len(each_once), MOST_IN_ONE_CALL):
        chunk = each_once[start : start + MOST_IN_ONE_CALL]
        reading = ChunkReading(lambda some: _ask_once(calls, tokens, question, some), _knows_application)
        problem: MosipCrvsError | None = None
        try:
            reading.read(chunk)
        except MosipCrvsError as caught:
            problem = caught
        found = {**reading.found, **_poisoned(question, reading.poisoned)}
        if found or problem is None:
            yield StatusAnswers(chunk, found, reading.trapped)
        if problem is not None:
            raise problem
        if reading.trapped:
            return


def _knows_application(answer: StatusAnswer[S]) -> bool:
    return answer.word != _UNKNOWN_AID


def _poisoned(question: _Question[S], poisoned: Mapping[str, Poison]) -> dict[str, StatusAnswer[S]]:
    status = question.poisoned or question.other
    return {
        aid: StatusAnswer(aid, status, _POISON, None, poison.body_sha256, poison.asked_at)
        for aid, poison in poisoned.items()
    }


def _ask_once(
    calls: SingleCalls, tokens: TokenSource, question: _Question[S], aids: Sequence[str]
) -> dict[str, StatusAnswer[S]] | Poison:
    """Make one call."""
    asked_at = datetime.now(UTC)
    body = {
        "id": question.api_id,
        "version": "1.0",
        "requesttime": as_mosip(asked_at),
        "request": [{"registrationId": aid} for aid in aids],
    }
    reply = send_authorised(calls, tokens, question.read, json.dumps(body).encode())
    what = f"{question.read.method} {question.read.template}"
    payload = payload_of(reply)
    if payload is None or reply.status != 200:
        raise failure(reply, what, STATUS_ROLES)
    items, faults = _sorted_out(payload)
    if faults and not items:
        code = _text(faults[0].get("errorCode"), _MOST_WORD) or "ERROR_WITHOUT_CODE"
        if code == _POISON and question.poisoned is not None:
            return Poison(asked_at, _digest(faults[0]))
        raise failure(reply, what, STATUS_ROLES, code)
    if not items and not isinstance(payload.get("response"), list):
        raise failure(reply, what, STATUS_ROLES, "RESPONSE_NULL")
    return _answers(question, frozenset(aids), items, asked_at)


def _sorted_out(payload: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Part what is said of single AIDs, in ``response`` and in ``errors``, from errors of the whole call."""
    errors = _dicts(payload.get("errors"))
    of_one = [error for error in errors if isinstance(error.get("registrationId"), str)]
    of_all = [error for error in errors if not isinstance(error.get("registrationId"), str)]
    return _dicts(payload.get("response")) + of_one, of_all


def _answers(
    question: _Question[S], asked: frozenset[str], items: Sequence[dict[str, Any]], asked_at: datetime
) -> dict[str, StatusAnswer[S]]:
    """Read the items. An AID of which two different things are said has no answer: which of them holds is a guess."""
    found: dict[str, StatusAnswer[S]] = {}
    contradicted: set[str] = set()
    for item in items:
        aid = item.get("registrationId")
        if not isinstance(aid, str) or aid not in asked:
            continue
        word = _text(item.get("statusCode"), _MOST_WORD) or _text(item.get("errorCode"), _MOST_WORD)
        request_id = _text(item.get("additionalInfoReqId"), _MOST_REQUEST_ID) or None
        answer = StatusAnswer(aid, question.words.get(word, question.other), word, request_id, _digest(item), asked_at)
        before = found.setdefault(aid, answer)
        if (before.word, before.additional_info_request_id) != (word, request_id):
            contradicted.add(aid)
    return {aid: answer for aid, answer in found.items() if aid not in contradicted}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: Any, most: int) -> str:
    """Give a short text that a ledger can keep; empty when it is none."""
    return value if isinstance(value, str) and len(value) <= most and value.isprintable() else ""


def _digest(item: Mapping[str, Any]) -> str:
    canonical = json.dumps(item, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
