"""The ID schema that MOSIP has published, and our mapping onto it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from mosip_crvs.errors import SchemaError
from mosip_crvs.identity.page import PageMapper
from mosip_crvs.identity.schema import MANDATORY, compile_for
from mosip_crvs.model import RegistrationKind
from mosip_crvs.mosip import masterdata
from mosip_crvs.onboarding.look import Look
from mosip_crvs.onboarding.preflight import Check, Verdict
from mosip_crvs.onboarding.surroundings import Identity
from mosip_crvs.onboarding.verdicts import failed, listed, passed, warned
from mosip_crvs.submission.assemble import CountryFiles

_MADE_BY_US = frozenset({"IDSchemaVersion"})


def identity_fields(schema: dict[str, Any]) -> frozenset[str]:
    """Give the names of a schema's identity fields."""
    identity = schema.get("properties", {}).get("identity", {})
    return frozenset(identity.get("properties", {}))


def canonical(schema: dict[str, Any]) -> str:
    """Write a schema so that equal ones are equal texts."""
    return json.dumps(schema, sort_keys=True, separators=(",", ":"))


def parsed(row: dict[str, Any]) -> dict[str, Any]:
    """Read the schema of a masterdata row; empty when it is no JSON."""
    try:
        found = json.loads(str(row.get("schemaJson")))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def same_version(one: Any, other: Any) -> bool:
    """Compare versions: masterdata counts them up as floating-point numbers."""
    try:
        return math.isclose(float(one), float(other), abs_tol=0.001)
    except (TypeError, ValueError):
        return False


def _published_schema(look: Look) -> Verdict:
    row = look.masterdata.latest_schema()
    if row is None:
        return failed("no ID schema is published", "publish one: provision --publish-id-schema")
    published, version = parsed(row), str(row.get("idVersion"))
    mappers = _mappers(look)
    sent = {name for mapper in mappers for name in _given(mapper)}  # MOSIP drops what its schema does not have
    lacks = sorted((set(look.country.id_schema.fields) | sent) - identity_fields(published))
    if lacks:
        return failed(f"ID schema {version} lacks {listed(lacks)}")
    if not same_version(look.schema_version, version):
        return failed(
            f"ID schema {version} is published, and the sync sends {look.schema_version}",
            f"compare the two schemas, then set schema_version to {version} in the 'mosip' connection",
        )
    if unmapped := _demanded_in_vain(mappers, published):
        return failed(
            f"ID schema {version} demands {listed(unmapped)}, which the mapping does not give",
            "put the published schema into include/schemas, and map these fields in include/mappings",
        )
    carried = canonical(json.loads(mappers[0].schema.text))
    if canonical(look.country.schema()) != carried:
        return warned(
            f"{look.country.id_schema.file} of the country file is not include/schemas/id-schema.json",
            "make them one: packets carry the second, and provision publishes the first",
        )
    if canonical(published) != carried:
        return warned(
            f"ID schema {version} is not the same as include/schemas/id-schema.json, which packets carry",
            "put the published schema in its place",
        )
    return passed(f"ID schema {version} is published, and packets carry the same")


def _mappers(look: Look) -> list[PageMapper]:
    """Compile what each kind of registration is sent by, every pattern of it."""
    files = CountryFiles(look.surroundings.include)
    return [files.mapper(kind, look.schema_version) for kind in RegistrationKind]


def _given(mapper: PageMapper) -> set[str]:
    """Give the fields that registrations are sent with."""
    return {mapped.name for mapped in mapper.mapping.fields} | _MADE_BY_US


def _demanded_in_vain(mappers: Sequence[PageMapper], published: dict[str, Any]) -> list[str]:
    """Give the fields without which MOSIP refuses a packet of a process, and which its registrations are sent without.

    :raises SchemaError: when the published schema is not in MOSIP's structure.
    """
    lacking: list[str] = []
    for mapper in mappers:
        process = mapper.mapping.process
        try:
            demanded = set(compile_for(published, MANDATORY[process])["required"])
        except (KeyError, TypeError) as problem:
            raise SchemaError(f"the published ID schema is not in MOSIP's structure: {problem}") from None
        lacking += [f"{name} ({process})" for name in sorted(demanded - _given(mapper))]
    return lacking


def _mapping_is_complete(look: Look) -> Verdict:
    counts = []
    for mapper in _mappers(look):
        kind = mapper.mapping.kind
        missing = sorted(set(mapper.schema.compiled["required"]) - _given(mapper))
        if missing:
            return failed(
                f"the mapping of {kind}s gives nothing for {listed(missing)}, which the ID schema demands",
                f"add {listed(missing)} to include/mappings/{kind}.yaml",
            )
        counts.append(f"{len(mapper.mapping.fields)} fields of {kind}s")
    return passed(f"{listed(counts)} are mapped, and every demanded field among them")


CHECKS: tuple[Check, ...] = (
    Check(
        "SC-02", "the mapping covers what the ID schema demands", _mapping_is_complete,
        fix="mend include/mappings or include/schemas as the text says",
    ),
    Check(
        "SC-01", "the published ID schema has the fields of births and deaths", _published_schema,
        calls=(masterdata.LATEST_SCHEMA,), identity=Identity.PROVISIONER, needs=("AU-01",), after=("SC-02",),
        fix="publish the country's schema, for the whole platform and for good: provision --publish-id-schema",
    ),
)  # fmt: skip
