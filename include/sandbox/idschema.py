"""The ID schema a packet brings along: which field goes into which sub-packet (mosip-packets.md §2.1, §8.2)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

SUBPACKETS: Mapping[str, tuple[str, ...]] = {
    "pvt": ("id",),
    "kyc": ("id",),
    "none": ("id", "evidence", "optional"),
    "evidence": ("evidence",),
    "optional": ("optional",),
}
WRITING_ORDER = ("evidence", "optional", "id")
_CACHE_LIMIT = 64


@dataclass(frozen=True, slots=True)
class Field:
    """One identity field: its type name (`simpleType`, `documentType`, `biometricsType`, `string`, …) and patterns."""

    kind: str
    patterns: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class IdSchema:
    """A parsed schema."""

    fields: Mapping[str, Field]
    required: frozenset[str]
    subpackets: tuple[str, ...]


_parsed: dict[str, IdSchema | None] = {}


def read_schema(text: str | None) -> IdSchema | None:
    """The schema, parsed once a text; None when the writer would throw on it."""
    if text is None:
        return None
    if text not in _parsed:
        if len(_parsed) >= _CACHE_LIMIT:
            _parsed.clear()
        _parsed[text] = _parse(text)
    return _parsed[text]


def _parse(text: str) -> IdSchema | None:
    try:
        identity = json.loads(text)["properties"]["identity"]
        fields = {name: _field(spec) for name, spec in identity["properties"].items()}
        categories = {str(spec.get("fieldCategory", "none")).lower() for spec in identity["properties"].values()}
        used = {name for category in categories for name in SUBPACKETS[category]}
        required = frozenset(identity.get("required", ()))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return IdSchema(fields, required, tuple(name for name in WRITING_ORDER if name in used))


def _field(spec: Mapping[str, object]) -> Field:
    """Validators count on plain types only, never beside a `$ref` (mosip-packets.md §8.3)."""
    reference = spec.get("$ref")
    if isinstance(reference, str):
        return Field(reference.rsplit("/", 1)[-1], ())
    validators = spec.get("validators") or ()
    patterns = tuple(_patterns(validators)) if isinstance(validators, list) else ()
    return Field(str(spec["type"]), patterns)


def _patterns(validators: list[dict[str, str]]) -> list[re.Pattern[str]]:
    found = []
    for validator in validators:
        if validator.get("type") == "regex" and validator.get("validator"):
            try:
                found.append(re.compile(validator["validator"]))
            except re.error:
                continue
    return found
