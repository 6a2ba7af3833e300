"""Provisioning: for each thing, look, plan, apply one step, look again, until there is nothing left to do.

No step is ever repeated unseen: after each one, and after every failure or kill, the next thing that happens is a look.
So a run may end anywhere, and the next one goes on from what is really there. A question of one item, or a gate before
it, leaves out what needs that item and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine

from mosip_crvs.errors import GateClosed, MosipRefused, MosipUnavailable, QuestionForOperator, StopTheRun
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.mosip.doors import Door, ReadingDoor, Said
from mosip_crvs.mosip.endpoints import Write
from mosip_crvs.mosip.keycloak import KeycloakAdmin
from mosip_crvs.mosip.keymanager import KeyManager
from mosip_crvs.mosip.masterdata import Masterdata
from mosip_crvs.mosip.partners import Partners
from mosip_crvs.onboarding import begun
from mosip_crvs.onboarding.access import Access
from mosip_crvs.onboarding.country import Country
from mosip_crvs.onboarding.keeping import Keeping
from mosip_crvs.onboarding.surroundings import Identity

_MOST_STEPS = 40
MOST_UNKNOWN = 3
"""Steps of one item whose end nobody knows, before the run ends."""
_LOOK_AGAIN_SECONDS = 0.5


class Change(StrEnum):
    """What a step does."""

    CREATE = "create"
    PATCH = "patch"
    LOCAL = "local"
    """Writes a file here and nothing at MOSIP."""


@dataclass(frozen=True, slots=True)
class Step:
    """One change.

    :param what: it changes, for people.
    :param call: by which it is done; None for a local one.
    :param unique: the far side refuses to make it a second time; where it does not, it must not be asked twice.
    """

    change: Change
    what: str
    call: Write | None
    perform: Callable[[], None] = field(repr=False)
    unique: bool = True

    def line(self) -> str:
        """Write the step in one line."""
        where = f"  ({self.call.method} {self.call.template.replace('{prefix}', '')})" if self.call else ""
        return f"{self.change:<6}  {self.what}{where}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done about one thing, as far as it can be foreseen.

    :param steps: in order; the first one is next.
    :param found: ids of what is there.
    :param gate: what a person has to do first; nothing here goes on without it.
    :param unseen: whether it cannot be looked at before something else is made.
    """

    steps: Sequence[Step] = ()
    found: Mapping[str, str] = field(default_factory=dict)
    gate: str = ""
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that must be as the country wants it.

    :param look: finds out what is there and plans; it changes nothing.
    :param needs: items that must be done before.
    """

    id: str
    title: str
    look: Callable[[Bench], Plan]
    needs: tuple[str, ...] = ()


def signature(item: Item, step: Step) -> str:
    """Name a step as people approve it: without the ids in its words, which become known only while a run goes on."""
    return f"{item.id} {step.call.method} {step.call.template}" if step.call else f"{item.id} {step.change}"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator allows beyond the ordinary.

    :param publish_id_schema: publish the country's ID schema: for the whole platform, for good.
    :param accept_new_key: give the machine the key that the key manager has now.
    :param attested: gates that the operator says to have passed.
    :param approved: the steps that may be made, by their :func:`signature`; None for all that are needed.
    """

    publish_id_schema: bool = False
    accept_new_key: bool = False
    attested: frozenset[str] = frozenset()
    approved: frozenset[str] | None = None


NOTHING_MORE = Wishes()


class _ClosedDoor(Door):
    """A door for plans: it looks, and a change is a mistake of ours."""

    def tell(self, write: Write, request: Any = None, **parts: str) -> Said:
        raise AssertionError(f"a plan must not write: {write.method} {write.template}")


class Bench:
    """Where items look and work.

    :param planning: nothing may be changed, here or there.
    :param ledger: the ledger, to subscribe with; None leaves that to the nightly sync.
    :ivar uploaded: authorities that this run has uploaded: no call shows them.
    """

    def __init__(
        self,
        access: Access,
        wishes: Wishes = NOTHING_MORE,
        *,
        planning: bool = False,
        ledger: Engine | None = None,
        seal: Seal | None = None,
    ) -> None:
        self.access = access
        self.wishes = wishes
        self.planning = planning
        self.ledger = ledger
        self.seal = seal
        self.uploaded: set[str] = set()
        self._kind = _ClosedDoor if planning else Door
        self._found: dict[str, str] = {}

    @property
    def country(self) -> Country:
        """What the country wants."""
        return self.access.country

    @property
    def keeping(self) -> Keeping:
        """What was made so far."""
        return self.access.keeping

    def id(self, name: str) -> str:
        """Give a server-made id, empty if it is not known yet."""
        given = {"center_id": self.access.surroundings.center_id, "machine_id": self.access.surroundings.machine_id}
        return given.get(name) or self._found.get(name) or self.keeping.ids.get(name, "")

    def remember(self, found: Mapping[str, str]) -> None:
        """Know what was found from here on; a plan keeps nothing of it for the next run."""
        self._found.update(found)
        if found and not self.planning:
            self.keeping.pin(found)

    @property
    def keycloak(self) -> KeycloakAdmin:
        """Keycloak's admin API."""
        door = self.access.keycloak_door(self._kind)
        return KeycloakAdmin(door, self.access.prefix, self.access.surroundings.realm)

    def masterdata(self, identity: Identity = Identity.PROVISIONER) -> Masterdata:
        """Masterdata."""
        return Masterdata(self.access.door(identity, self._kind), self.country.language)

    @property
    def keymanager(self) -> KeyManager:
        """The key manager."""
        return KeyManager(self.access.door(Identity.PROVISIONER, ReadingDoor))

    def partners(self, identity: Identity = Identity.PROVISIONER) -> Partners:
        """Partner management."""
        return Partners(self.access.door(identity, self._kind))


@dataclass(slots=True)
class Outcome:
    """What a run did, or would do.

    :param steps: done, or planned, with the item of each.
    :param waiting: gates that a person must pass, by item.
    :param questions: that a person must decide, by item.
    :param left: items that wait for those.
    """

    steps: list[tuple[Item, Step]] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    questions: dict[str, str] = field(default_factory=dict)
    left: list[Item] = field(default_factory=list)

    @property
    def writes(self) -> int:
        """How many steps change something at MOSIP."""
        return sum(1 for _, step in self.steps if step.call is not None)

    @property
    def signatures(self) -> frozenset[str]:
        """The steps, as people approve them."""
        return frozenset(signature(item, step) for item, step in self.steps)

    def ask(self) -> None:
        """Raise what a person must decide.

        :raises QuestionForOperator: with every question, if there is one.
        """
        if self.questions:
            raise QuestionForOperator("; ".join(f"{item}: {text}" for item, text in self.questions.items()))


Tell = Callable[[Item, Step | None], None]
"""Hears of each step before it is made, and of each item that is in order."""
Ask = Callable[[str, str], bool]
"""Shows a gate to a person and says whether it was passed."""


def provision(items: Sequence[Item], bench: Bench, *, tell: Tell, ask: Ask | None = None) -> Outcome:
    """Do, or only plan, everything that is not yet as the country wants it, and nobody has to decide or do first.

    :param ask: asks a person about a gate; None leaves what depends on it for the next run.
    """
    outcome = Outcome()
    stuck: set[str] = set()
    for item in items:
        if stuck.intersection(item.needs):
            outcome.left.append(item)
            stuck.add(item.id)
            continue
        try:
            gate = _pass(item, bench, outcome, tell, ask)
        except QuestionForOperator as question:
            outcome.questions[item.id] = str(question)
            stuck.add(item.id)
        else:
            if gate:
                outcome.waiting[item.id] = gate
                stuck.add(item.id)
    return outcome


def _pass(item: Item, bench: Bench, outcome: Outcome, tell: Tell, ask: Ask | None) -> str:
    """Bring an item into order, asking a person at its gate; give the gate that stays closed, or nothing."""
    while True:
        try:
            (_foresee if bench.planning else _settle)(item, bench, outcome, tell)
        except GateClosed as gate:
            if ask is None or bench.planning or not ask(item.id, str(gate)):
                return str(gate)
            bench.keeping.attest(item.id)
        else:
            return ""


def _foresee(item: Item, bench: Bench, outcome: Outcome, tell: Tell) -> None:
    """Plan what one item needs."""
    plan = _planned(item, bench)
    # Two items may lack the same thing; the first one makes it for both.
    there = {step.what for _, step in outcome.steps}
    for step in plan.steps:
        if step.what not in there:
            tell(item, step)
            outcome.steps.append((item, step))
    if not plan.steps and not plan.unseen:
        tell(item, None)


def _settle(item: Item, bench: Bench, outcome: Outcome, tell: Tell) -> None:
    """Bring one item into order, one step at a time."""
    done: set[str] = set()
    unknown: list[str] = []
    for _ in range(_MOST_STEPS):
        plan = _patiently_planned(item, bench)
        if not plan.steps:
            if not plan.unseen:
                tell(item, None)
            return
        step = plan.steps[0]
        if step.what in done:
            raise MosipRefused(f"{item.id}: MOSIP took this and shows no trace of it: {step.line()}")
        _may_be_made(item, step, bench, unknown)
        tell(item, step)
        try:
            _make(item, step, bench)
        except MosipUnavailable:
            # Nobody knows whether it was made; the next look will tell.
            unknown.append(step.what)
            if len(unknown) > MOST_UNKNOWN:
                raise
            time.sleep(_LOOK_AGAIN_SECONDS * len(unknown))
        else:
            done.add(step.what)
            outcome.steps.append((item, step))
    raise MosipRefused(f"{item.id}: no end after {_MOST_STEPS} steps")


def _may_be_made(item: Item, step: Step, bench: Bench, unknown: Sequence[str]) -> None:
    """Ask a person where a step was not approved, or could be made twice.

    :param unknown: steps whose end nobody knows.
    """
    approved = bench.wishes.approved
    if approved is not None and signature(item, step) not in approved:
        raise QuestionForOperator(f"this is not in the plan that was approved: {step.line()}. Plan and approve again")
    if not step.unique and step.what in unknown:
        raise QuestionForOperator(
            f"nobody knows what became of this, and MOSIP would make a second one: {step.line()}. It may still appear: "
            "look for it in the admin console, then run again"
        )


def _make(item: Item, step: Step, bench: Bench) -> None:
    """Make a step; one that could be made twice is written down before.

    :raises MosipUnavailable: when nobody knows whether it was made.
    """
    if step.unique:
        step.perform()
        return
    begun.begin(bench.keeping, item.id)
    try:
        step.perform()
    except MosipUnavailable:
        begun.begin(bench.keeping, item.id)  # from here on nobody listens, and it may still come
        raise
    except StopTheRun:
        bench.keeping.end(item.id)  # refused: it will not come
        raise


def _patiently_planned(item: Item, bench: Bench) -> Plan:
    """Look, and look again as long as what was begun may still come."""
    plan = _planned(item, bench)
    timeout = bench.access.surroundings.timeout
    while _could_be_twice(plan) and (left := begun.seconds_left(bench.keeping, item.id, timeout)) > 0:
        begun.pause(left)
        plan = _planned(item, bench)
    if not _could_be_twice(plan):
        bench.keeping.end(item.id)
    return plan


def _could_be_twice(plan: Plan) -> bool:
    return bool(plan.steps) and not plan.steps[0].unique


def _planned(item: Item, bench: Bench) -> Plan:
    """Look, and keep what was found.

    :raises GateClosed: when a person comes first.
    """
    plan = item.look(bench)
    bench.remember(plan.found)
    if plan.gate:
        raise GateClosed(plan.gate)
    return plan
