"""Who may call what: the cookie, the audience and the role (mosip-packets.md §1.7, §10.2-10.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from sandbox.configuration import Configuration
from sandbox.faults import Faults, service_of
from sandbox.tokens import Claims, TokenOffice
from sandbox.wire import envelope, error, json_reply


def spring_token(cookies: str) -> str | None:
    """Spring services take the first cookie whose name contains `Authorization`."""
    for part in cookies.split(";"):
        name, found, value = part.strip().partition("=")
        if found and "Authorization" in name:
            return value
    return None


def vertx_token(cookies: str) -> str | None:
    """Vert.x services take the raw header, which must start with `Authorization=`."""
    if not cookies.startswith("Authorization="):
        return None
    return cookies[len("Authorization=") :].split(";", 1)[0].strip()


def hub_token(cookies: str) -> str | None:
    """The hub splits entries at `"; "` and takes the one named exactly `Authorization` (mosip-events.md §1.3)."""
    for part in cookies.split("; "):
        if part.startswith("Authorization="):
            return part[len("Authorization=") :]
    return None


@dataclass(frozen=True, slots=True)
class Gate:
    """One endpoint's conditions.

    :param service: whose audience list counts, by its name in `Configuration.audiences`.
    :param roles: one of these; None for an endpoint that any valid token of the audience may call.
    :param key: property key of the roles; when the configuration has it, its roles count instead of `roles`.
    """

    service: str
    roles: frozenset[str] | None = None
    find_token: Callable[[str], str | None] = spring_token
    key: str | None = None


def refusal(status: int) -> web.Response:
    """401 or 403 with MOSIP's envelope."""
    reason = error("KER-ATH-401", "Authentication Failed") if status == 401 else error("KER-ATH-403", "Forbidden")
    return json_reply(envelope(None, [reason]), status)


_CLAIMS = web.RequestKey("claims", Claims)


def caller(request: web.Request) -> Claims:
    """Who makes a request that `Gatekeeper.admit` let pass."""
    return request[_CLAIMS]


class Gatekeeper:
    """Applies gates to requests."""

    def __init__(self, office: TokenOffice, faults: Faults, configuration: Configuration) -> None:
        self._office = office
        self._faults = faults
        self._configuration = configuration

    def claims(self, request: web.Request, find_token: Callable[[str], str | None]) -> Claims | None:
        """The claims of the request's cookie, if it carries a valid one."""
        return self._read(request, find_token(request.headers.get("Cookie", "")))

    def bearer(self, request: web.Request) -> Claims | None:
        """The claims of the `Authorization: Bearer` header, which eSignet looks at instead of the cookie."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return self._read(request, token.strip()) if scheme.lower() == "bearer" else None

    def admit(self, request: web.Request, gate: Gate) -> web.Response | None:
        """None when the request may pass, and then `caller` tells who it is; the refusal otherwise."""
        claims = self.claims(request, gate.find_token)
        if claims is None:
            return refusal(401)
        if not self._is_audience(claims, gate.service) or not self._has_role(claims, gate):
            return refusal(403)
        request[_CLAIMS] = claims
        return None

    def _read(self, request: web.Request, token: str | None) -> Claims | None:
        claims = self._office.read(token) if token else None
        if claims is None or self._faults.quiet:
            return claims
        return None if self._faults.hit_at("token_expired", service_of(request.path)) else claims

    def _is_audience(self, claims: Claims, service: str) -> bool:
        """Some `aud`, exactly, or else `azp` in any case (mosip-onboarding.md §0.1)."""
        allowed = self._configuration.audiences.get(service, set())
        if not allowed.isdisjoint(claims.audience):
            return True
        return claims.azp.lower() in {client.lower() for client in allowed}

    def _has_role(self, claims: Claims, gate: Gate) -> bool:
        configured = self._configuration.roles.get(gate.key) if gate.key is not None else None
        roles = gate.roles if configured is None else configured
        return roles is None or not claims.roles.isdisjoint(roles)
