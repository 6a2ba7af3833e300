"""Whenever MOSIP reported results, and every quarter of an hour: applications settle and days are balanced."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Asset, AssetOrTimeSchedule, AssetWatcher, CronTriggerTimetable, TriggerRule

from mosip_crvs import schedule
from mosip_crvs.operators.credentials import FetchCredentialsOperator
from mosip_crvs.operators.polling import PollStatusOperator
from mosip_crvs.operators.reconcile import BalanceOperator, SettleInboxOperator
from mosip_crvs.operators.results import DeliverResultsOperator
from mosip_crvs.operators.retries import MosipRetryPolicy
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

| task | does |
|---|---|
| `settle` | works the inbox off: a notification settles an application, is parked, or concerns somebody else |
| `poll` | asks MOSIP about what nobody announced, from four minutes after the trigger on, ever more rarely |
| `credentials` | fetches and opens the credentials that were announced, and tells MOSIP that they arrived |
| `deliver` | writes into the registry what became of its events |
| `balance` | takes and signs the balance of every day that may have changed; fails if an event is unexplained |

It starts by itself when notifications wait (an asset watcher looks at the inbox) and every 15 minutes. The rules by
which evidence moves an application are one page: `mosip_crvs/settlement/rules.py`.
""",
):
    settle = SettleInboxOperator(task_id="settle")
    poll = PollStatusOperator(task_id="poll", trigger_rule=TriggerRule.ALL_DONE)
    credentials = FetchCredentialsOperator(task_id="credentials", trigger_rule=TriggerRule.ALL_DONE)
    deliver = DeliverResultsOperator(task_id="deliver", trigger_rule=TriggerRule.ALL_DONE)
    balance = BalanceOperator(task_id="balance", trigger_rule=TriggerRule.ALL_DONE)
    settle >> poll >> credentials >> deliver
    [settle, poll] >> balance
