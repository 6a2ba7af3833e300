"""Every fault is listed where people look for it, and can be switched from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox_calls import Caller

from sandbox.__main__ import read_settings
from sandbox.faults import DEFAULT_BURSTS, DEFAULT_SECONDS, FAULTS, NETWORK, SERVICES, UnknownFault, table

README = Path(__file__).resolve().parents[2] / "include" / "sandbox" / "README.md"


def test_the_readme_lists_every_fault_as_the_table_of_faults_says() -> None:
    heading = "| fault | what happens | default |\n|---|---|---|\n"
    _, found, rest = README.read_text(encoding="utf-8").partition(heading)
    assert found
    assert rest.split("\n\n")[0].strip() == table()


def test_the_readme_names_every_service_that_a_fault_can_be_limited_to() -> None:
    text = README.read_text(encoding="utf-8")
    assert [name for name in {*SERVICES.values(), "other"} if f"`{name}`" not in text] == []


def test_defaults_belong_to_faults() -> None:
    assert {*DEFAULT_SECONDS, *DEFAULT_BURSTS, *NETWORK} <= set(FAULTS)


@pytest.mark.parametrize("name", [*FAULTS, "reset_after@hub", "gateway_502@datashare"])
async def test_every_fault_can_be_switched_from_the_command_line(name: str) -> None:
    assert read_settings(["--fault", f"{name}=0.25"]).faults == {name: 0.25}


def test_the_command_line_lists_the_faults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        read_settings(["--list-faults"])
    assert left.value.code == 0
    assert capsys.readouterr().out.strip() == table()


async def test_a_burst_is_shown_and_can_be_set(mosip: Caller) -> None:
    change = {"faults": {"gateway_502": {"probability": 0.1, "burst": 9}}}
    _, view, _ = await mosip.call("POST", "/sandbox/faults", change)
    assert view["faults"]["gateway_502"]["burst"] == 9
    assert view["faults"]["reset_after"]["burst"] == 1
    with pytest.raises(UnknownFault):
        mosip.sandbox.faults.set("gateway_502", burst=0)


async def test_a_fault_of_an_application_is_forgotten_with_all_others(mosip: Caller) -> None:
    mosip.sandbox.faults.set("reject", aid="1")
    assert not mosip.sandbox.faults.quiet
    mosip.sandbox.faults.clear()
    assert mosip.sandbox.faults.quiet
