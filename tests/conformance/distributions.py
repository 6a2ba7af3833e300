"""Servers of others, fetched once from Maven Central into a cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CACHE_VARIABLE = "CRVS_CONFORMANCE_CACHE"
CACHE = Path("~/.cache/airflow-provider-mosip-crvs")
MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
MAVEN_SECONDS = 1800


class NotFetched(Exception):
    """A distribution could not be brought here whole; the text says why."""


@dataclass(frozen=True)
class Distribution:
    """A server as Maven Central has it: a ``tar.gz`` with one folder.

    :param artifact: group and name, with a colon between.
    :param sha256: of the archive, in hexadecimal; Maven itself only compares with what the same server says.
    :param megabytes: the size of the archive, for those who wait.
    :param folder: the one folder that the archive holds.
    :param prepare: what is done once in the unpacked folder, before anybody sees it.
    """

    artifact: str
    version: str
    sha256: str
    megabytes: int
    folder: str
    prepare: Callable[[Path], None] | None = None


def cache_folder() -> Path:
    """Where distributions are kept between runs."""
    return Path(os.environ.get(CACHE_VARIABLE) or CACHE).expanduser()


def installed(distribution: Distribution) -> Path:
    """Give the folder of an unpacked server, and fetch it first if the cache has none.

    A folder gets its name only when it is complete, so what an interrupted run left is not taken for a server. It is
    for reading: a server runs on a copy.

    :raises NotFetched: if Maven fails, the archive is not the pinned one, or the server cannot be prepared.
    """
    cache = cache_folder()
    complete = cache / distribution.folder
    if complete.is_dir():
        return complete
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / f"{distribution.folder}.lock"):
        if not complete.is_dir():
            _install(distribution, complete, cache / f"{distribution.folder}.part")
    return complete


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other process holds the lock; the system lets go of it when its holder dies."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _install(distribution: Distribution, complete: Path, part: Path) -> None:
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        archive = _download(distribution, part)
        with archive.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if found != distribution.sha256:
            raise NotFetched(f"{archive.name} is not the pinned one: its SHA-256 is {found}, not {distribution.sha256}")
        with tarfile.open(archive) as packed:
            packed.extractall(part, filter="data")
        if distribution.prepare:
            distribution.prepare(part / distribution.folder)
        (part / distribution.folder).rename(complete)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _download(distribution: Distribution, part: Path) -> Path:
    """Let Maven fetch the archive: it knows the mirror and the proxy of this network."""
    artifact = f"{distribution.artifact}:{distribution.version}:tar.gz"
    command = ["mvn", "-B", "-ntp", MAVEN_COPY, f"-Dartifact={artifact}", f"-DoutputDirectory={part}"]
    try:
        done = subprocess.run(command, cwd=part, capture_output=True, text=True, timeout=MAVEN_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NotFetched(f"Maven could not fetch {artifact}: {problem}") from problem
    archive = part / f"{distribution.artifact.partition(':')[2]}-{distribution.version}.tar.gz"
    if done.returncode or not archive.is_file():
        raise NotFetched(f"Maven could not fetch {artifact}:\n{(done.stdout + done.stderr)[-3000:]}")
    return archive
