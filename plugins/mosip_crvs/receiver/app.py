"""The receiver's routes: the hub's challenges and denials, its deliveries, and a health page.

MOSIP's hub stops delivering after any answer outside 2xx, and may lose the rest of what it was about to deliver
(``mosip-events.md`` §0, §1.7). So a delivery is refused out loud only when it could not be stored, for then the hub's
retry helps. What is not believed is answered like the rest, and never stored as a notification; set ``sticky=False``
to answer it 401.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mosip_crvs.errors import MosipCrvsError
from mosip_crvs.receiver.store import Store
from mosip_crvs.receiver.verify import Belief, Refusal, believe, confirmation_of, denial_means

MOST_BODY_BYTES = 256 * 1024
MOST_DRAINED_BYTES = 16 * 1024 * 1024
READ_SECONDS = 30.0
log = logging.getLogger(__name__)


PREFLIGHT_PATH = "/websub/preflight"
"""Answers a challenge without a subscription, for whoever wants to know whether the hub could reach us."""


def create_app(store: Callable[[], Store], *, sticky: bool = True) -> Starlette:
    """Make the ASGI application.

    :param store: gives the store; called at the first request, so that the application can be mounted anywhere.
    :param sticky: answer 2xx to posts that are not believed, so that the hub keeps our subscription.
    """
    receiver = _Receiver(store, sticky)
    return Starlette(
        routes=[
            Route(PREFLIGHT_PATH, receiver.preflight, methods=["GET"]),
            Route("/websub/{token}", receiver.ask, methods=["GET"]),
            Route("/websub/{token}", receiver.deliver, methods=["POST"]),
            Route("/health", receiver.health, methods=["GET"]),
        ]
    )


class _Receiver:
    def __init__(self, make_store: Callable[[], Store], sticky: bool) -> None:
        self._make_store = make_store
        self._made: Store | None = None
        self._sticky = sticky

    @property
    def _store(self) -> Store:
        if self._made is None:
            self._made = self._make_store()
        return self._made

    async def ask(self, request: Request) -> Response:
        """Answer the hub's challenge, if it is about something that we asked for; note its denials."""
        try:
            found = await self._store.subscription(request.path_params["token"], fresh=True)
            if found is None:
                return _not_found()
            subscription = found.subscription
            query = request.query_params
            if query.get("hub.mode") == "denied":
                reason = query.get("hub.reason", "").replace("\0", "")[:200] or "no reason given"
                await self._store.hub_said(subscription, denial_means(subscription, reason), reason)
                return PlainTextResponse("")
            confirmed = confirmation_of(subscription, query, datetime.now(UTC))
            if confirmed is None:
                await self._store.unanswered(subscription)
                return _not_found()
            challenge, state = confirmed
            await self._store.hub_said(subscription, state)
        except MosipCrvsError as problem:
            return _unavailable(problem)
        return PlainTextResponse(challenge, headers={"X-Content-Type-Options": "nosniff"})

    async def deliver(self, request: Request) -> Response:
        """Store a signed notification, then answer."""
        try:
            found = await self._store.subscription(request.path_params["token"])
            found = found or await self._store.subscription(request.path_params["token"], fresh=True)
            if found is None:
                return _not_found()
            topic = found.subscription.topic
            body, size, refusal = await _read(request)
            if refusal is Refusal.INCOMPLETE:  # it may be genuine, and it is not stored: its sender must come again
                await self._store.refuse(topic, refusal, body, size)
                return PlainTextResponse("try again\n", status_code=503)
            belief = refusal or believe(found, request.headers.get("x-hub-signature"), body, datetime.now(UTC))
            if isinstance(belief, Refusal):
                await self._store.refuse(topic, belief, body, size)
                self._store.note_delivery(found.subscription, believed=False)
                return PlainTextResponse("", status_code=200 if self._sticky else 401)
            await self._store.keep(topic, body)
            self._store.note_delivery(found.subscription, believed=belief is Belief.OWN)
        except MosipCrvsError as problem:
            return _unavailable(problem)
        return PlainTextResponse("")

    async def preflight(self, request: Request) -> Response:
        """Echo a short challenge, if a notification could be stored now. Nothing is written."""
        challenge = request.query_params.get("hub.challenge", "")
        if not challenge or len(challenge) > 64 or not challenge.isalnum():
            return _not_found()
        try:
            await self._store.check()
        except MosipCrvsError as problem:
            return _unavailable(problem)
        return PlainTextResponse(challenge, headers={"X-Content-Type-Options": "nosniff"})

    async def health(self, _: Request) -> Response:
        """Say whether notifications can be stored."""
        try:
            await self._store.check()
        except MosipCrvsError as problem:
            return JSONResponse({"status": "down", "problem": str(problem)}, status_code=503)
        return JSONResponse({"status": "up"})


async def _read(request: Request) -> tuple[bytes, int, Refusal | None]:
    """Read a body up to its limit; more than that is read and thrown away, so that the sender gets its answer."""
    kept = bytearray()
    size = 0
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= MOST_BODY_BYTES:
                    kept += chunk
                elif size > MOST_DRAINED_BYTES:
                    break
    except (TimeoutError, ClientDisconnect):
        return bytes(kept), size, Refusal.INCOMPLETE
    return bytes(kept), size, Refusal.OVERSIZED if size > MOST_BODY_BYTES else None


def _not_found() -> Response:
    return PlainTextResponse("no such callback\n", status_code=404)


def _unavailable(problem: MosipCrvsError) -> Response:
    log.error("The receiver cannot work: %s", problem)
    return PlainTextResponse("try again\n", status_code=503, headers={"Retry-After": "5"})
