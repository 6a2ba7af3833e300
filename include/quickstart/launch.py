"""``python -m quickstart.launch``: the supervisor of the real stack. Started by :mod:`quickstart.attach` only."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from quickstart import components, environment, ports, postgres, processes
from quickstart.components import Component, python
from quickstart.keys import AIRFLOW_USER, Keys, keys_for
from quickstart.places import Places, this_clone
from quickstart.plan import Plan
from quickstart.ports import Ports
from quickstart.postgres import Server
from quickstart.stack import FAILED, Stack, read
from quickstart.supervisor import Supervisor, hold_tether, only_one


def main() -> int:
    """Read the plan from the tether, run the stack, say how it ended."""
    places = this_clone()
    plan = Plan.from_json(sys.stdin.readline())
    stack = Stack(
        id=os.environ[processes.MARKER],
        supervisor=os.getpid(),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        timezone=plan.timezone,
        far_side="mosip" if plan.far_side else "stock" if plan.stock else "sandbox",
    )
    with only_one(places):
        earlier = read(places)
        processes.end_all(processes.clone_prefix(places.root))
        if plan.fresh:
            places.empty()
        supervisor = Supervisor(places, stack)
        hold_tether(sys.stdin)
        return supervisor.run(lambda own: _prepare(own, plan, ports.choose(earlier.ports if earlier else None)))


def _prepare(supervisor: Supervisor, plan: Plan, chosen: Ports) -> Sequence[Component]:
    """PostgreSQL, the migrations, MOSIP and its prerequisites, and then the list of what else shall run."""
    places, stack = supervisor.places, supervisor.stack
    keys = keys_for(places)
    supervisor.publish("starting PostgreSQL")
    server = postgres.start(places.postgres)
    mosip_url = plan.far_side.base_url if plan.far_side else f"http://127.0.0.1:{chosen.sandbox}"
    receiver_url = plan.receiver_url or f"http://127.0.0.1:{chosen.receiver}"
    _describe(stack, chosen, server, keys)
    stack.urls |= {"receiver": receiver_url, "mosip": mosip_url}
    stack.onboarding = environment.onboarding(
        places=places, plan=plan, keys=keys, server=server, mosip_url=mosip_url, receiver_url=receiver_url
    )
    _start_mosip_side(supervisor, plan, chosen, keys)

    base = environment.clean(stack.id)
    configured = environment.configuration(places, keys, chosen, server)
    jobs = [Component("airflow-migrate", python("-m", "airflow", "db", "migrate"), base | configured)]
    if not plan.stock:
        own = base | environment.include_path(places) | stack.onboarding
        jobs.append(components.onboarding(own, provision=plan.far_side is None))
    supervisor.publish(
        "creating Airflow's tables, and " + ("looking at" if plan.far_side else "provisioning") + " MOSIP"
    )
    supervisor.run_to_end(jobs)
    stack.environment = environment.airflow(
        places=places,
        plan=plan,
        keys=keys,
        ports=chosen,
        server=server,
        far_side=plan.far_side,
        receiver_url=receiver_url,
    )
    return components.airflow(base | stack.environment, chosen)


def _start_mosip_side(supervisor: Supervisor, plan: Plan, chosen: Ports, keys: Keys) -> None:
    """The ledger's tables, the receiver, and the sandbox unless there is another MOSIP: what provisioning needs."""
    places, base = supervisor.places, environment.clean(supervisor.stack.id)
    ledger_url = supervisor.stack.urls["ledger"]
    sealed = base | {"CRVS_LEDGER_URL": ledger_url, "CRVS_SEAL_KEY": keys.seal_key}
    wanted = [components.receiver(sealed, host=plan.receiver_host, port=chosen.receiver)]
    supervisor.publish("creating the tables of the ledger")
    supervisor.run_to_end(
        [Component("ledger-migrate", python("-m", "mosip_crvs.ledger", "migrate", "--url", ledger_url), base)]
    )
    if plan.far_side is None:
        places.keep_sandbox_record()
        places.forget_provisioned()
        own = base | environment.include_path(places)
        record = str(places.sandbox_record)
        wanted.append(components.sandbox(own, port=chosen.sandbox, keys=keys, record=record, holidays=plan.holidays))
    for component in wanted:
        supervisor.start(component)
    supervisor.wait_ready(wanted)


def _describe(stack: Stack, chosen: Ports, server: Server, keys: Keys) -> None:
    stack.ports = ports.as_dict(chosen)
    stack.urls = {
        "registry": server.registry.url(),
        "ledger": server.ledger.url(),
        "airflow": f"http://127.0.0.1:{chosen.airflow}",
    }
    stack.airflow = {"user": AIRFLOW_USER, "password": keys.airflow_password}


def _guarded() -> int:
    """:func:`main`, with a failure before the stack existed written where the verbs look for it."""
    try:
        return main()
    except Exception as failure:
        places: Places = this_clone()
        early = Stack(os.environ[processes.MARKER], os.getpid(), "", "UTC", status=FAILED, error=str(failure))
        print(f"{type(failure).__name__}: {failure}", file=sys.stderr)
        if not (other := read(places)) or not other.alive:
            early.write(places)
        return 1


if __name__ == "__main__":
    sys.exit(_guarded())
