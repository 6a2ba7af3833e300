"""The operator that gives results back to the registry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from mosip_crvs.hooks.ledger import LedgerHook
from mosip_crvs.operators.discretion import discreet
from mosip_crvs.operators.registry import is_connected, registry_engine
from mosip_crvs.operators.sync import include_folder

if TYPE_CHECKING:
    from airflow.sdk import Context


class DeliverResultsOperator(BaseOperator):
    """Writes into the registry what became of its events, by the country's ``sql/result.sql``.

    The connection ``crvs_registry`` only reads, on purpose. Where nobody made one that may write, results stay in the
    ledger and the log says how to have them delivered.

    :param results_conn_id: a connection to the registry whose role may write results, and nothing else.
    :param include_dir: the folder of the country's SQL; empty for the default (templated).
    """

    template_fields: Sequence[str] = ("include_dir",)
    ui_color = "#e9e2f5"

    def __init__(
        self,
        *,
        results_conn_id: str = "crvs_results",
        ledger_conn_id: str = LedgerHook.default_conn_name,
        include_dir: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.results_conn_id = results_conn_id
        self.ledger_conn_id = ledger_conn_id
        self.include_dir = include_dir

    @discreet
    def execute(self, context: Context) -> dict[str, int]:
        """Deliver; returns counts."""
        from mosip_crvs.reconciliation.delivering import deliver_results, number_waiting
        from mosip_crvs.registry.results import ResultsWriter, read_sql

        ledger = LedgerHook(self.ledger_conn_id)
        with ledger.engine() as engine:
            if not is_connected(self.results_conn_id):
                self.log.info(
                    "%d results stay in the ledger. To have them in the registry, make a connection %r whose role may "
                    "write them, and the table that sql/result.sql names, or a statement of your own there",
                    number_waiting(engine),
                    self.results_conn_id,
                )
                return {}
            sql = read_sql(Path(self.include_dir or include_folder()) / "sql" / "result.sql")
            with registry_engine(self.results_conn_id) as registry:
                tally = deliver_results(engine, ledger.seal, ResultsWriter(registry, sql))
        self.log.info("Results: %s", dict(tally))
        if tally["overdue"]:
            self.log.error("ALARM results_not_delivered: %d results have waited for a day", tally["overdue"])
        return dict(tally)
