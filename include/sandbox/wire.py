"""The forms MOSIP's answers come in: envelopes, Spring's error body, timestamps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

_encode = msgspec.json.Encoder().encode

REASONS = {400: "Bad Request", 405: "Method Not Allowed", 415: "Unsupported Media Type", 500: "Internal Server Error"}


def now_text() -> str:
    """Server time as MOSIP writes it: UTC, milliseconds, `Z` (mosip-packets.md §1.1)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def json_reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=_encode(body), status=status, headers=headers, content_type="application/json")


def envelope(
    response: Any, errors: list[dict[str, Any]] | None, *, id: str | None = None, version: str | None = None
) -> dict[str, Any]:
    """MOSIP's response wrapper (mosip-packets.md §1.1)."""
    return {
        "id": id,
        "version": version,
        "responsetime": now_text(),
        "metadata": None,
        "response": response,
        "errors": errors,
    }


def error(code: str, message: str) -> dict[str, str]:
    """One entry of `errors`."""
    return {"errorCode": code, "message": message}


def spring_error(status: int, message: str, path: str) -> web.Response:
    """Spring's own error body, without an envelope (mosip-packets.md §1.9)."""
    body = {
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
        "status": status,
        "error": REASONS[status],
        "message": message,
        "path": path,
    }
    return json_reply(body, status)
