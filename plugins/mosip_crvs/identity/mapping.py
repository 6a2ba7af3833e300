"""A country's mapping: which registry column becomes which identity field, read from ``include/mappings``.

A mapping is data. Each field names one *source*; what the words mean is in :data:`SOURCES`::

    fullName:   {names: [{language: eng, columns: [given, family]}, {language: {column: lang}, columns: [given_local]}]}
    dateOfBirth: {date: child_birth_date}
    gender:     {code: child_gender, table: genders}
    region:     {code: residence_place_code, table: places, key: region}
    phone:      {text: informant_phone, optional: true}
    declaredAsDeceased: {constant: "Y"}
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mosip_crvs.errors import MappingError
from mosip_crvs.model import RegistrationKind

SOURCES = ("names", "localized", "date", "code", "text", "uin", "constant")
_TOP_WORDS = ("kind", "process", "languages", "language_column", "forbidden_uin", "vid", "fields")
_FIELD_WORDS = ("optional", "table", "key", "not_before")
_TABLE_FILES = {"places": "places.yaml", "genders": "genders.yaml", "manners_of_death": "manners_of_death.yaml"}


@dataclass(frozen=True, slots=True)
class LocalizedPart:
    """One language's share of a localized field.

    :param language: a fixed ISO 639-3 code, or None when ``language_column`` holds it row by row.
    :param columns: joined with a blank; empty ones are left out.
    """

    language: str | None
    language_column: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """How one identity field is made."""

    name: str
    source: str
    columns: tuple[str, ...] = ()
    parts: tuple[LocalizedPart, ...] = ()
    constant: str | None = None
    table: str | None = None
    key: str | None = None
    optional: bool = False
    not_before: str | None = None
    """Of a date: the column with a date that it may not precede."""


@dataclass(frozen=True)
class Mapping:
    """All of a country's mapping for one kind of registration.

    :param languages: the languages that every localized value of a code table is sent in, the required one first.
    :param language_column: the column that names a row's second language, if the country has several.
    :param tables: code tables: name → code → (key →) language → text.
    """

    kind: RegistrationKind
    process: str
    languages: tuple[str, ...]
    language_column: str | None
    fields: tuple[FieldMapping, ...]
    tables: dict[str, dict[str, Any]]
    forbidden_uin_column: str | None
    vid_column: str | None

    @property
    def columns(self) -> frozenset[str]:
        """Every column that the extract must give."""
        wanted = {"registration_id", "person_id", "modified_at"}
        for field in self.fields:
            wanted.update(field.columns)
            wanted.update(filter(None, (field.not_before,)))
            for part in field.parts:
                wanted.update(part.columns)
                if part.language_column:
                    wanted.add(part.language_column)
        wanted.update(filter(None, (self.language_column, self.forbidden_uin_column, self.vid_column)))
        return frozenset(wanted)


def load(path: Path) -> Mapping:
    """Read a mapping and the code tables beside it.

    :param path: such as ``include/mappings/birth.yaml``.
    :raises MappingError: naming the file, the field and what to write instead.
    """
    raw = _read(path)
    _refuse_other_words(path.name, raw, _TOP_WORDS)
    try:
        kind, process = RegistrationKind(raw["kind"]), str(raw["process"])
        languages, fields = _list_of_texts(raw["languages"]), dict(raw["fields"])
    except (KeyError, ValueError, TypeError) as problem:
        raise MappingError(
            f"{path.name}: needs kind (birth or death), process, languages (a list) and fields"
        ) from problem
    parsed = tuple(_field(path, name, spec) for name, spec in fields.items())
    tables = {name: _table(path, name) for name in sorted({f.table for f in parsed if f.table})}
    return Mapping(
        kind, process, languages, raw.get("language_column"), parsed, tables, raw.get("forbidden_uin"), raw.get("vid")
    )


def _field(path: Path, name: str, spec: Any) -> FieldMapping:
    if not isinstance(spec, dict) or len(used := [source for source in SOURCES if source in spec]) != 1:
        raise MappingError(f"{path.name}: field {name!r} needs exactly one of {', '.join(SOURCES)}")
    source, value = used[0], spec[used[0]]
    _refuse_other_words(f"{path.name}: field {name!r}", spec, (source, *_FIELD_WORDS))
    optional = bool(spec.get("optional", False))
    if source in {"names", "localized"}:
        if not isinstance(value, list) or not value:
            raise MappingError(f"{path.name}: {source} of field {name!r} must be a list of language and columns")
        return FieldMapping(name, source, parts=tuple(_part(path, name, part) for part in value), optional=optional)
    if source == "constant":
        return FieldMapping(name, source, constant=str(value))
    if not isinstance(value, str):
        raise MappingError(f"{path.name}: {source} of field {name!r} must be the name of a column")
    if source == "code" and str(spec.get("table")) not in _TABLE_FILES:
        raise MappingError(f"{path.name}: field {name!r} needs a table out of {', '.join(_TABLE_FILES)}")
    return FieldMapping(
        name,
        source,
        columns=(value,),
        table=spec.get("table"),
        key=spec.get("key"),
        optional=optional,
        not_before=spec.get("not_before"),
    )


def _part(path: Path, name: str, spec: Any) -> LocalizedPart:
    try:
        language, columns = spec["language"], _list_of_texts(spec["columns"])
        if isinstance(language, dict):
            return LocalizedPart(None, str(language["column"]), columns)
    except (KeyError, TypeError, ValueError) as problem:
        raise MappingError(
            f"{path.name}: each part of {name!r} needs language (a code, or a column: name) and columns (a list)"
        ) from problem
    return LocalizedPart(str(language), None, columns)


def _refuse_other_words(where: str, given: dict[Any, Any], known: tuple[str, ...]) -> None:
    """A misspelt word would be ignored, and with it a rule such as ``forbidden_uin``."""
    for word in given:
        if word not in known:
            raise MappingError(f"{where} has {word!r}; the words known here are {', '.join(known)}")


def _list_of_texts(value: Any) -> tuple[str, ...]:
    """Take a list of texts; a text alone would be taken apart into letters."""
    if not isinstance(value, list) or not value or not all(isinstance(entry, str) for entry in value):
        raise ValueError("not a list of texts")
    return tuple(value)


def _table(path: Path, name: str) -> dict[str, Any]:
    file = path.with_name(_TABLE_FILES[name])
    raw = _read(file)
    if not isinstance(raw.get(name), dict):
        raise MappingError(f"{file.name}: needs a top-level entry {name!r} with a code a line")
    return {str(code): texts for code, texts in raw[name].items()}


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as problem:
        raise MappingError(f"{path} cannot be read as YAML: {type(problem).__name__}") from problem
    if not isinstance(raw, dict):
        raise MappingError(f"{path.name}: must be a YAML mapping")
    return raw
