"""The two generations of Keycloak that MOSIP deployments run, and how each is started.

``python -m tests.conformance.keycloak_generations`` fetches both ahead of the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.conformance.distributions import Distribution, NotFetched, cache_folder, installed
from tests.conformance.supervisor import DidNotStart, supervised

KEPT = ("PATH", "HOME", "JAVA_HOME", "LANG", "TMPDIR")
"""All that a server sees of our environment: its scripts take many a variable for a setting."""

QUICK_START = "-XX:TieredStopAtLevel=1"
"""These servers live for a minute: what the optimising compiler costs does not come back."""

OPTIONS_16 = (
    # What standalone.conf would say, which is not used once JAVA_OPTS is set. The --add-opens that this generation
    # needs on Java 17 are added by its start scripts (bin/common.sh) unless JAVA_OPTS has an --add-modules.
    "-Xms64m -Xmx512m -XX:MetaspaceSize=96M -XX:MaxMetaspaceSize=256m -Djava.awt.headless=true"
    " -Djava.net.preferIPv4Stack=true -Djboss.modules.system.pkgs=org.jboss.byteman"
    # The embedded database opens a port of its own, to everybody unless told otherwise.
    " -Dh2.bindAddress=127.0.0.1"
)
ADD_USER_SECONDS = 60
PREPARE_SECONDS = 300


@dataclass(frozen=True)
class Start:
    """A server that is about to start.

    :param home: the distribution; it is not to be written into.
    :param scratch: a folder for all that the server writes.
    :param port: where it is to listen, on 127.0.0.1.
    """

    home: Path
    scratch: Path
    port: int
    admin_user: str
    admin_password: str = field(repr=False)


@dataclass(frozen=True)
class Launch:
    """What runs a server in the foreground."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Generation:
    """A generation of Keycloak.

    :param name: the major version.
    :param prefix: the path that everything of the server lies below, or nothing.
    :param launch: makes the scratch folder ready and says what to run.
    """

    name: str
    prefix: str
    distribution: Distribution
    launch: Callable[[Start], Launch]


def launch_16(start: Start) -> Launch:
    """Generation 16: an application server that keeps settings, database and logs in the folder it is told."""
    settings = start.scratch / "configuration"
    shutil.copytree(start.home / "standalone/configuration", settings)
    (start.scratch / "deployments").mkdir()
    environment = {**_kept(), "JAVA_OPTS": f"{OPTIONS_16} {QUICK_START}"}
    user = ["-r", "master", "-u", start.admin_user, "-p", start.admin_password, "--sc", str(settings)]
    done = subprocess.run(
        [str(start.home / "bin/add-user-keycloak.sh"), *user],
        env=environment,
        capture_output=True,
        text=True,
        timeout=ADD_USER_SECONDS,
    )
    if done.returncode:
        raise DidNotStart(f"Could not add the administrator:\n{done.stdout}{done.stderr}")
    ports = {"http": start.port, **dict.fromkeys(("https", "ajp", "management.http", "management.https"), 0)}
    return Launch(
        [
            str(start.home / "bin/standalone.sh"),
            f"-Djboss.server.base.dir={start.scratch}",
            *(f"-Djboss.{name}.port={port}" for name, port in ports.items()),
        ],
        environment,
    )


def launch_26(start: Start) -> Launch:
    """Generation 26: it writes into its own folder, so that is copied."""
    home = start.scratch / "home"
    shutil.copytree(start.home, home)
    return _start_dev(home, start)


def _start_dev(home: Path, start: Start) -> Launch:
    administrator = {
        "KC_BOOTSTRAP_ADMIN_USERNAME": start.admin_user,
        "KC_BOOTSTRAP_ADMIN_PASSWORD": start.admin_password,
    }
    return Launch(
        [str(home / "bin/kc.sh"), "start-dev", "--db=dev-mem", "--http-host=127.0.0.1", f"--http-port={start.port}"],
        {**_kept(), "JAVA_OPTS_APPEND": QUICK_START, **administrator},
    )


def prepare_26(home: Path) -> None:
    """Let the server rebuild itself for development mode once; every start would spend 15 to 20 s on it otherwise.

    ``kc.sh build`` does so for production mode only. So this starts the server, and ends it when it says that it goes
    on with what it has built.

    :raises NotFetched: if it does not get there.
    """
    scratch = home.with_name("scratch")
    launch = _start_dev(home, Start(home, scratch, port=0, admin_user="nobody", admin_password="nobody"))
    try:
        with supervised(scratch, launch.command, launch.environment) as server:
            server.wait_until(lambda: "\nRunning the server in development mode" in server.said(), PREPARE_SECONDS)
    except DidNotStart as problem:
        raise NotFetched(f"Keycloak could not be prepared: {problem}") from problem
    shutil.rmtree(home / "data", ignore_errors=True)


def _kept() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ}


KEYCLOAK_16 = Generation(
    "16",
    "/auth",
    Distribution(
        "org.keycloak:keycloak-server-dist",
        version="16.1.1",
        sha256="bb120dd1433ba7f2713cef2f064556c058bc0409a8ce0a62aa9cccc1349d1ad7",
        megabytes=269,
        folder="keycloak-16.1.1",
    ),
    launch_16,
)
"""What MOSIP's own image is made from."""

KEYCLOAK_26 = Generation(
    "26",
    "",
    Distribution(
        "org.keycloak:keycloak-quarkus-dist",
        version="26.7.3",
        sha256="77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47",
        megabytes=176,
        folder="keycloak-26.7.3",
        prepare=prepare_26,
    ),
    launch_26,
)
"""What a country has that keeps a Keycloak of its own up to date."""

GENERATIONS = (KEYCLOAK_16, KEYCLOAK_26)


def main() -> int:
    """Fetch what is missing, and say so, since it takes a while."""
    for generation in GENERATIONS:
        distribution = generation.distribution
        name, began = f"Keycloak {distribution.version}", time.monotonic()
        if not (cache_folder() / distribution.folder).is_dir():
            print(f"Fetching {name} with Maven ({distribution.megabytes} MB) ...", file=sys.stderr)
        try:
            home = installed(distribution)
        except NotFetched as problem:
            print(problem, file=sys.stderr)
            return 1
        print(f"{name}: {home} ({time.monotonic() - began:.0f} s)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
