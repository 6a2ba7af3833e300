"""The migrations make exactly the tables that the code believes in."""

from __future__ import annotations

import subprocess
import sys
import threading

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine
from tests.conftest import Postgres

from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.migrate import migrate
from mosip_crvs.ledger.schema import metadata


def test_the_migrated_ledger_is_the_declared_one(ledger: Engine) -> None:
    with ledger.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "ledger_version"})
        assert compare_metadata(context, metadata) == []


def test_migrating_from_several_places_at_once_is_safe(postgres: Postgres) -> None:
    url = postgres.create("ledger_race")
    engines = [connect_to_ledger(url) for _ in range(4)]
    problems: list[BaseException] = []

    def task(engine: Engine) -> None:
        try:
            migrate(engine)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=task, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engine in engines:
        engine.dispose()
    postgres.drop("ledger_race")
    assert problems == []


def test_the_command_migrates_and_says_what_is_wrong_with_an_address(postgres: Postgres) -> None:
    url = postgres.create("ledger_cli")
    command = [sys.executable, "-m", "mosip_crvs.ledger", "migrate", "--url"]
    done = subprocess.run([*command, url], capture_output=True, text=True, cwd="plugins", check=False)
    assert done.returncode == 0, done.stderr
    wrong = subprocess.run(
        [*command, "postgresql://postgres@127.0.0.1:1/x"], capture_output=True, text=True, cwd="plugins", check=False
    )
    postgres.drop("ledger_cli")
    assert wrong.returncode == 1
    assert "the ledger did not answer" in wrong.stderr
    assert "Traceback" not in wrong.stderr
