"""How results come back: the hub, the right to subscribe, our callback, and what has come so far."""

from __future__ import annotations

import secrets

from sqlalchemy import text

from mosip_crvs.errors import CredentialMissing, MosipRefused
from mosip_crvs.ledger import subscriptions
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.mosip.endpoints import Read
from mosip_crvs.mosip.hub import subscriber_role
from mosip_crvs.onboarding.checks.authentication import claims_of, realm_roles
from mosip_crvs.onboarding.country import OPENING_ROLES, STATUS_ROLES
from mosip_crvs.onboarding.look import Look
from mosip_crvs.onboarding.preflight import Check, Status, Stops, Verdict
from mosip_crvs.onboarding.surroundings import Identity
from mosip_crvs.onboarding.verdicts import failed, listed, passed, warned
from mosip_crvs.receiver.app import PREFLIGHT_PATH
from mosip_crvs.reconciliation.subscribing import TOPICS
from mosip_crvs.settlement.events import CREDENTIAL_ISSUED

HUB_HEALTH = Read("GET", "{prefix}actuator/health", enveloped=False)
_ACCOUNT = "service-account-"


def _hub_is_healthy(look: Look) -> Verdict:
    said = look.door.ask(HUB_HEALTH, prefix=look.surroundings.hub_path.rstrip("/") + "/")
    if said.status == 404:
        return warned(
            f"there is no health page below {look.surroundings.hub_path}",
            "if results come, the gateway only hides it; else set MOSIP_HUB_PATH, or hub_path in the 'mosip' "
            "connection's extra, to where MOSIP_URL has the hub",
        )
    if not said.succeeded:
        return failed(f"the hub's health answers {said.refusal}")
    return passed("the hub answers")


def _we_may_subscribe(look: Look) -> Verdict:
    client = look.login_name(Identity.RUNTIME)
    roles = realm_roles(claims_of(look.token(Identity.RUNTIME)))
    if missing := [role for topic in TOPICS if (role := subscriber_role(topic)) not in roles]:
        return failed(
            f"{client} lacks the realm role {listed(missing)}",
            f"give {listed(missing)} to service-account-{client}: provision does it",
        )
    partner = look.country.credential_partner
    found = passed(f"{client} may subscribe") if partner is None else _partner_may_subscribe(look, partner.id)
    return found if found.status is not Status.PASS else _can_do_more(look, client, roles) or found


def _can_do_more(look: Look, client: str, roles: frozenset[str]) -> Verdict | None:
    """Warn of what the country wants and the runtime client may not: without it less is known, or later."""
    wanted = look.country.clients.runtime_roles
    missing = [role for role in wanted if role not in roles and role not in OPENING_ROLES]
    if STATUS_ROLES.intersection(wanted) and STATUS_ROLES.isdisjoint(roles):
        return warned(
            f"{client} may not ask what became of an application: only what MOSIP announces settles, and it never "
            "announces that it gave up",
            f"give {listed(missing)} to service-account-{client}: provision does it",
        )
    if missing:
        return warned(
            f"{client} lacks the realm role {listed(missing)}, which the country file wants",
            f"give {listed(missing)} to service-account-{client}: provision does it",
        )
    return None


def _partner_may_subscribe(look: Look, partner_id: str) -> Verdict:
    try:
        claims = claims_of(look.token(Identity.SUBSCRIBER))
    except CredentialMissing as problem:
        return failed(str(problem), f"a Keycloak client named {partner_id} must subscribe: provision makes it")
    except MosipRefused as problem:
        return failed(
            str(problem),
            f"give the secret of the client {partner_id} (MOSIP_SUBSCRIBER_SECRET, or the connection "
            "'mosip_subscriber'), or let provision make the client",
        )
    who = str(claims.get("preferred_username", "")).removeprefix(_ACCOUNT)
    if who != partner_id:
        return failed(
            f"the subscriber is {who}, and the hub lets only {partner_id} subscribe to its topics",
            f"name the Keycloak client exactly {partner_id}: provision does it",
        )
    missing = [role for role in look.country.subscriber.roles if role not in realm_roles(claims)]
    if missing:
        say = failed if subscriber_role(f"{partner_id}/{CREDENTIAL_ISSUED}") in missing else warned
        return say(
            f"{partner_id} lacks the realm role {listed(missing)}",
            f"give {listed(missing)} to service-account-{partner_id}: provision does it",
        )
    return passed(f"the runtime client and {partner_id} may subscribe, and ask")


def _callback_answers(look: Look) -> Verdict:
    url = look.surroundings.receiver_url
    if not url:
        return failed(
            "nobody said where the hub reaches the receiver",
            "set CRVS_RECEIVER_URL, or receiver_url in the 'mosip' connection's extra",
        )
    challenge = secrets.token_hex(8)
    reply = look.at(url).send("GET", f"{PREFLIGHT_PATH}?hub.challenge={challenge}")
    if reply.status != 200 or reply.body.decode("utf-8", "replace") != challenge:
        return failed(f"the receiver at {url} answers a challenge with HTTP {reply.status}")
    return passed(f"the receiver at {url} answers challenges and can store")


def _results_flow(look: Look) -> Verdict:
    if look.ledger is None:
        return Verdict(Status.SKIP, "no ledger to look at", "set CRVS_LEDGER_URL")
    for topic in TOPICS:
        found = subscriptions.latest(look.ledger, topic, look.surroundings.receiver_url)
        if found is None:
            return failed(f"the ledger knows of no subscription to {topic}")
        if found.state != "verified":
            return failed(f"the hub has {found.state} our subscription to {topic}: {found.reason or 'no word since'}")
    hours = look.country.thresholds.event_hours
    with transaction(look.ledger) as connection:
        silent = connection.execute(_SILENT, {"hours": hours}).scalar_one()
    if silent:
        return failed(
            f"{silent} applications wait for their result for more than {hours:g} hours, and no event came since",
            "the hub may have dropped us: run mosip_subscriptions, which subscribes again",
        )
    return passed(f"subscribed to {listed(TOPICS)}, and nothing waits in vain")


_SILENT = text(
    """
    SELECT count(*) FROM applications
     WHERE state IN ('TRIGGERING', 'TRIGGERED') AND triggered_at < now() - make_interval(secs => :hours * 3600)
       AND triggered_at > coalesce((SELECT max(received_at) FROM inbox), '-infinity')
    """
)


CHECKS: tuple[Check, ...] = (
    Check(
        "WS-01", "the hub is healthy", _hub_is_healthy, calls=(HUB_HEALTH,), stops=Stops.RESULTS,
        fix="ask MOSIP's operators: results cannot come while the hub is down",
    ),
    Check(
        "WS-02", "our clients may subscribe to the results, and ask for them", _we_may_subscribe,
        identity=Identity.RUNTIME, needs=("KC-03",), stops=Stops.RESULTS, fix="run provision: it gives the roles",
    ),
    Check(
        "WS-03", "our receiver answers a challenge", _callback_answers, stops=Stops.RESULTS,
        fix="start the receiver, and let receiver_url lead to it from where the hub is (ingress, firewall, TLS)",
    ),
    Check(
        "WS-04", "the hub knows us, and results come", _results_flow, needs=("WS-01", "WS-03"), stops=Stops.RESULTS,
        fix="run mosip_subscriptions, or provision: both subscribe",
    ),
)  # fmt: skip
