"""Free TCP ports, chosen together so that no two components get the same."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """One number for each listener of a stack."""

    airflow: int
    worker_logs: int
    triggerer_logs: int
    scheduler_health: int
    receiver: int
    sandbox: int


def choose(wanted: Mapping[str, int] | None = None) -> Ports:
    """Ports that are free now; those of the stack before where they still are, so that its addresses stay true."""
    wanted = wanted or {}
    with contextlib.ExitStack() as held:
        chosen = {field.name: _hold(held, wanted.get(field.name, 0)) for field in fields(Ports)}
    return Ports(**chosen)


def as_dict(ports: Ports) -> dict[str, int]:
    """The ports by name."""
    return asdict(ports)


def answers(port: int) -> bool:
    """Whether something listens on this port of this machine."""
    try:
        with socket.create_connection((_HOST, port), timeout=1.0):
            return True
    except OSError:
        return False


def _hold(held: contextlib.ExitStack, port: int) -> int:
    listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
    except OSError:
        listener.bind((_HOST, 0))
    return int(listener.getsockname()[1])
