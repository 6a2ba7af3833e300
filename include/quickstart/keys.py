"""The secrets of one stack, made at random and kept with its databases: a later start must read what it encrypted."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass

from cryptography.fernet import Fernet

from quickstart.places import Places, read_json, write_private

AIRFLOW_USER = "admin"


@dataclass(frozen=True)
class Keys:
    """Generated secrets, all of them text."""

    airflow_password: str
    fernet_key: str
    jwt_secret: str
    api_secret: str
    seal_key: str
    keycloak_admin_secret: str
    globaladmin_secret: str
    provisioner_secret: str


def keys_for(places: Places) -> Keys:
    """Those of the stack before, or new ones."""
    saved = read_json(places.secrets_file)
    keys = Keys(**saved) if saved else _new_keys()
    write_private(places.secrets_file, asdict(keys))
    write_private(places.passwords_file, {AIRFLOW_USER: keys.airflow_password})
    return keys


def _new_keys() -> Keys:
    return Keys(
        airflow_password=secrets.token_hex(8),
        fernet_key=Fernet.generate_key().decode(),
        jwt_secret=secrets.token_urlsafe(48),
        api_secret=secrets.token_urlsafe(48),
        seal_key=Fernet.generate_key().decode(),
        keycloak_admin_secret=secrets.token_urlsafe(16),
        globaladmin_secret=secrets.token_urlsafe(16),
        provisioner_secret=secrets.token_urlsafe(16),
    )
