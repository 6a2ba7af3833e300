"""Operators of the subscriptions: make sure that results can come, and keep it so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from mosip_crvs.hooks.ledger import LedgerHook
from mosip_crvs.hooks.mosip import MosipHook
from mosip_crvs.operators.discretion import discreet

if TYPE_CHECKING:
    from airflow.sdk import Context


class SubscribeOperator(BaseOperator):
    """Makes sure that MOSIP's hub delivers results to our receiver.

    :param good_for: do not ask again when the hub's last sign is younger than this many seconds (templated).
    """

    template_fields: Sequence[str] = ("good_for",)
    ui_color = "#dcecf5"

    def __init__(
        self,
        *,
        mosip_conn_id: str = MosipHook.default_conn_name,
        ledger_conn_id: str = LedgerHook.default_conn_name,
        good_for: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mosip_conn_id = mosip_conn_id
        self.ledger_conn_id = ledger_conn_id
        self.good_for = good_for

    @discreet
    def execute(self, context: Context) -> dict[str, str]:
        """Subscribe or renew; returns how we stand with each topic."""
        from mosip_crvs.reconciliation.subscribing import ensure_subscribed

        mosip, ledger = MosipHook(self.mosip_conn_id), LedgerHook(self.ledger_conn_id)
        with ledger.engine() as engine:
            standings = ensure_subscribed(
                engine, ledger.seal, mosip.calls, mosip.tokens, mosip.settings,
                partner_tokens=mosip.partner_tokens, good_for=float(self.good_for),
            )  # fmt: skip
        told = {topic: str(standing) for topic, standing in standings.items()}
        self.log.info("MOSIP's hub knows our callback: %s", told)
        return told


class TendSubscriptionsOperator(BaseOperator):
    """Renews every subscription, replaces those that must be replaced, and looks whether one is silent.

    :param rotate: put a second callback with a new secret beside that of every topic, to take over from it (templated).
    """

    template_fields: Sequence[str] = ("rotate",)
    ui_color = "#dcecf5"

    def __init__(
        self,
        *,
        mosip_conn_id: str = MosipHook.default_conn_name,
        ledger_conn_id: str = LedgerHook.default_conn_name,
        rotate: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mosip_conn_id = mosip_conn_id
        self.ledger_conn_id = ledger_conn_id
        self.rotate = rotate

    @discreet
    def execute(self, context: Context) -> dict[str, Any]:
        """Tend; returns how we stand with each topic, what was not announced, and how far each rotation is."""
        from mosip_crvs.reconciliation.asking import Dealings
        from mosip_crvs.reconciliation.tending import tend

        run: Any = context.get("dag_run")
        mosip, ledger = MosipHook(self.mosip_conn_id), LedgerHook(self.ledger_conn_id)
        with ledger.engine() as engine:
            tended = tend(
                Dealings(engine, ledger.seal, mosip.calls, mosip.tokens, mosip.settings, mosip.partner_tokens),
                rotation_wanted=str(self.rotate).strip().lower() == "true",
                since=run and run.start_date,
            )
        told = {
            "standings": {topic: str(standing) for topic, standing in tended.standings.items()},
            "silent": tended.silent,
            "rotations": {topic: str(stage) for topic, stage in tended.rotations.items()},
        }
        self.log.info("Subscriptions: %s", told)
        return told
