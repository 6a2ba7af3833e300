"""The OIDC client by which informants are authenticated at eSignet."""

from __future__ import annotations

from functools import partial

from mosip_crvs.errors import QuestionForOperator
from mosip_crvs.mosip import partners as pms
from mosip_crvs.mosip.partners import oidc_client_id
from mosip_crvs.onboarding import certificates
from mosip_crvs.onboarding.checks.partners import policy_id
from mosip_crvs.onboarding.country import Partner
from mosip_crvs.onboarding.items.steps import creating, later, patching
from mosip_crvs.onboarding.provision import Bench, Change, Item, Plan, Step


def _oidc_key(bench: Bench) -> Plan:
    keeping = bench.keeping
    if keeping.read(certificates.OIDC_KEY_FILE):
        return Plan()
    if known := keeping.ids.get("oidc_client_id"):
        raise QuestionForOperator(
            f"the private key {keeping.file(certificates.OIDC_KEY_FILE)} of the OIDC client {known} is gone: put it "
            f"back from a backup. To begin anew with another client, remove oidc_client_id from {keeping.state_file}"
        )
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
        return Plan([creating(f"OIDC client {wanted.name!r}", pms.CREATE_OIDC_CLIENT, later)])
    client_id = oidc_client_id(certificates.public_key(private))
    there = data.oidc_client(client_id)
    common = {
        "logoUri": wanted.logo,
        "redirectUris": list(wanted.redirect_uris),
        "grantTypes": ["authorization_code"],
        "clientAuthMethods": ["private_key_jwt"],
    }
    if there is None:
        policy = data.policy_named(partner.policy.name, partner.policy.group) or {}
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
