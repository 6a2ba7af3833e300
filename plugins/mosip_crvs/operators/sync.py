"""Operators of the nightly sync: plan, submit a range, close; and subscribe, which has a module of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from mosip_crvs.hooks.ledger import LedgerHook
from mosip_crvs.hooks.mosip import MosipHook
from mosip_crvs.operators.discretion import discreet
from mosip_crvs.operators.registry import registry_engine
from mosip_crvs.operators.subscriptions import SubscribeOperator as SubscribeOperator  # noqa: PLC0414 - for DAGs

if TYPE_CHECKING:
    from airflow.sdk import Context

    from mosip_crvs.submission.pipeline import Submission


def include_folder() -> str:
    """Where a country keeps its SQL, mappings, rules and schemas: ``$CRVS_INCLUDE_DIR``, or beside ``dags``."""
    return os.environ.get("CRVS_INCLUDE_DIR") or str(Path(__file__).resolve().parents[3] / "include")


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
        from mosip_crvs.reconciliation.polling import StatusDesk, status_now
        from mosip_crvs.submission.assemble import CountryFiles, assemble

        mosip = MosipHook(self.mosip_conn_id)
        with registry_engine(self.registry_conn_id) as registry, LedgerHook(self.ledger_conn_id).engine() as ledger:
            desk = StatusDesk(ledger, mosip.calls, mosip.tokens, mosip.settings)
            yield assemble(
                RegistrationKind(self.kind),
                CountryFiles(Path(self.include_dir or include_folder())),
                registry=registry,
                ledger=ledger,
                settings=mosip.settings,
                tokens=mosip.tokens,
                tls=mosip.tls,
                ask_live=lambda day: holiday_on(mosip.calls, mosip.tokens, mosip.settings, day),
                ask_status=lambda aids: status_now(desk, aids),
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


class SubmitCorrectedOperator(_SubmissionOperator):
    """Sends again what MOSIP refused and the registry has corrected, where no window brings it back.

    :param batch_id: the batch that it counts for (templated).
    """

    template_fields: Sequence[str] = ("include_dir", "batch_id")

    def __init__(self, *, batch_id: int | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch_id = batch_id

    @discreet
    def execute(self, context: Context) -> dict[str, int]:
        """Send again; returns counts."""
        from mosip_crvs.submission.pipeline import submit_corrected

        with self._submission() as submission:
            tally = submit_corrected(submission, int(self.batch_id), _label(context))
        self.log.info("Sent again for batch %s: %s", self.batch_id, dict(tally))
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

    A batch that waits for a holiday to pass is left open without a failure; the log says until when. Then the registry
    is asked for its own count of what should have been read.

    :param batch_id: the batch (templated).
    :param max_quarantine_share: the share of a batch that may be quarantined before the run fails (templated).
    :param include_dir: the folder of the country's SQL; empty for the default (templated).
    """

    template_fields: Sequence[str] = ("batch_id", "max_quarantine_share", "include_dir")
    ui_color = "#f5ecd9"

    def __init__(
        self,
        *,
        kind: str,
        batch_id: int | str,
        max_quarantine_share: float = 0.8,
        registry_conn_id: str = "crvs_registry",
        ledger_conn_id: str = LedgerHook.default_conn_name,
        include_dir: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kind = kind
        self.batch_id = batch_id
        self.max_quarantine_share = max_quarantine_share
        self.registry_conn_id = registry_conn_id
        self.ledger_conn_id = ledger_conn_id
        self.include_dir = include_dir

    @discreet
    def execute(self, context: Context) -> None:
        """Close, count, then judge."""
        from mosip_crvs.model import RegistrationKind
        from mosip_crvs.submission.assemble import CountryFiles
        from mosip_crvs.submission.close import close_batch

        files, kind = CountryFiles(Path(self.include_dir or include_folder())), RegistrationKind(self.kind)
        with registry_engine(self.registry_conn_id) as registry, LedgerHook(self.ledger_conn_id).engine() as engine:
            report = close_batch(
                engine,
                self.kind,
                int(self.batch_id),
                float(self.max_quarantine_share),
                extract=files.extract(kind, registry),
            )
        self.log.info("%s", report)


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
