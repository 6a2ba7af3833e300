"""Puts partner management, policy management and eSignet together."""

from __future__ import annotations

from aiohttp import web

from sandbox.certificates import Trust
from sandbox.esignet import EsignetService
from sandbox.esignet_clients import EsignetClients
from sandbox.oidc_clients import OidcClientService
from sandbox.onboarding import Onboarding
from sandbox.partner_certificates import PartnerCertificateService
from sandbox.partner_licences import LicenceService
from sandbox.partner_policies import PartnerPolicyService
from sandbox.partners import PartnerService
from sandbox.pms import Desk
from sandbox.pms_content import PmsContent
from sandbox.policies import PolicyService


class PartnerManagement:
    """All of it, empty at the start, and a part of the sandbox's state and of the key manager's answers.

    :param url: base URL of the sandbox, without a trailing slash.
    :ivar content: what it holds.
    :ivar trust: which certificates count in which domain.
    """

    def __init__(self, url: str, onboarding: Onboarding) -> None:
        configuration, gatekeeper, wrote = onboarding.configuration, onboarding.gatekeeper, onboarding.writes.note
        self.content = PmsContent(onboarding.settings.seed)
        self.trust = Trust(self.content, configuration)
        onboarding.parts["pms"] = self.content
        onboarding.keymanager.trust = self.trust.trusts
        desk = Desk(gatekeeper, wrote)
        clients = EsignetClients(self.content)
        self._services = (
            PolicyService(desk, self.content),
            # Before the partners themselves: `/partners/v2`, `/partners/certificate/…` are no partner ids.
            PartnerCertificateService(desk, self.content, self.trust),
            PartnerPolicyService(desk, self.content, configuration),
            PartnerService(desk, self.content, configuration),
            LicenceService(desk, self.content),
            OidcClientService(desk, self.content, clients),
            EsignetService(url, gatekeeper, self.content, clients, wrote),
        )

    def routes(self) -> list[web.RouteDef]:
        """Where everything lives."""
        return [route for service in self._services for route in service.routes()]
