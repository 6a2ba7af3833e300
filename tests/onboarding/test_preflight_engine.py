"""The engine of the preflight: what it asks in which order, what it makes of errors, and what a check cannot do."""

from __future__ import annotations

import ast
import inspect
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.onboarding.environments import COUNTRY_FILE, by_id

from mosip_crvs.errors import (
    CredentialMissing,
    FixTheData,
    LedgerRefused,
    LedgerUnavailable,
    MosipRefused,
    MosipUnavailable,
    QuestionForOperator,
    StopTheRun,
)
from mosip_crvs.mosip import masterdata as md
from mosip_crvs.mosip.endpoints import Endpoint, Probe, Read, Write
from mosip_crvs.onboarding import checks
from mosip_crvs.onboarding.access import Access
from mosip_crvs.onboarding.checks import CHECKS, authentication, masterdata, partners, results, schema
from mosip_crvs.onboarding.country import read_country
from mosip_crvs.onboarding.look import Look
from mosip_crvs.onboarding.preflight import (
    AT_ONCE,
    Check,
    Result,
    Status,
    Verdict,
    check_order,
    run_preflight,
    with_needs,
)
from mosip_crvs.onboarding.surroundings import Identity, Login, Surroundings

NOBODY_LISTENS = "http://127.0.0.1:9"
PASS = Verdict(Status.PASS, "well")


@pytest.fixture
def access(tmp_path: Path) -> Access:
    """A way into nowhere: no check of these tests gets as far as a call."""
    return Access(Surroundings(NOBODY_LISTENS, tmp_path / "state"), read_country(COUNTRY_FILE))


def check(name: str, judge: Callable[[Look], Verdict] = lambda _: PASS, **how: object) -> Check:
    return Check(name, f"{name} is well", judge, **({"fix": f"mend {name}"} | how))  # type: ignore[arg-type]


def raising(problem: Exception) -> Callable[[Look], Verdict]:
    def judge(_: Look) -> Verdict:
        raise problem

    return judge


def asked(access: Access, *these: Check) -> dict[str, Result]:
    return by_id(run_preflight(these, access))


# --- order ------------------------------------------------------------------------------------------------------------


def test_checks_that_do_not_build_on_one_another_are_asked_side_by_side(access: Access) -> None:
    together = threading.Barrier(AT_ONCE)

    def wait_for_the_others(_: Look) -> Verdict:
        together.wait(10)
        return PASS

    found = asked(access, *(check(f"X-{number}", wait_for_the_others) for number in range(AT_ONCE)))
    assert {result.status for result in found.values()} == {Status.PASS}


def test_a_slow_check_holds_up_only_what_builds_on_it(access: Access) -> None:
    others_are_through = threading.Event()

    def slow(_: Look) -> Verdict:
        return PASS if others_are_through.wait(10) else Verdict(Status.FAIL, "the others waited for it")

    def last(_: Look) -> Verdict:
        others_are_through.set()
        return PASS

    found = asked(access, check("A", slow), check("B", needs=("A",)), check("C"), check("D", last, needs=("C",)))
    assert {result.status for result in found.values()} == {Status.PASS}


def test_a_check_is_asked_after_all_that_it_builds_on_and_told_what_they_found(access: Access) -> None:
    def third(look: Look) -> Verdict:
        return Verdict(Status.PASS, f"{look.facts['one']} and {look.facts['two']}")

    found = asked(
        access,
        check("C", third, needs=("A",), after=("B",)),
        check("B", lambda _: Verdict(Status.WARN, "", facts={"two": 2}), needs=("A",)),
        check("A", lambda _: Verdict(Status.PASS, "", facts={"one": 1})),
    )
    assert found["C"].evidence == "1 and 2"
    assert list(found) == ["C", "B", "A"], "told in the order of the checks"


@pytest.mark.parametrize(
    ("first", "needing", "following"),
    [
        (Status.PASS, Status.PASS, Status.PASS),
        (Status.WARN, Status.PASS, Status.PASS),
        (Status.FAIL, Status.SKIP, Status.SKIP),
        (Status.SKIP, Status.SKIP, Status.PASS),
    ],
)
def test_a_failure_leaves_out_what_builds_on_it_and_a_gap_only_what_needs_it(
    first: Status, needing: Status, following: Status, access: Access
) -> None:
    found = asked(
        access,
        check("A", lambda _: Verdict(first, "")),
        check("B", needs=("A",)),
        check("C", after=("A",)),
        check("D", needs=("B",)),
    )
    assert (found["B"].status, found["C"].status, found["D"].status) == (needing, following, needing)
    if needing is Status.SKIP:
        assert (found["B"].evidence, found["D"].evidence) == ("needs A", "needs B")


def test_checks_cannot_wait_for_one_another(access: Access) -> None:
    with pytest.raises(ValueError, match="build on one another: B, C"):
        asked(access, check("A"), check("B", needs=("C",)), check("C", after=("B",)))


def test_a_check_cannot_build_on_one_that_is_not_there(access: Access) -> None:
    with pytest.raises(ValueError, match="build on Z"):
        asked(access, check("A", needs=("Z",)))


def test_the_checks_are_in_an_order_in_which_they_can_be_mended() -> None:
    check_order(CHECKS)
    seen: set[str] = set()
    for each in CHECKS:
        assert seen.issuperset(each.builds_on), each.id
        seen.add(each.id)
    assert len(seen) == len(CHECKS)


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "fix"),
    [
        (MosipRefused("look for it: HTTP 200 KER-MSD-999"), "mend B"),
        (MosipRefused("look for it: HTTP 403 KER-ATH-403: Forbidden"), "give it the realm role that this call wants"),
        (MosipUnavailable("GET /v1/masterdata: HTTP_503"), "look again later"),
        (LedgerUnavailable("the ledger did not answer"), "CRVS_LEDGER_URL"),
        (LedgerRefused("the ledger refused a statement"), "run its migrations"),
        (FixTheData("the file is not YAML"), "correct the file"),
        (StopTheRun("a certificate cannot be read"), "mend B"),
        (QuestionForOperator("which of the two?"), "mend B"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_of_ours_is_the_finding_of_its_check_alone(problem: Exception, fix: str, access: Access) -> None:
    found = asked(access, check("A"), check("B", raising(problem), needs=("A",)), check("C"))
    assert (found["B"].status, found["B"].evidence) == (Status.FAIL, str(problem))
    assert fix in found["B"].fix
    assert found["C"].status is Status.PASS


def test_what_cannot_be_reached_is_mended_as_its_first_check_says(access: Access) -> None:
    found = asked(access, check("A", raising(MosipUnavailable("GET /: no answer"))))
    assert found["A"].fix == "mend A"


def test_an_error_that_nobody_foresaw_is_told_by_kind_and_place_and_hides_nothing_else(access: Access) -> None:
    found = asked(access, check("A", raising(KeyError("Jane Doe, s3cr3t"))), check("B"))
    assert found["A"].status is Status.FAIL
    assert found["A"].evidence.startswith("KeyError in judge, line ")
    assert "report it" in found["A"].fix
    assert found["B"].status is Status.PASS


@pytest.mark.parametrize(
    ("identity", "status"),
    [
        (Identity.RUNTIME, Status.FAIL),
        (Identity.PROVISIONER, Status.SKIP),
        (Identity.KEYCLOAK_ADMIN, Status.SKIP),
        (Identity.SUBSCRIBER, Status.SKIP),
    ],
)
def test_a_missing_login_leaves_its_checks_out_but_the_runtime_s_fails(
    identity: Identity, status: Status, access: Access
) -> None:
    found = asked(access, check("A", lambda look: Verdict(Status.PASS, look.login_name(identity)), identity=identity))
    assert found["A"].status is status
    assert "no login for the" in found["A"].evidence


def test_the_login_that_is_missing_is_named_with_what_to_do(access: Access) -> None:
    with pytest.raises(CredentialMissing, match="set MOSIP_PROVISIONER_SECRET"):
        access.login(Identity.PROVISIONER)


# --- which checks -----------------------------------------------------------------------------------------------------


def test_a_chosen_check_brings_along_what_it_builds_on() -> None:
    chosen = [each.id for each in with_needs(CHECKS, ["ma-03 ", "", "WS-01"])]
    assert chosen == ["KC-01", "AU-01", "AU-02", "CE-01", "MA-01", "MA-04", "MA-03", "WS-01"]
    assert [each.id for each in with_needs(CHECKS, ["KC-02"])] == ["KC-01", "KC-04", "KC-02"]


def test_an_unknown_check_is_named_and_those_that_there_are() -> None:
    with pytest.raises(StopTheRun, match=r"no check is called XX-01, XX-02; there are KC-01, .*WS-04"):
        with_needs(CHECKS, ["XX-02", "KC-01", "XX-01"])


def test_probes_are_left_out_unless_they_are_asked_for(access: Access) -> None:
    probe = check("A", calls=(authentication.CREATE_PACKET,))
    assert asked(access, probe)["A"].status is Status.SKIP
    assert by_id(run_preflight([probe], access, probes=True))["A"].status is Status.PASS
    assert [each.id for each in CHECKS if each.is_probe] == ["AU-03", "AU-04"]


# --- what cannot be expressed -----------------------------------------------------------------------------------------

BANNED = (
    ("GET", "/v1/keymanager/getCertificate?applicationId=REGISTRATION&referenceId=1"),
    ("GET", "/v1/syncdata/getCertificate"),
    ("GET", "/v1/ridgenerator/generate/rid/10001/10077"),
    ("GET", "/v1/partnermanager/misps/1/licenseKey"),
    ("GET", "/v1/partnermanager/misps/1/LICENSEKEY"),
    ("POST", "/v1/masterdata/registrationcenters"),
    ("POST", "/v1/partnermanager/partners"),
    ("POST", "/v1/keymanager/cssign"),
    ("PUT", "/v1/masterdata/machines"),
    ("PATCH", "/v1/masterdata/machines?id=1&isActive=true"),
    ("DELETE", "/v1/masterdata/zoneuser/crvs/MOR"),
    ("PUT", "/v1/masterdata/registrationcenters/search"),
)


@pytest.mark.parametrize(("method", "path"), BANNED)
def test_what_changes_something_is_neither_a_reading_nor_a_probe(method: str, path: str) -> None:
    with pytest.raises(ValueError, match=r"is no reading|without consequences"):
        Read(method, path)
    with pytest.raises(ValueError, match="without consequences"):
        Probe(method, path)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST", "GET"])
def test_a_check_can_declare_no_change(method: str) -> None:
    for call in (Write(method, "/v1/masterdata/machines"), Endpoint(method, "/v1/masterdata/machines")):
        with pytest.raises(ValueError, match=f"A may only read and probe, and declares {method} /v1/masterdata"):
            check("A", calls=(call,))


def test_a_check_that_makes_a_call_which_it_does_not_declare_fails(access: Access) -> None:
    def reads(look: Look) -> Verdict:
        return Verdict(Status.PASS, str(look.masterdata.machine("10077")))

    def knocks(look: Look) -> Verdict:
        return Verdict(Status.PASS, look.door.knock(authentication.CREATE_PACKET, {}).refusal)

    found = asked(access, check("A", reads, calls=(md.MACHINE_SEARCH,)), check("B", knocks, calls=(md.MACHINE,)))
    assert found["A"].evidence == f"the check does not declare GET {md.MACHINE.template}"
    assert found["B"].evidence == "the check does not declare PUT /commons/v1/packetmanager/createPacket"
    assert {result.status for result in found.values()} == {Status.FAIL}


def test_checks_see_no_door_that_changes_anything() -> None:
    for name, door in inspect.getmembers(Look, lambda member: isinstance(member, property)):
        assert "Door'" not in str(door.fget.__annotations__["return"]).replace("ProbingDoor'", ""), name
    for name in ("tell", "change", "change_keycloak"):
        assert not hasattr(Look, name)


@pytest.mark.parametrize("module", [authentication, masterdata, schema, partners, results, checks])
def test_no_check_sends_anything_by_the_way(module: object) -> None:
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    imported = {each.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for each in node.names}
    assert imported.isdisjoint({"Write", "Door", "Access", "requests"})
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        assert node.attr not in {"tell", "calls", "_access", "change", "_send", "_tokens"}, ast.unparse(node)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "send":
            assert ast.unparse(call.args[0]) == "'GET'"


def test_a_secret_in_a_login_is_not_shown_by_its_representation() -> None:
    assert "s3cr3t" not in repr(Login("client", "s3cr3t", "user", "s3cr3t"))
