"""Results back to the registry: whatever breaks and wherever, each is written once, in order, and none is lost."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from receiver_calls import environment
from sqlalchemy import Engine, create_engine, text
from tests.outbox import Outbox, aid, key

from mosip_crvs.errors import ResultSqlError
from mosip_crvs.ledger import alarms, results
from mosip_crvs.ledger.connection import connect_to_ledger, transaction
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.reconciliation import delivering
from mosip_crvs.reconciliation.delivering import deliver_results, number_waiting, wait_after
from mosip_crvs.registry.results import ResultsWriter, read_sql

SQL = read_sql(Path(__file__).resolve().parents[2] / "include" / "sql" / "result.sql")
NAME = "Aminata Diallo"
# Every write that took effect, the registry's own witness.
WITNESS = """
    CREATE TABLE IF NOT EXISTS crvs.written (registration_id text, result_version int);
    CREATE OR REPLACE FUNCTION crvs.witness() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO crvs.written VALUES (NEW.registration_id, NEW.result_version); RETURN NULL; END $$;
    CREATE OR REPLACE TRIGGER witness AFTER INSERT OR UPDATE ON crvs.mosip_results
        FOR EACH ROW EXECUTE FUNCTION crvs.witness();
"""


class Killed(BaseException):
    """The end of a process, as far as one can have it in a test."""


class Desk:
    """The registry as the registrars see it."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://"), hide_parameters=True)
        self.run(WITNESS)

    def run(self, statement: str) -> Any:
        with self.engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.all() if result.returns_rows else None

    def told(self) -> dict[str, tuple[str, str | None, int]]:
        found = self.run("SELECT registration_id, outcome, code, result_version FROM crvs.mosip_results")
        return {row[0]: (row[1], row[2], row[3]) for row in found}

    def written(self) -> list[tuple[str, int]]:
        return sorted(tuple(row) for row in self.run("SELECT * FROM crvs.written"))


@pytest.fixture(scope="module")
def shared_registry_url(postgres: Any) -> str:
    """One registry for all tests of this module."""
    from reference_registry import create_schema

    url = str(postgres.create("registry_of_the_results"))
    create_schema(url)
    return url


@pytest.fixture
def desk(shared_registry_url: str) -> Iterator[Desk]:
    """A registry in which nothing was written."""
    desk = Desk(shared_registry_url)
    desk.run("TRUNCATE crvs.mosip_results, crvs.written")
    yield desk
    desk.run(
        "ALTER TABLE IF EXISTS crvs.away RENAME TO mosip_results; "
        "ALTER TABLE crvs.mosip_results DROP CONSTRAINT IF EXISTS poison"
    )
    desk.engine.dispose()


@pytest.fixture
def outbox(ledger: Engine) -> Outbox:
    return Outbox(ledger)


@pytest.fixture
def deliver(outbox: Outbox, desk: Desk, seal: Seal) -> Callable[..., dict[str, int]]:
    """Deliver once, as a run of its own, some time after now."""

    def run(after: timedelta = timedelta(), writer: ResultsWriter | None = None) -> dict[str, int]:
        now = datetime.now(UTC) + timedelta(seconds=1) + after
        return dict(deliver_results(outbox.ledger, seal, writer or ResultsWriter(desk.engine, SQL), now))

    return run


def complete(outbox: Outbox, *numbers: int) -> None:
    for number in numbers:
        outbox.apply(number, "COMPLETED")
    outbox.post(*numbers)


def test_a_registrar_reads_what_to_do_and_sees_it_done(
    outbox: Outbox, desk: Desk, seal: Seal, deliver: Callable[..., dict[str, int]]
) -> None:
    outbox.find(1, "MISSING", "DATE_IN_FUTURE")
    outbox.apply(2, "FAILED")
    outbox.say(2, "stage_failed", "RPR-PKV-FAILED-001")
    outbox.apply(3, "REJECTED")
    outbox.apply(4, "AWAITING_INFO")
    outbox.apply(5, "COMPLETED")
    outbox.post(2, 3, 4, 5)
    outbox.apply(6, "COMPLETED")
    outbox.issue(6, seal.close("4321567890"))
    assert number_waiting(outbox.ledger) == 6
    assert deliver() == {"delivered": 6, "overdue": 0}
    assert number_waiting(outbox.ledger) == 0
    assert desk.told() == {
        "B-1": ("updates_required", "dateOfBirth MISSING; dateOfBirth DATE_IN_FUTURE", 1),
        "B-2": ("updates_required", "RPR-PKV-FAILED-001", 1),
        "B-3": ("updates_required", "REJECTED", 1),
        "B-4": ("information_required", "AWAITING_INFO", 1),
        "B-5": ("completed", None, 1),
        "B-6": ("issued", None, 1),
    }
    rows = desk.run("SELECT registration_id, application_id, sentence, identifier_kind, identifier "
                    "FROM crvs.mosip_results ORDER BY 1")  # fmt: skip
    assert rows[0].sentence.startswith("dateOfBirth: A required value is empty. Fill it in the registry. dateOfBirth:")
    assert [row.application_id for row in rows] == [None, *(aid(number) for number in range(2, 7))]
    assert [(row.identifier_kind, row.identifier) for row in rows[-2:]] == [(None, None), ("PSUT", "4321567890")]
    assert len({row.sentence for row in rows}) == 6

    outbox.apply(7, "AID_ASSIGNED", of=3)
    outbox.release(1, 3)
    assert deliver() == {"delivered": 1, "overdue": 0}
    assert desk.told()["B-3"] == ("sent", None, 2)
    assert deliver() == {"overdue": 0}


def test_an_identifier_that_the_country_does_not_name_is_not_even_opened(
    outbox: Outbox, desk: Desk, deliver: Callable[..., dict[str, int]]
) -> None:
    outbox.apply(1, "COMPLETED")
    outbox.issue(1, b"nothing that would open")
    without = SQL.replace(":identifier,", "NULL,")
    assert deliver(writer=ResultsWriter(desk.engine, without)) == {"delivered": 1, "overdue": 0}
    assert desk.run("SELECT identifier FROM crvs.mosip_results")[0].identifier is None


def test_an_outage_delays_and_loses_nothing(
    outbox: Outbox, desk: Desk, seal: Seal, deliver: Callable[..., dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "PAGE_SIZE", 3)
    complete(outbox, *range(8))
    away = ResultsWriter(create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none"), SQL)
    assert deliver(writer=away) == {"postponed": 3, "overdue": 0}
    assert number_waiting(outbox.ledger) == 8
    assert {row.problem for row in outbox.rows("tries = 1")} == {"the registry did not answer (OperationalError)"}
    outbox.move(1, "TRIGGERED")
    outbox.issue(1, seal.close("1"))

    assert deliver() == {"delivered": 6, "overdue": 0}, "those that were tried wait a little"
    assert deliver(after=timedelta(minutes=2)) == {"delivered": 2, "overdue": 0}
    assert set(desk.told()) == {key(number).registration_id for number in range(8)}
    assert {row.problem for row in outbox.rows()} == {None}


def test_the_wait_grows_from_a_minute_to_an_hour() -> None:
    minutes = [wait_after(tries) / timedelta(minutes=1) for tries in (1, 2, 3, 6, 7, 8, 5000)]
    assert minutes == [1, 2, 4, 32, 60, 60, 60]


def test_a_result_that_the_registry_does_not_take_keeps_no_other_waiting(
    outbox: Outbox, desk: Desk, deliver: Callable[..., dict[str, int]], caplog: pytest.LogCaptureFixture
) -> None:
    complete(outbox, *range(6))
    desk.run("ALTER TABLE crvs.mosip_results ADD CONSTRAINT poison CHECK (registration_id <> 'B-3')")
    assert deliver() == {"delivered": 5, "refused": 1, "overdue": 0}
    assert "B-3" not in desk.told()
    assert aid(3) in caplog.text
    assert "B-3" not in caplog.text
    complete(outbox, 7)
    assert deliver() == {"delivered": 1, "overdue": 0}
    assert deliver(after=timedelta(minutes=1)) == {"refused": 1, "overdue": 0}
    assert deliver(after=timedelta(minutes=2)) == {"overdue": 0}, "it waits longer now"
    desk.run("ALTER TABLE crvs.mosip_results DROP CONSTRAINT poison")
    assert deliver(after=timedelta(minutes=4)) == {"delivered": 1, "overdue": 0}
    assert desk.written() == sorted((f"B-{number}", 1) for number in (*range(6), 7))


def test_a_registry_that_takes_nothing_is_not_asked_for_every_row_of_a_night(
    outbox: Outbox, desk: Desk, deliver: Callable[..., dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "PAGE_SIZE", 2)
    complete(outbox, *range(6))
    desk.run("ALTER TABLE crvs.mosip_results ADD CONSTRAINT poison CHECK (registration_id IS NULL)")
    assert deliver() == {"refused": 2, "overdue": 0}
    assert deliver() == {"refused": 2, "overdue": 0}
    desk.run("ALTER TABLE crvs.mosip_results DROP CONSTRAINT poison")
    assert deliver(after=timedelta(minutes=2)) == {"delivered": 6, "overdue": 0}


def test_sql_that_is_wrong_stops_the_run_and_loses_nothing(
    outbox: Outbox, desk: Desk, deliver: Callable[..., dict[str, int]]
) -> None:
    complete(outbox, 1, 2)
    desk.run("ALTER TABLE crvs.mosip_results RENAME TO away")
    with pytest.raises(ResultSqlError):
        deliver()
    assert {row.tries for row in outbox.rows()} == {1}
    desk.run("ALTER TABLE crvs.away RENAME TO mosip_results")
    assert deliver(after=timedelta(minutes=2)) == {"delivered": 2, "overdue": 0}


def test_an_identifier_sealed_with_a_lost_key_keeps_no_other_result_waiting(
    outbox: Outbox, desk: Desk, deliver: Callable[..., dict[str, int]]
) -> None:
    outbox.apply(1, "COMPLETED")
    outbox.issue(1, Seal(Fernet.generate_key().decode()).close("1"))
    complete(outbox, 2)
    assert deliver() == {"delivered": 1, "refused": 1, "overdue": 0}
    assert set(desk.told()) == {"B-2"}
    (row,) = outbox.rows("tries > 0")
    assert "does not open" in row.problem


def test_an_alarm_is_raised_after_a_day_and_cleared_by_delivery(
    outbox: Outbox, desk: Desk, deliver: Callable[..., dict[str, int]]
) -> None:
    complete(outbox, 1, 2)
    desk.run("ALTER TABLE crvs.mosip_results ADD CONSTRAINT poison CHECK (registration_id <> 'B-1')")
    assert deliver(after=timedelta(hours=23))["overdue"] == 0
    assert alarms.open_alarms(outbox.ledger) == []
    assert deliver(after=timedelta(hours=25))["overdue"] == 1
    (alarm,) = alarms.open_alarms(outbox.ledger)
    assert (alarm.code, alarm.subject) == ("results_not_delivered", "registry")
    assert (alarm.details or "").startswith("1 results, the oldest of ")
    desk.run("ALTER TABLE crvs.mosip_results DROP CONSTRAINT poison")
    assert deliver(after=timedelta(hours=26)) == {"delivered": 1, "overdue": 0}
    assert alarms.open_alarms(outbox.ledger) == []


def _die_at(engine: Engine, commit: int, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Die before or after the n-th commit of an engine."""
    commits = 0
    do_commit = engine.dialect.do_commit

    def dying(connection: Any) -> None:
        nonlocal commits
        commits += 1
        if commits == commit and when == "before":
            raise Killed
        do_commit(connection)
        if commits == commit:
            raise Killed

    monkeypatch.setattr(engine.dialect, "do_commit", dying)


# A run over two pages commits in this order: take, registry, delivered; take, registry, delivered; take; alarm.
STEPS = [("ledger", n, when) for n in range(1, 7) for when in ("before", "after")]
STEPS += [("registry", n, when) for n in (1, 2) for when in ("before", "after")]


@pytest.mark.parametrize(("side", "commit", "when"), STEPS)
def test_a_run_that_dies_at_a_commit_of_either_side_has_each_result_written_exactly_once(
    outbox: Outbox,
    desk: Desk,
    seal: Seal,
    deliver: Callable[..., dict[str, int]],
    monkeypatch: pytest.MonkeyPatch,
    side: str,
    commit: int,
    when: str,
) -> None:
    monkeypatch.setattr(delivering, "PAGE_SIZE", 3)
    complete(outbox, *range(6))
    now = datetime.now(UTC) + timedelta(seconds=1)
    engines = {
        "ledger": connect_to_ledger(outbox.ledger.url),
        "registry": create_engine(desk.engine.url),
    }
    with monkeypatch.context() as dying:
        _die_at(engines[side], commit, when, dying)
        with pytest.raises(Killed):
            deliver_results(engines["ledger"], seal, ResultsWriter(engines["registry"], SQL), now)
    for engine in engines.values():
        engine.dispose()

    deliver()
    deliver(after=results.LEASE)
    assert desk.written() == [(key(number).registration_id, 1) for number in range(6)]
    assert number_waiting(outbox.ledger) == 0
    assert deliver(after=timedelta(days=1)) == {"overdue": 0}


def test_a_run_that_is_killed_loses_nothing_and_the_next_one_finishes(
    outbox: Outbox, desk: Desk, deliver: Callable[..., dict[str, int]], ledger_url: str, seal_key: str
) -> None:
    many = 400
    complete(outbox, *range(many))
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\n"
            "from sqlalchemy import create_engine\n"
            "from mosip_crvs.ledger.connection import connect_to_ledger\n"
            "from mosip_crvs.ledger.sealing import Seal\n"
            "from mosip_crvs.reconciliation import delivering\n"
            "from mosip_crvs.registry.results import ResultsWriter\n"
            "ledger, registry, seal, sql = sys.argv[1:]\n"
            "delivering.PAGE_SIZE = 2\n"
            "writer = ResultsWriter(create_engine(registry), sql)\n"
            "delivering.deliver_results(connect_to_ledger(ledger), Seal(seal), writer)\n",
            ledger_url,
            desk.engine.url.render_as_string(hide_password=False),
            seal_key,
            SQL,
        ],
        env=environment(),
    )
    try:
        deadline = time.monotonic() + 30
        while len(desk.written()) < 20:
            assert time.monotonic() < deadline
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    assert len(desk.written()) < many, "it was not killed in the middle"
    deliver(after=results.LEASE)
    assert desk.written() == sorted((key(number).registration_id, 1) for number in range(many))
    assert number_waiting(outbox.ledger) == 0


def test_an_older_result_that_arrives_late_does_not_take_the_newer_ones_place(
    outbox: Outbox, desk: Desk, deliver: Callable[..., dict[str, int]]
) -> None:
    outbox.apply(1, "REJECTED")
    outbox.post(1)

    class Slow(ResultsWriter):
        def write(self, told: Any) -> None:
            outbox.move(1, "COMPLETED")
            assert deliver() == {"delivered": 1, "overdue": 0}, "another run was faster"
            super().write(told)

    assert deliver(writer=Slow(desk.engine, SQL)) == {"delivered": 1, "overdue": 0}
    assert desk.told() == {"B-1": ("completed", None, 2)}
    assert desk.written() == [("B-1", 2)]
    assert number_waiting(outbox.ledger) == 0


def test_runs_side_by_side_write_each_result_once(
    outbox: Outbox, desk: Desk, deliver: Callable[..., dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "PAGE_SIZE", 5)
    complete(outbox, *range(100))
    with ThreadPoolExecutor(3) as runs:
        tallies = list(runs.map(lambda _: deliver(), range(3)))
    assert sum(tally.get("delivered", 0) for tally in tallies) == 100
    assert desk.written() == sorted((key(number).registration_id, 1) for number in range(100))


def test_nobodys_name_or_number_gets_into_the_log_the_ledger_or_an_error(
    outbox: Outbox,
    desk: Desk,
    seal: Seal,
    deliver: Callable[..., dict[str, int]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    outbox.apply(1, "COMPLETED")
    outbox.issue(1, seal.close(NAME))
    complete(outbox, 2)
    with transaction(outbox.ledger) as connection:
        connection.execute(text("UPDATE results SET registration_id = :n WHERE aid = :aid"), {"n": NAME, "aid": aid(2)})
    desk.run("ALTER TABLE crvs.mosip_results ADD CONSTRAINT poison CHECK (result_version < 0)")
    tallies = [deliver()]
    desk.run("ALTER TABLE crvs.mosip_results RENAME TO away")
    with pytest.raises(ResultSqlError) as stopped:
        deliver(after=timedelta(minutes=2))
    kept = outbox.run("SELECT string_agg(problem, ' ') AS problems FROM results")[0].problems
    assert "did not take a result" in f"{caplog.text}"
    assert "refused the SQL" in kept
    assert NAME not in f"{caplog.text} {kept} {tallies} {stopped.value!r}"
    assert stopped.value.__cause__ is None
