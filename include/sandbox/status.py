"""regproc's status calls, with their caps, collapses and traps (mosip-packets.md §4.3, §6.2, mosip-events.md §4.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from sandbox.faults import Faults
from sandbox.gate import Gate, Gatekeeper, refusal
from sandbox.registrations import Registration, Registrations
from sandbox.wire import envelope, json_reply, now_text, spring_error

BASE = "/registrationprocessor/v1/registrationstatus"
TRANSACTIONS = "/registrationprocessor/v1/registrationtransaction/search/{rid}"
STATUS_ROLES = frozenset({"REGISTRATION_ADMIN", "REGISTRATION_OFFICER", "REGISTRATION_SUPERVISOR", "RESIDENT"})
TRANSACTION_ROLES = frozenset({"REGISTRATION_PROCESSOR", "REGISTRATION_ADMIN", "RESIDENT"})
SEARCH_LIMIT = 100
GRACE = timedelta(seconds=10800)

EXTERNAL = {
    "PROCESSING": "PROCESSING",
    "PAUSED": "PROCESSING",
    "RESUMABLE": "PROCESSING",
    "REPROCESS": "PROCESSING",
    "PROCESSED": "UIN_GENERATED",
    "FAILED": "REREGISTER",
    "REPROCESS_FAILED": "REREGISTER",
    "REJECTED": "REJECTED",
    "PAUSED_FOR_ADDITIONAL_INFO": "AWAITING_INFORMATION",
}
"""`/externalstatus/search` (mosip-packets.md §6.2)."""

RUNNING = frozenset({"PROCESSING", "PAUSED", "RESUMABLE", "REPROCESS", "PAUSED_FOR_ADDITIONAL_INFO"})

UNKNOWN_WORDS = ("PROCESSED", "RESEND", "RECEIVED", "REPROCESS_FAILED")
"""In the enumeration of external statuses, but what any of them means for a CRVS nobody says (mosip-events.md §4.3)."""


class StatusRefused(Exception):
    """The whole call answers this error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_envelope(sent: Any, api_id: str, now: datetime) -> list[Any]:
    """The items asked for. :raises StatusRefused: RPR-RGS-016, 019-024."""
    if not isinstance(sent, dict):
        raise StatusRefused("RPR-RGS-016", "JSON Mapping Failed")
    for name, missing in (("version", "019"), ("requesttime", "020"), ("id", "021")):
        if not sent.get(name):
            raise StatusRefused(f"RPR-RGS-{missing}", f"Missing Input Parameter - {name}")
    if sent["version"] != "1.0":
        raise StatusRefused("RPR-RGS-022", "Invalid Input Parameter - version")
    try:
        when = datetime.fromisoformat(str(sent["requesttime"]).removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        raise StatusRefused("RPR-RGS-023", "Invalid Input Parameter - requesttime") from None
    if abs(now - when) > GRACE:
        raise StatusRefused("RPR-RGS-023", "Invalid Input Parameter - requesttime")
    if sent["id"] != api_id:
        raise StatusRefused("RPR-RGS-024", "Invalid Input Parameter - id")
    items = sent.get("request")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise StatusRefused("RPR-RGS-016", "JSON Mapping Failed")
    return items


def collapsed(row: Registration) -> str:
    """`/registrationstatus/search`: past the validator, finished and refused all read PROCESSED."""
    early = row.status in RUNNING and not row.past_validator
    return "PROCESSING" if early else "PROCESSED"


class StatusService:
    """The four status calls."""

    def __init__(self, gatekeeper: Gatekeeper, registrations: Registrations, faults: Faults) -> None:
        self._gatekeeper = gatekeeper
        self._registrations = registrations
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        return [
            web.post(BASE + "/search", self._handler("mosip.registration.status", self._search)),
            web.post(
                BASE + "/externalstatus/search", self._handler("mosip.registration.external.status", self._external)
            ),
            web.post(
                BASE + "/packetexternalstatus",
                self._handler("mosip.registration.packet.external.status", self._packet_external),
            ),
            web.get(TRANSACTIONS, self.transactions),
        ]

    def _handler(
        self, api_id: str, answer: Callable[[list[dict[str, Any]]], tuple[list[Any], list[Any]]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        gate = Gate("regproc", STATUS_ROLES)

        async def handle(request: web.Request) -> web.Response:
            refused = await self._refuse(request, gate)
            if refused is not None:
                return refused
            body: dict[str, Any] = {"id": api_id, "version": "1.0", "responsetime": now_text()}
            try:
                found, errors = answer(check_envelope(_decode(await request.read()), api_id, datetime.now(UTC)))
            except StatusRefused as problem:
                failure = {"errorCode": problem.code, "errorMessage": str(problem)}
                return json_reply(body | {"response": None, "errors": [failure]})
            return json_reply(body | {"response": found, "errors": errors or None})

        return handle

    async def _refuse(self, request: web.Request, gate: Gate) -> web.Response | None:
        """The refusal, if the caller or a fault makes one; a slow service takes its time first."""
        refused = self._gatekeeper.admit(request, gate)
        if refused is not None or self._faults.quiet:
            return refused
        if self._faults.hit("status_slow"):
            await asyncio.sleep(self._faults.seconds("status_slow"))
        if self._faults.hit("polling_forbidden"):
            return refusal(403)
        if self._faults.hit("status_500"):
            return spring_error(500, "No message available", request.path)
        return None

    def _search(self, items: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
        """Ids beyond the hundredth vanish, not even as errors."""
        return self._each(items[:SEARCH_LIMIT], collapsed)

    def _external(self, items: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
        """One known id whose process is no main process poisons the whole batch."""
        for item in items:
            if self._is_poison(str(item.get("registrationId"))):
                raise StatusRefused("RPR-RGS-018", "Unknown Exception Found")
        return self._each(items, self._external_word)

    def _is_poison(self, rid: str) -> bool:
        processes = self._registrations.processes_of(rid)
        if not processes:
            return False
        return processes.isdisjoint(self._faults.main_processes) or self._faults.marks("status_poison", rid)

    def _external_word(self, row: Registration) -> str:
        if self._faults.hit("status_unknown_word", row.rid):
            return UNKNOWN_WORDS[self._faults.hits["status_unknown_word"] % len(UNKNOWN_WORDS) - 1]
        return EXTERNAL[row.status]

    def _each(
        self, items: list[dict[str, Any]], status_of: Callable[[Registration], str]
    ) -> tuple[list[Any], list[Any]]:
        found: list[Any] = []
        errors: list[Any] = []
        for item in items:
            rid = str(item.get("registrationId"))
            rows = self._registrations.of(rid)
            if rows:
                found.append(_item(rid, status_of(rows[-1]), rows[-1].additional_info_req_id))
            elif self._registrations.processes_of(rid):
                found.append(_item(rid, "UPLOAD_PENDING"))
            else:
                errors.append({"registrationId": rid, "errorCode": "RPR-RGS-031", "errorMessage": "RID Not Found"})
        return found, errors

    def _packet_external(self, items: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
        """Rows made by the trigger have no packet id."""
        return [], [
            {"packetId": item.get("packetId"), "errorCode": "RPR-RGS-037", "errorMessage": "PacketId Not Found"}
            for item in items
        ]

    async def transactions(self, request: web.Request) -> web.Response:
        """The only call that shows what really happened, stage by stage."""
        refused = await self._refuse(request, Gate("regproc", TRANSACTION_ROLES))
        if refused is not None:
            return refused
        rid = request.match_info["rid"]
        rows = self._registrations.of(rid)
        named = {"id": "mosip.registration.transaction", "version": "1.0"}
        if not rows:
            failure = {"errorCode": "RPR-RGS-031", "message": "RID Not Found"}
            return json_reply(envelope(None, [failure], **named))
        found = [
            {
                "id": f"{row.workflow_instance_id}-{number}",
                "registrationId": rid,
                "transactionTypeCode": step.type_code,
                "parentTransactionId": f"{row.workflow_instance_id}-{number - 1}" if number else None,
                "statusCode": step.status,
                "subStatusCode": step.sub_status,
                "statusComment": step.comment,
                "createdDateTimes": row.created,
            }
            for row in rows
            for number, step in enumerate(row.steps)
        ]
        return json_reply(envelope(found, None, **named))


def _item(rid: str, status: str, request_id: str | None = None) -> dict[str, Any]:
    return {"registrationId": rid, "statusCode": status, "additionalInfoReqId": request_id}


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise StatusRefused("RPR-RGS-016", "JSON Mapping Failed") from None
