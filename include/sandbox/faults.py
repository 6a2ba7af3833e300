"""The faults a sandbox can be told to show, each drawn from its own seeded generator."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

NETWORK: Mapping[str, str] = {
    "reset_before": "the connection is closed before any work",
    "reset_after": "the work is done, then the connection is closed without an answer",
    "reply_cut": "the work is done; half of the reply arrives",
    "gateway_502": "a gateway's 502 page before any work, for `burst` calls in a row",
    "gateway_504": "the work is done; the answer is a gateway's 504 page, `seconds` later",
    "throttle_429": "429 with Retry-After = `seconds`, before any work",
    "answer_slow": "the work is done at once; the answer comes `seconds` later",
    "slow_loris": "the work is done at once; the answer arrives in small pieces over `seconds`",
    "token_expired": "a valid token counts as expired: 401 KER-ATH-401; at the hub, not authorised",
}
"""These show at every service, or as `NAME@SERVICE` at one of `SERVICES`."""

FAULTS: Mapping[str, str] = {
    "create_null": "createPacket answers 200 with `response: null`; nothing is stored",
    "create_500": "createPacket answers Spring's 500; nothing is stored",
    "create_502": "createPacket answers a gateway's 502 page; nothing is stored",
    "create_slow": "createPacket takes `seconds` longer, and overlaps a retry meanwhile",
    "create_reset_after": "the packet is stored, then the connection is closed without an answer",
    "trigger_reset_after": "the workflow is created, then the connection is closed without an answer",
    "trigger_wis_000": "the trigger answers RPR-WIS-000; nothing is created",
    "trigger_slow": "the workflow is created at once, the answer comes `seconds` later",
    "event_duplicate": "the completed event is published twice",
    "event_delay": "the completed event is published `seconds` later",
    "event_reorder": "the completed event is held back until after the next one (at most `seconds`)",
    "event_before_answer": "the workflow finishes and its event is delivered before the trigger answers",
    "event_lost": "the completed event is never published",
    "events_off": "no event of any topic reaches the hub's log, and none that is there is delivered",
    "delivery_duplicate": "the hub delivers a message a second time at once",
    "delivery_delay": "the hub delivers a message `seconds` later, and all behind it as well",
    "delivery_reorder": "messages of one poll are delivered in reverse order, as from several partitions",
    "delivery_lost": "the hub took a message and never delivers it to this subscriber",
    "legacy_signature": "the delivery is signed with the prefix `SHA256=`",
    "stale_signature": "the delivery is signed with a secret that the subscriber does not have",
    "hub_drop": "the subscriber is dropped although it answered 2xx; the rest of the poll is lost",
    "hub_rebalance": "a poll that was delivered is delivered once more",
    "subscribe_500": "subscribe and unsubscribe answer 500 for a reason that has nothing to do with roles",
    "subscribe_silent": "subscribe and unsubscribe answer 202, and then nothing follows",
    "challenge_delay": "the hub's question to the callback comes `seconds` after the 202",
    "publish_denied": "register and publish answer 200 with `hub.mode=denied`",
    "registered_not_flowing": "a registered subscription gets nothing until it is unsubscribed or the hub restarts",
    "polling_forbidden": "status calls answer 403 KER-ATH-403, as with the CRVS client's default role",
    "status_poison": "this share of the AIDs makes any `/externalstatus/search` with one of them fail: RPR-RGS-018",
    "status_unknown_word": "`/externalstatus/search` says PROCESSED, RESEND, RECEIVED or REPROCESS_FAILED in turn",
    "status_500": "status calls answer Spring's 500",
    "status_slow": "status calls answer `seconds` later",
    "reject": "the workflow ends REJECTED / PACKET_REJECTED",
    "fail": "the workflow ends FAILED / PACKET_FAILED",
    "reprocess_failed": "the workflow ends REPROCESS_FAILED, without an event",
    "pause": "the workflow waits for additional information, with an event, until an operator acts",
    "publish_lost": "an event of any topic is never published: the service at its source forgets the failure",
    "identity_event_lost": "the ID repository's event is never published",
    "credential_missing": "no credential is requested for a birth",
    "credential_event_lost": "the credential is issued, its event never published",
    "credential_duplicate": "the credential's event is published twice",
    "credential_delay": "the credential's event is published `seconds` later",
    "credential_before_workflow": "the credential's event is published before the completed event",
    "credential_inline": "the credential travels in its event instead of a data share",
    "cipher_legacy": "the credential is encrypted in the older layout, without `VER_R2`",
    "datashare_one_shot": "a link works once, whatever the policy says",
    "datashare_gone": "the data share is gone at a GET, and for good: DAT-SER-008",
    "datashare_internal": "the link names the policy's share domain, as in MOSIP, instead of the sandbox",
    "half_created": "only the sync row is written, the connection closes; RPR-WIS-001 for ever after",
    "half_created_recovers": "the same, but a second trigger proceeds (mosip-packets.md §4.6)",
    **NETWORK,
}

SERVICES: Mapping[str, str] = {
    "/commons/v1/packetmanager": "packet",
    "/registrationprocessor/v1/workflowmanager": "trigger",
    "/registrationprocessor/v1/registration": "status",
    "/hub": "hub",
    "/v1/authmanager": "token",
    "/auth/realms": "token",
    "/realms": "token",
    "/v1/datashare": "datashare",
    "/v1/credentialrequest": "credential",
    "/v1/masterdata": "masterdata",
}
"""Beginning of a path -> what to call the service behind `@`; any other path belongs to `other`."""

COUNTERS = ("batch_commit_lost",)
"""Deliveries that a commit of the whole poll skipped for good (mosip-events.md §1.7)."""

DEFAULT_SECONDS: Mapping[str, float] = {
    "create_slow": 2.0,
    "trigger_slow": 2.0,
    "throttle_429": 1.0,
    "event_delay": 2.0,
    "event_reorder": 1.0,
    "credential_delay": 2.0,
    "delivery_delay": 1.0,
    "challenge_delay": 2.0,
    "status_slow": 2.0,
    "gateway_504": 0.0,
    "answer_slow": 2.0,
    "slow_loris": 2.0,
}

DEFAULT_BURSTS: Mapping[str, int] = {"gateway_502": 5}


def service_of(path: str) -> str:
    """Which service a path belongs to, by the names that may follow an `@`."""
    return next((service for prefix, service in SERVICES.items() if path.startswith(prefix)), "other")


def is_fault(name: str) -> bool:
    """Is it a fault's name, perhaps limited to a service?"""
    base, limited, service = name.partition("@")
    return base in NETWORK and service in {*SERVICES.values(), "other"} if limited else name in FAULTS


def table() -> str:
    """The faults as rows of a Markdown table, as the README has them."""
    rows = []
    for name, meaning in FAULTS.items():
        defaults = [f"`seconds` {DEFAULT_SECONDS[name]:g}"] if DEFAULT_SECONDS.get(name) else []
        defaults += [f"`burst` {DEFAULT_BURSTS[name]}"] if name in DEFAULT_BURSTS else []
        rows.append(f"| `{name}` | {meaning} | {', '.join(defaults)} |".replace("|  |", "| |"))
    return "\n".join(rows)


class UnknownFault(ValueError):
    """A fault name that does not exist, or a value that makes no sense."""


@dataclass(slots=True)
class Setting:
    """How often one fault shows: a probability, at most `times` (None = without end).

    :param burst: how many calls in a row it shows once it has begun.
    :param left: how many of the burst under way are still to come.
    """

    probability: float
    times: int | None = None
    burst: int = 1
    left: int = 0

    def shows(self, dice: random.Random) -> bool:
        """Does it show this time? A burst that has begun needs no dice."""
        if self.left > 0:
            self.left -= 1
            return True
        if self.probability < 1.0 and dice.random() >= self.probability:
            return False
        self.left = self.burst - 1
        return True


class Faults:
    """Decides, at each place where something can go wrong, whether it does.

    `token_seconds` and `main_processes` are here too because they may change while the sandbox runs.

    :ivar counters: losses that follow from the hub's own ways, not from one fault: see `COUNTERS`.
    """

    def __init__(
        self, seed: int, probabilities: Mapping[str, float], token_seconds: int, main_processes: frozenset[str]
    ) -> None:
        self.hits: Counter[str] = Counter()
        self.counters: Counter[str] = Counter()
        self.token_seconds = token_seconds
        self.main_processes = main_processes
        self._seed = seed
        self._settings: dict[str, Setting] = {}
        self._seconds: dict[str, float] = dict(DEFAULT_SECONDS)
        self._aids: dict[str, dict[str, Setting]] = {}
        self._dice: dict[str, random.Random] = {}
        for name, probability in probabilities.items():
            self.set(name, probability)

    def set(
        self, name: str, probability: float = 1.0, *, times: int | None = None, seconds: float | None = None,
        burst: int | None = None, aid: str | None = None,
    ) -> None:  # fmt: skip
        """Switch a fault on (or off with probability 0), for everyone or for one AID.

        :param name: a name of `FAULTS`; those of the network may be limited to a service, as in `reset_after@hub`.
        :raises UnknownFault: no such fault, or a probability outside 0 to 1, or a burst of less than 1.
        """
        base = name.partition("@")[0]
        burst = DEFAULT_BURSTS.get(base, 1) if burst is None else burst
        if not is_fault(name) or not 0.0 <= probability <= 1.0 or burst < 1:
            raise UnknownFault(f"no fault {name!r} with probability {probability!r} and burst {burst!r}")
        if seconds is not None:
            self._seconds[name] = seconds
        chosen = self._settings if aid is None else self._aids.setdefault(aid, {})
        if probability == 0.0:
            chosen.pop(name, None)
        else:
            chosen[name] = Setting(probability, times, burst)

    def clear(self) -> None:
        """Switch every fault off."""
        self._settings.clear()
        self._aids.clear()

    @property
    def quiet(self) -> bool:
        """Is no fault on at all? The fast path asks this first."""
        return not self._settings and not self._aids

    def hit(self, name: str, aid: str | None = None) -> bool:
        """Does `name` show here and now? Draws from the generator only when the fault is on."""
        if not self._settings and not self._aids:
            return False
        return self._draw(name, self._settings) or (aid is not None and self.hit_only(name, aid))

    def hit_only(self, name: str, aid: str) -> bool:
        """Does `name` show for this AID because it was set for this AID?"""
        return aid in self._aids and self._draw(name, self._aids[aid])

    def hit_at(self, name: str, service: str, aid: str | None = None) -> bool:
        """Does a fault of the network show at a service: set for all, for this service, or for this AID?"""
        return self.hit(name, aid) or self.hit(f"{name}@{service}")

    def marks(self, name: str, aid: str) -> bool:
        """As `hit`, but a probability is a share of the AIDs: the answer for one AID is always the same."""
        setting = self._settings.get(name)
        if setting is not None and random.Random(f"{self._seed}:{name}:{aid}").random() < setting.probability:
            self._spend(name, self._settings)
            return True
        return self.hit_only(name, aid)

    def seconds(self, name: str) -> float:
        """The duration that belongs to a fault; one limited to a service has its own or else the common one."""
        found = self._seconds.get(name)
        return self._seconds.get(name.partition("@")[0], 0.0) if found is None else found

    def view(self) -> dict[str, object]:
        """All faults with their settings and how often each has shown, and the counters."""
        limited = {name: FAULTS[name.partition("@")[0]] for name in (*self._settings, *self.hits) if "@" in name}
        return {
            "faults": {
                name: {
                    "probability": setting.probability if (setting := self._settings.get(name)) else 0.0,
                    "times": setting.times if setting else None,
                    "seconds": self._seconds.get(name),
                    "burst": setting.burst if setting else DEFAULT_BURSTS.get(name, 1),
                    "hits": self.hits[name],
                    "meaning": meaning,
                }
                for name, meaning in {**FAULTS, **limited}.items()
            },
            "counters": {name: self.counters[name] for name in COUNTERS},
            "aids": {aid: sorted(names) for aid, names in self._aids.items() if names},
            "token_seconds": self.token_seconds,
            "main_processes": sorted(self.main_processes),
        }

    def _draw(self, name: str, chosen: dict[str, Setting]) -> bool:
        setting = chosen.get(name)
        if setting is None:
            return False
        dice = self._dice.get(name)
        if dice is None:
            dice = self._dice[name] = random.Random(f"{self._seed}:{name}")
        if not setting.shows(dice):
            return False
        self._spend(name, chosen)
        return True

    def _spend(self, name: str, chosen: dict[str, Setting]) -> None:
        setting = chosen[name]
        if setting.times is not None:
            setting.times -= 1
            if setting.times <= 0:
                del chosen[name]
        self.hits[name] += 1
