"""Partners: policy, registration, certificates, approval, credential type, API key; the OIDC client of informants.

The private keys are made here and stay here. Between the request and the certificate stands a certification authority,
which is a person's errand: the run waits until the issued certificate lies in the folder for keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mosip_crvs.errors import QuestionForOperator, StopTheRun
from mosip_crvs.mosip import partners as pms
from mosip_crvs.mosip.partners import oidc_client_id
from mosip_crvs.onboarding import certificates
from mosip_crvs.onboarding.checks.partners import is_active, policy_id
from mosip_crvs.onboarding.country import Partner
from mosip_crvs.onboarding.items.keycloak import creating, patching
from mosip_crvs.onboarding.provision import Bench, Change, Item, Plan, Step
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
        item("key", "private key and certificate request", _key),
        item("authorities", "certification authorities", _authorities, "key"),
        item("certificate", "partner's certificate", _certificate, "partner", "authorities"),
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
    row = data.policy_named(wanted.name)
    if row is None:
        return Plan(
            [
                creating(
                    f"{wanted.kind} policy {wanted.name!r}",
                    pms.CREATE_POLICY,
                    lambda: data.create_policy(_policy_request(partner)),
                ),
                patching(f"policy {wanted.name!r}: published", pms.PUBLISH_POLICY, _later),
            ]
        )
    found = {f"{partner.id}/policy_id": policy_id(row)}
    policy = data.policy(policy_id(row))
    if policy.get("schema"):
        return Plan(found=found)
    group = data.policy_group(wanted.group) or {}
    publish = partial(data.publish_policy, policy_id(row), str(group.get("id")))
    return Plan([patching(f"policy {wanted.name!r}: published", pms.PUBLISH_POLICY, publish)], found)


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


def _later() -> None:
    """Stand for a step that is planned again once what it needs is there."""


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


def _key(bench: Bench, partner: Partner) -> Plan:
    keeping = bench.keeping
    key, request = certificates.key_file(partner.id), certificates.request_file(partner.id)
    private = keeping.read(key)
    steps: list[Step] = []
    if private is None:
        make = Step(
            Change.LOCAL,
            f"private key {keeping.file(key).name}",
            None,
            lambda: keeping.write(key, certificates.new_key()),
        )
        steps.append(make)
    asked = keeping.read(request)
    if asked is None or private is None or not certificates.request_is_for(asked, private):
        steps.append(
            Step(
                Change.LOCAL,
                f"certificate request {keeping.file(request).name}",
                None,
                lambda: keeping.write(request, _signing_request(bench, partner)),
            )
        )
    return Plan(steps)


def _signing_request(bench: Bench, partner: Partner) -> str:
    private = bench.keeping.read(certificates.key_file(partner.id))
    assert private is not None, "the key is made before the request"
    return certificates.signing_request(private, organization=partner.organization, common_name=partner.id)


def _authorities(bench: Bench, partner: Partner) -> Plan:
    keeping = bench.keeping
    leaf = certificates.leaf_file(partner.id)
    missing = [name for name in (*partner.authorities, leaf) if keeping.read(name) is None]
    if missing:
        return Plan(
            gate=f"let your certification authority sign {keeping.file(certificates.request_file(partner.id))} "
            f"(O={partner.organization}, X.509 v3, good for a year or more, the root for more), and put these files, "
            f"in PEM, into the folder for keys: {', '.join(str(keeping.file(name)) for name in missing)}"
        )
    for name in partner.authorities:
        _certificate_in(bench, name)
    signed, _ = _certificate_in(bench, leaf)
    if bench.keymanager.trusts(signed):
        return Plan()
    steps = [_authority(bench, name) for name in partner.authorities]
    left = [step for step in steps if step.what not in bench.uploaded]
    if not left:
        raise QuestionForOperator(
            f"MOSIP was given {', '.join(partner.authorities)} and does not trust {keeping.file(leaf)}: was it signed "
            "by the last of them, and does authorities name every one from the root down?"
        )
    return Plan(left)


def _certificate_in(bench: Bench, name: str) -> tuple[str, certificates.Certificate]:
    """Read a certificate that a person put into the folder for keys: its PEM, and what it says.

    :raises StopTheRun: naming the file, when it is none.
    """
    pem = bench.keeping.read(name) or ""
    try:
        return pem, certificates.read(pem)
    except StopTheRun as problem:
        raise StopTheRun(f"{bench.keeping.file(name)}: {problem}") from None


def _authority(bench: Bench, name: str) -> Step:
    """Upload one authority. No call lists them for everybody; one that is there already is answered as such."""
    what = f"authority {name} for the domain AUTH"

    def upload() -> None:
        bench.partners().upload_authority(bench.keeping.read(name) or "")
        bench.uploaded.add(what)

    return creating(what, pms.UPLOAD_AUTHORITY, upload)


def _certificate(bench: Bench, partner: Partner) -> Plan:
    data, keeping = bench.partners(), bench.keeping
    private = keeping.read(certificates.key_file(partner.id))
    assert private is not None, "the key is made before the certificate"
    leaf, ours = _certificate_in(bench, certificates.leaf_file(partner.id))
    if not certificates.belongs_to(ours, private):
        raise QuestionForOperator(
            f"{keeping.file(certificates.leaf_file(partner.id))} is not for the key beside it: have the request signed "
            "again, or put the right key back"
        )
    mark = f"{partner.id}/certificate"
    uploaded = keeping.ids.get(mark)
    there = data.partner(partner.id)
    signed = data.certificate(partner.id) if there else None
    if (
        signed is None
        or certificates.read(signed).public_key != ours.public_key
        or uploaded not in (None, ours.fingerprint)
    ):

        def upload() -> None:
            data.upload_certificate(partner.id, leaf)
            keeping.pin({mark: ours.fingerprint})

        return Plan([creating(f"certificate of {partner.id}", pms.UPLOAD_CERTIFICATE, upload)])
    if there is not None and not is_active(there):
        activate = partial(data.activate_partner, partner.id)
        return Plan([patching(f"partner {partner.id}: active", pms.ACTIVATE_PARTNER, activate)])
    return Plan(found={mark: ours.fingerprint})


def _mapping(bench: Bench, partner: Partner) -> Plan:
    data, policy = bench.partners(), partner.policy.name
    row = data.policy_named(policy)
    rows = data.mappings(partner.id, policy_id(row)) if row else []
    states = {str(each.get("statusCode")).lower(): each for each in rows}
    if "approved" in states:
        return Plan(found={f"{partner.id}/mapping_key": _mapping_key(states["approved"])})
    approve_later = patching(f"use of {policy!r} by {partner.id}: approved", pms.DECIDE_MAPPING, _later)
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


def _oidc_key(bench: Bench) -> Plan:
    keeping = bench.keeping
    if keeping.read(certificates.OIDC_KEY_FILE):
        return Plan()
    make = Step(
        Change.LOCAL,
        "private key of the OIDC client",
        None,
        lambda: keeping.write(certificates.OIDC_KEY_FILE, certificates.new_key()),
    )
    return Plan([make])


def _oidc_client(bench: Bench) -> Plan:
    wanted, partner = bench.country.relying_party, bench.country.authentication_partner
    assert wanted is not None
    assert partner is not None, "the country file was checked"
    data = bench.partners()
    private = bench.keeping.read(certificates.OIDC_KEY_FILE)
    if private is None:
        return Plan([creating(f"OIDC client {wanted.name!r}", pms.CREATE_OIDC_CLIENT, _later)])
    client_id = oidc_client_id(certificates.public_key(private))
    there = data.oidc_client(client_id)
    common = {
        "logoUri": wanted.logo,
        "redirectUris": list(wanted.redirect_uris),
        "grantTypes": ["authorization_code"],
        "clientAuthMethods": ["private_key_jwt"],
    }
    if there is None:
        policy = data.policy_named(partner.policy.name) or {}
        request = {
            **common,
            "name": wanted.name,
            "policyId": policy_id(policy),
            "publicKey": certificates.jwk(private),
            "authPartnerId": partner.id,
        }
        create = partial(data.create_oidc_client, request)
        return Plan([creating(f"OIDC client {wanted.name!r}", pms.CREATE_OIDC_CLIENT, create)])
    found = {"oidc_client_id": client_id}
    same = sorted(there.get("redirectUris", ())) == sorted(wanted.redirect_uris)
    if same and str(there.get("status")).upper() == "ACTIVE":
        return Plan(found=found)
    request = {**common, "clientName": wanted.name, "status": "ACTIVE"}
    update = partial(data.update_oidc_client, client_id, request)
    return Plan([patching(f"OIDC client {wanted.name!r}: active, redirects", pms.UPDATE_OIDC_CLIENT, update)], found)


def oidc_items(partner: Partner) -> tuple[Item, ...]:
    """Give what informants' authentication needs beyond its partner."""
    needs = ("oidc-key", f"{partner.id}/mapping")
    return (Item("oidc-key", "OIDC client's key", _oidc_key), Item("oidc-client", "OIDC client", _oidc_client, needs))
