"""The ID schema that MOSIP has published, and our mapping onto it."""

from __future__ import annotations

import json
import math
from typing import Any

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
    published = parsed(row)
    lacks = sorted(set(look.country.id_schema.fields) - identity_fields(published))
    version = str(row.get("idVersion"))
    if lacks:
        return failed(f"ID schema {version} lacks {listed(lacks)}")
    pinned = look.surroundings.schema_version or look.keeping.ids.get("schema_version")
    if pinned and not same_version(pinned, version):
        return failed(
            f"ID schema {version} is published, and the sync sends {pinned}",
            f"compare the two schemas, then set schema_version to {version} in the 'mosip' connection",
        )
    wanted = look.country.schema()
    if canonical(published) != canonical(wanted):
        return warned(
            f"ID schema {version} is not the same as {look.country.id_schema.file}",
            "packets carry the file: put the published schema in its place, and check the mapping (SC-02)",
        )
    return passed(f"ID schema {version} is published and is {look.country.id_schema.file}")


def _mapping_is_complete(look: Look) -> Verdict:
    files = CountryFiles(look.surroundings.include)
    counts = []
    for kind in RegistrationKind:
        mapper = files.mapper(kind, look.surroundings.schema_version or "0.1")  # compiles every pattern
        required = set(mapper.schema.compiled["required"]) - _MADE_BY_US
        missing = sorted(required - {mapped.name for mapped in mapper.mapping.fields})
        if missing:
            return failed(
                f"the mapping of {kind}s gives nothing for {listed(missing)}, which the ID schema demands",
                f"add {listed(missing)} to include/mappings/{kind}.yaml",
            )
        counts.append(f"{len(mapper.mapping.fields)} fields of {kind}s")
    return passed(f"{listed(counts)} are mapped, and every demanded field among them")


CHECKS: tuple[Check, ...] = (
    Check(
        "SC-01", "the published ID schema has the fields of births and deaths", _published_schema,
        calls=(masterdata.LATEST_SCHEMA,), identity=Identity.PROVISIONER, needs=("AU-01",),
        fix="publish the country's schema, for the whole platform and for good: provision --publish-id-schema",
    ),
    Check(
        "SC-02", "the mapping covers what the ID schema demands", _mapping_is_complete,
        fix="mend include/mappings or include/schemas as the text says",
    ),
)  # fmt: skip
