"""The ``crvs_ledger`` connection: the PostgreSQL database in which the sync keeps its books."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from mosip_crvs.ledger.sealing import Seal


class LedgerHook(BaseHook):
    """Reaches the ledger.

    The connection has PostgreSQL's fields (host, port, schema, login, password; a host that begins with ``/`` is a
    socket's folder) and in its extra ``seal_secret``, which seals the secrets of our subscriptions. Its name has
    "secret" in it because Airflow hides extras by name.

    :param ledger_conn_id: the Airflow connection.
    """

    conn_name_attr = "ledger_conn_id"
    default_conn_name = "crvs_ledger"
    conn_type = "crvs_ledger"
    hook_name = "CRVS ledger"

    def __init__(self, ledger_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.ledger_conn_id = ledger_conn_id

    def get_conn(self) -> Engine:
        """Give a SQLAlchemy engine; the caller disposes of it."""
        from sqlalchemy.engine import URL

        from mosip_crvs.ledger.connection import connect_to_ledger

        connection = self.get_connection(self.ledger_conn_id)
        sslmode = connection.extra_dejson.get("sslmode")
        return connect_to_ledger(
            URL.create(
                "postgresql",
                connection.login or None,
                connection.password or None,
                connection.host or None,
                connection.port,
                connection.schema or "ledger",
                query={"sslmode": sslmode} if sslmode else {},
            )
        )

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """Give an engine for a block, and let go of its connections at the end."""
        engine = self.get_conn()
        try:
            yield engine
        finally:
            engine.dispose()

    @cached_property
    def seal(self) -> Seal:
        """What seals and opens secrets in the ledger."""
        from airflow.sdk.log import mask_secret

        from mosip_crvs.errors import StopTheRun
        from mosip_crvs.ledger.sealing import Seal

        key = self.get_connection(self.ledger_conn_id).extra_dejson.get("seal_secret")
        if not key:
            raise StopTheRun(f"the {self.ledger_conn_id!r} connection's extra lacks seal_secret, a Fernet key")
        mask_secret(str(key))
        return Seal(str(key))

    def test_connection(self) -> tuple[bool, str]:
        """Look whether the ledger is there and migrated."""
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        engine = self.get_conn()
        try:
            with engine.connect() as connection:
                version = connection.execute(text("SELECT version_num FROM ledger_version")).scalar_one()
        except SQLAlchemyError as problem:
            return False, f"{type(problem).__name__}: is the server up, and was the ledger migrated?"
        finally:
            engine.dispose()
        return True, f"the ledger is at version {version}"
