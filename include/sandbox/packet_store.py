"""The object store: packets under (id, source, process), as packet manager leaves them (mosip-packets.md §1.5)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.idschema import IdSchema
from sandbox.tokener import DROPPED, interpret

NOT_THE_PERSON = frozenset({"IDSchemaVersion", "UIN", "introducerInfoToken", "deceasedInformer"})
"""Fields that may differ between two applications for one child."""


@dataclass(slots=True)
class StoredPacket:
    """One written packet. Values are kept as sent; they are interpreted when read, which gives the same result."""

    aid: str
    source: str
    process: str
    ref_id: str
    schema_version: float
    schema: IdSchema
    fields: Mapping[str, str | None]
    meta_info: Mapping[str, str | None]
    documents: Mapping[str, Mapping[str, Any]]
    audits: list[dict[str, str | None]]
    created: str

    def identity(self) -> dict[str, Any]:
        """`ID.json`: demographic fields known to the schema, documents, and the schema version as a number."""
        found: dict[str, Any] = {"IDSchemaVersion": self.schema_version}
        known = self.schema.fields
        for name, text in self.fields.items():
            if text is None or name not in known or name in found:
                continue
            value = interpret(text)
            if value is not DROPPED:
                found[name] = value
        for name, sent in self.documents.items():
            if name in known and known[name].kind == "documentType":
                found[name] = {
                    "value": name,
                    "type": sent.get("type"),
                    "format": sent.get("format"),
                    "refNumber": sent.get("refNumber"),
                }
        return found

    def meta(self) -> dict[str, Any]:
        """`packet_meta_info.json`; the server's `registrationId` and `creationDate` win (mosip-packets.md §1.4)."""
        found: dict[str, Any] = {}
        for name, text in self.meta_info.items():
            value = None if text is None else interpret(text)
            if value is not DROPPED:
                found[name] = value
        found["registrationId"] = self.aid
        found["creationDate"] = self.created
        return found


class PacketStore:
    """Packets by id, then by the literal (source, process) of the request. Writing again replaces the whole packet."""

    def __init__(self) -> None:
        self._packets: dict[str, dict[tuple[str, str], StoredPacket]] = {}

    def put(self, packet: StoredPacket) -> None:
        """Write or overwrite."""
        self._packets.setdefault(packet.aid, {})[(packet.source, packet.process)] = packet

    def get(self, aid: str, source: str, process: str) -> StoredPacket | None:
        """Exactly this packet."""
        return self._packets.get(aid, {}).get((source, process))

    def of(self, aid: str) -> Iterable[StoredPacket]:
        """All packets under one id."""
        return self._packets.get(aid, {}).values()


def person_digest(identity: Mapping[str, Any], fields: tuple[str, ...] | None) -> str:
    """A digest of who the person is, the same for two applications with equal demographic fields."""
    names = identity.keys() - NOT_THE_PERSON if fields is None else identity.keys() & set(fields)
    chosen = {name: identity[name] for name in names if not _is_document(identity[name])}
    text = json.dumps(chosen, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _is_document(value: Any) -> bool:
    return isinstance(value, dict) and "refNumber" in value
