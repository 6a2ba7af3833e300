"""`/sandbox/state|writes|configuration|edit`: the onboarding content, laid open to tests. Never used by the product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from sandbox.configuration import Configuration
from sandbox.content import Part
from sandbox.wire import json_reply
from sandbox.writes import Writes


class OnboardingControls:
    """The sandbox's own calls; they need no token.

    :param parts: content by the name it has in the state.
    """

    def __init__(self, parts: Mapping[str, Part], configuration: Configuration, writes: Writes) -> None:
        self._parts = parts
        self._configuration = configuration
        self._writes = writes

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        return [
            web.get("/sandbox/state", self.state),
            web.get("/sandbox/writes", self.writes),
            web.get("/sandbox/configuration", self.configuration),
            web.post("/sandbox/configuration", self.configure),
            web.post("/sandbox/edit", self.edit),
        ]

    async def state(self, request: web.Request) -> web.Response:
        """Everything onboarding deals with, the configuration too. Equal content gives equal bytes."""
        found: dict[str, Any] = {name: part.state() for name, part in self._parts.items()}
        return json_reply(found | {"configuration": self._configuration.view()})

    async def writes(self, request: web.Request) -> web.Response:
        """Accepted calls that changed content, in order; edits and configuration are none."""
        return json_reply(self._writes.view())

    async def configuration(self, request: web.Request) -> web.Response:
        """What the property files say."""
        return json_reply(self._configuration.view())

    async def configure(self, request: web.Request) -> web.Response:
        """Change it: the human gate. `{"audiences": {"kernel": [...]}, "roles": {key: [...]}, "languages": [...]}`."""
        try:
            self._configuration.edit(msgspec.json.decode(await request.read(), type=dict[str, Any]))
        except (msgspec.DecodeError, ValueError) as problem:
            return json_reply({"error": str(problem)}, 400)
        return json_reply(self._configuration.view())

    async def edit(self, request: web.Request) -> web.Response:
        """`{"entity": "centers", "id": "10001", "set": {...}}` or `"delete": true`: what somebody did at a console."""
        try:
            change = msgspec.json.decode(await request.read(), type=dict[str, Any])
            entity, id, values = str(change["entity"]), str(change["id"]), change.get("set") or {}
            if not isinstance(values, dict):
                raise ValueError("set wants an object")
        except (msgspec.DecodeError, ValueError, KeyError) as problem:
            return json_reply({"error": str(problem)}, 400)
        try:
            delete = bool(change.get("delete"))
            known = any(part.edit(entity, id, values, delete=delete) for part in self._parts.values())
        except KeyError:
            return json_reply({"error": f"no {entity} {id}"}, 404)
        except ValueError as problem:
            return json_reply({"error": str(problem)}, 400)
        if not known:
            return json_reply({"error": f"no entity {entity}"}, 404)
        return json_reply({"entity": entity, "id": id})
