"""Writing results by a country's SQL: once, in order, into any database, and never quoting anybody."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from mosip_crvs.errors import MosipCrvsError, ResultRefused, ResultSqlError, RetryLater
from mosip_crvs.model import EventKey, RegistrationKind, ResultOutcome
from mosip_crvs.registry.results import RegistryResult, ResultsWriter, read_sql

DEFAULT = Path(__file__).resolve().parents[2] / "include" / "sql" / "result.sql"
README = DEFAULT.parents[1] / "reference_registry" / "README.md"
NAME = "Aminata Diallo"
RESULT = RegistryResult(
    RegistrationKind.BIRTH,
    EventKey("B-2026-000001"),
    "10001100770000120260314010203",
    ResultOutcome.ISSUED,
    None,
    "MOSIP has finished the application.",
    "PSUT",
    "1234567890",
    3,
    datetime(2026, 3, 14, 10, tzinfo=UTC),
)
COLUMNS = "kind, registration_id, act, act_number, outcome, result_version"
VALUES = ":kind, :registration_id, :act, :act_number, :outcome, :result_version"
INSERT = f"INSERT INTO results ({COLUMNS}) VALUES ({VALUES})"
ON_CONFLICT = " ON CONFLICT (kind, registration_id, act, act_number) DO UPDATE SET outcome = excluded.outcome"
OF_THE_EVENT = "kind = :kind AND number = :registration_id AND :act = 'register' AND :act_number = 1"
SET_OUTCOME = "UPDATE births SET outcome = :outcome, version = :result_version WHERE " + OF_THE_EVENT


@pytest.fixture(params=["psycopg2", "psycopg"])
def registry(registry_url: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The reference registry, by either driver."""
    engine = create_engine(registry_url.replace("postgresql://", f"postgresql+{request.param}://"))
    yield engine
    engine.dispose()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Engine]:
    """A registry in another database, with tables of its own."""
    engine = create_engine(f"sqlite:///{tmp_path / 'registry.db'}", hide_parameters=True)
    with engine.begin() as connection:
        connection.execute(
            text(f"CREATE TABLE results ({COLUMNS}, PRIMARY KEY (kind, registration_id, act, act_number))")
        )
        connection.execute(text("CREATE TABLE births (kind, number, outcome, version)"))
        connection.execute(text("INSERT INTO births VALUES ('birth', 'B-2026-000001', NULL, NULL)"))
    yield engine
    engine.dispose()


def rows(engine: Engine, table: str = "crvs.mosip_results") -> list[Any]:
    with engine.begin() as connection:
        return list(connection.execute(text(f"SELECT * FROM {table}")))


def test_the_reference_registry_gets_everything_that_a_registrar_needs(registry: Engine) -> None:
    ResultsWriter(registry, read_sql(DEFAULT)).write([RESULT])
    (row,) = rows(registry)
    assert row._mapping.items() >= {**RESULT.parameters()}.items()


def test_a_result_that_comes_twice_changes_nothing(registry: Engine) -> None:
    writer = ResultsWriter(registry, read_sql(DEFAULT))
    writer.write([RESULT])
    before = rows(registry)
    writer.write([RESULT, RESULT])
    ResultsWriter(registry, read_sql(DEFAULT)).write([RESULT])
    assert rows(registry) == before


def test_the_newest_result_wins_in_whatever_order_they_come(registry: Engine) -> None:
    writer = ResultsWriter(registry, read_sql(DEFAULT))
    newer = replace(RESULT, version=4, outcome=ResultOutcome.COMPLETED)
    writer.write([newer])
    writer.write([RESULT])
    assert [(row.outcome, row.result_version) for row in rows(registry)] == [("completed", 4)]
    writer.write([replace(RESULT, version=5)])
    assert [(row.outcome, row.result_version) for row in rows(registry)] == [("issued", 5)]


def test_a_page_is_written_whole_or_not_at_all(registry: Engine) -> None:
    other_event = replace(RESULT, key=EventKey("B-2026-000002"))
    with pytest.raises(ResultRefused):
        ResultsWriter(registry, read_sql(DEFAULT)).write([other_event, replace(RESULT, identifier="12\x0034")])
    assert rows(registry) == []


def test_the_role_of_the_readme_can_write_results_and_nothing_else(registry_url: str, postgres: Any) -> None:
    grants = README.read_text(encoding="utf-8").partition("CREATE ROLE")[2].partition("```")[0]
    owner = create_engine(registry_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    role = create_engine(registry_url.replace("//postgres@", "//crvs_results@").replace("sql://", "sql+psycopg://"))
    with owner.connect() as connection:
        for statement in filter(str.strip, f"CREATE ROLE{grants}".split(";\n")):
            connection.execute(text(statement))
    try:
        writer = ResultsWriter(role, read_sql(DEFAULT))
        writer.write([RESULT])
        writer.write([replace(RESULT, version=4)])
        assert rows(role)[0].result_version == 4
        with pytest.raises(ResultSqlError, match="refused"):
            ResultsWriter(role, "UPDATE crvs.person SET uin = :outcome WHERE " + ALL_NAMED).write([RESULT])
    finally:
        role.dispose()
        with owner.connect() as connection:
            connection.execute(text("DROP OWNED BY crvs_results"))
            connection.execute(text("DROP ROLE crvs_results"))
        owner.dispose()


ALL_NAMED = ":kind <> :registration_id AND :act <> 'x' AND :act_number = 1 AND :result_version > 0"


def test_a_country_updates_its_own_table_in_another_database(other: Engine) -> None:
    writer = ResultsWriter(other, SET_OUTCOME + " AND coalesce(version, 0) < :result_version")
    for version, outcome in ((3, ResultOutcome.ISSUED), (2, ResultOutcome.SENT), (4, ResultOutcome.COMPLETED)):
        writer.write([replace(RESULT, version=version, outcome=outcome)])
    assert [tuple(row) for row in rows(other, "births")] == [("birth", "B-2026-000001", "completed", 4)]


def test_a_country_adds_rows_where_none_are_and_calls_no_identifier_its_own(other: Engine) -> None:
    writer = ResultsWriter(
        other,
        f"-- a note: of our own\nINSERT INTO results ({COLUMNS}) SELECT {VALUES} "
        "WHERE NOT EXISTS (SELECT 1 FROM results WHERE result_version >= :result_version);",
    )
    assert not writer.takes_identifiers
    writer.write([RESULT])
    writer.write([RESULT])
    assert [row.registration_id for row in rows(other, "results")] == ["B-2026-000001"]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (SET_OUTCOME.replace(":result_version", "1"), "lacks :result_version"),
        ("UPDATE births SET outcome = :outcome", "lacks :kind, :registration_id, :act, :act_number, :result_version"),
        (SET_OUTCOME + " AND note <> :remark", "names :remark"),
        (SET_OUTCOME + " AND place <> 'zone :north'", "names :north"),
        ("", "lacks"),
        (INSERT, "a second time"),
        (f"-- ours\n\n  {INSERT.lower().replace('insert', 'Insert')};\n", "a second time"),
    ],
)
def test_sql_that_cannot_be_right_is_told_before_anything_is_written(other: Engine, sql: str, told: str) -> None:
    with pytest.raises(ResultSqlError, match=told):
        ResultsWriter(other, sql)


@pytest.mark.parametrize("sql", [SET_OUTCOME, INSERT + ON_CONFLICT])
def test_sql_that_is_not_idempotent_is_told_at_the_first_result_and_nothing_is_kept(other: Engine, sql: str) -> None:
    writer = ResultsWriter(other, sql)
    before = rows(other, "results"), rows(other, "births")
    for _ in range(2):
        with pytest.raises(ResultSqlError, match="a second time"):
            writer.write([RESULT])
    assert (rows(other, "results"), rows(other, "births")) == before


def test_sql_that_fails_when_a_result_comes_again_is_told_as_such_and_nothing_is_kept(registry: Engine) -> None:
    hidden = f"WITH one AS (SELECT 1) {INSERT}".replace("INTO results", "INTO crvs.mosip_results")
    hidden = hidden.replace("(kind", "(sentence, changed_at, kind").replace("(:kind", "(:sentence, :changed_at, :kind")
    with pytest.raises(ResultSqlError, match="fails when a result comes a second time"):
        ResultsWriter(registry, hidden).write([RESULT])
    assert rows(registry) == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultSqlError, match=r"result\.sql cannot be read"):
        read_sql(tmp_path / "result.sql")


def _refused_by_a_trigger(connection: Any) -> None:
    connection.execute(
        text(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION 'no % here', NEW.sentence; END$$"
        )
    )
    connection.execute(
        text("CREATE TRIGGER r BEFORE INSERT ON crvs.mosip_results FOR EACH ROW EXECUTE FUNCTION refuse()")
    )


FAULTS = {
    "constraint": (
        lambda connection: connection.execute(
            text("ALTER TABLE crvs.mosip_results ADD CHECK (sentence NOT LIKE 'A%')")
        ),
        ResultRefused,
    ),
    "too long": (
        lambda connection: connection.execute(
            text("ALTER TABLE crvs.mosip_results ALTER sentence TYPE varchar(3), ALTER identifier TYPE varchar(3)")
        ),
        ResultRefused,
    ),
    "trigger": (_refused_by_a_trigger, ResultRefused),
    "no table": (lambda connection: connection.execute(text("DROP TABLE crvs.mosip_results")), ResultSqlError),
    "no column": (
        lambda connection: connection.execute(text("ALTER TABLE crvs.mosip_results DROP sentence")),
        ResultSqlError,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_error_quotes_what_was_written(registry: Engine, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    make, expected = FAULTS[fault]
    with registry.begin() as connection:
        make(connection)
    caplog.set_level(logging.DEBUG)
    planted = replace(RESULT, sentence=NAME, identifier=NAME, key=EventKey(NAME))
    with pytest.raises(MosipCrvsError) as raised:
        ResultsWriter(registry, read_sql(DEFAULT)).write([planted])
    problem = raised.value
    assert isinstance(problem, expected)
    assert (problem.__cause__, problem.__suppress_context__) == (None, True)
    assert NAME not in f"{problem} {caplog.text}"


def test_an_identifier_is_not_shown_when_a_result_is_printed() -> None:
    assert str(RESULT.identifier) not in repr(RESULT)
    assert RESULT.key.registration_id not in repr(RESULT)


def test_a_registry_that_is_away_is_tried_later() -> None:
    away = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    with pytest.raises(RetryLater, match="did not answer"):
        ResultsWriter(away, read_sql(DEFAULT)).write([RESULT])


def test_a_registry_that_ends_our_connection_is_tried_later(registry: Engine) -> None:
    writer = ResultsWriter(registry, read_sql(DEFAULT))
    writer.write([RESULT])
    with registry.begin() as connection:
        own = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    killer = create_engine(registry.url)
    with killer.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own})
    killer.dispose()
    newer = replace(RESULT, version=9)
    with pytest.raises(RetryLater):
        writer.write([newer])
    writer.write([newer])
    assert rows(registry)[0].result_version == 9
