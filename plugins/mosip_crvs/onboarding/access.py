"""Ways into an environment: doors that only look, and doors that change. One token an identity, fetched when needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

import requests

from mosip_crvs.errors import CredentialMissing, StopTheRun
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.doors import ReadingDoor
from mosip_crvs.mosip.keycloak import find_prefix, token_path
from mosip_crvs.mosip.token import TokenSource, fetch_by_grant
from mosip_crvs.onboarding.country import Country
from mosip_crvs.onboarding.keeping import Keeping
from mosip_crvs.onboarding.surroundings import HOW_TO_GIVE, Identity, Login, Surroundings

D = TypeVar("D", bound=ReadingDoor)


class Access:
    """Who we are in an environment, and how we get in.

    :param session: carries TLS and proxies; a fresh one if None.
    """

    def __init__(self, surroundings: Surroundings, country: Country, session: requests.Session | None = None) -> None:
        self.surroundings = surroundings
        self.country = country
        self.keeping = Keeping(surroundings.folder, country.environment)
        self._session = session = session or requests.Session()
        self.mosip = SingleCalls(surroundings.mosip_url, session, surroundings.timeout)
        self.iam = SingleCalls(surroundings.keycloak_url or surroundings.mosip_url, session, surroundings.timeout)
        self.esignet = SingleCalls(surroundings.esignet_url or surroundings.mosip_url, session, surroundings.timeout)
        self._sources: dict[Identity, TokenSource] = {}
        self._lock = threading.Lock()

    @cached_property
    def realm(self) -> tuple[str, dict[str, Any]]:
        """The realm's prefix and its OpenID configuration."""
        return find_prefix(self.iam, self.surroundings.realm, self.surroundings.keycloak_prefix)

    @property
    def prefix(self) -> str:
        """What Keycloak's paths begin with."""
        return self.realm[0]

    def login(self, identity: Identity) -> Login:
        """Say as whom an identity enters.

        :raises CredentialMissing: when nobody gave it, with what to do.
        """
        clients = self.country.clients
        partner = self.country.credential_partner
        named = {
            Identity.RUNTIME: clients.runtime,
            Identity.PROVISIONER: clients.provisioner,
            Identity.SUBSCRIBER: partner.id if partner else "",
        }
        given = self.surroundings.logins.get(identity)
        if given is not None:
            return replace(given, client_id=given.client_id or named.get(identity, ""))
        kept = self.keeping.secret(named.get(identity, "")) if named.get(identity) else None
        if kept:
            return Login(named[identity], kept)
        raise CredentialMissing(f"no login for the {identity}: {HOW_TO_GIVE[identity]}")

    def tokens(self, identity: Identity) -> TokenSource:
        """Give the source of an identity's tokens."""
        with self._lock:
            if identity not in self._sources:
                login = self.login(identity)
                path = token_path(self.prefix, login.realm or self.surroundings.realm)
                self._sources[identity] = TokenSource(lambda: fetch_by_grant(self.iam, path, login.form()))
            return self._sources[identity]

    def forget_tokens(self, identity: Identity) -> None:
        """Let the next call fetch a new token: roles have changed, which a token shows only when it is new."""
        with self._lock:
            self._sources.pop(identity, None)

    def at(self, url: str) -> SingleCalls:
        """Reach another address with the same TLS and proxies."""
        return SingleCalls(url, self._session, self.surroundings.timeout)

    def door(self, identity: Identity, kind: Callable[..., D]) -> D:
        """Open MOSIP's services.

        :param kind: of door, which says what may be done behind it.
        """
        return kind(self.mosip, None if identity is Identity.NOBODY else self.tokens(identity))

    def keycloak_door(self, kind: Callable[..., D]) -> D:
        """Open Keycloak's admin API."""
        return kind(self.iam, self.tokens(Identity.KEYCLOAK_ADMIN), bearer=True)

    def public_door(self, calls: SingleCalls, kind: Callable[..., D]) -> D:
        """Open what a service shows to everybody."""
        return kind(calls, None)

    def discreet(self, text: str) -> str:
        """Take every secret that we know out of a text."""
        known = {login.secret for login in self.surroundings.logins.values()}
        known |= {login.password for login in self.surroundings.logins.values()}
        with suppress(StopTheRun):  # a torn file is for those to tell who need it
            known |= self.keeping.every_secret()
        for secret in known - {""}:
            text = text.replace(secret, "***")
        return text
