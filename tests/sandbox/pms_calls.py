"""A caller of partner management, and what its tests begin with."""

from __future__ import annotations

import json
from typing import Any

import jwt
from certificate_authority import ORGANISATION, Authority, root
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sandbox_calls import Caller

from sandbox.tokens import Subject

POLICIES = "/v1/policymanager/policies"
PARTNERS = "/v1/partnermanager/partners"
OIDC = "/v1/partnermanager/oidc/client"
ESIGNET = "/v1/esignet"
GROUP = "crvs-group"
PARTNER = "opencrvs-partner"
PAGE = {"filters": [], "sort": [], "pagination": {"pageStart": 0, "pageFetch": 10}}

DATA_SHARE: dict[str, Any] = {
    "dataSharePolicies": {
        "typeOfShare": "Data Share",
        "validForInMinutes": "30",
        "transactionsAllowed": "2",
        "encryptionType": "Partner Based",
        "shareDomain": "http://datashare",
        "source": "ID Repository",
    },
    "shareableAttributes": [
        {"attributeName": "UIN", "source": [{"attribute": "UIN", "filter": []}], "encrypted": False}
    ],
}
AUTH: dict[str, Any] = {
    "authTokenType": "policy",
    "allowedAuthTypes": [{"authType": "otp", "mandatory": False}],
    "allowedKycAttributes": [{"attributeName": "fullName"}],
}


class Desk:
    """Calls partner management as different people."""

    def __init__(self, mosip: Caller) -> None:
        self.mosip = mosip
        self.sandbox = mosip.sandbox
        self.configuration = mosip.sandbox.onboarding.configuration
        self.admin = self.token("PARTNER_ADMIN")

    def token(self, *roles: str, azp: str = "mosip-deployment-client", user: str | None = None, **more: Any) -> str:
        """Someone's token; the service account of the client `azp` unless a user is named."""
        subject = Subject(
            id=azp,
            username=user or f"service-account-{azp}",
            azp=azp,
            roles=frozenset(roles),
            scopes=frozenset(more.get("scopes", ())),
            email=more.get("email"),
            is_service=user is None,
        )
        return self.sandbox.office.issue(subject, 600)

    async def do(self, method: str, path: str, request: Any = None, *, token: str | None = None) -> Any:
        """An accepted call's `response`."""
        response, code = await self.ask(method, path, request, token=token)
        assert code is None, (path, code)
        return response

    async def refused(self, method: str, path: str, request: Any = None, *, token: str | None = None) -> str:
        """A refused call's code."""
        response, code = await self.ask(method, path, request, token=token)
        assert response is None
        assert code is not None
        return code

    async def ask(
        self, method: str, path: str, request: Any = None, *, token: str | None = None
    ) -> tuple[Any, str | None]:
        """`response` and the first error's code of an answer, which is HTTP 200 in either case."""
        body = None if request is None else {"id": "string", "version": "v1", "request": request}
        status, answer, _ = await self.mosip.call(method, path, body, token=token or self.admin)
        assert status == 200, (status, answer)
        errors = answer["errors"]
        return answer["response"], errors[0]["errorCode"] if errors else None

    async def status(self, method: str, path: str, token: str) -> int:
        """The HTTP status of an answer to an empty request."""
        return int((await self.mosip.call(method, path, {"request": {}}, token=token))[0])

    async def state(self) -> Any:
        """What partner management and eSignet hold."""
        return (await self.mosip.call("GET", "/sandbox/state"))[1]["pms"]

    async def writes(self) -> int:
        """How many accepted calls changed something."""
        return int((await self.mosip.call("GET", "/sandbox/writes"))[1]["count"])

    async def edit(self, entity: str, id: str, values: Any = None, *, delete: bool = False) -> None:
        """Change a row as an operator at a console would."""
        change = {"entity": entity, "id": id, "set": values or {}, "delete": delete}
        status, answer, _ = await self.mosip.call("POST", "/sandbox/edit", change)
        assert status == 200, answer

    async def group(self, name: str = GROUP) -> str:
        """A new group's id."""
        return (await self.do("POST", f"{POLICIES}/group/new", {"name": name, "desc": "of the registry"}))["id"]

    async def policy(self, name: str = "births", *, kind: str = "DataShare", body: Any = None) -> str:
        """A new draft's id."""
        return (await self.do("POST", POLICIES, policy_request(name, kind, body)))["id"]

    async def published(self, group: str, name: str = "births", *, kind: str = "DataShare", body: Any = None) -> str:
        """A new published policy's id."""
        id = await self.policy(name, kind=kind, body=body)
        await self.do("POST", f"{POLICIES}/{id}/group/{group}/publish")
        return id

    async def active_partner(self, id: str = PARTNER, kind: str = "Credential_Partner") -> Authority:
        """A partner with a certificate, and the CA of it."""
        await self.do("POST", PARTNERS, partner_request(id, partnerType=kind))
        authority = root()
        await self.do("POST", f"{PARTNERS}/certificate/ca/upload", ca_request(authority.pem))
        await self.do("POST", f"{PARTNERS}/certificate/upload", leaf_request(authority.leaf(), id))
        return authority

    async def mapped(self, policy: str = "births", partner: str = PARTNER) -> str:
        """An approved mapping's key."""
        request = {"policyName": policy, "useCaseDescription": "births"}
        key = (await self.do("POST", f"{PARTNERS}/{partner}/policy/map", request))["mappingkey"]
        await self.do("PUT", f"{PARTNERS}/policy/{key}", {"status": "Approved"})
        return str(key)

    async def relying_party(self, body: Any = None) -> str:
        """An Auth partner with an approved Auth policy, whose id this is."""
        group = await self.group()
        policy = await self.published(group, "login", kind="Auth", body=body)
        await self.active_partner("informants", "Auth_Partner")
        await self.mapped("login", "informants")
        return policy


def policy_request(name: str = "births", kind: str = "DataShare", body: Any = None, **changes: Any) -> dict[str, Any]:
    """A request for a policy."""
    chosen = body or (AUTH if kind == "Auth" else DATA_SHARE)
    found = {"policyGroupName": GROUP, "policyType": kind, "name": name, "desc": "d", "version": "1"}
    return found | {"policies": json.loads(json.dumps(chosen))} | changes


def partner_request(id: str = PARTNER, **changes: Any) -> dict[str, Any]:
    """A registration of a partner."""
    return {
        "partnerId": id,
        "policyGroup": GROUP,
        "organizationName": ORGANISATION,
        "address": "Main street 1",
        "contactNumber": "5550100",
        "emailId": f"{id}@example.org",
        "partnerType": "Credential_Partner",
    } | changes


def ca_request(text: str, domain: str = "AUTH") -> dict[str, str]:
    """An upload of a CA."""
    return {"certificateData": text, "partnerDomain": domain}


def leaf_request(text: str, id: str = PARTNER, domain: str = "AUTH") -> dict[str, str]:
    """An upload of a partner's certificate."""
    return {"partnerId": id, "certificateData": text, "partnerDomain": domain}


def new_jwk() -> tuple[ec.EllipticCurvePrivateKey, dict[str, Any]]:
    """A key and its public JWK."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key, jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)


def rsa_jwk(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """The public JWK of an RSA key."""
    return jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)


def client_request(policy: str, jwk: Any, **changes: Any) -> dict[str, Any]:
    """A request for an OIDC client."""
    return {
        "name": "Registry portal",
        "policyId": policy,
        "publicKey": jwk,
        "authPartnerId": "informants",
        "logoUri": "https://crvs.example.org/logo.png",
        "redirectUris": ["https://crvs.example.org/callback"],
        "grantTypes": ["authorization_code"],
        "clientAuthMethods": ["private_key_jwt"],
    } | changes
