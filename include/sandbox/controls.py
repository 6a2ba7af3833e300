"""`/sandbox/…`: the levers and the witness. Never used by the product on the way of an event."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from sandbox.faults import Faults, UnknownFault
from sandbox.hub_state import Hub
from sandbox.record import Record
from sandbox.registrations import Registrations
from sandbox.reprocessor import Reprocessor
from sandbox.settings import CRVS_PROCESSES, SHIPPED_MAIN_PROCESSES
from sandbox.wire import json_reply


class Controls:
    """The sandbox's own calls; they need no token."""

    def __init__(
        self, faults: Faults, record: Record, reprocessor: Reprocessor, registrations: Registrations, hub: Hub
    ) -> None:
        self._faults = faults
        self._record = record
        self._reprocessor = reprocessor
        self._registrations = registrations
        self._hub = hub

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        return [
            web.get("/sandbox/health", self.health),
            web.get("/sandbox/record", self.record),
            web.get("/sandbox/faults", self.faults),
            web.post("/sandbox/faults", self.set_faults),
            web.post("/sandbox/tick", self.tick),
            web.get("/sandbox/subscribers", self.subscribers),
            web.post("/sandbox/subscribers", self.subscribers),
            web.post("/sandbox/hub", self.change_hub),
        ]

    async def health(self, request: web.Request) -> web.Response:
        """Up, and how much waits for a tick."""
        return json_reply({"status": "UP", "resumable": self._registrations.waiting})

    async def record(self, request: web.Request) -> web.Response:
        """Totals and every AID; `?totals=1` for totals only, `?aid=` for one application."""
        aid = request.query.get("aid")
        if aid is not None:
            seen = self._record.applications.get(aid)
            return json_reply(None if seen is None else seen.view(), 404 if seen is None else 200)
        return json_reply(self._record.view(only_totals=request.query.get("totals") in ("1", "true")))

    async def faults(self, request: web.Request) -> web.Response:
        """All faults, their settings and how often each has shown."""
        return json_reply(self._faults.view())

    async def set_faults(self, request: web.Request) -> web.Response:
        """Change faults.

        `{"clear": true, "faults": {name: 0.1 | {"probability", "times", "seconds", "burst"}},
        "aids": {aid: {name: …}}, "token_seconds": 5, "main_processes": "shipped" | "with_crvs" | [names]}`; every key
        is optional.
        """
        try:
            self._apply(msgspec.json.decode(await request.read()))
        except (msgspec.DecodeError, UnknownFault, TypeError, ValueError, AttributeError) as problem:
            return json_reply({"error": str(problem)}, 400)
        return json_reply(self._faults.view())

    async def tick(self, request: web.Request) -> web.Response:
        """One tick now; `?quota=` limits it, `?settle=` waits up to so many seconds for deliveries."""
        quota = request.query.get("quota")
        results = await self._reprocessor.tick(int(quota) if quota else None)
        settle = float(request.query.get("settle", "0"))
        delivered = await self._hub.drained(settle) if settle else None
        taken = sum(results.values())
        return json_reply(
            {"taken": taken, "results": results, "resumable": self._registrations.waiting, "delivered": delivered}
        )

    async def subscribers(self, request: web.Request) -> web.Response:
        """The hub's persisted subscribers, without secrets."""
        return json_reply({"subscribers": self._hub.view()})

    async def change_hub(self, request: web.Request) -> web.Response:
        """`{"drop": true | callback}` drops subscribers, `{"restart": true}` serves all persisted ones again."""
        try:
            asked = msgspec.json.decode(await request.read())
            drop, restart = asked.get("drop"), asked.get("restart")
        except (msgspec.DecodeError, AttributeError) as problem:
            return json_reply({"error": str(problem)}, 400)
        dropped = self._hub.drop_all(drop if isinstance(drop, str) else None) if drop else 0
        if restart:
            self._hub.restart()
        return json_reply({"dropped": dropped, "subscribers": self._hub.view()})

    def _apply(self, change: dict[str, Any]) -> None:
        if change.get("clear"):
            self._faults.clear()
        for name, value in (change.get("faults") or {}).items():
            self._faults.set(name, **_setting(value))
        for aid, names in (change.get("aids") or {}).items():
            for name, value in names.items():
                self._faults.set(name, aid=aid, **_setting(value))
        if "token_seconds" in change:
            self._faults.token_seconds = int(change["token_seconds"])
        if "main_processes" in change:
            self._faults.main_processes = _processes(change["main_processes"])


def _setting(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {
            "probability": float(value.get("probability", 1.0)),
            "times": value.get("times"),
            "seconds": value.get("seconds"),
            "burst": value.get("burst"),
        }
    return {"probability": float(value)}


def _processes(value: Any) -> frozenset[str]:
    if value == "shipped":
        return SHIPPED_MAIN_PROCESSES
    if value == "with_crvs":
        return SHIPPED_MAIN_PROCESSES | CRVS_PROCESSES
    return frozenset(str(name) for name in value)
