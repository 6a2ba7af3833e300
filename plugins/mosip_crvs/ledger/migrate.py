"""Bringing a ledger to the version of this code."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import transaction

_LOCK = 0x4C_4544_4752  # "LEDGR": one migration at a time


def migrate(engine: Engine, revision: str = "head") -> None:
    """Apply the missing migrations. Safe to repeat, and to run from several places at once."""
    with transaction(engine) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        command.upgrade(configuration(connection), revision)


def configuration(connection: object) -> Config:
    """Give Alembic's configuration for an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
