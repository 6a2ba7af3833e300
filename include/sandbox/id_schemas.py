"""ID schemas: drafts, and published ones with float versions (mosip-onboarding.md §10.1)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.masterdata_desk import INVALID, Asked, Problem, limit, moment, require
from sandbox.masterdata_rows import Row, created, page, stamp, timeless, updated

_STEP = 0.1
_NONE = ("KER-SCH-007", "Schema not found")


class IdSchemas:
    """The content and the rules. Publishing cannot be undone."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self._made = 0

    def create(self, asked: Asked) -> Row:
        """A draft: version 0."""
        values = self._values(asked.sent)
        row = created({"id": self._new_id()} | values | _DRAFT, asked.user, asked.now)
        self.rows[row["id"]] = row
        return dict(row)

    def update(self, asked: Asked) -> Row:
        """Changes to a draft."""
        row = self._draft(asked.given.get("id", ""))
        updated(row, self._values(asked.sent), asked.user, asked.now)
        return dict(row)

    def publish(self, asked: Asked) -> str:
        """The next version is the latest one and a tenth, as floats add up."""
        require(asked.sent, {"id": 36, "effectiveFrom": 24})
        row = self._draft(str(asked.sent["id"]))
        when = moment(str(asked.sent["effectiveFrom"]))
        if when < asked.now:
            raise Problem("KER-SCH-010", "Effective from date must not be in the past")
        latest = self.latest()
        version = _STEP + (latest["idVersion"] if latest else 0.0)
        values = {"idVersion": version, "status": "PUBLISHED", "effectiveFrom": stamp(when), "isActive": True}
        updated(row, values, asked.user, asked.now)
        return str(row["id"])

    def delete(self, asked: Asked) -> str:
        """A draft only."""
        row = self._draft(asked.given.get("id", ""))
        del self.rows[row["id"]]
        return str(row["id"])

    def read_all(self, asked: Asked) -> dict[str, Any]:
        """Drafts and published ones, newest first."""
        return page([dict(row) for row in reversed(self.rows.values())], asked.given)

    def read_latest(self, asked: Asked) -> Row:
        """`?schemaVersion=` gives that published version; 0 or nothing the latest one."""
        try:
            wanted = float(asked.given.get("schemaVersion", "0") or "0")
        except ValueError:
            raise Problem(INVALID, "Invalid request input schemaVersion") from None
        found = self.latest() if wanted <= 0 else self._version(wanted)
        if found is None:
            raise Problem(*_NONE)
        return dict(found)

    def latest(self) -> Row | None:
        """The published schema with the highest version."""
        return max(self._published(), key=lambda row: float(row["idVersion"]), default=None)

    def seed(self, title: str, schema: Mapping[str, Any], when: datetime) -> None:
        """A published schema that was always there, version 0.1."""
        fields = {"id": self._new_id(), "title": title, "description": title, "schemaJson": json.dumps(schema)}
        row = created(fields | _DRAFT, "superadmin", when)
        published = {"idVersion": _STEP, "status": "PUBLISHED", "effectiveFrom": stamp(when), "isActive": True}
        self.rows[row["id"]] = row | published

    def edit(self, id: str, values: Mapping[str, Any], *, delete: bool) -> None:
        """:raises KeyError: for an unknown schema; `latest` stands for the latest published one."""
        latest = self.latest()
        row = latest if id == "latest" and latest is not None else self.rows[id]
        if delete:
            del self.rows[row["id"]]
        else:
            row.update(values)

    def state(self) -> dict[str, Row]:
        """Rows by id."""
        return {id: timeless(row) for id, row in sorted(self.rows.items())}

    def _published(self) -> list[Row]:
        return [row for row in self.rows.values() if row["status"] == "PUBLISHED"]

    def _version(self, wanted: float) -> Row | None:
        return next((row for row in self._published() if abs(row["idVersion"] - wanted) < _STEP / 2), None)

    def _draft(self, id: str) -> Row:
        row = self.rows.get(id)
        if row is None:
            raise Problem(*_NONE)
        if row["status"] == "PUBLISHED":
            raise Problem("KER-SCH-009", "Schema is already published")
        return row

    def _values(self, sent: Mapping[str, Any]) -> Row:
        require(sent, {"title": 64, "description": 256, "schema": 1_000_000})
        limit(sent, {"title": 64})
        try:
            parsed = json.loads(sent["schema"])
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise Problem("KER-SCH-013", "Schema is no valid JSON")
        return {"title": sent["title"], "description": sent["description"], "schemaJson": sent["schema"]}

    def _new_id(self) -> str:
        self._made += 1
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"idschema/{self._made}"))


_DRAFT: Row = {"idVersion": 0.0, "status": "DRAFT", "effectiveFrom": None}
