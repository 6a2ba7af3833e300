"""What Airflow reads of this distribution: its connection types and their forms."""

from __future__ import annotations

from typing import Any

from mosip_crvs import __version__


def _text(label: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": ["string", "null"], **schema}}


def _number(label: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": ["number", "null"], **schema}}


def get_provider_info() -> dict[str, Any]:
    """Describe the provider; the entry point ``apache_airflow_provider`` names this function."""
    return {
        "package-name": "airflow-provider-mosip-crvs",
        "name": "MOSIP CRVS",
        "description": "Births and deaths of a civil registry, registered in MOSIP.",
        "versions": [__version__],
        "hooks": [
            {"integration-name": "MOSIP", "python-modules": ["mosip_crvs.hooks.mosip", "mosip_crvs.hooks.ledger"]}
        ],
        "notifications": ["mosip_crvs.notifiers.crvs.CrvsNotifier"],
        "connection-types": [
            {
                "connection-type": "mosip",
                "hook-class-name": "mosip_crvs.hooks.mosip.MosipHook",
                "hook-name": "MOSIP",
                "ui-field-behaviour": {
                    "hidden-fields": ["port", "schema"],
                    "relabeling": {"host": "Base URL", "login": "Client id", "password": "Client secret"},
                    "placeholders": {"host": "https://api-internal.example.org", "login": "mosip-crvs1-client"},
                },
                "conn-fields": {
                    "center_id": _text("Centre", "Id of the registration centre, five digits"),
                    "machine_id": _text("Machine", "Id of the machine, five digits"),
                    "officer_id": _text("Officer", "An active officer, mapped to centre and machine", default="crvs"),
                    "receiver_url": _text("Receiver URL", "Where MOSIP's hub reaches the receiver"),
                    "source": _text("Source", "As the packet manager's provider is configured", default="CRVS1"),
                    "login_via": _text(
                        "Token from", "Keycloak itself, or authmanager", enum=["keycloak", "authmanager"],
                        default="keycloak",
                    ),
                    "realm": _text("Realm", "Keycloak's realm", default="mosip"),
                    "app_id": _text("App id", "authmanager's appId", default="regproc"),
                    "keycloak_url": _text("Keycloak URL", "Where Keycloak is not below the base URL"),
                    "client_secret_next": _text("Next client secret", "While the secret is being changed"),
                    "partner_id": _text("Credential partner", "Its id in lower case, if credentials are to come"),
                    # Airflow hides a value of the extra by its name.
                    "partner_secret": _text(
                        "Partner's secret", "Of the client of that name, if it is another one", format="password"
                    ),
                    "keycloak_path": _text("Keycloak path", "Empty for Keycloak 17 and newer", default="/auth"),
                    "hub_path": _text("Hub path", "Where the WebSub hub lies", default="/hub/"),
                    "schema_version": _text("Schema version", "Published version of the ID schema", default="0.1"),
                    "holidays": _text(
                        "Holidays", "The centre's, if masterdata cannot be read: dates such as 2026-12-25, or none"
                    ),
                    "language": _text("Language", "A mandatory language of this MOSIP", default="eng"),
                    "concurrency": _number("Calls at once", "From one task", default=64, minimum=1, maximum=512),
                    "events_per_second": _number("Events a second", "For all tasks; 0 for no limit", default=0),
                    "timeout": _number("Time-out", "Seconds for one call", default=30, minimum=1),
                },
            },
            {
                "connection-type": "crvs_ledger",
                "hook-class-name": "mosip_crvs.hooks.ledger.LedgerHook",
                "hook-name": "CRVS ledger",
                "ui-field-behaviour": {
                    "hidden-fields": [],
                    "relabeling": {"schema": "Database"},
                    "placeholders": {"schema": "ledger", "port": "5432"},
                },
                "conn-fields": {
                    # Airflow hides a value of the extra by its name: "secret" is one that it knows.
                    "seal_secret": _text(
                        "Seal key", "Fernet keys, newest first, separated by commas", format="password"
                    ),
                    "sslmode": _text("SSL mode", "libpq's sslmode", enum=["disable", "require", "verify-full"]),
                },
            },
        ],
    }  # fmt: skip
