"""Provisioning: a plan changes nothing and tells everything, a run makes it, a second run finds nothing to do."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from tests.onboarding.environments import Environment
from tests.onboarding.provisioning_rig import (
    DEMO,
    DONE,
    EVERYTHING,
    PARTNERS,
    QUESTION,
    WAITING,
    Fate,
    Operator,
    fated,
    new_operator,
    operator,
    some_keys,
)

from mosip_crvs.credential.keyring import KeyRing
from mosip_crvs.credential.proof import signing_certificates
from mosip_crvs.onboarding.provision import Bench

__all__ = ["new_operator", "operator", "some_keys"]
RUNTIME_ROLES = ("ONLINE_REGISTRATION_CLIENT", "SUBSCRIBE_REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT_GENERAL")
PLAN = (*EVERYTHING[:1], "--plan", *EVERYTHING[2:])
API_KEY = {"authentication_partner": {**DEMO["authentication_partner"], "api_key": "registry"}}


def center(operator: Operator) -> dict[str, Any]:
    """Our centre's rows by language."""
    return dict(operator.state()["masterdata"]["centers"][operator.kept["center_id"]])


def test_a_plan_writes_nothing_and_tells_every_write_of_the_run_after_it(operator: Operator) -> None:
    for _ in range(2):  # before and after the certification authority's work
        before, files = operator.state(), operator.files()
        plan = operator.run(*PLAN)
        assert (plan.code, operator.state(), operator.files()) == (DONE, before, files)

        count = len(operator.writes())
        run = operator.run(*EVERYTHING)
        assert plan.calls == run.calls
        assert len(plan.lines) == len(run.lines)
        assert f"The plan has {len(run.calls)} writes at MOSIP" in plan.out
        made = operator.writes()[count:]
        assert [method for method, _ in made] == [method for method, _ in run.calls]
        operator.sign()
    assert run.code == DONE


def test_a_plan_before_anything_was_made_does_not_make_the_folder(operator: Operator) -> None:
    assert operator.run(*PLAN).code == DONE
    assert not operator.folder.exists()
    assert operator.writes() == []


def test_a_second_run_writes_nothing(operator: Operator) -> None:
    operator.make_everything()
    state, files, count = operator.state(), operator.files(), len(operator.writes())
    again = operator.run("provision", "--yes")
    assert (again.code, again.lines) == (DONE, [])
    assert "0 writes at MOSIP." in again.out
    assert (operator.state(), operator.files(), len(operator.writes())) == (state, files, count)
    assert operator.run("provision", "--plan").lines == []


def test_every_step_is_made_once(operator: Operator) -> None:
    first = operator.run(*EVERYTHING)
    operator.sign()
    second = operator.run(*EVERYTHING)
    lines = Counter([*first.lines, *second.lines])
    assert [line for line, times in lines.items() if times > 1] == []
    assert len(operator.writes()) == len(first.calls) + len(second.calls)


def test_what_is_made_is_what_the_country_wants(operator: Operator) -> None:
    operator.make_everything()
    state = operator.state()
    ids, data = operator.kept, state["masterdata"]
    text = center(operator)["eng"]
    (machine,) = data["machines"].values()
    officer = data["userCenters"]["crvs"]
    assert (text["name"], text["isActive"], text["holidayLocationCode"]) == ("Civil Registration", True, "KTA")
    assert (machine["id"], machine["isActive"], machine["regCenterId"]) == (ids["machine_id"], True, text["id"])
    assert (officer["regCenterId"], officer["isActive"]) == (text["id"], True)
    assert data["zoneUsers"]["crvs"]["isActive"]
    users = state["keycloak"]["users"]
    assert set(RUNTIME_ROLES) <= set(users["service-account-mosip-crvs1-client"]["roles"])
    assert "REGISTRATION_OFFICER" in users["crvs"]["roles"]
    assert "CREATE_SHARE" in users["service-account-crvs-partner"]["roles"]
    assert {name: row["isActive"] for name, row in state["pms"]["partners"].items()} == {
        "crvs-partner": True,
        "crvs-auth": True,
    }
    assert {each["statusCode"] for each in state["pms"]["partner_policy_requests"].values()} == {"approved"}
    assert len(state["pms"]["credential_types"]) == 1
    assert list(state["pms"]["oidc_clients"]) == [ids["oidc_client_id"]]
    assert ids["schema_version"] == "0.2"


def test_what_was_made_is_kept_for_its_owner_alone(operator: Operator) -> None:
    operator.run(*EVERYTHING)
    assert stat.S_IMODE(operator.folder.stat().st_mode) == 0o700
    modes = {name: mode for name, (mode, _) in operator.files().items() if not name.endswith(".lock")}
    assert set(modes.values()) == {0o600}
    assert {"demo.state.json", "demo.secrets.json", "demo.oidc.key.pem", "demo.crvs-partner.key.pem"} <= set(modes)


def test_secrets_stand_in_one_file_and_are_never_told(operator: Operator) -> None:
    runs = [operator.run(*PLAN), operator.run(*EVERYTHING)]
    operator.sign()
    runs += [operator.run(*PLAN), operator.run(*EVERYTHING), operator.run("provision", "--yes")]
    secrets = [value for each in operator.secrets.values() for value in each.values()]
    assert set(operator.secrets) == {"mosip-crvs1-client", "crvs-partner", "user crvs"}
    told = "".join(run.out + run.err for run in runs)
    for secret in [*secrets, *operator.variables.values()]:
        if secret not in (operator.url, operator.variables["CRVS_INCLUDE_DIR"]):
            assert secret not in told
    for secret in secrets:
        holding = [name for name, (_, content) in operator.files().items() if secret.encode() in content]
        assert holding == ["demo.secrets.json"]
    assert "PRIVATE KEY" not in told


def test_a_refusal_that_repeats_a_secret_does_not_print_it(operator: Operator) -> None:
    operator.variables["MOSIP_CLIENT_SECRET"] = "told-by-the-operator"
    names = {**DEMO["center"]["texts"]["eng"], "name": "told-by-the-operator"}
    operator.wants(center={**DEMO["center"], "texts": {"eng": names}})
    operator.run(*EVERYTHING)
    operator.file("state.json").unlink()
    operator.edit("centers", "10000", name="told-by-the-operator", zoneCode="RSK")
    asked = operator.run(*EVERYTHING)
    assert "there are 2 centres named '***'" in asked.err
    assert "told-by-the-operator" not in asked.err


def test_the_secret_that_the_operator_gives_is_the_clients(operator: Operator) -> None:
    operator.variables["MOSIP_CLIENT_SECRET"] = "given-secret"
    assert operator.run(*EVERYTHING).code == WAITING
    assert "mosip-crvs1-client" not in operator.secrets
    assert "the runtime client is let in (G1)" in operator.run(*EVERYTHING).out


def test_a_country_of_two_languages_gets_its_texts_in_both(operator: Operator) -> None:
    operator.configure(languages=["eng", "fra"])
    texts = {"eng": DEMO["center"]["texts"]["eng"], "fra": {"name": "État civil", "addressLine1": "1, rue du Registre"}}
    operator.wants(languages=["eng", "fra"], center={**DEMO["center"], "texts": texts})
    plan = operator.run(*PLAN)
    run = operator.run(*EVERYTHING)
    assert plan.calls == run.calls
    rows = center(operator).items()
    assert {language: (row["name"], row["addressLine1"], row["isActive"]) for language, row in rows} == {
        "eng": ("Civil Registration", "Registrar General's Office", True),
        "fra": ("État civil", "1, rue du Registre", True),
    }
    count = len(operator.writes())
    operator.run(*EVERYTHING)
    assert len(operator.writes()) == count


@pytest.mark.parametrize("prefix", ["/auth", ""])
@pytest.mark.parametrize("told", [True, False])
def test_keycloak_is_found_with_and_without_its_old_prefix(
    new_operator: Callable[..., Operator], prefix: str, told: bool
) -> None:
    operator = new_operator(keycloak_prefix=prefix)
    operator.wants(*PARTNERS)
    if told:
        operator.variables["KEYCLOAK_PATH"] = prefix
    assert operator.run(*EVERYTHING).code == DONE
    written = [path for _, path in operator.writes() if "/admin/realms/" in path]
    assert written
    assert all(path.startswith(f"{prefix}/admin/") for path in written)


def test_a_country_without_partners_needs_neither_certificates_nor_g3(operator: Operator) -> None:
    operator.wants(*PARTNERS)
    plan = operator.run("provision", "--plan", "--publish-id-schema")
    run = operator.run("provision", "--yes", "--publish-id-schema")
    assert (run.code, plan.calls) == (DONE, run.calls)
    assert not operator.state()["pms"]["partners"]
    assert sorted(operator.files()) == ["demo.lock", "demo.secrets.json", "demo.state.json"]


def test_two_partners_of_one_policy_group_share_it(operator: Operator) -> None:
    group = DEMO["credential_partner"]["policy"]["group"]
    partner = DEMO["authentication_partner"]
    operator.wants(authentication_partner={**partner, "policy": {**partner["policy"], "group": group}})
    plan = operator.run(*PLAN)
    assert plan.calls == operator.run(*EVERYTHING).calls
    assert [row["name"] for row in operator.state()["pms"]["policy_groups"].values()] == [group]


def test_what_is_there_already_is_adopted(operator: Operator) -> None:
    operator.make_everything()
    state, count = operator.state(), len(operator.writes())
    operator.file("state.json").unlink()
    run = operator.run(*EVERYTHING)
    assert (run.code, run.lines) == (DONE, [])
    assert (operator.state(), len(operator.writes())) == (state, count)
    assert operator.kept["center_id"] in state["masterdata"]["centers"]
    assert operator.kept["machine_id"] in state["masterdata"]["machines"]


def test_a_plan_sees_what_is_to_be_adopted(operator: Operator) -> None:
    operator.make_everything()
    operator.variables["MOSIP_CLIENT_SECRET"] = operator.secrets["mosip-crvs1-client"]["current"]
    operator.folder = operator.folder.with_name("elsewhere")
    operator.wants(*PARTNERS)
    plan = operator.run("provision", "--plan")
    assert (plan.code, plan.lines) == (DONE, [])
    assert not operator.folder.exists()


def test_a_plan_without_the_provisioners_zone_sees_a_centre_that_is_there(operator: Operator) -> None:
    operator.wants(*PARTNERS)
    operator.edit("centers", "10000", name="Civil Registration", zoneCode="RSK")
    plan = operator.run(*PLAN)
    run = operator.run(*EVERYTHING)
    assert plan.calls == run.calls
    assert operator.kept["center_id"] == "10000"
    assert ("POST", "/v1/masterdata/registrationcenters") not in operator.writes()


def test_what_was_switched_off_is_switched_on_again(operator: Operator) -> None:
    operator.wants(*PARTNERS)
    operator.run(*EVERYTHING)
    ids, count = operator.kept, len(operator.writes())
    operator.edit("centers", ids["center_id"], isActive=False)
    operator.edit("machines", ids["machine_id"], isActive=False)
    operator.edit("userCenters", "crvs", isActive=False)
    operator.edit("users", "crvs", enabled=False)
    plan = operator.run(*PLAN)
    run = operator.run(*EVERYTHING)
    assert run.code == DONE
    assert [method for method, _ in run.calls] == ["PUT", "PATCH", "PATCH", "PATCH"]
    assert (plan.calls, len(operator.writes()) - count) == (run.calls, 4)


def test_the_officer_that_was_made_here_is_moved_back(operator: Operator) -> None:
    operator.wants(*PARTNERS)
    operator.run(*EVERYTHING)
    operator.edit("userCenters", "crvs", regCenterId="10000")
    plan, run = operator.run(*PLAN), operator.run(*EVERYTHING)
    assert run.code == DONE
    # Nobody can foresee whether MOSIP switches a user off who is moved: the plan tells the most that may be made.
    assert set(run.calls) <= set(plan.calls)
    assert operator.state()["masterdata"]["userCenters"]["crvs"]["regCenterId"] == operator.kept["center_id"]


def test_the_machine_that_was_made_here_is_brought_back_to_the_centre(operator: Operator) -> None:
    operator.wants(*PARTNERS)
    operator.run(*EVERYTHING)
    ids = operator.kept
    operator.edit("machines", ids["machine_id"], regCenterId="10000")
    run = operator.run(*EVERYTHING)
    assert run.calls == [("PUT", "/v1/masterdata/machines")]
    assert operator.state()["masterdata"]["machines"][ids["machine_id"]]["regCenterId"] == ids["center_id"]


def test_of_the_centre_that_was_made_here_the_holidays_are_set_and_nothing_else(operator: Operator) -> None:
    operator.wants(*PARTNERS)
    operator.run(*EVERYTHING)
    by_hand = {
        "contactPhone": "112",
        "workingHours": "8:00:00",
        "numberOfKiosks": 7,
        "workingNonWorkingDays": {str(code): code == 103 for code in range(101, 108)},
        "exceptionalHolidayPutPostDto": [{"exceptionHolidayDate": "2030-01-01", "exceptionHolidayName": "Flood"}],
    }
    operator.edit("centers", operator.kept["center_id"], **by_hand)
    before = center(operator)["eng"]
    fields = {**DEMO["center"]["fields"], "holidayLocationCode": "NOHOL"}
    operator.wants(*PARTNERS, center={**DEMO["center"], "fields": fields})
    run = operator.run(*EVERYTHING)
    assert run.calls == [("PUT", "/v1/masterdata/registrationcenters/nonlanguage")]
    after = center(operator)["eng"]
    assert {name for name in before if before[name] != after[name]} == {"holidayLocationCode", "updatedBy"}
    assert (after["holidayLocationCode"], by_hand.items() <= after.items()) == ("NOHOL", True)


def test_a_renewed_certificate_is_uploaded_once(operator: Operator) -> None:
    operator.make_everything()
    for name in ("crvs-partner.pem", "crvs-auth.pem"):
        operator.file(name).unlink()
    operator.sign()
    run = operator.run(*EVERYTHING)
    assert Counter(run.calls) == {
        ("POST", "/v1/partnermanager/partners/certificate/ca/upload"): 2,
        ("POST", "/v1/partnermanager/partners/certificate/upload"): 2,
    }
    assert operator.run(*EVERYTHING).lines == []


def test_a_lost_key_asks_for_a_new_certificate(operator: Operator) -> None:
    operator.run(*EVERYTHING)
    request = operator.file("crvs-partner.csr.pem").read_text()
    operator.file("crvs-partner.key.pem").unlink()
    run = operator.run(*EVERYTHING)
    assert [line for line in run.lines if line.startswith("local")] == [
        "local   private key demo.crvs-partner.key.pem",
        "local   certificate request demo.crvs-partner.csr.pem",
    ]
    assert operator.file("crvs-partner.csr.pem").read_text() != request
    operator.sign()
    assert operator.run(*EVERYTHING).code == DONE


@pytest.mark.parametrize(
    ("name", "mark"), [("crvs-partner.key.pem", "crvs-partner/certificate"), ("oidc.key.pem", "oidc_client_id")]
)
def test_a_key_that_mosip_knows_is_not_replaced_without_a_word(operator: Operator, name: str, mark: str) -> None:
    operator.make_everything()
    operator.file(name).unlink()
    before = len(operator.writes())
    run = operator.run(*EVERYTHING)

    assert run.code == QUESTION
    assert f"remove {mark} from" in " ".join(run.err.split())
    assert not operator.file(name).exists()
    assert len(operator.writes()) == before


def test_an_api_key_is_made_once_and_kept_as_a_secret(operator: Operator) -> None:
    operator.wants("credential_partner", "relying_party", **API_KEY)
    partner_user(operator)
    operator.run(*EVERYTHING)
    operator.sign()
    run = operator.run(*EVERYTHING)
    assert run.code == DONE
    (key,) = operator.secrets["API key registry of crvs-auth"].values()
    assert len(operator.state()["pms"]["api_keys"]) == 1
    assert key not in run.out + run.err
    assert operator.run(*EVERYTHING).lines == []


def partner_user(operator: Operator) -> None:
    """Let there be a user named as the partner, who alone may make an API key."""
    password = {"type": "password", "value": "partner-password", "temporary": False}
    operator.keycloak().create_user({"username": "crvs-auth", "enabled": True, "credentials": [password]})
    operator.edit("users", "crvs-auth", roles=["AUTH_PARTNER"])
    operator.variables |= {
        "MOSIP_PARTNER_USER_USER": "crvs-auth",
        "MOSIP_PARTNER_USER_PASSWORD": "partner-password",
        "MOSIP_PARTNER_USER_CLIENT_SECRET": "mosip-admin-client-secret",
    }


def test_an_api_key_whose_answer_was_lost_is_a_question(operator: Operator) -> None:
    operator.wants("credential_partner", "relying_party", **API_KEY)
    partner_user(operator)
    operator.run(*EVERYTHING)
    operator.sign()
    with fated(Fate(answer_lost=True), operator.folder):
        asked = operator.run(*EVERYTHING)
    assert asked.code == QUESTION
    assert "MOSIP has an API key labelled 'registry' of crvs-auth and shows it to nobody again" in asked.err
    assert len(operator.state()["pms"]["api_keys"]) == 1


def test_the_results_are_subscribed_to_when_there_is_a_receiver(start_mosip: Callable[..., Environment]) -> None:
    environment = start_mosip()
    environment.wants(credential_partner=None, authentication_partner=None, relying_party=None)
    told = environment.provision()
    assert [step.what for item, step in told.steps if item.id == "subscription"] == [
        "subscription to REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT"
    ]
    assert environment.provision().steps == []
    assert {each["topic"] for each in environment.get("/sandbox/subscribers")["subscribers"]} == {
        "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT",
        "REGISTRATION_PROCESSOR_WORKFLOW_PAUSED_FOR_ADDITIONAL_INFO_EVENT",
        "IDENTITY_CREATED",
        "IDENTITY_UPDATED",
    }


def test_the_certificate_that_mosip_made_is_kept_and_an_earlier_one_with_it(mosip: Environment) -> None:
    """What MOSIP seals is marked with its own certificate of ours, which is another one at every upload."""
    kept = mosip.file("crvs-partner.mosip.pem")
    first = kept.read_text()
    assert first == Bench(mosip.access()).partners().certificate("crvs-partner")
    assert first != mosip.file("crvs-partner.pem").read_text()

    other = mosip.file("crvs-auth.mosip.pem").read_text()
    kept.write_text(other)
    assert [step.what for _, step in mosip.provision().steps] == [
        "MOSIP's certificate of crvs-partner in demo.crvs-partner.mosip.pem"
    ]
    assert kept.read_text() == first
    assert other in {path.read_text() for path in mosip.folder.glob("demo.crvs-partner.mosip-*.pem")}
    assert mosip.provision().steps == []


def test_credentials_are_opened_and_proven_with_what_provisioning_kept(mosip: Environment) -> None:
    keys = KeyRing.from_folder(mosip.folder)
    sealed_for = x509.load_pem_x509_certificate(mosip.file("crvs-partner.mosip.pem").read_bytes())
    assert keys.key_for(sealed_for.fingerprint(hashes.SHA256())) is not None
    assert signing_certificates(mosip.file("mosip-signing.pem").read_text())
