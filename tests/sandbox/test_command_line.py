"""The sandbox as a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
from sandbox_calls import TRIGGER
from sandbox_samples import new_aid, trigger

from sandbox.__main__ import read_settings

INCLUDE = Path(__file__).resolve().parents[2] / "include"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_when_it_is_ready_and_leaves_its_record_when_it_is_stopped(
    tmp_path: Path, number: signal.Signals
) -> None:
    record = tmp_path / "record.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--port", "0", "--record", str(record), "--fault", "trigger_wis_000=1.0",
        env={"PYTHONPATH": str(INCLUDE), "MOSIP_CLIENT_SECRET": "from-the-environment"},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 10)).decode()
    url = line.split()[-1]
    async with aiohttp.ClientSession() as http:
        secret = {"client_id": "mosip-crvs1-client", "client_secret": "from-the-environment"}
        form = {"grant_type": "client_credentials"} | secret
        async with http.post(f"{url}/auth/realms/mosip/protocol/openid-connect/token", data=form) as answer:
            token = (await answer.json())["access_token"]
        aid = new_aid()
        async with http.post(url + TRIGGER, json=trigger(aid), headers={"Cookie": f"Authorization={token}"}) as answer:
            assert (await answer.json())["errors"][0]["errorCode"] == "RPR-WIS-000"
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert json.loads(record.read_text())["aids"][aid]["triggers_refused"] == 1


def test_every_option_of_the_command_line_reaches_the_settings() -> None:
    found = read_settings(
        [
            *("--host", "0.0.0.0", "--port", "1", "--tick-seconds", "2", "--tick-quota", "3"),
            *("--client-id", "c", "--client-secret", "s", "--role", "R", "--client", "id:secret:A,B"),
            *("--center-id", "1", "--center-id", "2", "--machine-id", "3", "--officer-id", "o"),
            *("--token-seconds", "4", "--seed", "5", "--record", "f", "--poll-records", "7"),
            *("--empty", "--keycloak-prefix", "", "--realm-manager", "m", "--holiday", "2026-12-25"),
            *("--fault", "create_null=0.1", "--fault", "fail=0.2", "--shipped-main-processes"),
            *("--credential-partner", "p", "--credential-suffix=-X", "--credential-certificate", __file__),
        ]
    )
    assert (found.host, found.port, found.tick_seconds, found.tick_quota) == ("0.0.0.0", 1, 2.0, 3)
    assert (found.credential_partner, found.credential_id_suffix) == ("p", "-X")
    assert found.credential_certificate == Path(__file__).read_text(encoding="ascii")
    assert (found.client_id, found.client_secret, found.client_roles) == ("c", "s", {"R"})
    assert (found.center_ids, found.machine_ids, found.officer_ids) == ({"1", "2"}, {"3"}, {"o"})
    assert (found.token_seconds, found.seed, found.record_file, found.poll_records) == (4, 5, "f", 7)
    assert (found.onboarded, found.keycloak_prefix, found.realm_managers) == (False, "", {"m"})
    assert found.holidays == {"2026-12-25"}
    assert found.faults == {"create_null": 0.1, "fail": 0.2}
    assert "CRVS_NEW" not in found.main_processes
    assert found.clients()["id"].roles == {"A", "B"}


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOSIP_CLIENT", "SANDBOX_ADMIN", "SANDBOX_GLOBALADMIN", "SANDBOX_PROVISIONER"):
        monkeypatch.setenv(f"{name}_SECRET", name.lower())
    found = read_settings([])
    assert (found.client_secret, found.admin_secret) == ("mosip_client", "sandbox_admin")
    assert (found.globaladmin_secret, found.provisioner_secret) == ("sandbox_globaladmin", "sandbox_provisioner")


def test_a_holiday_that_is_no_date_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(["--holiday", "Christmas"])
    assert "Christmas" in capsys.readouterr().err


def test_an_unknown_fault_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(["--fault", "unheard_of=1"])
    assert "unknown fault" in capsys.readouterr().err
