"""The environment of each child process. Nothing of the caller's Airflow, PostgreSQL or PYTHONPATH comes through."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from quickstart.keys import AIRFLOW_USER, Keys
from quickstart.places import Places
from quickstart.plan import FarSide, Plan
from quickstart.ports import Ports
from quickstart.postgres import Server
from quickstart.processes import KEEP_ENVIRONMENT, MARKER

_NOT_OURS = ("AIRFLOW", "MOSIP_", "PG", "PYTHON", "VIRTUAL_ENV", "_AIRFLOW")
_LOCAL = "127.0.0.1,localhost"


def clean(stack_id: str, caller: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What every process of a stack starts from, the supervisor included."""
    environment = {name: value for name, value in caller.items() if not name.startswith(_NOT_OURS)}
    bin_folder = str(Path(sys.executable).parent)
    unproxied = ",".join(filter(None, [caller.get("NO_PROXY") or caller.get("no_proxy"), _LOCAL]))
    return environment | {
        MARKER: stack_id,
        **KEEP_ENVIRONMENT,
        "PATH": f"{bin_folder}{os.pathsep}{caller.get('PATH', os.defpath)}",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8" if sys.platform == "linux" else "C",
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": unproxied,
        "no_proxy": unproxied,
    }


def include_path(places: Places) -> dict[str, str]:
    """For the modules of ``include/``. Never for Airflow: it must not import them by accident."""
    return {"PYTHONPATH": str(places.root / "include")}


def airflow(
    *,
    places: Places,
    plan: Plan,
    keys: Keys,
    ports: Ports,
    server: Server,
    far_side: FarSide | None,
    receiver_url: str,
) -> dict[str, str]:
    """What Airflow's components need on top of :func:`clean`: configuration, connections, the plugin's settings.

    :param far_side: None for our sandbox: its connection comes by Airflow's API, because provisioning may change it.
    """
    return {
        **configuration(places, keys, ports, server),
        **_connections(keys, server, far_side, receiver_url),
        **({} if plan.far_side else _onboarding_connections(keys)),
        **plugin_settings(places, plan, server),
    }


def onboarding(
    *, places: Places, plan: Plan, keys: Keys, server: Server, mosip_url: str, receiver_url: str
) -> dict[str, str]:
    """What the onboarding's command line needs: where everything is, and every login that the sandbox has."""
    common = {
        "MOSIP_URL": mosip_url,
        "CRVS_RECEIVER_URL": receiver_url,
        "CRVS_LEDGER_URL": server.ledger.url(),
        "CRVS_SEAL_KEY": keys.seal_key,
        **_onboarding_settings(places, plan),
        "CRVS_INCLUDE_DIR": str(places.root / "include"),
    }
    if plan.far_side:
        own = plan.far_side
        return common | {
            "MOSIP_CLIENT_ID": own.client_id,
            "MOSIP_CLIENT_SECRET": own.client_secret,
            "MOSIP_CENTER_ID": own.center_id,
            "MOSIP_MACHINE_ID": own.machine_id,
        }
    return common | {
        "MOSIP_PROVISIONER_SECRET": keys.provisioner_secret,
        "KEYCLOAK_ADMIN_PASSWORD": keys.keycloak_admin_secret,
        "MOSIP_GLOBAL_ADMIN_PASSWORD": keys.globaladmin_secret,
        "MOSIP_GLOBAL_ADMIN_CLIENT_SECRET": GLOBAL_ADMIN_CLIENT_SECRET,
    }


GLOBAL_ADMIN_CLIENT_SECRET = "mosip-admin-client-secret"  # noqa: S105 (the sandbox's, which opens nothing else)


def _onboarding_settings(places: Places, plan: Plan) -> dict[str, str]:
    country = "runtime" if plan.far_side else "demo"
    return {
        "CRVS_COUNTRY_FILE": str(places.root / "include" / "onboarding" / f"{country}.yaml"),
        "CRVS_ONBOARDING_DIR": str(places.onboarding),
    }


def plugin_settings(places: Places, plan: Plan, server: Server) -> dict[str, str]:
    """The settings that the DAGs read. The DAGs start today, so that no run for an earlier day comes by itself."""
    today = datetime.now(ZoneInfo(plan.timezone)).date()
    return {
        "CRVS_START_DATE": today.isoformat(),
        "CRVS_REGISTRY_TIMEZONE": plan.timezone,
        "CRVS_INCLUDE_DIR": str(places.root / "include"),
        "CRVS_RANGE_SIZE": os.environ.get("CRVS_RANGE_SIZE", "250"),
        "CRVS_LEDGER_URL": server.ledger.url(),
        # Airflow makes up for a morning that has passed today, and before the first night that one finds nothing read.
        "CRVS_MORNING": os.environ.get("CRVS_MORNING", "23:59"),
        **_onboarding_settings(places, plan),
        # Of a MOSIP that others prepared we see little: what is found there is a warning.
        "CRVS_PREFLIGHT_GATE": "warn" if plan.far_side else "stop",
    }


def configuration(places: Places, keys: Keys, ports: Ports, server: Server) -> dict[str, str]:
    address = f"http://127.0.0.1:{ports.airflow}"
    settings = {
        "API__BASE_URL": address,
        "API__HOST": "127.0.0.1",
        "API__PORT": ports.airflow,
        "API__SECRET_KEY": keys.api_secret,
        "API__WORKERS": 1,
        "API_AUTH__JWT_SECRET": keys.jwt_secret,
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        # A trigger that watches for events exists only once its DAG was parsed unpaused.
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "CORE__DAGS_FOLDER": places.root / "dags",
        "CORE__DEFAULT_TIMEZONE": "utc",
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__FERNET_KEY": keys.fernet_key,
        "CORE__LOAD_EXAMPLES": False,
        "CORE__PARALLELISM": 6,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 60,  # a killed worker is noticed in a minute, not in five
        "CORE__PLUGINS_FOLDER": places.root / "plugins",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": places.passwords_file,
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{AIRFLOW_USER}:admin",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 20,
        "DAG_PROCESSOR__PARSING_PROCESSES": 1,
        "DAG_PROCESSOR__REFRESH_INTERVAL": 10,
        "DATABASE__SQL_ALCHEMY_CONN": server.airflow.url("psycopg2"),
        "DATABASE__SQL_ALCHEMY_MAX_OVERFLOW": 5,
        "DATABASE__SQL_ALCHEMY_POOL_SIZE": 3,
        "LOGGING__TRIGGER_LOG_SERVER_PORT": ports.triggerer_logs,
        "LOGGING__WORKER_LOG_SERVER_PORT": ports.worker_logs,
        "SCHEDULER__ENABLE_HEALTH_CHECK": True,
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": ports.scheduler_health,
        "USAGE_DATA_COLLECTION__ENABLED": False,
    }
    return {
        "AIRFLOW_HOME": str(places.airflow_home),
        "DO_NOT_TRACK": "1",
        "SCARF_ANALYTICS": "false",
        **{f"AIRFLOW__{name}": str(value) for name, value in settings.items()},
    }


def _connections(keys: Keys, server: Server, far_side: FarSide | None, receiver_url: str) -> dict[str, str]:
    registry = server.registry.connection("postgres")
    ledger = server.ledger.connection("crvs_ledger") | {"extra": {"seal_secret": keys.seal_key}}
    # The server of the demo has one role; a registry of people has one that reads and one that writes results.
    connections = {"CRVS_REGISTRY": registry, "CRVS_RESULTS": registry, "CRVS_LEDGER": ledger}
    if far_side is not None:
        connections["MOSIP"] = mosip_connection(far_side, receiver_url)
    return {f"AIRFLOW_CONN_{name}": json.dumps(fields) for name, fields in connections.items()}


def mosip_connection(far_side: FarSide, receiver_url: str) -> dict[str, Any]:
    """The connection ``mosip``."""
    return {
        "conn_type": "mosip",
        "host": far_side.base_url,
        "login": far_side.client_id,
        "password": far_side.client_secret,
        "extra": {
            "center_id": far_side.center_id,
            "machine_id": far_side.machine_id,
            "officer_id": far_side.officer_id,
            "receiver_url": receiver_url,
            "schema_version": far_side.schema_version,
            # What is empty has the plugin's default; no partner_id means no credentials.
            "partner_id": far_side.partner_id,
            "partner_secret": far_side.partner_secret,
            "identifiers": far_side.identifiers,
            "data_share_hosts": far_side.data_share_hosts,
            "mosip_signing_certificates": far_side.signing_certificates,
            **({"client_secret_next": far_side.client_secret_next} if far_side.client_secret_next else {}),
            **({"poll_after": far_side.poll_after} if far_side.poll_after else {}),
        },
    }


def _onboarding_connections(keys: Keys) -> dict[str, str]:
    """The logins of the onboarding DAGs."""
    connections: dict[str, dict[str, Any]] = {
        "MOSIP_PROVISIONER": {"login": "mosip-deployment-client", "password": keys.provisioner_secret},
        "MOSIP_KEYCLOAK_ADMIN": {"login": "admin", "password": keys.keycloak_admin_secret},
        "MOSIP_GLOBAL_ADMIN": {
            "login": "globaladmin",
            "password": keys.globaladmin_secret,
            "extra": {"client_secret": GLOBAL_ADMIN_CLIENT_SECRET},
        },
    }
    return {
        f"AIRFLOW_CONN_{name}": json.dumps({"conn_type": "generic", **fields}) for name, fields in connections.items()
    }
