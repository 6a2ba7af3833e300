"""Whom masterdata knows: a user's zone, a user's centre, and what it refuses (mosip-onboarding.md §4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.centers import Centers
from sandbox.machines import Machines
from sandbox.masterdata_desk import INVALID, Asked, Problem, limit, moment, require
from sandbox.masterdata_rows import ROW_COLUMNS, Histories, Row, created, search, timeless, updated
from sandbox.places import Places

ZONE_COLUMNS = ("userId", "userName", "zoneCode", "zoneName", "langCode", *ROW_COLUMNS)
"""What both searches look through: the table of users' zones, and the two names that they look up first."""
NOT_YOURS = ("KER-USR-014", "Zone is not in the zone of the caller")
NO_MAPPING = ("KER-USR-007", "User Center mapping not found")
NO_HISTORY = ("KER-USR-003", "User History not found")


class ZoneUsers:
    """Users and their one zone. Callers are users too: their own row decides what they may touch."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.rows: dict[str, Row] = {}

    def zone_of(self, user: str) -> str | None:
        """The zone of a user whose mapping is active."""
        row = self.rows.get(user.lower())
        return str(row["zoneCode"]) if row is not None and row["isActive"] else None

    def seed(self, user: str, zone: str, when: datetime) -> None:
        """An active mapping that was always there."""
        row = created({"userId": user.lower(), "zoneCode": zone, "langCode": "eng"}, "superadmin", when)
        self.rows[user.lower()] = row | {"isActive": True}

    def state(self) -> dict[str, Row]:
        """Rows by user."""
        return {user: timeless(row) for user, row in sorted(self.rows.items())}

    def owned(self, asked: Asked, zone: str) -> None:
        """:raises Problem: KER-USR-014 unless the zone is the caller's or below it."""
        if zone not in self._places.under(self.zone_of(asked.user)):
            raise Problem(*NOT_YOURS)


class Officers:
    """Zone and centre mappings of users, and their history."""

    def __init__(self, places: Places, zone_users: ZoneUsers, centers: Centers, machines: Machines) -> None:
        self._places = places
        self._zones = zone_users
        self._centers = centers
        self._machines = machines
        self.rows: dict[str, Row] = {}
        self.history = Histories()

    # --- zones

    def map_zone(self, asked: Asked) -> Row:
        """A user's first zone."""
        user, zone = self._zone_body(asked)
        held = self._zones.rows.get(user)
        if held is not None:
            same = held["zoneCode"] == zone
            raise Problem(
                "KER-USR-018" if same else "KER-USR-021",
                "User is already mapped to the zone" if same else "User is mapped to another zone",
            )
        row = created({"userId": user, "zoneCode": zone, "langCode": asked.sent.get("langCode")}, asked.user, asked.now)
        self._zones.rows[user] = row
        return dict(row)

    def remap_zone(self, asked: Asked) -> Row:
        """Another zone, once no centre is mapped."""
        user, zone = self._zone_body(asked)
        row = self._zone_row(user)
        self._check_free(user, active_only=False)
        values = {"zoneCode": zone, "langCode": asked.sent.get("langCode", row["langCode"])}
        updated(row, values, asked.user, asked.now)
        return dict(row)

    def set_zone_status(self, asked: Asked) -> dict[str, str]:
        """Refused while an active centre mapping exists, whichever way the status is to go."""
        user = asked.given.get("userId", "").lower()
        row = self._zone_row(user)
        self._zones.owned(asked, row["zoneCode"])
        self._check_free(user, active_only=True)
        updated(row, {"isActive": asked.is_active}, asked.user, asked.now)
        return {"status": "Status updated successfully for ZoneUser"}

    def unmap_zone(self, asked: Asked) -> dict[str, str]:
        """Refused while a centre mapping exists."""
        user = asked.given["user"].lower()
        row = self._zones.rows.get(user)
        if row is None or row["zoneCode"] != asked.given["zone"]:
            raise Problem("KER-USR-017", "User is not mapped to the zone")
        self._zones.owned(asked, row["zoneCode"])
        self._check_free(user, active_only=False)
        del self._zones.rows[user]
        return {"zoneCode": row["zoneCode"], "userId": user}

    def search_zones(self, asked: Asked) -> dict[str, Any]:
        """Users of the caller's zones; of all zones for a caller who has none."""
        zones = self._places.under(self._zones.zone_of(asked.user))
        rows = [
            row | {"userName": user, "zoneName": self._places.zones[row["zoneCode"]]["name"]}
            for user, row in sorted(self._zones.rows.items())
            if not zones or row["zoneCode"] in zones
        ]
        return search(rows, ZONE_COLUMNS, asked.sent)

    def zone_name(self, asked: Asked) -> dict[str, str]:
        """`?userID=`: where a user is mapped."""
        row = self._zone_row(asked.given.get("userID", "").lower())
        return {"zoneCode": row["zoneCode"], "zoneName": self._places.zones[row["zoneCode"]]["name"]}

    # --- centres

    def map_center(self, asked: Asked) -> Row:
        """A user's first centre."""
        user = self._center_body(asked)
        if user in self.rows:
            raise Problem("KER-USR-013", "User is already mapped to a center")
        self._check_center(asked, user)
        fields = {"id": user, "name": None, "statusCode": None, "regCenterId": asked.sent["regCenterId"]}
        row = created(fields | {"langCode": asked.sent.get("langCode")}, asked.user, asked.now)
        self.rows[user] = row
        self.history.keep((user,), row, asked.now)
        return self._shown(row)

    def remap_center(self, asked: Asked) -> Row:
        """Another centre; a user without one gets one."""
        user = self._center_body(asked)
        row = self.rows.get(user)
        if row is None:
            return self.map_center(asked)
        self._check_center(asked, user)
        values = {"regCenterId": asked.sent["regCenterId"], "langCode": asked.sent.get("langCode", row["langCode"])}
        updated(row, values, asked.user, asked.now)
        self.history.keep((user,), row, asked.now)
        return self._shown(row)

    def set_center_status(self, asked: Asked) -> dict[str, str]:
        """The user's zone mapping and the centre must be active."""
        row = self._row(asked.given.get("id", ""))
        if self._zones.zone_of(row["id"]) is None:
            raise Problem("KER-USR-025", "User is not actively mapped to a zone")
        self._centers.active(row["regCenterId"])
        updated(row, {"isActive": asked.is_active}, asked.user, asked.now)
        self.history.keep((row["id"],), row, asked.now)
        return {"status": "Status updated successfully for Users"}

    def unmap_center(self, asked: Asked) -> dict[str, str]:
        """History keeps that it ended."""
        row = self._row(asked.given["id"])
        del self.rows[row["id"]]
        self.history.keep((row["id"],), row | {"isActive": False, "isDeleted": True}, asked.now)
        return {"id": row["id"]}

    def search_centers(self, asked: Asked) -> dict[str, Any]:
        """The search of users by their zones; each row then says which centre the user has, if any."""
        found = self.search_zones(asked)
        return found | {"data": [self._with_center(row) for row in found["data"]]}

    def read(self, asked: Asked) -> Row:
        """One user's mapping as it is."""
        return self._shown(self._row(asked.given["id"]))

    def read_history(self, asked: Asked) -> dict[str, Any]:
        """All versions of a user's mapping that had begun, newest first."""
        found = self.history.until((asked.given["id"].lower(),), moment(asked.given["moment"]))
        if not found:
            raise Problem(*NO_HISTORY)
        return {"userResponseDto": found}

    def read_mapping(self, asked: Asked) -> dict[str, Any]:
        """Officer and machine at one centre: there is no mapping between them but the centre they share."""
        given = asked.given
        entry = self.mapping(given["center"], given["machine"], given["user"], moment(given["moment"]))
        if entry is None:
            raise Problem("KER-MSD-038", "Center user machine mapping not found")
        return {"registrationCenters": [entry]}

    def mapping(self, center: str, machine: str, user: str, when: datetime) -> Row | None:
        """The entry of a moment: active when both are; None unless both point to the centre."""
        officer = self.history.latest((user.lower(),), when)
        device = self._machines.history.latest((machine,), when)
        if officer is None or device is None or {officer["regCenterId"], device["regCenterId"]} != {center}:
            return None
        return {
            "cntrId": center,
            "machineId": machine,
            "usrId": user.lower(),
            "isActive": officer["isActive"] and device["isActive"],
            "isDeleted": False,
            "effectivetimes": max(officer["effectDateTime"], device["effectDateTime"]),
        }

    def in_center(self, center_id: str) -> bool:
        """Whether a user points to a centre."""
        return any(row["regCenterId"] == center_id for row in self.rows.values())

    def seed(self, user: str, center_id: str, when: datetime) -> None:
        """An active mapping that was always there."""
        fields = {"id": user.lower(), "name": None, "statusCode": None, "regCenterId": center_id, "langCode": "eng"}
        row = created(fields, "superadmin", when) | {"isActive": True}
        self.rows[row["id"]] = row
        self.history.keep((row["id"],), row, when)

    def edit(self, user: str, values: Mapping[str, Any], *, delete: bool, now: datetime) -> None:
        """:raises KeyError: for a user without a centre."""
        row = self.rows[user.lower()]
        if delete:
            del self.rows[user.lower()]
            self.history.drop((user.lower(),))
            return
        updated(row, values, "console", now)
        self.history.keep((row["id"],), row, now)

    def state(self) -> dict[str, Any]:
        """Rows by user, and versions of centre mappings."""
        return {
            "zoneUsers": self._zones.state(),
            "userCenters": {user: timeless(row) for user, row in sorted(self.rows.items())},
            "userCenterHistory": self.history.state(),
        }

    def _zone_body(self, asked: Asked) -> tuple[str, str]:
        require(asked.sent, {"zoneCode": 36, "userId": 256, "isActive": 0})
        limit(asked.sent, {"langCode": 3})
        zone = str(asked.sent["zoneCode"])
        self._zones.owned(asked, zone)
        return str(asked.sent["userId"]).lower(), zone

    def _zone_row(self, user: str) -> Row:
        row = self._zones.rows.get(user)
        if row is None:
            raise Problem("KER-USR-019", "User is not mapped to a zone")
        return row

    def _check_free(self, user: str, *, active_only: bool) -> None:
        row = self.rows.get(user)
        if row is not None and (row["isActive"] or not active_only):
            raise Problem("KER-USR-011", "Remove the center mapping of the user first")

    def _center_body(self, asked: Asked) -> str:
        require(asked.sent, {"id": 256, "regCenterId": 10, "isActive": 0})
        for name in ("name", "statusCode"):
            if asked.sent.get(name) is not None:
                raise Problem(INVALID, f"Invalid request input {name}: must be null")
        return str(asked.sent["id"]).lower()

    def _check_center(self, asked: Asked, user: str) -> None:
        zone = self._zones.zone_of(user)
        if zone is None or self._zones.zone_of(asked.user) is None:
            raise Problem("KER-USR-008", "User is not actively mapped to a zone")
        center = self._centers.active(asked.sent["regCenterId"])
        if center["zoneCode"] not in self._places.leaves(zone):
            raise Problem("KER-USR-015", "Center is not in the zone of the user")

    def _row(self, user: str) -> Row:
        row = self.rows.get(user.lower())
        if row is None:
            raise Problem(*NO_MAPPING)
        return row

    def _with_center(self, zone_row: Row) -> Row:
        """A row of the search: the user's own zone, and the state of the mapping to the centre, not of the zone."""
        shown = {name: zone_row.get(name) for name in ("userId", "userName", "zoneCode", "zoneName", *ROW_COLUMNS)}
        row = self.rows.get(zone_row["userId"])
        if row is None:
            return shown | {"regCenterId": None, "regCenterName": None, "isActive": False}
        center_id = row["regCenterId"]
        center = self._centers.first(center_id)
        name = f"{center_id} ({center['name']})" if center else center_id
        return shown | {"regCenterId": center_id, "regCenterName": name} | {each: row[each] for each in ROW_COLUMNS}

    def _shown(self, row: Row) -> Row:
        center = self._centers.first(row["regCenterId"]) or {}
        zone = center.get("zoneCode")
        return row | {
            "zoneCode": zone,
            "zoneName": self._places.zones[zone]["name"] if zone else None,
            "regCenterName": center.get("name"),
        }
