"""The command ``preflight``: what it prints, what it keeps, how it ends; and that no secret gets out by it."""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import requests
from sqlalchemy import text
from tests.onboarding import gateway as between
from tests.onboarding.environments import Environment
from tests.onboarding.levers import edit

from mosip_crvs.ledger import preflights
from mosip_crvs.onboarding import __main__ as command
from mosip_crvs.onboarding.access import Access
from mosip_crvs.onboarding.checks import CHECKS
from mosip_crvs.onboarding.preflight import Result, Status, Survey
from mosip_crvs.onboarding.report import preflight_table, summary

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run(mosip, "--json")` gives the exit code and what was printed."""

    def call(mosip: Environment, *options: str) -> tuple[int, str, str]:
        for name, value in mosip.variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(command, "Access", functools.partial(Access, session=mosip.session))
        capsys.readouterr()
        code = command.main(["preflight", *options])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


# --- how it ends ------------------------------------------------------------------------------------------------------


def test_it_ends_well_when_nothing_fails_and_badly_when_something_does(mosip: Environment, run: Run) -> None:
    code, out, _ = run(mosip, "--probes")
    assert (code, out.splitlines()[-1]) == (0, f"{len(CHECKS)} PASS. MOSIP is ready.")
    edit("clients", "mosip-crvs1-client", standardFlowEnabled=True)(mosip)
    code, out, _ = run(mosip, "--probes")
    assert (code, out.splitlines()[-1]) == (0, f"{len(CHECKS) - 1} PASS, 1 WARN. MOSIP is ready; see the warnings.")
    edit("users", "crvs", enabled=False)(mosip)
    code, out, _ = run(mosip, "--probes")
    assert (code, out.splitlines()[-1]) == (1, f"{len(CHECKS) - 2} PASS, 1 WARN, 1 FAIL. Mend OF-01 first.")
    assert re.search(r"FAIL  OF-01  .*: the user crvs is disabled\n +-> enable the user: provision does it if it ", out)


def test_it_can_be_asked_for_some_checks_only(mosip: Environment, run: Run) -> None:
    code, out, _ = run(mosip, "--only", "ma-01, WS-01", "--json")
    assert code == 0
    chosen = [each["id"] for each in json.loads(out)["checks"]]
    assert chosen == ["KC-01", "AU-01", "AU-02", "CE-01", "MA-01", "WS-01"]
    assert not preflights.recent(mosip.ledger, 1.0), "a part of it says nothing about a night"


def test_a_check_that_does_not_exist_is_told_without_a_look(mosip: Environment, run: Run) -> None:
    code, out, err = run(mosip, "--only", "MA-99")
    assert (code, out) == (1, "")
    assert err.startswith("Stopped: no check is called MA-99; there are KC-01,")


def test_the_json_says_the_same_as_the_table(mosip: Environment, run: Run) -> None:
    edit("users", "crvs", enabled=False)(mosip)
    _, table, _ = run(mosip)
    code, out, _ = run(mosip, "--json")
    told = json.loads(out)
    assert (code, told["verdict"], told["configuration"]) == (1, "FAIL", [])
    assert [each["id"] for each in told["checks"]] == [each.id for each in CHECKS]
    assert {tuple(each) for each in told["checks"]} == {
        ("id", "status", "asserts", "evidence", "fix", "stops", "unseen")
    }
    assert [(e["status"], e["id"]) for e in told["checks"]] == re.findall(r"^(\w{4})  (\S+)  ", table, re.MULTILINE)


def test_what_was_found_is_kept_for_the_night_with_the_holidays(mosip: Environment, run: Run) -> None:
    _, out, _ = run(mosip, "--json")
    (kept,) = preflights.recent(mosip.ledger, 1.0)
    assert kept == json.loads(out)["checks"]
    with mosip.ledger.connect() as connection:
        days = connection.execute(text("SELECT center_id, count(*) FROM center_days GROUP BY 1")).all()
    assert [tuple(row) for row in days] == [(mosip.ids["center_id"], 15)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"MOSIP_URL": "mosip.example.org"}, "MOSIP_URL must be the http:// or https:// address"),
        ({"CRVS_COUNTRY_FILE": "/nowhere/country.yaml"}, "the country file /nowhere/country.yaml cannot be read"),
    ],
)
def test_a_set_up_that_cannot_be_used_is_told_in_a_line(
    change: dict[str, str], told: str, empty_mosip: Environment, run: Run
) -> None:
    empty_mosip.variables.update(change)
    code, out, err = run(empty_mosip)
    assert (code, out) == (1, "")
    assert err.startswith(f"Stopped: {told}")


# --- what it prints ---------------------------------------------------------------------------------------------------


def test_names_are_never_cut_in_two() -> None:
    name = "service-account-" + "-".join(["mosip"] * 12)
    found = Result(CHECKS[0], Status.FAIL, f"it is about {name} and about {name}", f"give it to {name}")
    table = preflight_table(Survey([found], {}))
    assert table.count(name) == 3


def test_colours_are_for_terminals_only(mosip: Environment, run: Run) -> None:
    _, out, _ = run(mosip, "--only", "KC-01")
    assert "\x1b" not in out
    found = Result(CHECKS[0], Status.FAIL, "it is down", "start it")
    assert preflight_table(Survey([found], {}), colours=True).startswith("\x1b[31;1mFAIL\x1b[0m  KC-01")


def test_what_was_not_looked_at_is_not_called_ready() -> None:
    found = [Result(CHECKS[0], Status.PASS, "", ""), Result(CHECKS[1], Status.SKIP, "no login", "")]
    assert summary(Survey(found, {})) == "1 PASS, 1 SKIP. What was looked at is in order; not looked at: KC-05."


# --- secrets ----------------------------------------------------------------------------------------------------------


class Gossip:
    """A MOSIP that quotes in every refusal what it should keep to itself: secrets, and the token of the call."""

    def __init__(self, secrets: list[str]) -> None:
        self._secrets = itertools.cycle(secrets)
        self.tokens: set[str] = set()

    def __call__(self, reply: requests.Response) -> None:
        """Refuse."""
        sent = reply.request.headers
        token = str(sent.get("Cookie") or sent.get("Authorization") or "").removeprefix("Authorization=")
        self.tokens.add(token.removeprefix("Bearer "))
        words = f"{next(self._secrets)} {token}"
        body: dict[str, Any] = {"errorMessage": words, "errors": [{"errorCode": "KER-MSD-999", "message": words}]}
        between.put_body(reply, json.dumps(body).encode())


@pytest.mark.parametrize(
    "place",
    [
        "/v1/masterdata/registrationcenters/10001",
        "/v1/masterdata/machines",
        "/v1/masterdata/idschema",
        "/v1/keymanager",
        "/v1/partnermanager/partners/crvs",
        "/v1/policymanager",
        "/auth/admin/realms/mosip/clients",
    ],
)
def test_no_secret_gets_out_by_a_preflight(place: str, mosip: Environment, run: Run) -> None:
    secrets = _secrets(mosip)
    gossip = Gossip(secrets)
    mosip.session = between.through(re.escape(place), gossip)
    _, table, errors = run(mosip, "--probes")
    _, as_json, more_errors = run(mosip, "--probes", "--json")
    kept = preflights.recent(mosip.ledger, 1.0)
    assert kept
    everything = "\n".join([table, errors, as_json, more_errors, json.dumps(kept), repr(mosip.access())])
    assert gossip.tokens, "it was asked nothing"
    assert "***" in table
    assert "***" in as_json
    for secret in (*secrets, *_private(mosip), *gossip.tokens):
        assert secret not in everything
    assert "eyJ" not in everything
    assert "PRIVATE KEY" not in everything


def _secrets(mosip: Environment) -> list[str]:
    """Secrets and passwords: those that were given, and those that were made."""
    given = [value for name, value in mosip.variables.items() if "SECRET" in name or "PASSWORD" in name]
    made = sorted(mosip.access().keeping.every_secret())
    assert (len(given), len(made)) == (4, 3)
    return [*given, *made]


def _private(mosip: Environment) -> list[str]:
    """What never leaves the folder: the lines of private keys, and the key that seals the ledger's secrets."""
    keys = [file.read_text() for file in mosip.folder.glob("*.key.pem")]
    assert len(keys) == 3
    return [mosip.variables["CRVS_SEAL_KEY"], *(line for key in keys for line in key.splitlines()[1:-1])]
