"""`/v1/partnermanager/{oidc,oauth}/client`: eSignet clients made through PMS (mosip-onboarding.md §8)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.esignet_clients import EsignetClients, client_id_of
from sandbox.partner_policies import APPROVED
from sandbox.pms import Call, Desk, Refused, Row, pages_of
from sandbox.pms_content import PmsContent

BASE = "/v1/partnermanager"

CLAIM_OF: Mapping[str, str] = {
    "fullname": "name",
    "name": "name",
    "dateofbirth": "birthdate",
    "dob": "birthdate",
    "gender": "gender",
    "email": "email",
    "phone": "phone_number",
    "photo": "picture",
    "face": "picture",
    "addressline1": "address",
    "fulladdress": "address",
    "uin": "individual_id",
}
"""Claims that identity-mapping.json makes of a policy's attributes. A sample; a country has its own."""

UPDATED = ("logoUri", "redirectUris", "grantTypes", "clientAuthMethods", "clientNameLangMap")


def claims_of(policy: Row) -> list[str]:
    """Claims a policy allows."""
    names = (str(attribute["attributeName"]).lower() for attribute in policy["policies"]["allowedKycAttributes"])
    return sorted({CLAIM_OF[name] for name in names if name in CLAIM_OF})


class OidcClientService:
    """Creation, update and lists. V1 and V2 paths serve the same."""

    def __init__(self, desk: Desk, content: PmsContent, esignet: EsignetClients) -> None:
        self._desk = desk
        self._content = content
        self._esignet = esignet

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        read, write = self._desk.read, self._desk.write
        found = [read("GET", f"{BASE}/oauth/client", self.clients, None)]
        for kind in ("oidc", "oauth"):
            path = f"{BASE}/{kind}/client"
            found.append(write("POST", path, self.create, None))
            found.append(read("GET", f"{path}/{{id}}", self.client, None))
            found.append(write("PUT", f"{path}/{{id}}", self.update, None))
        return found

    def create(self, call: Call) -> Row:
        """A client whose id follows from its key.

        eSignet is told first: what it refuses, PMS refuses with eSignet's code.
        """
        name, partner_id = call.text("name", 256), call.text("authPartnerId", 36)
        key = call.body.get("publicKey")
        try:
            client_id = client_id_of(key)
        except ValueError:
            raise Refused("PMS_ESI_007", "Failed to process the Public Key") from None
        if client_id in self._content.rows("oidc_clients"):
            raise Refused("PMS_ESI_001", "Client public key already exists.")
        self._check_partner(partner_id)
        policy = self._policy(call.text("policyId", 36))
        approved = {"partnerId": partner_id, "policyId": policy["id"], "statusCode": APPROVED}
        if not self._content.find("partner_policy_requests", **approved):
            raise Refused("PMS_ESI_002", "Partner policy mapping is not approved. Please check mapping status.")
        client = {
            "id": client_id,
            "name": name,
            "policyId": policy["id"],
            "relyingPartyId": partner_id,
            "publicKey": json.dumps(key, sort_keys=True),
            "claims": self._claims(policy),
            "acrValues": self._acr_values(policy),
            "status": "ACTIVE",
        } | {field: call.body.get(field) for field in UPDATED}
        self._esignet.create(_told(client) | {"publicKey": key}, call.claims.user_id)
        self._content.add("oidc_clients", client, call.claims.user_id)
        return {"clientId": client_id, "status": "ACTIVE"}

    def update(self, call: Call) -> Row:
        """What can be changed. The key cannot: a `publicKey` in the body is not looked at."""
        client = self._client(call.path("id"))
        changed = {field: call.body[field] for field in UPDATED if field in call.body}
        changed |= {"name": call.text("clientName", 256), "status": call.text("status")}
        self._esignet.update(client["id"], _told(client | changed), call.claims.user_id)
        self._content.change(client, call.claims.user_id, **changed)
        return {"clientId": client["id"], "status": client["status"]}

    def client(self, call: Call) -> Row:
        """One client."""
        return self._view(self._client(call.path("id")))

    def clients(self, call: Call) -> Row:
        """All clients of 1.2.2 and later."""
        rows = [self._view(client) | {"clientId": client["id"]} for client in self._content.all("oidc_clients")]
        return pages_of(rows, call.request)

    def _check_partner(self, id: str) -> None:
        partner = self._content.rows("partners").get(id)
        if partner is None:
            raise Refused("PMS_PRT_058", f"AuthPartner doesn't exists with this Id - {id}.")
        if not partner["isActive"]:
            raise Refused("PMS_PMP_016", "Partner is not active.")
        kind = partner["partnerType"]
        if kind != "Auth_Partner":
            text = f"Only Auth_partner can Create OIDC Client. {kind} is not allowed to create OIDC Client."
            raise Refused("PMS_PRT_059", text)

    def _policy(self, id: str) -> Row:
        policy = self._content.rows("policies").get(id)
        if policy is None:
            raise Refused("PMS_PRT_073", "Policy not exists.")
        if policy["policyType"] != "Auth":
            text = "Policy Type Mismatch. Only Auth policy can be used to create OIDC Client."
            raise Refused("PMS_PRT_057", text)
        return policy

    def _claims(self, policy: Row) -> list[str]:
        found = claims_of(policy)
        if not found:
            raise Refused("PMS_ESI_005", "Partner has no user claims")
        return found

    def _acr_values(self, policy: Row) -> list[str]:
        """ACRs of the policy's authentication types, through the mapping file, which the content keeps as rows."""
        kinds = policy["policies"]["allowedAuthTypes"]
        if any(kind["mandatory"] for kind in kinds):
            raise Refused("PMS_ESI_003", "Policy having mandatory auths. So client can't be created for the same.")
        known = self._content.rows("acr_values")
        names = (str(kind["authType"]).lower() for kind in kinds)
        found = sorted({str(known[name]["acr"]) for name in names if name in known})
        if not found:
            raise Refused("PMS_ESI_006", "Partner has no Authentication Context Refrences")
        return found

    def _client(self, id: str) -> Row:
        client = self._content.rows("oidc_clients").get(id)
        if client is None:
            raise Refused("PMS_ESI_004", "Client not exists with given id.")
        return client

    def _view(self, client: Row) -> Row:
        policy = self._content.rows("policies").get(client["policyId"], {})
        hidden = ("crBy", "crDtimes", "updBy", "updDtimes")
        shown = {name: value for name, value in client.items() if name not in hidden}
        return shown | {"policyName": policy.get("name", "")}


def _told(client: Row) -> dict[str, Any]:
    """A client in eSignet's words."""
    return {
        "clientId": client["id"],
        "clientName": client["name"],
        "relyingPartyId": client["relyingPartyId"],
        "userClaims": client["claims"],
        "authContextRefs": client["acrValues"],
        "status": client["status"],
    } | {field: client[field] for field in UPDATED if client.get(field) is not None}
