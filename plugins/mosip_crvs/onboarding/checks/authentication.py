"""Keycloak, the clocks, and the two gates that every call has to pass: audience and role."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import jwt

from mosip_crvs.errors import CredentialMissing, MosipRefused
from mosip_crvs.mosip import keycloak, masterdata
from mosip_crvs.mosip.doors import Said
from mosip_crvs.mosip.endpoints import Probe
from mosip_crvs.mosip.moments import now_text
from mosip_crvs.onboarding.country import OPENING_ROLES
from mosip_crvs.onboarding.look import Look
from mosip_crvs.onboarding.preflight import Check, Stops, Verdict
from mosip_crvs.onboarding.surroundings import Identity
from mosip_crvs.onboarding.verdicts import failed, listed, passed, warned

CREATE_PACKET = Probe("PUT", "/commons/v1/packetmanager/createPacket")
WORKFLOW_INSTANCE = Probe("POST", "/registrationprocessor/v1/workflowmanager/workflowinstance")

_CREATE_PACKET_ROLES = "mosip.role.commons-packet.putcreatepacket"
_ESSENTIAL = ("enabled", "publicClient", "serviceAccountsEnabled", "fullScopeAllowed")


def claims_of(token: str) -> Mapping[str, Any]:
    """Read a token's claims; whether it is genuine is for MOSIP to say."""
    try:
        found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return {}
    return found


def realm_roles(claims: Mapping[str, Any]) -> frozenset[str]:
    """Give the realm roles of a token: the only ones that MOSIP looks at."""
    access = claims.get("realm_access")
    return frozenset(access.get("roles", ())) if isinstance(access, dict) else frozenset()


def _realm_answers(look: Look) -> Verdict:
    prefix, discovery = look.realm
    return passed(
        f"realm {look.surroundings.realm} answers {'below ' + prefix if prefix else 'without a prefix'}",
        issuer=discovery["issuer"],
    )


def _clock_agrees(look: Look) -> Verdict:
    said = look.iam.ask(keycloak.DISCOVERY, prefix=look.realm[0], realm=look.surroundings.realm)
    try:
        theirs = _date(said) or _moment_of_a_token(look)
    except (CredentialMissing, MosipRefused):
        return warned("the server's answer has no Date, and there is no token to tell the time by", "mend KC-02 first")
    apart = abs(time.time() - theirs)
    # Both have whole seconds.
    if apart >= look.country.thresholds.clock_seconds + 1:
        return failed(f"our clock and Keycloak's are {apart:.0f} s apart")
    return passed(f"within {max(1.0, apart):.0f} s of Keycloak's")


def _date(said: Said) -> float:
    """Read the moment of an answer, 0 when it has none: Keycloak from 17 on sends no Date, unless a gateway adds it."""
    try:
        return parsedate_to_datetime(said.headers.get("date", "")).timestamp()
    except ValueError:
        return 0.0


def _moment_of_a_token(look: Look) -> float:
    """Read when a token of this run was issued, a moment ago."""
    return float(claims_of(look.token(Identity.RUNTIME)).get("iat", 0))


def _runtime_gets_a_token(look: Look) -> Verdict:
    claims = claims_of(look.token(Identity.RUNTIME))
    # Both moments are Keycloak's: our own clock, which may be wrong, has no part in it.
    seconds = float(claims.get("exp", 0)) - float(claims.get("iat") or time.time())
    least = look.country.thresholds.token_seconds
    if seconds < least:
        return warned(
            f"its tokens live for {seconds:.0f} s, less than {least:.0f} s",
            "lengthen the realm's access token lifespan, or lower thresholds.token_seconds in the country file",
        )
    return passed(f"{look.login_name(Identity.RUNTIME)} gets tokens that live for {seconds:.0f} s")


def _runtime_token_is_right(look: Look) -> Verdict:
    client = look.login_name(Identity.RUNTIME)
    claims = claims_of(look.token(Identity.RUNTIME))
    if claims.get("azp") != client:
        return failed(f"azp is {claims.get('azp')!r}, not {client!r}", "remove the mapper that rewrites azp")
    opening = sorted(OPENING_ROLES & realm_roles(claims))
    if not opening:
        wanted = next(role for role in look.country.clients.runtime_roles if role in OPENING_ROLES)
        return failed(f"realm_access.roles lacks {wanted}", _role_fix(client, wanted))
    expected, host = look.country.issuer_host, urlsplit(str(claims.get("iss"))).hostname
    if expected and host != expected:
        return failed(
            f"tokens are issued by {host}, and MOSIP believes {expected}",
            f"fetch tokens by the host {expected} (set KEYCLOAK_URL), or set Keycloak's frontend URL to it",
        )
    return passed(f"azp {client}, role {opening[0]}, issued by {host}")


def _role_fix(client: str, role: str) -> str:
    return (
        f"give the realm role {role} (a realm role, not a client role) to the user service-account-{client}: "
        "provision does it. No other role opens the trigger: MOSIP has its list compiled in"
    )


def _client_is_confidential(look: Look) -> Verdict:
    given = look.surroundings.logins.get(Identity.RUNTIME)
    client_id = (given.client_id if given else "") or look.country.clients.runtime
    client = look.keycloak.client(client_id)
    if client is None:
        return failed(f"Keycloak has no client {client_id}", "run provision: it makes the client")
    wrong = keycloak.missing_settings(client)
    essential = [name for name in _ESSENTIAL if name in wrong]
    if essential:
        wanted = listed([f"{name}={str(wrong[name]).lower()}" for name in essential])
        return failed(f"{client_id}: must have {wanted}", f"provision sets {wanted}, or do it in Keycloak's console")
    if wrong:
        return warned(f"{client_id} may do more than it needs: {listed(sorted(wrong))}", "provision switches that off")
    return passed(f"{client_id} is confidential, a service account and nothing else")


def _provisioner_is_let_in(look: Look) -> Verdict:
    said = look.door.ask(masterdata.LATEST_SCHEMA)
    if said.gate_closed:
        return turned_away(look, Gate("masterdata", "kernel", ("GLOBAL_ADMIN", "ZONAL_ADMIN")), said)
    return passed(f"masterdata lets {look.login_name(Identity.PROVISIONER)} in")


@dataclass(frozen=True, slots=True)
class Gate:
    """What one has to pass to make a call.

    :param call: or the service, for people.
    :param file: the property file that has the audience list, without ``-default.properties``.
    :param roles: one of these is needed.
    """

    call: str
    file: str
    roles: tuple[str, ...]


def turned_away(look: Look, gate: Gate, said: Said, identity: Identity = Identity.PROVISIONER) -> Verdict:
    """Say why a client was turned away at a gate: by its token, by its role, or by the audience list."""
    client = look.login_name(identity)
    evidence = f"{gate.call} turns {client} away: {said.refusal}"
    if said.status == 401:
        return failed(evidence, _ISSUER_FIX)
    if realm_roles(claims_of(look.token(identity))).isdisjoint(gate.roles):
        return failed(evidence, f"give the realm role {gate.roles[0]} to the user service-account-{client}")
    return failed(
        evidence,
        f"in {gate.file}-default.properties add {client} to auth.server.admin.allowed.audience and restart the service "
        "(the list is read at its start); preflight --config-dir prints the line",
    )


_ISSUER_FIX = (
    "MOSIP does not believe the token: fetch tokens by the host of MOSIP's auth.server.admin.issuer.uri (set "
    "KEYCLOAK_URL to it); if that is so already, let the service read the realm's keys again by a restart"
)


def _provisioner_has_a_zone(look: Look) -> Verdict:
    zones = look.masterdata.subzones()
    account = f"service-account-{look.login_name(Identity.PROVISIONER)}"
    if not zones:
        return failed(
            f"masterdata knows no zone of {account}",
            f"map {account} to the zone {look.country.zone} as globaladmin and switch the mapping on: "
            "provision does it, given the global admin's login",
        )
    return passed(f"{account} has {len(zones)} zones below its own")


def _packet_manager_is_open(look: Look) -> Verdict:
    said = look.door.knock(CREATE_PACKET, {"request": None})
    client = look.login_name(Identity.RUNTIME)
    if said.gate_closed:
        roles = look.country.clients.runtime_roles
        found = turned_away(look, Gate("createPacket", "packet-manager", roles[:1]), said, Identity.RUNTIME)
        if said.status == 401:
            return found
        return failed(found.evidence, f"{found.fix}; and see that {roles[0]} is in {_CREATE_PACKET_ROLES}")
    return _let_in("createPacket", client, said)


def probe_workflow() -> dict[str, Any]:
    """Give the body of a trigger that MOSIP refuses by its id (``RPR-WIN-001``), once it has let us in."""
    request = {"registrationId": "0", "process": "PREFLIGHT", "source": "PREFLIGHT", "additionalInfoReqId": ""}
    return {"id": "crvs.preflight", "version": "v1", "requesttime": now_text(), "request": request}


def _workflow_is_open(look: Look) -> Verdict:
    said = look.door.knock(WORKFLOW_INSTANCE, probe_workflow())
    client = look.login_name(Identity.RUNTIME)
    if said.gate_closed:
        gate = Gate("workflowinstance", "registration-processor", look.country.clients.runtime_roles[:1])
        return turned_away(look, gate, said, Identity.RUNTIME)
    return _let_in("workflowinstance", client, said)


def _let_in(call: str, client: str, said: Said) -> Verdict:
    if said.status in (404, 502, 503, 504):
        raise MosipRefused(f"{call} is not there: {said.refusal}; is MOSIP_URL right, and is the service up?")
    if said.succeeded:
        return warned(
            f"{call} took the probe, which MOSIP should have refused", "preflight without --probes, and report this"
        )
    return passed(f"{call} lets {client} in, and refused the probe: {said.code}")


CHECKS: tuple[Check, ...] = (
    Check(
        "KC-01", "the realm answers, and where is known", _realm_answers, calls=(keycloak.DISCOVERY,),
        fix="check KEYCLOAK_URL (else MOSIP_URL), the realm's name (MOSIP_REALM) and TLS: below it "
        "/auth/realms/<realm>/.well-known/openid-configuration must answer, or the same without /auth",
    ),
    Check(
        "KC-05", "our clock agrees with Keycloak's", _clock_agrees, calls=(keycloak.DISCOVERY,), needs=("KC-01",),
        stops=Stops.LATER,
        fix="let NTP set this machine's clock, or Keycloak's: tokens that seem to come from the future are refused",
    ),
    Check(
        "KC-04", "the runtime client is confidential, with a service account", _client_is_confidential,
        calls=(keycloak.CLIENTS,), identity=Identity.KEYCLOAK_ADMIN, needs=("KC-01",), stops=Stops.LATER,
        fix="check the login of Keycloak's administrator, and that it may view clients and users (realm-management's "
        "view-clients and view-users)",
    ),
    Check(
        "KC-02", "the runtime client gets tokens that live long enough", _runtime_gets_a_token,
        identity=Identity.RUNTIME, needs=("KC-01",), after=("KC-04",),
        fix="check the client's secret, and that its service account is on; provision makes the client",
    ),
    Check(
        "KC-03", "the runtime token is ours and has the realm role", _runtime_token_is_right,
        identity=Identity.RUNTIME, needs=("KC-02",),
        fix="run provision: it gives the role to the client's service account",
    ),
    Check(
        "AU-01", "the provisioner is let in by masterdata", _provisioner_is_let_in, calls=(masterdata.LATEST_SCHEMA,),
        identity=Identity.PROVISIONER, needs=("KC-01",), stops=Stops.LATER,
        fix="check the provisioner's client id and secret",
    ),
    Check(
        "AU-02", "the provisioner has a zone", _provisioner_has_a_zone, calls=(masterdata.SUBZONES,),
        identity=Identity.PROVISIONER, needs=("AU-01",), stops=Stops.LATER,
        fix="map the provisioner's service account to the root zone",
    ),
    Check(
        "AU-03", "the runtime client passes the packet manager's gates", _packet_manager_is_open,
        calls=(CREATE_PACKET,), identity=Identity.RUNTIME, needs=("KC-03",),
        fix="see that MOSIP_URL leads to the packet manager",
    ),
    Check(
        "AU-04", "the runtime client passes the workflow manager's gates", _workflow_is_open,
        calls=(WORKFLOW_INSTANCE,), identity=Identity.RUNTIME, needs=("KC-03",),
        fix="see that MOSIP_URL leads to the workflow manager",
    ),
)  # fmt: skip
