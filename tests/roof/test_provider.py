"""Installed as a distribution, the plugin gives Airflow two connection types with forms of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mosip_crvs import __version__
from mosip_crvs.hooks.ledger import LedgerHook
from mosip_crvs.hooks.mosip import MosipHook
from mosip_crvs.mosip.settings import EXTRA_FIELDS, MosipSettings
from mosip_crvs.provider import get_provider_info

ROOT = Path(__file__).resolve().parents[2]
TYPES = {found["connection-type"]: found for found in get_provider_info()["connection-types"]}


def test_what_the_provider_says_fits_airflows_schema() -> None:
    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())

    jsonschema.validate(get_provider_info(), schema)


def test_the_connection_types_are_those_of_the_hooks() -> None:
    assert set(TYPES) == {"mosip", "crvs_ledger"}
    for hook in (MosipHook, LedgerHook):
        described = TYPES[hook.conn_type]
        assert described["hook-class-name"] == f"{hook.__module__}.{hook.__name__}"
        assert described["hook-name"] == hook.hook_name


def test_every_field_of_the_form_is_one_that_the_hook_reads_with_the_same_default() -> None:
    fields = TYPES["mosip"]["conn-fields"]
    assert set(fields) <= EXTRA_FIELDS
    settings = MosipSettings("http://x", "c", "s", "10001", "10077")
    for name, described in fields.items():
        if "default" in described["schema"]:
            assert getattr(settings, name) == described["schema"]["default"], name
        for allowed in described["schema"].get("enum", []):
            MosipSettings("http://x", "c", "s", "10001", "10077", **{name: allowed})


def test_everything_that_must_be_set_is_on_the_form() -> None:
    assert {"center_id", "machine_id", "officer_id", "receiver_url"} <= set(TYPES["mosip"]["conn-fields"])
    assert "seal_secret" in TYPES["crvs_ledger"]["conn-fields"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow finds when the distribution was built and installed by pip, without the folder ``plugins``."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(
        ROOT / "plugins/mosip_crvs", source / "plugins/mosip_crvs", ignore=shutil.ignore_patterns("__pycache__")
    )
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)],
        check=True,
        timeout=100,
    )
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "CRVS_"))}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", str(Path(__file__).with_name("provider_probe.py"))],
        env={**inherited, "AIRFLOW_HOME": str(target / "airflow"), "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    found["files"] = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    return found


def test_airflow_finds_the_installed_provider(installed: dict[str, Any]) -> None:
    assert installed["package"] == "airflow-provider-mosip-crvs"
    assert installed["version"] == __version__


def test_the_forms_show_our_fields_with_their_labels(installed: dict[str, Any]) -> None:
    for name, described in TYPES.items():
        form = installed["forms"][name]
        assert form["hook_name"] == described["hook-name"]
        assert set(form["extra_fields"]) == set(described["conn-fields"])
        for field, shown in form["extra_fields"].items():
            said = described["conn-fields"][field]
            assert shown["schema"]["title"] == said["label"]
            assert shown["value"] == said["schema"].get("default")
            assert shown["schema"].get("enum") == said["schema"].get("enum")


def test_the_standard_fields_have_mosips_names_and_the_useless_ones_are_hidden(installed: dict[str, Any]) -> None:
    standard = installed["forms"]["mosip"]["standard_fields"]

    assert standard["host"]["title"] == "Base URL"
    assert standard["login"]["title"] == "Client id"
    assert standard["password"]["title"] == "Client secret"
    assert standard["port"]["hidden"] is True
    assert standard["url_schema"]["hidden"] is True


def test_secret_fields_are_passwords_and_the_others_are_not(installed: dict[str, Any]) -> None:
    secret = {name for name, is_sensitive in installed["sensitive"].items() if is_sensitive}

    assert secret == {"extra__crvs_ledger__seal_secret", "extra__mosip__partner_secret"}
    assert installed["forms"]["crvs_ledger"]["extra_fields"]["seal_secret"]["schema"]["format"] == "password"
    assert len(installed["sensitive"]) == sum(len(described["conn-fields"]) for described in TYPES.values())


def test_secret_fields_are_hidden_wherever_airflow_shows_a_connection() -> None:
    """Airflow hides a value of the extra by its name alone, whatever the form says of it."""
    from airflow.sdk.log import redact

    for described in TYPES.values():
        for name, said in described["conn-fields"].items():
            if said["schema"].get("format") == "password":
                assert "what-nobody-may-see" not in repr(redact({name: "what-nobody-may-see"})), name


def test_a_connection_of_our_types_gives_our_hooks(installed: dict[str, Any]) -> None:
    assert installed["hooks"] == {
        "mosip": ["mosip_crvs.hooks.mosip.MosipHook", "MOSIP", True],
        "crvs_ledger": ["mosip_crvs.hooks.ledger.LedgerHook", "CRVS ledger", True],
    }


def test_drawing_a_form_imports_no_hook(installed: dict[str, Any]) -> None:
    assert "mosip_crvs.hooks.mosip" not in installed["imported_for_the_forms"]


def test_the_distribution_holds_all_that_the_ledger_needs_and_no_test(installed: dict[str, Any]) -> None:
    held = installed["files"]

    assert "mosip_crvs/py.typed" in held
    assert "mosip_crvs/ledger/migrations/versions/0001_the_first_ledger.py" in held
    assert not [name for name in held if "test" in Path(name).name or name.startswith(("include", "dags"))]
