"""``./run`` answers at once, installs once, and says what is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quickstart import environment, processes, stack
from quickstart.places import Places

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON_VERBS = ("demo", "up", "down", "env", "sync", "settle", "balance", "verify")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose environment is installed: this test run's own Python under its name."""
    root = tmp_path.resolve() / "clone"
    (root / ".venv/bin").mkdir(parents=True)
    for name in ("run", "pyproject.toml", "requirements.txt", "requirements-dev.txt"):
        shutil.copy2(REPOSITORY / name, root)
    shutil.copytree(REPOSITORY / "include/quickstart", root / "include/quickstart")
    python = root / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    write_stamp(root)
    return root


def write_stamp(root: Path) -> None:
    content = b"".join((root / name).read_bytes() for name in ("requirements-dev.txt", "pyproject.toml"))
    (root / ".venv/.crvs-stamp").write_text(f"dev {hashlib.sha256(content).hexdigest()} {root}\n")


def run(root: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(root / "run"), *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("verb", [*PYTHON_VERBS, "test", "lint", "conformance", "lock"])
def test_every_verb_explains_itself(clone: Path, verb: str) -> None:
    done = run(clone, verb, "--help")
    assert done.returncode == 0
    assert f"./run {verb}" in done.stdout + done.stderr


def test_without_a_verb_the_verbs_are_listed(clone: Path) -> None:
    assert run(clone).returncode == 2
    listed = run(clone, "--help")
    assert listed.returncode == 0
    verbs = (*PYTHON_VERBS, "test", "lint", "conformance", "bench", "lock")
    assert all(f"\n  {verb} " in listed.stdout for verb in verbs)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["demo", "--nonsense"],
        ["demo", "--births", "-1"],
        ["sync"],
        ["down", "now"],
        ["balance", "today", "--json", "--csv"],
        ["lint", "fast"],
        ["conformance", "nonsense"],
    ],
)
def test_what_is_unknown_ends_with_2_and_says_so(clone: Path, arguments: list[str]) -> None:
    done = run(clone, *arguments)
    assert done.returncode == 2
    assert done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["env"], ["sync", "yesterday"], ["settle"], ["balance", "today"], ["verify"], ["verify", "a file"]],
)
def test_verbs_that_need_a_stack_say_how_to_start_one(clone: Path, arguments: list[str]) -> None:
    done = run(clone, *arguments)
    assert done.returncode == 1
    assert "./run up" in done.stderr
    assert done.stdout == ""


def test_down_is_content_when_nothing_runs(clone: Path) -> None:
    assert run(clone, "down").returncode == 0


def test_a_far_side_without_credentials_is_refused_by_name(clone: Path) -> None:
    done = run(clone, "demo", "--mosip", "http://127.0.0.1:1", MOSIP_CLIENT_ID="me", MOSIP_CENTER_ID="10001")
    assert done.returncode == 1
    assert "MOSIP_CLIENT_SECRET, MOSIP_MACHINE_ID" in done.stderr
    assert "MOSIP_CLIENT_ID" not in done.stderr


@pytest.fixture
def awkward_stack(clone: Path) -> Iterator[dict[str, str]]:
    """A stack that seems to run in the clone, with values that a careless shell would mangle."""
    marker = processes.new_stack_id(clone)
    sleeper = subprocess.Popen(["sleep", "60"], env=environment.clean(marker))
    urls = {
        "registry": "postgresql://postgres@/registry?host=%2Ftmp%2Fa%20b",
        "ledger": "postgresql://postgres@/ledger?host=%2Ftmp%2Fa%20b",
        "airflow": "http://127.0.0.1:1",
        "receiver": "http://127.0.0.1:2/?a=1&b=2",
        "mosip": "http://127.0.0.1:3",
    }
    login = {"user": "admin", "password": 'it\'s $HOME `id` "quoted" \\ #'}
    running = stack.Stack(marker, sleeper.pid, "", "UTC", status=stack.READY, urls=urls, airflow=login)
    running.write(Places(clone))
    yield {
        **{f"{name.upper()}_URL": url for name, url in urls.items()},
        "AIRFLOW_USER": login["user"],
        "AIRFLOW_PASSWORD": login["password"],
    }
    sleeper.kill()
    sleeper.wait()


def test_env_can_be_sourced(clone: Path, awkward_stack: dict[str, str]) -> None:
    shown = f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    done = subprocess.run(
        ["bash", "-euc", f"source <(./run env); {shown}"], cwd=clone, capture_output=True, text=True, check=True
    )
    seen = json.loads(done.stdout)
    assert {name: seen[name] for name in awkward_stack} == awkward_stack


def test_a_second_up_says_where_the_stack_is(clone: Path, awkward_stack: dict[str, str]) -> None:
    done = run(clone, "up")
    assert done.returncode == 0
    assert awkward_stack["AIRFLOW_URL"] in done.stdout


def test_a_failed_install_leaves_no_stamp_behind(clone: Path, tmp_path: Path) -> None:
    (clone / "requirements.txt").write_text("# another lock\nuv==0.0.1 \\\n    --hash=sha256:00\n")
    (clone / "requirements-dev.txt").write_text("# another lock\n")
    (clone / ".venv/bin/python").write_text("#!/bin/sh\nexit 1\n")
    pretender = tmp_path / "python"
    pretender.write_text('#!/bin/sh\n[ "$1" = -m ] && echo "no venv today" >&2 && exit 7\nexit 0\n')
    pretender.chmod(0o755)
    done = run(clone, "down", CRVS_PYTHON=str(pretender))
    assert done.returncode == 1
    assert "could not make .venv" in done.stderr
    assert not (clone / ".venv/.crvs-stamp").exists()


def test_a_machine_without_a_fitting_python_is_told_which_one_fits(clone: Path, tmp_path: Path) -> None:
    shutil.rmtree(clone / ".venv")
    poor = tmp_path / "bin"
    poor.mkdir()
    for tool in ("bash", "dirname", "env"):
        (poor / tool).symlink_to(str(shutil.which(tool)))
    done = run(clone, "down", PATH=str(poor), CRVS_PYTHON="")
    assert done.returncode == 1
    assert "needs Python 3.11" in done.stderr


OLD_JAVA = """echo 'openjdk version "11.0.2" 2019-01-15' >&2"""
NEW_JAVA = """echo 'openjdk version "21.0.4" 2024-07-16 LTS' >&2"""


@pytest.mark.parametrize(
    ("programs", "missing"),
    [
        pytest.param({}, "Java 17", id="neither"),
        pytest.param({"mvn": "echo Apache Maven 3.8.7", "java": OLD_JAVA}, "11.0.2", id="an old Java"),
        pytest.param({"mvn": "echo Apache Maven 3.8.7", "java": "exit 1"}, "Java 17", id="a Java that does not run"),
        pytest.param({"java": NEW_JAVA}, "Maven", id="no Maven"),
    ],
)
def test_conformance_without_java_or_maven_is_not_available(
    clone: Path, tmp_path: Path, programs: dict[str, str], missing: str
) -> None:
    poor = tmp_path / "bin"
    poor.mkdir()
    for tool in ("bash", "dirname", "env"):
        (poor / tool).symlink_to(str(shutil.which(tool)))
    for name, script in programs.items():
        (poor / name).write_text(f"#!/bin/sh\n{script}\n")
        (poor / name).chmod(0o755)
    done = run(clone, "conformance", "keycloak", PATH=str(poor), JAVA_HOME="")
    assert done.returncode == 69
    assert missing in done.stderr
    assert len(done.stderr.splitlines()) == 1
