"""DAG runs through the scheduler: ask for them, watch them, say what went wrong."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from quickstart.airflow_api import AirflowApi
from quickstart.errors import QuickstartError, RunFailed
from quickstart.places import Places
from quickstart.supervisor import tail

TAG = "crvs"
SYNC_DAGS = ("crvs_birth_sync", "crvs_death_sync")
RECONCILE_DAG = "mosip_reconcile"

_APPEAR_SECONDS = 120.0
_POLL_SECONDS = 1.0
_DONE = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
_LOG_LINES = 15
_SHOWN = 3


@dataclass(frozen=True)
class Run:
    """A run that was asked for."""

    dag_id: str
    run_id: str


def day_interval(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants at which a calendar day begins and ends in a zone; 23 or 25 hours apart when clocks change."""
    start, end = (datetime(each.year, each.month, each.day, tzinfo=zone) for each in (day, day + timedelta(days=1)))
    return start.astimezone(UTC), end.astimezone(UTC)


def make_ready(api: AirflowApi, *, wanted: Sequence[str] = (*SYNC_DAGS, RECONCILE_DAG)) -> None:
    """Wait until the DAGs are there, and unpause every one that carries the tag.

    :raises QuickstartError: when a DAG file does not load, or the DAGs do not appear.
    """
    deadline = time.monotonic() + _APPEAR_SECONDS
    while missing := set(wanted) - {dag["dag_id"] for dag in api.dags(TAG)}:
        if errors := api.import_errors():
            raise QuickstartError("\n".join(f"{error['filename']}:\n{error['stack_trace']}" for error in errors))
        if time.monotonic() > deadline:
            raise QuickstartError(f"Airflow shows no DAG {', '.join(sorted(missing))} after {_APPEAR_SECONDS:.0f} s")
        time.sleep(0.5)
    for dag in api.dags(TAG):
        if dag["is_paused"]:
            api.unpause(dag["dag_id"])


def give_up_unfinished(api: AirflowApi) -> int:
    """Mark runs failed that a stopped stack left unfinished: their tasks are gone, and new runs would wait for them."""
    left = [(dag["dag_id"], run["dag_run_id"]) for dag in api.dags(TAG) for run in api.unfinished_runs(dag["dag_id"])]
    for dag_id, run_id in left:
        api.give_up(dag_id, run_id)
    return len(left)


def trigger_day(api: AirflowApi, dag_id: str, day: date, zone: ZoneInfo) -> Run:
    """Ask for a run over one calendar day.

    :raises QuickstartError: when Airflow stored another interval than the one asked for.
    """
    start, end = day_interval(day, zone)
    now = datetime.now(UTC)
    stored = api.trigger(
        dag_id,
        {
            "dag_run_id": f"{day.isoformat()}__{now:%Y%m%dT%H%M%S}_{secrets.token_hex(3)}",
            "logical_date": now.isoformat(),
            "data_interval_start": start.isoformat(),
            "data_interval_end": end.isoformat(),
        },
    )
    got = tuple(datetime.fromisoformat(stored[name]) for name in ("data_interval_start", "data_interval_end"))
    if got != (start, end):
        raise QuickstartError(f"{dag_id} was given the interval {got[0]} to {got[1]}, not {start} to {end}")
    return Run(dag_id, stored["dag_run_id"])


def trigger_now(api: AirflowApi, dag_id: str) -> Run:
    """Ask for a run without an interval."""
    stored = api.trigger(
        dag_id, {"dag_run_id": f"asked__{datetime.now(UTC):%Y%m%dT%H%M%S}_{secrets.token_hex(3)}", "logical_date": None}
    )
    return Run(dag_id, stored["dag_run_id"])


def wait(
    api: AirflowApi,
    runs: Sequence[Run],
    *,
    places: Places,
    seconds: float,
    show: Callable[[str], None] = lambda _: None,
    note: Callable[[str], None] = lambda _: None,
) -> None:
    """Poll until all runs have ended, or one of them can only fail.

    :param seconds: how long at most.
    :param show: told the state each time.
    :param note: told of each failed try, once.
    :raises RunFailed: naming the failed tasks, with the end of their logs.
    """
    deadline = time.monotonic() + seconds
    told: set[str] = set()
    while True:
        watched = [_look(api, run) for run in runs]
        show(" · ".join(_summary(each) for each in watched))
        for each in watched:
            _note_failed_tries(each, places, note, told)
        if failed := [each for each in watched if each.has_failed]:
            raise RunFailed("\n".join(_explain(each, places) for each in failed))
        if all(each.state == "success" for each in watched):
            return
        if time.monotonic() > deadline:
            raise RunFailed(f"Not finished after {seconds:.0f} s: {', '.join(run.dag_id for run in runs)}")
        time.sleep(_POLL_SECONDS)


@dataclass(frozen=True)
class _Watched:
    """A run as it stands."""

    run: Run
    state: str
    tasks: list[dict[str, Any]]

    @property
    def has_failed(self) -> bool:
        """Whether it has, or will: a task has failed for good, and nothing is left but to try another one again."""
        if self.state == "failed":
            return True
        states = {task["state"] for task in self.tasks}
        return "failed" in states and "up_for_retry" in states and states <= _DONE | {"up_for_retry"}


def _look(api: AirflowApi, run: Run) -> _Watched:
    state = api.run(run.dag_id, run.run_id)["state"]
    return _Watched(run, state, api.task_instances(run.dag_id, run.run_id))


def _summary(watched: _Watched) -> str:
    tasks = [task["state"] for task in watched.tasks]
    done = sum(each in _DONE for each in tasks)
    busy = Counter(each for each in tasks if each in ("running", "up_for_retry", "deferred", "failed"))
    more = "".join(f", {number} {name.replace('_', ' ')}" for name, number in busy.items())
    return f"{watched.run.dag_id} {watched.state} {done}/{len(tasks)} tasks{more}"


def _note_failed_tries(watched: _Watched, places: Places, note: Callable[[str], None], told: set[str]) -> None:
    for task in watched.tasks:
        name = _name(watched.run, task)
        if task["state"] not in ("failed", "up_for_retry") or name in told:
            continue
        told.add(name)
        again = "; it will be tried again" if task["state"] == "up_for_retry" else ""
        note(f"{name} failed: {_reason(task_log(watched.run, task, places))}{again}")


def _explain(watched: _Watched, places: Places) -> str:
    tasks = [task for task in watched.tasks if task["state"] == "failed"]
    run = watched.run
    if not tasks:
        return f"{run.dag_id} ({run.run_id}) failed without a failed task"
    told = [f"{_name(run, task)} failed. The end of its log:\n{_log_end(run, task, places)}" for task in tasks[:_SHOWN]]
    told += [f"{_name(run, task)} failed as well" for task in tasks[_SHOWN:]]
    return "\n".join(told)


def _name(run: Run, task: Mapping[str, Any]) -> str:
    index = f"[{task['map_index']}]" if task["map_index"] >= 0 else ""
    return f"{run.dag_id}.{task['task_id']}{index} (try {task['try_number']})"


def task_log(run: Run, task: Mapping[str, Any], places: Places) -> Path:
    """Where Airflow writes the log of a task's last try."""
    folder = places.airflow_home / "logs" / f"dag_id={run.dag_id}" / f"run_id={run.run_id}"
    folder /= f"task_id={task['task_id']}"
    if task["map_index"] >= 0:
        folder /= f"map_index={task['map_index']}"
    return folder / f"attempt={task['try_number']}.log"


def _log_end(run: Run, task: Mapping[str, Any], places: Places) -> str:
    log = task_log(run, task, places)
    if not log.exists():
        return tail(places.log("scheduler"))
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    return f"    {log}\n" + "\n".join(f"    {_readable(line)}" for line in lines)


def _reason(log: Path) -> str:
    """The last error in a task's log, in one line."""
    if log.exists():
        for line in reversed(log.read_text(encoding="utf-8", errors="replace").splitlines()):
            if '"error_detail"' in line or '"level":"critical"' in line:
                return " ".join(_readable(line).splitlines()[-1].split())
    return "its log does not say why"


def _readable(line: str) -> str:
    """A line of Airflow's JSON log as text: time, level, event, and the errors with their last frame."""
    try:
        entry = json.loads(line)
        text = f"{str(entry['timestamp'])[11:19]} {entry.get('level', '')}: {entry['event']}"
    except (json.JSONDecodeError, KeyError, TypeError):
        return line
    for error in entry.get("error_detail") or []:
        frames = error.get("frames") or [{}]
        last = frames[-1]
        where = f" ({Path(last['filename']).name}:{last['lineno']})" if last else ""
        text += f"\n      {error.get('exc_type')}: {error.get('exc_value')}{where}"
    return text
