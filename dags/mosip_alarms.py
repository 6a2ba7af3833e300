"""Every ten minutes: whoever must know of a new alarm is told."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable

from mosip_crvs import schedule
from mosip_crvs.operators.alerting import TellAlarmsOperator
from mosip_crvs.operators.retries import MosipRetryPolicy

with DAG(
    "mosip_alarms",
    description="Tells of new alarms, each once",
    schedule=CronTriggerTimetable("5/10 * * * *", timezone="UTC"),
    start_date=schedule.first_day(),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=15),
    tags=["crvs", "mosip", "reconciliation"],
    default_args={
        "owner": "civil-registry",
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "retry_policy": MosipRetryPolicy(),
        "execution_timeout": timedelta(minutes=9),
        "pool": "default_pool",
    },
    doc_md="""
### Telling people

Each alarm of the ledger is sent once to the HTTP connection `crvs_alerts`: a POST of JSON with `code`, `severity`,
`subject`, `other`, `sentence` and `raised_at`, and with `text` for Slack and its likes. The connection's host is the
whole address. Without that connection an alarm is an ERROR line in the log that begins with `ALARM`.

An address that does not answer fails no run, and is tried again ten minutes later. Of many alarms of one code the first
twenty are sent one by one, and the rest as one number. Nothing that is sent names a person or a registration.
""",
):
    TellAlarmsOperator(task_id="tell")
