"""Operators of the reconciliation: settle the inbox, take the balance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from mosip_crvs.hooks.ledger import LedgerHook
from mosip_crvs.hooks.mosip import MosipHook
from mosip_crvs.operators.discretion import discreet

if TYPE_CHECKING:
    from airflow.sdk import Context


class SettleInboxOperator(BaseOperator):
    """Works the inbox off: every notification settles an application, waits for one, or concerns somebody else."""

    ui_color = "#e9e2f5"

    def __init__(
        self,
        *,
        mosip_conn_id: str = MosipHook.default_conn_name,
        ledger_conn_id: str = LedgerHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mosip_conn_id = mosip_conn_id
        self.ledger_conn_id = ledger_conn_id

    @discreet
    def execute(self, context: Context) -> dict[str, int]:
        """Settle; returns counts."""
        from mosip_crvs.reconciliation.inbox import settle_inbox

        settings = MosipHook(self.mosip_conn_id).settings
        with LedgerHook(self.ledger_conn_id).engine() as engine:
            tally = settle_inbox(
                engine, settings.center_id + settings.machine_id, timedelta(seconds=settings.half_created_after)
            )
        self.log.info("Inbox: %s", dict(tally))
        for name, count in tally.items():
            if name.startswith("alarm_"):
                self.log.error("ALARM %s: %d applications; see the ledger's alarms", name.removeprefix("alarm_"), count)
        if tally["parked"]:
            self.log.error(
                "ALARM parked: %d results under our centre and machine belong to no application of this ledger. "
                "Was it restored from a backup, or does somebody else use our AIDs? Do not sync before you know",
                tally["parked"],
            )
        if tally["unreadable"]:
            self.log.error("ALARM unreadable: %d notifications; see the inbox of the ledger", tally["unreadable"])
        return dict(tally)


class BalanceOperator(BaseOperator):
    """Takes the balance of every day that may have changed, signs it, and writes it to the ledger and to the log.

    :param newest: how many of the newest days to take in any case (templated).
    """

    template_fields: Sequence[str] = ("newest",)
    ui_color = "#f5ecd9"

    def __init__(self, *, newest: int = 7, ledger_conn_id: str = LedgerHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.newest = newest
        self.ledger_conn_id = ledger_conn_id

    @discreet
    def execute(self, context: Context) -> dict[str, int]:
        """Balance; returns how many days were taken. None of them may be unexplained, or not as it was signed."""
        from mosip_crvs.errors import AskAnOperator, EvidenceTampered
        from mosip_crvs.ledger.installation import signing_key
        from mosip_crvs.reconciliation.balance import days_to_balance
        from mosip_crvs.reconciliation.report import as_table
        from mosip_crvs.reconciliation.signing import evidence_horizon, keep_signed_balance

        unexplained: list[str] = []
        tampered: list[str] = []
        ledger = LedgerHook(self.ledger_conn_id)
        with ledger.engine() as engine:
            key, horizon = signing_key(engine, ledger.seal), evidence_horizon(engine)
            days = days_to_balance(engine, int(self.newest))
            for day in days:
                try:
                    taken, _ = keep_signed_balance(engine, key, day, horizon)
                except EvidenceTampered as problem:
                    tampered.append(str(problem))
                    continue
                self.log.info("%s", "\n" + as_table(taken))
                if taken.unexplained:
                    unexplained.append(day.isoformat())
        if tampered:
            raise EvidenceTampered(". ".join(tampered))
        if unexplained:
            raise AskAnOperator(f"events are unexplained on {', '.join(unexplained)}: nothing may be called done")
        return {"days": len(days)}
