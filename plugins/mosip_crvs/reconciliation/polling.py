"""Asking MOSIP about applications that nobody told us of; kindly, and concluding nothing from silence."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Engine

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.ledger import alarms, evidence, facts, polling
from mosip_crvs.ledger.connection import clock, transaction
from mosip_crvs.ledger.evidence import Fact
from mosip_crvs.ledger.facts import Recorded
from mosip_crvs.ledger.polling import Due
from mosip_crvs.model import ApplicationState, RegistrationKind
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.credential_requests import request_status
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.status import ExternalStatus, SearchHint, StatusAnswer, StatusAnswers, ask_external, ask_search
from mosip_crvs.mosip.token import TokenSource
from mosip_crvs.mosip.transactions import first_failure, transactions
from mosip_crvs.settlement.patience import ask_again_at
from mosip_crvs.settlement.rules import EvidenceKind
from mosip_crvs.submission.supersession import StatusNow

EXTERNAL_STATUS = "externalstatus"
SEARCH = "search"
TRANSACTIONS = "registrationtransaction"
CREDENTIAL_REQUEST = "credentialrequest"

MOST_A_RUN = 5_000
"""Applications of one kind that a run asks about: fifty calls."""
MOST_EXPLAINED = 200
"""Refusals of one run whose stage is asked for: a call each."""
MOST_REQUESTS = 50
"""Credential requests that a run asks for: a call each."""

POLLING_FORBIDDEN = "polling_forbidden"
STATUS_CALL_POISONED = "status_call_poisoned"
POISONED_WORD = "RPR-RGS-018"

_KINDS = {
    ExternalStatus.PROCESSING: EvidenceKind.STATUS_PROCESSING,
    ExternalStatus.UPLOAD_PENDING: EvidenceKind.STATUS_UPLOAD_PENDING,
    ExternalStatus.AWAITING_INFORMATION: EvidenceKind.STATUS_AWAITING_INFORMATION,
    ExternalStatus.REREGISTER: EvidenceKind.STATUS_REREGISTER,
    ExternalStatus.REJECTED: EvidenceKind.STATUS_REJECTED,
    ExternalStatus.UIN_GENERATED: EvidenceKind.STATUS_UIN_GENERATED,
    ExternalStatus.NOT_FOUND: EvidenceKind.STATUS_NOT_FOUND,
    ExternalStatus.OTHER: EvidenceKind.STATUS_OTHER,
}
_SAYS_NOTHING_NEW = {
    ExternalStatus.PROCESSING: ApplicationState.TRIGGERED,
    ExternalStatus.AWAITING_INFORMATION: ApplicationState.AWAITING_INFO,
    ExternalStatus.REREGISTER: ApplicationState.FAILED,
    ExternalStatus.REJECTED: ApplicationState.REJECTED,
    ExternalStatus.UPLOAD_PENDING: ApplicationState.HALF_CREATED,
    ExternalStatus.NOT_FOUND: ApplicationState.TRIGGERED,
    ExternalStatus.OTHER: ApplicationState.TRIGGERED,
}
"""A word that was heard before of an application in this state is not kept again. What is completed is asked about only
when it was contradicted: then even the word of before says something new."""
_ANNOUNCED = frozenset({ExternalStatus.UIN_GENERATED, ExternalStatus.REJECTED})
"""What MOSIP announces when it happens; that it gave up after many tries, for one, it never does."""
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StatusDesk:
    """Asks, and dates the answers by the ledger's clock."""

    ledger: Engine
    calls: SingleCalls
    tokens: TokenSource
    settings: MosipSettings

    @property
    def grace(self) -> timedelta:
        """After which an application that MOSIP noted and did not begin is half-created."""
        return timedelta(seconds=self.settings.half_created_after)

    def ask(self, aids: Sequence[str]) -> Iterator[tuple[datetime, StatusAnswers[ExternalStatus]]]:
        """Ask chunk by chunk; each comes with the moment before it was asked for."""
        return self.dated(ask_external(self.calls, self.tokens, aids))

    def dated(self, chunks: Iterator[T]) -> Iterator[tuple[datetime, T]]:
        """Give the answers of a call, each with the moment before it was asked for."""
        while True:
            at = clock(self.ledger)
            chunk = next(chunks, None)
            if chunk is None:
                return
            yield at, chunk

    def next_questions(self, due: Mapping[str, Due], aids: Iterable[str], at: datetime) -> dict[str, datetime]:
        """Say when to ask again about some of what was due."""
        patience = timedelta(seconds=self.settings.poll_after)
        return {aid: ask_again_at(due[aid].triggering_at, at, patience) for aid in aids}


@dataclass(slots=True)
class _Run:
    """What a run came to so far."""

    asked: int = 0
    answered: int = 0
    silent: int = 0
    heard_of: set[str] = field(default_factory=set)
    poisoned: list[str] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)


def poll(desk: StatusDesk, most: int = MOST_A_RUN) -> Counter[str]:
    """Ask MOSIP about all applications whose time has come, births and deaths apart; safe to kill and to repeat.

    :param most: applications of each kind.
    :return: counts: ``asked``, ``answered``, ``settled``, ``silent``, ``poisoned``, ``forbidden``, and of alarms.
    :raises MosipUnavailable: when MOSIP does not answer as it should; what it did answer is kept.
    """
    total: Counter[str] = Counter()
    unavailable: MosipUnavailable | None = None
    for kind in RegistrationKind:
        due = polling.take_due(desk.ledger, kind, most)
        if due:
            try:
                total.update(_poll_kind(desk, kind, due))
            except MosipUnavailable as problem:  # the other kind is asked about all the same
                unavailable = problem
    if unavailable is not None:
        raise unavailable
    return total


def status_now(desk: StatusDesk, aids: Sequence[str]) -> StatusNow:
    """Ask about some applications right now, whatever their time, for a decision that must not be made in doubt.

    :raises MosipUnavailable: when MOSIP does not answer as it should.
    """
    said: list[Fact] = []
    unaskable = set(aids)  # what a refusal, or MOSIP's configuration, keeps from being asked about stays in
    try:
        for at, chunk in desk.ask(aids):
            said += [fact for answer in chunk.found.values() if (fact := fact_of(answer, at)) is not None]
            unaskable -= {aid for aid in chunk.asked if not _is_poisoned(chunk, aid)}
    except MosipRefused as problem:
        log.warning("MOSIP may not be asked whether its refusals stand: %s", problem)
    return StatusNow(said, frozenset(unaskable))


def _is_poisoned(chunk: StatusAnswers[ExternalStatus], aid: str) -> bool:
    return aid in chunk.found and chunk.found[aid].status is ExternalStatus.POISONED


def fact_of(answer: StatusAnswer[ExternalStatus], at: datetime) -> Fact | None:
    """Turn an answer into a fact; None when the call could not say anything about the application."""
    kind = _KINDS.get(answer.status)
    if kind is None:
        return None
    return Fact(answer.aid, kind, EXTERNAL_STATUS, answer.word, answer.body_sha256, at, at.isoformat())


def _poll_kind(desk: StatusDesk, kind: RegistrationKind, due: Sequence[Due]) -> Counter[str]:
    run = _Run(asked=len(due))
    by_aid = {each.aid: each for each in due}
    try:
        for at, chunk in desk.ask(list(by_aid)):
            _keep_chunk(desk, run, by_aid, at, chunk)
            if chunk.config_trap:
                _give_up_on_the_rest(desk, run, by_aid, at)
    except MosipRefused as problem:
        polling.note(desk.ledger, EXTERNAL_STATUS, "forbidden", asked=run.asked, answered=run.answered,
                     problem=str(problem)[:200])  # fmt: skip
        with transaction(desk.ledger) as connection:
            alarms.raise_alarm(connection, POLLING_FORBIDDEN, EXTERNAL_STATUS, details=str(problem)[:200])
        log.warning("MOSIP may not be asked, so only what it announces settles: %s", problem)
        run.tally["forbidden"] += 1
        return run.tally
    except MosipUnavailable as problem:
        polling.note(desk.ledger, EXTERNAL_STATUS, "unavailable", asked=run.asked, answered=run.answered,
                     silent=run.silent, problem=str(problem)[:200])  # fmt: skip
        raise
    verdict = "poisoned" if run.poisoned else "answered"
    polling.note(
        desk.ledger, EXTERNAL_STATUS, verdict, asked=run.asked, answered=run.answered, silent=run.silent
    )
    _tell_of_poison(desk, kind, run)
    run.tally.update(asked=run.asked, answered=run.answered, silent=run.silent, poisoned=len(run.poisoned))
    return run.tally


def _keep_chunk(
    desk: StatusDesk, run: _Run, by_aid: dict[str, Due], at: datetime, chunk: StatusAnswers[ExternalStatus]
) -> None:
    """Keep what one chunk said, in one transaction."""
    found = chunk.found.values()
    new = [
        fact
        for answer in found
        if not _is_known(by_aid[answer.aid], answer) and (fact := fact_of(answer, at)) is not None
    ]
    words = {answer.aid: answer.word for answer in found} | dict.fromkeys(chunk.unanswered, "")
    next_at = desk.next_questions(by_aid, words, at)
    with transaction(desk.ledger) as connection:
        evidence.lock(connection, words)  # all of them, in the order in which settlers lock
        recorded = facts.record(connection, new, desk.grace)
        polling.asked(connection, words, next_at)
        alarms.clear(connection, POLLING_FORBIDDEN, EXTERNAL_STATUS)
    run.heard_of.update(words)
    run.answered += sum(answer.status is not ExternalStatus.POISONED for answer in found)
    run.poisoned += [answer.aid for answer in found if answer.status is ExternalStatus.POISONED]
    settled = _newly_settled(recorded)
    run.silent += sum(chunk.found[aid].status in _ANNOUNCED for aid in settled)
    run.tally["settled"] += len(settled)
    run.tally.update({name: count for name, count in recorded.tally.items() if name.startswith("alarm_")})


def _give_up_on_the_rest(desk: StatusDesk, run: _Run, by_aid: dict[str, Due], at: datetime) -> None:
    """Note of those that were not asked about any more that MOSIP's configuration keeps it from answering."""
    rest = [aid for aid in by_aid if aid not in run.heard_of]
    next_at = desk.next_questions(by_aid, rest, at)
    with transaction(desk.ledger) as connection:
        evidence.lock(connection, rest)
        polling.asked(connection, dict.fromkeys(rest, POISONED_WORD), next_at)
    run.poisoned += rest


def _is_known(due: Due, answer: StatusAnswer[ExternalStatus]) -> bool:
    return due.last_status == answer.word and _SAYS_NOTHING_NEW.get(answer.status) is due.state


def _newly_settled(recorded: Recorded) -> list[str]:
    return [aid for aid, (before, after) in recorded.moved.items() if after.is_settled and not before.is_settled]


def _tell_of_poison(desk: StatusDesk, kind: RegistrationKind, run: _Run) -> None:
    """Say which configuration of MOSIP's makes the call fail, and ask by the other ways."""
    with transaction(desk.ledger) as connection:
        if not run.poisoned:
            alarms.clear(connection, STATUS_CALL_POISONED, kind)
            return
        alarms.raise_alarm(
            connection,
            STATUS_CALL_POISONED,
            kind,
            details="externalstatus answers RPR-RGS-018: add our processes to MOSIP's "
            "registration.processor.main-processes (check CF of the preflight)",
        )
    log.error(
        "ALARM %s: MOSIP cannot say what became of %d %ss (RPR-RGS-018): its registration.processor.main-processes "
        "must list our processes",
        STATUS_CALL_POISONED,
        len(run.poisoned),
        kind,
    )
    _take_hints(desk, run.poisoned)
    if kind is RegistrationKind.BIRTH and desk.settings.credential_suffix:
        _ask_for_credential_requests(desk, run)


def _take_hints(desk: StatusDesk, aids: Sequence[str]) -> None:
    """Ask the other call, which tells little; it is kept for people, and moves nothing."""
    try:
        for at, chunk in desk.dated(ask_search(desk.calls, desk.tokens, aids)):
            hints = [
                Fact(answer.aid, EvidenceKind.SEARCH_HINT, SEARCH, answer.word, answer.body_sha256, at)
                for answer in chunk.found.values()
                if answer.status is not SearchHint.NOT_FOUND
            ]
            with transaction(desk.ledger) as connection:
                facts.record(connection, hints, desk.grace)
    except (MosipRefused, MosipUnavailable) as problem:
        log.warning("There are no hints either: %s", problem)


def _ask_for_credential_requests(desk: StatusDesk, run: _Run) -> None:
    """Look for the credential's request, whose number is the AID with the agreed suffix: it proves an identity."""
    for aid in run.poisoned[:MOST_REQUESTS]:
        at = clock(desk.ledger)
        try:
            word = request_status(desk.calls, desk.tokens, aid + desk.settings.credential_suffix)
        except (MosipRefused, MosipUnavailable) as problem:
            log.warning("Credential requests cannot be asked for: %s", problem)
            return
        if word is not None:
            digest = hashlib.sha256(word.encode()).hexdigest()
            fact = Fact(aid, EvidenceKind.CREDENTIAL_REQUESTED, CREDENTIAL_REQUEST, word[:40], digest, at)
            with transaction(desk.ledger) as connection:
                recorded = facts.record(connection, [fact], desk.grace)
            run.tally["settled"] += len(_newly_settled(recorded))


def explain_refusals(desk: StatusDesk, most: int = MOST_EXPLAINED) -> int:
    """Ask at which stage MOSIP refused, so that a registrar can be told; returns how many are explained now."""
    explained = 0
    for aid in polling.unexplained_refusals(desk.ledger, most):
        at = clock(desk.ledger)
        try:
            stage = first_failure(transactions(desk.calls, desk.tokens, aid))
        except (MosipRefused, MosipUnavailable) as problem:
            log.warning("MOSIP does not say at which stage it refused: %s", problem)
            break
        if stage is None:
            polling.explain_later(desk.ledger, aid)
            continue
        code = stage.sub_status or stage.type_code
        digest = hashlib.sha256(f"{stage.type_code}:{stage.status}:{stage.sub_status}".encode()).hexdigest()
        with transaction(desk.ledger) as connection:
            facts.record(
                connection, [Fact(aid, EvidenceKind.STAGE_FAILED, TRANSACTIONS, code, digest, at)], desk.grace
            )
        explained += 1
    return explained
