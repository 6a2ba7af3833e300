"""Every ten minutes: does MOSIP's hub still know us, and do results really come?"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param

from mosip_crvs import schedule
from mosip_crvs.operators.retries import MosipRetryPolicy
from mosip_crvs.operators.subscriptions import TendSubscriptionsOperator

with DAG(
    "mosip_subscriptions",
    description="Keeps the subscriptions to MOSIP's hub alive, rotates their secrets, and notices silence",
    schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC"),
    start_date=schedule.first_day(),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    tags=["crvs", "mosip", "reconciliation"],
    params={
        "rotate": Param(
            False,
            type="boolean",
            title="Rotate the secrets",
            description="Put a second callback with a new secret beside each; the next runs let it take over",
        ),
    },
    default_args={
        "owner": "civil-registry",
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "retry_policy": MosipRetryPolicy(),
        "execution_timeout": timedelta(minutes=9),
        "pool": "default_pool",
    },
    doc_md="""
### Subscriptions that stay alive

MOSIP's hub drops a subscriber after one failed delivery and takes it back only when asked, so every topic is renewed
every ten minutes. "Already registered" is the hub's healthy answer to that, and no proof that results flow: when MOSIP,
asked for the status, calls an application completed that no notification announced for ten minutes, the alarm
`subscription_silent` is raised, and a callback that the hub calls registered is replaced by itself.

Trigger it with `rotate` to change the secrets: a second callback is put beside each, verified, and given time to
deliver; then the first is unsubscribed, in a later run. Nothing is lost in between, and a run that is killed is gone on
with by the next. What the hub said, step by step, is in the ledger's table `handshakes`, for thirty days.
""",
):
    TendSubscriptionsOperator(task_id="tend", rotate="{{ params.rotate }}")
