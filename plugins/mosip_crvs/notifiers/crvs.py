"""Telling people of alarms: by whatever the country has behind an HTTP connection, or else in the log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from airflow.sdk import BaseNotifier

from mosip_crvs.hooks.ledger import LedgerHook

if TYPE_CHECKING:
    from airflow.sdk import Context
    from sqlalchemy import Engine

    from mosip_crvs.notifiers.ways import ToAWebhook, ToTheLog


class CrvsNotifier(BaseNotifier):
    """Tells of each alarm once.

    As a callback, such as that of a missed deadline, it first looks at the ledger for alarms itself. A message is JSON:
    ``code``, ``severity``, ``subject``, ``other``, ``sentence``, ``raised_at``, and ``text``, which is what Slack and
    its likes show. It has AIDs, codes, counts and days in it, and nobody's data.

    Where nobody made the connection, a message is an ERROR line in the log that begins with ``ALARM``. What an address
    did not take is tried again by the next call. Who is killed between a message and the note of it sends it twice.

    :param alerts_conn_id: an HTTP connection whose host is the whole address of the webhook.
    :param at: the deadline, ``HH:MM`` by ``time_zone``, which is the registry's.
    """

    def __init__(
        self,
        *,
        at: str = "06:00",
        time_zone: str = "UTC",
        alerts_conn_id: str = "crvs_alerts",
        ledger_conn_id: str = LedgerHook.default_conn_name,
        context: Context | None = None,
    ) -> None:
        super().__init__(context)
        self.at = at
        self.time_zone = time_zone
        self.alerts_conn_id = alerts_conn_id
        self.ledger_conn_id = ledger_conn_id

    def notify(self, context: Context) -> None:
        """Look for alarms, and tell those that are new."""
        from datetime import UTC, datetime, time

        from mosip_crvs.reconciliation.alerting import Deadline, find_alerts

        with LedgerHook(self.ledger_conn_id).engine() as engine:
            find_alerts(engine, datetime.now(UTC), Deadline(time.fromisoformat(self.at), self.time_zone))
            self.tell(engine)

    async def async_notify(self, context: Context) -> None:
        """Do the same in the triggerer, beside its loop."""
        await asyncio.to_thread(self.notify, context)

    def tell(self, ledger: Engine) -> int:
        """Tell every alarm that nobody was told of, the worst first; give how many messages were taken.

        An address that does not answer fails nothing: its messages wait.
        """
        from mosip_crvs.notifiers.ways import NobodyThere
        from mosip_crvs.reconciliation.alerting import telling, told

        taken = 0
        with telling(ledger) as messages:
            way = self._way() if messages else None
            for message in messages:
                try:
                    if way and way.send(message.body):
                        told(ledger, message)
                        taken += 1
                except NobodyThere as problem:
                    self.log.error("%s; %d messages wait for the next try", problem, len(messages) - taken)
                    break
        return taken

    def _way(self) -> ToAWebhook | ToTheLog:
        from mosip_crvs.notifiers.ways import ToAWebhook, ToTheLog
        from mosip_crvs.operators.registry import is_connected

        return ToAWebhook(self.log, self.alerts_conn_id) if is_connected(self.alerts_conn_id) else ToTheLog(self.log)
