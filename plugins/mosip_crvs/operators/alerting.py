"""Operators that make sure that somebody hears of what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from mosip_crvs.hooks.ledger import LedgerHook
from mosip_crvs.operators.discretion import discreet

if TYPE_CHECKING:
    from airflow.sdk import Context


class MorningReportOperator(BaseOperator):
    """Looks at the days that are due, writes the morning's report, tells what is new, and fails if somebody must act.

    :param at: the deadline, ``HH:MM`` by ``time_zone`` (templated).
    :param time_zone: the registry's (templated).
    :param max_quarantine_share: the share of a sync that may be quarantined; that of the syncs (templated).
    :param done: alarms that a person has seen to, a line each: a code, a blank and the subject (templated).
    """

    template_fields: Sequence[str] = ("at", "time_zone", "max_quarantine_share", "done")
    ui_color = "#f5dcdc"

    def __init__(
        self,
        *,
        at: str = "06:00",
        time_zone: str = "UTC",
        max_quarantine_share: float = 0.8,
        done: str = "",
        alerts_conn_id: str = "crvs_alerts",
        ledger_conn_id: str = LedgerHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.at = at
        self.time_zone = time_zone
        self.max_quarantine_share = max_quarantine_share
        self.done = done
        self.alerts_conn_id = alerts_conn_id
        self.ledger_conn_id = ledger_conn_id

    @discreet
    def execute(self, context: Context) -> dict[str, int]:
        """Look, report and tell; returns counts. Nothing may be open that needs a person."""
        from datetime import UTC, datetime, time

        from mosip_crvs.errors import AskAnOperator
        from mosip_crvs.notifiers.crvs import CrvsNotifier
        from mosip_crvs.reconciliation.alerting import Deadline, close_alarms, find_alerts
        from mosip_crvs.reconciliation.morning import as_table, summary

        now, deadline = datetime.now(UTC), Deadline(time.fromisoformat(self.at), self.time_zone)
        with LedgerHook(self.ledger_conn_id).engine() as engine:
            for line in close_alarms(engine, self.done.splitlines()):
                self.log.info("Seen to: %s", line)
            alerts = find_alerts(engine, now, deadline, max_quarantine_share=float(self.max_quarantine_share))
            self.log.info("%s", "\n" + as_table(deadline.last_due_day(now), alerts))
            told = CrvsNotifier(alerts_conn_id=self.alerts_conn_id).tell(engine)
        if problem := summary(alerts):
            raise AskAnOperator(problem)
        return {"open": len(alerts), "told": told}


class TellAlarmsOperator(BaseOperator):
    """Tells of the alarms that were raised since, and of those that the last address did not take."""

    ui_color = "#f5dcdc"

    def __init__(
        self,
        *,
        alerts_conn_id: str = "crvs_alerts",
        ledger_conn_id: str = LedgerHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alerts_conn_id = alerts_conn_id
        self.ledger_conn_id = ledger_conn_id

    @discreet
    def execute(self, context: Context) -> dict[str, int]:
        """Tell; returns how many messages were taken."""
        from mosip_crvs.notifiers.crvs import CrvsNotifier

        with LedgerHook(self.ledger_conn_id).engine() as engine:
            return {"told": CrvsNotifier(alerts_conn_id=self.alerts_conn_id).tell(engine)}
