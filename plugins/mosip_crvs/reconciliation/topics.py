"""Which topics of MOSIP's we need, and what the hub asks of whoever wants them (``mosip-events.md`` §1.3, §2)."""

from __future__ import annotations

from dataclasses import dataclass

from mosip_crvs.mosip.hub import subscriber_role
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.settlement.events import (
    CREDENTIAL_ISSUED,
    IDENTITY_CREATED,
    IDENTITY_UPDATED,
    WORKFLOW_COMPLETED,
    WORKFLOW_PAUSED,
)

REQUIRED_TOPICS = (WORKFLOW_COMPLETED,)
"""Without these no result is announced. The others tell more, or earlier."""

WANTED_TOPICS = (WORKFLOW_PAUSED, IDENTITY_CREATED, IDENTITY_UPDATED)


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic that we subscribe to.

    :param client_id: the Keycloak client that asks for it; a partner's topic is only given to the partner's own.
    """

    name: str
    client_id: str
    is_required: bool = False
    is_of_partner: bool = False

    @property
    def role(self) -> str:
        """The realm role that the client's service account needs."""
        return subscriber_role(self.name)


def topics_of(settings: MosipSettings) -> tuple[Topic, ...]:
    """Give the topics for a country, those first without which nothing works."""
    client = settings.client_id
    general = [Topic(name, client, is_required=name in REQUIRED_TOPICS) for name in (*REQUIRED_TOPICS, *WANTED_TOPICS)]
    partner = settings.partner_id
    if not partner:
        return tuple(general)
    return (*general, Topic(f"{partner}/{CREDENTIAL_ISSUED}", partner, is_of_partner=True))
