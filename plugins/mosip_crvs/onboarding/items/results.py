"""How results come back: the client that is named as the partner, and the subscription."""

from __future__ import annotations

from functools import partial

from mosip_crvs.errors import MosipRefused
from mosip_crvs.ledger import subscriptions
from mosip_crvs.mosip.endpoints import Write
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.onboarding import certificates
from mosip_crvs.onboarding.items.gates import attestable
from mosip_crvs.onboarding.items.keycloak import client_plan
from mosip_crvs.onboarding.items.steps import creating
from mosip_crvs.onboarding.provision import Bench, Change, Item, Plan, Step
from mosip_crvs.onboarding.surroundings import Identity
from mosip_crvs.reconciliation.subscribing import TOPICS, ensure_subscribed

SUBSCRIBE = Write("POST", "/hub/", enveloped=False)


def _subscriber(bench: Bench) -> Plan:
    partner = bench.country.credential_partner
    assert partner is not None, "the item is there only with a partner"
    return client_plan(bench, partner.id, Identity.SUBSCRIBER, bench.country.subscriber.roles)


def _signers(bench: Bench) -> Plan:
    """Keep the certificates of MOSIP's signatures: the runtime client may not ask the key manager for them."""
    keeping, name = bench.keeping, certificates.SIGNERS_FILE
    try:
        told = bench.keymanager.signature_certificates()
    except MosipRefused:
        return Plan(unseen=True)  # credentials are then taken with a warning, until a person puts the file there
    if not told or keeping.read(name) == told:
        return Plan()
    step = Step(Change.LOCAL, f"MOSIP's signing certificates in {keeping.file(name).name}", None,
                partial(keeping.write, name, told))  # fmt: skip
    return Plan([step])


def _subscription(bench: Bench) -> Plan:
    """Subscribe to the results, when there is a ledger and a receiver; else the nightly sync does it."""
    url, ledger, seal = bench.access.surroundings.receiver_url, bench.ledger, bench.seal
    if ledger is None or seal is None or not url:
        return Plan()
    found = [subscriptions.latest(ledger, topic, url) for topic in TOPICS]
    if all(each is not None and each.state == "verified" for each in found):
        return Plan()

    def subscribe() -> None:
        access = bench.access
        ensure_subscribed(ledger, seal, access.mosip, access.tokens(Identity.RUNTIME), runtime_settings(bench))

    return Plan([creating(f"subscription to {', '.join(TOPICS)}", SUBSCRIBE, subscribe)])


def runtime_settings(bench: Bench) -> MosipSettings:
    """Give what the sync is to know about this MOSIP: what was provisioned."""
    surroundings, login = bench.access.surroundings, bench.access.login(Identity.RUNTIME)
    return MosipSettings(
        surroundings.mosip_url,
        login.client_id,
        login.secret,
        center_id=bench.id("center_id"),
        machine_id=bench.id("machine_id"),
        officer_id=surroundings.officer_id or bench.country.officer.user,
        language=bench.country.language,
        realm=surroundings.realm,
        receiver_url=surroundings.receiver_url,
        keycloak_path=bench.access.prefix,
        hub_path=surroundings.hub_path,
        schema_version=surroundings.schema_version or bench.keeping.ids.get("schema_version", "0.1"),
    )


G3_TEXT = (
    "credentials go only to partners that registration-processor-credential-partners.json lists for CRVS_NEW, and "
    "whose id mosip.registration.processor.credential.default.partner-ids names; the stock OpenCRVS entry is for "
    "another process and misspells credentialType. Add an entry of your own, and the partner's client to data share's "
    "auth.server.admin.allowed.audience, and to the ID repository's to have lost credentials issued again; restart "
    "these services. preflight --config-dir prints the lines. Then say so: provision --attest G3"
)

SUBSCRIBER: tuple[Item, ...] = (
    attestable("G3", G3_TEXT),
    Item("subscriber", "client named as the partner", _subscriber, needs=("roles",)),
    Item("signers", "MOSIP's signing certificates", _signers, needs=("zone",)),
)
SUBSCRIPTION: tuple[Item, ...] = (
    Item("subscription", "subscription to the results", _subscription, needs=("runtime", "machine")),
)
