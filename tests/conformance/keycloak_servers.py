"""Real Keycloak servers, each for the length of a ``with`` block."""

from __future__ import annotations

import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from tests.conformance.distributions import installed
from tests.conformance.keycloak_generations import Generation, Start
from tests.conformance.supervisor import supervised

ADMIN = "conformance-admin"
READY_SECONDS = 240
CALL_SECONDS = 60


@dataclass(frozen=True)
class RealKeycloak:
    """A running server and its administrator in realm ``master``.

    :param base_url: without the prefix, and without a slash at the end.
    :param prefix: ``/auth`` or nothing.
    :param generation: the major version: 16 or 26.
    """

    base_url: str
    prefix: str
    admin_user: str
    admin_password: str = field(repr=False)
    generation: str

    def realm_url(self, realm: str = "mosip") -> str:
        """Where the realm's tokens and keys are."""
        return f"{self.base_url}{self.prefix}/realms/{realm}"

    def token(self, realm: str = "mosip", **form: str) -> requests.Response:
        """Ask for a token, and give the answer as it is."""
        url = f"{self.realm_url(realm)}/protocol/openid-connect/token"
        return requests.post(url, data=form, timeout=CALL_SECONDS)

    def admin_token(self) -> str:
        """Give a fresh token of the administrator; it lives for 60 s."""
        answer = self._ask_as_admin()
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def admin(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> requests.Response:
        """Make one raw call of the admin API, and give the answer as it is.

        :param path: below ``/admin/realms``, such as ``/mosip/clients``.
        :param token: of the administrator, for those who make many calls; otherwise a fresh one.
        """
        url = f"{self.base_url}{self.prefix}/admin/realms{path}"
        headers = {"Authorization": f"Bearer {token or self.admin_token()}"}
        return requests.request(method, url, json=body, headers=headers, timeout=CALL_SECONDS)

    def answers(self) -> bool:
        """Whether the administrator gets a token; nobody else's server at this port would give one."""
        try:
            return self._ask_as_admin().ok
        except requests.RequestException:
            return False

    def _ask_as_admin(self) -> requests.Response:
        who = {"username": self.admin_user, "password": self.admin_password}
        return self.token("master", grant_type="password", client_id="admin-cli", **who)


@contextmanager
def real_keycloak(generation: Generation) -> Iterator[RealKeycloak]:
    """Run a server on a free port of 127.0.0.1, with an empty database of its own, until the block ends.

    It ends with this process too, however that ends.

    :raises NotFetched: if the distribution cannot be brought here.
    :raises DidNotStart: if the server does not start.
    """
    home = installed(generation.distribution)
    port = _free_port()
    server = RealKeycloak(f"http://127.0.0.1:{port}", generation.prefix, ADMIN, secrets.token_hex(16), generation.name)
    with tempfile.TemporaryDirectory(prefix="crvs-keycloak-", ignore_cleanup_errors=True) as name:
        start = Start(home, Path(name), port, server.admin_user, server.admin_password)
        launch = generation.launch(start)
        with supervised(start.scratch, launch.command, launch.environment) as process:
            process.wait_until(server.answers, READY_SECONDS)
            yield server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
