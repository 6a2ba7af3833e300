"""`PUT createPacket`, as the released packet manager answers it (mosip-packets.md §1.2-1.5, §1.9)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.configuration import CREATE_PACKET_ROLES, ROLES
from sandbox.faults import Faults
from sandbox.gate import Gate, Gatekeeper
from sandbox.idschema import read_schema
from sandbox.packet_request import BadBody, PacketRequest, read_packet_request
from sandbox.packet_store import PacketStore, StoredPacket
from sandbox.record import Record
from sandbox.replies import about, bad_gateway, hang_up, throttled
from sandbox.settings import PROVIDERS, Settings
from sandbox.wire import envelope, error, json_reply, spring_error

PATH = "/commons/v1/packetmanager/createPacket"
GATE = Gate("packetmanager", ROLES[CREATE_PACKET_ROLES], key=CREATE_PACKET_ROLES)
WRITER_ID = "mosip.registration.packet.writer"


def has_provider(source: str, process: str, providers: Sequence[tuple[str, str]] = PROVIDERS) -> bool:
    """Case-insensitive substring containment in a configuration line (mosip-packets.md §1.5)."""
    source, process = source.lower(), process.lower()
    return any(source in sources.lower() and process in processes.lower() for sources, processes in providers)


def build(sent: PacketRequest) -> StoredPacket | None:
    """The packet, or None wherever the writer throws and so answers `response: null`."""
    schema = read_schema(sent.schema_json)
    if schema is None or not sent.ref_id or not sent.audits or sent.schema_version is None:
        return None
    try:
        version = float(sent.schema_version)
    except ValueError:
        return None
    return StoredPacket(
        aid=sent.id if sent.id is not None else "null",
        source=sent.source or "",
        process=sent.process or "",
        ref_id=sent.ref_id,
        schema_version=version,
        schema=schema,
        fields=sent.fields,
        meta_info=sent.meta_info,
        documents=sent.documents,
        audits=sent.audits,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
    )


def packet_infos(packet: StoredPacket, sent_id: str | None) -> list[dict[str, Any]]:
    """One PacketInfo a sub-packet. Signature and hash have the right shape and prove nothing."""
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    found = []
    for name in packet.schema.subpackets:
        seed = f"{packet.aid}_{name}_{created}".encode()
        found.append(
            {
                "id": sent_id,
                "packetName": f"{packet.aid}_{name}",
                "source": packet.source,
                "process": packet.process,
                "refId": packet.ref_id,
                "schemaVersion": str(packet.schema_version),
                "signature": base64.urlsafe_b64encode(hashlib.shake_128(seed).digest(256)).rstrip(b"=").decode(),
                "encryptedHash": base64.urlsafe_b64encode(hashlib.sha256(seed).digest()).rstrip(b"=").decode(),
                "providerName": "PacketWriterImpl",
                "providerVersion": "v1.0",
                "creationDate": created,
            }
        )
    return found


def _wrong_kind(request: web.Request) -> web.Response | None:
    if request.method != "PUT":
        return spring_error(405, f"Request method '{request.method}' not supported", PATH)
    if request.content_type != "application/json":
        return spring_error(415, f"Content type '{request.content_type}' not supported", PATH)
    return None


class PacketWriter:
    """The endpoint, with the shared map that makes two overlapping calls for one id collide."""

    def __init__(
        self, settings: Settings, faults: Faults, gatekeeper: Gatekeeper, store: PacketStore, record: Record
    ) -> None:
        self._settings = settings
        self._faults = faults
        self._gatekeeper = gatekeeper
        self._store = store
        self._record = record
        self._building: dict[str | None, PacketRequest] = {}

    def routes(self) -> list[web.RouteDef]:
        """Where it lives."""
        return [web.route("*", PATH, self.create)]

    async def create(self, request: web.Request) -> web.Response:
        """One call, in the order Spring works: security, method, media type, body, provider, writer."""
        refused = self._gatekeeper.admit(request, GATE) or _wrong_kind(request)
        if refused is not None:
            return refused
        try:
            sent = read_packet_request(await request.read())
        except BadBody as problem:
            return spring_error(400, str(problem), PATH)
        if sent is None or sent.process is None or sent.source is None:
            return spring_error(500, "No message available", PATH)
        about(request, sent.id)
        broken = self._break_before(sent.id)
        if broken is not None:
            return broken
        if not has_provider(sent.source, sent.process):
            unknown = error("KER-PUT-006", "No available provider for given source and process.")
            return json_reply(envelope(None, [unknown], id=WRITER_ID, version="v1"))
        infos = await self._write(sent)
        if infos is not None and self._faults.hit("create_reset_after", sent.id):
            return hang_up(request)
        return json_reply(envelope(infos, [], id=WRITER_ID, version="v1"))

    def _break_before(self, aid: str | None) -> web.Response | None:
        if aid is not None and self._faults.hit_only("throttle_429", aid):
            return throttled(self._faults.seconds("throttle_429"))
        if self._faults.hit("create_500", aid):
            return spring_error(500, "No message available", PATH)
        if self._faults.hit("create_502", aid):
            return bad_gateway(502)
        return None

    async def _write(self, sent: PacketRequest) -> list[dict[str, Any]] | None:
        """The packet infos, or None for `response: null`.

        Overlapping calls share one map keyed by id alone: values merge, the first one wins, and the call that ends
        last finds the map gone (mosip-packets.md §1.3).
        """
        shared = self._building.get(sent.id)
        if shared is None:
            self._building[sent.id] = shared = sent
        else:
            self._record.overlapped(sent.id)
            shared.fields = sent.fields | shared.fields
            shared.meta_info = sent.meta_info | shared.meta_info
        seconds = self._settings.create_seconds
        if self._faults.hit("create_slow", sent.id):
            seconds += self._faults.seconds("create_slow")
        if seconds > 0:
            await asyncio.sleep(seconds)
        if self._building.get(sent.id) is not shared:
            return None
        del self._building[sent.id]
        packet = None if self._faults.hit("create_null", sent.id) else build(shared)
        if packet is None:
            self._record.create_failed(sent.id)
            return None
        self._store.put(packet)
        self._record.created(packet.aid, packet.process)
        return packet_infos(packet, sent.id)
