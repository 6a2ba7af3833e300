"""Puts the credential service, data share and the credential request generator together."""

from __future__ import annotations

from aiohttp import web

from sandbox.credential_partners import CredentialPartners
from sandbox.credential_requests import CredentialRequestService
from sandbox.credentials import Credentials
from sandbox.data_share import DataShare
from sandbox.events import Publisher
from sandbox.hub_state import Hub
from sandbox.onboarding import Onboarding
from sandbox.pms_content import PmsContent
from sandbox.record import Record

STATUS_TOPIC = "CREDENTIAL_STATUS_UPDATE"


class CredentialIssuance:
    """All of it.

    :param url: base URL of the sandbox, without a trailing slash.
    :param content: partner management's.
    :ivar credentials: the credential service.
    """

    def __init__(
        self,
        url: str,
        onboarding: Onboarding,
        content: PmsContent,
        *,
        hub: Hub,
        publisher: Publisher,
        record: Record,
    ) -> None:
        settings, faults, gatekeeper = onboarding.settings, onboarding.faults, onboarding.gatekeeper
        signer = onboarding.keymanager.signer
        self._share = DataShare(url, gatekeeper, faults, signer=signer, fetched=record.credential_fetched)
        self.credentials = Credentials(
            CredentialPartners(settings, content),
            self._share,
            publisher,
            faults=faults,
            record=record,
            signer=signer,
            suffix=settings.credential_id_suffix,
            labels=settings.credential_meta_fields,
        )
        self._requests = CredentialRequestService(gatekeeper, self.credentials)
        hub.listeners[STATUS_TOPIC] = self.credentials.take_status
        if settings.onboarded:
            audiences = onboarding.configuration.audiences
            for service in ("datashare", "idrepo"):
                audiences[service] |= {settings.client_id, settings.credential_partner} - {""}

    def routes(self) -> list[web.RouteDef]:
        """Where it lives."""
        return [*self._share.routes(), *self._requests.routes()]
