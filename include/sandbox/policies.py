"""`/v1/policymanager`: policy groups and policies (mosip-onboarding.md §7)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.pms import Call, Desk, Refused, Row, search
from sandbox.pms_content import PmsContent
from sandbox.policy_shapes import check_policy

BASE = "/v1/policymanager/policies"
WRITERS = frozenset({"PARTNER_ADMIN", "POLICYMANAGER"})
READERS = WRITERS | {
    "PARTNER", "AUTH_PARTNER", "CREDENTIAL_PARTNER", "ONLINE_VERIFICATION_PARTNER", "CREDENTIAL_ISSUANCE",
    "CREATE_SHARE", "ID_AUTHENTICATION", "MISP_PARTNER", "REGISTRATION_PROCESSOR", "RESIDENT",
}  # fmt: skip

SCHEMA = "http://config-server/config/*/default/master/auth-policy-schema.json"
YEARS = 200
"""How long a new policy is valid in 1.2.2.x."""


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def is_expired(policy: Row) -> bool:
    """Is `validToDate` over?"""
    return bool(datetime.fromisoformat(policy["validToDate"]) < datetime.now(UTC))


def policy_view(policy: Row, group: Row) -> Row:
    """A policy as GET and publish give it. `schema` tells a published one from a draft."""
    return {
        "policyGroupId": group["id"],
        "policyGroupName": group["name"],
        "policyGroupDesc": group["desc"],
        "policyGroupStatus": group["isActive"],
        "policyGroup_cr_by": group["crBy"],
        "policyGroup_cr_dtimes": group["crDtimes"],
        "policyGroup_up_by": group["updBy"],
        "policyGroup_upd_dtimes": group["updDtimes"],
    } | policy_detail(policy)


def policy_detail(policy: Row) -> Row:
    """A policy without its group."""
    return {
        "policyId": policy["id"],
        "policyName": policy["name"],
        "policyDesc": policy["desc"],
        "policyType": policy["policyType"],
        "publishDate": policy["validFromDate"],
        "validTill": policy["validToDate"],
        "status": "PUBLISHED" if policy["isActive"] else "DRAFTED",
        "version": policy["version"],
        "schema": policy["policySchema"],
        "is_Active": policy["isActive"],
        "cr_by": policy["crBy"],
        "cr_dtimes": policy["crDtimes"],
        "up_by": policy["updBy"],
        "upd_dtimes": policy["updDtimes"],
        "policies": policy["policies"],
    }


def _made(row: Row) -> Row:
    return {
        "id": row["id"],
        "name": row["name"],
        "desc": row["desc"],
        "is_Active": row["isActive"],
        "cr_by": row["crBy"],
        "cr_dtimes": row["crDtimes"],
        "up_by": row["updBy"],
        "upd_dtimes": row["updDtimes"],
    }


class PolicyService:
    """The endpoints of policy management."""

    def __init__(self, desk: Desk, content: PmsContent) -> None:
        self._desk = desk
        self._content = content

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        read, write = self._desk.read, self._desk.write
        return [
            write("POST", f"{BASE}/group/new", self.new_group, WRITERS),
            read("GET", f"{BASE}/group/all", self.groups, READERS),
            read("GET", f"{BASE}/group/{{id}}", self.group, READERS),
            read("POST", f"{BASE}/group/search", self.search_groups, READERS),
            write("POST", BASE, self.new_policy, WRITERS),
            read("GET", BASE, self.policies, READERS),
            read("POST", f"{BASE}/search", self.search_policies, READERS),
            read("GET", f"{BASE}/{{id}}", self.policy, READERS),
            write("PUT", f"{BASE}/{{id}}", self.change_policy, WRITERS),
            write("POST", f"{BASE}/{{id}}/group/{{group}}/publish", self.publish, WRITERS),
            write("PATCH", f"{BASE}/{{id}}/group/{{group}}", self.set_status, WRITERS),
        ]

    def new_group(self, call: Call) -> Row:
        """Born active."""
        name, desc = call.text("name", 128), call.text("desc", 256)
        if self._content.find("policy_groups", name=name):
            raise Refused("PMS_POL_014", f"Policy group exists with name : {name}")
        row = {"id": self._content.new_id(), "name": name, "desc": desc, "isActive": True, "isDeleted": False}
        return _made(self._content.add("policy_groups", row, call.claims.user_id))

    def groups(self, call: Call) -> list[Row]:
        """Every group with its policies."""
        return [self._with_policies(group) for group in self._content.all("policy_groups")]

    def group(self, call: Call) -> Row:
        """One group with its policies."""
        return self._with_policies(self._group(call.path("id")))

    def search_groups(self, call: Call) -> Row:
        """A page of groups."""
        return search(self._content.all("policy_groups"), call.body)

    def new_policy(self, call: Call) -> Row:
        """A draft."""
        kind, name = call.text("policyType"), call.text("name", 128)
        desc, version = call.text("desc", 256), call.text("version", 8)
        group = self._active_group(call.text("policyGroupName", 128))
        if self._content.find("policies", policyGroupId=group["id"], name=name):
            raise Refused("PMS_POL_009", f"Auth policy exists with name : {name}")
        check_policy(kind, call.body.get("policies"))
        now = datetime.now(UTC)
        row = {
            "id": str(call.body.get("policyId") or self._content.new_id()),
            "policyGroupId": group["id"],
            "name": name,
            "desc": desc,
            "policyType": kind,
            "version": version,
            "policies": call.body["policies"],
            "isActive": False,
            "policySchema": None,
            "validFromDate": _text(now),
            "validToDate": _text(now.replace(year=now.year + YEARS, day=min(now.day, 28))),
        }
        return _made(self._content.add("policies", row, call.claims.user_id)) | {"policyGroupName": group["name"]}

    def change_policy(self, call: Call) -> Row:
        """Only a draft; a published policy is immutable."""
        group = self._active_group(call.text("policyGroupName", 128))
        policy = self._policy(call.path("id"), group["id"])
        if policy["policySchema"] is not None:
            raise Refused("PMS_POL_055", "Published policy cannot be updated.")
        name = call.text("name", 128)
        other = self._content.find("policies", policyGroupId=group["id"], name=name)
        if other is not None and other is not policy:
            raise Refused("PMS_POL_009", f"Auth policy exists with name : {name}")
        check_policy(policy["policyType"], call.body.get("policies"))
        desc, version = call.text("desc", 256), call.text("version", 8)
        body = call.body["policies"]
        self._content.change(policy, call.claims.user_id, name=name, desc=desc, version=version, policies=body)
        return _made(policy) | {"policyGroupName": group["name"]}

    def publish(self, call: Call) -> Row:
        """A draft becomes active, for good."""
        group = self._group(call.path("group"))
        policy = self._policy(call.path("id"), group["id"])
        if policy["isActive"]:
            raise Refused("PMS_POL_020", "Can not publish the published policy")
        self._content.change(policy, call.claims.user_id, isActive=True, policySchema=SCHEMA)
        return policy_view(policy, group)

    def set_status(self, call: Call) -> Row:
        """`Active` or `De-active`; a draft cannot become active this way."""
        group = self._group(call.path("group"))
        policy = self._policy(call.path("id"), group["id"])
        status = call.text("status").lower()
        if status not in ("active", "de-active"):
            raise Refused("PMS_POL_045", "Policy Status either Active or De-active.")
        if status == "active" and policy["policySchema"] is None:
            raise Refused("PMS_POL_054", "Cannot activate unpublished policy.")
        self._content.change(policy, call.claims.user_id, isActive=status == "active")
        return {"message": "status updated successfully"}

    def policies(self, call: Call) -> list[Row]:
        """Every policy."""
        return [self._view(policy) for policy in self._content.all("policies")]

    def policy(self, call: Call) -> Row:
        """One policy."""
        policy = self._content.rows("policies").get(call.path("id"))
        if policy is None:
            raise Refused("PMS_POL_008", "Policy ID does not exist")
        return self._view(policy)

    def search_policies(self, call: Call) -> Row:
        """A page of policies."""
        page = search(self._content.all("policies"), call.body)
        return page | {"data": [self._view(policy) for policy in page["data"]]}

    def _view(self, policy: Row) -> Row:
        return policy_view(policy, self._group(policy["policyGroupId"]))

    def _with_policies(self, group: Row) -> Row:
        inside = self._content.all("policies", policyGroupId=group["id"])
        return {"policyGroup": group, "policies": [policy_detail(policy) for policy in inside]}

    def _group(self, id: str) -> Row:
        group = self._content.rows("policy_groups").get(id)
        if group is None:
            raise Refused("PMS_POL_016", "Policy Group ID does not exist")
        return group

    def _active_group(self, name: str) -> Row:
        group = self._content.find("policy_groups", name=name)
        if group is None:
            raise Refused("PMS_POL_019", "Policy group name does not exist")
        if not group["isActive"]:
            raise Refused("PMS_POL_053", "Policy group is not active.")
        return group

    def _policy(self, id: str, group_id: Any) -> Row:
        policy = self._content.rows("policies").get(id)
        if policy is None:
            raise Refused("PMS_POL_008", "Policy ID does not exist")
        if policy["policyGroupId"] != group_id:
            raise Refused("PMS_POL_015", "Policy group and policy not mapped.")
        return policy
