"""Keycloak's admin API, of servers with and without the prefix ``/auth`` (``mosip-onboarding.md`` §1).

Written on the same session as every other call, and not on a client library: a handful of calls, and the look-ups must
go through doors that cannot write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.doors import Door, ReadingDoor, Said, must
from mosip_crvs.mosip.endpoints import Read, Write

PREFIXES = ("/auth", "")
"""Keycloak up to 16 lies below ``/auth``, which MOSIP's images use; newer ones do without."""

CONFIDENTIAL_CLIENT: Mapping[str, Any] = {
    "protocol": "openid-connect",
    "enabled": True,
    "publicClient": False,
    "serviceAccountsEnabled": True,
    "standardFlowEnabled": False,
    "implicitFlowEnabled": False,
    "directAccessGrantsEnabled": False,
    "clientAuthenticatorType": "client-secret",
    "fullScopeAllowed": True,
}
"""What a client of ours must be: confidential, a service account and nothing else, its realm roles untrimmed."""

_A = "{prefix}/admin/realms/{realm}"


def _read(path: str) -> Read:
    return Read("GET", path, enveloped=False)


def _write(method: str, path: str) -> Write:
    return Write(method, path, enveloped=False)


DISCOVERY = _read("{prefix}/realms/{realm}/.well-known/openid-configuration")
CLIENTS = _read(_A + "/clients?clientId={client_id}")
CLIENT_SECRET = _read(_A + "/clients/{uuid}/client-secret")
SERVICE_ACCOUNT = _read(_A + "/clients/{uuid}/service-account-user")
REALM_ROLE = _read(_A + "/roles/{role}")
USERS = _read(_A + "/users?username={username}&exact=true")
USER_ROLES = _read(_A + "/users/{user}/role-mappings/realm")
CREATE_CLIENT = _write("POST", _A + "/clients")
UPDATE_CLIENT = _write("PUT", _A + "/clients/{uuid}")
CREATE_ROLE = _write("POST", _A + "/roles")
ASSIGN_ROLES = _write("POST", _A + "/users/{user}/role-mappings/realm")
CREATE_USER = _write("POST", _A + "/users")
UPDATE_USER = _write("PUT", _A + "/users/{user}")


def find_prefix(calls: SingleCalls, realm: str, given: str | None = None) -> tuple[str, dict[str, Any]]:
    """Find under which prefix a realm answers.

    :param given: the only prefix to try, where it is known.
    :return: the prefix and the realm's OpenID configuration.
    :raises MosipRefused: when no prefix has the realm.
    """
    door = ReadingDoor(calls, None)
    seen = ""
    for prefix in PREFIXES if given is None else (given.rstrip("/"),):
        said = door.ask(DISCOVERY, prefix=prefix, realm=realm)
        if said.succeeded and isinstance(said.response, dict) and said.response.get("issuer"):
            return prefix, said.response
        seen = said.refusal if not said.succeeded else f"HTTP {said.status} without an issuer"
    raise MosipRefused(f"no realm {realm!r} with or without /auth at {calls.base_url}: {seen}")


def token_path(prefix: str, realm: str) -> str:
    """Give the path of a realm's token endpoint."""
    return f"{prefix}/realms/{realm}/protocol/openid-connect/token"


class KeycloakLook:
    """What a realm has.

    :param door: entered with an administrator's bearer token.
    """

    def __init__(self, door: ReadingDoor, prefix: str, realm: str) -> None:
        self._door = door
        self._prefix = prefix
        self._realm = realm

    def client(self, client_id: str) -> dict[str, Any] | None:
        """Find a client's representation, with its internal ``id``."""
        found = must(self._ask(CLIENTS, client_id=client_id), f"look for the client {client_id!r}")
        return next((each for each in found if each.get("clientId") == client_id), None)

    def client_secret(self, client_uuid: str) -> str:
        """Give a client's secret, to compare it with ours; empty when it has none. It takes the right to change it."""
        found = must(self._ask(CLIENT_SECRET, uuid=client_uuid), "look for the client's secret")
        return str(found.get("value") or "")

    def role(self, name: str) -> dict[str, Any] | None:
        """Find a realm role."""
        said = self._ask(REALM_ROLE, role=name)
        if said.status == 404:
            return None
        role: dict[str, Any] = must(said, f"look for the realm role {name!r}")
        return role

    def user(self, username: str) -> dict[str, Any] | None:
        """Find a user by the whole name; servers before 16 may ignore ``exact`` and give longer names, too."""
        found = must(self._ask(USERS, username=username), f"look for the user {username!r}")
        return next((each for each in found if str(each.get("username", "")).lower() == username.lower()), None)

    def service_account(self, client_uuid: str) -> dict[str, Any] | None:
        """Find a client's service-account user; None when service accounts are off."""
        said = self._ask(SERVICE_ACCOUNT, uuid=client_uuid)
        if said.status in (400, 404):
            return None
        user: dict[str, Any] = must(said, "look for the service account")
        return user

    def roles_of(self, user_id: str) -> frozenset[str]:
        """Give the names of the realm roles that a user was given directly."""
        found = must(self._ask(USER_ROLES, user=user_id), "look for the user's realm roles")
        return frozenset(str(each.get("name")) for each in found)

    def _ask(self, read: Read, **parts: str) -> Said:
        said = self._door.ask(read, prefix=self._prefix, realm=self._realm, **parts)
        if said.succeeded and said.response is None:
            raise MosipUnavailable(f"{read.method} {read.template}: no answer of Keycloak's, but HTTP {said.status}")
        return said


class KeycloakAdmin(KeycloakLook):
    """Changes a realm. Whoever calls has looked before."""

    def __init__(self, door: Door, prefix: str, realm: str) -> None:
        super().__init__(door, prefix, realm)
        self._writing = door

    def create_role(self, name: str, description: str) -> None:
        """Make a realm role."""
        self._tell(CREATE_ROLE, {"name": name, "description": description})

    def create_client(self, client_id: str, secret: str) -> bool:
        """Make a confidential client with a secret that we know beforehand; say whether it was not there already."""
        client = {**CONFIDENTIAL_CLIENT, "clientId": client_id, "redirectUris": [], "secret": secret}
        return self._tell(CREATE_CLIENT, client) is None

    def update_client(self, client: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        """Change a client; the whole representation travels, as Keycloak wants it."""
        self._tell(UPDATE_CLIENT, {**client, **changes}, uuid=str(client["id"]))

    def assign(self, user_id: str, roles: Sequence[Mapping[str, Any]]) -> None:
        """Give realm roles to a user; those that it has stay."""
        self._tell(ASSIGN_ROLES, [{"id": role["id"], "name": role["name"]} for role in roles], user=user_id)

    def create_user(self, representation: Mapping[str, Any]) -> None:
        """Make a user.

        :raises MosipRefused: also when another user has the e-mail address.
        """
        conflict = self._tell(CREATE_USER, representation)
        if conflict and self.user(str(representation["username"])) is None:
            raise conflict

    def update_user(self, user: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        """Change a user."""
        self._tell(UPDATE_USER, {**user, **changes}, user=str(user["id"]))

    def _tell(self, write: Write, request: Any, **parts: str) -> MosipRefused | None:
        """Change something; give the refusal of what seems to be there already."""
        try:
            self._writing.tell(write, request, prefix=self._prefix, realm=self._realm, **parts)
        except MosipRefused as problem:
            if "HTTP 409" not in str(problem) and "HTTP_409" not in str(problem):
                raise
            # It is there: made by somebody else between our look and our call. The next look will tell.
            return problem
        return None


def missing_settings(client: Mapping[str, Any], wanted: Mapping[str, Any] = CONFIDENTIAL_CLIENT) -> dict[str, Any]:
    """Give what of a client's settings is not as it must be, with the values that it must have."""
    return {name: value for name, value in wanted.items() if client.get(name) != value}


def missing_roles(had: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Give the wanted roles that are not had, in the order wanted."""
    there = frozenset(had)
    return [role for role in wanted if role not in there]
