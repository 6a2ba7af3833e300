"""Partners: what they may be given, the certificates that it is encrypted with, and the OIDC client of informants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from mosip_crvs.mosip import esignet, keymanager
from mosip_crvs.mosip import partners as pms
from mosip_crvs.onboarding import certificates
from mosip_crvs.onboarding.checks.authentication import Gate, turned_away
from mosip_crvs.onboarding.country import Partner, Policy
from mosip_crvs.onboarding.look import Look
from mosip_crvs.onboarding.preflight import Check, Status, Stops, Verdict
from mosip_crvs.onboarding.surroundings import Identity
from mosip_crvs.onboarding.verdicts import date_of, days_left, failed, listed, not_wanted, passed, warned

_CERTIFICATE = "certificate of "


def _each(judge: Callable[[Look, Partner], Verdict]) -> Callable[[Look], Verdict]:
    """Judge every partner that the country wants: the worst verdict counts; all that is well is told, if all is."""

    def judge_all(look: Look) -> Verdict:
        verdicts = [judge(look, partner) for partner in look.country.partners]
        if not verdicts:
            return not_wanted("partner")
        for status in (Status.FAIL, Status.WARN):
            if found := next((each for each in verdicts if each.status is status), None):
                return found
        return passed("; ".join(each.evidence for each in verdicts))

    return judge_all


def _partner_is_approved(look: Look, partner: Partner) -> Verdict:
    said = look.door.ask(pms.PARTNER, partner=partner.id)
    if said.gate_closed:
        return turned_away(look, Gate("partner management", "partner-management", ("PARTNER_ADMIN",)), said)
    row = look.partners.partner(partner.id)
    if row is None:
        return failed(f"no partner {partner.id}", "run provision: it registers the partner")
    if str(row.get("partnerType")) != partner.kind:
        return failed(
            f"{partner.id} is a {row.get('partnerType')}, not a {partner.kind}",
            "a partner's type cannot be changed: choose another partner id in the country file",
        )
    if not is_active(row) and str(row.get("status")).lower() == "approved":
        return failed(
            f"{partner.id} was deactivated",
            "MOSIP takes no deactivated partner back (PMS_PM_063): choose another partner id in the country file",
        )
    if not is_active(row):
        return failed(
            f"{partner.id} is {row.get('status')}, and not active",
            f"upload its certificate, which approves it (provision does it); or PATCH partners/{partner.id} with the "
            "status Active",
        )
    group = str(row.get("policyGroup") or row.get("policyGroupName") or "")
    if group and group != partner.policy.group:
        return failed(
            f"{partner.id} belongs to the policy group {group}, not {partner.policy.group}",
            "a partner's group cannot be changed here: choose another partner id, or this group",
        )
    return passed(f"{partner.id} is approved and active")


def is_active(row: Mapping[str, Any]) -> bool:
    """Say whether a partner is switched on."""
    return row.get("isActive") is True or row.get("is_active") is True


def _policy_is_published(look: Look, partner: Partner) -> Verdict:
    row = look.partners.policy_named(partner.policy.name, partner.policy.group)
    if row is None:
        return failed(f"no policy {partner.policy.name}", "run provision: it makes and publishes the policy")
    policy = look.partners.policy(policy_id(row))
    if not policy.get("schema"):
        return failed(f"the policy {partner.policy.name} is a draft", "publish it: provision does it")
    if policy.get("is_Active") is False:
        return failed(f"the policy {partner.policy.name} is switched off", "switch it on in partner management")
    until = date_of(policy.get("validTill"))
    if until and days_left(until) < 0:
        return failed(
            f"the policy {partner.policy.name} ended on {until.date()}",
            "a published policy cannot be changed: name a successor in the country file and provision it",
        )
    return passed(f"{partner.policy.name} is published")


def policy_id(row: Mapping[str, Any]) -> str:
    """Give a policy's id, as the lists and the single readings name it."""
    return str(row.get("policyId") or row.get("id"))


def _mapping_is_approved(look: Look, partner: Partner) -> Verdict:
    row = look.partners.policy_named(partner.policy.name, partner.policy.group)
    found = look.partners.mappings(partner.id, policy_id(row)) if row else []
    states = {str(each.get("statusCode")).lower() for each in found}
    if "approved" in states:
        return passed(f"{partner.id} may use {partner.policy.name}")
    waiting = listed(sorted(states)) or "not asked for"
    return failed(f"{partner.id} may not use {partner.policy.name}: {waiting}")


def _credential_type_is_mapped(look: Look) -> Verdict:
    partner = look.country.credential_partner
    if partner is None or not partner.credential_type:
        return not_wanted("credential type")
    row = look.partners.credential_policy(partner.id, partner.credential_type)
    name = str((row or {}).get("policyName") or (row or {}).get("name") or "")
    if not name:
        return failed(f"{partner.id} is issued no credential of type {partner.credential_type}")
    if name != partner.policy.name:
        return failed(
            f"{partner.credential_type} is issued to {partner.id} by {name}, not by {partner.policy.name}",
            "one type leads to one policy: choose another credential_type, or name that policy in the country file",
        )
    return passed(f"{partner.credential_type} is issued to {partner.id} by {name}")


def _certificate_is_good(look: Look, partner: Partner) -> Verdict:
    pem = look.partners.certificate(partner.id)
    if pem is None:
        return failed(f"MOSIP has no certificate of {partner.id}")
    certificate = certificates.read(pem)
    left = days_left(certificate.until)
    if left < 0:
        return failed(f"the certificate of {partner.id} ended on {certificate.until.date()}", _renew(partner))
    if certificate.organization != partner.organization:
        return failed(
            f"its organisation is {certificate.organization!r}, and the partner's {partner.organization!r}",
            f"have a certificate issued with O={partner.organization}, letter by letter",
        )
    key = look.keeping.read(certificates.key_file(partner.id))
    if key is not None and not certificates.belongs_to(certificate, key):
        return failed(
            f"MOSIP encrypts to another key than {look.keeping.file(certificates.key_file(partner.id))}",
            "upload the certificate that was made for this key, or put the right key back: credentials cannot be read "
            "otherwise",
        )
    if left < look.country.thresholds.expiry_days:
        return warned(f"the certificate of {partner.id} ends in {left} days", _renew(partner))
    if key is None:
        return warned(
            f"good for {left} days, and its private key is not here",
            f"put it into {look.keeping.file(certificates.key_file(partner.id))}",
        )
    if not certificates.same(look.keeping.read(certificates.mosip_file(partner.id)), pem):
        return warned(
            f"{look.keeping.file(certificates.mosip_file(partner.id)).name} is not the certificate that MOSIP made of "
            "ours, by which what it encrypts is recognised",
            "run provision: it keeps that certificate beside the key",
        )
    return passed(f"{partner.id}: good for {left} days, and the key is ours")


def _renew(partner: Partner) -> str:
    return (
        f"have a new certificate issued for O={partner.organization} and put it into the folder for keys; provision "
        "uploads it. Keep the old key: late credentials are encrypted to it"
    )


def _chain_is_trusted(look: Look, partner: Partner) -> Verdict:
    leaf = look.keeping.read(certificates.leaf_file(partner.id))
    if leaf is None:
        return warned(
            f"the certificate of {partner.id} is not here to be asked about",
            f"put it into {look.keeping.file(certificates.leaf_file(partner.id))}",
        )
    if not look.keymanager.trusts(leaf):
        return failed(f"MOSIP does not trust the chain of {partner.id}'s certificate in {keymanager.TRUST_DOMAIN}")
    return passed(f"the chain of {partner.id} is trusted in {keymanager.TRUST_DOMAIN}")


def _nothing_ends_soon(look: Look) -> Verdict:
    soon = look.country.thresholds.expiry_days
    ends = calendar(look)
    if not ends:
        return not_wanted("certificate")
    known = {"calendar": [(each, str(until.date())) for each, until in ends]}
    # Partners' own certificates are for CT-01 to warn about: one cause, one warning.
    others = [(name, when) for name, when in ends if not name.startswith(_CERTIFICATE)]
    ending = [f"{name} on {when.date()}" for name, when in others if days_left(when) < soon]
    if ending:
        return Verdict(Status.WARN, f"ending: {listed(ending)}", facts=known)
    name, when = ends[0]
    return Verdict(Status.PASS, f"next to end: {name}, on {when.date()}", facts=known)


def calendar(look: Look) -> list[tuple[str, datetime]]:
    """Give what ends some day, by name, the first to end first: certification authorities, certificates, policies."""
    ends: list[tuple[str, datetime]] = []
    for partner in look.country.partners:
        for name in partner.authorities:
            if pem := look.keeping.read(name):
                ends.append((f"authority {name}", certificates.read(pem).until))
        if pem := look.partners.certificate(partner.id):
            ends.append((_CERTIFICATE + partner.id, certificates.read(pem).until))
        ends += _policy_end(look, partner.policy)
    return sorted(set(ends), key=lambda each: each[1])


def _policy_end(look: Look, policy: Policy) -> Iterable[tuple[str, datetime]]:
    row = look.partners.policy_named(policy.name, policy.group)
    until = date_of(row.get("validTill") or row.get("validToDate")) if row else None
    return [(f"policy {policy.name}", until)] if until else []


def _esignet_offers_what_we_need(look: Look) -> Verdict:
    wanted = look.country.relying_party
    if wanted is None:
        return not_wanted("relying party at eSignet")
    found = esignet.discovery(look.esignet)
    missing = sorted(set(wanted.acr) - set(found.get("acr_values_supported", ())))
    if missing:
        return failed(
            f"eSignet does not offer {listed(missing)}",
            f"add {listed(missing)} to amr-acr-mapping.json and acr_values in eSignet's configuration",
        )
    if "private_key_jwt" not in found.get("token_endpoint_auth_methods_supported", ()):
        return failed(
            "eSignet does not let clients authenticate by private_key_jwt",
            "add private_key_jwt to token_endpoint_auth_methods_supported in eSignet's configuration",
        )
    algorithms = found.get("token_endpoint_auth_signing_alg_values_supported", ["RS256"])
    if "RS256" not in algorithms:
        return failed(
            f"eSignet accepts assertions by {listed(algorithms)}, not by RS256",
            "add RS256 to token_endpoint_auth_signing_alg_values_supported",
        )
    return passed(f"eSignet offers {listed(wanted.acr)} and private_key_jwt")


def _oidc_client_is_active(look: Look) -> Verdict:
    wanted = look.country.relying_party
    if wanted is None:
        return not_wanted("relying party at eSignet")
    key = look.keeping.read(certificates.OIDC_KEY_FILE)
    if key is None:
        return failed("no key of an OIDC client is kept here", "run provision: it makes the key and the client")
    client_id = pms.oidc_client_id(certificates.public_key(key))
    client = look.partners.oidc_client(client_id)
    if client is None:
        return failed(f"no OIDC client {client_id}", "run provision: it makes the client")
    if str(client.get("status")).upper() != "ACTIVE":
        return failed(f"the OIDC client {client_id} is {client.get('status')}", "PUT it ACTIVE: provision does it")
    if sorted(client.get("redirectUris", ())) != sorted(wanted.redirect_uris):
        return failed(
            f"its redirect URIs are {listed(client.get('redirectUris', ()))}",
            f"PUT {listed(wanted.redirect_uris)}: provision does it",
        )
    return passed(f"the OIDC client {client_id} is active")


CHECKS: tuple[Check, ...] = (
    Check(
        "PM-01", "our partners are approved, of the right type and group", _each(_partner_is_approved),
        calls=(pms.PARTNER,), identity=Identity.PROVISIONER, needs=("AU-01",), stops=Stops.LATER,
        fix="see that MOSIP_URL leads to partner management",
    ),
    Check(
        "PM-02", "their policies are published and in force", _each(_policy_is_published),
        calls=(pms.POLICIES, pms.POLICY), identity=Identity.PROVISIONER, needs=("PM-01",), stops=Stops.LATER,
        fix="run provision",
    ),
    Check(
        "PM-03", "their use of the policies is approved", _each(_mapping_is_approved),
        calls=(pms.POLICIES, pms.MAPPINGS), identity=Identity.PROVISIONER, needs=("PM-02",), stops=Stops.LATER,
        fix="ask for the mapping and approve its key (PUT partners/policy/{mappingkey}): provision does both",
    ),
    Check(
        "PM-04", "the credential type leads to our policy", _credential_type_is_mapped,
        calls=(pms.CREDENTIAL_TYPE,), identity=Identity.PROVISIONER, needs=("PM-03",), stops=Stops.LATER,
        fix="run provision; if it answers PMS_PRT_072, add the type to pmp.allowed.credential.types and restart",
    ),
    Check(
        "CT-01", "MOSIP has certificates for keys of ours, not about to end", _each(_certificate_is_good),
        calls=(pms.PARTNER_CERTIFICATE,), identity=Identity.PROVISIONER, needs=("PM-01",), stops=Stops.LATER,
        fix="upload the certificate: provision does it",
    ),
    Check(
        "CT-02", "MOSIP trusts the chains of our certificates", _each(_chain_is_trusted),
        calls=(keymanager.VERIFY_TRUST,), identity=Identity.PROVISIONER, needs=("CT-01",), stops=Stops.LATER,
        fix="upload the certification authorities for the domain AUTH, the root first: provision does it. A root needs "
        "twelve months of validity left",
    ),
    Check(
        "CT-03", "no certification authority and no policy ends soon", _nothing_ends_soon,
        calls=(pms.PARTNER_CERTIFICATE, pms.POLICIES), identity=Identity.PROVISIONER, needs=("CT-01", "PM-02"),
        stops=Stops.LATER, fix="in time: put the authority's new certificate and partners' certificates by it into the "
        "folder for keys; a policy cannot be prolonged, so name a successor in the country file. Then provision",
    ),
    Check(
        "ES-01", "eSignet offers the ways to authenticate that we use", _esignet_offers_what_we_need,
        calls=(esignet.DISCOVERY,), stops=Stops.LATER, fix="see that ESIGNET_URL leads to eSignet",
    ),
    Check(
        "ES-02", "our OIDC client is active and leads back to us", _oidc_client_is_active,
        calls=(pms.OIDC_CLIENT,), identity=Identity.PROVISIONER, needs=("PM-01",), stops=Stops.LATER,
        fix="run provision",
    ),
)  # fmt: skip
