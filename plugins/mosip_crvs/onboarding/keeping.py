"""What was made in an environment, kept in a private folder: server-made ids, generated secrets, keys.

Everything secret is written here *before* the far side hears of it, so that a run that was killed is taken up with the
same secret and the same key. Files are replaced whole, and are for their owner alone.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mosip_crvs.errors import StopTheRun

_SECRET_BYTES = 36
_EVERY_KIND = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])(?=.*[-_])")
_NEW = ".new"


class Keeping:
    """One environment's folder.

    :param folder: holds the files of every environment; made when something is kept for the first time.
    :ivar state_file: holds the ids and the attested gates.
    :ivar secrets_file: holds the generated secrets by name: ``current``, and ``next`` while one is being changed.
    """

    def __init__(self, folder: Path, environment: str) -> None:
        self.folder = folder
        self.environment = environment
        self.state_file = folder / f"{environment}.state.json"
        self.secrets_file = folder / f"{environment}.secrets.json"

    @property
    def ids(self) -> dict[str, str]:
        """Ids that servers gave, by our names for them."""
        return dict(self._state().get("ids", {}))

    def pin(self, found: Mapping[str, str]) -> None:
        """Keep ids."""
        state = self._state()
        if any(state.get("ids", {}).get(name) != value for name, value in found.items()):
            self._write_state({**state, "ids": {**state.get("ids", {}), **found}})

    def forget(self, name: str) -> None:
        """Forget an id."""
        self._drop("ids", name)

    @property
    def begun(self) -> dict[str, str]:
        """Items of which something was begun that nobody has seen yet, with when."""
        return dict(self._state().get("begun", {}))

    def begin(self, item: str, moment: str) -> None:
        """Keep that something of an item is being made."""
        state = self._state()
        self._write_state({**state, "begun": {**state.get("begun", {}), item: moment}})

    def end(self, item: str) -> None:
        """Keep that it was seen, or that it was refused."""
        self._drop("begun", item)

    @property
    def attested(self) -> dict[str, str]:
        """Gates that a person said to have passed, with when."""
        return dict(self._state().get("attested", {}))

    def attest(self, gate: str) -> None:
        """Keep that a person said to have passed a gate."""
        state = self._state()
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        self._write_state({**state, "attested": {**state.get("attested", {}), gate: moment}})

    def secret(self, name: str, *, staged: bool = False) -> str | None:
        """Give a generated secret; with ``staged``, the one that is to take its place."""
        return self._secrets().get(name, {}).get("next" if staged else "current")

    def make_secret(self, name: str, *, staged: bool = False) -> str:
        """Give a secret, made and kept now if there is none yet."""
        there = self.secret(name, staged=staged)
        if there:
            return there
        made = _made_up()
        self.keep_secret(name, made, staged=staged)
        return made

    def keep_secret(self, name: str, value: str, *, staged: bool = False) -> None:
        """Keep a secret that came from elsewhere."""
        kept = self._secrets()
        kept.setdefault(name, {})["next" if staged else "current"] = value
        self._write(self.secrets_file, kept)

    def promote_secret(self, name: str) -> None:
        """Let the staged secret take the current one's place."""
        kept = self._secrets()
        kept[name] = {"current": kept[name]["next"]}
        self._write(self.secrets_file, kept)

    def drop_staged(self, name: str) -> None:
        """Forget a staged secret."""
        kept = self._secrets()
        if kept.get(name, {}).pop("next", None) is not None:
            self._write(self.secrets_file, kept)

    def every_secret(self) -> frozenset[str]:
        """Give all kept secrets, so that what is printed can be searched for them."""
        return frozenset(value for each in self._secrets().values() for value in each.values())

    def file(self, name: str) -> Path:
        """Say where a file of this environment lies; an absolute name stays what it is."""
        return Path(name) if Path(name).is_absolute() else self.folder / f"{self.environment}.{name}"

    def read(self, name: str) -> str | None:
        """Read a file, if it is there.

        :raises StopTheRun: when it is there and cannot be read as text.
        """
        path = self.file(name)
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as problem:
            raise StopTheRun(f"{path} cannot be read ({type(problem).__name__}): it must be text, PEM") from None

    def write(self, name: str, text: str) -> None:
        """Write a file whole, for its owner alone."""
        self._replace(self.file(name), text)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep a second run away from this environment: two could make the same thing twice.

        :raises StopTheRun: when another one is at it.
        """
        self._make_folder()
        with (self.folder / f"{self.environment}.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                raise StopTheRun(f"another run is provisioning {self.environment!r}: wait for its end") from problem
            for left in self.folder.glob(f".{self.environment}.*{_NEW}"):
                left.unlink()  # of a run that was killed while it wrote; it may hold secrets
            yield

    def _state(self) -> dict[str, Any]:
        return _json(self.state_file, lambda value: isinstance(value, str))

    def _secrets(self) -> dict[str, dict[str, str]]:
        return _json(self.secrets_file, lambda value: isinstance(value, str) and bool(value))

    def _drop(self, group: str, name: str) -> None:
        state = self._state()
        if name in state.get(group, {}):
            left = {each: value for each, value in state[group].items() if each != name}
            self._write_state({**state, group: left})

    def _write_state(self, state: dict[str, Any]) -> None:
        self._write(self.state_file, state)

    def _write(self, path: Path, content: Any) -> None:
        self._replace(path, json.dumps(content, indent=2, sort_keys=True) + "\n")

    def _replace(self, path: Path, text: str) -> None:
        self._make_folder()
        replace_private(path, text, prefix=f".{self.environment}.")

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise StopTheRun(f"the folder {self.folder} cannot be made ({type(problem).__name__})") from None


def replace_private(path: Path, text: str, *, prefix: str = ".") -> None:
    """Write a file whole, for its owner alone, whatever was there before.

    :raises StopTheRun: when it cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=_NEW)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _settle(path.parent)
    except OSError as problem:
        raise StopTheRun(f"{path} cannot be written: {problem.strerror}") from None


def _made_up() -> str:
    """Make a secret up with what a realm's password policy may ask for: letters of both cases, a digit, a sign."""
    while True:
        made = secrets.token_urlsafe(_SECRET_BYTES)
        if _EVERY_KIND.match(made):
            return made


def _settle(folder: Path) -> None:
    """Let a file's new name outlive a power cut, as its content does."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _json(path: Path, is_value: Callable[[Any], bool]) -> dict[str, Any]:
    """Read names with values by group; a file of another shape is no file of ours, and nothing may be built on it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as problem:
        raise StopTheRun(f"{path} cannot be read ({type(problem).__name__}): mend it, or put its backup back") from None
    groups = found.values() if isinstance(found, dict) else [None]
    if not all(isinstance(group, dict) and all(map(is_value, group.values())) for group in groups):
        raise StopTheRun(f"{path} does not have the shape that was written: mend it, or put its backup back")
    return dict(found)
