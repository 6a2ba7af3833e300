"""Find and end every process of a stack, wherever it has wandered.

Airflow's components fork, change their session and outlive their parent (``airflow.md`` §1.12). So a process belongs to
a stack by an environment variable that all descendants inherit, and not by its parent or its group alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

MARKER = "CRVS_STACK_ID"
"""The variable that marks a process of a stack: ``<hash of the clone's path>-<random>``."""

KEEP_ENVIRONMENT = {"SPT_NOENV": "1"}
"""``setproctitle`` writes its titles over the environment block, and the marker with it, unless it is told not to."""

_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 5


def clone_prefix(root: Path) -> str:
    """What the marker of every stack of this clone begins with."""
    return hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:16]


def new_stack_id(root: Path) -> str:
    """A marker for a new stack of this clone."""
    return f"{clone_prefix(root)}-{secrets.token_hex(4)}"


def adopt_orphans() -> bool:
    """Become the parent of orphaned descendants (Linux only), so that none of them can slip away to init."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def marked(prefix: str) -> list[psutil.Process]:
    """All living processes, other than this one, whose marker begins with ``prefix``."""
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARKER, "").startswith(prefix) and _alive(process):
                found.append(process)
    return found


def end_all(prefix: str, *, own_descendants: bool = False, grace: float = 6.0) -> int:
    """End every process of a stack: first the services, then PostgreSQL, so that it shuts down without clients.

    :param prefix: a stack's marker, or :func:`clone_prefix` for all stacks of the clone.
    :param own_descendants: also the descendants of this process, marked or not; for the supervisor.
    :param grace: seconds between the polite signal and the last one.
    :return: how many processes were found.
    """
    seen: set[int] = set()
    for _ in range(_ROUNDS):
        members = _members(prefix, own_descendants)
        seen.update(process.pid for process in members)
        if not members:
            break
        databases = [process for process in members if _is_postgres(process)]
        services = [process for process in members if process not in databases]
        _end(services, signal.SIGTERM, grace)
        if not [process for process in _members(prefix, own_descendants) if not _is_postgres(process)]:
            _end_postgres(databases)
    reap()
    return len(seen)


def reap(known: Iterable[int] = ()) -> None:
    """Collect adopted children that have died. Children in ``known`` are left to their ``Popen``."""
    spared = set(known)
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error, ChildProcessError):
            if child.pid not in spared and child.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(child.pid, os.WNOHANG)


def _members(prefix: str, own_descendants: bool) -> list[psutil.Process]:
    found = {process.pid: process for process in marked(prefix)}
    if own_descendants:
        found |= {child.pid: child for child in psutil.Process().children(recursive=True) if _alive(child)}
    return list(found.values())


def _end(processes: list[psutil.Process], first: signal.Signals, grace: float) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(first)
    for process in _wait(processes, grace):
        with contextlib.suppress(psutil.Error):
            process.kill()
    _wait(processes, 2.0)


def _end_postgres(processes: list[psutil.Process]) -> None:
    """Fast shutdown (SIGINT), then immediate (SIGQUIT): both are crash safe, a SIGKILL leaves shared memory behind."""
    heads = [process for process in processes if not _has_postgres_parent(process)]
    for how, seconds in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)):
        for process in heads:
            with contextlib.suppress(psutil.Error):
                process.send_signal(how)
        if not _wait(processes, seconds):
            return
    _end(processes, signal.SIGKILL, 1.0)


def _wait(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those still alive after waiting at most so long."""
    deadline = time.monotonic() + seconds
    while (alive := [process for process in processes if _alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _is_postgres(process: psutil.Process) -> bool:
    try:
        return process.name() == "postgres"
    except psutil.Error:
        return False


def _has_postgres_parent(process: psutil.Process) -> bool:
    try:
        parent = process.parent()
    except psutil.Error:
        return False
    return parent is not None and _is_postgres(parent)
