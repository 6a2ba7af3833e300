"""The DAGs load, quickly and without error, and say everything that a scheduler and an operator must know."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

SYNCS = ["crvs_birth_sync", "crvs_death_sync"]
ALL = [
    *SYNCS, "mosip_alarms", "mosip_morning", "mosip_onboarding", "mosip_preflight", "mosip_reconcile",
    "mosip_subscriptions",
]  # fmt: skip
TIMETABLES = {
    **dict.fromkeys(SYNCS, "CronDataIntervalTimetable"),
    "mosip_alarms": "CronTriggerTimetable",
    "mosip_morning": "CronTriggerTimetable",
    "mosip_onboarding": "NullTimetable",
    "mosip_preflight": "CronTriggerTimetable",
    "mosip_reconcile": "AssetOrTimeSchedule",
    "mosip_subscriptions": "CronTriggerTimetable",
}
ODD_DAYS = {"Asia/Kathmandu": 0, "UTC": 0, "Africa/Addis_Ababa": 0, "America/New_York": 2, "Europe/Paris": 2}
"""Days of the year that are not 24 hours long, by zone."""


@pytest.fixture(scope="module")
def loaded(ask: Any) -> dict[str, Any]:
    """What a DAG processor sees."""
    seen: dict[str, Any] = ask("dags", CRVS_START_DATE="2026-03-01")
    return seen


def test_all_dags_load_without_error(loaded: dict[str, Any]) -> None:
    assert loaded["errors"] == {}
    assert sorted(loaded["dags"]) == ALL


def test_each_dag_is_parsed_in_less_than_a_second(loaded: dict[str, Any]) -> None:
    assert len(loaded["seconds"]) == len(ALL)
    assert all(seconds < 1.0 for seconds in loaded["seconds"].values()), loaded["seconds"]


def test_parsing_imports_nothing_heavy(loaded: dict[str, Any]) -> None:
    assert set(loaded["heavy"]) <= {"aiohttp"}, "aiohttp comes with Airflow's HTTP hook; nothing else may"


@pytest.mark.parametrize("name", ALL)
def test_each_dag_says_what_it_is_and_when_it_runs(loaded: dict[str, Any], name: str) -> None:
    dag = loaded["dags"][name]

    assert len(dag["doc_md"]) > 200
    assert dag["description"]
    assert "crvs" in dag["tags"]
    assert "mosip" in dag["tags"]
    assert dag["start_date"] is not None
    assert datetime.fromisoformat(dag["start_date"]) == datetime(2026, 3, 1, tzinfo=UTC)
    assert dag["catchup"] is False
    assert dag["max_active_runs"] == 1
    assert dag["dagrun_timeout"] > 0
    assert dag["timetable"] == TIMETABLES[name]


@pytest.mark.parametrize("name", ALL)
def test_each_task_has_owner_retries_policy_time_out_and_pool(loaded: dict[str, Any], name: str) -> None:
    tasks = loaded["dags"][name]["tasks"]
    assert tasks
    for task in tasks.values():
        assert task["owner"] not in ("", "airflow")
        assert task["retries"] >= 3
        assert task["retry_delay"] > 0
        assert task["policy"] == "MosipRetryPolicy"
        assert 0 < task["execution_timeout"] < loaded["dags"][name]["dagrun_timeout"]
        assert task["pool"]


@pytest.mark.parametrize(("name", "kind"), [("crvs_birth_sync", "birth"), ("crvs_death_sync", "death")])
def test_a_sync_sends_nothing_before_results_can_reach_us_and_closes_when_all_was_tried(
    loaded: dict[str, Any], name: str, kind: str
) -> None:
    dag = loaded["dags"][name]
    before: dict[str, set[str]] = {task: set() for task in dag["tasks"]}
    for _ in dag["tasks"]:
        for up, down in dag["edges"]:
            before[down] |= {up} | before[up]

    assert set(dag["tasks"]) == {"gate", "subscribe", "plan", "submit", "corrected", "resume", "close"}
    assert before["plan"] == set(), "planning sends nothing: a hub that is away must not leave a day unplanned"
    assert {"gate", "subscribe", "plan"} <= before["submit"]
    assert before["gate"] == set()
    assert {"gate", "subscribe", "plan", "submit"} == before["corrected"], "what was corrected goes after the day's own"
    assert "subscribe" in before["resume"]
    assert before["close"] == set(dag["tasks"]) - {"close"}
    assert {task for task, seen in dag["tasks"].items() if seen["mapped"]} == {"submit"}
    assert {seen["kind"] for task, seen in dag["tasks"].items() if task not in ("gate", "subscribe")} == {kind}
    assert dag["tasks"]["close"]["trigger_rule"] == "none_failed", "a day with nothing to submit is closed too"


def test_nothing_is_made_in_mosip_before_a_person_approved_the_plan(loaded: dict[str, Any]) -> None:
    dag = loaded["dags"]["mosip_onboarding"]

    edges = sorted(map(tuple, dag["edges"]))
    assert edges == [("approve", "provision"), ("plan", "approve"), ("provision", "preflight")]
    assert dag["tasks"]["approve"]["type"] == "ApprovalOperator"
    assert json.loads(dag["tasks"]["provision"]["approved"]) == [str({"task_ids": "plan", "key": "steps"})]
    assert dag["tasks"]["plan"]["approved"] is None


def test_the_reconciliation_is_woken_by_the_inbox(loaded: dict[str, Any]) -> None:
    (watcher,) = loaded["dags"]["mosip_reconcile"]["watchers"]

    assert watcher[1] == "mosip_crvs.triggers.inbox.InboxTrigger"
    assert watcher[2] == {"ledger_conn_id": "crvs_ledger", "poll_interval": 2.0}
    dag = loaded["dags"]["mosip_reconcile"]
    assert sorted(tuple(edge) for edge in dag["edges"]) == [
        ("credentials", "deliver"), ("poll", "balance"), ("poll", "credentials"), ("settle", "balance"),
        ("settle", "poll"),
    ]  # fmt: skip
    rules = {name: task["trigger_rule"] for name, task in dag["tasks"].items()}
    assert rules["balance"] == "all_done", "a day is balanced whatever MOSIP does"
    assert rules["poll"] == "all_done", "MOSIP is asked, whatever came by itself"


@pytest.mark.parametrize(
    ("given", "cron", "at"), [({}, "0 6 * * *", "06:00"), ({"CRVS_MORNING": "05:45"}, "45 5 * * *", "05:45")]
)
def test_the_morning_comes_by_the_registrys_clock_and_holds_the_night_to_it(
    ask: Any, given: dict[str, str], cron: str, at: str
) -> None:
    zone = "Asia/Kathmandu"
    seen = ask("dags", CRVS_REGISTRY_TIMEZONE=zone, **given)["dags"]

    timetable = seen["mosip_morning"]["schedule"]["__var"]
    assert (timetable["expression"], timetable["timezone"]) == (cron, zone)
    hours, minutes = map(int, at.split(":"))
    for sync in SYNCS:
        (deadline,) = seen[sync]["deadlines"]
        assert deadline == {
            "reference": "DagRunQueuedAtDeadline",
            "seconds": hours * 3600 + minutes * 60,
            "callback": {
                "path": "mosip_crvs.notifiers.crvs.CrvsNotifier",
                "kwargs": {"at": at, "time_zone": zone},
            },
        }


def test_a_morning_that_is_no_time_is_an_import_error_that_says_so(ask: Any) -> None:
    errors = ask("dags", CRVS_MORNING="six")["errors"]
    assert len(errors) == 3
    assert all("CRVS_MORNING must be a time" in error for error in errors.values())


@pytest.mark.parametrize("name", ALL)
def test_each_dag_survives_the_way_through_the_database(loaded: dict[str, Any], name: str) -> None:
    dag = loaded["dags"][name]

    assert dag["timetable_back"] == dag["timetable"]
    assert dag["timetable_same"] is True
    assert dag["edges_back"] == dag["edges"]
    kept_by_the_scheduler = (
        "type",
        "owner",
        "retries",
        "retry_delay",
        "execution_timeout",
        "pool",
        "mapped",
        "trigger_rule",
    )
    for task, seen in dag["tasks"].items():
        assert {name: dag["tasks_back"][task][name] for name in kept_by_the_scheduler} == {
            name: seen[name] for name in kept_by_the_scheduler
        }


@pytest.fixture(scope="module")
def intervals(ask: Any) -> dict[str, Any]:
    """What the timetables give in each zone."""
    seen: dict[str, Any] = ask("intervals", *ODD_DAYS)
    return seen


@pytest.mark.parametrize("zone", ODD_DAYS)
def test_a_night_covers_exactly_one_day_of_the_registry(intervals: dict[str, Any], zone: str) -> None:
    given = intervals[zone]
    where = ZoneInfo(zone)
    assert sorted(given) == SYNCS
    for seen in given.values():
        odd, end_before = 0, None
        for start, end, run_after in (tuple(map(datetime.fromisoformat, run)) for run in seen["runs"]):
            for moment in (start, end):
                local = moment.astimezone(where)
                assert (local.hour, local.minute, local.second) == (0, 0, 0)
            assert (end.astimezone(where).date() - start.astimezone(where).date()) == timedelta(days=1)
            assert run_after == end, "a day is read when it is over"
            assert end_before in (None, start), "a gap or an overlap between two nights"
            end_before = end
            odd += end - start != timedelta(hours=24)
        assert odd == ODD_DAYS[zone], "only the days on which the clocks change are not 24 hours long"
        start, end = map(datetime.fromisoformat, seen["by_hand"])
        assert end - start == timedelta(hours=24)
        assert start.astimezone(where).strftime("%H:%M") == "00:00"
        assert end <= datetime(2026, 3, 15, 15, 9, tzinfo=UTC)


def test_a_time_zone_that_does_not_exist_is_an_import_error_and_not_a_silent_night(ask: Any) -> None:
    seen = ask("dags", CRVS_REGISTRY_TIMEZONE="Mars/Olympus")

    assert len(seen["errors"]) >= 2
    assert all("Mars/Olympus" in error for error in seen["errors"].values())
    assert not set(seen["dags"]) & set(SYNCS)
