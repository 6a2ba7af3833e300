"""Every check of the preflight is proved by breaking its prerequisite: it says so, alone, and says what to do."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Iterator

import pytest
from tests.onboarding import gateway as between
from tests.onboarding.breakages import BREAKAGES, Breakage, expected
from tests.onboarding.clocks import WrongClock
from tests.onboarding.conftest import Start
from tests.onboarding.environments import Environment, by_id, sign
from tests.onboarding.levers import forget_id, forget_secret, variables

from mosip_crvs.mosip import moments
from mosip_crvs.onboarding import certificates
from mosip_crvs.onboarding.checks import CHECKS, authentication, masterdata
from mosip_crvs.onboarding.preflight import Result, Status, run_preflight
from mosip_crvs.onboarding.report import summary

FOUND: list[tuple[Breakage, Result]] = []
"""What the breakages of this session came to, for the table at its end."""

FAILS_WHEN_EMPTY = ("KC-04", "AU-02", "OF-02", "SC-01", "PM-01", "WS-04")
"""What a stock MOSIP lacks, in an order in which it can be mended."""


@pytest.fixture(scope="module", autouse=True)
def quick_keys() -> Iterator[None]:
    """Read each private key once: to check its primes takes longer than all the calls of a preflight."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "private_key", functools.cache(certificates.private_key))
        yield


# --- before and after -------------------------------------------------------------------------------------------------


def test_of_an_empty_mosip_only_the_roots_fail_and_what_builds_on_them_is_left_out(empty_mosip: Environment) -> None:
    survey = empty_mosip.survey()
    found = by_id(survey)
    assert [result.check.id for result in survey.results if result.status is Status.FAIL] == list(FAILS_WHEN_EMPTY)
    assert [each.check.id for each in survey.results if each.status is Status.PASS] == [
        "KC-01", "KC-05", "AU-01", "SC-02", "ES-01", "WS-01", "WS-03",
    ]  # fmt: skip
    assert found["KC-03"].evidence == "needs KC-02"
    assert found["MA-01"].evidence == "needs CE-01, AU-02"
    assert summary(survey).endswith("Mend KC-04 first, then AU-02, OF-02, SC-01, PM-01, WS-04.")


def test_when_everything_was_provisioned_every_check_passes(mosip: Environment) -> None:
    survey = mosip.survey(probes=True)
    assert {result.check.id: str(result.status) for result in survey.results} == {each.id: "PASS" for each in CHECKS}
    assert summary(survey) == f"{len(CHECKS)} PASS. MOSIP is ready."


def test_without_probes_only_the_probes_are_left_out(mosip: Environment) -> None:
    survey = mosip.survey(probes=False)
    skipped = {result.check.id: result.fix for result in survey.results if result.status is not Status.PASS}
    assert skipped == dict.fromkeys(["AU-03", "AU-04"], "run preflight with --probes")
    assert summary(survey).endswith("What was looked at is in order; not looked at: AU-03, AU-04.")


# --- each prerequisite taken away -------------------------------------------------------------------------------------


def test_every_check_has_a_breakage() -> None:
    assert {breakage.check for breakage in BREAKAGES} == {check.id for check in CHECKS}


def test_breakages_have_names_of_their_own() -> None:
    assert len({breakage.name for breakage in BREAKAGES}) == len(BREAKAGES)


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: f"{breakage.check}: {breakage.name}")
def test_the_right_check_says_so_and_no_other(breakage: Breakage, mosip: Environment) -> None:
    breakage.how(mosip)
    found = mosip.preflight()
    told = found[breakage.check]
    FOUND.append((breakage, told))
    assert statuses(found) == {name: str(status) for name, status in expected(CHECKS, breakage).items()}, others(found)
    assert breakage.fix in told.fix
    assert told.evidence


def statuses(found: dict[str, Result]) -> dict[str, str]:
    return {name: str(result.status) for name, result in found.items()}


def others(found: dict[str, Result]) -> str:
    return "\n".join(f"{n}: {r.status} {r.evidence}" for n, r in found.items() if r.status is not Status.PASS)


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0, 400 * 86400.0])
def test_when_our_clock_is_wrong_nothing_else_is_blamed(
    seconds: float, mosip: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    WrongClock(seconds).put_into(monkeypatch, [authentication, masterdata, moments])
    found = mosip.preflight()
    asked_by_the_clock = {"CE-02", "CE-03", "MA-02", "OF-02", "OF-03"}
    failing = {name for name, result in found.items() if result.status is Status.FAIL}
    assert failing == {"KC-05"}, others(found)
    assert {name for name, result in found.items() if result.status is Status.SKIP} == asked_by_the_clock
    assert "NTP" in found["KC-05"].fix


def test_a_keycloak_that_does_not_say_the_time_is_asked_for_a_token(
    mosip: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    mosip.session = between.through("/auth/", between.without_date)
    assert mosip.preflight()["KC-05"].status is Status.PASS
    WrongClock(-3600.0).put_into(monkeypatch, [authentication])
    assert mosip.preflight()["KC-05"].status is Status.FAIL


@pytest.mark.parametrize("seconds", [-20.0, 20.0])
def test_some_seconds_of_difference_are_borne(
    seconds: float, mosip: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    WrongClock(seconds).put_into(monkeypatch, [authentication])
    assert mosip.preflight()["KC-05"].status is Status.PASS


def test_tokens_that_no_service_believes_are_told_as_such_by_each_gate(mosip: Environment) -> None:
    mosip.post("/sandbox/faults", {"faults": {"token_expired": 1}})
    found = mosip.preflight()
    assert {n for n, r in found.items() if r.status is Status.FAIL} == {"AU-01", "AU-03", "AU-04"}, others(found)
    assert {found[each].fix for each in ("AU-01", "AU-03", "AU-04")} == {authentication._ISSUER_FIX}


def test_ids_of_another_length_are_a_finding_and_not_a_crash(start_mosip: Start) -> None:
    mosip = start_mosip(onboarded=True, center_ids=frozenset({"100001"}), machine_ids=frozenset({"10077"}))
    variables(MOSIP_CENTER_ID="100001", MOSIP_MACHINE_ID="10077", MOSIP_CLIENT_SECRET="sandbox-secret")(mosip)
    found = mosip.preflight()
    assert (found["CE-01"].status, found["MA-01"].status) == (Status.PASS, Status.PASS), others(found)
    assert found["ID-01"].status is Status.FAIL
    assert "must be exactly 5 digits, got '100001'" in found["ID-01"].evidence
    assert "mosip.kernel.registrationcenterid.length" in found["ID-01"].fix


def test_ids_that_nobody_kept_are_found_by_name(mosip: Environment) -> None:
    for name in ("center_id", "machine_id"):
        forget_id(name)(mosip)
    found = mosip.preflight()
    assert {str(result.status) for result in found.values()} == {"PASS"}, others(found)


# --- logins that nobody gave ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "check", "hint"),
    [
        ("KEYCLOAK_ADMIN_PASSWORD", "KC-04", "set KEYCLOAK_ADMIN_USER and KEYCLOAK_ADMIN_PASSWORD"),
        ("MOSIP_PROVISIONER_SECRET", "AU-01", "set MOSIP_PROVISIONER_SECRET"),
    ],
)
def test_what_nobody_may_look_at_is_left_out_and_the_rest_is_looked_at(
    missing: str, check: str, hint: str, mosip: Environment
) -> None:
    variables(**{missing: ""})(mosip)
    survey = mosip.survey()
    found = by_id(survey)
    assert {str(result.status) for result in survey.results} == {"PASS", "SKIP"}, others(found)
    assert found[check].status is Status.SKIP
    assert hint in found[check].evidence
    assert found["KC-03"].status is Status.PASS
    assert "MOSIP is ready" not in summary(survey)


def test_without_the_runtime_s_login_the_preflight_fails(mosip: Environment) -> None:
    forget_secret("mosip-crvs1-client")(mosip)
    found = mosip.preflight()
    assert found["KC-02"].status is Status.FAIL
    assert "set MOSIP_CLIENT_SECRET" in found["KC-02"].evidence


def test_without_a_ledger_results_are_not_judged(mosip: Environment) -> None:
    found = by_id(run_preflight(CHECKS, mosip.access(), probes=True))
    assert {name for name, result in found.items() if result.status is not Status.PASS} == {"WS-04"}
    assert found["WS-04"].status is Status.SKIP


def test_what_the_country_does_not_want_is_not_missed(mosip: Environment) -> None:
    mosip.wants(credential_partner=None, authentication_partner=None, relying_party=None)
    found = mosip.preflight()
    skipped = {name for name, result in found.items() if result.status is Status.SKIP}
    assert skipped == {"PM-01", "PM-02", "PM-03", "PM-04", "CT-01", "CT-02", "CT-03", "ES-01", "ES-02"}, others(found)
    assert found["PM-01"].evidence == "the country file asks for no partner"
    assert {str(result.status) for result in found.values()} == {"PASS", "SKIP"}


# --- nothing is changed -----------------------------------------------------------------------------------------------


def _leave(_: Environment) -> None:
    """A stock MOSIP stays one."""


def _provision(mosip: Environment) -> None:
    mosip.provision()
    sign(mosip)
    assert not mosip.provision().waiting


def _break(mosip: Environment) -> None:
    _provision(mosip)
    for breakage in BREAKAGES:
        if breakage.name in {"the officer was disabled", "the machine was switched off", "the policy expired"}:
            breakage.how(mosip)


STATES: dict[str, Callable[[Environment], None]] = {"empty": _leave, "provisioned": _provision, "broken": _break}


@pytest.mark.parametrize("probes", [False, True], ids=["without probes", "with probes"])
@pytest.mark.parametrize("state", STATES)
def test_a_preflight_changes_nothing(state: str, probes: bool, empty_mosip: Environment) -> None:
    STATES[state](empty_mosip)
    before = empty_mosip.state(), empty_mosip.books(), _files(empty_mosip)
    empty_mosip.survey(probes=probes)
    assert (empty_mosip.state(), empty_mosip.books(), _files(empty_mosip)) == before


def _files(mosip: Environment) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(mosip.folder.rglob("*")) if file.is_file()}


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_of_breakages(capsys: pytest.CaptureFixture[str]) -> None:
    if not FOUND:
        pytest.skip("no breakage was tried in this session")
    with capsys.disabled():
        print(f"\n\n{'What was broken':<62}{'said by':<12}what the operator is told to do")
        for breakage, told in FOUND:
            fix = textwrap.wrap(told.fix, 106, break_on_hyphens=False)
            print(f"{breakage.name:<62}{told.check.id} {told.status:<6}{fix[0] if fix else ''}")
            for line in fix[1:]:
                print(f"{'':74}{line}")
        print(f"{len(FOUND)} breakages; {len({told.check.id for _, told in FOUND})} of {len(CHECKS)} checks")
    assert all(told.fix for _, told in FOUND)
