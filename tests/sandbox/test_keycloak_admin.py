"""The realm and Keycloak's admin API (mosip-onboarding.md §1)."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from onboarding_calls import KEYCLOAK, PROVISIONER, Provisioner
from sandbox_calls import Caller

MASTER = "/auth/realms/master/protocol/openid-connect/token"
MOSIP = "/auth/realms/mosip/protocol/openid-connect/token"
ADMIN = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin-secret"}
ROLE = "ONLINE_REGISTRATION_CLIENT"
CLIENT = {
    "clientId": "a-registry",
    "enabled": True,
    "publicClient": False,
    "serviceAccountsEnabled": True,
    "standardFlowEnabled": False,
    "fullScopeAllowed": True,
}


async def login(mosip: Caller, path: str, **form: str) -> tuple[int, dict[str, Any]]:
    """A token request."""
    async with mosip.http.post(mosip.sandbox.url + path, data=form) as answer:
        return answer.status, await answer.json()


class Admin:
    """Keycloak's administrator."""

    def __init__(self, mosip: Caller, token: str) -> None:
        self.mosip = mosip
        self.headers = {"Cookie": "", "Authorization": f"Bearer {token}"}

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any, Any]:
        """Status, body, headers."""
        return await self.mosip.call(method, KEYCLOAK + path, body, headers=self.headers)

    async def get(self, path: str) -> Any:
        """The body of a call that succeeds."""
        status, answer, _ = await self.call("GET", path)
        assert status == 200, answer
        return answer

    async def make(self, path: str, body: Any) -> str:
        """The last part of what was made."""
        status, answer, headers = await self.call("POST", path, body)
        assert status == 201, answer
        assert headers["Location"].startswith(f"{self.mosip.sandbox.url}{KEYCLOAK}{path}/")
        return str(headers["Location"].rsplit("/", 1)[-1])

    async def secret(self, uuid: str) -> str:
        """A client's secret."""
        return str((await self.get(f"/clients/{uuid}/client-secret"))["value"])


@pytest.fixture
async def stock(start: Any) -> Caller:
    """A MOSIP where nothing is onboarded."""
    return await start(onboarded=False)  # type: ignore[no-any-return]


@pytest.fixture
async def admin(stock: Caller) -> Admin:
    """Its Keycloak's administrator."""
    status, answer = await login(stock, MASTER, **ADMIN)
    assert (status, answer["expires_in"]) == (200, 60)
    return Admin(stock, answer["access_token"])


async def test_a_stock_realm_has_no_client_and_no_role_for_civil_registration(admin: Admin) -> None:
    assert (await admin.call("GET", f"/roles/{ROLE}"))[:2] == (404, {"error": "Could not find role"})
    assert await admin.get("/clients?clientId=mosip-crvs1-client") == []
    [found] = await admin.get(f"/clients?clientId={PROVISIONER}")
    account = await admin.get(f"/clients/{found['id']}/service-account-user")
    assert account["username"] == f"service-account-{PROVISIONER}"
    roles = {role["name"] for role in await admin.get(f"/users/{account['id']}/role-mappings/realm")}
    assert roles == {"default-roles-mosip", "ID_AUTHENTICATION", "GLOBAL_ADMIN", "PARTNER_ADMIN"}


async def test_a_client_with_the_role_can_be_made_and_its_token_shows_it(admin: Admin, stock: Caller) -> None:
    await admin.make("/roles", {"name": ROLE})
    uuid = await admin.make("/clients", CLIENT)
    user = (await admin.get(f"/clients/{uuid}/service-account-user"))["id"]
    role = await admin.get(f"/roles/{ROLE}")
    path = f"/users/{user}/role-mappings/realm"
    assert ROLE in {one["name"] for one in await admin.get(f"{path}/available")}
    assert (await admin.call("POST", path, [{"id": role["id"], "name": ROLE}]))[0] == 204
    assert {one["name"] for one in await admin.get(path)} == {"default-roles-mosip", ROLE}
    assert "offline_access" in {one["name"] for one in await admin.get(f"{path}/composite")}
    form = {"grant_type": "client_credentials", "client_id": "a-registry", "client_secret": await admin.secret(uuid)}
    claims = jwt.decode((await login(stock, MOSIP, **form))[1]["access_token"], options={"verify_signature": False})
    assert (claims["azp"], claims["preferred_username"]) == ("a-registry", "service-account-a-registry")
    assert ROLE in claims["realm_access"]["roles"]
    assert "email" not in claims


async def test_a_client_without_full_scope_has_a_token_without_roles(admin: Admin, stock: Caller) -> None:
    uuid = await admin.make("/clients", CLIENT | {"fullScopeAllowed": False})
    form = {"grant_type": "client_credentials", "client_id": "a-registry", "client_secret": await admin.secret(uuid)}
    claims = jwt.decode((await login(stock, MOSIP, **form))[1]["access_token"], options={"verify_signature": False})
    assert claims["realm_access"]["roles"] == []


async def test_what_exists_is_a_conflict_with_keycloaks_own_word_for_it(admin: Admin) -> None:
    await admin.make("/clients", CLIENT)
    await admin.make("/users", {"username": "Somebody", "email": "a@b.example"})
    for path, body, text in (
        ("/roles", {"name": "REGISTRATION_OFFICER"}, "Role with name REGISTRATION_OFFICER already exists"),
        ("/clients", CLIENT, "Client a-registry already exists"),
        ("/users", {"username": "somebody"}, "User exists with same username"),
        ("/users", {"username": "another", "email": "a@b.example"}, "User exists with same email"),
    ):
        assert (await admin.call("POST", path, body))[:2] == (409, {"errorMessage": text})


async def test_a_secret_shows_nowhere_but_in_its_own_call_and_dies_when_it_is_renewed(
    admin: Admin, stock: Caller
) -> None:
    uuid = await admin.make("/clients", CLIENT | {"secret": "chosen-by-us"})
    assert await admin.secret(uuid) == "chosen-by-us"
    for path in (f"/clients/{uuid}", "/clients?clientId=a-registry"):
        assert "chosen-by-us" not in str(await admin.get(path))
    assert "chosen-by-us" not in str(await Provisioner(stock).control("state"))
    form = {"grant_type": "client_credentials", "client_id": "a-registry"}
    assert (await login(stock, MOSIP, **form, client_secret="chosen-by-us"))[0] == 200
    _, fresh, _ = await admin.call("POST", f"/clients/{uuid}/client-secret", {})
    assert (await login(stock, MOSIP, **form, client_secret="chosen-by-us"))[0] == 401
    assert (await login(stock, MOSIP, **form, client_secret=fresh["value"]))[0] == 200
    body = await admin.get(f"/clients/{uuid}") | {"secret": "staged"}
    assert (await admin.call("PUT", f"/clients/{uuid}", body))[0] == 204
    assert (await login(stock, MOSIP, **form, client_secret="staged"))[0] == 200


async def test_turning_service_accounts_off_closes_them_and_a_disabled_client_gets_nothing(
    admin: Admin, stock: Caller
) -> None:
    uuid = await admin.make("/clients", CLIENT | {"secret": "s"})
    form = {"grant_type": "client_credentials", "client_id": "a-registry", "client_secret": "s"}
    for change, status, error in (
        ({"serviceAccountsEnabled": False}, 401, "unauthorized_client"),
        ({"enabled": False}, 401, "invalid_client"),
    ):
        assert (await admin.call("PUT", f"/clients/{uuid}", CLIENT | change))[0] == 204
        answered, answer = await login(stock, MOSIP, **form)
        assert (answered, answer["error"]) == (status, error)
    assert (await admin.call("PUT", f"/clients/{uuid}", CLIENT | {"serviceAccountsEnabled": False}))[0] == 204
    assert (await admin.call("GET", f"/clients/{uuid}/service-account-user"))[0] == 400


async def test_a_public_client_loses_its_secret_and_an_account_that_was_switched_off_its_roles(
    admin: Admin, stock: Caller
) -> None:
    uuid = await admin.make("/clients", CLIENT | {"secret": "s"})
    form = {"grant_type": "client_credentials", "client_id": "a-registry", "client_secret": "s"}
    role = await admin.get("/roles/RESIDENT")
    user = (await admin.get(f"/clients/{uuid}/service-account-user"))["id"]
    assert (await admin.call("POST", f"/users/{user}/role-mappings/realm", [role]))[0] == 204
    for change in ({"publicClient": True}, {"serviceAccountsEnabled": False}):
        assert (await admin.call("PUT", f"/clients/{uuid}", CLIENT | change))[0] == 204
        assert (await admin.call("PUT", f"/clients/{uuid}", CLIENT))[0] == 204
    assert (await login(stock, MOSIP, **form))[0] == 401
    user = (await admin.get(f"/clients/{uuid}/service-account-user"))["id"]
    assert [one["name"] for one in await admin.get(f"/users/{user}/role-mappings/realm")] == ["default-roles-mosip"]


async def test_client_scopes_show_in_the_token_of_a_client_that_has_them(admin: Admin, stock: Caller) -> None:
    uuid = await admin.make("/clients", CLIENT | {"secret": "s"})
    scopes = {scope["name"]: scope["id"] for scope in await admin.get("/client-scopes")}
    path = f"/clients/{uuid}/default-client-scopes"
    assert (await admin.call("PUT", f"{path}/{scopes['add_oidc_client']}"))[0] == 204
    assert "add_oidc_client" in {scope["name"] for scope in await admin.get(path)}
    form = {"grant_type": "client_credentials", "client_id": "a-registry", "client_secret": "s"}
    assert (await login(stock, MOSIP, **form))[1]["scope"].split() == ["add_oidc_client", "email", "profile"]
    assert (await admin.call("PUT", f"{path}/no-such-scope"))[0] == 404


async def test_a_user_is_kept_in_lower_case_and_found_exactly(admin: Admin, stock: Caller) -> None:
    credentials = [{"type": "password", "value": "p", "temporary": False}]
    body = {"username": "CRVS-Officer", "email": "o@b.example", "enabled": True, "credentials": credentials}
    uuid = await admin.make("/users", body)
    await admin.make("/users", {"username": "crvs-officer-2"})
    assert [user["id"] for user in await admin.get("/users?username=CRVS-officer&exact=true")] == [uuid]
    assert len(await admin.get("/users?username=crvs-officer")) == 2
    assert (await admin.get(f"/users/{uuid}"))["username"] == "crvs-officer"
    form = {"grant_type": "password", "client_id": "admin-cli", "username": "crvs-officer", "password": "p"}
    status, answer = await login(stock, MOSIP, **form)
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert (status, claims["preferred_username"], claims["email"]) == (200, "crvs-officer", "o@b.example")
    assert (await admin.call("PUT", f"/users/{uuid}", {"enabled": False}))[0] == 204
    assert (await login(stock, MOSIP, **form))[1]["error"] == "invalid_grant"


async def test_a_wrong_password_and_a_client_without_direct_grants_are_refused(stock: Caller) -> None:
    assert (await login(stock, MASTER, **ADMIN | {"password": "wrong"}))[1]["error"] == "invalid_grant"
    client = {"client_id": PROVISIONER, "client_secret": "deployment-secret"}
    status, answer = await login(stock, MOSIP, **ADMIN | client)
    assert (status, answer["error"]) == (400, "unauthorized_client")


async def test_only_a_bearer_token_of_an_administrator_opens_the_admin_api(stock: Caller, admin: Admin) -> None:
    assert (await stock.call("GET", f"{KEYCLOAK}/roles", headers={"Cookie": ""}))[0] == 401
    cookie = {"Cookie": f"Authorization={admin.headers['Authorization'].removeprefix('Bearer ')}"}
    assert (await stock.call("GET", f"{KEYCLOAK}/roles", headers=cookie))[0] == 401
    stranger = {"Authorization": f"Bearer {stock.sandbox.token(client_id=PROVISIONER)}"}
    assert (await stock.call("GET", f"{KEYCLOAK}/roles", headers=stranger))[0] == 403
    elsewhere = "/auth/admin/realms/elsewhere/roles"
    assert (await stock.call("GET", elsewhere, headers=admin.headers))[:2] == (404, {"error": "Realm not found."})


async def test_a_service_account_with_realm_management_opens_it_too(start: Any) -> None:
    mosip = await start(realm_managers=frozenset({f"service-account-{PROVISIONER}"}))
    keeper = Admin(mosip, mosip.sandbox.token(client_id=PROVISIONER))
    assert (await keeper.get(f"/roles/{ROLE}"))["name"] == ROLE


async def test_a_mapping_of_a_role_whose_id_and_name_do_not_belong_together_is_a_404(admin: Admin) -> None:
    [user] = await admin.get("/users?username=globaladmin&exact=true")
    role = await admin.get("/roles/REGISTRATION_OFFICER")
    wrong = [{"id": role["id"], "name": "REGISTRATION_ADMIN"}]
    path = f"/users/{user['id']}/role-mappings/realm"
    before = await admin.get(path)
    assert (await admin.call("POST", path, wrong))[0] == 404
    assert await admin.get(path) == before


@pytest.mark.parametrize(("prefix", "other"), [("/auth", ""), ("", "/auth")])
async def test_keycloak_lives_below_one_prefix_and_the_other_is_a_404(start: Any, prefix: str, other: str) -> None:
    mosip = await start(keycloak_prefix=prefix)
    discovery = "/realms/mosip/.well-known/openid-configuration"
    status, found, _ = await mosip.call("GET", prefix + discovery)
    assert (status, found["issuer"]) == (200, f"{mosip.sandbox.url}{prefix}/realms/mosip")
    assert (await mosip.call("GET", other + discovery))[0] == 404
    assert (await mosip.call("GET", f"{prefix}/realms/elsewhere/.well-known/openid-configuration"))[0] == 404
