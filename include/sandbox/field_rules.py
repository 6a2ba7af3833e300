"""validatePacket's verdict on the stored identity (mosip-packets.md §1.9, §7.2, §8.3). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.idschema import Field, IdSchema


def problems(identity: Mapping[str, Any], schema: IdSchema, mandatory: Iterable[str]) -> list[str]:
    """Names of the fields that make the packet invalid; an empty list is the verdict `true`.

    :param mandatory: the process's configured list; `a|b` means that either suffices. Only names that the schema
        requires too are enforced.
    """
    found = [
        entry
        for entry in mandatory
        if any(name in schema.required for name in entry.split("|"))
        and not any(name in identity for name in entry.split("|"))
    ]
    found += [
        name for name, value in identity.items() if name in schema.fields and not _fits(value, schema.fields[name])
    ]
    return found


def _fits(value: Any, field: Field) -> bool:
    kind = field.kind
    if kind == "string":
        return isinstance(value, str) and all(pattern.fullmatch(value) for pattern in field.patterns)
    if kind == "simpleType":
        return isinstance(value, list) and _are_language_values(value)
    if kind in ("documentType", "biometricsType"):
        return isinstance(value, dict)
    if kind in ("number", "integer"):
        return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "array":
        return isinstance(value, list)
    return kind != "object" or isinstance(value, dict)


def _are_language_values(items: list[Any]) -> bool:
    seen: set[tuple[str, str]] = set()
    for item in items:
        if not isinstance(item, dict) or item.keys() != {"language", "value"}:
            return False
        pair = (item["language"], item["value"])
        if not (isinstance(pair[0], str) and isinstance(pair[1], str)) or pair in seen:
            return False
        seen.add(pair)
    return True
