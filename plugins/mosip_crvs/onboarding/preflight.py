"""The preflight: checks as data, walked in the order of what they depend on, and never a write.

A check sees the environment through a :class:`Look`, whose doors let pass exactly the readings that the check declares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine

from mosip_crvs.errors import (
    CredentialMissing,
    FixTheData,
    LedgerRefused,
    LedgerUnavailable,
    MosipCrvsError,
    MosipUnavailable,
    RetryLater,
    StopTheRun,
)
from mosip_crvs.mosip.endpoints import Probe, Read
from mosip_crvs.onboarding.access import Access
from mosip_crvs.onboarding.look import Look
from mosip_crvs.onboarding.surroundings import Identity

AT_ONCE = 8
"""Checks that look at MOSIP at the same time."""


class Status(StrEnum):
    """What a check came to."""

    PASS = "PASS"  # noqa: S105 (the name of an outcome)
    WARN = "WARN"
    FAIL = "FAIL"
    SKIP = "SKIP"


class Unseen(StrEnum):
    """What kept a check from finding out."""

    PASSING = "passing"
    """A service was away: look again later."""
    REFUSED = "refused"
    """We were turned away, or the check is wrong."""


class Stops(StrEnum):
    """What cannot go well while a check fails."""

    SENDING = "sending"
    """Packets would be refused, or fail for good: nothing should be sent."""
    RESULTS = "results"
    """Packets can be sent, but their results would not reach us."""
    LATER = "later"
    """Credentials, informants' authentication, and what ends some day."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found.

    :param evidence: ids, codes, dates and counts. Never a secret.
    :param fix: what to do, if the check's own sentence does not say it exactly enough.
    :param facts: what later checks may build on.
    """

    status: Status
    evidence: str
    fix: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One prerequisite, as data.

    :param asserts: what must be true, in a sentence.
    :param calls: every call that it may make. None of them can change anything, by their type.
    :param needs: checks that must not fail before this one is asked, nor be left out.
    :param after: checks whose failure explains this one's; when they were left out, this one is asked all the same.
    :param fix: what a person does when it fails.
    :raises ValueError: when a call is neither a reading nor a probe.
    """

    id: str
    asserts: str
    judge: Callable[[Look], Verdict]
    fix: str
    calls: tuple[Read | Probe, ...] = ()
    identity: Identity = Identity.NOBODY
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    stops: Stops = Stops.SENDING

    def __post_init__(self) -> None:
        if wrong := [call for call in self.calls if not isinstance(call, Read | Probe)]:
            raise ValueError(f"{self.id} may only read and probe, and declares {wrong[0].method} {wrong[0].template}")

    @property
    def builds_on(self) -> tuple[str, ...]:
        """The checks that are looked at before it."""
        return (*self.needs, *self.after)

    @property
    def is_probe(self) -> bool:
        """Whether it knocks at a door that would change something; such checks run only when they are asked for."""
        return any(isinstance(call, Probe) for call in self.calls)


@dataclass(frozen=True, slots=True)
class Result:
    """A check and what it came to.

    :param unseen: what kept the check from finding out, so that nothing is known of what it asserts; empty if it did.
    """

    check: Check
    status: Status
    evidence: str
    fix: str = ""
    unseen: Unseen | None = None

    def as_dict(self) -> dict[str, str]:
        """Give the result as plain values."""
        return {
            "id": self.check.id,
            "status": str(self.status),
            "asserts": self.check.asserts,
            "evidence": self.evidence,
            "fix": self.fix,
            "stops": str(self.check.stops),
            "unseen": str(self.unseen or ""),
        }


@dataclass
class _Walk:
    """A preflight under way."""

    access: Access
    ledger: Engine | None
    probes: bool
    results: dict[str, Result] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def ready(self, waiting: Mapping[str, Check]) -> list[Check]:
        """Give what all that it builds on has been looked at."""
        return [check for check in waiting.values() if not any(each in waiting for each in check.builds_on)]

    def skipped(self, check: Check) -> Result | None:
        """Skip a check whose ground is missing, or which was not asked for."""
        broken = [need for need in check.needs if self.results[need].status in (Status.FAIL, Status.SKIP)]
        broken += [each for each in check.after if self.results[each].status is Status.FAIL]
        if broken:
            return Result(check, Status.SKIP, f"needs {', '.join(broken)}")
        if check.is_probe and not self.probes:
            return Result(check, Status.SKIP, "a probe, and probes are off", "run preflight with --probes")
        return None

    def judge(self, check: Check) -> tuple[Result, Mapping[str, Any]]:
        """Ask one check. Whatever goes wrong in it is its own verdict."""
        look = Look(self.access, self.ledger, dict(self.facts), identity=check.identity, calls=check.calls)
        unseen: Unseen | None = None
        try:
            verdict = check.judge(look)
        except CredentialMissing as problem:
            verdict = Verdict(Status.FAIL if check.identity is Identity.RUNTIME else Status.SKIP, str(problem))
        except MosipCrvsError as problem:
            verdict, unseen = Verdict(Status.FAIL, str(problem), fix_for(check, problem)), kept_from(check, problem)
        except Exception as problem:  # one check that breaks must not hide what all the others found
            verdict = Verdict(Status.FAIL, mistake(problem), "this is a mistake in the check: report it")
            unseen = Unseen.REFUSED
        fix = verdict.fix or check.fix if verdict.status in (Status.WARN, Status.FAIL) else verdict.fix
        result = Result(check, verdict.status, self._discreet(verdict.evidence), self._discreet(fix), unseen)
        return result, verdict.facts

    def _discreet(self, text: str) -> str:
        """Take secrets out: those that we know, and tokens, which a service may quote."""
        return _TOKEN.sub("***", self.access.discreet(text))


_TOKEN = re.compile(r"eyJ[\w-]{8,}[\w.-]*")


def kept_from(check: Check, problem: MosipCrvsError) -> Unseen | None:
    """Say what kept a check from finding out; None when the error is the answer to what it asks.

    A bad file is an answer, and so is a refusal of the sync's own client. That the provisioner was turned away, or a
    service was down, says nothing about a centre.
    """
    if isinstance(problem, RetryLater):
        return Unseen.PASSING
    answered = isinstance(problem, FixTheData) or check.identity is Identity.RUNTIME
    return None if answered else Unseen.REFUSED


def fix_for(check: Check, problem: MosipCrvsError) -> str:
    """Say what to do about an error that kept a check from finding out; empty for what the check itself says."""
    if "KER-ATH-403" in str(problem):
        return NOT_ALLOWED
    if not check.needs:
        return ""  # whether the service can be reached, or the file be read, is what such a check asks
    return next((fix for kind, fix in FIXES.items() if isinstance(problem, kind)), "")


NOT_ALLOWED = (
    "the client is let in elsewhere and not here: give it the realm role that this call wants (stock "
    "mosip-deployment-client has GLOBAL_ADMIN, ID_AUTHENTICATION and PARTNER_ADMIN), or add it to the service's "
    "auth.server.admin.allowed.audience and restart the service"
)
FIXES: Mapping[type[MosipCrvsError], str] = {
    MosipUnavailable: "look again later; if it stays, see that the service is up and that MOSIP_URL (KEYCLOAK_URL, "
    "ESIGNET_URL) leads to it",
    LedgerUnavailable: "see that the ledger's PostgreSQL is up and that CRVS_LEDGER_URL leads to it",
    LedgerRefused: "bring the ledger's tables up to date: run its migrations",
    FixTheData: "correct the file that is named here",
}
"""What to do about errors that are not what the check asks about."""


def mistake(problem: Exception) -> str:
    """Name an error that nobody foresaw by its kind and place: its text may quote a secret."""
    if isinstance(problem, AssertionError):
        return str(problem)  # ours
    frames = problem.__traceback__
    while frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    place = f" in {frames.tb_frame.f_code.co_name}, line {frames.tb_lineno}" if frames else ""
    return f"{type(problem).__name__}{place}"


@dataclass(frozen=True, slots=True)
class Survey:
    """What a preflight found.

    :param results: in the order of the checks, which is an order in which they can be mended.
    :param facts: ids and dates that the checks came across, such as the centre's holidays.
    :param complete: whether every check that there is was among them.
    """

    results: list[Result]
    facts: Mapping[str, Any]
    complete: bool = True

    def worst(self, stops: Collection[Stops] = tuple(Stops)) -> Status:
        """Give the worst outcome among the checks that stand for something: FAIL, WARN or PASS."""
        statuses = {result.status for result in self.results if result.check.stops in stops}
        return next((each for each in (Status.FAIL, Status.WARN) if each in statuses), Status.PASS)


def run_preflight(
    checks: Sequence[Check], access: Access, *, ledger: Engine | None = None, probes: bool = False
) -> Survey:
    """Walk the checks, side by side where they do not depend on one another.

    :param probes: also make the calls that are shaped to be refused.
    :raises ValueError: when checks build on one another in a circle, or on one that is not among them.
    """
    check_order(checks)
    walk = _Walk(access, ledger, probes)
    order = [check.id for check in checks]
    waiting = {check.id: check for check in checks}
    running: dict[Future[tuple[Result, Mapping[str, Any]]], Check] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="preflight") as pool:
        while waiting or running:
            for check in walk.ready({**waiting, **{each.id: each for each in running.values()}}):
                if check.id not in waiting:
                    continue
                del waiting[check.id]
                skipped = walk.skipped(check)
                if skipped:
                    walk.results[check.id] = skipped
                else:
                    running[pool.submit(walk.judge, check)] = check
            if running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    check = running.pop(future)
                    walk.results[check.id], found = future.result()
                    walk.facts.update(found)
    return Survey([walk.results[each] for each in order], walk.facts)


def check_order(checks: Sequence[Check]) -> None:
    """Refuse checks that could never all be looked at.

    :raises ValueError: naming them.
    """
    waiting = {check.id: check for check in checks}
    if strange := {each for check in checks for each in check.builds_on} - waiting.keys():
        raise ValueError(f"checks build on {', '.join(sorted(strange))}, which is not among them")
    while waiting:
        free = [check.id for check in waiting.values() if waiting.keys().isdisjoint(check.builds_on)]
        if not free:
            raise ValueError(f"checks build on one another: {', '.join(waiting)}")
        for each in free:
            del waiting[each]


def with_needs(checks: Sequence[Check], wanted: Collection[str]) -> list[Check]:
    """Give the wanted checks and all that they build on, in order.

    :param wanted: ids, in any case.
    :raises StopTheRun: naming ids that no check has.
    """
    by_id = {check.id: check for check in checks}
    waiting = [name for each in wanted if (name := each.strip().upper())]
    if unknown := sorted(set(waiting) - by_id.keys()):
        raise StopTheRun(f"no check is called {', '.join(unknown)}; there are {', '.join(by_id)}")
    chosen: set[str] = set()
    while waiting:
        each = waiting.pop()
        if each not in chosen:
            chosen.add(each)
            waiting += by_id[each].builds_on
    return [check for check in checks if check.id in chosen]
