"""Operators of the nightly sync: subscribe, plan, submit a range, close."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, BaseOperator

from mosip_crvs.hooks.ledger import LedgerHook
from mosip_crvs.hooks.mosip import MosipHook
from mosip_crvs.operators.discretion import discreet

if TYPE_CHECKING:
    from airflow.sdk import Context
    from sqlalchemy import Engine

    from mosip_crvs.submission.pipeline import Submission


def include_folder() -> str:
    """Where a country keeps its SQL, mappings, rules and schemas: ``$CRVS_INCLUDE_DIR``, or beside ``dags``."""
    return os.environ.get("CRVS_INCLUDE_DIR") or str(Path(__file__).resolve().parents[3] / "include")


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
    def execute(self, context: Context) -> None:
        """Subscribe or renew."""
        from mosip_crvs.reconciliation.subscribing import ensure_subscribed

        mosip, ledger = MosipHook(self.mosip_conn_id), LedgerHook(self.ledger_conn_id)
        with ledger.engine() as engine:
            ensure_subscribed(
                engine, ledger.seal, mosip.calls, mosip.tokens, mosip.settings, good_for=float(self.good_for)
            )
        self.log.info("MOSIP's hub knows our callback")


class _SubmissionOperator(BaseOperator):
    """What the operators that send have in common: which registry, which kind, which files.

    :param kind: ``birth`` or ``death``.
    :param include_dir: the folder of the country's SQL, mappings, rules and schemas; empty for the default (templated).
    """

    template_fields: Sequence[str] = ("include_dir",)
    ui_color = "#e4f1e0"

    def __init__(
        self,
        *,
        kind: str,
        registry_conn_id: str = "crvs_registry",
        mosip_conn_id: str = MosipHook.default_conn_name,
        ledger_conn_id: str = LedgerHook.default_conn_name,
        include_dir: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.registry_conn_id = registry_conn_id
        self.mosip_conn_id = mosip_conn_id
        self.ledger_conn_id = ledger_conn_id
        self.include_dir = include_dir

    @contextmanager
    def _submission(self) -> Iterator[Submission]:
        from mosip_crvs.model import RegistrationKind
        from mosip_crvs.mosip.calendar import holiday_on
        from mosip_crvs.submission.assemble import CountryFiles, assemble

        mosip = MosipHook(self.mosip_conn_id)
        with _registry(self.registry_conn_id) as registry, LedgerHook(self.ledger_conn_id).engine() as ledger:
            yield assemble(
                RegistrationKind(self.kind),
                CountryFiles(Path(self.include_dir or include_folder())),
                registry=registry,
                ledger=ledger,
                settings=mosip.settings,
                tokens=mosip.tokens,
                tls=mosip.tls,
                ask_live=lambda day: holiday_on(mosip.calls, mosip.tokens, mosip.settings, day),
            )


class PlanSyncOperator(_SubmissionOperator):
    """Cuts the data interval of the run into ranges; returns what tasks need to take them up: numbers, never people.

    :param look_back: seconds before the interval to begin with, for rows that were committed late (templated).
    :param range_size: registrations in a range (templated).
    :param time_zone: the registry's, by which a day is named (templated).
    """

    template_fields: Sequence[str] = ("include_dir", "look_back", "range_size", "time_zone")

    def __init__(
        self, *, look_back: float = 21_600, range_size: int = 5_000, time_zone: str = "UTC", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.look_back = look_back
        self.range_size = range_size
        self.time_zone = time_zone

    @discreet
    def execute(self, context: Context) -> list[dict[str, int]]:
        """Plan, or take an unfinished plan up again."""
        from mosip_crvs.submission.plan import plan_batch, window_of, without_gap

        start, end = _interval(context)
        with self._submission() as submission:
            window = window_of(
                submission.kind,
                start,
                end,
                look_back=timedelta(seconds=float(self.look_back)),
                time_zone=self.time_zone,
            )
            if context["dag_run"].run_type == "scheduled":
                asked, window = window, without_gap(submission.ledger, window)
                if window != asked:
                    self.log.warning("No run covered the time since %s: this run reads from there on", window.start)
            batch_id, todo = plan_batch(
                submission.ledger, submission.extract, window, _label(context), range_size=int(self.range_size)
            )
        context["ti"].xcom_push(key="batch_id", value=batch_id)
        older = sum(1 for batch, _ in todo if batch != batch_id)
        self.log.info("Batch %d of %s: %d ranges to send, %d of them left by earlier batches",
                      batch_id, window.day, len(todo), older)  # fmt: skip
        return [{"batch_id": batch, "range_number": number} for batch, number in todo]


class SubmitRangeOperator(_SubmissionOperator):
    """Sends one range: reads, maps, claims, creates packets and triggers. Safe to clear and to re-run at any time.

    :param batch_id: the batch; :param range_number: the range within it. Both come from :class:`PlanSyncOperator`.
    """

    def __init__(self, *, batch_id: int, range_number: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch_id = batch_id
        self.range_number = range_number

    @discreet
    def execute(self, context: Context) -> dict[str, int]:
        """Send the range; returns counts."""
        from mosip_crvs.submission.pipeline import submit_range

        with self._submission() as submission:
            tally = submit_range(submission, self.batch_id, self.range_number, _label(context))
        self.log.info("Batch %d range %d: %s", self.batch_id, self.range_number, dict(tally))
        return dict(tally)


class ResumeTriggersOperator(_SubmissionOperator):
    """Repeats the triggers whose answers a crash or a broken line kept from us."""

    @discreet
    def execute(self, context: Context) -> dict[str, int]:
        """Trigger again; returns counts."""
        from mosip_crvs.submission.pipeline import resume_triggers

        with self._submission() as submission:
            return dict(resume_triggers(submission, _label(context)))


class CloseBatchOperator(BaseOperator):
    """Closes the batch when all of it was read and sent, and fails loudly when too much of it was quarantined.

    A batch that waits for a holiday to pass is left open without a failure; the log says until when.

    :param batch_id: the batch (templated).
    :param max_quarantine_share: the share of a batch that may be quarantined before the run fails (templated).
    """

    template_fields: Sequence[str] = ("batch_id", "max_quarantine_share")
    ui_color = "#f5ecd9"

    def __init__(
        self,
        *,
        kind: str,
        batch_id: int | str,
        max_quarantine_share: float = 0.8,
        ledger_conn_id: str = LedgerHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.batch_id = batch_id
        self.max_quarantine_share = max_quarantine_share
        self.ledger_conn_id = ledger_conn_id

    @discreet
    def execute(self, context: Context) -> None:
        """Close, then judge."""
        from mosip_crvs.submission.close import close_batch

        with LedgerHook(self.ledger_conn_id).engine() as engine:
            report = close_batch(engine, self.kind, int(self.batch_id), float(self.max_quarantine_share))
        self.log.info("%s", report)


@contextmanager
def _registry(conn_id: str) -> Iterator[Engine]:
    """Reach the registry through whatever database hook its connection's type has."""
    hook: Any = BaseHook.get_connection(conn_id).get_hook()  # type: ignore[no-untyped-call]
    engine: Engine = hook.get_sqlalchemy_engine({"hide_parameters": True})
    try:
        yield engine
    finally:
        engine.dispose()


def _interval(context: Context) -> tuple[datetime, datetime]:
    from mosip_crvs.errors import ExtractError

    run: Any = context["dag_run"]
    if run.data_interval_start is None or run.data_interval_end is None:
        raise ExtractError(
            "the run has no data interval: start it by its schedule, by backfill, or with both ends given"
        )
    return run.data_interval_start, run.data_interval_end


def _label(context: Context) -> str:
    ti: Any = context["ti"]
    return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}[{ti.map_index}]#{ti.try_number}"
