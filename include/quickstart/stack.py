"""``.demo/stack.json``: what the supervisor knows about the running stack, for the verbs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import psutil

from quickstart.errors import NotRunning
from quickstart.places import Places, read_json, write_private
from quickstart.processes import MARKER

STARTING, READY, FAILED, STOPPED = "starting", "ready", "failed", "stopped"


@dataclass
class Stack:
    """The state of a stack.

    :param supervisor: the supervisor's process id.
    :param step: what the supervisor is doing, for people.
    :param environment: what the children got on top of the caller's environment; holds secrets, so the file is private.
    :param onboarding: what the command line of :mod:`mosip_crvs.onboarding` gets; holds secrets, too.
    :param far_side: ``sandbox``, ``stock`` (a sandbox that was not provisioned) or ``mosip``.
    """

    id: str
    supervisor: int
    started_at: str
    timezone: str
    far_side: str = "sandbox"
    status: str = STARTING
    step: str = ""
    error: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)
    airflow: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    onboarding: dict[str, str] = field(default_factory=dict, repr=False)

    def write(self, places: Places) -> None:
        """Publish this state."""
        write_private(places.stack_file, asdict(self))

    @property
    def zone(self) -> ZoneInfo:
        """The registry's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def alive(self) -> bool:
        """Whether the supervisor that wrote this still lives; a process id alone may have been given to another."""
        try:
            process = psutil.Process(self.supervisor)
            return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARKER) == self.id
        except (psutil.Error, OSError):
            return False


def read(places: Places) -> Stack | None:
    """The last published state, or None."""
    content: dict[str, Any] | None = read_json(places.stack_file)
    return Stack(**content) if content else None


def running(places: Places) -> Stack:
    """The running stack.

    :raises NotRunning: when there is none.
    """
    stack = read(places)
    if stack is None or stack.status != READY or not stack.alive:
        raise NotRunning(stack.error if stack else "", kept=places.has_state())
    return stack
