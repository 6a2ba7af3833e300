"""Provisioning: for each thing, look, plan, apply one step, look again, until there is nothing left to do.

No step is ever repeated unseen: after each one, and after every failure or kill, the next thing that happens is a look.
So a run may end anywhere, and the next one goes on from what is really there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine

from mosip_crvs.errors import GateClosed, MosipRefused, MosipUnavailable
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.mosip.doors import Door, ReadingDoor, Said
from mosip_crvs.mosip.endpoints import Write
from mosip_crvs.mosip.keycloak import KeycloakAdmin
from mosip_crvs.mosip.keymanager import KeyManager
from mosip_crvs.mosip.masterdata import Masterdata
from mosip_crvs.mosip.partners import Partners
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
    """

    change: Change
    what: str
    call: Write | None
    perform: Callable[[], None] = field(repr=False)

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


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator allows beyond the ordinary.

    :param publish_id_schema: publish the country's ID schema: for the whole platform, for good.
    :param accept_new_key: give the machine the key that the key manager has now.
    :param attested: gates that the operator says to have passed.
    """

    publish_id_schema: bool = False
    accept_new_key: bool = False
    attested: frozenset[str] = frozenset()


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
        door = self._door(self.access.look_at_keycloak())
        return KeycloakAdmin(door, self.access.prefix, self.access.surroundings.realm)

    def masterdata(self, identity: Identity = Identity.PROVISIONER) -> Masterdata:
        """Masterdata."""
        return Masterdata(self._door(self.access.look(identity)), self.country.language)

    @property
    def keymanager(self) -> KeyManager:
        """The key manager."""
        return KeyManager(self.access.look(Identity.PROVISIONER))

    def partners(self, identity: Identity = Identity.PROVISIONER) -> Partners:
        """Partner management."""
        return Partners(self._door(self.access.look(identity)))

    def _door(self, door: ReadingDoor) -> Door:
        return (_ClosedDoor if self.planning else Door)(door.calls, door._tokens, bearer=door._bearer)


@dataclass(slots=True)
class Outcome:
    """What a run did, or would do.

    :param steps: done, or planned, with the item of each.
    :param waiting: gates that a person must pass, by item.
    :param left: items that wait for those.
    """

    steps: list[tuple[Item, Step]] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    left: list[Item] = field(default_factory=list)

    @property
    def writes(self) -> int:
        """How many steps change something at MOSIP."""
        return sum(1 for _, step in self.steps if step.call is not None)


Tell = Callable[[Item, Step | None, str], None]
"""Hears of each step before it is made, and of each item that is in order."""
Ask = Callable[[str, str], bool]
"""Shows a gate to a person and says whether it was passed."""


def provision(items: Sequence[Item], bench: Bench, *, tell: Tell, ask: Ask | None = None) -> Outcome:
    """Do, or only plan, everything that is not yet as the country wants it.

    :param ask: asks a person about a gate; None leaves what depends on it for the next run.
    :raises QuestionForOperator: when something can only be decided by a person.
    """
    outcome = Outcome()
    stuck: set[str] = set()
    for item in items:
        if stuck.intersection(item.needs):
            outcome.left.append(item)
            stuck.add(item.id)
        elif gate := _pass(item, bench, outcome, tell, ask):
            outcome.waiting[item.id] = gate
            stuck.add(item.id)
    return outcome


def _pass(item: Item, bench: Bench, outcome: Outcome, tell: Tell, ask: Ask | None) -> str:
    """Bring an item into order, asking a person at its gate; give the gate that stays closed, or nothing."""
    while True:
        try:
            _settle(item, bench, outcome, tell)
        except GateClosed as gate:
            if ask is None or bench.planning or not ask(item.id, str(gate)):
                return str(gate)
            bench.keeping.attest(item.id)
        else:
            return ""


def _settle(item: Item, bench: Bench, outcome: Outcome, tell: Tell) -> None:
    """Bring one item into order, one step at a time."""
    done: set[str] = set()
    unknown = 0
    for _ in range(_MOST_STEPS):
        plan = _planned(item, bench)
        # Two items may lack the same thing; the first one makes it for both.
        steps = _not_in(outcome, plan.steps) if bench.planning else plan.steps
        for step in steps if bench.planning else steps[:1]:
            tell(item, step, "planned" if bench.planning else "now")
        if bench.planning or not steps:
            outcome.steps += [(item, step) for step in steps]
            if not plan.steps and not plan.unseen:
                tell(item, None, "")
            return
        if steps[0].what in done:
            raise MosipRefused(f"{item.id}: MOSIP took this and shows no trace of it: {steps[0].line()}")
        try:
            steps[0].perform()
        except MosipUnavailable:
            # Nobody knows whether it was made; the next look will tell.
            unknown += 1
            if unknown > MOST_UNKNOWN:
                raise
            time.sleep(_LOOK_AGAIN_SECONDS * unknown)
        else:
            done.add(steps[0].what)
            outcome.steps.append((item, steps[0]))
    raise MosipRefused(f"{item.id}: no end after {_MOST_STEPS} steps")


def _not_in(outcome: Outcome, steps: Sequence[Step]) -> list[Step]:
    planned = {step.what for _, step in outcome.steps}
    return [step for step in steps if step.what not in planned]


def _planned(item: Item, bench: Bench) -> Plan:
    """Look, and keep what was found.

    :raises GateClosed: when a person comes first.
    """
    plan = item.look(bench)
    bench.remember(plan.found)
    if plan.gate:
        raise GateClosed(plan.gate)
    return plan
