"""A realm like the one that a MOSIP installation starts with.

Source: mosip/keycloak, ``deploy/import-init-values.yaml`` and, for the settings, ``helm/keycloak-init/values.yaml``.

``ONLINE_REGISTRATION_CLIENT`` is not among its roles: whoever needs it makes it.
"""

from __future__ import annotations

from tests.conformance.keycloak_servers import RealKeycloak

REALM = "mosip"
SETTINGS = {
    "realm": REALM,
    "enabled": True,
    "accessTokenLifespan": 86_400,
    "passwordPolicy": "length(8)",
    "bruteForceProtected": True,
}
"""MOSIP's own. It leaves the longest session at Keycloak's 36,000 s, and no token outlives its session."""

_PLAIN_ROLES = (
    "Default",
    "ABIS_PARTNER",
    "AUTH",
    "AUTH_PARTNER",
    "BIOMETRIC_READ",
    "CENTRAL_ADMIN",
    "CENTRAL_APPROVER",
    "CREATE_SHARE",
    "CREDENTIAL_ISSUANCE",
    "CREDENTIAL_PARTNER",
    "CREDENTIAL_REQUEST",
    "DATA_READ",
    "DEVICE_PROVIDER",
    "DOCUMENT_READ",
    "FTM_PROVIDER",
    "GLOBAL_ADMIN",
    "HOTLIST_ADMIN",
    "ID_AUTHENTICATION",
    "ID_REPOSITORY",
    "INDIVIDUAL",
    "KEY_MAKER",
    "MASTERDATA_ADMIN",
    "METADATA_READ",
    "MISP",
    "MISP_PARTNER",
    "ONLINE_VERIFICATION_PARTNER",
    "PARTNER",
    "PARTNERMANAGER",
    "PARTNER_ADMIN",
    "PMS_ADMIN",
    "PMS_USER",
    "POLICYMANAGER",
    "PREREG",
    "PRE_REGISTRATION",
    "PRE_REGISTRATION_ADMIN",
    "PRINT_PARTNER",
    "REGISTRATION_ADMIN",
    "REGISTRATION_OFFICER",
    "REGISTRATION_OPERATOR",
    "REGISTRATION_PROCESSOR",
    "REGISTRATION_SUPERVISOR",
    "RESIDENT",
    "SDK_PARTNER",
    "ZONAL_ADMIN",
    "ZONAL_APPROVER",
)

_PUBLISHED_AND_SUBSCRIBED = (
    "APIKEY_APPROVED_GENERAL",
    "APIKEY_UPDATED_GENERAL",
    "AUTH_TYPE_STATUS_UPDATE_ACK_GENERAL",
    "CA_CERTIFICATE_UPLOADED_GENERAL",
    "CREDENTIAL_STATUS_UPDATE_GENERAL",
    "MASTERDATA_IDAUTHENTICATION_TEMPLATES_GENERAL",
    "MASTERDATA_TITLES_GENERAL",
    "MISP_LICENSE_GENERATED_GENERAL",
    "MISP_LICENSE_UPDATED_GENERAL",
    "MOSIP_HOTLIST_GENERAL",
    "OIDC_CLIENT_CREATED_GENERAL",
    "OIDC_CLIENT_UPDATED_GENERAL",
    "PARTNER_UPDATED_GENERAL",
    "POLICY_UPDATED_GENERAL",
    "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT_GENERAL",
    "REGISTRATION_PROCESSOR_WORKFLOW_PAUSED_FOR_ADDITIONAL_INFO_EVENT_GENERAL",
    "VID_CRED_STATUS_UPDATE_GENERAL",
)

_PUBLISHED = (
    "ACTIVATE_ID_ALL_INDIVIDUAL",
    "ANONYMOUS_PROFILE_GENERAL",
    "AUTHENTICATION_TRANSACTION_STATUS_GENERAL",
    "AUTH_TYPE_STATUS_UPDATE_ALL_INDIVIDUAL",
    "CREDENTIAL_ISSUED_ALL_INDIVIDUAL",
    "DEACTIVATE_ID_ALL_INDIVIDUAL",
    "IDA_FRAUD_ANALYTICS_GENERAL",
    "REMOVE_ID_ALL_INDIVIDUAL",
)

_SUBSCRIBED = (
    "ACTIVATE_ID_INDIVIDUAL",
    "AUTH_TYPE_STATUS_UPDATE_INDIVIDUAL",
    "CREDENTIAL_ISSUED_INDIVIDUAL",
    "DEACTIVATE_ID_INDIVIDUAL",
    "IDENTITY_CREATED_GENERAL",
    "IDENTITY_UPDATED_GENERAL",
    "REMOVE_ID_INDIVIDUAL",
)

ROLES = (
    *_PLAIN_ROLES,
    *(f"PUBLISH_{topic}" for topic in (*_PUBLISHED_AND_SUBSCRIBED, *_PUBLISHED)),
    *(f"SUBSCRIBE_{topic}" for topic in (*_PUBLISHED_AND_SUBSCRIBED, *_SUBSCRIBED)),
)
"""Realm roles; ``offline_access`` and ``uma_authorization`` are not named, since Keycloak gives them to every realm."""

CLIENT_SCOPES = (
    "add_oidc_client",
    "update_oidc_client",
    "get_certificate",
    "upload_certificate",
    "individual_id",
    "ida_token",
    "send_binding_otp",
    "wallet_binding",
)


def make_mosip_realm(server: RealKeycloak) -> None:
    """Make the realm, or make it anew: whatever a test did in it is gone.

    :raises requests.HTTPError: if the server refuses.
    """
    token = server.admin_token()
    if server.admin("GET", f"/{REALM}", token=token).ok:
        server.admin("DELETE", f"/{REALM}", token=token).raise_for_status()
    realm = {**SETTINGS, "roles": {"realm": [{"name": name} for name in ROLES]}}
    server.admin("POST", "", realm, token=token).raise_for_status()
    # Not as part of the realm: scopes that come with it would take the place of Keycloak's own, among them `roles`.
    token = server.admin_token()
    for name in CLIENT_SCOPES:
        scope = {
            "name": name,
            "protocol": "openid-connect",
            "attributes": {"include.in.token.scope": "true", "display.on.consent.screen": "false"},
        }
        server.admin("POST", f"/{REALM}/client-scopes", scope, token=token).raise_for_status()
