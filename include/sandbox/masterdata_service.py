"""`/v1/masterdata/…`: where masterdata's calls live and who may make them (mosip-onboarding.md §2-4, §10.1)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.masterdata import Masterdata
from sandbox.masterdata_desk import Asked, Desk, Problem
from sandbox.masterdata_rows import page

BASE = "/v1/masterdata"
ADMINS = ("ZONAL_ADMIN", "GLOBAL_ADMIN")
_CENTER_READERS = (
    *ADMINS, "INDIVIDUAL", "REGISTRATION_PROCESSOR", "PRE_REGISTRATION", "PRE_REGISTRATION_ADMIN", "RESIDENT",
)  # fmt: skip
_HISTORY_READERS = (*ADMINS, "PRE_REGISTRATION_ADMIN", "REGISTRATION_PROCESSOR", "MASTERDATA_ADMIN")
_MACHINE_READERS = (*ADMINS, "REGISTRATION_CLIENT", "PRE_REGISTRATION_ADMIN", "REGISTRATION_PROCESSOR")
_USER_READERS = (
    "PRE_REGISTRATION_ADMIN", "ID_AUTHENTICATION", "ZONAL_ADMIN", "REGISTRATION_OFFICER", "REGISTRATION_SUPERVISOR",
    "REGISTRATION_PROCESSOR",
)  # fmt: skip
"""Readers of `users/{id}`. GLOBAL_ADMIN is not among them."""
_SCHEMA_READERS = (
    *ADMINS, "REGISTRATION_CLIENT", "REGISTRATION_OFFICER", "REGISTRATION_PROCESSOR", "REGISTRATION_SUPERVISOR",
    "RESIDENT", "ID_REPOSITORY", "PRE_REGISTRATION_ADMIN",
)  # fmt: skip


class MasterdataService:
    """The routes. What they do is in `centers`, `machines`, `officers`, `id_schemas` and `places`."""

    def __init__(self, content: Masterdata, desk: Desk) -> None:
        self._content = content
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        """Every call."""
        return [
            *self._center_routes(),
            *self._machine_routes(),
            *self._officer_routes(),
            *self._schema_routes(),
            *self._place_routes(),
        ]

    def _center_routes(self) -> list[web.RouteDef]:
        centers, reads, writes = self._content.centers, self._desk.reads, self._desk.writes
        path = f"{BASE}/registrationcenters"
        return [
            web.post(path, writes(centers.create, *ADMINS)),
            web.put(path, writes(centers.set_row, *ADMINS)),
            web.patch(path, writes(centers.set_status, *ADMINS)),
            web.put(f"{path}/language", writes(centers.set_language, *ADMINS)),
            web.put(f"{path}/nonlanguage", writes(centers.set_common, *ADMINS)),
            web.put(f"{path}/decommission/{{id}}", writes(centers.decommission, *ADMINS)),
            web.post(f"{path}/search", reads(centers.search, *ADMINS, "REGISTRATION_ADMIN")),
            web.get(path, reads(centers.read_all, *ADMINS)),
            web.get(f"{path}/all", reads(centers.read_all, *ADMINS)),
            web.get(f"{path}/missingids/{{language}}", reads(centers.missing, *ADMINS)),
            web.get(f"{path}/{{id}}/{{language}}", reads(centers.read, *_CENTER_READERS)),
            web.get(
                f"{path}/validate/{{id}}/{{language}}/{{moment}}",
                reads(centers.validate, *ADMINS, "INDIVIDUAL", "REGISTRATION_PROCESSOR"),
            ),
            web.get(
                f"{BASE}/registrationcentershistory/{{id}}/{{language}}/{{moment}}",
                reads(centers.read_history, *_HISTORY_READERS),
            ),
        ]

    def _machine_routes(self) -> list[web.RouteDef]:
        machines, reads, writes = self._content.machines, self._desk.reads, self._desk.writes
        path, admins = f"{BASE}/machines", (*ADMINS, "MASTERDATA_ADMIN")
        history = reads(machines.read_history, *ADMINS, "REGISTRATION_PROCESSOR")
        return [
            web.post(path, writes(machines.create, *admins, "RESIDENT")),
            web.put(path, writes(machines.update, *admins)),
            web.patch(path, writes(machines.set_status, *admins, "RESIDENT")),
            web.put(f"{path}/decommission/{{id}}", writes(machines.decommission, *admins)),
            web.post(f"{path}/search", reads(machines.search, *admins, "RESIDENT")),
            web.get(path, reads(machines.read_all, *_MACHINE_READERS)),
            web.get(f"{path}/{{id}}", reads(machines.read, *_MACHINE_READERS, "RESIDENT")),
            web.get(f"{path}/mappedmachines/{{center}}", reads(machines.mapped, *admins)),
            web.get(f"{BASE}/machineshistories/{{id}}/{{moment}}", history),
            web.get(f"{BASE}/machineshistories/{{id}}/{{language}}/{{moment}}", history),
            web.get(f"{BASE}/machinetypes/all", reads(self._rows("machineTypes"), *admins)),
            web.get(f"{BASE}/machinespecifications/all", reads(self._rows("specifications"), *admins)),
        ]

    def _officer_routes(self) -> list[web.RouteDef]:
        officers, reads, writes = self._content.officers, self._desk.reads, self._desk.writes
        zones, centers = f"{BASE}/zoneuser", f"{BASE}/usercentermapping"
        return [
            web.post(zones, writes(officers.map_zone, *ADMINS)),
            web.put(zones, writes(officers.remap_zone, *ADMINS)),
            web.patch(zones, writes(officers.set_zone_status, *ADMINS)),
            web.delete(f"{zones}/{{user}}/{{zone}}", writes(officers.unmap_zone, *ADMINS)),
            web.post(f"{zones}/search", reads(officers.search_zones, *ADMINS)),
            web.post(centers, writes(officers.map_center, *ADMINS)),
            web.put(centers, writes(officers.remap_center, *ADMINS)),
            web.patch(centers, writes(officers.set_center_status, *ADMINS)),
            web.delete(f"{centers}/{{id}}", writes(officers.unmap_center, *ADMINS)),
            web.post(f"{centers}/search", reads(officers.search_centers, *ADMINS, "PRE_REGISTRATION_ADMIN")),
            web.get(f"{BASE}/users/{{id}}", reads(officers.read, *_USER_READERS)),
            web.get(f"{BASE}/users/{{id}}/{{moment}}", reads(officers.read_history, *_USER_READERS)),
            web.get(
                f"{BASE}/getregistrationmachineusermappinghistory/{{moment}}/{{center}}/{{machine}}/{{user}}",
                reads(officers.read_mapping, *ADMINS, "REGISTRATION_PROCESSOR"),
            ),
        ]

    def _schema_routes(self) -> list[web.RouteDef]:
        schemas, reads, writes = self._content.schemas, self._desk.reads, self._desk.writes
        path = f"{BASE}/idschema"
        return [
            web.post(path, writes(schemas.create, *ADMINS)),
            web.put(path, writes(schemas.update, *ADMINS)),
            web.delete(path, writes(schemas.delete, *ADMINS)),
            web.put(f"{path}/publish", writes(schemas.publish, *ADMINS)),
            web.get(f"{path}/all", reads(schemas.read_all, *ADMINS)),
            web.get(f"{path}/latest", reads(schemas.read_latest, *_SCHEMA_READERS)),
        ]

    def _place_routes(self) -> list[web.RouteDef]:
        reads = self._desk.reads
        return [
            web.get(f"{BASE}/zones/subzone/{{language}}", reads(self._subzones)),
            web.get(f"{BASE}/zones/zonename", reads(self._content.officers.zone_name)),
            web.get(f"{BASE}/locations/{{code}}/{{language}}", reads(self._location)),
            web.get(f"{BASE}/holidays", reads(self._holidays)),
        ]

    def _subzones(self, asked: Asked) -> list[dict[str, Any]]:
        """The caller's zone and all below it; nothing for one who is not mapped."""
        zones = self._content.places.under(self._content.zone_users.zone_of(asked.user))
        language = asked.given["language"]
        return [row | {"langCode": language} for code, row in self._content.places.zones.items() if code in zones]

    def _location(self, asked: Asked) -> dict[str, Any]:
        """One location."""
        row = self._content.places.locations.get(asked.given["code"])
        if row is None:
            raise Problem("KER-MSD-026", "Location not found")
        return {"locations": [row | {"langCode": asked.given["language"]}]}

    def _holidays(self, asked: Asked) -> dict[str, Any]:
        """Every holiday of every location."""
        return {
            "holidays": [
                {"holidayDate": day, "locationCode": location, "isActive": True}
                for location, row in sorted(self._content.places.holidays.items())
                for day in row["days"]
            ]
        }

    def _rows(self, entity: str) -> Any:
        """A code list in pages."""

        def answer(asked: Asked) -> dict[str, Any]:
            return page(list(self._content.places.tables()[entity].values()), asked.given)

        return answer
