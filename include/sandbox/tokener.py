"""How packet manager reads a string value: org.json's tokener (mosip-packets.md §1.2).

A text that parses to an object or array becomes that structure, anything else stays the text, and a text on which the
tokener throws vanishes. Pure.
"""

from __future__ import annotations

import functools
import json
from typing import Any, Final

DROPPED: Final = object()
"""The entry is silently not written."""

_THROWS_AT_START = frozenset(",:]}/\\;=#")
_ENDS_PLAIN_TEXT = frozenset(',:]}/\\"[{;=#')
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "'": "'", "\\": "\\", "/": "/"}
_DEPTH_LIMIT = 200


class TokenerError(ValueError):
    """org.json would throw a JSONException."""


def interpret(text: str) -> Any:
    """DROPPED, the text itself, or a list / dict."""
    first = text[:1]
    if first.isalnum():
        return text
    if len(text) <= 400:
        return _interpret_short(text)
    return _interpret(text)


def _interpret(text: str) -> Any:
    start = 0
    while start < len(text) and "\0" < text[start] <= " ":
        start += 1
    if start == len(text) or text[start] == "\0" or text[start] in _THROWS_AT_START:
        return DROPPED
    try:
        if text[start] in "[{":
            return _structure(text, start)
        if text[start] in "\"'":
            Tokener(text, start).value()
    except (TokenerError, RecursionError):
        return DROPPED
    return text


@functools.lru_cache(maxsize=8192)
def _interpret_short(text: str) -> Any:
    return _interpret(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise TokenerError("Duplicate key")
    return found


_strict = json.JSONDecoder(object_pairs_hook=_unique)


def _structure(text: str, start: int) -> Any:
    """Strict JSON first because it is fast; whatever it refuses is given to the lenient tokener."""
    try:
        return _strict.raw_decode(text, start)[0]
    except json.JSONDecodeError:
        return Tokener(text, start).value()


class Tokener:
    """The lenient grammar: single quotes, bare words, `;` as a separator, anything after the structure ignored."""

    def __init__(self, text: str, at: int = 0) -> None:
        self._text = text
        self._at = at
        self._depth = 0

    def value(self) -> Any:
        """The next value."""
        char = self._clean()
        if char in ('"', "'"):
            return self._quoted(char)
        if char in ("{", "["):
            self._depth += 1
            if self._depth > _DEPTH_LIMIT:
                raise TokenerError("Nested too deep")
            found: Any = self._object() if char == "{" else self._array()
            self._depth -= 1
            return found
        self._back()
        begin = self._at
        while self._peek() >= " " and self._peek() not in _ENDS_PLAIN_TEXT:
            self._at += 1
        word = self._text[begin : self._at].strip()
        if not word:
            raise TokenerError("Missing value")
        return _plain(word)

    def _peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else "\0"

    def _next(self) -> str:
        char = self._peek()
        self._at += 1
        return char

    def _back(self) -> None:
        self._at -= 1

    def _clean(self) -> str:
        char = self._next()
        while "\0" < char <= " ":
            char = self._next()
        return char

    def _quoted(self, quote: str) -> str:
        parts: list[str] = []
        while (char := self._next()) != quote:
            if char in "\0\n\r":
                raise TokenerError("Unterminated string")
            if char == "\\":
                char = self._escape()
            parts.append(char)
        return "".join(parts)

    def _escape(self) -> str:
        char = self._next()
        if char == "u":
            digits = self._text[self._at : self._at + 4]
            self._at += 4
            try:
                return chr(int(digits, 16))
            except ValueError:
                raise TokenerError("Illegal escape") from None
        if char not in _ESCAPES:
            raise TokenerError("Illegal escape")
        return _ESCAPES[char]

    def _array(self) -> list[Any]:
        found: list[Any] = []
        if self._clean() == "]":
            return found
        self._back()
        while True:
            char = self._clean()
            self._back()
            found.append(None if char == "," else self.value())
            char = self._clean()
            if char == "]":
                return found
            if char not in (",", ";"):
                raise TokenerError("Expected a ',' or ']'")
            if self._clean() == "]":
                return found
            self._back()

    def _key(self) -> str:
        key = self.value()
        char = self._clean()
        if char == "=":
            if self._next() != ">":
                self._back()
        elif char != ":":
            raise TokenerError("Expected a ':' after a key")
        return key if isinstance(key, str) else json.dumps(key)

    def _object(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while True:
            char = self._clean()
            if char == "\0":
                raise TokenerError("A JSONObject text must end with '}'")
            if char == "}":
                return found
            self._back()
            name = self._key()
            if name in found:
                raise TokenerError("Duplicate key")
            found[name] = self.value()
            char = self._clean()
            if char == "}":
                return found
            if char not in (",", ";"):
                raise TokenerError("Expected a ',' or '}'")
            if self._clean() == "}":
                return found
            self._back()


def _plain(word: str) -> Any:
    lowered = word.lower()
    if lowered in ("true", "false"):
        return lowered == "true"
    if lowered == "null":
        return None
    if word[0].isdigit() or word[0] == "-":
        for number in (int, float):
            try:
                return number(word)
            except ValueError:
                continue
    return word
