"""A checkout of a country's mosip-config repository: files in a folder, nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mosip_crvs.errors import FixTheData
from mosip_crvs.onboarding.properties import Definition, Environment, parse

EVERYBODY = "application"
"""The name of the property files that all services share."""


class UnreadableFile(FixTheData):
    """A file of the checkout is missing or cannot be read. The text names it and what is wrong, never its content."""


@dataclass(frozen=True)
class Checkout:
    """The folder, read once however often it is asked.

    :param profile: Spring's profile: the part behind the dash of ``kernel-default.properties``.
    """

    folder: Path
    profile: str = "default"
    _read: dict[str, dict[str, Definition] | None] = field(default_factory=dict, repr=False, compare=False)

    def environment(self, service: str) -> Environment:
        """Give what a service sees: its own file before everybody's, and with the profile before without.

        :param service: the config name, such as ``kernel``.
        :raises UnreadableFile: if one of the two files of the profile is missing, or any cannot be read.
        """
        files: dict[str, dict[str, Definition]] = {}
        for name in (self.file(service), self.file(EVERYBODY)):
            known = self._properties(name)
            if known is None:
                raise UnreadableFile(f"{name} is not in the folder")
            files[name] = known
        for name in (f"{service}.properties", f"{EVERYBODY}.properties"):
            files[name] = self._properties(name) or {}
        return Environment(files)

    def file(self, service: str) -> str:
        """Name the property file of a service under the profile."""
        return f"{service}-{self.profile}.properties"

    def json(self, name: str) -> dict[str, Any]:
        """Read a JSON file whose top is an object.

        :raises UnreadableFile: if it is missing or is no such file.
        """
        try:
            content = json.loads(self._bytes(name).decode("utf-8-sig"))
        except ValueError as problem:  # a text that is not UTF-8, or not JSON
            raise UnreadableFile(f"{name} is not a JSON file in UTF-8") from problem
        if not isinstance(content, dict):
            raise UnreadableFile(f"{name} is not a JSON object")
        return content

    def text(self, name: str) -> str | None:
        """Read any file's text; ``None`` if it is missing.

        :raises UnreadableFile: if it is there and cannot be read.
        """
        return self._bytes(name).decode("utf-8", "replace") if self._is_here(name) else None

    def names(self, pattern: str) -> list[str]:
        """List the files whose names fit a pattern, in order."""
        return sorted(path.name for path in self.folder.glob(pattern))

    def _properties(self, name: str) -> dict[str, Definition] | None:
        if name not in self._read:
            try:
                found = parse(name, self._bytes(name).decode("latin-1")) if self._is_here(name) else None
            except ValueError as problem:
                raise UnreadableFile(f"{name}: {problem}") from problem
            self._read[name] = found
        return self._read[name]

    def _is_here(self, name: str) -> bool:
        try:
            return Path(name).name == name and (self.folder / name).exists()
        except OSError as problem:
            raise UnreadableFile(f"the folder cannot be read ({problem.strerror})") from problem

    def _bytes(self, name: str) -> bytes:
        if not self._is_here(name):
            raise UnreadableFile(f"{name} is not in the folder")
        try:
            return (self.folder / name).read_bytes()
        except OSError as problem:
            raise UnreadableFile(f"{name} cannot be read ({problem.strerror})") from problem
