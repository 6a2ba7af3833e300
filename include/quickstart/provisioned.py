"""Who we are at our sandbox: what provisioning made, as Airflow's connection ``mosip`` holds it."""

from __future__ import annotations

from quickstart import environment
from quickstart.airflow_api import AirflowApi
from quickstart.places import Places
from quickstart.plan import FarSide
from quickstart.stack import Stack

CLIENT = "mosip-crvs1-client"
PARTNER = "crvs-partner"
IDENTIFIERS = "PSUT,UIN"
"""MOSIP recommends the PSUT, and its credential may be without one: the demo's policy asks for the UIN, so that is
what comes, and a policy of yours that has the PSUT as well gives the PSUT."""
SIGNERS = "demo.mosip-signing.pem"
POLL_AFTER = 8.0
"""Seconds. The sandbox looks every two seconds where MOSIP looks every three minutes; with MOSIP's own pace, nobody
would see within a demo that what is not announced is asked for."""


def side(places: Places, mosip_url: str) -> FarSide | None:
    """What was made; None before it was."""
    ids, secrets = places.provisioned(), places.client_secrets(CLIENT)
    if not {"center_id", "machine_id", "schema_version"} <= ids.keys() or "current" not in secrets:
        return None
    return FarSide(
        base_url=mosip_url,
        client_id=CLIENT,
        client_secret=secrets["current"],
        center_id=ids["center_id"],
        machine_id=ids["machine_id"],
        officer_id="crvs",
        schema_version=ids["schema_version"],
        client_secret_next=secrets.get("next", ""),
        poll_after=POLL_AFTER,
        **_partner(places),
    )


def _partner(places: Places) -> dict[str, str]:
    """The credential partner's part; nothing before its client was made."""
    secret = places.client_secrets(PARTNER).get("current", "")
    if not secret:
        return {}
    signers = SIGNERS if (places.onboarding / SIGNERS).exists() else ""
    return {
        "partner_id": PARTNER,
        "partner_secret": secret,
        "identifiers": IDENTIFIERS,
        "signing_certificates": signers,
    }


def keep_connection(places: Places, stack: Stack, api: AirflowApi) -> bool:
    """Give Airflow what was made; False when nothing was, or when the far side is not our sandbox."""
    found = side(places, stack.urls["mosip"]) if stack.far_side != "mosip" else None
    if found is None:
        return False
    api.keep_connection("mosip", environment.mosip_connection(found, stack.urls["receiver"]))
    return True
