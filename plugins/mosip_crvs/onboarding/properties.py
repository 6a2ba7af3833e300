"""Java property files, read as Spring's config server hands them to a service; and how a value in them is extended.

A service sees several files at once: its own and the one of all applications, with and without the profile. The first
that knows a key wins; inside a file the last line does. Values may refer to other keys, ``${key}`` or ``${key:other}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_ENTRY = re.compile(r"((?:\\.|[^\\\s=:])*)[ \t\f]*[=:]?[ \t\f]*(.*)\Z", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.?))", re.DOTALL)
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_DEEPEST = 20
"""References followed into each other before a value is taken to turn in a circle."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One line of a property file that defines a key.

    :param line: number of the line, from 1, at which it begins.
    :param text: the value as it is written, continued lines joined, escapes kept.
    :param value: the value with its escapes read; references to other keys still stand.
    """

    file: str
    line: int
    key: str
    text: str
    value: str

    @property
    def place(self) -> str:
        """Where to look, such as ``kernel-default.properties:12``."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class ConfigLine:
    """What to put into a file of the configuration.

    :param file: its name in the checkout.
    :param text: a whole property line, which replaces the one of the same key; or an entry of a JSON file.
    :param under: the member of the JSON file that the entry belongs into; empty for a property line.
    """

    file: str
    text: str
    under: str = ""


def parse(file: str, source: str) -> dict[str, Definition]:
    """Read a property file.

    :param source: its text, decoded as ISO 8859-1, as Java does.
    :raises ValueError: for a malformed ``\\u`` escape, for which Spring refuses the whole file. It names the line only.
    """
    definitions: dict[str, Definition] = {}
    for number, line in _logical_lines(source):
        entry = _ENTRY.match(line)
        assert entry is not None  # the pattern matches any line
        try:
            key, value = _unescape(entry[1]), _unescape(entry[2])
        except ValueError as problem:
            raise ValueError(f"line {number} has a malformed \\u escape") from problem
        definitions[key] = Definition(file, number, key, entry[2].rstrip(), value)
    return definitions


@dataclass(frozen=True, slots=True)
class Environment:
    """What one service sees.

    :param files: the property files' definitions by file name, the one that is asked first in front.
    """

    files: Mapping[str, Mapping[str, Definition]]

    def definition(self, key: str) -> Definition | None:
        """Find the line that counts for a key."""
        return next((file[key] for file in self.files.values() if key in file), None)

    def starting_with(self, prefix: str) -> list[Definition]:
        """Give the lines that count for all keys of a prefix."""
        keys = dict.fromkeys(key for file in self.files.values() for key in file if key.startswith(prefix))
        return [found for key in keys if (found := self.definition(key)) is not None]

    def value(self, key: str) -> str | None:
        """Give a key's value with its references followed; one that leads nowhere is left standing."""
        found = self.definition(key)
        return None if found is None else self.resolve(found.value)

    def items(self, key: str) -> list[str]:
        """Give a comma-separated value in its parts, without empty ones."""
        return split(self.value(key) or "")

    def resolve(self, value: str, depth: int = 0) -> str:
        """Follow the references of a value."""
        start = value.find("${")
        end = _closing(value, start) if start >= 0 else -1
        if end < 0 or depth > _DEEPEST:
            return value
        followed = self._follow(self.resolve(value[start + 2 : end], depth + 1), depth)
        return value[:start] + followed + self.resolve(value[end + 1 :], depth)

    def _follow(self, reference: str, depth: int) -> str:
        key, colon, otherwise = reference.partition(":")
        for name in (reference, key):
            found = self.definition(name)
            if found is not None:
                return self.resolve(found.value, depth + 1)
        return otherwise if colon else f"${{{reference}}}"

    def extension(self, key: str, items: Sequence[str], *, usual: Sequence[str] = (), file: str = "") -> ConfigLine:
        """Write the line that adds items to a comma-separated value and keeps all that it has.

        A value that is nothing but a reference is extended where it takes its value from: in the other key, or in what
        stands for it as long as nobody sets that key.

        :param usual: what to begin with when nobody sets the key.
        :param file: where to write it then; the service's own file if empty.
        """
        found = self._origin(key)
        if found is not None:
            return property_line(found.file, found.key, _with_items(found.text, items))
        wanted = dict.fromkeys([*usual, *items])
        return property_line(file or next(iter(self.files)), key, ",".join(wanted))

    def _origin(self, key: str) -> Definition | None:
        """Follow values that are nothing but a reference to the line that gives the value; ``None`` for a circle."""
        found = self.definition(key)
        text = found.text if found else ""
        for _ in range(_DEEPEST):
            other, otherwise = _sole_reference(text)
            target = self.definition(other)
            if target is not None:
                found, text = target, target.text
            elif otherwise is not None:
                text = otherwise
            else:
                return found
        return None


def split(value: str) -> list[str]:
    """Cut a comma-separated value, without blanks around and without empty parts."""
    return [part.strip() for part in value.split(",") if part.strip()]


def property_line(file: str, key: str, text: str) -> ConfigLine:
    """Write a property line that survives any editor: whatever is not ASCII becomes an escape."""
    whole = f"{re.sub(r'[ :=]', lambda sign: chr(92) + sign[0], key)}={text}"
    return ConfigLine(file, "".join(sign if sign < "\x7f" else f"\\u{ord(sign):04x}" for sign in whole))


def _logical_lines(source: str) -> Iterator[tuple[int, str]]:
    begun, kept = 0, ""
    for number, natural in enumerate(re.split(r"\r\n|\r|\n", source), start=1):
        line = natural.lstrip(" \t\f")
        if not begun and (not line or line[0] in "#!"):
            continue
        begun = begun or number
        if (len(line) - len(line.rstrip("\\"))) % 2:
            kept += line[:-1]
            continue
        yield begun, kept + line
        begun, kept = 0, ""
    if begun:
        yield begun, kept


def _unescape(text: str) -> str:
    def read(found: re.Match[str]) -> str:
        if found[1] is not None:
            return chr(int(found[1], 16))
        if found[2] == "u":
            raise ValueError("malformed escape")
        return _CONTROLS.get(found[2], found[2])

    return _ESCAPE.sub(read, text)


def _closing(value: str, start: int) -> int:
    """Find the brace that closes the reference at ``start``; -1 if none does."""
    depth = 0
    for position in range(start + 1, len(value)):
        depth += {"{": 1, "}": -1}.get(value[position], 0)
        if not depth:
            return position
    return -1


def _sole_reference(text: str) -> tuple[str, str | None]:
    """Take apart a value that is one reference: its key, and what stands for it. A key of "" means that it is not."""
    if not text.startswith("${") or _closing(text, 0) != len(text) - 1:
        return "", None
    key, colon, otherwise = text[2:-1].partition(":")
    return key, otherwise if colon else None


def _with_items(text: str, items: Sequence[str]) -> str:
    key, otherwise = _sole_reference(text)
    if otherwise is None:
        return ",".join([*filter(None, [text.rstrip(", ")]), *items])
    return f"${{{key}:{_with_items(otherwise, items)}}}"
