"""How every call of Keycloak's admin API goes: the bearer token, the body, the answer (mosip-onboarding.md §1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from sandbox.keycloak import RealmDoor
from sandbox.realm import Realm
from sandbox.wire import json_reply
from sandbox.writes import Writes

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Answer(Exception):
    """An error answer. Keycloak words conflicts as `errorMessage`, everything else as `error`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def read_body(request: web.Request) -> Any:
    try:
        return msgspec.json.decode(await request.read() or b"{}")
    except msgspec.DecodeError:
        raise Answer(400, "invalid_request") from None


async def read_object(request: web.Request, name: str) -> dict[str, Any]:
    """A representation that must carry a name of its own."""
    sent = await read_body(request)
    if not isinstance(sent, dict) or not isinstance(sent.get(name), str) or not sent[name]:
        raise Answer(400, f"{name} is missing")
    return sent


def nothing() -> web.Response:
    return web.Response(status=204)


class AdminDesk:
    """Puts calls behind an administrator's token and counts those that change something.

    :param doors: the realms that may issue such a token; `mosip` is the one that is administered.
    :param managers: users of realm `mosip` that hold realm-management roles; every user of `master` does.
    """

    def __init__(self, prefix: str, doors: Mapping[str, RealmDoor], managers: frozenset[str], writes: Writes) -> None:
        self._prefix = prefix
        self._doors = doors
        self._managers = managers
        self._writes = writes

    @property
    def realm(self) -> Realm:
        """The realm that is administered."""
        return self._doors["mosip"].realm

    def routes(self, table: Iterable[tuple[str, str, Handler]]) -> list[web.RouteDef]:
        """Method, path below the realm, handler."""
        base = f"{self._prefix}/admin/realms/{{realm}}"
        return [web.route(method, base + path, self._guarded(handler)) for method, path, handler in table]

    def created(self, request: web.Request, id: str) -> web.Response:
        """201 with the address of what was made."""
        location = f"{self._doors['mosip'].office.issuer.removesuffix('/realms/mosip')}/admin/realms/mosip"
        what = request.path.rsplit("/", 1)[-1]
        return web.Response(status=201, headers={"Location": f"{location}/{what}/{id}"})

    def _guarded(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                self._check(request)
                response = await handler(request)
            except Answer as answer:
                name = "errorMessage" if answer.status == 409 else "error"
                return json_reply({name: str(answer)}, answer.status)
            if request.method != "GET":
                self._writes.note(request)
            return response

        return handle

    def _check(self, request: web.Request) -> None:
        """:raises Answer: 401 without a token of a realm here, 403 without the power, 404 for another realm."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        readers = ((name, door.office.read(token.strip())) for name, door in self._doors.items())
        known = [(name, claims) for name, claims in readers if claims is not None]
        if scheme.lower() != "bearer" or not known:
            raise Answer(401, "HTTP 401 Unauthorized")
        name, claims = known[0]
        if name != "master" and claims.user_id not in self._managers:
            raise Answer(403, "HTTP 403 Forbidden")
        if request.match_info["realm"] != "mosip":
            raise Answer(404, "Realm not found.")
