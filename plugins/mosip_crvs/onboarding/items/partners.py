"""Partners: policy, registration, certificates, approval, credential type, API key; the OIDC client of informants.

The private keys are made here and stay here. Between the request and the certificate stands a certification authority,
which is a person's errand: the run waits until the issued certificate lies in the folder for keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mosip_crvs.errors import QuestionForOperator
from mosip_crvs.mosip import partners as pms
from mosip_crvs.onboarding.checks.partners import policy_id
from mosip_crvs.onboarding.country import Partner, Policy
from mosip_crvs.onboarding.items.partner_certificates import authorities_plan, certificate_plan, key_plan
from mosip_crvs.onboarding.items.steps import creating, later, patching
from mosip_crvs.onboarding.provision import Bench, Item, Plan
from mosip_crvs.onboarding.surroundings import Identity


def items_of(partner: Partner) -> tuple[Item, ...]:
    """Give what one partner needs."""

    def item(name: str, title: str, look: Callable[[Bench, Partner], Plan], *needs: str) -> Item:
        ids = tuple(f"{partner.id}/{each}" for each in needs)
        return Item(f"{partner.id}/{name}", title, lambda bench: look(bench, partner), ids)

    return (
        item("group", "policy group", _group),
        item("policy", "policy", _policy, "group"),
        item("partner", "partner", _partner, "group"),
        item("key", "private key and certificate request", key_plan),
        item("authorities", "certification authorities", authorities_plan, "key"),
        item("certificate", "partner's certificate", certificate_plan, "partner", "authorities"),
        item("mapping", "use of the policy", _mapping, "policy", "certificate"),
        *([item("credential-type", "credential type", _credential_type, "mapping")] if partner.credential_type else []),
        *([item("api-key", "API key", _api_key, "mapping")] if partner.api_key else []),
    )


def _group(bench: Bench, partner: Partner) -> Plan:
    name = partner.policy.group
    if bench.partners().policy_group(name) is not None:
        return Plan()
    create = partial(bench.partners().create_policy_group, name, partner.policy.description)
    return Plan([creating(f"policy group {name!r}", pms.CREATE_POLICY_GROUP, create)])


def _policy(bench: Bench, partner: Partner) -> Plan:
    data, wanted = bench.partners(), partner.policy
    row = data.policy_named(wanted.name, wanted.group)
    if row is None:
        return Plan(
            [
                creating(
                    f"{wanted.kind} policy {wanted.name!r}",
                    pms.CREATE_POLICY,
                    lambda: data.create_policy(_policy_request(partner)),
                ),
                patching(f"policy {wanted.name!r}: published", pms.PUBLISH_POLICY, later),
            ]
        )
    found = {f"{partner.id}/policy_id": policy_id(row)}
    policy = data.policy(policy_id(row))
    _check_same(policy, wanted)
    if policy.get("schema"):
        return Plan(found=found)
    group = data.policy_group(wanted.group) or {}
    publish = partial(data.publish_policy, policy_id(row), str(group.get("id")))
    return Plan([patching(f"policy {wanted.name!r}: published", pms.PUBLISH_POLICY, publish)], found)


def _check_same(policy: Mapping[str, Any], wanted: Policy) -> None:
    """Compare a policy that is there with the country file; a release that does not show a part of it is believed.

    :raises QuestionForOperator: when it is another one.
    """
    there = {"policyType": policy.get("policyType"), "policies": policy.get("policies")}
    ours = {"policyType": wanted.kind, "policies": wanted.body}
    other = [name for name in ours if there[name] is not None and there[name] != ours[name]]
    if not other:
        return
    mend = (
        "a published policy cannot be changed: name a successor in the country file (policy.name), or write there what "
        "the policy says"
        if policy.get("schema")
        else "correct this draft in partner management, or name another policy in the country file"
    )
    raise QuestionForOperator(
        f"the policy {wanted.name!r} of the group {wanted.group!r} differs from the country file in "
        f"{' and '.join(other)}; {mend}"
    )


def _policy_request(partner: Partner) -> dict[str, Any]:
    wanted = partner.policy
    return {
        "policyGroupName": wanted.group,
        "policyType": wanted.kind,
        "name": wanted.name,
        "desc": wanted.description,
        "version": wanted.version,
        "policies": wanted.body,
    }


def _partner(bench: Bench, partner: Partner) -> Plan:
    data = bench.partners()
    row = data.partner(partner.id)
    if row is None:
        request = {
            "partnerId": partner.id,
            "policyGroup": partner.policy.group,
            "organizationName": partner.organization,
            "address": partner.address,
            "contactNumber": partner.phone,
            "emailId": partner.email,
            "partnerType": partner.kind,
            "langCode": bench.country.language,
        }
        return Plan(
            [creating(f"{partner.kind} {partner.id}", pms.CREATE_PARTNER, lambda: data.create_partner(request))]
        )
    if str(row.get("partnerType")) != partner.kind:
        raise QuestionForOperator(
            f"the partner {partner.id} is a {row.get('partnerType')}, and one id has one type: choose another id in "
            "the country file"
        )
    organization = row.get("organizationName")
    if organization is not None and organization != partner.organization:
        raise QuestionForOperator(
            f"the partner {partner.id} is registered for {organization!r}, and the country file says "
            f"{partner.organization!r}: certificates are compared with it letter by letter"
        )
    return Plan()


def _mapping(bench: Bench, partner: Partner) -> Plan:
    data, policy = bench.partners(), partner.policy.name
    row = data.policy_named(policy, partner.policy.group)
    rows = data.mappings(partner.id, policy_id(row)) if row else []
    states = {str(each.get("statusCode")).lower(): each for each in rows}
    if "approved" in states:
        return Plan(found={f"{partner.id}/mapping_key": _mapping_key(states["approved"])})
    approve_later = patching(f"use of {policy!r} by {partner.id}: approved", pms.DECIDE_MAPPING, later)
    waiting = states.get("inprogress")
    if waiting is None:
        request = partial(data.request_mapping, partner.id, policy, "Civil registration")
        return Plan([creating(f"use of {policy!r} by {partner.id}", pms.REQUEST_MAPPING, request), approve_later])
    approve = partial(data.approve_mapping, _mapping_key(waiting))
    return Plan([patching(f"use of {policy!r} by {partner.id}: approved", pms.DECIDE_MAPPING, approve)])


def _mapping_key(row: Mapping[str, Any]) -> str:
    return str(row.get("mappingkey") or row.get("apikeyReqID") or row.get("apikeyRequestId") or row.get("id"))


def _credential_type(bench: Bench, partner: Partner) -> Plan:
    data, kind = bench.partners(), partner.credential_type
    row = data.credential_policy(partner.id, kind) or {}
    name = str(row.get("policyName") or row.get("name") or "")
    if name == partner.policy.name:
        return Plan()
    if name:
        raise QuestionForOperator(
            f"{kind} is issued to {partner.id} by the policy {name!r} already, and one type leads to one policy: "
            "choose another credential_type, or name that policy in the country file"
        )
    step = partial(data.map_credential_type, partner.id, kind, partner.policy.name)
    return Plan([creating(f"credential type {kind} of {partner.id}", pms.MAP_CREDENTIAL_TYPE, step)])


def _api_key(bench: Bench, partner: Partner) -> Plan:
    """MOSIP shows an API key once: it is kept here as a secret. A key whose answer was lost is named in a question."""
    name = f"API key {partner.api_key} of {partner.id}"
    if bench.keeping.secret(name):
        return Plan()
    data = bench.partners()
    if any(row["label"] == partner.api_key for row in data.api_keys(partner.id)):
        raise QuestionForOperator(
            f"MOSIP has an API key labelled {partner.api_key!r} of {partner.id} and shows it to nobody again: choose "
            "another label in the country file, and let the old key be switched off"
        )

    def generate() -> None:
        own = bench.partners(Identity.PARTNER_USER)
        bench.keeping.keep_secret(name, own.generate_api_key(partner.id, partner.policy.name, partner.api_key))

    return Plan([creating(name, pms.GENERATE_API_KEY, generate)])
