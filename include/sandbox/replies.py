"""Answers that go wrong on the way: connections closed, gateways' pages, calls throttled."""

from __future__ import annotations

from aiohttp import web

AID = web.RequestKey("aid", str)
"""Which application a call is about, once its handler has read that; faults may be set for one AID."""


def about(request: web.Request, aid: object) -> None:
    """Tell what comes after the handler which application the call is about."""
    if isinstance(aid, str):
        request[AID] = aid


def hang_up(request: web.Request) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def throttled(seconds: float) -> web.Response:
    """A gateway's 429, to be repeated after so many seconds."""
    return web.Response(status=429, text="Too Many Requests", headers={"Retry-After": f"{seconds:g}"})


def bad_gateway(status: int) -> web.Response:
    """A gateway's own page: 502, 503 or 504."""
    reason = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Time-out"}[status]
    return web.Response(status=status, text=f"<html><body>{status} {reason}</body></html>", content_type="text/html")


async def prepared_like(request: web.Request, response: web.Response, length: int) -> web.StreamResponse:
    """A reply whose head is sent, with the head of another; its body of `length` bytes is still to be written."""
    partial = web.StreamResponse(status=response.status, reason=response.reason, headers=response.headers.copy())
    partial.content_length = length
    await partial.prepare(request)
    return partial
