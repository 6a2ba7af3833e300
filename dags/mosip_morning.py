"""Every morning: is everything up to yesterday settled and explained, and does anything need a person?"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param

from mosip_crvs import schedule
from mosip_crvs.operators.alerting import MorningReportOperator
from mosip_crvs.operators.retries import MosipRetryPolicy

with DAG(
    "mosip_morning",
    description="The morning's report: fails when something needs a person",
    schedule=CronTriggerTimetable(
        f"{schedule.morning().minute} {schedule.morning().hour} * * *", timezone=schedule.registry_time_zone()
    ),
    start_date=schedule.first_day(),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    tags=["crvs", "mosip", "reconciliation"],
    params={
        "done": Param(
            "",
            type="string",
            format="multiline",
            title="Alarms that were seen to",
            description="A line each: the alarm's code, a blank and its subject, as the ledger has them",
        ),
    },
    default_args={
        "owner": "civil-registry",
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": MosipRetryPolicy(),
        "execution_timeout": timedelta(minutes=15),
        "pool": "default_pool",
    },
    doc_md="""
### What needs a person this morning

At `CRVS_MORNING` (06:00 by default, by the registry's time zone) the days up to yesterday are due. The log has a short
table of what is open, the worst first. The run is green when nothing in it needs a person, and fails otherwise:
a child that may get two identities before everything else.

| alarm | says |
|---|---|
| `unexplained` | a day does not add up |
| `not_settled` | applications of a day are in progress still: how many, why and for how long |
| `not_synced`, `not_balanced` | a sync or a balance is missing |
| `quarantine_share` | too much of a sync was quarantined |
| `subscription_silent` | results exist that MOSIP's hub did not announce |
| others | what the reconciliation found: see `mosip_crvs/reconciliation/alert_kinds.py` |

An alarm whose cause is gone is cleared by itself. Some speak of a single application and wait for a person: trigger
this DAG with `done` when you have seen to them.
""",
):
    MorningReportOperator(
        task_id="report",
        at=f"{schedule.morning():%H:%M}",
        time_zone=schedule.registry_time_zone(),
        done="{{ params.done }}",
    )
