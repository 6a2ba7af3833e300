"""Who may call what: the cookie, the audience and the role (mosip-packets.md §1.7, §10.2-10.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from sandbox.faults import Faults
from sandbox.tokens import Claims, TokenOffice
from sandbox.wire import envelope, error, json_reply

PACKET_AUDIENCE = frozenset({"mosip-regproc-client", "mosip-crvs1-client"})
REGPROC_AUDIENCE = frozenset(
    {"mosip-regproc-client", "mosip-admin-client", "mosip-resident-client", "mosip-reg-client", "mosip-crvs1-client"}
)


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
    """One endpoint's conditions."""

    audience: frozenset[str]
    roles: frozenset[str]
    find_token: Callable[[str], str | None] = spring_token


def refusal(status: int) -> web.Response:
    """401 or 403 with MOSIP's envelope."""
    reason = error("KER-ATH-401", "Authentication Failed") if status == 401 else error("KER-ATH-403", "Forbidden")
    return json_reply(envelope(None, [reason]), status)


class Gatekeeper:
    """Applies gates to requests."""

    def __init__(self, office: TokenOffice, faults: Faults) -> None:
        self._office = office
        self._faults = faults

    def claims(self, request: web.Request, find_token: Callable[[str], str | None]) -> Claims | None:
        """The claims of the request's cookie, if it carries a valid one."""
        token = find_token(request.headers.get("Cookie", ""))
        return self._office.read(token) if token else None

    def admit(self, request: web.Request, gate: Gate) -> web.Response | None:
        """None when the request may pass; the refusal otherwise."""
        claims = self.claims(request, gate.find_token)
        if claims is None or self._faults.hit("token_expired"):
            return refusal(401)
        allowed = claims.azp in gate.audience or not gate.audience.isdisjoint(claims.audience)
        if not allowed or gate.roles.isdisjoint(claims.roles):
            return refusal(403)
        return None
