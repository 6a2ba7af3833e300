"""Whenever MOSIP reported results, and every quarter of an hour: applications are settled and days balanced."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Asset, AssetOrTimeSchedule, AssetWatcher, CronTriggerTimetable

from mosip_crvs import schedule
from mosip_crvs.operators.reconcile import BalanceOperator, SettleInboxOperator
from mosip_crvs.operators.retries import MosipRetryPolicy
from mosip_crvs.operators.sync import SubscribeOperator
from mosip_crvs.triggers.inbox import InboxTrigger

notifications = Asset(
    "mosip_notifications",
    uri="x-crvs://ledger/inbox",
    watchers=[AssetWatcher(name="inbox", trigger=InboxTrigger())],
)

with DAG(
    "mosip_reconcile",
    description="Settles applications by MOSIP's notifications and takes the balance of the days",
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/15 * * * *", timezone="UTC"), assets=[notifications]
    ),
    start_date=schedule.first_day(),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=1),
    tags=["crvs", "mosip", "reconciliation"],
    default_args={
        "owner": "civil-registry",
        "retries": 3,
        "retry_delay": timedelta(seconds=15),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=5),
        "retry_policy": MosipRetryPolicy(),
        "execution_timeout": timedelta(minutes=30),
        "pool": "default_pool",
    },
    doc_md="""
### Results from MOSIP

Works off the inbox that the receiver fills: each notification settles an application by the rules of
`mosip_crvs/settlement/rules.py`, is parked until its application is known, or concerns somebody else and is forgotten.
Then takes the balance of every day that may have changed, and fails if an event is unexplained.

It starts by itself when notifications wait (an asset watcher looks at the inbox) and every 15 minutes.
""",
):
    settle = SettleInboxOperator(task_id="settle")
    balance = BalanceOperator(task_id="balance")
    renew = SubscribeOperator(task_id="renew_subscription", good_for=600)
    settle >> balance
