"""Answers that go wrong on the way: connections closed, replies cut, calls throttled."""

from __future__ import annotations

from aiohttp import web

from sandbox.faults import Faults


def hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def throttled(faults: Faults) -> web.Response:
    """A gateway's 429."""
    wait = f"{faults.seconds('throttle_429'):g}"
    return web.Response(status=429, text="Too Many Requests", headers={"Retry-After": wait})


async def send(request: web.Request, response: web.Response, faults: Faults, aid: str | None) -> web.StreamResponse:
    """The response, or half of its body and a closed connection."""
    if not faults.hit("reply_cut", aid) or not isinstance(response.body, bytes):
        return response
    body = response.body
    partial = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    partial.content_length = len(body)
    await partial.prepare(request)
    await partial.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return partial
