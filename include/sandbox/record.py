"""What really happened in the sandbox, application by application: the witness tests compare a ledger with."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from sandbox.wire import now_text

COUNTED = (
    "creates_accepted", "creates_failed", "creates_overlapped", "creates_after_trigger",
    "triggers_accepted", "triggers_duplicate", "triggers_refused", "half_created",
    "events_published", "events_lost", "identity_events_lost", "finished", "paused",
)  # fmt: skip

CREDENTIAL_COUNTED = ("issued", "published", "lost", "fetched")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One end of a workflow, or one pause.

    :param at: when, as MOSIP writes times.
    """

    result: str
    reason: str | None
    at: str

    def view(self) -> dict[str, Any]:
        """As JSON."""
        return {"result": self.result, "reason": self.reason, "at": self.at}


@dataclass(slots=True)
class CredentialHistory:
    """What became of one credential request.

    :param issued: how often, retriggers included.
    :param published: events that went to the hub.
    :param lost: events that never did.
    :param fetched: data shares that were given out.
    :param statuses: words that the partner published, the first one first.
    """

    partner: str
    issued: int = 0
    published: int = 0
    lost: int = 0
    fetched: int = 0
    statuses: tuple[str, ...] = ()

    def view(self) -> dict[str, Any]:
        """As JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Application:
    """The history of one AID.

    :param creates_after_trigger: accepted createPacket calls after an accepted trigger: data of a running workflow
        was rewritten.
    :param finished: how often a workflow of this AID came to an end; an operator may bring about more than one.
    :param result: the last end or pause; `results` has them all.
    :param action: `create` or `update` when the uin-generator did something; a later rejection does not undo it, nor
        `uin` and `digest`.
    :param credentials: by request id.
    """

    process: str | None = None
    creates_accepted: int = 0
    creates_failed: int = 0
    creates_overlapped: int = 0
    creates_after_trigger: int = 0
    triggers_accepted: int = 0
    triggers_duplicate: int = 0
    triggers_refused: int = 0
    half_created: int = 0
    events_published: int = 0
    events_lost: int = 0
    identity_events_lost: int = 0
    finished: int = 0
    paused: int = 0
    result: str | None = None
    reason: str | None = None
    action: str | None = None
    uin: str | None = None
    digest: str | None = None
    results: tuple[Outcome, ...] = ()
    credentials: dict[str, CredentialHistory] | None = None

    def view(self) -> dict[str, Any]:
        """As JSON."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return found | {
            "results": [outcome.view() for outcome in self.results],
            "credentials": {id: one.view() for id, one in (self.credentials or {}).items()},
        }


class Record:
    """Counts per AID. It is told facts and decides nothing."""

    def __init__(self) -> None:
        self.applications: defaultdict[str, Application] = defaultdict(Application)

    def created(self, aid: str, process: str) -> None:
        """createPacket stored a packet, whether or not the caller saw the answer."""
        seen = self.applications[aid]
        seen.process = process
        seen.creates_accepted += 1
        if seen.triggers_accepted:
            seen.creates_after_trigger += 1

    def create_failed(self, aid: str | None) -> None:
        """createPacket answered null."""
        self.applications[str(aid)].creates_failed += 1

    def overlapped(self, aid: str | None) -> None:
        """createPacket was called while another call for the id was running."""
        self.applications[str(aid)].creates_overlapped += 1

    def triggered(self, aid: str, process: str) -> None:
        """A workflow was created, whether or not the caller saw the answer."""
        seen = self.applications[aid]
        seen.process = process
        seen.triggers_accepted += 1

    def trigger_refused(self, aid: str, *, duplicate: bool) -> None:
        """RPR-WIS-001, or RPR-WIS-000."""
        seen = self.applications[aid]
        if duplicate:
            seen.triggers_duplicate += 1
        else:
            seen.triggers_refused += 1

    def half_created(self, aid: str) -> None:
        """Only the sync row exists."""
        self.applications[aid].half_created += 1

    def finish(
        self, aid: str, result: str, reason: str | None, *, action: str | None, uin: str | None, digest: str | None
    ) -> None:
        """A workflow came to its end."""
        seen = self.applications[aid]
        seen.finished += 1
        _note(seen, result, reason)
        seen.digest = digest or seen.digest
        if action is not None:
            seen.action, seen.uin = action, uin

    def pause(self, aid: str, result: str) -> None:
        """A workflow waits for more; that is no end."""
        seen = self.applications[aid]
        seen.paused += 1
        _note(seen, result, None)

    def identity_event_lost(self, aid: str) -> None:
        """The ID repository's event never went to the hub."""
        self.applications[aid].identity_events_lost += 1

    def credential_issued(self, aid: str, request_id: str, partner: str) -> None:
        """A credential was made, whether or not anybody hears of it."""
        seen = self.applications[aid]
        if seen.credentials is None:
            seen.credentials = {}
        seen.credentials.setdefault(request_id, CredentialHistory(partner)).issued += 1

    def credential_event(self, aid: str, request_id: str, *, lost: bool) -> None:
        """The event of a credential went to the hub, or never did."""
        found = self._credential(aid, request_id)
        if lost:
            found.lost += 1
        else:
            found.published += 1

    def credential_fetched(self, aid: str, request_id: str) -> None:
        """A data share was given out, whether or not the caller got all of it."""
        self._credential(aid, request_id).fetched += 1

    def credential_status(self, aid: str, request_id: str, status: str) -> None:
        """A partner told what it did with a credential."""
        self._credential(aid, request_id).statuses += (status,)

    def event(self, aid: str, *, lost: bool) -> None:
        """The completed event went to the hub, or never did."""
        seen = self.applications[aid]
        if lost:
            seen.events_lost += 1
        else:
            seen.events_published += 1

    def _credential(self, aid: str, request_id: str) -> CredentialHistory:
        found = self.applications[aid].credentials
        assert found is not None, "only an issued credential has a history"
        return found[request_id]

    def totals(self) -> dict[str, Any]:
        """Sums over all AIDs, and the two sins: packets rewritten while running, children with several UINs."""
        every = self.applications.values()
        sums = {name: sum(getattr(seen, name) for seen in every) for name in COUNTED}
        credentials = [one for seen in every for one in (seen.credentials or {}).values()]
        uins: defaultdict[str, set[str]] = defaultdict(set)
        for seen in every:
            if seen.action == "create" and seen.digest is not None and seen.uin is not None:
                uins[seen.digest].add(seen.uin)
        return sums | {
            "aids": len(self.applications),
            "aids_rewritten_after_trigger": sum(1 for seen in every if seen.creates_after_trigger),
            "aids_triggered_twice": sum(1 for seen in every if seen.triggers_accepted > 1),
            "unfinished": sum(1 for seen in every if seen.triggers_accepted and not seen.finished),
            "results": dict(Counter(seen.result for seen in every if seen.result is not None)),
            "uins_issued": sum(len(found) for found in uins.values()),
            "uins_issued_to_deaths": sum(
                1 for seen in every if seen.action == "create" and seen.process == "CRVS_DEATH"
            ),
            "credentials": len(credentials),
            **{f"credentials_{name}": sum(getattr(one, name) for one in credentials) for name in CREDENTIAL_COUNTED},
            "credential_statuses": sum(len(one.statuses) for one in credentials),
            "children": len(uins),
            "children_with_two_uins": sum(1 for found in uins.values() if len(found) > 1),
        }

    def view(self, *, only_totals: bool = False) -> dict[str, Any]:
        """`{"totals": {...}, "aids": {aid: {...}}}`."""
        if only_totals:
            return {"totals": self.totals()}
        return {"totals": self.totals(), "aids": {aid: seen.view() for aid, seen in self.applications.items()}}


def _note(seen: Application, result: str, reason: str | None) -> None:
    seen.result, seen.reason = result, reason
    seen.results += (Outcome(result, reason, now_text()),)
