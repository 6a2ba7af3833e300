"""Somebody who onboards a country's Keycloak: names of their own in the shared realm, and what goes over the wire."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import requests
from requests.adapters import HTTPAdapter
from tests.conformance.keycloak_servers import RealKeycloak
from tests.conftest import INCLUDE

from mosip_crvs.onboarding import country as country_file
from mosip_crvs.onboarding.access import Access
from mosip_crvs.onboarding.checks import CHECKS, authentication
from mosip_crvs.onboarding.country import Country, read_country
from mosip_crvs.onboarding.items import keycloak, officers
from mosip_crvs.onboarding.preflight import Result, run_preflight, with_needs
from mosip_crvs.onboarding.provision import Bench, Outcome, provision
from mosip_crvs.onboarding.surroundings import from_environment

LOOKED_AT = ("KC-01", "KC-02", "KC-03", "KC-04", "KC-05", "OF-01")
ADMIN_TOKEN_SECONDS = 60
"""How long Keycloak lets a token of the administrator live."""
STOCK_ROLE = "SUBSCRIBE_REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT_GENERAL"


class Killed(BaseException):
    """The run ends here, as a process does that is killed."""


class Wire(HTTPAdapter):
    """What goes over the wire.

    :param after_write: called when a change was made and its answer is there; what it raises takes the answer's place.
    """

    def __init__(self, after_write: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.sent: list[requests.PreparedRequest] = []
        self._after_write = after_write

    @property
    def administered(self) -> list[requests.PreparedRequest]:
        """Calls of the admin API."""
        return [each for each in self.sent if "/admin/realms/" in str(each.url)]

    @property
    def writes(self) -> list[str]:
        """Those that change something, by method and last part of the path."""
        return [f"{each.method} {each.path_url.rpartition('/')[2]}" for each in self.administered if _changes(each)]

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Let it pass, and remember it."""
        answer = super().send(request, *args, **options)
        self.sent.append(request)
        if "/admin/realms/" in str(request.url) and _changes(request):
            self._after_write()
        return answer

    def session(self) -> requests.Session:
        """A session whose calls all come by here."""
        made = requests.Session()
        made.mount("http://", self)
        return made


def _changes(request: requests.PreparedRequest) -> bool:
    return request.method != "GET"


@dataclass
class Desk:
    """One country's onboarding.

    :param variables: what a command line would read from its environment; a test may change it.
    """

    server: RealKeycloak
    country: Country
    folder: Path
    variables: dict[str, str] = field(repr=False)
    _token: tuple[float, str] = field(default=(0.0, ""), repr=False)

    @property
    def client_id(self) -> str:
        """The runtime client."""
        return self.country.clients.runtime

    def access(self, wire: Wire | None = None) -> Access:
        """Enter anew, with no token yet."""
        return Access(from_environment(self.folder, self.variables), self.country, (wire or Wire()).session())

    def provision(self, wire: Wire | None = None, *, planning: bool = False) -> Outcome:
        """Make what Keycloak lacks."""
        items = (*keycloak.ITEMS, *officers.USER)
        outcome = provision(items, Bench(self.access(wire), planning=planning), tell=lambda *_: None)
        outcome.ask()
        return outcome

    def preflight(self, ids: Sequence[str] = LOOKED_AT) -> dict[str, Result]:
        """Look at what Keycloak has."""
        survey = run_preflight(with_needs(CHECKS, ids), self.access())
        return {result.check.id: result for result in survey.results}

    def statuses(self) -> dict[str, str]:
        """What each check came to."""
        return statuses(self.preflight())

    def without_admin(self) -> Desk:
        """The same one, who does not know the administrator."""
        known = {name: value for name, value in self.variables.items() if not name.startswith("KEYCLOAK_ADMIN_")}
        return replace(self, variables=known)

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Change something behind our back, as somebody does at the console; or look at it."""
        until, token = self._token
        if time.monotonic() > until:
            token = self.server.admin_token()
            self._token = (time.monotonic() + ADMIN_TOKEN_SECONDS / 2, token)
        answer = self.server.admin(method, f"/mosip{path}", body, token=token)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def client(self) -> dict[str, Any]:
        """The runtime client, of which there must be one."""
        [found] = self.admin("GET", f"/clients?clientId={self.client_id}")
        return dict(found)

    def change_client(self, **changes: Any) -> None:
        """Change the runtime client."""
        client = self.client()
        self.admin("PUT", f"/clients/{client['id']}", client | changes)

    def account_path(self) -> str:
        """Where the client's service account is."""
        account = self.admin("GET", f"/clients/{self.client()['id']}/service-account-user")
        return f"/users/{account['id']}"

    def officer(self) -> dict[str, Any]:
        """The officer, of which there must be one."""
        [found] = self.admin("GET", f"/users?username={self.country.officer.user}&exact=true")
        return dict(found)

    def realm_roles(self, user_path: str) -> list[str]:
        """The roles that a user was given, but for the one that everybody has."""
        given = self.admin("GET", f"{user_path}/role-mappings/realm")
        return sorted(role["name"] for role in given if not role["name"].startswith("default-roles-"))

    def secret_works(self, secret: str) -> bool:
        """Whether the runtime client gets a token by a secret."""
        who = {"client_id": self.client_id, "client_secret": secret}
        return self.server.token(grant_type="client_credentials", **who).ok


def statuses(found: Mapping[str, Result]) -> dict[str, str]:
    """What each check came to."""
    return {id: str(result.status) for id, result in found.items()}


def new_desk(server: RealKeycloak, folder: Path) -> Desk:
    """A country with names that no other one has; its first role is not there yet, its second one is."""
    country, name = read_country(INCLUDE / "onboarding" / "demo.yaml"), secrets.token_hex(4)
    # The countries share a realm: each opens MOSIP by a role of its own, as if MOSIP had that one compiled in.
    for module in (country_file, authentication):
        module.OPENING_ROLES = module.OPENING_ROLES | {f"CRVS_{name}"}
    clients = {"runtime": f"Crvs-{name}", "runtime_roles": (f"CRVS_{name}", STOCK_ROLE)}
    officer = {"user": f"crvs-{name}", "email": f"{name}@example.org"}
    wanted = msgspec.structs.replace(
        country,
        clients=msgspec.structs.replace(country.clients, **clients),
        officer=msgspec.structs.replace(country.officer, **officer),
        credential_partner=None,
    )
    variables = {
        "MOSIP_URL": server.base_url,
        "KEYCLOAK_URL": server.base_url,
        "KEYCLOAK_ADMIN_USER": server.admin_user,
        "KEYCLOAK_ADMIN_PASSWORD": server.admin_password,
    }
    return Desk(server, wanted, folder, variables)
