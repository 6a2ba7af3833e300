"""``docker-compose.yml`` says the same as the quickstart, which is run; nobody can run it in these tests."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from quickstart import components, environment, ports
from quickstart.keys import keys_for
from quickstart.places import Places
from quickstart.plan import FarSide, Plan
from quickstart.postgres import Database, Server

REPOSITORY = Path(__file__).resolve().parents[2]
AIRFLOW_SERVICES = ("api-server", "scheduler", "dag-processor", "triggerer")

# What only a stack on one shared machine needs: chosen ports, loopback, small pools, a quick look at new files.
QUICKSTART_ONLY = re.compile(
    r"AIRFLOW__(API__(BASE_URL|HOST|PORT|WORKERS)|LOGGING__.*_PORT|SCHEDULER__SCHEDULER_HEALTH.*|DAG_PROCESSOR__.*"
    r"|DATABASE__SQL_ALCHEMY_(POOL_SIZE|MAX_OVERFLOW)|CORE__DAGS_ARE_PAUSED_AT_CREATION)"
    r"|AIRFLOW_HOME|DO_NOT_TRACK|SCARF_ANALYTICS"
)
ONBOARDING_CONNECTIONS = (
    "AIRFLOW_CONN_MOSIP_PROVISIONER",
    "AIRFLOW_CONN_MOSIP_KEYCLOAK_ADMIN",
    "AIRFLOW_CONN_MOSIP_GLOBAL_ADMIN",
)
MUST_BE_EQUAL = (
    "AIRFLOW__CORE__AUTH_MANAGER",
    "AIRFLOW__CORE__DEFAULT_TIMEZONE",
    "AIRFLOW__CORE__EXECUTOR",
    "AIRFLOW__CORE__LOAD_EXAMPLES",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS",
    "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED",
    "CRVS_RANGE_SIZE",
)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"])


@pytest.fixture
def quickstart_environment(tmp_path: Path) -> dict[str, str]:
    places = Places(tmp_path)
    server = Server(*(Database(name, "/socket") for name in ("registry", "ledger", "airflow")))
    return environment.airflow(
        places=places,
        plan=Plan(fresh=True),
        keys=keys_for(places),
        ports=ports.choose(),
        server=server,
        far_side=FarSide("http://127.0.0.1", "c", "s", "1", "2", "o"),
        receiver_url="http://127.0.0.1",
    )


def test_both_set_the_same_variables(services: dict[str, Any], quickstart_environment: dict[str, str]) -> None:
    quickstart = {name for name in quickstart_environment if not QUICKSTART_ONLY.fullmatch(name)}
    for name in AIRFLOW_SERVICES:
        assert set(services[name]["environment"]) == quickstart


def test_both_give_the_same_values_where_they_must(
    services: dict[str, Any], quickstart_environment: dict[str, str]
) -> None:
    composed = services["scheduler"]["environment"]
    assert {name: composed[name] for name in MUST_BE_EQUAL} == {
        name: quickstart_environment[name] for name in MUST_BE_EQUAL
    }


def test_both_build_connections_of_the_same_shape(
    services: dict[str, Any], quickstart_environment: dict[str, str]
) -> None:
    composed = services["scheduler"]["environment"]
    for name in ("AIRFLOW_CONN_CRVS_LEDGER", "AIRFLOW_CONN_MOSIP", *ONBOARDING_CONNECTIONS):
        ours = yaml.safe_load(quickstart_environment[name])
        theirs = yaml.safe_load(composed[name])
        assert ours["conn_type"] == theirs["conn_type"]
        assert ours.get("extra", {}).keys() == theirs.get("extra", {}).keys()


def test_every_component_of_the_quickstart_is_a_service(services: dict[str, Any]) -> None:
    own = [component.name for component in components.airflow({}, ports.choose())]
    assert own == list(AIRFLOW_SERVICES)
    assert {*own, "receiver", "postgres", "airflow-init"} == set(services)


def test_every_service_that_stays_has_a_health_check_and_waits_for_the_tables(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name == "airflow-init":
            continue
        assert service["healthcheck"]["test"]
        if name != "postgres":
            assert service["depends_on"] == {"airflow-init": {"condition": "service_completed_successfully"}}


def test_the_versions_are_those_that_are_tested() -> None:
    requirements = (REPOSITORY / "requirements.in").read_text()
    airflow = re.search(r"^apache-airflow==(\S+)$", requirements, re.MULTILINE)
    assert airflow is not None
    bases = re.findall(r"^FROM (\S+)", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)
    assert set(bases) == {f"apache/airflow:{airflow[1]}"}
    postgres = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]["postgres"]["image"]
    assert postgres == "postgres:18"


def test_the_example_settings_name_everything_that_is_demanded() -> None:
    compose = (REPOSITORY / "docker-compose.yml").read_text()
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", compose))
    example = (REPOSITORY / ".env.example").read_text()
    named = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    assert set(named) == used
    assert date.fromisoformat(named["START_DATE"])
