"""A civil registry to try the pipeline on: a PostgreSQL schema, and people who never lived to fill it with."""

from reference_registry.births import generate_births, generate_hostile_births
from reference_registry.deaths import generate_deaths
from reference_registry.loading import create_schema, load
from reference_registry.records import Birth, BirthRegistration, Death, DeathRegistration, Person

__all__ = [
    "Birth",
    "BirthRegistration",
    "Death",
    "DeathRegistration",
    "Person",
    "create_schema",
    "generate_births",
    "generate_deaths",
    "generate_hostile_births",
    "load",
]
