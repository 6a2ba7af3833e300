"""A distribution is taken from the cache only if it came whole, and is the one that was pinned."""

from __future__ import annotations

import hashlib
import os
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.conformance.distributions import CACHE_VARIABLE, Distribution, NotFetched, installed

pytestmark = pytest.mark.keycloak


@dataclass(frozen=True)
class Warehouse:
    """A Maven that delivers one small archive, and counts."""

    folder: Path
    distribution: Distribution

    @property
    def asked(self) -> int:
        """How often it was asked."""
        counted = self.folder / "asked"
        return len(counted.read_text().splitlines()) if counted.exists() else 0

    def answer(self, script: str) -> None:
        """Let Maven do something else."""
        maven = self.folder / "mvn"
        maven.write_text(f"#!/bin/sh\necho once >>{self.folder}/asked\n{script}\n")
        maven.chmod(0o755)

    def deliver(self) -> None:
        """Let Maven do what it is for: its last argument names the folder."""
        self.answer(f'for last; do :; done\ncp {self.folder}/server-1.0.tar.gz "${{last#-DoutputDirectory=}}"')


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """An empty cache, and a Maven that delivers."""
    packed = tmp_path / "packed/server"
    packed.mkdir(parents=True)
    (packed / "start.sh").write_text("#!/bin/sh\n")
    (packed / "start.sh").chmod(0o755)
    archive = tmp_path / "server-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as content:
        content.add(packed, "server")
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    house = Warehouse(tmp_path, Distribution("org.example:server", "1.0", sha256, megabytes=0, folder="server"))
    house.deliver()
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return house


def test_a_server_is_fetched_once(warehouse: Warehouse) -> None:
    home = installed(warehouse.distribution)
    assert os.access(home / "start.sh", os.X_OK)
    assert installed(warehouse.distribution) == home
    assert warehouse.asked == 1


def test_what_an_interrupted_run_left_is_not_taken_for_a_server(warehouse: Warehouse) -> None:
    warehouse.answer("kill -9 $PPID")
    child = os.fork()
    if child == 0:
        try:
            installed(warehouse.distribution)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    assert list((warehouse.folder / "cache").glob("*.part"))

    warehouse.deliver()
    assert (installed(warehouse.distribution) / "start.sh").exists()
    assert not list((warehouse.folder / "cache").glob("*.part"))


@pytest.mark.parametrize("script", ["echo no network >&2; exit 1", "exit 0"])
def test_a_maven_that_brings_nothing_is_reported_and_asked_again(warehouse: Warehouse, script: str) -> None:
    warehouse.answer(script)
    with pytest.raises(NotFetched, match=r"org\.example:server:1\.0"):
        installed(warehouse.distribution)
    warehouse.deliver()
    assert installed(warehouse.distribution).is_dir()


def test_another_archive_than_the_pinned_one_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(NotFetched, match="SHA-256"):
        installed(replace(warehouse.distribution, sha256="0" * 64))
    assert not (warehouse.folder / "cache/server").exists()


def test_a_server_that_could_not_be_prepared_is_not_kept(warehouse: Warehouse) -> None:
    def prepare(home: Path) -> None:
        (home / "half").touch()
        raise NotFetched("not today")

    with pytest.raises(NotFetched, match="not today"):
        installed(replace(warehouse.distribution, prepare=prepare))
    assert not (warehouse.folder / "cache/server").exists()
