"""The far side: the least that answers like MOSIP, so that the benchmark measures us and not it.

A process of its own that knows five things: a token, createPacket, workflowinstance, ``GET /counts`` and
``POST /reset``. It reads by ``Content-Length``, answers from constants, keeps connections, and remembers which AIDs it
was sent, so that a run is checked where it arrives. It prints its port, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import cast

_CREATE = b"PUT /commons/v1/packetmanager/createPacket "
_TRIGGER = b"POST /registrationprocessor/v1/workflowmanager/workflowinstance "
_TOKEN = b"/protocol/openid-connect/token "
_AID = re.compile(rb'"request": ?\{"(?:id|registrationId)": ?"(\d{29})"')
_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)


def _reply(payload: object, status: bytes = b"200 OK") -> bytes:
    body = json.dumps(payload, separators=(",", ":")).encode()
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


_MOMENT = "2026-01-01T00:00:00.000Z"
_PACKET = {
    "id": "0" * 29,
    "packetName": "0" * 29 + "_id",
    "source": "CRVS1",
    "process": "CRVS_NEW",
    "refId": "10001_10077",
    "schemaVersion": "0.1",
    "signature": "s" * 342,
    "encryptedHash": "h" * 43,
    "providerName": "PacketWriterImpl",
    "providerVersion": "v1.0",
    "creationDate": _MOMENT,
}
_ENVELOPE = {"version": "v1", "responsetime": _MOMENT, "errors": None}
_CREATED = _reply({"id": "mosip.registration.packet.writer", "response": [_PACKET], **_ENVELOPE})
_TRIGGERED = _reply(
    {
        "id": "mosip.registration.processor.workflow.instance",
        "response": {"workflowInstanceId": "3d8e5f0a-0f5a-4b8e-9d52-0d1c2b3a4f5e"},
        **_ENVELOPE,
    }
)
_A_TOKEN = _reply({"access_token": "bench." + "t" * 1200 + ".x", "expires_in": 36_000, "token_type": "Bearer"})
_UNKNOWN = _reply({"errors": [{"errorCode": "NOT_FOUND", "message": "not a path of the stub"}]}, b"404 Not Found")
_UNREADABLE = _reply({"errors": [{"errorCode": "NO_AID", "message": "no AID in the body"}]}, b"400 Bad Request")


@dataclass
class Record:
    """What arrived since the last reset."""

    created: set[bytes] = field(default_factory=set)
    triggered: set[bytes] = field(default_factory=set)
    creates: int = 0
    triggers: int = 0
    without_packet: int = 0
    body_bytes: int = 0

    def forget(self) -> None:
        """Begin anew."""
        self.created.clear()
        self.triggered.clear()
        self.creates = self.triggers = self.without_packet = self.body_bytes = 0

    def counts(self) -> dict[str, int]:
        """Give calls, distinct AIDs, triggers that came before their packet, and the size of all packet bodies."""
        return {
            "creates": self.creates,
            "triggers": self.triggers,
            "created": len(self.created),
            "triggered": len(self.triggered),
            "without_packet": self.without_packet,
            "body_bytes": self.body_bytes,
        }


class Stub(asyncio.Protocol):
    """One kept connection."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._unread = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's are no subclasses

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        if self._unread:
            data = self._unread + data
        while data:
            head = data.find(b"\r\n\r\n")
            if head < 0:
                break
            length = _LENGTH.search(data, 0, head)
            end = head + 4 + (int(length[1]) if length else 0)
            if len(data) < end:
                break
            assert self._transport is not None
            self._transport.write(self._answer(data[:end], head + 4))
            data = data[end:]
        self._unread = data

    def _answer(self, request: bytes, body_at: int) -> bytes:
        if request.startswith((_CREATE, _TRIGGER)):
            return self._note(request, body_at)
        line = request[: request.find(b"\r\n")]
        if _TOKEN in line:
            return _A_TOKEN
        if line.startswith(b"GET /counts "):
            return _reply(self._record.counts())
        if line.startswith(b"POST /reset "):
            self._record.forget()
            return _reply({})
        return _UNKNOWN

    def _note(self, request: bytes, body_at: int) -> bytes:
        record = self._record
        found = _AID.search(request, body_at)
        if found is None:
            return _UNREADABLE
        aid = found[1]
        if request.startswith(_CREATE):
            record.creates += 1
            record.body_bytes += len(request) - body_at
            record.created.add(aid)
            return _CREATED
        record.triggers += 1
        record.without_packet += aid not in record.created
        record.triggered.add(aid)
        return _TRIGGERED


async def serve() -> None:
    """Listen on a free port of this machine until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Stub, Record()), "127.0.0.1", 0, backlog=512)
    ended = asyncio.Event()

    def wait_for_the_end() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    print(server.sockets[0].getsockname()[1], flush=True)
    await ended.wait()
    server.close()


def main() -> None:
    """Serve on the fastest event loop there is."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())


if __name__ == "__main__":
    main()
