"""What the generator yields: rows in the column order of ``schema.sql``, each with the kind of case that it is.

The kind goes with the record, for tests and for the summary; no table stores it.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Person(NamedTuple):
    """A row of ``crvs.person``."""

    person_id: str
    given_name: str | None
    family_name: str | None
    given_name_local: str | None
    family_name_local: str | None
    local_language: str | None
    gender: str | None
    birth_date: str | None
    uin: str | None = None
    vid: str | None = None


class BirthRegistration(NamedTuple):
    """A row of ``crvs.birth_registration``."""

    registration_id: str
    child_id: str
    mother_id: str | None
    father_id: str | None
    informant_relation: str | None
    informant_name: str | None
    informant_phone: str | None
    informant_email: str | None
    informant_info_token: str | None
    birth_place_code: str | None
    birth_facility: str | None
    plurality: str
    birth_order: int
    residence_address_line1: str | None
    residence_place_code: str | None
    residence_postal_code: str | None
    registrar_id: str | None
    status: str
    registered_at: datetime
    modified_at: datetime


class DeathRegistration(NamedTuple):
    """A row of ``crvs.death_registration``."""

    registration_id: str
    deceased_id: str
    informant_relation: str | None
    informant_name: str | None
    informant_phone: str | None
    informant_email: str | None
    informant_info_token: str | None
    death_date: str | None
    death_place_code: str | None
    death_facility: str | None
    manner_of_death: str | None
    registrar_id: str | None
    status: str
    registered_at: datetime
    modified_at: datetime


class Birth(NamedTuple):
    """One registered birth: its registration, its people, and the kind of case."""

    kind: str
    registration: BirthRegistration
    child: Person
    mother: Person
    father: Person | None

    @property
    def people(self) -> tuple[Person, ...]:
        return (self.child, self.mother) if self.father is None else (self.child, self.mother, self.father)


class Death(NamedTuple):
    """One registered death: its registration, the deceased, and the kind of case."""

    kind: str
    registration: DeathRegistration
    deceased: Person

    @property
    def people(self) -> tuple[Person, ...]:
        return (self.deceased,)
