"""Telling people: every alarm once, to a webhook or to the log, and again when the webhook did not take it."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from day_books import Books, aid

from mosip_crvs.errors import AskAnOperator
from mosip_crvs.ledger import alarms
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.notifiers.crvs import CrvsNotifier
from mosip_crvs.operators.alerting import MorningReportOperator, TellAlarmsOperator

NAME = "Aminata Diallo"
SECRET_PATH = "/services/T0/B0/very-secret"
CONTEXT: Any = {}


class Webhook:
    """Takes what is posted, and answers as it is told to."""

    def __init__(self) -> None:
        self.answer = 200
        self.taken: list[dict[str, Any]] = []
        self.headers: list[Any] = []

    @contextmanager
    def listening(self, port: int = 0) -> Iterator[int]:
        """Serve until the block ends; give the port."""
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                webhook.headers.append((self.path, dict(self.headers)))
                if webhook.answer == 200:
                    webhook.taken.append(body)
                self.send_response(webhook.answer)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


@pytest.fixture
def webhook() -> Webhook:
    """A webhook that nobody reaches yet."""
    return Webhook()


@pytest.fixture
def address(webhook: Webhook, connect: Any) -> Iterator[str]:
    """The webhook, up, and the connection to it."""
    with webhook.listening() as port:
        connect("crvs_alerts", conn_type="http", host=f"http://127.0.0.1:{port}{SECRET_PATH}")
        yield f"http://127.0.0.1:{port}"


def raised(books: Books, code: str, subject: str, **more: Any) -> None:
    with transaction(books.ledger) as connection:
        alarms.raise_alarm(connection, code, subject, **more)


def tell() -> int:
    return int(TellAlarmsOperator(task_id="tell").execute(CONTEXT)["told"])


def test_a_new_alarm_is_posted_once(books: Books, ledger_connection: Any, address: str, webhook: Webhook) -> None:
    raised(books, "possible_second_id", aid(1), other=aid(2), details=f"of {NAME}")
    assert [tell(), tell()] == [1, 0]

    (body,) = webhook.taken
    assert set(body) == {"code", "severity", "subject", "other", "sentence", "raised_at", "text"}
    assert (body["code"], body["severity"]) == ("possible_second_id", "critical")
    assert (body["subject"], body["other"]) == (aid(1), aid(2))
    assert body["sentence"] in body["text"]
    assert NAME not in json.dumps(body)
    assert webhook.headers[0][0] == SECRET_PATH


def test_the_login_and_the_headers_of_the_connection_are_sent(
    books: Books, ledger_connection: Any, connect: Any, webhook: Webhook
) -> None:
    raised(books, "half_created", aid(1))
    with webhook.listening() as port:
        connect("crvs_alerts", conn_type="http", host="127.0.0.1", port=port, login="us", password="pw",
                extra={"X-Channel": "night"})  # fmt: skip
        assert tell() == 1
    _, headers = webhook.headers[0]
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"us:pw").decode()
    assert headers["X-Channel"] == "night"


def test_a_webhook_that_is_down_fails_nothing_and_is_tried_again(
    books: Books, ledger_connection: Any, connect: Any, webhook: Webhook, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        raised(books, "half_created", aid(number))
    with webhook.listening() as port:
        pass
    connect("crvs_alerts", conn_type="http", host=f"http://127.0.0.1:{port}{SECRET_PATH}")
    assert tell() == 0
    logged = capsys.readouterr().out
    assert logged.count("no answer") == 1, "who does not answer once is not asked for each message"
    assert "3 messages wait" in logged
    assert "very-secret" not in logged

    with webhook.listening(port):
        assert [tell(), tell()] == [3, 0]
    assert sorted(body["subject"] for body in webhook.taken) == [aid(number) for number in range(3)]


@pytest.mark.parametrize("answer", [302, 400, 404, 500])
def test_what_the_webhook_refuses_is_tried_again(
    books: Books, ledger_connection: Any, address: str, webhook: Webhook, answer: int,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    raised(books, "half_created", aid(1))
    webhook.answer = answer
    assert tell() == 0
    logged = capsys.readouterr().out
    assert f"answered {answer}" in logged
    assert "very-secret" not in logged
    webhook.answer = 200
    assert tell() == 1


@pytest.mark.parametrize("environment", [None, ""])
def test_without_a_connection_an_alarm_is_a_line_in_the_log_once(
    books: Books, ledger_connection: Any, monkeypatch: pytest.MonkeyPatch, environment: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if environment is not None:
        monkeypatch.setenv("AIRFLOW_CONN_CRVS_ALERTS", environment)
    raised(books, "possible_second_id", aid(1), other=aid(2), details=f"of {NAME}")
    assert [tell(), tell()] == [1, 0]
    logged = capsys.readouterr().out
    assert logged.count("ALARM possible_second_id [critical]") == 1
    assert NAME not in logged


def test_a_connection_that_cannot_be_used_fails_nothing(books: Books, ledger_connection: Any, connect: Any) -> None:
    connect("crvs_alerts", conn_type="http", host="not an address://")
    raised(books, "half_created", aid(1))
    assert tell() == 0


def test_two_who_tell_at_once_tell_once(books: Books, ledger_connection: Any, address: str, webhook: Webhook) -> None:
    for number in range(5):
        raised(books, "half_created", aid(number))
    together = [threading.Thread(target=tell) for _ in range(3)]
    for each in together:
        each.start()
    for each in together:
        each.join()
    assert len(webhook.taken) == 5


def test_a_morning_that_needs_a_person_fails_and_one_that_does_not_succeeds(
    books: Books, ledger_connection: Any, address: str, webhook: Webhook, capsys: pytest.CaptureFixture[str]
) -> None:
    report = MorningReportOperator(task_id="report")
    with pytest.raises(AskAnOperator, match="not_balanced"):
        report.execute(CONTEXT)
    assert [body["code"] for body in webhook.taken] == ["not_balanced"]
    logged = capsys.readouterr().out
    assert "Morning report" in logged

    raised(books, "contradicted_success", aid(1), details=NAME)
    with pytest.raises(AskAnOperator, match="contradicted_success"):
        report.execute(CONTEXT)
    books.batch("birth", _due_day())
    books.run("INSERT INTO balances (day, terms, balanced) VALUES (:day, '{}', true)", day=_due_day())
    report.done = f"contradicted_success {aid(1)}\n"
    assert report.execute(CONTEXT) == {"open": 0, "told": 0}
    logged = capsys.readouterr().out
    assert "All is well" in logged
    assert f"Seen to: contradicted_success {aid(1)}" in logged
    assert NAME not in logged


def test_a_webhook_that_is_down_does_not_make_a_good_morning_a_bad_one(
    books: Books, ledger_connection: Any, connect: Any
) -> None:
    connect("crvs_alerts", conn_type="http", host="http://127.0.0.1:9")
    books.batch("birth", _due_day())
    books.run("INSERT INTO balances (day, terms, balanced) VALUES (:day, '{}', true)", day=_due_day())
    raised(books, "reversed_refusal", aid(1))
    assert MorningReportOperator(task_id="report").execute(CONTEXT) == {"open": 1, "told": 0}


@pytest.mark.parametrize("way", ["sync", "async"])
def test_as_the_callback_of_a_missed_deadline_it_looks_by_itself(
    books: Books, ledger_connection: Any, address: str, webhook: Webhook, way: str
) -> None:
    books.batch("birth", _due_day(), finished=False)
    context: Any = {"dag_run": {"dag_id": "crvs_birth_sync"}, "deadline": {"id": "1"}}
    if way == "sync":
        CrvsNotifier()(context)
    else:

        async def wait() -> None:
            await CrvsNotifier(at="06:00", time_zone="UTC", context=context)

        asyncio.run(wait())
    assert [(body["code"], body["subject"]) for body in webhook.taken] == [("not_synced", f"{_due_day()} birth")]


def _due_day() -> Any:
    from datetime import UTC, datetime

    from mosip_crvs.reconciliation.alerting import Deadline

    return Deadline().last_due_day(datetime.now(UTC))
