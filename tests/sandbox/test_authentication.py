"""Tokens and who may use them where (mosip-packets.md §1.7, §10)."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import jwt
import pytest
from jwt.algorithms import RSAAlgorithm
from sandbox_calls import READ, STATUS, TRIGGER, Caller
from sandbox_samples import birth, new_aid, trigger

from sandbox.settings import Client

TOKEN = "/auth/realms/mosip/protocol/openid-connect/token"
CLIENT = {"client_id": "mosip-crvs1-client", "client_secret": "sandbox-secret"}
KEY = "/v1/authmanager/authenticate/clientidsecretkey"


async def form(mosip: Caller, **values: str) -> tuple[int, dict[str, Any]]:
    """A token request."""
    async with mosip.http.post(mosip.sandbox.url + TOKEN, data=values) as answer:
        return answer.status, await answer.json()


async def test_keycloak_gives_a_signed_token_with_the_client_and_its_roles(mosip: Caller) -> None:
    status, answer = await form(mosip, grant_type="client_credentials", **CLIENT)
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 86400)
    _, found, _ = await mosip.call("GET", "/auth/realms/mosip/.well-known/openid-configuration")
    async with mosip.http.get(found["jwks_uri"]) as keys:
        key = RSAAlgorithm.from_jwk((await keys.json())["keys"][0])
    claims = jwt.decode(answer["access_token"], key, algorithms=["RS256"], audience="account", issuer=found["issuer"])  # type: ignore[arg-type]
    assert claims["azp"] == "mosip-crvs1-client"
    assert claims["preferred_username"] == "service-account-mosip-crvs1-client"
    assert "ONLINE_REGISTRATION_CLIENT" in claims["realm_access"]["roles"]


@pytest.mark.parametrize(
    ("values", "status", "error"),
    [
        ({"grant_type": "client_credentials", **CLIENT, "client_secret": "wrong"}, 401, "unauthorized_client"),
        ({"grant_type": "client_credentials", **CLIENT, "client_id": "stranger"}, 401, "invalid_client"),
        ({**CLIENT}, 400, "invalid_request"),
        ({"grant_type": "magic", **CLIENT}, 400, "unsupported_grant_type"),
    ],
)
async def test_keycloak_refuses_as_keycloak_does(
    mosip: Caller, values: dict[str, str], status: int, error: str
) -> None:
    assert (await form(mosip, **values))[0] == status
    assert (await form(mosip, **values))[1]["error"] == error


async def test_keycloak_takes_basic_authentication_too(mosip: Caller) -> None:
    headers = {"Authorization": aiohttp.encode_basic_auth(*CLIENT.values())}
    url, form = mosip.sandbox.url + TOKEN, {"grant_type": "client_credentials"}
    async with mosip.http.post(url, data=form, headers=headers) as answer:
        assert answer.status == 200


def asked(**changes: str) -> dict[str, Any]:
    """A clientidsecretkey body."""
    return {
        "request": {"clientId": CLIENT["client_id"], "secretKey": CLIENT["client_secret"], "appId": "regproc"} | changes
    }


async def test_authmanager_puts_the_token_in_header_and_cookie_but_never_in_the_body(mosip: Caller) -> None:
    status, answer, headers = await mosip.call("POST", KEY, asked())
    token = headers["Authorization"]
    assert (status, answer["response"]["status"]) == (200, "Success")
    assert headers["Set-Cookie"].startswith(f"Authorization={token};")
    assert token not in str(answer)
    assert (await mosip.create(birth(new_aid()), token=token))[1]["response"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (asked(secretKey="wrong"), 500, "500"),
        (asked(clientId="stranger"), 500, "500"),
        (asked(appId="unheard-of"), 200, "KER-ATH-026"),
        (asked(appId=" "), 200, "KER-ATH-019"),
        (b"{", 200, "KER-ATH-019"),
    ],
)
async def test_authmanager_refuses_oddly(mosip: Caller, body: Any, status: int, code: str) -> None:
    answered, answer, headers = await mosip.call("POST", KEY, body)
    assert (answered, answer["errors"][0]["errorCode"], "Set-Cookie" in headers) == (status, code, False)


async def test_validate_token_names_the_user_and_the_roles(mosip: Caller) -> None:
    path = "/v1/authmanager/authorize/admin/validateToken"
    _, answer, _ = await mosip.call("GET", path)
    assert answer["response"]["userId"] == "service-account-mosip-crvs1-client"
    assert "ONLINE_REGISTRATION_CLIENT" in answer["response"]["role"].split(",")
    assert (await mosip.call("GET", path, token="nonsense"))[0] == 401


SPRING, VERTX = "spring", "vertx"


async def knock(mosip: Caller, kind: str, headers: dict[str, str]) -> int:
    """The status of a call with these headers."""
    aid = new_aid()
    call = mosip.create(birth(aid), headers=headers) if kind == SPRING else mosip.trigger(trigger(aid), headers=headers)
    return (await call)[0]


@pytest.mark.parametrize(
    ("cookie", "spring", "vertx"),
    [
        ("Authorization={token}", 200, 200),
        ("Authorization={token}; other=1", 200, 200),
        ("other=1; Authorization={token}", 200, 401),
        ("XAuthorizationX={token}", 200, 401),
        ("authorization={token}", 401, 401),
        ("Authorization=nonsense", 401, 401),
        ("", 401, 401),
    ],
)
async def test_only_the_cookie_counts_and_for_vertx_it_must_come_first(
    mosip: Caller, cookie: str, spring: int, vertx: int
) -> None:
    headers = {"Cookie": cookie.format(token=mosip.token)}
    assert (await knock(mosip, SPRING, headers), await knock(mosip, VERTX, headers)) == (spring, vertx)


async def test_a_bearer_header_is_ignored(mosip: Caller) -> None:
    headers = {"Cookie": "", "Authorization": f"Bearer {mosip.token}"}
    status, answer, _ = await mosip.create(birth(new_aid()), headers=headers)
    assert (status, answer["errors"]) == (401, [{"errorCode": "KER-ATH-401", "message": "Authentication Failed"}])


async def test_an_expired_or_foreign_token_is_a_401(mosip: Caller, start: Any) -> None:
    other = await start()
    for token in (mosip.sandbox.token(seconds=-1), other.token, mosip.token[:-4] + "AAAA"):
        assert (await mosip.create(birth(new_aid()), token=token))[0] == 401


async def test_a_token_expires_while_it_is_used(start: Any) -> None:
    mosip = await start(token_seconds=1)
    assert (await mosip.create(birth(new_aid())))[0] == 200
    await asyncio.sleep(1.1)
    assert (await mosip.create(birth(new_aid())))[0] == 401


async def test_with_the_default_role_one_can_create_and_trigger_and_nothing_else(start: Any) -> None:
    mosip = await start(client_roles=frozenset({"ONLINE_REGISTRATION_CLIENT"}))
    aid = await mosip.submit(birth(new_aid()))
    for path in (
        *(
            READ + name
            for name in ("/searchField", "/searchFields", "/metaInfo", "/info", "/audits", "/validatePacket")
        ),
        *(STATUS + name for name in ("/search", "/externalstatus/search", "/packetexternalstatus")),
    ):
        status, answer, _ = await mosip.call("POST", path, {"request": {"id": aid}})
        assert (status, answer["errors"]) == (403, [{"errorCode": "KER-ATH-403", "message": "Forbidden"}])
    assert (await mosip.call("GET", f"/registrationprocessor/v1/registrationtransaction/search/{aid}"))[0] == 403


async def test_the_right_role_from_the_wrong_client_is_a_403(start: Any) -> None:
    stranger = Client("somebody", "s", frozenset({"ONLINE_REGISTRATION_CLIENT", "REGISTRATION_PROCESSOR"}))
    mosip = await start(other_clients=(stranger, Client("mosip-regproc-client", "s", frozenset())))
    token = mosip.sandbox.token(client_id="somebody")
    assert (await mosip.create(birth(new_aid()), token=token))[0] == 403
    assert (await mosip.call("POST", TRIGGER, trigger(new_aid()), token=token))[0] == 403
