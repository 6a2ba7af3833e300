"""Reads a createPacket body with Jackson's strictness: what is a 400 and what passes (mosip-packets.md §1.2, §1.9)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

_ENVELOPE = frozenset({"id", "version", "requesttime", "metadata", "request"})
_REQUEST = frozenset(
    {
        "id", "additionalInfoReqId", "refId", "offlineMode", "process", "source", "schemaVersion", "schemaJson",
        "fields", "metaInfo", "documents", "biometrics", "audits",
    }
)  # fmt: skip
_DOCUMENT = frozenset({"document", "value", "type", "format", "refNumber"})
_LOCAL_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(\.\d{1,9})?(Z?)")


class _NumberText(str):
    """A JSON number with a fraction or exponent, as its text."""

    __slots__ = ()


_decode = msgspec.json.Decoder(float_hook=_NumberText).decode


class BadBody(ValueError):
    """Jackson refuses the body: HTTP 400."""


@dataclass(slots=True)
class PacketRequest:
    """`request` of createPacket; every value as text, as Java sees it."""

    id: str | None
    ref_id: str | None
    process: str | None
    source: str | None
    schema_version: str | None
    schema_json: str | None
    fields: dict[str, str | None]
    meta_info: dict[str, str | None]
    documents: dict[str, dict[str, Any]]
    audits: list[dict[str, str | None]]


def read_packet_request(body: bytes) -> PacketRequest | None:
    """The request of a createPacket body; None when it has no `request`.

    :raises BadBody: where Spring answers 400.
    """
    try:
        sent = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadBody("JSON parse error") from None
    if type(sent) is not dict or not sent.keys() <= _ENVELOPE:
        raise BadBody("JSON parse error: Unrecognized field")
    check_request_time(sent.get("requesttime"))
    request = sent.get("request")
    if request is None:
        return None
    if type(request) is not dict or not request.keys() <= _REQUEST:
        raise BadBody("JSON parse error: Unrecognized field")
    _flag(request.get("offlineMode"))
    text = _text
    return PacketRequest(
        id=text(request.get("id")),
        ref_id=text(request.get("refId")),
        process=text(request.get("process")),
        source=text(request.get("source")),
        schema_version=text(request.get("schemaVersion")),
        schema_json=text(request.get("schemaJson")),
        fields=_texts(request.get("fields")),
        meta_info=_texts(request.get("metaInfo")),
        documents=_documents(request.get("documents")),
        audits=_audits(request.get("audits")),
    )


def check_request_time(value: Any) -> None:
    """A Java LocalDateTime: `T` between date and time, at most a `Z` after it, never an offset.

    :raises BadBody: for anything else.
    """
    if value is None:
        return
    if type(value) is not str:
        raise BadBody("JSON parse error: requesttime")
    trimmed = value.strip()
    if not trimmed:
        return
    found = _LOCAL_TIME.fullmatch(trimmed)
    if found is None or (found[4] and not found[2]) or (found[3] and not found[2]):
        raise BadBody("JSON parse error: requesttime")
    try:
        datetime.fromisoformat(found[1] + (found[2] or ""))
    except ValueError:
        raise BadBody("JSON parse error: requesttime") from None


def _text(value: Any) -> str | None:
    kind = type(value)
    if kind is str or value is None:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is _NumberText:
        return str(value)
    raise BadBody("JSON parse error: Cannot deserialize a String")


def _texts(value: Any) -> dict[str, str | None]:
    if value is None:
        return {}
    if type(value) is not dict:
        raise BadBody("JSON parse error: Cannot deserialize a Map")
    for name, item in value.items():
        if type(item) is not str:
            value[name] = _text(item)
    return value


def _flag(value: Any) -> None:
    if value not in (None, True, False, "true", "false", "True", "False", ""):
        raise BadBody("JSON parse error: Cannot deserialize a boolean")


def _audits(value: Any) -> list[dict[str, str | None]]:
    if value is None:
        return []
    if type(value) is not list:
        raise BadBody("JSON parse error: Cannot deserialize a List")
    return [_texts(item) for item in value]


def _documents(value: Any) -> dict[str, dict[str, Any]]:
    if value is None:
        return {}
    if type(value) is not dict:
        raise BadBody("JSON parse error: Cannot deserialize a Map")
    for item in value.values():
        if type(item) is not dict or not item.keys() <= _DOCUMENT:
            raise BadBody("JSON parse error: Document")
        content = item.pop("document", None)
        try:
            item["size"] = len(base64.b64decode(content, validate=True)) if content is not None else 0
        except (binascii.Error, ValueError, TypeError):
            raise BadBody("JSON parse error: byte[]") from None
    return value
