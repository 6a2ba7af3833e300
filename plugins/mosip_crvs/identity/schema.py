"""MOSIP's ID schema as a judge: compiled once, fast to say yes, exact in saying why not.

MOSIP keeps its regular expressions in ``validators``, outside JSON Schema, and requires a field only when it is both in
the schema's ``required`` and in the process's own list (``mosip-packets.md`` §8.3). :func:`compile_for` writes both
into a plain JSON Schema, so that ``jsonschema-rs`` can judge quickly and ``jsonschema`` can explain.

One rule is stricter than MOSIP, which ignores ``validators`` on language arrays: here they hold for every value, since
a country that writes a limit for names means it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import jsonschema
import jsonschema_rs

from mosip_crvs.errors import SchemaError
from mosip_crvs.identity.rules import SENTENCES
from mosip_crvs.model import Finding

Identity = dict[str, Any]

MANDATORY: dict[str, tuple[str, ...]] = {
    "CRVS_NEW": (
        "IDSchemaVersion", "UIN", "fullName", "dateOfBirth|age", "gender", "addressLine1", "region", "province", "city",
        "zone",
    ),
    "CRVS_DEATH": ("IDSchemaVersion", "UIN"),
}  # fmt: skip
"""``mosip.kernel.idobjectvalidator.mandatory-attributes.reg-processor.<process>`` (``mosip-packets.md`` §7.2)."""


@dataclass(frozen=True)
class IdSchema:
    """One ID schema compiled for one process.

    :param text: the whole schema as MOSIP keeps it, sent with every packet.
    :param version: its version as the packet states it, such as ``0.1``.
    :param compiled: the plain JSON Schema of one identity object.
    """

    text: str
    version: str
    compiled: dict[str, Any] = field(repr=False)

    @cached_property
    def _fast(self) -> jsonschema_rs.Validator:
        return jsonschema_rs.Draft7Validator(self.compiled, validate_formats=False)

    @cached_property
    def _authority(self) -> jsonschema.Draft7Validator:
        return jsonschema.Draft7Validator(self.compiled)

    def accepts(self, identity: Identity) -> bool:
        """Say whether an identity object is valid, quickly."""
        return self._fast.is_valid(identity)

    def explain(self, identity: Identity) -> list[Finding]:
        """Say everything that is wrong with an identity object, without quoting any value of it."""
        findings = {
            Finding(path, _rule(error.validator))
            for error in self._authority.iter_errors(identity)
            for path in _paths(error)
        }
        return sorted(findings, key=lambda finding: (finding.field, finding.rule))

    def field_is_localized(self, name: str) -> bool:
        """Say whether a field is a ``simpleType``: a list of values, each with its language."""
        declared = self._declared(name)
        return "simpleType" in json.dumps(declared.get("allOf", [declared])[0])

    def has_field(self, name: str) -> bool:
        """Say whether the schema declares a field."""
        return name in self.compiled["properties"]

    def _declared(self, name: str) -> dict[str, Any]:
        declared = self.compiled["properties"].get(name)
        if declared is None:
            raise SchemaError(f"the ID schema has no field {name!r}; correct the mapping or use another schema")
        return dict(declared)


def load(path: Path, process: str, *, version: str = "0.1", mandatory: Sequence[str] | None = None) -> IdSchema:
    """Read an ID schema file and compile it for a process.

    :param path: a file in MOSIP's structure, such as ``include/schemas/id-schema.json``.
    :param process: ``CRVS_NEW`` or ``CRVS_DEATH``.
    :param version: the published ``idVersion``; MOSIP reads it as a number.
    :param mandatory: the process's list where a country differs from :data:`MANDATORY`; ``a|b`` means either.
    :raises SchemaError: when the file is missing, not JSON, or not an ID schema.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        float(version)
    except (OSError, ValueError) as problem:
        raise SchemaError(f"the ID schema {path.name} (version {version!r}) cannot be read: {problem}") from problem
    if mandatory is None and process not in MANDATORY:
        raise SchemaError(f"no list of mandatory fields for the process {process!r}: known are {', '.join(MANDATORY)}")
    try:
        compiled = compile_for(raw, MANDATORY[process] if mandatory is None else mandatory)
    except (AttributeError, KeyError, TypeError) as problem:
        raise SchemaError(
            f"the ID schema {path.name} is not in MOSIP's structure: {type(problem).__name__}"
        ) from problem
    for name, declared in compiled["properties"].items():
        _check_field(path, name, {**declared, "definitions": compiled["definitions"]})
    return IdSchema(json.dumps(raw, ensure_ascii=False, separators=(",", ":")), version, compiled)


def _check_field(path: Path, name: str, declared: dict[str, Any]) -> None:
    """Refuse what either judge cannot compile, such as a validator in words that only Java knows."""
    try:
        jsonschema.Draft7Validator.check_schema(declared)
        jsonschema_rs.Draft7Validator(declared, validate_formats=False)
    except (jsonschema.SchemaError, ValueError) as problem:
        raise SchemaError(
            f"the ID schema {path.name} cannot be used: correct the type, $ref or validators of {name!r}"
        ) from problem


def compile_for(raw: dict[str, Any], mandatory: Iterable[str]) -> dict[str, Any]:
    """Write MOSIP's validators and its two lists of required fields into one plain JSON Schema.

    :param raw: the schema as MOSIP keeps it.
    :param mandatory: the process's list of mandatory names.
    """
    identity = raw["properties"]["identity"]
    required_here: list[str] = []
    either: list[dict[str, Any]] = []
    for entry in mandatory:
        names = [name for name in entry.split("|") if name in identity["required"]]
        if len(names) == 1:
            required_here.append(names[0])
        elif names:
            either.append({"anyOf": [{"required": [name]} for name in names]})
    compiled: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "definitions": raw["definitions"],
        "required": required_here,
        "properties": {name: _field(declared) for name, declared in identity["properties"].items()},
    }
    if either:
        compiled["allOf"] = either
    return compiled


_KEPT = ("type", "minimum", "enum", "minLength", "maxLength")


def _field(declared: dict[str, Any]) -> dict[str, Any]:
    patterns = [v for v in declared.get("validators", []) if v.get("type") == "regex"]
    if "$ref" not in declared:
        kept: dict[str, Any] = {key: declared[key] for key in _KEPT if key in declared}
        if patterns:
            kept["allOf"] = [{"pattern": _whole(v["validator"])} for v in patterns]
        return kept
    reference = {"$ref": declared["$ref"]}
    if not patterns or not declared["$ref"].endswith("simpleType"):
        return {"allOf": [reference]}
    return {"allOf": [reference, *({"items": _value_pattern(v)} for v in patterns)]}


def _value_pattern(validator: dict[str, Any]) -> dict[str, Any]:
    pattern = {"properties": {"value": {"pattern": _whole(validator["validator"])}}}
    language = validator.get("langCode")
    if not language:
        return pattern
    return {"if": {"properties": {"language": {"const": language}}}, "then": pattern}


def _whole(pattern: str) -> str:
    """MOSIP's validators must match the whole value; ``$`` alone would let a last line break pass in Python."""
    return rf"^(?:{pattern})$(?!\n)"


def _paths(error: jsonschema.ValidationError) -> list[str]:
    """Name what an error is about; one of ``required`` or ``additionalProperties`` may be about several fields."""
    parts = [str(part) for part in error.absolute_path]
    instance, wanted, schema = cast("Any", (error.instance, error.validator_value, error.schema))
    names: list[str] = []
    if error.validator == "required":
        names = [name for name in wanted if name not in instance]
    elif error.validator == "additionalProperties":
        names = [str(name) for name in instance if name not in schema.get("properties", {})]
    return ["/".join([*parts, name]) or "identity" for name in names] or ["/".join(parts) or "identity"]


def _rule(validator: object) -> str:
    code = f"SCHEMA_{str(validator).upper()}"
    return code if code in SENTENCES else "SCHEMA_OTHER"
