"""What the endpoints of partner and policy management share: gate, envelope, refusals in HTTP 200, searches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from sandbox.gate import Gate, Gatekeeper, caller
from sandbox.tokens import Claims
from sandbox.wire import envelope, error, json_reply

Row = dict[str, Any]

SERVICE = "pms"
MISSING = ("PMS_COR_001", "Missing Input Parameter")
INVALID = ("PMS_COR_002", "Invalid Input Parameter")


class Refused(Exception):
    """A business error: HTTP 200 with one entry in `errors`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted request.

    :ivar body: the envelope's `request`; empty for a call without one.
    :ivar claims: the caller.
    """

    request: web.Request
    body: Mapping[str, Any]
    claims: Claims

    def path(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    def text(self, name: str, longest: int | None = None) -> str:
        """A mandatory text of the body.

        :raises Refused: if it is missing, blank, no text or too long.
        """
        value = self.body.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            raise Refused(MISSING[0], f"{MISSING[1]} - {name}")
        if not isinstance(value, str) or (longest is not None and len(value) > longest):
            raise Refused(INVALID[0], f"{INVALID[1]} - {name}")
        return value


Handler = Callable[[Call], Any]


async def read_call(request: web.Request, claims: Claims) -> Call | None:
    """The call a request makes; None when its body is no envelope."""
    raw = await request.read()
    if not raw:
        return Call(request, {}, claims)
    try:
        sent = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
    if not isinstance(sent, dict) or not isinstance(sent.get("request") or {}, dict):
        return None
    return Call(request, sent.get("request") or {}, claims)


def answer(call: Call | None, handler: Handler) -> tuple[web.Response, bool]:
    """What a handler says, and whether it did it."""
    try:
        if call is None:
            raise Refused(*MISSING)
        return json_reply(envelope(handler(call), [])), True
    except Refused as refused:
        return json_reply(envelope(None, [error(refused.code, refused.text)])), False


class Desk:
    """Makes handlers into endpoints.

    :param wrote: told of every accepted call that changed something.
    """

    def __init__(self, gatekeeper: Gatekeeper, wrote: Callable[[web.Request], None]) -> None:
        self._gatekeeper = gatekeeper
        self._wrote = wrote

    def read(self, method: str, path: str, handler: Handler, roles: frozenset[str] | None) -> web.RouteDef:
        """An endpoint that changes nothing. `roles` None: any token of the audience will do."""
        return self._route(method, path, handler, Gate(SERVICE, roles), False)

    def write(self, method: str, path: str, handler: Handler, roles: frozenset[str] | None) -> web.RouteDef:
        """An endpoint that changes something, whatever its method says."""
        return self._route(method, path, handler, Gate(SERVICE, roles), True)

    def _route(self, method: str, path: str, handler: Handler, gate: Gate, writes: bool) -> web.RouteDef:
        async def serve(request: web.Request) -> web.Response:
            refused = self._gatekeeper.admit(request, gate)
            if refused is not None:
                return refused
            response, done = answer(await read_call(request, caller(request)), handler)
            if done and writes:
                self._wrote(request)
            return response

        return web.route(method, path, serve)


def _matches(row: Row, test: Mapping[str, Any]) -> bool:
    column, kind = test.get("columnName"), test.get("type")
    if column not in row:
        raise Refused("PMS_PRT_310", f"Invalid column received : {column}")
    found, wanted = str(row[column]).lower(), str(test.get("value", "")).lower()
    if kind == "equals":
        return found == wanted
    if kind == "contains":
        return wanted.strip("*") in found
    if kind == "startsWith":
        return found.startswith(wanted.rstrip("*"))
    if kind == "in":
        return found in {str(value).lower() for value in test.get("values", ())}
    raise Refused("PMS_PRT_312", "Filter type is missing")


def search(rows: Iterable[Row], body: Mapping[str, Any]) -> Row:
    """MOSIP's search: `filters`, `sort` by one column, `pagination` by page number.

    :raises Refused: for a column, filter type or pagination that MOSIP does not take.
    """
    found = [row for row in rows if all(_matches(row, test) for test in body.get("filters") or ())]
    for order in reversed(body.get("sort") or ()):
        field = order.get("sortField")
        if found and field not in found[0]:
            raise Refused("PMS_PRT_357", f"Invalid sort field {field}")
        found.sort(key=lambda row: str(row[field]), reverse=str(order.get("sortType", "")).lower() == "desc")
    pages = body.get("pagination")
    if not isinstance(pages, dict):
        raise Refused("PMS_PRT_356", "Pagination cannot be null")
    start, fetch = pages.get("pageStart", 0), pages.get("pageFetch", 10)
    if not isinstance(start, int) or not isinstance(fetch, int) or start < 0 or fetch < 1:
        raise Refused("PMS_PRT_313", f"Invalid pagination value received pagestart:{start} and pagefetch:{fetch}")
    first = start * fetch
    page = found[first : first + fetch]
    return {"fromRecord": first, "toRecord": first + len(page), "totalRecord": len(found), "data": page}


def pages_of(rows: list[Row], request: web.Request) -> Row:
    """The page of a GET list: `pageNo` and `pageSize` go together, without them everything.

    :raises Refused: for one without the other.
    """
    number, size = request.query.get("pageNo"), request.query.get("pageSize")
    if (number is None) != (size is None):
        raise Refused(
            "PMS_PS_ERROR_006", "Invalid pagination request: 'pageNo' and 'pageSize' must be specified together."
        )
    if number is None or size is None:
        return {"pageNo": 0, "pageSize": len(rows), "totalResults": len(rows), "data": rows}
    if not number.isdecimal() or not size.isdecimal() or not int(size):
        raise Refused("PMS_PRT_360", "Invalid Page No")
    first = int(number) * int(size)
    page = rows[first : first + int(size)]
    return {"pageNo": int(number), "pageSize": int(size), "totalResults": len(rows), "data": page}
