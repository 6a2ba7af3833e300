"""The operator that gives results back: switched on by a connection, and off without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from sqlalchemy import Engine
from tests.outbox import Outbox

from mosip_crvs.errors import ResultSqlError
from mosip_crvs.operators.results import DeliverResultsOperator

NAME = "Aminata Diallo"
CONTEXT: Any = {}


@pytest.fixture
def outbox(ledger: Engine, ledger_connection: Any) -> Outbox:
    """A ledger with one result to be told."""
    outbox = Outbox(ledger)
    outbox.apply(1, "COMPLETED")
    outbox.post(1)
    return outbox


@pytest.fixture
def results_connection(connect: Any, registry_url: str) -> None:
    """The connection ``crvs_results`` to an empty registry."""
    where = urlsplit(registry_url)
    folder = unquote(where.query.partition("host=")[2])
    connect("crvs_results", conn_type="postgres", host=folder, schema=where.path.lstrip("/"), login="postgres")


def told(registry_url: str) -> list[Any]:
    with psycopg.connect(registry_url) as connection:
        return connection.execute("SELECT registration_id, outcome FROM crvs.mosip_results").fetchall()


def test_without_a_connection_results_stay_and_the_log_says_how_to_switch_it_on(
    outbox: Outbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert DeliverResultsOperator(task_id="deliver").execute(CONTEXT) == {}
    logged = capsys.readouterr().out
    assert logged.count("crvs_results") == 1
    assert "1 results stay in the ledger" in logged
    assert outbox.rows()[0].tries == 0


def test_an_empty_connection_as_a_compose_file_gives_it_is_none(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CRVS_RESULTS", "")
    assert DeliverResultsOperator(task_id="deliver").execute(CONTEXT) == {}


def test_with_a_connection_the_country_s_sql_is_run(
    outbox: Outbox, results_connection: None, registry_url: str
) -> None:
    assert DeliverResultsOperator(task_id="deliver").execute(CONTEXT) == {"delivered": 1, "overdue": 0}
    assert told(registry_url) == [("B-1", "completed")]


def test_another_country_has_another_statement(
    outbox: Outbox, results_connection: None, registry_url: str, tmp_path: Path
) -> None:
    deliver = DeliverResultsOperator(task_id="deliver", include_dir=str(tmp_path))
    with pytest.raises(ResultSqlError, match="cannot be read"):
        deliver.execute(CONTEXT)
    (tmp_path / "sql").mkdir()
    with psycopg.connect(registry_url) as connection:
        connection.execute("CREATE TABLE notes (number text PRIMARY KEY, note text, version int)")
    (tmp_path / "sql" / "result.sql").write_text(
        "INSERT INTO notes SELECT :registration_id, :outcome, :result_version\n"
        "WHERE :kind = 'birth' AND :act = 'register' AND :act_number = 1\n"
        "ON CONFLICT (number) DO UPDATE SET note = excluded.note, version = excluded.version\n"
        "WHERE notes.version < excluded.version\n",
        encoding="utf-8",
    )
    assert deliver.execute(CONTEXT) == {"delivered": 1, "overdue": 0}
    with psycopg.connect(registry_url) as connection:
        assert connection.execute("SELECT * FROM notes").fetchall() == [("B-1", "completed", 1)]


def test_a_result_that_has_waited_for_a_day_is_an_alarm_in_the_log_which_names_nobody(
    outbox: Outbox, results_connection: None, registry_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    outbox.run("UPDATE results SET changed_at = now() - interval '25 hours', registration_id = :name", name=NAME)
    with psycopg.connect(registry_url) as connection:
        connection.execute("ALTER TABLE crvs.mosip_results ADD CHECK (result_version < 0)")
    tally = DeliverResultsOperator(task_id="deliver").execute(CONTEXT)
    logged = capsys.readouterr()
    assert tally == {"refused": 1, "overdue": 1}
    assert "ALARM results_not_delivered: 1 results" in logged.out
    assert NAME not in f"{logged.out} {logged.err} {tally}"
