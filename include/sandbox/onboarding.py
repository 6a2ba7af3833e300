"""The part of a sandbox that prerequisites are about: realms, configuration, masterdata, keys; put together."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from sandbox.authmanager import AuthManager
from sandbox.configuration import Configuration
from sandbox.content import Part
from sandbox.faults import Faults
from sandbox.gate import Gatekeeper
from sandbox.keycloak import Keycloak, RealmDoor
from sandbox.keycloak_clients import KeycloakClients
from sandbox.keycloak_desk import AdminDesk
from sandbox.keycloak_users import KeycloakUsers
from sandbox.keymanager import Keymanager
from sandbox.masterdata import Masterdata
from sandbox.masterdata_desk import Desk
from sandbox.masterdata_service import MasterdataService
from sandbox.onboarding_controls import OnboardingControls
from sandbox.settings import Settings
from sandbox.stock_realm import master_realm, mosip_realm
from sandbox.tokens import TokenOffice
from sandbox.writes import Writes


class Service(Protocol):
    """Something with routes."""

    def routes(self) -> list[web.RouteDef]:
        """Where it lives."""


class Onboarding:
    """Content and the services over it.

    :ivar parts: content by its name in the state; a service of somebody else's puts its own in.
    """

    def __init__(self, settings: Settings, url: str, faults: Faults) -> None:
        base = f"{url}{settings.keycloak_prefix}/realms"
        self.settings = settings
        self.faults = faults
        self.configuration = Configuration()
        self.writes = Writes()
        self.realm = mosip_realm(settings)
        self.office = TokenOffice(f"{base}/mosip")
        self.gatekeeper = Gatekeeper(self.office, faults, self.configuration)
        self.masterdata = Masterdata(settings, self.configuration)
        self.keymanager = Keymanager(Desk(self.gatekeeper, self.writes))
        self.parts: dict[str, Part] = {
            "keycloak": self.realm,
            "masterdata": self.masterdata,
            "keymanager": self.keymanager,
        }
        self._doors = {
            "mosip": RealmDoor(self.realm, self.office),
            "master": RealmDoor(master_realm(settings), TokenOffice(f"{base}/master")),
        }

    def services(self) -> tuple[Service, ...]:
        """Keycloak, authmanager, masterdata, key manager, and the levers on all content."""
        prefix = self.settings.keycloak_prefix
        admin = AdminDesk(prefix, self._doors, self.settings.realm_managers, self.writes)
        return (
            Keycloak(prefix, self._doors, self.faults),
            KeycloakClients(admin),
            KeycloakUsers(admin),
            AuthManager(self.office, self.realm, self.faults, self.gatekeeper),
            MasterdataService(self.masterdata, Desk(self.gatekeeper, self.writes)),
            self.keymanager,
            OnboardingControls(self.parts, self.configuration, self.writes),
        )

    def token(self, seconds: int, client_id: str, username: str | None = None) -> str:
        """A token of a client's service account, or of a user who came through the client.

        :raises KeyError: for a client or a user that does not exist.
        """
        client = self.realm.client(client_id)
        if client is None:
            raise KeyError(client_id)
        user = self.realm.service_account(client) if username is None else self.realm.user(username)
        if user is None:
            raise KeyError(username or client_id)
        return self.office.issue(self.realm.subject(client, user), seconds)
