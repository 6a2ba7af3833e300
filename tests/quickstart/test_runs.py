"""A day is the registry's calendar day, whatever the clocks do, and Airflow must have understood it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from quickstart import runs
from quickstart.airflow_api import AirflowApi
from quickstart.balances import summed
from quickstart.errors import QuickstartError


@pytest.mark.parametrize(
    ("day", "zone", "starts", "hours"),
    [
        (date(2026, 11, 23), "UTC", datetime(2026, 11, 23, tzinfo=UTC), 24),
        (date(2026, 11, 23), "Asia/Kolkata", datetime(2026, 11, 22, 18, 30, tzinfo=UTC), 24),
        (date(2026, 3, 29), "Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        (date(2026, 10, 25), "Europe/Berlin", datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
    ],
)
def test_a_day_is_the_calendar_day_of_the_zone(day: date, zone: str, starts: datetime, hours: int) -> None:
    start, end = runs.day_interval(day, ZoneInfo(zone))
    assert start == starts
    assert end - start == timedelta(hours=hours)


class _Airflow(BaseHTTPRequestHandler):
    shift = 0
    asked: dict[str, Any]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/auth/token":
            return self._reply({"access_token": "t"})
        type(self).asked = body
        start = datetime.fromisoformat(body["data_interval_start"]) + timedelta(hours=self.shift)
        return self._reply(body | {"data_interval_start": start.isoformat()})

    def _reply(self, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def airflow() -> Iterator[AirflowApi]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Airflow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield AirflowApi(f"http://127.0.0.1:{server.server_port}", "admin", "p")
    server.shutdown()
    server.server_close()


def test_a_run_is_asked_for_with_the_days_interval(airflow: AirflowApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Airflow, "shift", 0)
    runs.trigger_day(airflow, "crvs_birth_sync", date(2026, 11, 23), ZoneInfo("Africa/Nairobi"))
    assert _Airflow.asked["data_interval_start"] == "2026-11-22T21:00:00+00:00"
    assert _Airflow.asked["data_interval_end"] == "2026-11-23T21:00:00+00:00"


def test_another_interval_than_asked_for_is_an_error(airflow: AirflowApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Airflow, "shift", 3)
    with pytest.raises(QuickstartError, match="was given the interval"):
        runs.trigger_day(airflow, "crvs_birth_sync", date(2026, 11, 23), ZoneInfo("UTC"))


def test_several_days_are_summed_and_balance_only_together() -> None:
    days = [
        {"day": "2026-11-22", "read": 3, "unexplained": 0, "balanced": True},
        {"day": "2026-11-23", "read": 4, "unexplained": 1, "balanced": False},
    ]
    assert summed(days[:1]) == days[0]
    assert summed(days) == {"read": 7, "unexplained": 1, "balanced": False, "days": days}


@pytest.mark.parametrize(
    ("state", "tasks", "lost"),
    [
        ("failed", ["success"], True),
        ("running", ["failed", "up_for_retry", "success"], True),
        ("running", ["failed", "up_for_retry", "running"], False),
        ("running", ["up_for_retry", "success"], False),
        ("success", ["success", "skipped"], False),
    ],
)
def test_a_run_is_given_up_when_nothing_is_left_that_could_save_it(state: str, tasks: list[str], lost: bool) -> None:
    watched = runs._Watched(runs.Run("d", "r"), state, [{"state": each} for each in tasks])
    assert watched.has_failed is lost
