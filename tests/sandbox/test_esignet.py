"""eSignet: discovery, client management by scope, and who a client is (mosip-onboarding.md §8)."""

from __future__ import annotations

import time
import uuid
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pms_calls import ESIGNET, Desk, new_jwk

CLIENTS = f"{ESIGNET}/client-mgmt/oidc-client"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def wanted(jwk: Any, **changes: Any) -> dict[str, Any]:
    """A request for a client."""
    return {
        "clientId": "portal",
        "clientName": "Registry portal",
        "publicKey": jwk,
        "relyingPartyId": "informants",
        "userClaims": ["name"],
        "authContextRefs": ["mosip:idp:acr:generated-code"],
        "logoUri": "https://crvs.example.org/logo.png",
        "redirectUris": ["https://crvs.example.org/callback"],
        "grantTypes": ["authorization_code"],
        "clientAuthMethods": ["private_key_jwt"],
    } | changes


class Manager:
    """Calls client management with a bearer token."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def call(
        self, method: str, request: Any, id: str | None = None, scope: str | None = None
    ) -> tuple[int, str | None]:
        """Status and the first error's code."""
        scope = scope or {"POST": "add_oidc_client", "PUT": "update_oidc_client"}[method]
        token = self._desk.token(azp="mosip-pms-client", scopes={scope})
        path = CLIENTS if id is None else f"{CLIENTS}/{id}"
        headers = {"Authorization": f"Bearer {token}", "Cookie": ""}
        status, answer, _ = await self._desk.mosip.call(method, path, {"request": request}, headers=headers)
        errors = answer["errors"] if status == 200 else None
        return status, errors[0]["errorCode"] if errors else None


@pytest.fixture
def manager(desk: Desk) -> Manager:
    """Someone with the right scopes."""
    return Manager(desk)


@pytest.fixture
async def key(manager: Manager) -> ec.EllipticCurvePrivateKey:
    """The key of the client `portal`."""
    found, jwk = new_jwk()
    assert await manager.call("POST", wanted(jwk)) == (200, None)
    return found


async def test_discovery_says_what_a_client_must_know(desk: Desk) -> None:
    status, found, _ = await desk.mosip.call(
        "GET", f"{ESIGNET}/oidc/.well-known/openid-configuration", headers={"Cookie": ""}
    )
    assert status == 200
    assert "mosip:idp:acr:knowledge" in found["acr_values_supported"]
    assert found["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert "RS256" in found["token_endpoint_auth_signing_alg_values_supported"]
    assert found["token_endpoint"] == f"{desk.sandbox.url}{ESIGNET}/oauth/v2/token"


async def test_what_is_no_longer_offered_is_neither_shown_nor_taken(desk: Desk, manager: Manager) -> None:
    left = {"acr_values_supported": ["mosip:idp:acr:biometrics"]}
    await desk.edit("esignet_discovery", "openid-configuration", left)
    _, found, _ = await desk.mosip.call("GET", f"{ESIGNET}/oidc/.well-known/openid-configuration")
    assert found["acr_values_supported"] == ["mosip:idp:acr:biometrics"]
    assert await manager.call("POST", wanted(new_jwk()[1])) == (200, "invalid_acr")


async def test_the_scope_of_a_bearer_token_counts_and_a_cookie_does_not(desk: Desk, manager: Manager) -> None:
    request = wanted(new_jwk()[1])
    assert await manager.call("POST", request, scope="update_oidc_client") == (403, None)
    cookie = desk.token("PARTNER_ADMIN", azp="mosip-pms-client", scopes={"add_oidc_client"})
    assert (await desk.mosip.call("POST", CLIENTS, {"request": request}, token=cookie))[0] == 401
    assert await manager.call("POST", request) == (200, None)


async def test_ids_and_keys_are_unique(manager: Manager) -> None:
    jwk = new_jwk()[1]
    assert await manager.call("POST", wanted(jwk)) == (200, None)
    assert await manager.call("POST", wanted(new_jwk()[1])) == (200, "duplicate_client_id")
    assert await manager.call("POST", wanted(jwk, clientId="other")) == (200, "duplicate_public_key")
    assert await manager.call("POST", wanted(new_jwk()[1], clientId="other")) == (200, None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"clientId": ""}, "invalid_client_id"),
        ({"relyingPartyId": None}, "invalid_rp_id"),
        ({"publicKey": {"kty": "RSA"}}, "invalid_public_key"),
        ({"clientName": ""}, "invalid_client_name"),
        ({"userClaims": ["shoe_size"]}, "invalid_claim"),
        ({"authContextRefs": []}, "invalid_acr"),
        ({"authContextRefs": ["mosip:idp:acr:handshake"]}, "invalid_acr"),
        ({"redirectUris": ["https://a.example"] * 6}, "invalid_redirect_uri"),
        ({"redirectUris": ["nowhere"]}, "invalid_redirect_uri"),
        ({"clientAuthMethods": ["client_secret_post"]}, "invalid_client_auth"),
    ],
)
async def test_a_client_that_does_not_fit_is_refused(desk: Desk, manager: Manager, changes: Any, code: str) -> None:
    before = await desk.writes()
    assert await manager.call("POST", wanted(new_jwk()[1]) | changes) == (200, code)
    assert await desk.writes() == before


async def test_an_update_needs_a_known_client_and_a_status(
    desk: Desk, manager: Manager, key: ec.EllipticCurvePrivateKey
) -> None:
    change = wanted(None, clientName="New", status="INACTIVE")
    assert await manager.call("PUT", change, "nobody") == (200, "invalid_client_id")
    assert await manager.call("PUT", change | {"status": "ASLEEP"}, "portal") == (200, "invalid_status")
    assert await manager.call("PUT", change, "portal") == (200, None)
    assert await exchange(desk, key) == "invalid_client"


def asserted(desk: Desk, **changes: Any) -> dict[str, Any]:
    """The claims of a good assertion, or one changed; None leaves a claim out."""
    now = int(time.time())
    claims = {
        "iss": "portal",
        "sub": "portal",
        "aud": f"{desk.sandbox.url}{ESIGNET}/oauth/v2/token",
        "exp": now + 60,
        "iat": now,
        "jti": str(uuid.uuid4()),
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


async def exchange(
    desk: Desk, key: ec.EllipticCurvePrivateKey, claims: dict[str, Any] | None = None, **changes: str
) -> str:
    """The token endpoint's error for a code that nobody was given."""
    form = {
        "grant_type": "authorization_code",
        "code": "unknown",
        "redirect_uri": "https://crvs.example.org/callback",
        "client_id": "portal",
        "client_assertion_type": ASSERTION,
        "client_assertion": jwt.encode(claims or asserted(desk), key, algorithm="ES256"),
    } | changes
    url = f"{desk.sandbox.url}{ESIGNET}/oauth/v2/token"
    async with desk.mosip.http.post(url, data=form) as answer:
        assert answer.status == 400
        return str((await answer.json())["error"])


async def test_a_client_that_proves_itself_only_lacks_a_code(desk: Desk, key: ec.EllipticCurvePrivateKey) -> None:
    assert await exchange(desk, key) == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"sub": "other"},
        {"aud": "https://elsewhere.example"},
        {"exp": int(time.time()) - 60},
        {"iat": int(time.time()) + 3600},
        {"jti": None},
        {"exp": None},
    ],
)
async def test_an_assertion_that_is_not_its_own_is_refused(
    desk: Desk, key: ec.EllipticCurvePrivateKey, changes: dict[str, Any]
) -> None:
    assert await exchange(desk, key, asserted(desk, **changes)) == "invalid_client"


async def test_an_assertion_counts_once(desk: Desk, key: ec.EllipticCurvePrivateKey) -> None:
    claims = asserted(desk)
    assert await exchange(desk, key, claims) == "invalid_grant"
    assert await exchange(desk, key, claims) == "invalid_client"


async def test_another_key_another_client_another_grant(desk: Desk, key: ec.EllipticCurvePrivateKey) -> None:
    assert await exchange(desk, new_jwk()[0]) == "invalid_client"
    assert await exchange(desk, key, client_id="nobody") == "invalid_client"
    assert await exchange(desk, key, client_assertion_type="password") == "invalid_client"
    assert await exchange(desk, key, grant_type="password") == "unsupported_grant_type"
