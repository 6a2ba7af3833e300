"""Provisioning and preflight make, find and mend a country's Keycloak, on real servers of both generations."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jwt
import msgspec
import pytest
import requests
from tests.conformance.keycloak_servers import RealKeycloak
from tests.conformance.onboarding_desk import LOOKED_AT, STOCK_ROLE, Desk, Killed, Wire, new_desk, statuses

from mosip_crvs.errors import MosipRefused, QuestionForOperator
from mosip_crvs.mosip.keycloak import CONFIDENTIAL_CLIENT, missing_settings
from mosip_crvs.onboarding import provision as provisioning
from mosip_crvs.onboarding.keeping import Keeping
from mosip_crvs.onboarding.rotation import commit, stage
from mosip_crvs.onboarding.surroundings import Identity

ALL_PASS = dict.fromkeys(LOOKED_AT, "PASS")


@pytest.fixture
def desk(keycloak: RealKeycloak, tmp_path: Path) -> Desk:
    """A country that has nothing in the realm yet."""
    return new_desk(keycloak, tmp_path)


@pytest.fixture(scope="module")
def onboarded(keycloak: RealKeycloak, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A country whose Keycloak was provisioned. Tests share it, and leave it as it must be."""
    made = new_desk(keycloak, tmp_path_factory.mktemp("onboarded"))
    made.provision()
    return made


def _as_it_must_be(desk: Desk) -> None:
    assert missing_settings(desk.client()) == {}
    account, officer = desk.account_path(), desk.officer()
    assert desk.realm_roles(account) == sorted(desk.country.clients.runtime_roles)
    assert desk.realm_roles(f"/users/{officer['id']}") == [desk.country.officer.role]
    assert officer["enabled"]
    assert desk.statuses() == ALL_PASS


def test_roles_client_and_officer_are_made_as_planned_and_a_second_run_writes_nothing(desk: Desk) -> None:
    first, second = Wire(), Wire()
    plan = desk.provision(second, planning=True)
    made = desk.provision(first)
    assert [step.line() for _, step in made.steps] == [step.line() for _, step in plan.steps]
    assert first.writes == ["POST roles", "POST clients", "POST realm", "POST users", "POST realm"]
    _as_it_must_be(desk)

    claims = jwt.decode(desk.access().tokens(Identity.RUNTIME).get(), options={"verify_signature": False})
    assert (claims["azp"], claims["iss"]) == (desk.client_id, desk.server.realm_url())
    assert set(desk.country.clients.runtime_roles) <= set(claims["realm_access"]["roles"])

    assert desk.provision(second).steps == []
    assert second.writes == []


@dataclass(frozen=True)
class Break:
    """Something done at the console; provisioning mends it.

    :param fails: what does not pass.
    :param blind: what fails for those who know the runtime client only.
    :param says: how one of the checks words it.
    """

    how: Callable[[Desk], object]
    fails: dict[str, str]
    says: str
    blind: str = ""


def _client_role(desk: Desk) -> None:
    """Give the role as a client role: the mistake that MOSIP's own documents lead to."""
    client, account, role = desk.client(), desk.account_path(), desk.country.clients.runtime_roles[0]
    desk.admin("DELETE", f"{account}/role-mappings/realm", [desk.admin("GET", f"/roles/{role}")])
    desk.admin("POST", f"/clients/{client['id']}/roles", {"name": role})
    found = desk.admin("GET", f"/clients/{client['id']}/roles/{role}")
    desk.admin("POST", f"{account}/role-mappings/clients/{client['id']}", [found])


def _take_officers_role(desk: Desk) -> None:
    path = f"/users/{desk.officer()['id']}/role-mappings/realm"
    desk.admin("DELETE", path, [desk.admin("GET", f"/roles/{desk.country.officer.role}")])


def _officer(desk: Desk, **changes: object) -> None:
    officer = desk.officer()
    desk.admin("PUT", f"/users/{officer['id']}", officer | changes)


_CLIENT = {"KC-04": "FAIL", "KC-02": "SKIP", "KC-03": "SKIP", "OF-01": "SKIP"}
"""What follows from a client that is not as it must be is not told twice."""
BREAKS = {
    "a client role instead of the realm role": Break(
        _client_role, {"KC-03": "FAIL"}, "realm_access.roles lacks", blind="KC-03"
    ),
    "service accounts off": Break(
        lambda desk: desk.change_client(serviceAccountsEnabled=False), _CLIENT, "not enabled to retrieve", blind="KC-02"
    ),
    "a public client": Break(
        lambda desk: desk.change_client(publicClient=True), _CLIENT, "Public client not allowed", blind="KC-02"
    ),
    "a disabled client": Break(
        lambda desk: desk.change_client(enabled=False), _CLIENT, "must have enabled=true", blind="KC-02"
    ),
    "roles trimmed": Break(
        lambda desk: desk.change_client(fullScopeAllowed=False), _CLIENT, "fullScopeAllowed=true", blind="KC-03"
    ),
    "a client that may do more": Break(
        lambda desk: desk.change_client(directAccessGrantsEnabled=True), {"KC-04": "WARN"}, "directAccessGrantsEnabled"
    ),
    "no client": Break(
        lambda desk: desk.admin("DELETE", f"/clients/{desk.client()['id']}"), _CLIENT, "has no client", blind="KC-02"
    ),
    "the officer disabled": Break(lambda desk: _officer(desk, enabled=False), {"OF-01": "FAIL"}, "is disabled"),
    "the officer without the role": Break(_take_officers_role, {"OF-01": "FAIL"}, "lacks the realm role"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_preflight_finds_what_was_broken_and_provisioning_mends_it(onboarded: Desk, name: str) -> None:
    secret = onboarded.access().login(Identity.RUNTIME).secret
    broken = BREAKS[name]
    broken.how(onboarded)
    no_clock = onboarded.server.generation == "26" and broken.blind == "KC-02"  # neither a Date header nor a token
    found, blindly = onboarded.preflight(), onboarded.without_admin().preflight()
    assert statuses(found) == ALL_PASS | broken.fails | ({"KC-05": "WARN"} if no_clock else {})
    assert [id for id, result in blindly.items() if result.status == "FAIL"] == [broken.blind] * bool(broken.blind)
    assert any(broken.says in result.evidence for result in (*found.values(), *blindly.values()))

    onboarded.provision()
    _as_it_must_be(onboarded)
    assert onboarded.secret_works(secret)


def test_a_secret_that_was_changed_is_a_question_and_is_set_again_by_force(onboarded: Desk) -> None:
    onboarded.change_client(secret="somebody-elses")
    assert onboarded.preflight()["KC-02"].status == "FAIL"
    wire = Wire()
    with pytest.raises(QuestionForOperator, match="rotate-secret --force"):
        onboarded.provision(wire)
    assert wire.writes == []
    assert onboarded.secret_works("somebody-elses")

    access = onboarded.access()
    stage(access, onboarded.client_id)
    commit(access, Identity.RUNTIME, onboarded.client_id, force=True)
    assert not onboarded.secret_works("somebody-elses")
    _as_it_must_be(onboarded)


def test_a_client_whose_secret_is_not_known_is_a_question_until_the_secret_is_given(desk: Desk) -> None:
    theirs = {**CONFIDENTIAL_CLIENT, "clientId": desk.client_id, "secret": "theirs"}
    desk.admin("POST", "/clients", theirs)
    wire = Wire()
    with pytest.raises(QuestionForOperator, match="its secret is not known here"):
        desk.provision(wire)
    assert wire.writes == ["POST roles", "POST users", "POST realm"]  # the role and the officer do not depend on it

    desk.variables["MOSIP_CLIENT_SECRET"] = "theirs"
    desk.provision()
    assert desk.secret_works("theirs")
    _as_it_must_be(desk)


def test_the_prefix_is_found_and_a_wrong_one_or_a_wrong_realm_is_told(onboarded: Desk) -> None:
    prefix = onboarded.server.prefix
    assert onboarded.access().prefix == prefix
    found = onboarded.preflight(["KC-01"])["KC-01"]
    assert (found.status, ("below /auth" in found.evidence)) == ("PASS", prefix == "/auth")
    for variable, value in (("KEYCLOAK_PATH", {"/auth": "", "": "/auth"}[prefix]), ("MOSIP_REALM", "nowhere")):
        onboarded.variables[variable] = value
        assert onboarded.statuses() == {"KC-01": "FAIL"} | dict.fromkeys(LOOKED_AT[1:], "SKIP")
        del onboarded.variables[variable]
    onboarded.variables["KEYCLOAK_PATH"] = prefix
    assert onboarded.statuses() == ALL_PASS


def test_a_clock_that_is_far_from_ours_is_told(onboarded: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3600)
    found = onboarded.preflight(["KC-05"])["KC-05"]
    assert found.status == "FAIL"
    assert "s apart" in found.evidence


@pytest.mark.parametrize("fault", [Killed, requests.ConnectionError], ids=["killed", "answer lost"])
def test_stopped_after_every_write_it_makes_everything_once(
    desk: Desk, fault: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provisioning, "_LOOK_AGAIN_SECONDS", 0.01)

    def stop() -> None:
        raise fault

    written, again = [], True
    while again:
        wire = Wire(stop)
        try:
            desk.provision(wire)
            again = False
        except Killed:
            assert len(wire.writes) == 1
        written += wire.writes
    assert written == ["POST roles", "POST clients", "POST realm", "POST users", "POST realm"]
    _as_it_must_be(desk)
    roles = [role["name"] for role in desk.admin("GET", "/roles?max=1000")]
    assert roles.count(desk.country.clients.runtime_roles[0]) == 1
    assert desk.provision().steps == []


def test_manage_clients_users_and_realm_provision_view_clients_and_users_look_and_each_is_needed(
    keycloak: RealKeycloak, tmp_path: Path
) -> None:
    """The login of a service account in realm ``mosip``, instead of the administrator's.

    Provisioning needs three client roles of ``realm-management``: ``manage-clients``, ``manage-users`` and
    ``manage-realm``; none of the ``view-*`` beside them. Preflight needs ``view-clients`` and ``view-users``.
    """
    needed = ("manage-clients", "manage-users", "manage-realm")
    manager = _Manager(new_desk(keycloak, tmp_path))
    for left_out in needed:
        country = manager.country_with(*(role for role in needed if role != left_out))
        with pytest.raises(MosipRefused, match="HTTP_403"):
            country.provision()
    manager.country_with(*needed)

    desk, wire = manager.country_with(*needed), Wire()
    desk.provision(wire)
    assert desk.statuses() == ALL_PASS
    assert wire.administered
    for request in wire.administered:
        assert request.headers["Authorization"].startswith("Bearer ")
    assert not any("Cookie" in request.headers for request in wire.sent)

    manager.may("view-clients", "view-users")
    assert desk.statuses() == ALL_PASS
    for role, check in (("view-clients", "OF-01"), ("view-users", "KC-04")):
        manager.may(role)
        assert desk.statuses()[check] == "FAIL"


class _Manager:
    """A service account of realm ``mosip`` that administers it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._id = f"manager-{secrets.token_hex(4)}"
        desk.admin("POST", "/clients", {**CONFIDENTIAL_CLIENT, "clientId": self._id, "secret": "manager-secret"})
        [client] = desk.admin("GET", f"/clients?clientId={self._id}")
        account = desk.admin("GET", f"/clients/{client['id']}/service-account-user")
        [management] = desk.admin("GET", "/clients?clientId=realm-management")
        self._roles = f"/clients/{management['id']}/roles"
        self._mapped = f"/users/{account['id']}/role-mappings/clients/{management['id']}"

    def may(self, *roles: str) -> None:
        """Give it these roles and no other one."""
        if given := self._desk.admin("GET", self._mapped):
            self._desk.admin("DELETE", self._mapped, given)
        self._desk.admin("POST", self._mapped, [self._desk.admin("GET", f"{self._roles}/{role}") for role in roles])

    def country_with(self, *roles: str) -> Desk:
        """A new country whose Keycloak it is to provision with these roles."""
        self.may(*roles)
        desk = new_desk(self._desk.server, self._desk.folder / secrets.token_hex(4))
        del desk.variables["KEYCLOAK_ADMIN_PASSWORD"]
        desk.variables |= {"KEYCLOAK_ADMIN_CLIENT_ID": self._id, "KEYCLOAK_ADMIN_CLIENT_SECRET": "manager-secret"}
        return desk


def test_the_officer_is_told_from_longer_names_and_names_are_kept_in_lower_case(desk: Desk) -> None:
    name = desk.country.officer.user
    for other in (f"{name}-2", f"a-{name}"):
        desk.admin("POST", "/users", {"username": other, "enabled": False})
    assert {user["username"] for user in desk.admin("GET", f"/users?username={name}")} == {f"{name}-2", f"a-{name}"}
    desk.provision()
    assert desk.officer()["username"] == name
    assert desk.client()["clientId"] == desk.client_id != desk.client_id.lower()
    account = desk.admin("GET", desk.account_path())
    assert account["username"] == f"service-account-{desk.client_id}".lower()
    _as_it_must_be(desk)


def test_an_officer_made_by_hand_in_capitals_and_with_the_role_is_found(desk: Desk) -> None:
    name = desk.country.officer.user
    desk.admin("POST", "/users", {"username": name.upper(), "enabled": True})
    role = desk.admin("GET", f"/roles/{desk.country.officer.role}")
    desk.admin("POST", f"/users/{desk.officer()['id']}/role-mappings/realm", [role])
    made = desk.provision()
    assert [item.id for item, _ in made.steps] == ["roles", "runtime", "runtime"]
    _as_it_must_be(desk)


def test_roles_that_a_service_account_has_already_stay_and_are_not_given_again(desk: Desk) -> None:
    desk.admin("POST", "/clients", {**CONFIDENTIAL_CLIENT, "clientId": desk.client_id, "secret": "ours"})
    desk.variables["MOSIP_CLIENT_SECRET"] = "ours"
    given = [desk.admin("GET", f"/roles/{name}") for name in (STOCK_ROLE, "RESIDENT")]
    desk.admin("POST", f"{desk.account_path()}/role-mappings/realm", given)
    made = desk.provision()
    first = desk.country.clients.runtime_roles[0]
    assert [step.what for item, step in made.steps if item.id == "runtime"] == [
        f"realm roles {first} for service-account-{desk.client_id}"
    ]
    assert desk.realm_roles(desk.account_path()) == sorted([first, STOCK_ROLE, "RESIDENT"])


def test_an_officers_address_that_somebody_else_has_is_told_as_keycloak_tells_it(desk: Desk) -> None:
    desk.admin("POST", "/users", {"username": f"{desk.country.officer.user}-2", "email": desk.country.officer.email})
    with pytest.raises(MosipRefused, match="User exists with same email"):
        desk.provision()
    desk.country = msgspec.structs.replace(
        desk.country, officer=msgspec.structs.replace(desk.country.officer, email="")
    )
    desk.provision()
    _as_it_must_be(desk)


def test_a_strict_password_policy_takes_the_officers_password(desk: Desk) -> None:
    before = desk.admin("GET", "")["passwordPolicy"]
    strict = "length(12) and digits(1) and upperCase(1) and lowerCase(1) and specialChars(1) and notUsername(undefined)"
    desk.admin("PUT", "", {"passwordPolicy": strict})
    try:
        desk.provision()
        password = Keeping(desk.folder, "demo").secret(f"user {desk.country.officer.user}")
        who = {"username": desk.country.officer.user, "password": str(password)}
        assert desk.server.token(grant_type="password", client_id="admin-cli", **who).ok
    finally:
        desk.admin("PUT", "", {"passwordPolicy": before})


def test_every_secret_that_is_made_up_has_each_kind_of_character(tmp_path: Path) -> None:
    made = [Keeping(tmp_path, f"country-{number}").make_secret("client") for number in range(60)]
    for kind in (str.islower, str.isupper, str.isdigit, lambda character: not character.isalnum()):
        assert all(any(kind(character) for character in secret) for secret in made)
