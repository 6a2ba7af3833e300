"""Where a country's MOSIP is and as whom we may enter it: from the environment, or from Airflow's connections."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mosip_crvs.errors import StopTheRun


class Identity(StrEnum):
    """As whom a call is made. Each is given only what it needs, and may be missing."""

    NOBODY = "nobody"
    RUNTIME = "runtime"
    """Sends packets, every night."""
    PROVISIONER = "provisioner"
    """Prepares masterdata and partners, and looks at them."""
    KEYCLOAK_ADMIN = "keycloak admin"
    GLOBAL_ADMIN = "global admin"
    """A user with the root zone: needed once, to give the provisioner its zone."""
    SUBSCRIBER = "subscriber"
    """The client named as the credential partner."""
    PARTNER_USER = "partner user"
    """The user named as the authentication partner: needed once, for an API key."""


@dataclass(frozen=True, slots=True)
class Login:
    """A client, or a user by way of a client.

    :param secret: of the client; empty for a public one.
    :param user: empty for the client's own service account.
    :param realm: empty for MOSIP's.
    """

    client_id: str
    secret: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    realm: str = ""

    def form(self) -> dict[str, str]:
        """Give the form that asks for a token."""
        secret = {"client_secret": self.secret} if self.secret else {}
        if not self.user:
            return {"grant_type": "client_credentials", "client_id": self.client_id, **secret}
        user = {"username": self.user, "password": self.password}
        return {"grant_type": "password", "client_id": self.client_id, **secret, **user}


@dataclass(frozen=True)
class Surroundings:
    """One environment of a country's MOSIP, as this machine reaches it.

    :param folder: where what was made there is kept: ids, generated secrets, keys.
    :param center_id: and the ids after it, as the sync has them, where they are given; else what provisioning kept,
        else found by the names in the country file.
    :param receiver_url: where MOSIP's hub reaches the receiver.
    :param ledger_url: of the ledger; empty when there is none to look at. It may hold a password.
    :param include: the country's SQL, mappings, rules and schemas.
    """

    mosip_url: str
    folder: Path
    keycloak_url: str = ""
    esignet_url: str = ""
    realm: str = "mosip"
    keycloak_prefix: str | None = None
    hub_path: str = "/hub/"
    receiver_url: str = ""
    center_id: str = ""
    machine_id: str = ""
    officer_id: str = ""
    schema_version: str = ""
    include: Path = Path("include")
    ledger_url: str = field(default="", repr=False)
    seal_key: str = field(default="", repr=False)
    logins: Mapping[Identity, Login] = field(default_factory=dict)
    timeout: float = 15.0


HOW_TO_GIVE = {
    Identity.RUNTIME: "set MOSIP_CLIENT_SECRET, or fill in the connection 'mosip'",
    Identity.PROVISIONER: "set MOSIP_PROVISIONER_SECRET, or fill in the connection 'mosip_provisioner'",
    Identity.KEYCLOAK_ADMIN: "set KEYCLOAK_ADMIN_USER and KEYCLOAK_ADMIN_PASSWORD, or fill in the connection "
    "'mosip_keycloak_admin'",
    Identity.GLOBAL_ADMIN: "set MOSIP_GLOBAL_ADMIN_PASSWORD (and _USER, _CLIENT_ID, _CLIENT_SECRET), or fill in the "
    "connection 'mosip_global_admin'",
    Identity.SUBSCRIBER: "set MOSIP_SUBSCRIBER_SECRET, or run provision, which makes one",
    Identity.PARTNER_USER: "set MOSIP_PARTNER_USER_PASSWORD and MOSIP_PARTNER_USER_CLIENT_ID",
}
"""What a person does about a login that is missing."""


def from_environment(folder: Path, environment: Mapping[str, str] = os.environ) -> Surroundings:
    """Read the environment of a command line.

    Client ids are left to the country file where they are not given here.

    :raises StopTheRun: naming what is missing.
    """
    get = environment.get
    url = get("MOSIP_URL", "").rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise StopTheRun("MOSIP_URL must be the http:// or https:// address below which MOSIP's services lie")
    return Surroundings(
        mosip_url=url,
        folder=folder,
        keycloak_url=get("KEYCLOAK_URL", "").rstrip("/"),
        esignet_url=get("ESIGNET_URL", "").rstrip("/"),
        realm=get("MOSIP_REALM", "mosip"),
        keycloak_prefix=get("KEYCLOAK_PATH"),
        hub_path=get("MOSIP_HUB_PATH", "/hub/"),
        receiver_url=get("CRVS_RECEIVER_URL", "").rstrip("/"),
        center_id=get("MOSIP_CENTER_ID", ""),
        machine_id=get("MOSIP_MACHINE_ID", ""),
        officer_id=get("MOSIP_OFFICER_ID", ""),
        schema_version=get("MOSIP_SCHEMA_VERSION", ""),
        include=Path(get("CRVS_INCLUDE_DIR", "include")),
        ledger_url=get("CRVS_LEDGER_URL", ""),
        seal_key=get("CRVS_SEAL_KEY", ""),
        logins=dict(_logins(environment)),
    )


def _logins(environment: Mapping[str, str]) -> list[tuple[Identity, Login]]:
    get = environment.get
    found: list[tuple[Identity, Login]] = []
    for identity, prefix in (
        (Identity.RUNTIME, "MOSIP_CLIENT"),
        (Identity.PROVISIONER, "MOSIP_PROVISIONER"),
        (Identity.SUBSCRIBER, "MOSIP_SUBSCRIBER"),
    ):
        if secret := get(f"{prefix}_SECRET"):
            found.append((identity, Login(get(f"{prefix}_ID", ""), secret)))
    if password := get("KEYCLOAK_ADMIN_PASSWORD"):
        login = Login("admin-cli", user=get("KEYCLOAK_ADMIN_USER", "admin"), password=password, realm="master")
        found.append((Identity.KEYCLOAK_ADMIN, login))
    elif secret := get("KEYCLOAK_ADMIN_CLIENT_SECRET"):
        found.append((Identity.KEYCLOAK_ADMIN, Login(get("KEYCLOAK_ADMIN_CLIENT_ID", ""), secret)))
    for identity, prefix, user in (
        (Identity.GLOBAL_ADMIN, "MOSIP_GLOBAL_ADMIN", "globaladmin"),
        (Identity.PARTNER_USER, "MOSIP_PARTNER_USER", ""),
    ):
        if password := get(f"{prefix}_PASSWORD"):
            login = Login(
                get(f"{prefix}_CLIENT_ID", "mosip-admin-client"),
                get(f"{prefix}_CLIENT_SECRET", ""),
                get(f"{prefix}_USER", user),
                password,
            )
            found.append((identity, login))
    return found
