"""What one check of the preflight sees: doors that let pass the readings that it declares, and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Engine

from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.doors import ProbingDoor, Said
from mosip_crvs.mosip.endpoints import Endpoint
from mosip_crvs.mosip.keycloak import KeycloakLook
from mosip_crvs.mosip.keymanager import KeyManager
from mosip_crvs.mosip.masterdata import MasterdataLook
from mosip_crvs.mosip.partners import PartnersLook
from mosip_crvs.mosip.token import TokenSource
from mosip_crvs.onboarding.access import Access
from mosip_crvs.onboarding.country import Country
from mosip_crvs.onboarding.keeping import Keeping
from mosip_crvs.onboarding.surroundings import Identity, Surroundings


class _Declared(ProbingDoor):
    """A door that lets pass what a check declares, and nothing else."""

    def __init__(
        self,
        calls: SingleCalls,
        tokens: TokenSource | None,
        *,
        bearer: bool = False,
        allowed: Collection[Endpoint],
    ) -> None:
        super().__init__(calls, tokens, bearer=bearer)
        self._allowed = allowed

    def _send(self, endpoint: Endpoint, request: Any, parts: Mapping[str, str], *, as_is: bool = False) -> Said:
        if endpoint not in self._allowed:
            raise AssertionError(f"the check does not declare {endpoint.method} {endpoint.template}")
        return super()._send(endpoint, request, parts, as_is=as_is)


class Look:
    """What one check sees: the country's wishes, what earlier checks found, and doors that only look.

    :param ledger: the ledger, if there is one to look at.
    :param identity: as whom the check asks.
    :param calls: every call that it declares.
    """

    def __init__(
        self,
        access: Access,
        ledger: Engine | None,
        facts: Mapping[str, Any],
        *,
        identity: Identity,
        calls: Collection[Endpoint],
    ) -> None:
        self._access = access
        self._identity = identity
        self._declared = partial(_Declared, allowed=calls)
        self.ledger = ledger
        self.facts = facts

    @property
    def country(self) -> Country:
        """What the country wants."""
        return self._access.country

    @property
    def surroundings(self) -> Surroundings:
        """Where everything is."""
        return self._access.surroundings

    @property
    def keeping(self) -> Keeping:
        """What provisioning kept."""
        return self._access.keeping

    @property
    def center_id(self) -> str:
        """The centre: as given, as kept, or as an earlier check found it; empty if nobody knows."""
        return self._id("center_id", self.surroundings.center_id)

    @property
    def machine_id(self) -> str:
        """The machine, likewise."""
        return self._id("machine_id", self.surroundings.machine_id)

    @property
    def officer_id(self) -> str:
        """The officer that packets name: the sync's, or the country's."""
        return self.surroundings.officer_id or self.country.officer.user

    @property
    def schema_version(self) -> str:
        """The version of the ID schema that packets name."""
        return self.surroundings.schema_version or self.keeping.ids.get("schema_version", "") or "0.1"

    @property
    def realm(self) -> tuple[str, dict[str, Any]]:
        """The realm's prefix and OpenID configuration."""
        return self._access.realm

    def login_name(self, identity: Identity) -> str:
        """Name the client or user of an identity."""
        login = self._access.login(identity)
        return login.user or login.client_id

    def token(self, identity: Identity) -> str:
        """Get an identity's token. Secret: only its claims may be shown."""
        return self._access.tokens(identity).get()

    @property
    def iam(self) -> ProbingDoor:
        """Keycloak, as nobody."""
        return self._access.public_door(self._access.iam, self._declared)

    @property
    def door(self) -> ProbingDoor:
        """MOSIP's services, as the check's identity."""
        return self._access.door(self._identity, self._declared)

    @property
    def masterdata(self) -> MasterdataLook:
        """Masterdata."""
        return MasterdataLook(self.door, self.country.language)

    @property
    def keymanager(self) -> KeyManager:
        """The key manager."""
        return KeyManager(self.door)

    @property
    def partners(self) -> PartnersLook:
        """Partner management."""
        return PartnersLook(self.door)

    @property
    def keycloak(self) -> KeycloakLook:
        """Keycloak's admin API."""
        door = self._access.keycloak_door(self._declared)
        return KeycloakLook(door, self._access.prefix, self.surroundings.realm)

    def at(self, url: str) -> SingleCalls:
        """Reach what is ours: the receiver."""
        return self._access.at(url)

    @property
    def esignet(self) -> ProbingDoor:
        """eSignet."""
        return self._access.public_door(self._access.esignet, self._declared)

    def _id(self, name: str, given: str) -> str:
        return given or self.keeping.ids.get(name) or str(self.facts.get(name, ""))
