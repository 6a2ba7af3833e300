"""The ``crvs_ledger`` connection leads to the ledger, over TCP or a socket."""

from __future__ import annotations

from typing import Any

import pytest
from receiver_calls import unreachable
from sqlalchemy import text

from mosip_crvs.errors import StopTheRun
from mosip_crvs.hooks.ledger import LedgerHook

PASSWORD = "p@ss/word:%?#"


def test_the_fields_become_a_url_whatever_is_in_the_password(connect: Any) -> None:
    connect(
        "crvs_ledger", conn_type="crvs_ledger", host="db.example", port=6432, login="crvs", password=PASSWORD,
        schema="books", extra={"sslmode": "verify-full"},
    )  # fmt: skip
    url = LedgerHook().get_conn().url

    assert url.drivername == "postgresql+psycopg"
    assert (url.host, url.port, url.username, url.password) == ("db.example", 6432, "crvs", PASSWORD)
    assert (url.database, dict(url.query)) == ("books", {"sslmode": "verify-full"})
    assert PASSWORD not in repr(url)


def test_the_database_is_called_ledger_unless_told_otherwise(connect: Any) -> None:
    connect("crvs_ledger", conn_type="crvs_ledger", host="db.example")
    url = LedgerHook().get_conn().url

    assert (url.database, url.username, url.password, url.port, dict(url.query)) == ("ledger", None, None, None, {})


def test_a_host_that_is_a_folder_is_a_socket(ledger_connection: dict[str, Any]) -> None:
    assert ledger_connection["host"].startswith("/")
    engine = LedgerHook().get_conn()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT current_database()")).scalar_one() == ledger_connection["schema"]
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
    engine.dispose()


def test_what_the_seal_closes_it_opens(ledger_connection: dict[str, Any]) -> None:
    hook = LedgerHook()

    assert hook.seal.open(LedgerHook().seal.close("a secret")) == "a secret"


def test_the_seals_key_is_taken_from_the_extra_and_masked_in_logs(connect: Any, seal_key: str) -> None:
    from airflow.sdk.log import redact

    connect("crvs_ledger", conn_type="crvs_ledger", host="db.example", extra={"seal_secret": seal_key})
    hook = LedgerHook()

    assert hook.seal.open(hook.seal.close("a secret")) == "a secret"
    assert seal_key not in str(redact(f"a line of a log with {seal_key} in it"))


@pytest.mark.parametrize("extra", [{}, {"seal_secret": ""}, {"seal_secret": "short"}, {"seal_key": "short"}])
def test_a_missing_or_wrong_seal_key_stops_the_run_and_is_not_quoted(connect: Any, extra: dict[str, Any]) -> None:
    connect("crvs_ledger", conn_type="crvs_ledger", host="db.example", extra=extra)

    with pytest.raises(StopTheRun, match=r"seal.(key|secret)") as refused:
        _ = LedgerHook().seal
    assert "short" not in str(refused.value)


def test_a_migrated_ledger_passes_the_test_of_its_connection(ledger_connection: dict[str, Any]) -> None:
    works, said = LedgerHook().test_connection()

    assert (works, said) == (True, "the ledger is at version 0001")


def test_a_ledger_that_is_away_fails_it_in_words(
    ledger_connection: dict[str, Any], ledger_url: str, postgres: Any
) -> None:
    with unreachable(postgres.url("postgres"), ledger_url):
        works, said = LedgerHook().test_connection()

    assert works is False
    assert "is the server up" in said


def test_a_database_without_the_ledgers_tables_fails_it_in_words(
    connect: Any, ledger_connection: dict[str, Any]
) -> None:
    connect("crvs_ledger", **{**ledger_connection, "schema": "postgres", "password": PASSWORD})
    works, said = LedgerHook().test_connection()

    assert works is False
    assert "migrated" in said
    assert PASSWORD not in said
