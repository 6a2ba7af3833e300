"""`POST workflowinstance`: the workflow manager (mosip-packets.md §4.6, mosip-events.md §4.2)."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from sandbox.faults import Faults
from sandbox.gate import Gate, Gatekeeper, vertx_token
from sandbox.hub_state import Hub
from sandbox.record import Record
from sandbox.registrations import Registration, Registrations
from sandbox.replies import about, hang_up
from sandbox.reprocessor import Reprocessor
from sandbox.settings import CATEGORY_MAPPING
from sandbox.wire import error, json_reply, now_text

PATH = "/registrationprocessor/v1/workflowmanager/workflowinstance"
API_ID = "mosip.registration.processor.workflow.instance"
VERSION = "v1"
GATE = Gate(
    "regproc",
    frozenset({"ONLINE_REGISTRATION_CLIENT", "REGISTRATION_PROCESSOR", "GLOBAL_ADMIN"}),
    vertx_token,
)
_EXACT_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?")
_BEFORE_ANSWER_SECONDS = 5.0


class Refused(Exception):
    """A 200 with this error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_envelope(sent: Any) -> dict[str, Any]:
    """The `request`, after id, version and requesttime.

    :raises Refused: RPR-WIN-000 missing, RPR-WIN-001 invalid, RPR-WIN-002 anything else.
    """
    if type(sent) is not dict:
        raise Refused("RPR-WIN-002", "Unknown Exception")
    for name, expected in (("id", API_ID), ("version", VERSION)):
        value = sent.get(name)
        if value is None:
            raise Refused("RPR-WIN-000", f"Missing Input Parameter - {name}")
        if str(value).lower() != expected:
            raise Refused("RPR-WIN-001", f"Invalid Input Parameter - {name}")
    when = sent.get("requesttime")
    if when is None:
        raise Refused("RPR-WIN-000", "Missing Input Parameter - requesttime")
    if not _is_time(str(when)):
        raise Refused("RPR-WIN-001", "Invalid Input Parameter - requesttime")
    request = sent.get("request")
    if type(request) is not dict:
        raise Refused("RPR-WIN-002", "Unknown Exception")
    return request


def _is_time(text: str) -> bool:
    if not (_EXACT_TIME.fullmatch(text) or _LOCAL_TIME.fullmatch(text)):
        return False
    try:
        datetime.fromisoformat(text[:19])
    except ValueError:
        return False
    return True


class Trigger:
    """The endpoint."""

    def __init__(
        self,
        faults: Faults,
        gatekeeper: Gatekeeper,
        *,
        registrations: Registrations,
        reprocessor: Reprocessor,
        hub: Hub,
        record: Record,
    ) -> None:
        self._faults = faults
        self._gatekeeper = gatekeeper
        self._registrations = registrations
        self._reprocessor = reprocessor
        self._hub = hub
        self._record = record
        self._stuck: set[tuple[str, str]] = set()

    def routes(self) -> list[web.RouteDef]:
        """Where it lives."""
        return [web.post(PATH, self.start)]

    async def start(self, request: web.Request) -> web.Response:
        """One call; errors are HTTP 200."""
        refused = self._gatekeeper.admit(request, GATE)
        if refused is not None:
            return refused
        try:
            asked = check_envelope(_decode(await request.read()))
            about(request, asked.get("registrationId"))
            row = self._create(asked)
        except Refused as problem:
            return _reply(None, [error(problem.code, str(problem))])
        if row is None:
            return hang_up(request)
        await self._wait(row)
        if self._faults.hit("trigger_reset_after", row.rid):
            return hang_up(request)
        return _reply({"workflowInstanceId": row.workflow_instance_id}, None)

    def _create(self, asked: dict[str, Any]) -> Registration | None:
        """The new registration row; None when the process died after the sync row.

        It looks at nothing but ids: not at the source, and not whether the packet exists.
        """
        rid, process = asked.get("registrationId"), asked.get("process")
        source = asked.get("source")
        unknown = Refused("RPR-WIS-000", "Unknown Exception")
        if not isinstance(rid, str) or not isinstance(process, str) or self._faults.hit("trigger_wis_000", rid):
            self._record.trigger_refused(str(rid), duplicate=False)
            raise unknown
        if process not in self._faults.main_processes and process not in CATEGORY_MAPPING:
            # Taken for an additional-info process, whose request id nobody knows.
            self._record.trigger_refused(rid, duplicate=False)
            raise unknown
        if self._registrations.exists(rid, process, 1) or (rid, process) in self._stuck:
            self._record.trigger_refused(rid, duplicate=True)
            raise Refused("RPR-WIS-001", "WorkflowInstance already present")
        if len(rid) < 10:
            # The reference id for notificationInfo is cut from the first ten characters.
            self._record.trigger_refused(rid, duplicate=False)
            raise unknown
        self._registrations.sync(rid, process)
        for fault in ("half_created", "half_created_recovers"):
            if self._faults.hit(fault, rid):
                if fault == "half_created":
                    self._stuck.add((rid, process))
                self._record.half_created(rid)
                return None
        at_once = self._faults.hit("event_before_answer", rid)
        row = self._registrations.add(rid, process, source if isinstance(source, str) else None, 1, queued=not at_once)
        self._record.triggered(rid, process)
        if at_once:
            self._reprocessor.finish(row)
        return row

    async def _wait(self, row: Registration) -> None:
        """A workflow that is finished already has its event delivered first; a slow answer comes late."""
        if row.status != "RESUMABLE":
            await self._hub.drained(_BEFORE_ANSWER_SECONDS)
        if self._faults.hit("trigger_slow", row.rid):
            await asyncio.sleep(self._faults.seconds("trigger_slow"))


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused("RPR-WIN-002", "Unknown Exception") from None


def _reply(response: Any, errors: Any) -> web.Response:
    body = {"id": API_ID, "version": VERSION, "responsetime": now_text(), "response": response, "errors": errors}
    return json_reply(body)
