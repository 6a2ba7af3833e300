"""Every night: the day's registered births go to MOSIP."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable, TriggerRule

from mosip_crvs import schedule
from mosip_crvs.notifiers.deadline import done_by
from mosip_crvs.operators.onboarding import PreflightGateOperator
from mosip_crvs.operators.retries import MosipRetryPolicy
from mosip_crvs.operators.sync import (
    CloseBatchOperator,
    PlanSyncOperator,
    ResumeTriggersOperator,
    SubmitCorrectedOperator,
    SubmitRangeOperator,
    SubscribeOperator,
)

with DAG(
    "crvs_birth_sync",
    description="The day's registered births, each sent to MOSIP once",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone=schedule.registry_time_zone()),
    start_date=schedule.first_day(),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=10),
    deadline=done_by(schedule.morning(), schedule.registry_time_zone()),
    tags=["crvs", "mosip", "birth"],
    default_args={
        "owner": "civil-registry",
        "retries": 4,
        "retry_delay": timedelta(seconds=20),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=15),
        "retry_policy": MosipRetryPolicy(),
        "execution_timeout": timedelta(hours=4),
        "pool": "default_pool",
    },
    doc_md="""
### Births to MOSIP

Reads the registrations that changed in the run's data interval (a calendar day of the registry's time zone, with a
look-back for late commits), maps and validates them, gives each its one AID in the ledger, creates its packet and
triggers its workflow. Results come by WebSub and are settled by `mosip_reconcile`.

**Safe to clear, re-run and backfill.** What was claimed keeps its AID; what was triggered is never created again.

| task | does |
|---|---|
| `gate` | asks the last run of `mosip_preflight` whether MOSIP is prepared |
| `subscribe` | makes sure that results will reach us, before anything is sent |
| `plan` | cuts the window into ranges |
| `submit` | sends one range; mapped, side by side |
| `corrected` | sends again, under a new AID, what MOSIP refused and the registry has corrected since |
| `resume` | repeats the triggers of earlier runs whose answers never came |
| `close` | closes the batch; fails if too much of it was quarantined |
""",
):
    gate = PreflightGateOperator(task_id="gate", stop=schedule.preflight_stops())
    subscribe = SubscribeOperator(task_id="subscribe", good_for=20)
    plan = PlanSyncOperator(
        task_id="plan",
        kind="birth",
        look_back=schedule.look_back_seconds(),
        range_size=schedule.range_size(),
        time_zone=schedule.registry_time_zone(),
    )
    submit = SubmitRangeOperator.partial(task_id="submit", kind="birth", max_active_tis_per_dag=8).expand_kwargs(
        plan.output
    )
    corrected = SubmitCorrectedOperator(
        task_id="corrected", kind="birth", batch_id="{{ ti.xcom_pull(task_ids='plan', key='batch_id') }}"
    )
    resume = ResumeTriggersOperator(task_id="resume", kind="birth")
    close = CloseBatchOperator(
        task_id="close",
        kind="birth",
        batch_id="{{ ti.xcom_pull(task_ids='plan', key='batch_id') }}",
        trigger_rule=TriggerRule.NONE_FAILED,
    )
    plan >> submit >> corrected >> close
    [gate, subscribe] >> submit
    subscribe >> resume >> close
