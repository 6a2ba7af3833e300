"""What may happen between a caller and MOSIP: connections closed, gateways' pages, replies late or in part.

A middleware over every path but `/sandbox/…`. Faults before the work need nothing but the path; those after it may
also be set for one AID, which a handler tells with `about`.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.faults import Faults, service_of
from sandbox.replies import AID, bad_gateway, hang_up, prepared_like, throttled

OWN = "/sandbox/"
"""The levers and the witness: no fault ever touches them."""

_PIECES = 200


def network(faults: Faults) -> Middleware:
    """The middleware; with no fault on it costs one look."""

    @web.middleware
    async def travel(request: web.Request, handler: Handler) -> web.StreamResponse:
        if faults.quiet or request.path.startswith(OWN):
            return await handler(request)
        service = service_of(request.path)
        early = _before(request, service, faults)
        if early is not None:
            return early
        response = await handler(request)
        if request.transport is None or request.transport.is_closing() or not isinstance(response, web.Response):
            return response
        return await _after(request, response, service, faults)

    return travel


def _before(request: web.Request, service: str, faults: Faults) -> web.Response | None:
    if faults.hit_at("reset_before", service):
        return hang_up(request)
    if faults.hit_at("gateway_502", service):
        return bad_gateway(502)
    if faults.hit_at("throttle_429", service):
        return throttled(faults.seconds(f"throttle_429@{service}"))
    return None


async def _after(request: web.Request, response: web.Response, service: str, faults: Faults) -> web.StreamResponse:
    aid = request.get(AID)
    if faults.hit_at("answer_slow", service, aid):
        await asyncio.sleep(faults.seconds(f"answer_slow@{service}"))
    if faults.hit_at("reset_after", service, aid):
        return hang_up(request)
    if faults.hit_at("gateway_504", service, aid):
        await asyncio.sleep(faults.seconds(f"gateway_504@{service}"))
        return bad_gateway(504)
    if faults.hit_at("reply_cut", service, aid):
        return await _cut(request, response)
    if faults.hit_at("slow_loris", service, aid):
        return await _dribble(request, response, faults.seconds(f"slow_loris@{service}"))
    return response


def _body(response: web.Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b""


async def _cut(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Half of the body, then the connection is closed; without a body, nothing at all."""
    body = _body(response)
    if not body:
        return hang_up(request)
    partial = await prepared_like(request, response, len(body))
    await partial.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return partial


async def _dribble(request: web.Request, response: web.Response, seconds: float) -> web.StreamResponse:
    """The body byte by byte; a long one in `_PIECES` pieces."""
    body = _body(response)
    size = max(1, -(-len(body) // _PIECES))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    partial = await prepared_like(request, response, len(body))
    for piece in pieces:
        await asyncio.sleep(seconds / len(pieces))
        await partial.write(piece)
    return partial
