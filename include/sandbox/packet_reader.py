"""The reading side of packet manager, with its own roles, defaults and gaps (mosip-packets.md §1.7-1.9)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from sandbox.field_rules import problems
from sandbox.gate import Gate, Gatekeeper
from sandbox.packet_store import PacketStore, StoredPacket
from sandbox.packet_writer import has_provider
from sandbox.settings import MANDATORY, PROVIDERS
from sandbox.wire import envelope, error, json_reply, spring_error

BASE = "/commons/v1/packetmanager"
READER_ID = "mosip.registration.packet.reader"

Answer = Callable[[Mapping[str, Any]], Any]


class ReadFailure(Exception):
    """The reader throws: HTTP 200 with this code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def is_valid(packet: StoredPacket) -> bool:
    """validatePacket's verdict."""
    return not problems(packet.identity(), packet.schema, MANDATORY.get(packet.process, ()))


def default_source(process: str) -> str | None:
    """`packetmanager.default.priority`: the source that belongs to a process."""
    return next((source for source, processes in PROVIDERS if process in processes.split("|")), None)


def as_text(value: Any) -> str | None:
    """A value as the reader gives it: structures as JSON text again, a leading double quote lost (§1.2)."""
    if value is None:
        return None
    if isinstance(value, str):
        return value[1:] if value.startswith('"') else value
    if isinstance(value, float):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class PacketReader:
    """Reads packets back."""

    def __init__(self, gatekeeper: Gatekeeper, store: PacketStore) -> None:
        self._gatekeeper = gatekeeper
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """Path, role, and whether a missing `bypassCache` is unboxed into a 500."""
        table: tuple[tuple[str, str, bool, Answer], ...] = (
            ("/searchField", "DATA_READ", False, self._field),
            ("/searchFields", "DATA_READ", True, self._fields),
            ("/metaInfo", "METADATA_READ", True, self._meta_info),
            ("/audits", "REGISTRATION_PROCESSOR", True, self._audits),
            ("/validatePacket", "REGISTRATION_PROCESSOR", False, self._validate),
            ("/info", "REGISTRATION_PROCESSOR", False, self._info),
        )
        return [
            web.post(BASE + path, self._handler(BASE + path, role, needs_bypass, answer))
            for path, role, needs_bypass, answer in table
        ]

    def _handler(
        self, path: str, role: str, needs_bypass: bool, answer: Answer
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        gate = Gate("packetmanager", frozenset({role}))
        named = {} if "search" in path else {"id": READER_ID, "version": "v1"}

        async def handle(request: web.Request) -> web.Response:
            refused = self._gatekeeper.admit(request, gate)
            if refused is not None:
                return refused
            try:
                asked = msgspec.json.decode(await request.read())["request"]
            except (msgspec.DecodeError, KeyError, TypeError):
                return spring_error(400, "JSON parse error", path)
            if not isinstance(asked, dict) or (needs_bypass and not isinstance(asked.get("bypassCache"), bool)):
                return spring_error(500, "No message available", path)
            try:
                return json_reply(envelope(answer(asked), [], **named))
            except ReadFailure as failure:
                return json_reply(envelope(None, [error(failure.code, str(failure))], **named))

        return handle

    def _by_priority(self, asked: Mapping[str, Any], code: str, message: str) -> StoredPacket:
        """metaInfo, audits and validatePacket: with no source given, the default source of the process."""
        process = str(asked.get("process"))
        source = asked.get("source") or default_source(process)
        packet = self._store.get(str(asked.get("id")), str(source), process)
        if packet is None:
            raise ReadFailure(code, message)
        return packet

    def _for_fields(self, asked: Mapping[str, Any]) -> StoredPacket:
        """Field look-ups: with no source given, the only stored packet will do."""
        failure = ReadFailure("KER-PUT-005", "Unable to fetch identity json from all sub packets")
        aid, source, process = str(asked.get("id")), asked.get("source"), asked.get("process")
        if source and not has_provider(str(source), str(process)):
            raise ReadFailure("KER-PUT-006", "No available provider for given source and process.")
        stored = [
            packet
            for packet in self._store.of(aid)
            if (not source or packet.source == source) and (not process or packet.process == process)
        ]
        if len(stored) > 1:
            stored = [packet for packet in stored if packet.source == default_source(packet.process)]
        if not stored:
            raise failure
        return stored[0]

    def _field(self, asked: Mapping[str, Any]) -> Any:
        name = str(asked.get("field"))
        return {"fields": {name: as_text(self._for_fields(asked).identity().get(name))}}

    def _fields(self, asked: Mapping[str, Any]) -> Any:
        identity = self._for_fields(asked).identity()
        return {"fields": {str(name): as_text(identity.get(str(name))) for name in asked.get("fields") or ()}}

    def _meta_info(self, asked: Mapping[str, Any]) -> Any:
        packet = self._by_priority(asked, "KER-PUT-008", "Unable to fetch meta information from all sub packets")
        return {"fields": {name: as_text(value) for name, value in packet.meta().items()}}

    def _audits(self, asked: Mapping[str, Any]) -> Any:
        packet = self._by_priority(asked, "KER-PUT-005", "Unable to fetch identity json from all sub packets")
        return [{"fields": audit} for audit in packet.audits]

    def _validate(self, asked: Mapping[str, Any]) -> Any:
        packet = self._by_priority(asked, "KER-PUT-020", "Packet Validation exception occured.")
        return {"valid": is_valid(packet)}

    def _info(self, asked: Mapping[str, Any]) -> Any:
        aid = str(asked.get("id"))
        stored = list(self._store.of(aid))
        if not stored:
            raise ReadFailure("KER-PUT-027", "Object doesnot exists.")
        info = [
            {
                "source": packet.source,
                "process": packet.process,
                "lastModified": packet.created,
                "demographics": sorted(packet.identity()),
                "biometrics": [],
                "documents": {name: sent.get("type") for name, sent in packet.documents.items()},
            }
            for packet in stored
        ]
        return {"applicationId": None, "packetId": aid, "requestToken": None, "info": info, "tags": {}}
