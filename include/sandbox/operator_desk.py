"""`/sandbox/operator`: what an operator does to a workflow, hours or days later (mosip-events.md §2.1, §4.5)."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from sandbox.credential_partners import default_pair
from sandbox.registrations import Registration, Registrations
from sandbox.reprocessor import PAUSED, Reprocessor
from sandbox.settings import Settings
from sandbox.wire import json_reply

RESUMABLE_FROM = frozenset({"FAILED", "REJECTED", "REPROCESS_FAILED", PAUSED, "PROCESSING"})
ENDED = frozenset({"PROCESSED", "FAILED", "REJECTED", "REPROCESS_FAILED"})


class OperatorDesk:
    """The sandbox's own calls; they need no token."""

    def __init__(self, settings: Settings, registrations: Registrations, reprocessor: Reprocessor) -> None:
        self._settings = settings
        self._registrations = registrations
        self._reprocessor = reprocessor

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        return [
            web.post("/sandbox/operator", self.act),
            web.get("/sandbox/credential-partner", self.credential_partner),
        ]

    async def act(self, request: web.Request) -> web.Response:
        """`{"aid": "…", "action": "resume" | "stop" | "reject"}`.

        `resume` lets a workflow that ended badly or waits run again at the next tick, past the faults that ended it;
        `stop` rejects one that has not ended, as `STOP_PROCESSING` does; `reject` rejects one whatever it is, even a
        completed one. 404 for an AID without a workflow, 409 for an action that its state does not allow.
        """
        try:
            sent = msgspec.json.decode(await request.read(), type=dict[str, Any])
        except msgspec.DecodeError as problem:
            return json_reply({"error": str(problem)}, 400)
        aid, action = str(sent.get("aid")), sent.get("action")
        if action not in ("resume", "stop", "reject"):
            return json_reply({"error": f"no action {action!r}"}, 400)
        rows = self._registrations.of(aid)
        if not rows:
            return json_reply({"error": f"no workflow of {aid}"}, 404)
        row = rows[-1]
        if not self._apply(action, row):
            return json_reply({"error": f"cannot {action} what is {row.status}"}, 409)
        return json_reply({"aid": aid, "status": row.status})

    async def credential_partner(self, request: web.Request) -> web.Response:
        """The default credential partner; with its private key, unless it was given a certificate."""
        settings = self._settings
        if not settings.onboarded or not settings.credential_partner:
            return json_reply({"error": "no default credential partner"}, 404)
        private, certificate = default_pair()
        given = settings.credential_certificate
        return json_reply(
            {
                "partnerId": settings.credential_partner,
                "certificate": given or certificate,
                "privateKey": None if given else private,
            }
        )

    def _apply(self, action: str, row: Registration) -> bool:
        """:returns: False when the row's state does not allow it."""
        if action == "resume":
            if row.status not in RESUMABLE_FROM:
                return False
            self._registrations.resume(row)
            return True
        if action == "stop" and row.status in ENDED:
            return False
        self._reprocessor.reject(row)
        return True
