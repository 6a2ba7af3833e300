"""`/v1/partnermanager`: what a partner may have: mappings, credential types, API keys (mosip-onboarding.md §7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aiohttp import web

from sandbox.configuration import Configuration
from sandbox.partners import ADMINS, BASE, IN_PROGRESS, active_partner, existing_partner
from sandbox.pms import Call, Desk, Refused, Row, pages_of, search
from sandbox.pms_content import PmsContent
from sandbox.policies import is_expired, policy_detail
from sandbox.wire import now_text

MAPPERS = frozenset(
    {
        "AUTH_PARTNER", "ABIS_PARTNER", "CREDENTIAL_PARTNER", "CREDENTIAL_ISSUANCE", "ONLINE_VERIFICATION_PARTNER",
        "PARTNER_ADMIN",
    }
)  # fmt: skip
KEY_MAKERS = MAPPERS - {"PARTNER_ADMIN"}
SEARCHERS = frozenset(
    {
        "PARTNER", "PMS_USER", "AUTH_PARTNER", "ABIS_PARTNER", "CREDENTIAL_PARTNER", "PARTNER_ADMIN",
        "ONLINE_VERIFICATION_PARTNER",
    }
)  # fmt: skip
TYPERS = frozenset(
    {
        "PARTNER", "CREDENTIAL_PARTNER", "PARTNER_ADMIN", "CREDENTIAL_ISSUANCE", "CREATE_SHARE",
        "ONLINE_VERIFICATION_PARTNER",
    }
)  # fmt: skip

TYPED_PARTNERS = ("Credential_Partner", "Online_Verification_Partner", "Auth_Partner")
APPROVED = "approved"
REJECTED = "rejected"
KEY_DAYS = 999_999
"""`mosip.pmp.partner.policy.expiry.period.indays` as shipped; it would end after the year 4700."""


def policy_of(content: PmsContent, partner: Row, name: str) -> Row:
    """A usable policy of the partner's group.

    :raises Refused: if there is none of that name in the group, or it is a draft, expired, or in a group that is not
        active.
    """
    if partner["policyGroupId"] is None:
        raise Refused("PMS_PRT_047", "Partner is not mapped to policy group")
    policy = content.find("policies", policyGroupId=partner["policyGroupId"], name=name)
    if policy is None:
        raise Refused("PMS_PRT_098", "Given policy doesn't exists under partner's policy group.")
    if not policy["isActive"]:
        raise Refused("PMS_PMP_019", "Policy is not active.")
    if is_expired(policy):
        raise Refused("PMS_PMP_018", "Policy expired.")
    if not content.rows("policy_groups")[policy["policyGroupId"]]["isActive"]:
        raise Refused("PMS_PMP_023", "Policy group is not active.")
    return policy


class PartnerPolicyService:
    """The endpoints between a partner and a policy."""

    def __init__(self, desk: Desk, content: PmsContent, configuration: Configuration) -> None:
        self._desk = desk
        self._content = content
        self._configuration = configuration

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        read, write = self._desk.read, self._desk.write
        typed = f"{BASE}/{{partner}}/credentialtype/{{type}}/policies"
        return [
            write("POST", f"{BASE}/{{partner}}/policy/map", self.map_policy, MAPPERS),
            write("PUT", f"{BASE}/policy/{{key}}", self.decide, ADMINS),
            read("POST", f"{BASE}/apikey/request/search", self.search_requests, SEARCHERS),
            read("GET", "/v1/partnermanager/partner-policy-requests", self.requests, SEARCHERS),
            write("POST", f"{typed}/{{policy}}", self.map_type, TYPERS),
            read("GET", typed, self.policy_of_type, TYPERS),
            write("PATCH", f"{BASE}/{{partner}}/generate/apikey", self.new_key, KEY_MAKERS),
            read("POST", f"{BASE}/apikey/search", self.search_keys, SEARCHERS),
            read("GET", "/v1/partnermanager/partner-api-keys", self.keys, SEARCHERS),
        ]

    def map_policy(self, call: Call) -> Row:
        """A request that stays in progress until someone approves it."""
        partner = active_partner(self._content, call.path("partner"))
        detail = call.text("useCaseDescription")
        policy = policy_of(self._content, partner, call.text("policyName"))
        for request in self._content.all("partner_policy_requests", partnerId=partner["id"], policyId=policy["id"]):
            if request["statusCode"] == IN_PROGRESS:
                raise Refused("PMS_PRT_053", "This policy is already pending for approval against your partner ID.")
            if request["statusCode"] == APPROVED:
                raise Refused("PMS_PRT_060", "This policy has already been approved against your partner ID.")
        row = {
            "id": self._content.new_id(6),
            "partnerId": partner["id"],
            "policyId": policy["id"],
            "requestDetail": detail,
            "requestDatetimes": now_text(),
            "statusCode": IN_PROGRESS,
            "isDeleted": False,
        }
        self._content.add("partner_policy_requests", row, call.claims.user_id)
        return {"mappingkey": row["id"], "message": "Policy mapping request submitted successfully."}

    def decide(self, call: Call) -> Row:
        """Approve or reject, once."""
        request = self._content.rows("partner_policy_requests").get(call.path("key"))
        status = call.text("status").lower()
        if status not in (APPROVED, REJECTED):
            raise Refused("PMS_PM_045", "Status should be either Approved or Rejected")
        if request is None:
            raise Refused("PMS_PMP_007", "Partner api key does not exist")
        if request["statusCode"] == APPROVED:
            raise Refused("PMS_PM_034", "Policy request already approved.")
        if request["statusCode"] == REJECTED:
            raise Refused("PMS_PM_035", "Policy request already rejected.")
        active_partner(self._content, request["partnerId"])
        self._content.change(request, call.claims.user_id, statusCode=status)
        return {"message": f"Policy mapping {status} successfully"}

    def search_requests(self, call: Call) -> Row:
        """A page of requests."""
        rows = [
            {"apikeyRequestId": row["id"]} | {name: value for name, value in row.items() if name != "id"}
            for row in self._content.all("partner_policy_requests")
        ]
        return search(rows, call.body)

    def requests(self, call: Call) -> Row:
        """Requests of 1.2.2 and later; filters are parts of the query, texts match anywhere and in any case."""
        rows = [self._summary(row) for row in self._content.all("partner_policy_requests")]
        asked = {
            name: text.lower()
            for name, text in call.request.query.items()
            if name in ("partnerId", "policyId", "policyName", "policyGroupName", "orgName", "partnerType", "status")
        }
        found = [row for row in rows if all(text in str(row[name]).lower() for name, text in asked.items())]
        return pages_of(found, call.request)

    def map_type(self, call: Call) -> str:
        """Mapping the same again is no error: the row is written over."""
        kind = call.path("type")
        allowed = self._configuration.credential_types
        if kind.lower() not in {known.lower() for known in allowed}:
            listed = ",".join(sorted(allowed))
            text = f"Given credential type is not allowed. Allowed credential types : {listed}"
            raise Refused("PMS_PRT_072", text)
        partner = active_partner(self._content, call.path("partner"))
        if partner["partnerType"] not in TYPED_PARTNERS:
            listed = ",".join(TYPED_PARTNERS)
            raise Refused("PMS_PRT_070", f"Credential mapping allowed only for :{listed}")
        policy = policy_of(self._content, partner, call.path("policy"))
        row = {
            "id": f"{partner['id']}/{kind}/{policy['id']}",
            "partnerId": partner["id"],
            "credentialType": kind,
            "policyId": policy["id"],
            "isActive": True,
        }
        self._content.add("credential_types", row, call.claims.user_id)
        return "Partner, policy and credentialType mapping done successfully."

    def policy_of_type(self, call: Call) -> Row:
        """The one policy. Two rows for a partner and type break the look-up, as they do in MOSIP."""
        partner_id, kind = call.path("partner"), call.path("type")
        rows = list(self._content.all("credential_types", partnerId=partner_id, credentialType=kind))
        if not rows:
            raise Refused("PMS_PRT_064", "No details found")
        if len(rows) > 1:
            raise Refused("PMS_PRT_500", "query did not return a unique result: 2")
        policy = self._content.rows("policies").get(rows[0]["policyId"])
        if policy is None:
            raise Refused("PMS_PRT_073", "Policy not exists.")
        return {"partnerId": partner_id, "credentialType": kind} | policy_detail(policy)

    def new_key(self, call: Call) -> Row:
        """An API key, for a user named as the partner: no service account is."""
        partner = existing_partner(self._content, call.path("partner"))
        if call.claims.user_id != partner["id"]:
            raise Refused("PMS_PRT_055", "User not authorized.")
        active_partner(self._content, partner["id"])
        label = call.text("label", 36)
        policy = policy_of(self._content, partner, call.text("policyName"))
        approved = {"partnerId": partner["id"], "policyId": policy["id"], "statusCode": APPROVED}
        if not self._content.find("partner_policy_requests", **approved):
            raise Refused("PMS_PRT_109", "Given policy is not mapped to partner")
        if self._content.find("api_keys", partnerId=partner["id"], policyId=policy["id"], label=label):
            raise Refused("PMS_PRT_110", "Given label already exists.Provide unique label.")
        row = {
            "id": self._content.new_id(),
            "apiKey": self._content.new_key(),
            "label": label,
            "partnerId": partner["id"],
            "policyId": policy["id"],
            "isActive": True,
            "validFromDatetime": now_text(),
            "validToDatetime": (datetime.now(UTC) + timedelta(days=KEY_DAYS)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        self._content.add("api_keys", row, call.claims.user_id)
        return {"apiKey": row["apiKey"], "label": label, "policyId": policy["id"], "partnerId": partner["id"]}

    def search_keys(self, call: Call) -> Row:
        """A page of API keys, without the keys."""
        return search([_key_view(row) for row in self._content.all("api_keys")], call.body)

    def keys(self, call: Call) -> Row:
        """API keys of 1.3 and later, without the keys."""
        rows = [_key_view(row) for row in self._content.all("api_keys")]
        return pages_of(rows, call.request)

    def _summary(self, row: Row) -> Row:
        partner = self._content.rows("partners").get(row["partnerId"], {})
        policy = self._content.rows("policies").get(row["policyId"], {})
        group = self._content.rows("policy_groups").get(policy.get("policyGroupId", ""), {})
        return {
            "id": row["id"],
            "partnerId": row["partnerId"],
            "partnerStatus": "activated" if partner.get("isActive") else "deactivated",
            "partnerType": partner.get("partnerType"),
            "orgName": partner.get("organizationName"),
            "policyId": row["policyId"],
            "policyName": policy.get("name"),
            "policyDescription": policy.get("desc"),
            "policyGroupId": group.get("id"),
            "policyGroupName": group.get("name"),
            "policyGroupDescription": group.get("desc"),
            "partnerComment": row["requestDetail"],
            "status": row["statusCode"],
            "createdDateTime": row["crDtimes"],
            "updatedDateTime": row["updDtimes"],
        }


def _key_view(row: Row) -> Row:
    hidden = ("id", "apiKey", "label")
    return {"apiKeyLabel": row["label"]} | {name: value for name, value in row.items() if name not in hidden}
