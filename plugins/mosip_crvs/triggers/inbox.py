"""Turning "notifications are waiting" into an asset event, so that the reconciliation runs when there is work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent


class InboxTrigger(BaseEventTrigger):
    """Fires once when notifications begin to wait, and again only for newer ones.

    :param ledger_conn_id: the ledger's connection; a name, never a secret.
    :param poll_interval: seconds between two looks.
    """

    def __init__(self, ledger_conn_id: str = "crvs_ledger", poll_interval: float = 2.0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ledger_conn_id = ledger_conn_id
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what another triggerer needs to run it."""
        return (
            "mosip_crvs.triggers.inbox.InboxTrigger",
            {"ledger_conn_id": self.ledger_conn_id, "poll_interval": self.poll_interval},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look at the inbox until told to stop. An event says how many notifications wait, and nothing else."""
        from mosip_crvs.errors import MosipCrvsError
        from mosip_crvs.hooks.ledger import LedgerHook
        from mosip_crvs.ledger import inbox

        engine = await asyncio.to_thread(LedgerHook(self.ledger_conn_id).get_conn)
        announced = 0
        try:
            while True:
                try:
                    newest, waiting = await asyncio.to_thread(inbox.newest_waiting, engine)
                except MosipCrvsError as problem:
                    # A trigger that ends is not started again: away, or not migrated yet, the ledger is waited for.
                    self.log.warning("The inbox could not be looked at: %s", problem)
                else:
                    if newest > announced:
                        announced = newest
                        yield TriggerEvent({"waiting": waiting})  # type: ignore[no-untyped-call]
                await asyncio.sleep(self.poll_interval)
        finally:
            engine.dispose()
