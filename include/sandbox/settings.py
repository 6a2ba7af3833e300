"""What a sandbox can be told at start. All values are immutable; what may change later lives in `faults.Faults`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SHIPPED_MAIN_PROCESSES = frozenset({"NEW", "UPDATE", "LOST", "RES_UPDATE", "ACTIVATE", "DEACTIVATE", "OPENCRVS_NEW"})
"""`registration.processor.main-processes` of every released configuration (mosip-events.md §4.3)."""

CRVS_PROCESSES = frozenset({"CRVS_NEW", "CRVS_DEATH"})

CATEGORY_MAPPING: Mapping[str, str] = {"CRVS_NEW": "NEW", "CRVS_DEATH": "UPDATE"}
"""`registration.processor.additional-process.category-mapping` (mosip-packets.md §4.6)."""

MANDATORY: Mapping[str, tuple[str, ...]] = {
    "CRVS_NEW": (
        "IDSchemaVersion", "UIN", "fullName", "dateOfBirth|age", "gender", "addressLine1",
        "region", "province", "city", "zone",
    ),
    "CRVS_DEATH": ("IDSchemaVersion", "UIN"),
}  # fmt: skip
"""`mosip.kernel.idobjectvalidator.mandatory-attributes.reg-processor.<process>` (mosip-packets.md §7.2)."""

PROVIDERS: tuple[tuple[str, str], ...] = (
    ("CRVS1", "CRVS_NEW|CRVS_DEATH"),
    ("OPENCRVS", "OPENCRVS_NEW"),
    ("REGISTRATION_CLIENT", "NEW|UPDATE|LOST|BIOMETRIC_CORRECTION"),
    ("RESIDENT", "ACTIVATED|DEACTIVATED|RES_UPDATE|LOST|RES_REPRINT"),
)
"""Writer and reader providers: (source text, process text) of each configuration line (mosip-packets.md §1.5)."""

CRVS_ROLES = frozenset(
    {
        "ONLINE_REGISTRATION_CLIENT",
        "REGISTRATION_ADMIN",
        "SUBSCRIBE_REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT_GENERAL",
        "SUBSCRIBE_REGISTRATION_PROCESSOR_WORKFLOW_PAUSED_FOR_ADDITIONAL_INFO_EVENT_GENERAL",
        "SUBSCRIBE_IDENTITY_CREATED_GENERAL",
        "SUBSCRIBE_IDENTITY_UPDATED_GENERAL",
        "SUBSCRIBE_CREDENTIAL_ISSUED_INDIVIDUAL",
        "PUBLISH_CREDENTIAL_STATUS_UPDATE_GENERAL",
        "CREDENTIAL_REQUEST",
    }
)
"""Roles of a CRVS client whose country granted polling and subscribing as asked (mosip-events.md §1.3, §4.3).

MOSIP's default grants only `ONLINE_REGISTRATION_CLIENT`; pass that alone to meet the refusals."""

PARTNER_ROLES = frozenset(
    {
        "SUBSCRIBE_CREDENTIAL_ISSUED_INDIVIDUAL",
        "PUBLISH_CREDENTIAL_STATUS_UPDATE_GENERAL",
        "CREDENTIAL_REQUEST",
    }
)
"""Roles of the client that is named as the credential partner: only it may subscribe to the partner's topic."""

REGPROC_ROLES = frozenset(
    {
        "REGISTRATION_PROCESSOR",
        "DATA_READ",
        "DOCUMENT_READ",
        "METADATA_READ",
        "PUBLISH_REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT_GENERAL",
    }
)


@dataclass(frozen=True, slots=True)
class Client:
    """A confidential Keycloak client with a service account."""

    client_id: str
    secret: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Settings:
    """One sandbox.

    :param onboarded: a MOSIP whose prerequisites for civil registration are all met: the client, every centre, machine
        and officer below with its mappings, the ID schema with the vital-event fields. False: a stock MOSIP.
    :param keycloak_prefix: `/auth` as MOSIP's own Keycloak has it, or nothing as Keycloak 17 and later.
    :param admin_secret: password of the user `admin` of Keycloak's realm `master`.
    :param globaladmin_secret: password of MOSIP's user `globaladmin`.
    :param provisioner_secret: secret of the stock client `mosip-deployment-client`.
    :param realm_managers: users of realm `mosip` that may use Keycloak's admin API.
    :param holidays: dates (YYYY-MM-DD) on which the country's default holiday location rests.
    :param create_seconds: time a createPacket takes; two calls for one id overlap only while it lasts.
    :param retry_seconds: first interval between the hub's connection retries (MOSIP: 3 s, factor 2, cap 20 s).
    :param poll_records: records per poll of a hub worker; a commit covers the whole poll (mosip-events.md §1.7).
    :param sync_seconds: delay between a verified subscription and its consumer (MOSIP: up to 10 s).
    :param known_uins: `any` takes every well-formed UIN of a death as existing, `issued` only this sandbox's own.
    :param credential_partner: the partner of an onboarded sandbox that births give a credential to, and the name of
        its client; "" for nobody. Partners provisioned in partner management are wired besides, stock or not.
    :param credential_certificate: PEM of that partner; None for a pair of the sandbox's own making, which
        `GET /sandbox/credential-partner` gives out.
    :param credential_attributes: what its policy shares: fields of the identity, and `UIN`, `PSUT`.
    :param credential_transactions: how often its links work; -1 for any number.
    :param credential_id_suffix: a request's id is RID and suffix; "" for a random id. It counts for every partner.
    :param credential_meta_fields: labels of metaInfo that the event repeats (`metaInfoFields`), for every partner.
    :param digest_fields: identity fields that tell one child from another; None = all demographic fields.
    """

    host: str = "127.0.0.1"
    port: int = 0
    public_url: str | None = None
    onboarded: bool = True
    keycloak_prefix: str = "/auth"
    admin_secret: str = "admin-secret"  # noqa: S105
    globaladmin_secret: str = "globaladmin-secret"  # noqa: S105
    provisioner_secret: str = "deployment-secret"  # noqa: S105
    realm_managers: frozenset[str] = frozenset()
    client_id: str = "mosip-crvs1-client"
    client_secret: str = "sandbox-secret"  # noqa: S105 - opens nothing but this sandbox
    client_roles: frozenset[str] = CRVS_ROLES
    other_clients: tuple[Client, ...] = (Client("mosip-regproc-client", "regproc-secret", REGPROC_ROLES),)
    center_ids: frozenset[str] = frozenset({"10001"})
    machine_ids: frozenset[str] = frozenset({"10077"})
    officer_ids: frozenset[str] = frozenset({"crvs"})
    holidays: frozenset[str] = frozenset()
    token_seconds: int = 86400
    seed: int = 0
    tick_seconds: float = 180.0
    tick_quota: int = 2500
    main_processes: frozenset[str] = SHIPPED_MAIN_PROCESSES | CRVS_PROCESSES
    create_seconds: float = 0.005
    retry_seconds: float = 3.0
    retry_count: int = 3
    retry_cap_seconds: float = 20.0
    callback_timeout_seconds: float = 60.0
    poll_records: int = 3
    sync_seconds: float = 0.0
    known_uins: str = "any"
    digest_fields: tuple[str, ...] | None = None
    credential_partner: str = "crvs-partner"
    credential_secret: str = "crvs-partner-secret"  # noqa: S105
    credential_certificate: str | None = None
    credential_type: str = "opencrvs"
    credential_attributes: tuple[str, ...] = ("PSUT", "UIN")
    credential_transactions: int = 10
    credential_id_suffix: str = ""
    credential_meta_fields: tuple[str, ...] = ()
    faults: Mapping[str, float] = field(default_factory=dict)
    record_file: str | None = None

    def clients(self) -> dict[str, Client]:
        """All clients of an onboarded sandbox by id."""
        own = Client(self.client_id, self.client_secret, self.client_roles)
        partner = Client(self.credential_partner, self.credential_secret, PARTNER_ROLES)
        partners = (partner,) if self.credential_partner else ()
        return {client.client_id: client for client in (*partners, own, *self.other_clients)}
