"""Partner management: policies, partners, certificates, OIDC clients (``mosip-onboarding.md`` §6.2, §7, §8)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from mosip_crvs.mosip.codes import Action
from mosip_crvs.mosip.doors import Door, ReadingDoor, Said, must
from mosip_crvs.mosip.endpoints import Read, Write
from mosip_crvs.mosip.keymanager import TRUST_DOMAIN

_POLICY = "/v1/policymanager/policies"
_PARTNER = "/v1/partnermanager/partners"

POLICY_GROUPS = Read("GET", _POLICY + "/group/all")
POLICIES = Read("GET", _POLICY)
POLICY = Read("GET", _POLICY + "/{policy}")
PARTNER = Read("GET", _PARTNER + "/{partner}")
PARTNER_CERTIFICATE = Read("GET", _PARTNER + "/{partner}/certificate")
MAPPINGS = Read("POST", _PARTNER + "/apikey/request/search")
API_KEYS = Read("POST", _PARTNER + "/apikey/search")
CREDENTIAL_TYPE = Read("GET", _PARTNER + "/{partner}/credentialtype/{credential_type}/policies")
OIDC_CLIENT = Read("GET", "/v1/partnermanager/oidc/client/{client}")

CREATE_POLICY_GROUP = Write("POST", _POLICY + "/group/new")
CREATE_POLICY = Write("POST", _POLICY)
PUBLISH_POLICY = Write("POST", _POLICY + "/{policy}/group/{group}/publish")
CREATE_PARTNER = Write("POST", _PARTNER)
ACTIVATE_PARTNER = Write("PATCH", _PARTNER + "/{partner}")
UPLOAD_AUTHORITY = Write("POST", _PARTNER + "/certificate/ca/upload")
UPLOAD_CERTIFICATE = Write("POST", _PARTNER + "/certificate/upload")
REQUEST_MAPPING = Write("POST", _PARTNER + "/{partner}/policy/map")
DECIDE_MAPPING = Write("PUT", _PARTNER + "/policy/{mapping}")
MAP_CREDENTIAL_TYPE = Write("POST", _PARTNER + "/{partner}/credentialtype/{credential_type}/policies/{policy_name}")
GENERATE_API_KEY = Write("PATCH", _PARTNER + "/{partner}/generate/apikey")
CREATE_OIDC_CLIENT = Write("POST", "/v1/partnermanager/oidc/client", time_field="requestTime")
UPDATE_OIDC_CLIENT = Write("PUT", "/v1/partnermanager/oidc/client/{client}", time_field="requestTime")

Row = dict[str, Any]


class PartnersLook:
    """What partner management holds."""

    def __init__(self, door: ReadingDoor) -> None:
        self._door = door

    def policy_group(self, name: str) -> Row | None:
        """Find a policy group by its name, which is unique."""
        return _named(must(self._door.ask(POLICY_GROUPS), "look for the policy group"), name)

    def policy_named(self, name: str, group: str) -> Row | None:
        """Find a policy's summary by its name and the name of its group: other groups may have one of the same name."""
        for row in _listed(must(self._door.ask(POLICIES), "look for the policy")):
            if _policy_name(row) == name and _same(row.get("policyGroupName"), group):
                return row
        return None

    def policy(self, policy_id: str) -> Row:
        """Give a policy whole: with ``schema`` once it is published, ``policies``, ``is_Active`` and ``validTill``."""
        policy: Row = must(self._door.ask(POLICY, policy=policy_id), "look at the policy")
        return policy

    def partner(self, partner_id: str) -> Row | None:
        """Find a partner."""
        return _or_none(self._door.ask(PARTNER, partner=partner_id), f"look for the partner {partner_id!r}")

    def certificate(self, partner_id: str) -> str | None:
        """Give the certificate that MOSIP made of the partner's, PEM; None when none was uploaded."""
        said = self._door.ask(PARTNER_CERTIFICATE, partner=partner_id)
        if not said.succeeded and not said.gate_closed and said.status < 500:
            return None
        found = must(said, "look for the partner's certificate") or {}
        text = found.get("certificateData") or found.get("signedCertificateData")
        return str(text) if text else None

    def mappings(self, partner_id: str, policy_id: str) -> list[Row]:
        """Find the requests to let a partner use a policy, with their ``statusCode``."""
        request = {
            "filters": [{"columnName": "partnerId", "type": "equals", "value": partner_id}],
            "sort": [],
            "pagination": {"pageStart": 0, "pageFetch": 100},
        }
        rows = _listed(must(self._door.ask(MAPPINGS, request), "look for the policy mapping"))
        return [row for row in rows if row.get("partnerId") == partner_id and row.get("policyId") == policy_id]

    def credential_policy(self, partner_id: str, credential_type: str) -> Row | None:
        """Find the policy by which a partner is issued a type of credential."""
        said = self._door.ask(CREDENTIAL_TYPE, partner=partner_id, credential_type=credential_type)
        return _or_none(said, "look for the credential type")

    def api_keys(self, partner_id: str) -> list[Row]:
        """Find a partner's API keys: each with its ``label``, never with the key."""
        request = {
            "filters": [{"columnName": "partnerId", "type": "equals", "value": partner_id}],
            "sort": [],
            "pagination": {"pageStart": 0, "pageFetch": 100},
        }
        rows = _listed(must(self._door.ask(API_KEYS, request), "look for the API keys"))
        # Releases differ in what they call the label.
        return [{**row, "label": row.get("label") or row.get("apiKeyLabel")} for row in rows if _of(row, partner_id)]

    def oidc_client(self, client_id: str) -> Row | None:
        """Find an OIDC client; its id follows from its key."""
        said = self._door.ask(OIDC_CLIENT, client=client_id)
        if not said.succeeded and (said.status == 404 or (said.code or "").startswith(("PMS_ESI_", "PMS_PRT_"))):
            return None
        client: Row | None = must(said, "look for the OIDC client")
        return client


class Partners(PartnersLook):
    """Changes partner management. Whoever calls has looked before."""

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self._writing = door

    def create_policy_group(self, name: str, description: str) -> None:
        """Make a policy group: born active."""
        self._writing.tell(CREATE_POLICY_GROUP, {"name": name, "desc": description})

    def create_policy(self, request: Mapping[str, Any]) -> None:
        """Make the draft of a policy."""
        self._writing.tell(CREATE_POLICY, dict(request))

    def publish_policy(self, policy_id: str, group_id: str) -> None:
        """Publish a draft; it cannot be changed any more."""
        self._writing.tell(PUBLISH_POLICY, policy=policy_id, group=group_id)

    def create_partner(self, request: Mapping[str, Any]) -> None:
        """Register a partner: in progress until its certificate is there."""
        self._writing.tell(CREATE_PARTNER, dict(request))

    def activate_partner(self, partner_id: str) -> None:
        """Switch a partner on again."""
        self._writing.tell(ACTIVATE_PARTNER, {"status": "Active"}, partner=partner_id)

    def upload_authority(self, certificate: str) -> None:
        """Add a certification authority to the trust store, the root before those below it.

        :param certificate: PEM.
        """
        self._writing.tell(UPLOAD_AUTHORITY, {"certificateData": certificate, "partnerDomain": TRUST_DOMAIN})

    def upload_certificate(self, partner_id: str, certificate: str) -> None:
        """Give a partner its certificate; MOSIP signs it anew and approves the partner by it."""
        request = {"partnerId": partner_id, "certificateData": certificate, "partnerDomain": TRUST_DOMAIN}
        self._writing.tell(UPLOAD_CERTIFICATE, request)

    def request_mapping(self, partner_id: str, policy_name: str, reason: str) -> None:
        """Ask to let a partner use a policy."""
        self._writing.tell(
            REQUEST_MAPPING, {"policyName": policy_name, "useCaseDescription": reason}, partner=partner_id
        )

    def approve_mapping(self, mapping_key: str) -> None:
        """Grant such a request."""
        self._writing.tell(DECIDE_MAPPING, {"status": "Approved"}, mapping=mapping_key)

    def map_credential_type(self, partner_id: str, credential_type: str, policy_name: str) -> None:
        """Say by which policy a partner is issued a type of credential."""
        self._writing.tell(
            MAP_CREDENTIAL_TYPE, partner=partner_id, credential_type=credential_type, policy_name=policy_name
        )

    def generate_api_key(self, partner_id: str, policy_name: str, label: str) -> str:
        """Make an API key; MOSIP shows it this once. Only the user named as the partner may."""
        said = self._writing.tell(GENERATE_API_KEY, {"policyName": policy_name, "label": label}, partner=partner_id)
        return str(said.response["apiKey"])

    def create_oidc_client(self, request: Mapping[str, Any]) -> None:
        """Register an OIDC client with eSignet, by way of partner management so that authentication knows it too."""
        self._writing.tell(CREATE_OIDC_CLIENT, dict(request))

    def update_oidc_client(self, client_id: str, request: Mapping[str, Any]) -> None:
        """Change an OIDC client: everything but its key."""
        self._writing.tell(UPDATE_OIDC_CLIENT, dict(request), client=client_id)


def oidc_client_id(public_key: bytes) -> str:
    """Work out the client id that partner management will give to a key.

    :param public_key: SubjectPublicKeyInfo, DER, of an RSA or EC key.
    :return: base64url without padding of the SHA-256 of the key's own standard base64 text.
    """
    digest = hashlib.sha256(base64.b64encode(public_key)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _or_none(said: Said, what: str) -> Row | None:
    if not said.succeeded and said.action is Action.ABSENT:
        return None
    found: Row | None = must(said, what)
    return found


def _of(row: Row, partner_id: str) -> bool:
    return str(row.get("partnerId", partner_id)) == partner_id


def _listed(response: Any) -> list[Row]:
    if isinstance(response, dict):
        response = response.get("data")
    return [row for row in response if isinstance(row, dict)] if isinstance(response, list) else []


def _named(response: Any, name: str) -> Row | None:
    """Find a policy group by its name; names are unique but for their case. Some lists wrap each row once more."""
    for row in _listed(response):
        inner = row.get("policyGroup", row) if isinstance(row.get("policyGroup", row), dict) else row
        if _same(inner.get("name"), name):
            found: Row = inner
            return found
    return None


def _policy_name(row: Row) -> str:
    return str(row.get("policyName") or row.get("name") or "")


def _same(found: Any, name: str) -> bool:
    return str(found or "").lower() == name.lower()
