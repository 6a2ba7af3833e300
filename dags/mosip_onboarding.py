"""When a country is prepared, or something was mended: make what MOSIP lacks, after a person approved the plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Param

from mosip_crvs import schedule
from mosip_crvs.operators.onboarding import PreflightOperator, ProvisionOperator
from mosip_crvs.operators.retries import MosipRetryPolicy

with DAG(
    "mosip_onboarding",
    description="Makes what a country's MOSIP lacks: client, centre, machine, officer, partners, subscription",
    schedule=None,
    start_date=schedule.first_day(),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(days=8),
    tags=["crvs", "mosip", "onboarding"],
    params={
        "country_file": Param(
            "", type="string", title="Country file", description="Empty for CRVS_COUNTRY_FILE; see docs/onboarding.md"
        ),
        "publish_id_schema": Param(
            False, type="boolean", title="Publish the ID schema", description="For the whole platform, and for good"
        ),
        "accept_new_key": Param(
            False,
            type="boolean",
            title="Accept the key manager's new key",
            description="Only if it was changed on purpose: packets of before cannot be read any more",
        ),
        "attest": Param(
            "", type="string", title="Gates that you have passed", description="Such as G3; separated by commas"
        ),
    },
    default_args={
        "owner": "civil-registry",
        "retries": 3,
        "retry_delay": timedelta(minutes=1),
        "retry_policy": MosipRetryPolicy(),
        "execution_timeout": timedelta(minutes=30),
        "pool": "default_pool",
    },
    doc_md="""
### Prepare MOSIP

`plan` lists every change and makes none; `approve` waits for a person; `provision` makes those that were approved and
no other, one at a time, looking before and after each; `preflight` looks at the whole. Run it again as often as you
like: what is there stays as it is. Where only a person can go on (a question, a configuration file of MOSIP's, a
certificate to be signed), `provision` does what does not depend on it and fails with the exact lines: do it, then
trigger the DAG again, because what comes next is in no plan yet.

Needs the connections `mosip` (base URL, runtime client), `mosip_provisioner`, `mosip_keycloak_admin` and, once,
`mosip_global_admin`; ids, keys and secrets are kept in `CRVS_ONBOARDING_DIR`, which every worker must see.
""",
):
    wishes: dict[str, Any] = {
        "country_file": "{{ params.country_file }}",
        "publish_id_schema": "{{ params.publish_id_schema }}",
        "accept_new_key": "{{ params.accept_new_key }}",
        "attest": "{{ params.attest }}",
    }
    plan = ProvisionOperator(task_id="plan", plan=True, **wishes)
    approve = ApprovalOperator(
        task_id="approve",
        subject="Make these changes in MOSIP?",
        body="{% for line in ti.xcom_pull(task_ids='plan') %}\n    {{ line }}{% else %}Nothing is missing.{% endfor %}",
        response_timeout=timedelta(days=7),
    )
    make = ProvisionOperator(
        task_id="provision", approved="{{ ti.xcom_pull(task_ids='plan', key='steps') | tojson }}", **wishes
    )
    look = PreflightOperator(task_id="preflight", probes=True, country_file="{{ params.country_file }}")
    plan >> approve >> make >> look
