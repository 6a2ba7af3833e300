"""Machines: their rows, their keys, their history, and what masterdata refuses (mosip-onboarding.md §3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sandbox.centers import Centers
from sandbox.masterdata_desk import Asked, Problem, limit, moment, require
from sandbox.masterdata_rows import ROW_COLUMNS, Histories, Row, created, page, search, timeless, updated
from sandbox.places import Places

_REQUIRED = {"name": 64, "ipAddress": 17, "machineSpecId": 36, "zoneCode": 36, "publicKey": 4096, "signPublicKey": 4096}
_OPTIONAL = {"serialNum": 64, "macAddress": 64, "regCenterId": 10, "validityDateTime": 24}
_PLAIN = ("name", "ipAddress", "machineSpecId", "zoneCode", *_OPTIONAL)
_KEYS = ("publicKey", "signPublicKey", "keyIndex", "signKeyIndex")
_INDEXES = ("keyIndex", "signKeyIndex")
COLUMNS = ("id", *_PLAIN, *_KEYS, "langCode", *ROW_COLUMNS)
SHOWN = (*(name for name in COLUMNS if name not in _INDEXES), "mapStatus")
"""What a search shows and lets filters name; ``mapStatus`` is no column, and a filter on it is a fault."""
NOT_FOUND = ("KER-MSD-030", "Machine not Found")
NO_HISTORY = ("KER-MSD-032", "Machine History not found")


def fingerprint(key: bytes) -> str:
    """What makes a key one key: lower-case hexadecimal SHA-256."""
    return hashlib.sha256(key).hexdigest()


def read_key(text: str) -> bytes:
    """The bytes of an RSA SubjectPublicKeyInfo, from base64url or else base64.

    :raises Problem: KER-MSD-257 for text that is neither, KER-MSD-410 for bytes that are no such key. TPM structures,
        which MOSIP tries first, are not read here.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise Problem("KER-MSD-257", "Invalid public key provided") from None
    try:
        key = load_der_public_key(raw)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Problem("KER-MSD-410", "Public key could not be read") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise Problem("KER-MSD-410", "Public key could not be read")
    return raw


def keys_of(sent: Mapping[str, Any]) -> Row:
    """The four key columns of a row; keys are kept as base64url."""
    found: Row = {}
    for name, index in (("publicKey", "keyIndex"), ("signPublicKey", "signKeyIndex")):
        raw = read_key(sent[name])
        found |= {name: base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), index: fingerprint(raw)}
    return found


def _shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _KEYS}


class Machines:
    """The content and the rules. The mapping to a centre is a column, `regCenterId`.

    :param zone_of: the caller's zone; one who has none owns no machine.
    """

    def __init__(self, places: Places, centers: Centers, zone_of: Callable[[str], str | None]) -> None:
        self._places = places
        self._centers = centers
        self._zone_of = zone_of
        self.rows: dict[str, Row] = {}
        self.history = Histories()

    def create(self, asked: Asked) -> Row:
        """The answer has no keys."""
        require(asked.sent, {"isActive": 0})
        values = self._values(asked, None)
        row = created({"id": self._next_id(), "langCode": "eng"} | values, asked.user, asked.now)
        self.rows[row["id"]] = row
        self._keep(row, asked.now)
        return _shown(row)

    def update(self, asked: Asked) -> Row:
        """Everything but the status."""
        require(asked.sent, {"id": 10})
        row = self._found(str(asked.sent["id"]))
        self._check_own(row["zoneCode"], asked.user)
        updated(row, self._values(asked, row["id"]), asked.user, asked.now)
        self._keep(row, asked.now)
        return _shown(row)

    def set_status(self, asked: Asked) -> dict[str, str]:
        """The machine must be in the caller's zone."""
        row = self._found(asked.given.get("id", ""))
        self._check_own(row["zoneCode"], asked.user)
        updated(row, {"isActive": asked.is_active}, asked.user, asked.now)
        self._keep(row, asked.now)
        return {"status": "Status updated successfully for Machines"}

    def decommission(self, asked: Asked) -> dict[str, str]:
        """Not while it is mapped to a centre."""
        row = self._found(asked.given["id"])
        self._check_own(row["zoneCode"], asked.user)
        if row["regCenterId"]:
            raise Problem("KER-MSD-256", "Machine is mapped to a registration center")
        updated(row, {"isActive": False, "isDeleted": True}, asked.user, asked.now)
        self._keep(row, asked.now)
        return {"id": row["id"]}

    def read(self, asked: Asked) -> dict[str, Any]:
        """One machine, without keys."""
        return {"machines": [_shown(self._found(asked.given["id"]))]}

    def read_all(self, asked: Asked) -> dict[str, Any]:
        """Every machine, without keys."""
        return {"machines": [_shown(row) for row in self._every()]}

    def search(self, asked: Asked) -> dict[str, Any]:
        """Machines of the caller's zones, with keys. One who is not mapped to a zone cannot search."""
        zones = self._places.under(self._zone_of(asked.user))
        if not zones:
            raise Problem("KER-MSD-342", "Zone not found for the user")
        rows = [row for row in self._every() if row["zoneCode"] in zones]
        found = search(rows, COLUMNS, asked.sent, shown=SHOWN)
        return found | {"data": [self._found_by_search(row) for row in found["data"]]}

    def mapped(self, asked: Asked) -> dict[str, Any]:
        """Machines of a centre."""
        rows = [_shown(row) for row in self._every() if row["regCenterId"] == asked.given["center"]]
        return page(rows, asked.given)

    def read_history(self, asked: Asked) -> dict[str, Any]:
        """All versions that had begun, newest first."""
        found = self.history.until((asked.given["id"],), moment(asked.given["moment"]))
        if not found:
            raise Problem(*NO_HISTORY)
        return {"machineHistoryDetails": [_shown(row) for row in found]}

    def in_center(self, center_id: str) -> bool:
        """Whether a machine points to a centre."""
        return any(row["regCenterId"] == center_id for row in self._every())

    def seed(self, row: Row, since: datetime) -> None:
        """A row that was always there."""
        self.rows[row["id"]] = row
        self._keep(row, since)

    def edit(self, machine_id: str, values: Mapping[str, Any], *, delete: bool, now: datetime) -> None:
        """:raises KeyError: for an unknown machine."""
        row = self.rows[machine_id]
        if delete:
            del self.rows[machine_id]
            self.history.drop((machine_id,))
            return
        keys = keys_of({name: values.get(name, row[name]) for name in ("publicKey", "signPublicKey")})
        updated(row, {**values, **keys}, "console", now)
        self._keep(row, now)

    def state(self) -> dict[str, Any]:
        """Rows by id, and their versions."""
        return {
            "machines": {id: timeless(row) for id, row in sorted(self.rows.items())},
            "machineHistory": self.history.state(),
        }

    def _values(self, asked: Asked, own_id: str | None) -> Row:
        """The columns of a body that may be stored.

        :raises Problem: in the order in which masterdata looks.
        """
        sent = asked.sent
        require(sent, _REQUIRED)
        limit(sent, _OPTIONAL)
        self._check_own(sent["zoneCode"], asked.user)
        self._check_center(sent.get("regCenterId"), sent["zoneCode"])
        if not self._places.specifications.get(sent["machineSpecId"], {"isActive": False})["isActive"]:
            raise Problem("KER-MSD-063", "Error occurred while inserting machine details")
        others = [row for row in self._every() if row["id"] != own_id]
        if any(row["name"].lower() == sent["name"].lower() for row in others):
            raise Problem("KER-MSD-413", "Machine name already exists")
        keys = keys_of(sent)
        taken = {row[index] for row in others for index in ("keyIndex", "signKeyIndex")}
        if not taken.isdisjoint((keys["keyIndex"], keys["signKeyIndex"])):
            raise Problem("KER-MSD-414", "Public key is already mapped to another machine")
        return {name: sent.get(name) for name in _PLAIN} | keys

    def _check_own(self, zone: str, user: str) -> None:
        if zone not in self._places.under(self._zone_of(user)):
            raise Problem("KER-MSD-255", "Machine zone is not in the zone of the user")

    def _check_center(self, center_id: str | None, zone: str) -> None:
        if not center_id:
            return
        center = self._centers.first(center_id)
        if center is None or not center["isActive"]:
            raise Problem("KER-MSD-222", "Registration Center not found")
        if center["zoneCode"] not in self._places.under(zone):
            raise Problem("KER-MSD-219", "Registration Center is not in the zone of the machine")

    def _found_by_search(self, row: Row) -> Row:
        center_id = row["regCenterId"]
        center = self._centers.first(center_id)
        status = f"{center_id} ({center['name']})" if center else center_id
        return {name: value for name, value in row.items() if name not in _INDEXES} | {"mapStatus": status}

    def _every(self) -> list[Row]:
        return [row for _, row in sorted(self.rows.items()) if not row["isDeleted"]]

    def _found(self, machine_id: str) -> Row:
        row = self.rows.get(machine_id)
        if row is None or row["isDeleted"]:
            raise Problem(*NOT_FOUND)
        return row

    def _next_id(self) -> str:
        return str(max([10076, *(int(id) for id in self.rows if id.isdigit())]) + 1)

    def _keep(self, row: Row, since: datetime) -> None:
        self.history.keep((row["id"],), row, since)
