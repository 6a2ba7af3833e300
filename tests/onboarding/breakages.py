"""How each prerequisite can be missing, which check says so, and what it tells the operator to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.onboarding import gateway as between
from tests.onboarding.environments import Environment
from tests.onboarding.levers import (
    ACCOUNT,
    AUTH_PARTNER,
    PARTNER,
    PROVISIONER,
    RUNTIME,
    TOKEN_ADDRESS,
    Lever,
    configure,
    counter_behind,
    country,
    country_part,
    delete,
    edit,
    eternal_silence,
    forget_secret,
    fresh_center,
    fresh_machine,
    gateway,
    give_roles,
    holidays_around_today,
    in_days,
    include_changed,
    key_of_another_machine,
    ledger,
    lose,
    machine_with_another_key,
    old_packet_key,
    schema_demanding,
    schema_described,
    schema_without,
    second_center,
    second_language,
    several,
    to_closed_port,
    tokens_live,
    turn_out,
    variables,
)
from tests.onboarding.partner_levers import (
    certificate_at_mosip,
    each_authority,
    old_authority,
    pms_rows,
    type_of_another_policy,
)

from mosip_crvs.onboarding.preflight import Check, Status

SENDER, SUBSCRIBE = "ONLINE_REGISTRATION_CLIENT", "SUBSCRIBE_REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT_GENERAL"
SUBSCRIBER_ROLES = ("SUBSCRIBE_CREDENTIAL_ISSUED_INDIVIDUAL", "PUBLISH_CREDENTIAL_STATUS_UPDATE_GENERAL")


@dataclass(frozen=True)
class Breakage:
    """One way in which a prerequisite is missing.

    :param name: what happened, as a sentence.
    :param how: does it.
    :param check: the one that must say so.
    :param fix: a part of the sentence that tells the operator what to do.
    :param status: what it must come to.
    """

    name: str
    how: Lever
    check: str
    fix: str
    status: Status = Status.FAIL


def warning(name: str, how: Lever, check: str, fix: str) -> Breakage:
    """A prerequisite that is met for now."""
    return Breakage(name, how, check, fix, Status.WARN)


def _role_as_client_role(claims: dict[str, Any]) -> dict[str, Any]:
    """Move the role to where Keycloak's console puts it when *Client Roles* was chosen."""
    if claims["azp"] != RUNTIME:
        return claims
    left = [role for role in claims["realm_access"]["roles"] if role != SENDER]
    return {**claims, "realm_access": {"roles": left}, "resource_access": {"realm-management": {"roles": [SENDER]}}}


def _azp_of_a_portal(claims: dict[str, Any]) -> dict[str, Any]:
    return {**claims, "azp": "portal"} if claims["azp"] == RUNTIME else claims


def _move_authority(mosip: Environment, authority: str) -> None:
    mosip.edit("ca_certificates", authority, partnerDomain="DEVICE")


def _subscription(state: str, reason: str) -> Lever:
    return ledger(f"UPDATE subscriptions SET state = '{state}', reason = {reason}")


BREAKAGES: tuple[Breakage, ...] = (
    # Keycloak
    Breakage("the realm is misspelt", variables(MOSIP_REALM="mosipp"), "KC-01", "the realm's name"),
    Breakage("Keycloak's path is wrong", variables(KEYCLOAK_PATH="/iam"), "KC-01", "check KEYCLOAK_URL"),
    Breakage("Keycloak is down", to_closed_port("KEYCLOAK_URL"), "KC-01", "check KEYCLOAK_URL"),
    Breakage("Keycloak's clock is an hour ahead", gateway(".", between.an_hour_ahead), "KC-05", "let NTP set"),
    Breakage("the runtime client was deleted", delete("clients", RUNTIME), "KC-04", "provision: it makes the client"),
    Breakage("the runtime client was made public", edit("clients", RUNTIME, publicClient=True), "KC-04",
             "provision sets publicClient=false"),
    Breakage("service accounts were switched off", edit("clients", RUNTIME, serviceAccountsEnabled=False), "KC-04",
             "provision sets serviceAccountsEnabled=true"),
    Breakage("the runtime client was disabled", edit("clients", RUNTIME, enabled=False), "KC-04",
             "provision sets enabled=true"),
    Breakage("the client's scope trims its roles", edit("clients", RUNTIME, fullScopeAllowed=False), "KC-04",
             "provision sets fullScopeAllowed=true"),
    Breakage("the administrator's password is wrong", variables(KEYCLOAK_ADMIN_PASSWORD="guess"), "KC-04",
             "check the login of Keycloak's administrator"),
    Breakage("the administrator may look at nothing",
             variables(KEYCLOAK_ADMIN_PASSWORD="", KEYCLOAK_ADMIN_CLIENT_ID=PROVISIONER,
                       KEYCLOAK_ADMIN_CLIENT_SECRET="deployment-secret"),
             "KC-04", "view-clients"),
    warning("people may log in through the runtime client", edit("clients", RUNTIME, standardFlowEnabled=True), "KC-04",
            "provision switches that off"),
    Breakage("the client's secret was changed", edit("clients", RUNTIME, secret="somebody-else-s"), "KC-02",
             "check the client's secret"),
    Breakage("the kept secret was lost", forget_secret(RUNTIME), "KC-02", "check the client's secret"),
    warning("tokens live for half a minute", tokens_live(30), "KC-02", "lengthen the realm's access token lifespan"),
    Breakage("a custom role in place of the one that counts",
             give_roles(ACCOUNT + RUNTIME, "CRVS_BIRTH_REGISTRATION_ROLE", SUBSCRIBE), "KC-03",
             f"give the realm role {SENDER}"),
    Breakage("the role was given as a client role",
             gateway(TOKEN_ADDRESS, between.rewriting_tokens(_role_as_client_role)), "KC-03", "not a client role"),
    Breakage("a mapper rewrites azp",
             gateway(TOKEN_ADDRESS, between.rewriting_tokens(_azp_of_a_portal)), "KC-03", "remove the mapper"),
    Breakage("tokens come from another host than MOSIP believes", country(issuer_host="iam.example.org"), "KC-03",
             "fetch tokens by the host iam.example.org"),
    # The two gates
    Breakage("the provisioner is not in masterdata's audience", turn_out("kernel", PROVISIONER), "AU-01",
             f"in kernel-default.properties add {PROVISIONER} to auth.server.admin.allowed.audience"),
    Breakage("the provisioner has no administrator's role",
             give_roles(ACCOUNT + PROVISIONER, "ID_AUTHENTICATION", "PARTNER_ADMIN"), "AU-01",
             "give the realm role GLOBAL_ADMIN"),
    Breakage("the provisioner's secret is wrong", variables(MOSIP_PROVISIONER_SECRET="guess"), "AU-01",
             "check the provisioner's client id and secret"),
    Breakage("masterdata believes another issuer",
             gateway("/v1/masterdata/", between.answering(401, '{"errors": [{"errorCode": "KER-ATH-401"}]}')), "AU-01",
             "auth.server.admin.issuer.uri"),
    Breakage("masterdata is down", gateway("/v1/masterdata/", between.answering(503, "")), "AU-01",
             "see that the service is up"),
    Breakage("the provisioner has no zone", delete("zoneUsers", ACCOUNT + PROVISIONER), "AU-02", "to the zone MOR"),
    Breakage("the provisioner's zone was left inactive", edit("zoneUsers", ACCOUNT + PROVISIONER, isActive=False),
             "AU-02", "switch the mapping on"),
    Breakage("the runtime client is not in the packet manager's audience", turn_out("packetmanager", RUNTIME), "AU-03",
             f"in packet-manager-default.properties add {RUNTIME}"),
    Breakage("the packet manager does not know the role",
             configure(roles={"mosip.role.commons-packet.putcreatepacket": ["REGISTRATION_PROCESSOR"]}), "AU-03",
             f"{SENDER} is in mosip.role.commons-packet.putcreatepacket"),
    Breakage("the gateway does not lead to the packet manager",
             gateway("/commons/v1/packetmanager/", between.answering(404, "no route")), "AU-03", "MOSIP_URL"),
    Breakage("the runtime client is not in the workflow manager's audience", turn_out("regproc", RUNTIME), "AU-04",
             f"in registration-processor-default.properties add {RUNTIME}"),
    warning("the workflow manager takes what it should refuse",
            gateway("/workflowmanager/", between.answering(200, '{"response": {"workflowInstanceId": "1"}}')), "AU-04",
            "preflight without --probes"),
    # Centre, machine, officer
    Breakage("the centre was switched off", edit("centers", "{center_id}", isActive=False), "CE-01",
             "PATCH registrationcenters?id="),
    Breakage("the centre was created and never switched on", fresh_center, "CE-01", "creates centres inactive"),
    Breakage("there is no such centre", variables(MOSIP_CENTER_ID="99999"), "CE-01", "set MOSIP_CENTER_ID"),
    Breakage("two centres have the name, and the id was lost", second_center, "CE-01", "set MOSIP_CENTER_ID"),
    Breakage("the centre has no history", delete("centerHistory", "{center_id}/eng"), "CE-02", "off and on again"),
    warning("today is a holiday", holidays_around_today, "CE-03", "holidayLocationCode without holidays"),
    warning("a language was added, and the centre lacks it", second_language, "CE-04",
            "PUT registrationcenters/language"),
    Breakage("the machine was switched off", edit("machines", "{machine_id}", isActive=False), "MA-01",
             "PATCH machines?id="),
    Breakage("the machine was created and never switched on", fresh_machine, "MA-01", "creates machines inactive"),
    Breakage("the machine belongs to another centre", edit("machines", "{machine_id}", regCenterId="10000"), "MA-01",
             "set its regCenterId to"),
    Breakage("there is no such machine", variables(MOSIP_MACHINE_ID="99999"), "MA-01", "set MOSIP_MACHINE_ID"),
    Breakage("the machine has no history", delete("machineHistory", "{machine_id}"), "MA-02", "off and on again"),
    Breakage("the key manager lost its key volume", edit("signingKey", "current", number=1), "MA-03",
             "/home/mosip/.mosipkeys"),
    Breakage("the machine has a key of its own", machine_with_another_key, "MA-03", "provision --accept-new-key"),
    Breakage("another machine holds the key", key_of_another_machine, "MA-04", "one key belongs to one machine"),
    Breakage("the officer was deleted", delete("users", "crvs"), "OF-01", "provision: it makes the user"),
    Breakage("the officer was disabled", edit("users", "crvs", enabled=False), "OF-01", "enable the user"),
    Breakage("the officer has no role", give_roles("crvs"), "OF-01", "give it REGISTRATION_OFFICER"),
    Breakage("the officer's mapping was left inactive", edit("userCenters", "crvs", isActive=False), "OF-02",
             "switch both on"),
    Breakage("the officer was never mapped", delete("userCenters", "crvs"), "OF-02", "then to the centre"),
    Breakage("the officer works in another centre", edit("userCenters", "crvs", regCenterId="10000"), "OF-03",
             "map the officer to this centre"),
    Breakage("the counter of AIDs was restored from an old backup", counter_behind, "ID-01", "set last_tick past"),
    warning("the packet encryption key ended", old_packet_key, "KM-01", "makes a new one with the next packet"),
    # ID schema and mapping
    Breakage("the ID schema lacks fields of a death", schema_without("typeOfDeath"), "SC-01", "--publish-id-schema"),
    Breakage("no ID schema is published",
             several(delete("schemas", "latest"), delete("schemas", "latest")), "SC-01", "publish one"),
    Breakage("the published ID schema is no JSON", edit("schemas", "latest", schemaJson="{"), "SC-01", "publish"),
    Breakage("another version of the ID schema was published", variables(MOSIP_SCHEMA_VERSION="0.1"), "SC-01",
             "set schema_version to 0.2"),
    Breakage("the country's ID schema was moved away", country_part("id_schema", file="../schemas/lost.json"), "SC-01",
             "correct the file"),
    Breakage("the published ID schema lacks a field that deaths are sent with", schema_without("deceasedInformer"),
             "SC-01", "publish the country's schema"),
    Breakage("the published ID schema demands a field that we do not send", schema_demanding("UIN"), "SC-01",
             "put the published schema into include/schemas"),
    warning("the published ID schema is a little different", schema_described("otherwise"), "SC-01",
            "put the published schema in its place"),
    Breakage("the mapping lacks a demanded field", include_changed("mappings/birth.yaml", "  fullName:", "  nickName:"),
             "SC-02", "mend include/mappings"),
    Breakage("the include folder is another one", variables(CRVS_INCLUDE_DIR="/nowhere"), "SC-02", "include/mappings"),
    # Partners
    Breakage("the provisioner is not in partner management's audience", turn_out("pms", PROVISIONER), "PM-01",
             f"in partner-management-default.properties add {PROVISIONER}"),
    Breakage("the provisioner is no partner administrator",
             give_roles(ACCOUNT + PROVISIONER, "ID_AUTHENTICATION", "GLOBAL_ADMIN"), "PM-01",
             "give the realm role PARTNER_ADMIN"),
    Breakage("the partner was never registered", delete("partners", PARTNER), "PM-01", "provision: it registers"),
    Breakage("the partner was never approved", edit("partners", PARTNER, isActive=False, status="InProgress"), "PM-01",
             "upload its certificate"),
    Breakage("the partner was deactivated", edit("partners", PARTNER, isActive=False), "PM-01",
             "choose another partner id"),
    Breakage("the partner has another type", edit("partners", PARTNER, partnerType="Print_Partner"), "PM-01",
             "type cannot be changed"),
    Breakage("the partner belongs to another group", edit("partners", AUTH_PARTNER, policyGroup="residents"), "PM-01",
             "group cannot be changed"),
    Breakage("the policy is a draft", edit("policies", f"{{{PARTNER}/policy_id}}", isActive=False, policySchema=None),
             "PM-02", "publish it"),
    Breakage("the policy was switched off", edit("policies", f"{{{PARTNER}/policy_id}}", isActive=False), "PM-02",
             "switch it on in partner management"),
    Breakage("the policy expired", edit("policies", f"{{{AUTH_PARTNER}/policy_id}}", validToDate=in_days(-2)), "PM-02",
             "name a successor"),
    Breakage("the policy has another name", edit("policies", f"{{{PARTNER}/policy_id}}", name="print"), "PM-02",
             "provision: it makes and publishes the policy"),
    Breakage("the policy mapping was only asked for",
             pms_rows("partner_policy_requests", {"statusCode": "InProgress"}, partnerId=PARTNER), "PM-03",
             "approve its key"),
    Breakage("the policy mapping was rejected",
             pms_rows("partner_policy_requests", {"statusCode": "rejected"}, partnerId=AUTH_PARTNER), "PM-03",
             "ask for the mapping"),
    Breakage("the policy mapping was never asked for", pms_rows("partner_policy_requests", None, partnerId=PARTNER),
             "PM-03", "ask for the mapping"),
    Breakage("the credential type leads nowhere", pms_rows("credential_types", None), "PM-04",
             "pmp.allowed.credential.types"),
    Breakage("the credential type leads to another policy", type_of_another_policy, "PM-04",
             "choose another credential_type"),
    Breakage("the partner's certificate was never uploaded", delete("partner_certificates", PARTNER), "CT-01",
             "upload the certificate"),
    Breakage("the partner's certificate expired", certificate_at_mosip(days=-5), "CT-01", "new certificate issued"),
    Breakage("the certificate's organisation is spelt otherwise",
             certificate_at_mosip(organization="registrar general"), "CT-01", "O=Registrar General, letter by letter"),
    Breakage("the certificate is for another key", certificate_at_mosip(ours=False), "CT-01", "put the right key back"),
    warning("the partner's certificate ends next month", certificate_at_mosip(days=30), "CT-01", "Keep the old key"),
    warning("the partner's private key is not here", lose(f"{PARTNER}.key.pem"), "CT-01", "put it into"),
    Breakage("MOSIP does not know the authority",
             each_authority(lambda mosip, each: mosip.edit("ca_certificates", each, delete=True)), "CT-02",
             "certification authorities for the domain AUTH"),
    Breakage("the authority is trusted in another domain", each_authority(_move_authority), "CT-02",
             "for the domain AUTH"),
    warning("MOSIP's certificate of ours is not kept", lose(f"{PARTNER}.mosip.pem"), "CT-01",
            "keeps that certificate beside the key"),
    warning("the certificate itself is not here", lose(f"{PARTNER}.pem"), "CT-02", "put it into"),
    warning("the policy ends next month", edit("policies", f"{{{PARTNER}/policy_id}}", validToDate=in_days(30)),
            "CT-03", "name a successor"),
    warning("the authority ends this month", old_authority, "CT-03", "the authority's new certificate"),
    # Informants
    Breakage("eSignet does not offer the way to authenticate",
             edit("esignet_discovery", "openid-configuration", acr_values_supported=["mosip:idp:acr:biometrics"]),
             "ES-01", "amr-acr-mapping.json"),
    Breakage("eSignet does not take private_key_jwt",
             edit("esignet_discovery", "openid-configuration", token_endpoint_auth_methods_supported=["none"]),
             "ES-01", "token_endpoint_auth_methods_supported"),
    Breakage("eSignet does not take RS256",
             edit("esignet_discovery", "openid-configuration",
                  token_endpoint_auth_signing_alg_values_supported=["ES256"]),
             "ES-01", "add RS256"),
    Breakage("eSignet is down", to_closed_port("ESIGNET_URL"), "ES-01", "ESIGNET_URL"),
    Breakage("the OIDC client was switched off", edit("oidc_clients", "{oidc_client_id}", status="INACTIVE"), "ES-02",
             "PUT it ACTIVE"),
    Breakage("the OIDC client leads elsewhere",
             edit("oidc_clients", "{oidc_client_id}", redirectUris=["https://old.example.org/callback"]), "ES-02",
             "PUT https://crvs.example.org/esignet/callback"),
    Breakage("the OIDC client was deleted", delete("oidc_clients", "{oidc_client_id}"), "ES-02",
             "provision: it makes the client"),
    Breakage("the OIDC client's key was lost", lose("oidc.key.pem"), "ES-02", "makes the key and the client"),
    # Results
    Breakage("the hub is down", gateway("/hub/actuator/health", between.answering(503, "down")), "WS-01",
             "ask MOSIP's operators"),
    warning("the hub is at another path", variables(MOSIP_HUB_PATH="/websub/hub/"), "WS-01", "set MOSIP_HUB_PATH"),
    Breakage("the runtime client may not subscribe", give_roles(ACCOUNT + RUNTIME, SENDER), "WS-02",
             f"give {SUBSCRIBE}"),
    warning("the runtime client may not ask for states",
            give_roles(ACCOUNT + RUNTIME, SENDER, SUBSCRIBE, "CREDENTIAL_REQUEST"), "WS-02",
            "give REGISTRATION_ADMIN"),
    warning("the runtime client hears of results only",
            give_roles(ACCOUNT + RUNTIME, SENDER, SUBSCRIBE, "REGISTRATION_ADMIN", "CREDENTIAL_REQUEST"), "WS-02",
            "SUBSCRIBE_IDENTITY_CREATED_GENERAL"),
    warning("the partner's client may not say that a credential came",
            give_roles(ACCOUNT + PARTNER, SUBSCRIBER_ROLES[0]), "WS-02", f"give {SUBSCRIBER_ROLES[1]}"),
    Breakage("the partner's client may not subscribe", give_roles(ACCOUNT + PARTNER, SUBSCRIBER_ROLES[1]), "WS-02",
             f"to {ACCOUNT}{PARTNER}"),
    Breakage("the subscriber is not named as the partner",
             variables(MOSIP_SUBSCRIBER_ID="mosip-regproc-client", MOSIP_SUBSCRIBER_SECRET="regproc-secret"), "WS-02",
             f"name the Keycloak client exactly {PARTNER}"),
    Breakage("the subscriber was deleted", delete("clients", PARTNER), "WS-02", "let provision make the client"),
    Breakage("the subscriber's secret was lost", forget_secret(PARTNER), "WS-02", "provision makes it"),
    Breakage("nobody said where the receiver is", variables(CRVS_RECEIVER_URL=""), "WS-03", "set CRVS_RECEIVER_URL"),
    Breakage("the receiver is down", to_closed_port("CRVS_RECEIVER_URL"), "WS-03", "start the receiver"),
    Breakage("the receiver's address leads elsewhere",
             lambda mosip: mosip.variables.update(CRVS_RECEIVER_URL=mosip.url), "WS-03", "let receiver_url lead to it"),
    Breakage("the hub denied our subscription", _subscription("denied", "'Subscriber is not authorized'"), "WS-04",
             "subscribe"),
    Breakage("the hub never came to verify us", _subscription("requested", "NULL"), "WS-04", "run mosip_subscriptions"),
    Breakage("nobody subscribed", ledger("DELETE FROM subscriptions"), "WS-04", "provision: both subscribe"),
    Breakage("the hub dropped us", eternal_silence, "WS-04", "the hub may have dropped us"),
)  # fmt: skip


def expected(checks: Iterable[Check], breakage: Breakage) -> dict[str, Status]:
    """Work out what every check must come to: one says so, what builds on it is left out, the rest passes."""
    found: dict[str, Status] = {}
    for check in checks:
        left_out = any(found[each] in (Status.FAIL, Status.SKIP) for each in check.needs)
        left_out = left_out or any(found[each] is Status.FAIL for each in check.after)
        if check.id == breakage.check:
            found[check.id] = breakage.status
        else:
            found[check.id] = Status.SKIP if left_out else Status.PASS
    return found
