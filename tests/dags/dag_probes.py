"""Questions to a fresh Airflow; each answer is one line of JSON. Run as a program of its own."""

from __future__ import annotations

import json
import sys
from datetime import UTC
from typing import Any


def dags() -> dict[str, Any]:
    """Load all DAGs as the DAG processor does, and say what they are."""
    from airflow.configuration import conf
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    bag = DagBag(dag_folder=conf.get("core", "dags_folder"), collect_dags=False)
    bag.collect_dags()
    found = {}
    for dag_id, dag in bag.dags.items():
        there = DagSerialization.to_dict(dag)
        back = DagSerialization.from_dict(json.loads(json.dumps(there)))
        found[dag_id] = {
            "timetable": type(dag.timetable).__name__,
            "schedule": there["dag"]["timetable"],
            "deadlines": [_deadline(alert) for alert in dag.deadline or []],
            "timetable_back": type(back.timetable).__name__,
            "start_date": dag.start_date and dag.start_date.isoformat(),
            "catchup": dag.catchup,
            "max_active_runs": dag.max_active_runs,
            "dagrun_timeout": dag.dagrun_timeout and dag.dagrun_timeout.total_seconds(),
            "tags": sorted(dag.tags),
            "doc_md": dag.doc_md,
            "description": dag.description,
            # Airflow cannot write a DAG down again whose params or deadlines it has read back.
            "timetable_same": bool(dag.params or dag.deadline)
            or DagSerialization.to_dict(back)["dag"]["timetable"] == there["dag"]["timetable"],
            "tasks_back": {task.task_id: _task(task) for task in back.tasks},
            "edges_back": sorted((up.task_id, down) for up in back.tasks for down in up.downstream_task_ids),
            "tasks": {task.task_id: _task(task) for task in dag.tasks},
            "watchers": [
                [watcher.name, *watcher.trigger.serialize()] for asset in _assets(dag) for watcher in asset.watchers
            ],
            "edges": sorted((up.task_id, down) for up in dag.tasks for down in up.downstream_task_ids),
        }
    return {
        "errors": bag.import_errors,
        "seconds": {stat.file: stat.duration.total_seconds() for stat in bag.dagbag_stats},
        "heavy": sorted(
            name
            for name in ("pandas", "jsonschema_rs", "aiohttp", "numpy", "mosip_crvs.submission.pipeline")
            if name in sys.modules
        ),
        "dags": found,
    }


def _deadline(alert: Any) -> dict[str, Any]:
    return {
        "reference": alert.reference.reference_name,
        "seconds": alert.interval.total_seconds(),
        "callback": alert.callback.serialize(),
    }


def _assets(dag: Any) -> list[Any]:
    condition = getattr(dag.timetable, "asset_condition", None)
    return [] if condition is None else list(getattr(condition, "objects", [condition]))


def _task(task: Any) -> dict[str, Any]:
    arguments = getattr(task, "partial_kwargs", {})

    def value(name: str) -> Any:
        return arguments.get(name, getattr(task, name, None))

    return {
        "type": task.task_type,
        "owner": task.owner,
        "retries": task.retries,
        "retry_delay": task.retry_delay.total_seconds(),
        "policy": type(value("retry_policy")).__name__,
        "execution_timeout": value("execution_timeout").total_seconds(),
        "pool": task.pool,
        "mapped": bool(task.is_mapped),
        "trigger_rule": getattr(task.trigger_rule, "value", task.trigger_rule),
        "kind": value("kind"),
        "approved": _approved(task),
    }


class _Plan:
    """The task that planned, as a template sees it."""

    def xcom_pull(self, **which: str) -> list[str]:
        return [f"{which}"]


def _approved(task: Any) -> Any:
    """Say what reaches a task as approved."""
    template = getattr(task, "approved", None)
    return task.render_template(template, {"ti": _Plan()}) if hasattr(task, "render_template") else template


def intervals() -> dict[str, Any]:
    """Say which intervals the sync DAGs have over a year, and for runs by hand, in each of the zones asked for."""
    import os

    from airflow.configuration import conf
    from airflow.dag_processing.dagbag import DagBag

    given: dict[str, Any] = {}
    for zone in sys.argv[2:]:
        os.environ["CRVS_REGISTRY_TIMEZONE"] = zone
        bag = DagBag(dag_folder=conf.get("core", "dags_folder"))
        assert not bag.import_errors, bag.import_errors
        given[zone] = {dag_id: _intervals(bag.dags[dag_id]) for dag_id in ("crvs_birth_sync", "crvs_death_sync")}
    return given


def _intervals(dag: Any) -> dict[str, Any]:
    from datetime import datetime

    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import TimeRestriction

    timetable = DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable
    runs, last = [], None
    always = TimeRestriction(datetime(2026, 1, 1, tzinfo=UTC), None, True)
    for _ in range(366):
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=always)
        last = info.data_interval
        runs.append([last.start.isoformat(), last.end.isoformat(), info.run_after.isoformat()])
    by_hand = timetable.infer_manual_data_interval(run_after=datetime(2026, 3, 15, 15, 9, tzinfo=UTC))
    return {"runs": runs, "by_hand": [by_hand.start.isoformat(), by_hand.end.isoformat()]}


def plugins() -> dict[str, Any]:
    """Load the plugins folder; say what it added to the modules of this process, and what it put in others' place."""
    import importlib.machinery

    import airflow.plugins_manager as manager
    from airflow.configuration import conf

    folder = conf.get("core", "plugins_folder")
    before = dict(sys.modules)
    manager.ensure_plugins_loaded()
    added = {
        name: str(getattr(module, "__file__", None) or "")
        for name, module in sys.modules.items()
        if name not in before and str(getattr(module, "__file__", None) or "").startswith(folder)
    }
    others = [path for path in sys.path if path and not path.startswith(folder)]
    shadowed = [
        name
        for name in added
        if "." not in name
        and (name in sys.stdlib_module_names or importlib.machinery.PathFinder.find_spec(name, others) is not None)
    ]
    return {
        "errors": manager.get_import_errors(),
        "names": sorted(str(plugin.name) for plugin in manager._get_plugins()[0]),
        "added": sorted(added),
        "replaced": sorted(name for name, module in before.items() if sys.modules.get(name) is not module),
        "shadowed": shadowed,
    }


if __name__ == "__main__":
    print(json.dumps({"dags": dags, "intervals": intervals, "plugins": plugins}[sys.argv[1]](), default=str))
