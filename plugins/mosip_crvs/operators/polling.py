"""The operator that asks MOSIP about applications which nobody told us of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from mosip_crvs.hooks.ledger import LedgerHook
from mosip_crvs.hooks.mosip import MosipHook
from mosip_crvs.operators.discretion import discreet

if TYPE_CHECKING:
    from airflow.sdk import Context


class PollStatusOperator(BaseOperator):
    """Asks MOSIP about applications whose time has come, and at which stage it refused those that it did refuse.

    Where the client may not ask, what MOSIP announces still settles, and the rest stands in age buckets that say so.

    :param most: applications of births, and of deaths, that one run asks about (templated).
    """

    template_fields: Sequence[str] = ("most",)
    ui_color = "#e9e2f5"

    def __init__(
        self,
        *,
        most: int | str = 5_000,
        mosip_conn_id: str = MosipHook.default_conn_name,
        ledger_conn_id: str = LedgerHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.most = most
        self.mosip_conn_id = mosip_conn_id
        self.ledger_conn_id = ledger_conn_id

    @discreet
    def execute(self, context: Context) -> dict[str, int]:
        """Ask; returns counts."""
        from mosip_crvs.reconciliation.polling import StatusDesk, explain_refusals, poll

        mosip = MosipHook(self.mosip_conn_id)
        with LedgerHook(self.ledger_conn_id).engine() as engine:
            desk = StatusDesk(engine, mosip.calls, mosip.tokens, mosip.settings)
            tally = poll(desk, int(self.most))
            tally["explained"] = explain_refusals(desk)
        self.log.info("Asked MOSIP: %s", dict(tally))
        for name, count in tally.items():
            if name.startswith("alarm_"):
                self.log.error("ALARM %s: %d applications; see the ledger's alarms", name.removeprefix("alarm_"), count)
        return dict(tally)
