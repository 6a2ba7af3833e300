"""Alembic's entry: the connection is given by :mod:`mosip_crvs.ledger.migrate`."""

from __future__ import annotations

from alembic import context

from mosip_crvs.ledger.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, version_table="ledger_version")
with context.begin_transaction():
    context.run_migrations()
