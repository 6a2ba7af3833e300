"""An operator at the command line of onboarding, a MOSIP before it, and whatever may stop a run in between."""

from __future__ import annotations

import io
import json
import math
import os
import re
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conftest import INCLUDE, ROOT
from tests.onboarding.environments import LOGINS

from mosip_crvs.errors import MosipUnavailable
from mosip_crvs.mosip.doors import Door
from mosip_crvs.mosip.keycloak import KeycloakAdmin
from mosip_crvs.onboarding import begun, certificates, provision
from mosip_crvs.onboarding.__main__ import main
from mosip_crvs.onboarding.access import Access
from mosip_crvs.onboarding.country import read_country
from mosip_crvs.onboarding.surroundings import from_environment
from quickstart.authority import sign_requests

DONE, FAILED, QUESTION, WAITING = 0, 1, 3, 4
EVERYTHING = ("provision", "--yes", "--publish-id-schema", "--attest", "G3")
DEMO: dict[str, Any] = yaml.safe_load((INCLUDE / "onboarding" / "demo.yaml").read_text(encoding="utf-8"))
PARTNERS = ("credential_partner", "authentication_partner", "relying_party")
_CALL = re.compile(r"\((GET|POST|PUT|PATCH|DELETE) (\S+)\)$")
_NOISE = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?"), "<moment>"),
    (re.compile(r"sha256:[0-9a-f]+|[0-9a-f]{40}"), "<digest>"),
    (re.compile(r'"[A-Za-z0-9_-]{43}"'), '"<client>"'),
    (re.compile(r"/client/[A-Za-z0-9_-]{43}"), "/client/<client>"),
)


@dataclass(frozen=True)
class Run:
    """What a run of the command line came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The steps that it told, in order."""
        return [line for line in self.out.splitlines() if line.startswith(("create ", "patch ", "local "))]

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Method and path template of every step at MOSIP."""
        return [(found[1], found[2]) for line in self.lines if (found := _CALL.search(line))]

    @property
    def in_order(self) -> list[str]:
        """The items that were in order at the end, by their ids."""
        return [line.rpartition("(")[2].rstrip(")") for line in self.out.splitlines() if line.startswith("ok ")]


class Operator:
    """Works on one environment.

    :param variables: what the command line reads from its environment, beside the country file and the folder.
    """

    def __init__(self, url: str, place: Path) -> None:
        self.url = url
        self.folder = place / "state"
        self.country_file = place / "country.yaml"
        self.variables = {**LOGINS, "MOSIP_URL": url, "CRVS_INCLUDE_DIR": str(INCLUDE)}
        self.wants()

    def wants(self, *without: str, **changes: Any) -> None:
        """Write the country file: the demo's with some of its parts changed or left out."""
        content = {name: value for name, value in {**DEMO, **changes}.items() if name not in without}
        schema = {"file": str(INCLUDE / "schemas" / "id-schema.json")}
        content["id_schema"] = {**content["id_schema"], **schema}
        self.country_file.write_text(yaml.safe_dump(content), encoding="utf-8")

    def run(self, *arguments: str) -> Run:
        """Run the command line here."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name, value in self.environment.items():
                patch.setenv(name, value)
            code = main(arguments)
        return Run(code, out.getvalue(), err.getvalue())

    def start(self, *arguments: str, **how: Any) -> subprocess.Popen[bytes]:
        """Run the command line in a process of its own."""
        environment = {**os.environ, **self.environment, "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{INCLUDE}"}
        command = [sys.executable, "-m", "mosip_crvs.onboarding", *arguments]
        return subprocess.Popen(command, env=environment, **how)

    def make_everything(self) -> None:
        """Provision, be the certification authority, provision."""
        assert self.run(*EVERYTHING).code in (DONE, WAITING)
        self.sign()
        assert self.run(*EVERYTHING).code == DONE

    def sign(self) -> None:
        """Be the country's certification authority."""
        sign_requests(self.folder, "demo")

    def access(self) -> Access:
        """Enter the environment as the command line does."""
        return Access(from_environment(self.folder, self.environment), read_country(self.country_file))

    def keycloak(self) -> KeycloakAdmin:
        """Keycloak's administrator, at work behind our back."""
        access = self.access()
        return KeycloakAdmin(access.keycloak_door(Door), access.prefix, access.surroundings.realm)

    @property
    def environment(self) -> dict[str, str]:
        """Everything that the command line reads."""
        return {
            **self.variables,
            "CRVS_COUNTRY_FILE": str(self.country_file),
            "CRVS_ONBOARDING_DIR": str(self.folder),
        }

    @property
    def kept(self) -> dict[str, str]:
        """The ids in the state file."""
        return dict(json.loads(self.file("state.json").read_text(encoding="utf-8"))["ids"])

    @property
    def secrets(self) -> dict[str, dict[str, str]]:
        """The file of secrets."""
        return dict(json.loads(self.file("secrets.json").read_text(encoding="utf-8")))

    def file(self, name: str) -> Path:
        """A file of the folder."""
        return self.folder / f"demo.{name}"

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Every file of the folder: permissions and content."""
        if not self.folder.exists():
            return {}
        return {each.name: (stat.S_IMODE(each.stat().st_mode), each.read_bytes()) for each in self.folder.iterdir()}

    def state(self) -> dict[str, Any]:
        """Everything that MOSIP holds."""
        return dict(self.get("/sandbox/state"))

    def essence(self) -> str:
        """Everything that MOSIP holds, but for what is different each time it is made: keys, secrets, times, uuids."""
        return plain(json.dumps(self.state(), sort_keys=True, indent=1))

    def writes(self) -> list[tuple[str, str]]:
        """The changes that MOSIP accepted, in order."""
        return [(call["method"], plain(call["path"])) for call in self.get("/sandbox/writes")["calls"]]

    def edit(self, entity: str, row: str, /, *, delete: bool = False, **values: Any) -> None:
        """Change a row behind MOSIP's back, as somebody does at a console."""
        self.post("/sandbox/edit", {"entity": entity, "id": row, "set": values, "delete": delete})

    def configure(self, **changes: Any) -> None:
        """Change MOSIP's property files."""
        self.post("/sandbox/configuration", changes)

    def get(self, path: str) -> Any:
        """Ask the sandbox."""
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:
            return json.load(reply)

    def post(self, path: str, body: Mapping[str, Any]) -> None:
        """Tell the sandbox."""
        request = urllib.request.Request(self.url + path, json.dumps(body).encode())
        urllib.request.urlopen(request, timeout=30).close()


def plain(text: str) -> str:
    """Take away what is different each time it is made."""
    for pattern, instead in _NOISE:
        text = pattern.sub(instead, text)
    return text


class Killed(BaseException):
    """The end of a run, anywhere: nothing of it is heard, nothing is tidied up."""


class SparedTime:
    """A clock that nobody waits for: to sleep moves it on, and lets happen what is due until then.

    :ivar slept: seconds.
    """

    def __init__(self) -> None:
        self._now = time.time()
        self._due: list[tuple[float, Callable[[], Any]]] = []
        self.slept = 0.0

    def time(self) -> float:
        """Seconds since 1970."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept += seconds
        self._now += seconds
        happening = [each for each in self._due if each[0] <= self._now]
        self._due = [each for each in self._due if each[0] > self._now]
        for _, change in happening:
            change()

    def after(self, seconds: float, change: Callable[[], Any]) -> None:
        """Let something happen later."""
        self._due.append((self._now + seconds, change))


@dataclass
class Fate:
    """Watches every change that a run makes, at MOSIP and in the folder, and may end the run there.

    :param at: the number of the change that is the run's last, the first one being 1; 0 for none.
    :param after: the run ends when the change was made, else before.
    :param spared: changes that do not count.
    :param answer_lost: MOSIP's answers to changes do not arrive, the first time each.
    :param late: the first change with this text in it is given up, and made after ``late_seconds`` all the same.
    :param late_seconds: infinite when it is never made.
    :param late_end: what the run meets when the change is given up.
    :param clock: what the run reads and waits by.
    :ivar seen: the changes that were begun.
    """

    at: int = 0
    after: bool = False
    spared: frozenset[str] = frozenset()
    answer_lost: bool = False
    late: str = ""
    late_seconds: float = math.inf
    late_end: BaseException = field(default_factory=lambda: MosipUnavailable("no answer"))
    clock: SparedTime = field(default_factory=SparedTime)
    seen: list[str] = field(default_factory=list)

    def around(self, what: str, change: Callable[[], Any]) -> Any:
        """Let a change be made, or not."""
        if what in self.spared:
            return change()
        first = what not in self.seen
        self.seen.append(what)
        hit = len(self.seen) == self.at
        if hit and not self.after:
            raise Killed(what)
        if self.late and self.late in what and first:
            self.clock.after(self.late_seconds, change)
            raise self.late_end
        made = change()
        if hit:
            raise Killed(what)
        if self.answer_lost and first and what.startswith("at MOSIP"):
            raise MosipUnavailable(f"{what}: no answer")
        return made


@contextmanager
def fated(fate: Fate, folder: Path) -> Iterator[Fate]:
    """Let the runs in this block meet their fate."""
    tell, replace = Door.tell, Path.replace

    def told(self: Door, write: Any, request: Any = None, **parts: str) -> Any:
        path = write.path(**parts)
        what = f"at MOSIP: {write.method} {path} {json.dumps(request, sort_keys=True, default=str)}"
        return fate.around(what, lambda: tell(self, write, request, **parts))

    def replaced(self: Path, target: Path) -> Path:
        if Path(target).parent != folder:
            return replace(self, target)
        what = _begins(self, Path(target)) or f"file {Path(target).name}"
        return Path(fate.around(what, lambda: replace(self, target)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Door, "tell", told)
        patch.setattr(Path, "replace", replaced)
        for module in (provision, begun):
            patch.setattr(module, "time", fate.clock)
        yield fate


def _begins(new: Path, old: Path) -> str:
    """Say what a new file of states begins, and the old one does not; nothing for other files."""
    if not old.name.endswith(".state.json"):
        return ""
    before, after = (json.loads(each.read_text()).get("begun", {}) if each.exists() else {} for each in (old, new))
    return ", ".join(f"begin of {item}" for item, moment in after.items() if before.get(item) != moment)


@contextmanager
def ready_keys(keys: list[str]) -> Iterator[None]:
    """Take these keys in turn, instead of making new ones: that would take most of a test's time."""
    left = list(keys)

    def next_key() -> str:
        left.append(left.pop(0))
        return left[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "new_key", next_key)
        yield


@pytest.fixture(scope="session")
def some_keys() -> list[str]:
    """Private keys enough for a country, and one more."""
    return [certificates.new_key() for _ in range(4)]


@pytest.fixture
def new_operator(loop_in_thread: Any, some_keys: list[str], tmp_path: Path) -> Iterator[Callable[..., Operator]]:
    """`new_operator(onboarded=False)` gives somebody before a MOSIP of his own."""
    with ExitStack() as running:
        running.enter_context(ready_keys(some_keys))

        def begin(**overrides: Any) -> Operator:
            sandbox = running.enter_context(loop_in_thread.sandbox(**({"onboarded": False} | overrides)))
            place = tmp_path / sandbox.url.rpartition(":")[2]
            place.mkdir()
            return Operator(sandbox.url, place)

        yield begin


@pytest.fixture
def operator(new_operator: Callable[..., Operator]) -> Operator:
    """Somebody before a stock MOSIP."""
    return new_operator()
