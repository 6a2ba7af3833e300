"""The child processes of a stack: what is run, with which environment, and how one sees that it is up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from quickstart import local_http
from quickstart import ports as tcp
from quickstart.keys import Keys
from quickstart.ports import Ports

_AIRFLOW_PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")

@dataclass(frozen=True)
class Component:
    """One child process.

    :param name: also the name of its log file.
    :param ready: whether it does its work now; asked again and again during the start.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[], bool] = field(default=lambda: True, repr=False)


def python(*arguments: str) -> tuple[str, ...]:
    """A command that runs this environment's Python."""
    return (sys.executable, *arguments)


def receiver(environment: Mapping[str, str], *, host: str, port: int) -> Component:
    """The WebSub callback service."""
    command = python("-m", "mosip_crvs.receiver", "--host", host, "--port", str(port))
    return Component("receiver", command, environment, partial(tcp.answers, port))


def sandbox(
    environment: Mapping[str, str], *, port: int, keys: Keys, record: str, holidays: Sequence[str] = ()
) -> Component:
    """The MOSIP stand-in as stock MOSIP comes, with a fast clock."""
    command = python(
        *("-m", "sandbox", "--empty", "--port", str(port), "--tick-seconds", "2", "--record", record),
        *(word for day in holidays for word in ("--holiday", day)),
    )
    # Secrets go by the environment: they may begin with a dash, and command lines are for all to see.
    own = {
        **environment,
        "SANDBOX_ADMIN_SECRET": keys.keycloak_admin_secret,
        "SANDBOX_GLOBALADMIN_SECRET": keys.globaladmin_secret,
        "SANDBOX_PROVISIONER_SECRET": keys.provisioner_secret,
    }
    return Component("sandbox", command, own, partial(tcp.answers, port))


def onboarding(environment: Mapping[str, str], *, provision: bool) -> Component:
    """Prepare MOSIP as a country does, or only look at it."""
    return Component(
        "onboarding", python("-m", "quickstart.provisioning", "provision" if provision else "look"), environment
    )


def airflow(environment: Mapping[str, str], ports: Ports) -> list[Component]:
    """Airflow's four services, each on its own: ``standalone`` would orphan them."""
    address = f"http://127.0.0.1:{ports.airflow}"
    healthy = partial(airflow_is_healthy, address)
    commands = {
        "api-server": ("api-server", "--host", "127.0.0.1", "--port", str(ports.airflow), "--workers", "1"),
        "scheduler": ("scheduler",),
        "dag-processor": ("dag-processor",),
        "triggerer": ("triggerer",),
    }
    return [
        # The API server answers for the health of all four.
        Component(name, python("-m", "airflow", *arguments), environment, *([healthy] if name == "api-server" else []))
        for name, arguments in commands.items()
    ]


def airflow_is_healthy(address: str) -> bool:
    """Whether Airflow says that the database and its three background services are well."""
    try:
        health = local_http.send(f"{address}/api/v2/monitor/health", seconds=2.0) or {}
    except (OSError, ValueError):
        return False
    return all((health.get(part) or {}).get("status") == "healthy" for part in _AIRFLOW_PARTS)
