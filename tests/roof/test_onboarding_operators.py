"""The onboarding's operators: from Airflow's connections to a prepared MOSIP, and the gate of the nightly sync."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import BaseOperator
from sqlalchemy import Engine, text
from tests.conftest import INCLUDE
from tests.onboarding.environments import COUNTRY_FILE, Environment, LoopInThread
from tests.receiver.receiver_calls import serving

from mosip_crvs.errors import GateClosed, MosipUnavailable, PreflightFailed, QuestionForOperator, StopTheRun
from mosip_crvs.ledger import calendars, preflights
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.onboarding.keeping import Keeping
from mosip_crvs.operators.onboarding import PreflightGateOperator, PreflightOperator, ProvisionOperator
from mosip_crvs.receiver.__main__ import build
from quickstart.authority import sign_requests

PUSHED: dict[str, Any] = {}
CONTEXT: Any = {
    "ti": SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=0, try_number=1, xcom_push=PUSHED.__setitem__)
}
SECRETS = ("deployment-secret", "admin-secret", "globaladmin-secret", "mosip-admin-client-secret", "the-runtime-secret")
WISHES: dict[str, Any] = {"publish_id_schema": "True", "attest": "G3"}


@pytest.fixture(scope="module")
def loop() -> Iterator[LoopInThread]:
    made = LoopInThread()
    yield made
    made.close()


@pytest.fixture
def mosip(
    loop: LoopInThread,
    connect: Any,
    ledger_connection: Any,
    ledger: Engine,
    ledger_url: str,
    seal: Seal,
    seal_key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Environment]:
    """A stock MOSIP, and the connections that lead to it."""
    with loop.sandbox(onboarded=False) as sandbox, serving(build(ledger_url, seal_key)) as receiver:
        connect(
            "mosip", conn_type="mosip", host=sandbox.url, login="mosip-crvs1-client", password="the-runtime-secret",
            extra={"receiver_url": receiver},
        )  # fmt: skip
        connect("mosip_provisioner", conn_type="generic", login="mosip-deployment-client", password="deployment-secret")
        connect("mosip_keycloak_admin", conn_type="generic", login="admin", password="admin-secret")
        connect(
            "mosip_global_admin", conn_type="generic", login="globaladmin", password="globaladmin-secret",
            extra={"client_secret": "mosip-admin-client-secret"},
        )  # fmt: skip
        monkeypatch.setenv("CRVS_INCLUDE_DIR", str(INCLUDE))
        monkeypatch.setenv("CRVS_COUNTRY_FILE", str(COUNTRY_FILE))
        monkeypatch.setenv("CRVS_ONBOARDING_DIR", str(tmp_path / "state"))
        yield Environment(sandbox.url, tmp_path / "state", ledger, seal, {})


def run(operator: BaseOperator) -> Any:
    return operator.execute(CONTEXT)


def provision_all(mosip: Environment) -> list[str]:
    with pytest.raises(GateClosed):
        run(ProvisionOperator(task_id="provision", **WISHES))
    sign_requests(mosip.folder, "demo")
    lines: list[str] = run(ProvisionOperator(task_id="provision", **WISHES))
    connection = json.loads(os.environ["AIRFLOW_CONN_MOSIP"])
    ids = Keeping(mosip.folder, "demo").ids
    wanted = {name: ids[name] for name in ("center_id", "machine_id", "schema_version")}
    os.environ["AIRFLOW_CONN_MOSIP"] = json.dumps({**connection, "extra": {**connection["extra"], **wanted}})
    return lines


def test_a_plan_changes_nothing_and_the_run_makes_it_once(
    mosip: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    before = mosip.state()
    planned = run(ProvisionOperator(task_id="plan", plan=True, **WISHES))
    assert mosip.state() == before
    assert not mosip.folder.exists()
    assert any("centre 'Civil Registration'" in line for line in planned)

    with pytest.raises(GateClosed, match=r"authority sign .*crvs-partner\.csr\.pem.* Then clear this task"):
        run(ProvisionOperator(task_id="provision", **WISHES))
    sign_requests(mosip.folder, "demo")
    assert run(ProvisionOperator(task_id="provision", **WISHES))
    writes = mosip.get("/sandbox/writes")
    assert run(ProvisionOperator(task_id="provision", **WISHES)) == []
    assert mosip.get("/sandbox/writes") == writes

    logged = capsys.readouterr().out
    assert "'center_id': '10001'" in logged
    kept = (mosip.folder / "demo.secrets.json").read_text()
    assert "the-runtime-secret" not in kept, "what the operator gave is not ours to keep"
    assert not any(secret in logged for secret in SECRETS)


def test_only_what_was_approved_is_made(mosip: Environment) -> None:
    run(ProvisionOperator(task_id="plan", plan=True, **WISHES))
    steps = PUSHED["steps"]
    assert "center POST /v1/masterdata/registrationcenters" in steps
    approved = json.dumps([each for each in steps if not each.startswith("machine ")])

    not_approved = "machine: this is not in the plan that was approved: create  machine 'crvs-machine'"
    with pytest.raises(QuestionForOperator, match=f"{not_approved}.*; and a gate waits at crvs.* Then trigger the DAG"):
        run(ProvisionOperator(task_id="provision", approved=approved, **WISHES))
    data = mosip.get("/sandbox/state")["masterdata"]
    assert (len(data["centers"]), data["machines"]) == (2, {})

    with pytest.raises(GateClosed, match=r"authority sign .* Then trigger the DAG again: its new plan wants an approv"):
        run(ProvisionOperator(task_id="provision", approved=json.dumps(steps), **WISHES))
    sign_requests(mosip.folder, "demo")
    run(ProvisionOperator(task_id="plan", plan=True, **WISHES))
    assert run(ProvisionOperator(task_id="provision", approved=json.dumps(PUSHED["steps"]), **WISHES))
    run(ProvisionOperator(task_id="plan", plan=True, **WISHES))
    assert PUSHED["steps"] == []


@pytest.mark.parametrize("nothing", ["null", "[]"])
def test_a_plan_that_left_nothing_behind_approves_nothing(mosip: Environment, nothing: str) -> None:
    before = mosip.get("/sandbox/writes")
    with pytest.raises(QuestionForOperator, match="not in the plan that was approved: create  realm role"):
        run(ProvisionOperator(task_id="provision", approved=nothing, **WISHES))
    assert mosip.get("/sandbox/writes") == before


def test_a_question_is_in_the_plan_beside_the_steps_and_fails_the_run_without_a_secret(mosip: Environment) -> None:
    provision_all(mosip)
    mosip.edit("clients", "mosip-crvs1-client", secret="somebody-elses")
    mosip.edit("centers", "10001", isActive=False)

    planned = run(ProvisionOperator(task_id="plan", plan=True, **WISHES))
    assert [line.partition(":")[0] for line in planned if line.startswith("asks ")] == ["asks    runtime"]
    assert any(line.startswith("patch   centre 10001: active") for line in planned)
    with pytest.raises(QuestionForOperator, match="runtime: the client mosip-crvs1-client exists") as asked:
        run(ProvisionOperator(task_id="provision", approved=json.dumps(PUSHED["steps"]), **WISHES))
    assert not any(secret in str(asked.value) for secret in SECRETS)
    assert mosip.get("/sandbox/state")["masterdata"]["centers"]["10001"]["eng"]["isActive"] is True


def test_the_preflight_passes_and_leaves_its_findings_and_the_calendar(mosip: Environment, ledger: Engine) -> None:
    provision_all(mosip)
    counts = run(PreflightOperator(task_id="preflight", probes=True))

    assert set(counts) == {"PASS"}
    (found,) = preflights.recent(ledger, 1.0)
    assert len(found) == sum(counts.values())
    assert not any(secret in str(found) for secret in SECRETS)
    with ledger.connect() as connection:
        first, last, days = connection.execute(text("SELECT min(day), max(day), count(*) FROM center_days")).one()
    assert days == 15
    assert set(calendars.known_days(ledger, "10001", first, last).values()) == {False}
    run(PreflightGateOperator(task_id="gate"))


def test_a_prerequisite_that_broke_stops_the_sync_with_the_sentence_that_mends_it(
    mosip: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    provision_all(mosip)
    mosip.edit("machines", "10077", isActive=False)

    with pytest.raises(PreflightFailed, match="Mend MA-01 first"):
        run(PreflightOperator(task_id="preflight"))
    with pytest.raises(PreflightFailed, match=r"MA-01 machine 10077 is switched off -> PATCH machines"):
        run(PreflightGateOperator(task_id="gate"))
    capsys.readouterr()
    run(PreflightGateOperator(task_id="gate", stop="False"))
    assert "MA-01" in capsys.readouterr().out

    run(ProvisionOperator(task_id="provision", **WISHES))
    run(PreflightOperator(task_id="preflight"))
    run(PreflightGateOperator(task_id="gate"))


def test_what_comes_later_fails_the_preflight_and_not_the_night(mosip: Environment) -> None:
    provision_all(mosip)
    mosip.edit("partners", "crvs-partner", isActive=False)

    with pytest.raises(PreflightFailed, match="PM-01"):
        run(PreflightOperator(task_id="preflight"))
    run(PreflightGateOperator(task_id="gate"))


def test_a_look_without_a_login_takes_no_finding_back(mosip: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    provision_all(mosip)
    mosip.edit("machines", "10077", isActive=False)
    with pytest.raises(PreflightFailed, match="Mend MA-01 first"):
        run(PreflightOperator(task_id="preflight"))
    with monkeypatch.context() as without:
        without.delenv("AIRFLOW_CONN_MOSIP_PROVISIONER")
        run(PreflightOperator(task_id="preflight"))

    with pytest.raises(PreflightFailed, match="MA-01"):
        run(PreflightGateOperator(task_id="gate"))


def test_a_schema_version_that_the_connection_does_not_say_is_the_one_that_the_sync_sends(
    mosip: Environment, connect: Any
) -> None:
    provision_all(mosip)
    connection = json.loads(os.environ["AIRFLOW_CONN_MOSIP"])
    del connection["extra"]["schema_version"]
    connect("mosip", **connection)

    with pytest.raises(PreflightFailed, match="SC-01"):
        run(PreflightOperator(task_id="preflight"))
    with pytest.raises(PreflightFailed, match=r"the sync sends 0\.1"):
        run(PreflightGateOperator(task_id="gate"))


def test_the_officer_that_is_looked_at_is_the_one_that_packets_name(mosip: Environment, connect: Any) -> None:
    provision_all(mosip)
    connection = json.loads(os.environ["AIRFLOW_CONN_MOSIP"])
    connect("mosip", **{**connection, "extra": {**connection["extra"], "officer_id": "somebody-else"}})

    with pytest.raises(PreflightFailed, match="OF-02"):
        run(PreflightOperator(task_id="preflight"))
    with pytest.raises(PreflightFailed, match="somebody-else"):
        run(PreflightGateOperator(task_id="gate"))


def test_that_the_provisioner_is_turned_away_says_nothing_about_what_is_sent(mosip: Environment, connect: Any) -> None:
    provision_all(mosip)
    connect("mosip_provisioner", conn_type="generic", login="mosip-deployment-client", password="another")

    with pytest.raises(PreflightFailed, match="Mend AU-01"):
        run(PreflightOperator(task_id="preflight"))
    run(PreflightGateOperator(task_id="gate"))


def test_an_evening_on_which_mosip_is_away_is_looked_at_again_and_stops_nothing(
    mosip: Environment, connect: Any
) -> None:
    provision_all(mosip)
    connection = json.loads(os.environ["AIRFLOW_CONN_MOSIP"])
    connect("mosip", **{**connection, "host": "http://127.0.0.1:1"})

    with pytest.raises(MosipUnavailable, match="could not look"):
        run(PreflightOperator(task_id="preflight"))
    run(PreflightGateOperator(task_id="gate"))


def test_nobody_looked_is_a_warning(ledger_connection: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run(PreflightGateOperator(task_id="gate"))
    assert "No preflight is on record" in capsys.readouterr().out


def test_an_old_look_says_nothing_of_tonight(
    ledger_connection: Any, ledger: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {"id": "MA-01", "status": "FAIL", "stops": "sending", "unseen": "", "evidence": "e", "fix": "f"}
    preflights.keep(ledger, "FAIL", [bad])
    with pytest.raises(PreflightFailed):
        run(PreflightGateOperator(task_id="gate"))
    with ledger.begin() as connection:
        connection.execute(text("UPDATE preflights SET taken_at = now() - interval '40 hours'"))
    run(PreflightGateOperator(task_id="gate"))
    assert "40 hours old" in capsys.readouterr().out


def test_without_the_provisioners_connection_its_checks_are_skipped(
    mosip: Environment, monkeypatch: pytest.MonkeyPatch, ledger: Engine
) -> None:
    provision_all(mosip)
    for name in ("PROVISIONER", "KEYCLOAK_ADMIN", "GLOBAL_ADMIN"):
        monkeypatch.delenv(f"AIRFLOW_CONN_MOSIP_{name}")
    counts = run(PreflightOperator(task_id="preflight"))

    assert counts["SKIP"] > 20
    assert set(counts) == {"PASS", "SKIP"}
    found = preflights.recent(ledger, 1.0)[0]
    skipped = {each["id"]: each["evidence"] for each in found if each["status"] == "SKIP"}
    assert "mosip_provisioner" in skipped["AU-01"]
    assert skipped["CE-01"] == "needs AU-01"


def test_a_second_run_beside_the_first_is_refused(mosip: Environment) -> None:
    with Keeping(mosip.folder, "demo").alone(), pytest.raises(StopTheRun, match="another run is provisioning 'demo'"):
        run(ProvisionOperator(task_id="provision", **WISHES))
