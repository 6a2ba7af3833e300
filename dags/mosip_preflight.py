"""Every evening: are MOSIP's prerequisites as the night needs them?"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable

from mosip_crvs import schedule
from mosip_crvs.operators.onboarding import PreflightOperator
from mosip_crvs.operators.retries import MosipRetryPolicy

with DAG(
    "mosip_preflight",
    description="Looks at MOSIP's prerequisites, read-only, and learns the centre's holidays",
    schedule=CronTriggerTimetable("30 22 * * *", timezone=schedule.registry_time_zone()),
    start_date=schedule.first_day(),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    tags=["crvs", "mosip", "onboarding"],
    default_args={
        "owner": "civil-registry",
        "retries": 3,
        "retry_delay": timedelta(minutes=2),
        "retry_policy": MosipRetryPolicy(),
        "execution_timeout": timedelta(minutes=10),
        "pool": "default_pool",
    },
    doc_md="""
### Is MOSIP prepared?

Each check of `mosip_crvs/onboarding/checks` asserts one prerequisite; the task's log shows PASS, WARN, FAIL or SKIP
and, where something is wrong, the sentence that mends it. Nothing is ever changed.

The findings are kept in the ledger: the task `gate` of the nightly syncs stops when MOSIP would refuse, or fail for
good, what they send (`CRVS_PREFLIGHT_GATE=warn` lets them go on). The centre's holidays are kept, too: on those nights
batches are held.

Connections `mosip_provisioner` and `mosip_keycloak_admin` (login and password) let it see masterdata, partners and
Keycloak; without them those checks are skipped. `CRVS_COUNTRY_FILE` says what your country wants to find.
""",
):
    PreflightOperator(task_id="preflight")
