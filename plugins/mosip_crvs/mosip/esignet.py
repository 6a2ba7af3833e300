"""eSignet: what it offers, and its clients without partner management in between (``mosip-onboarding.md`` §8).

The clients of a country are made by way of partner management (:mod:`mosip_crvs.mosip.partners`), because otherwise
MOSIP's authentication does not know them. eSignet's own client API has no way to look a client up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mosip_crvs.mosip.doors import Door, ReadingDoor, must
from mosip_crvs.mosip.endpoints import Read, Write

DISCOVERY = Read("GET", "/v1/esignet/oidc/.well-known/openid-configuration", enveloped=False)
CREATE_CLIENT = Write("POST", "/v1/esignet/client-mgmt/oidc-client", time_field="requestTime")
UPDATE_CLIENT = Write("PUT", "/v1/esignet/client-mgmt/oidc-client/{client}", time_field="requestTime")


def discovery(door: ReadingDoor) -> dict[str, Any]:
    """Read what eSignet offers: endpoints, ACR values, ways to authenticate a client, algorithms."""
    found: dict[str, Any] = must(door.ask(DISCOVERY), "read eSignet's discovery document")
    return found


class ClientManagement:
    """eSignet's own client API, for a country that runs eSignet without partner management.

    :param door: entered as a bearer whose token has the scopes ``add_oidc_client`` and ``update_oidc_client``.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def create(self, request: Mapping[str, Any]) -> None:
        """Register a client; one that is there already counts as registered."""
        self._door.tell(CREATE_CLIENT, dict(request))

    def update(self, client_id: str, request: Mapping[str, Any]) -> None:
        """Change a client: everything but its key."""
        self._door.tell(UPDATE_CLIENT, dict(request), client=client_id)
