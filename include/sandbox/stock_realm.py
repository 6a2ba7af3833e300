"""Keycloak's realms as MOSIP's installer leaves them (mosip-onboarding.md §0.2, §1), and as onboarding leaves them."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.realm import Realm
from sandbox.settings import Settings

PROVISIONER = "mosip-deployment-client"
ADMIN = "admin"
ADMIN_CLIENT = "admin-cli"
GLOBAL_ADMIN = "globaladmin"

_WORKFLOW = (
    "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT_GENERAL",
    "REGISTRATION_PROCESSOR_WORKFLOW_PAUSED_FOR_ADDITIONAL_INFO_EVENT_GENERAL",
)
_PUBLISH = tuple(f"PUBLISH_{name}" for name in _WORKFLOW)
_SUBSCRIBE = tuple(f"SUBSCRIBE_{name}" for name in _WORKFLOW)

ROLES: tuple[str, ...] = (
    "Default", "ABIS_PARTNER", "SDK_PARTNER", "AUTH", "AUTH_PARTNER", "BIOMETRIC_READ", "CENTRAL_ADMIN",
    "CENTRAL_APPROVER", "CREATE_SHARE", "CREDENTIAL_ISSUANCE", "CREDENTIAL_PARTNER", "CREDENTIAL_REQUEST", "DATA_READ",
    "DEVICE_PROVIDER", "DOCUMENT_READ", "FTM_PROVIDER", "GLOBAL_ADMIN", "HOTLIST_ADMIN", "ID_AUTHENTICATION",
    "ID_REPOSITORY", "INDIVIDUAL", "KEY_MAKER", "MASTERDATA_ADMIN", "METADATA_READ", "MISP", "MISP_PARTNER",
    "ONLINE_VERIFICATION_PARTNER", "PARTNER", "PARTNER_ADMIN", "PARTNERMANAGER", "PMS_ADMIN", "PMS_USER",
    "POLICYMANAGER", "PREREG", "PRE_REGISTRATION", "PRE_REGISTRATION_ADMIN", "PRINT_PARTNER", "REGISTRATION_ADMIN",
    "REGISTRATION_OFFICER", "REGISTRATION_OPERATOR", "REGISTRATION_PROCESSOR", "REGISTRATION_SUPERVISOR", "RESIDENT",
    "ZONAL_ADMIN", "ZONAL_APPROVER",
    *_PUBLISH, *_SUBSCRIBE,
    "PUBLISH_CREDENTIAL_ISSUED_ALL_INDIVIDUAL", "PUBLISH_CREDENTIAL_STATUS_UPDATE_GENERAL",
    "PUBLISH_PARTNER_UPDATED_GENERAL", "PUBLISH_POLICY_UPDATED_GENERAL", "PUBLISH_APIKEY_APPROVED_GENERAL",
    "PUBLISH_CA_CERTIFICATE_UPLOADED_GENERAL", "PUBLISH_OIDC_CLIENT_CREATED_GENERAL",
    "PUBLISH_OIDC_CLIENT_UPDATED_GENERAL",
    "SUBSCRIBE_CREDENTIAL_ISSUED_INDIVIDUAL", "SUBSCRIBE_CREDENTIAL_STATUS_UPDATE_GENERAL",
    "SUBSCRIBE_IDENTITY_CREATED_GENERAL", "SUBSCRIBE_IDENTITY_UPDATED_GENERAL", "SUBSCRIBE_PARTNER_UPDATED_GENERAL",
    "SUBSCRIBE_POLICY_UPDATED_GENERAL", "SUBSCRIBE_APIKEY_APPROVED_GENERAL",
    "SUBSCRIBE_CA_CERTIFICATE_UPLOADED_GENERAL", "SUBSCRIBE_OIDC_CLIENT_CREATED_GENERAL",
    "SUBSCRIBE_OIDC_CLIENT_UPDATED_GENERAL",
)  # fmt: skip
"""The seed's roles. ONLINE_REGISTRATION_CLIENT is not among them; of the event roles only those around partners are."""

SCOPES = ("add_oidc_client", "update_oidc_client", "get_certificate", "upload_certificate")

CLIENTS: Mapping[str, tuple[str, ...]] = {
    "mosip-admin-client": ("MASTERDATA_ADMIN", "GLOBAL_ADMIN"),
    PROVISIONER: ("ID_AUTHENTICATION", "GLOBAL_ADMIN", "PARTNER_ADMIN"),
    "mosip-pms-client": (
        "PARTNER_ADMIN", "ZONAL_ADMIN", "CREATE_SHARE", "DEVICE_PROVIDER", "PARTNER", "PMS_ADMIN", "PMS_USER",
        "REGISTRATION_PROCESSOR", "PUBLISH_PARTNER_UPDATED_GENERAL", "PUBLISH_POLICY_UPDATED_GENERAL",
        "PUBLISH_APIKEY_APPROVED_GENERAL", "PUBLISH_CA_CERTIFICATE_UPLOADED_GENERAL",
        "PUBLISH_OIDC_CLIENT_CREATED_GENERAL", "PUBLISH_OIDC_CLIENT_UPDATED_GENERAL",
        "SUBSCRIBE_CA_CERTIFICATE_UPLOADED_GENERAL",
    ),
    "mosip-regproc-client": (
        "REGISTRATION_PROCESSOR", "DATA_READ", "DOCUMENT_READ", "BIOMETRIC_READ", "METADATA_READ", "CREATE_SHARE",
        "CREDENTIAL_REQUEST", "PARTNER", "PARTNER_ADMIN", "PMS_USER", "POLICYMANAGER", *_PUBLISH, *_SUBSCRIBE,
    ),
    "mosip-resident-client": ("RESIDENT", "PARTNER_ADMIN", "CREDENTIAL_REQUEST"),
    "mosip-reg-client": (
        "GLOBAL_ADMIN", "REGISTRATION_ADMIN", "REGISTRATION_OFFICER", "REGISTRATION_OPERATOR",
        "REGISTRATION_SUPERVISOR",
    ),
    "mpartner-default-print": (
        "SUBSCRIBE_CREDENTIAL_ISSUED_INDIVIDUAL", "PUBLISH_CREDENTIAL_STATUS_UPDATE_GENERAL", "CREATE_SHARE",
        "PRINT_PARTNER",
    ),
}  # fmt: skip
"""Stock clients and the roles of their service accounts, as far as anybody here deals with them."""

_CONFIDENTIAL = {"serviceAccountsEnabled": True, "standardFlowEnabled": False}


def _client(realm: Realm, client_id: str, secret: str, roles: tuple[str, ...] | frozenset[str]) -> None:
    """A client whose service account has just these roles; roles that are new to the realm are made."""
    client = realm.client(client_id) or realm.add_client(client_id, _CONFIDENTIAL)
    client.secret = secret
    account = realm.service_account(client)
    assert account is not None
    for role in sorted(roles):
        if role not in realm.roles:
            realm.add_role(role)
    account.roles = {realm.everyone, *roles}


def master_realm(settings: Settings) -> Realm:
    """Realm `master`: the administrator and the public client of the command line."""
    realm = Realm("master")
    realm.add_client(ADMIN_CLIENT, {"publicClient": True, "directAccessGrantsEnabled": True})
    realm.add_user(ADMIN, password=settings.admin_secret)
    return realm


def mosip_realm(settings: Settings) -> Realm:
    """Realm `mosip`: the seed; and for an onboarded sandbox the clients of its settings and its officers."""
    realm = Realm("mosip")
    for role in ROLES:
        realm.add_role(role)
    for scope in SCOPES:
        realm.add_scope(scope)
    realm.add_client(ADMIN_CLIENT, {"publicClient": True, "directAccessGrantsEnabled": True})
    for client_id, roles in CLIENTS.items():
        secret = settings.provisioner_secret if client_id == PROVISIONER else f"{client_id}-secret"
        _client(realm, client_id, secret, roles)
    portal, partners = realm.client("mosip-admin-client"), realm.client("mosip-pms-client")
    assert portal is not None
    assert partners is not None
    portal.fields["directAccessGrantsEnabled"] = True
    partners.scopes += SCOPES
    admin = realm.add_user(GLOBAL_ADMIN, password=settings.globaladmin_secret)
    admin.fields["email"] = "globaladmin@mosip.example"
    admin.roles |= {"GLOBAL_ADMIN", "ZONAL_ADMIN"}
    for client in settings.clients().values() if settings.onboarded else settings.other_clients:
        _client(realm, client.client_id, client.secret, client.roles)
    if settings.onboarded:
        for officer in sorted(settings.officer_ids):
            realm.add_user(officer).roles.add("REGISTRATION_OFFICER")
    return realm
