"""Who we are at our sandbox: what provisioning made, as Airflow's connection ``mosip`` holds it."""

from __future__ import annotations

from quickstart import environment
from quickstart.airflow_api import AirflowApi
from quickstart.places import Places
from quickstart.plan import FarSide
from quickstart.stack import Stack

CLIENT = "mosip-crvs1-client"


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
    )


def keep_connection(places: Places, stack: Stack, api: AirflowApi) -> bool:
    """Give Airflow what was made; False when nothing was, or when the far side is not our sandbox."""
    found = side(places, stack.urls["mosip"]) if stack.far_side != "mosip" else None
    if found is None:
        return False
    api.keep_connection("mosip", environment.mosip_connection(found, stack.urls["receiver"]))
    return True
