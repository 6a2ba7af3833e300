"""Masterdata's content as a whole, as MOSIP is installed and as onboarding leaves it (mosip-onboarding.md §2-4)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.centers import Centers
from sandbox.configuration import Configuration
from sandbox.id_schemas import IdSchemas
from sandbox.keymanager import machine_key
from sandbox.machines import Machines, keys_of
from sandbox.masterdata_rows import LONG_AGO, Row, created, timeless
from sandbox.officers import Officers, ZoneUsers
from sandbox.places import CENTER_TYPE, HOLIDAY_LOCATION, LEAF_ZONE, POSTAL_CODE, ROOT_ZONE, Places
from sandbox.realm import SERVICE_ACCOUNT
from sandbox.settings import Settings
from sandbox.stock_realm import GLOBAL_ADMIN, PROVISIONER

CRVS_FIELDS = (
    "introducerInfoToken", "declaredAsDeceased", "deceasedDeclarationDate", "typeOfDeath", "deceasedInformer",
)  # fmt: skip
"""What a country adds to its schema for civil registration (mosip-onboarding.md §10.1)."""

STOCK_CENTER = "10000"
_SCHEMA_FILE = Path(__file__).resolve().parents[1] / "schemas" / "id-schema.json"


class Masterdata:
    """All of it, and the levers on it."""

    def __init__(self, settings: Settings, configuration: Configuration) -> None:
        self.places = Places(settings.holidays)
        self.zone_users = ZoneUsers(self.places)
        self.centers = Centers(self.places, configuration, self.zone_users.zone_of, self._has_members)
        self.machines = Machines(self.places, self.centers, self.zone_users.zone_of)
        self.officers = Officers(self.places, self.zone_users, self.centers, self.machines)
        self.schemas = IdSchemas()
        self._configuration = configuration
        self._plant_stock(with_crvs=settings.onboarded)
        if settings.onboarded:
            self._plant_onboarded(settings)

    @property
    def language(self) -> str:
        """The language regproc asks in: the first mandatory one."""
        return self._configuration.languages[0]

    def state(self) -> dict[str, Any]:
        """See `Part`."""
        tables = {name: {id: timeless(row) for id, row in t.items()} for name, t in self.places.tables().items()}
        schemas = {"schemas": self.schemas.state()}
        return tables | schemas | self.centers.state() | self.machines.state() | self.officers.state()

    def edit(self, entity: str, id: str, values: Mapping[str, Any], *, delete: bool) -> bool:
        """See `Part`. Centres, machines and centre mappings get a history row, as a console's change would give."""
        now = datetime.now(UTC)
        if entity == "centers":
            self.centers.edit(id, values, delete=delete, now=now)
        elif entity == "machines":
            self.machines.edit(id, values, delete=delete, now=now)
        elif entity in ("centerHistory", "machineHistory"):
            (self.centers if entity == "centerHistory" else self.machines).history.edit(id, delete=delete)
        elif entity == "userCenters":
            self.officers.edit(id, values, delete=delete, now=now)
        elif entity == "zoneUsers":
            self._edit_zone_user(id.lower(), values, delete=delete)
        elif entity == "schemas":
            self.schemas.edit(id, values, delete=delete)
        else:
            return self.places.edit(entity, id, values, delete=delete)
        return True

    def _edit_zone_user(self, user: str, values: Mapping[str, Any], *, delete: bool) -> None:
        row = self.zone_users.rows[user]
        if delete:
            del self.zone_users.rows[user]
        else:
            row.update(values)

    def _has_members(self, what: str, center_id: str) -> bool:
        return self.machines.in_center(center_id) if what == "machines" else self.officers.in_center(center_id)

    def _plant_stock(self, *, with_crvs: bool) -> None:
        self.zone_users.seed(GLOBAL_ADMIN, ROOT_ZONE, LONG_AGO)
        self.zone_users.seed(SERVICE_ACCOUNT + "mosip-resident-client", ROOT_ZONE, LONG_AGO)
        # The stock centre lies at the root, where no machine of a leaf zone may be mapped to it.
        self.centers.seed(_center(STOCK_CENTER, "Virtual centre", ROOT_ZONE, self.language), LONG_AGO)
        self.schemas.seed("Identity", _schema(with_crvs=with_crvs), LONG_AGO)

    def _plant_onboarded(self, settings: Settings) -> None:
        """The n-th machine stands in the n-th centre, machines beyond that in the last; officers sit in the first."""
        self.zone_users.seed(SERVICE_ACCOUNT + PROVISIONER, ROOT_ZONE, LONG_AGO)
        center_ids, machine_ids = sorted(settings.center_ids), sorted(settings.machine_ids)
        for center_id in center_ids:
            self.centers.seed(_center(center_id, f"CRVS centre {center_id}", LEAF_ZONE, self.language), LONG_AGO)
        for number, machine_id in enumerate(machine_ids):
            place = center_ids[min(number, len(center_ids) - 1)] if center_ids else None
            # The key manager has one key, and one key makes one machine: further machines have keys of their own.
            self.machines.seed(_machine(machine_id, place, machine_key(number)), LONG_AGO)
        for officer in sorted(settings.officer_ids):
            self.zone_users.seed(officer, LEAF_ZONE, LONG_AGO)
            if center_ids:
                self.officers.seed(officer, center_ids[0], LONG_AGO)


def _center(center_id: str, name: str, zone: str, language: str) -> Row:
    fields: Row = {
        "id": center_id,
        "langCode": language,
        "name": name,
        "addressLine1": "1 Registry Road",
        "addressLine2": None,
        "addressLine3": None,
        "contactPerson": None,
        "centerTypeCode": CENTER_TYPE,
        "latitude": "34.0209",
        "longitude": "-6.8416",
        "locationCode": POSTAL_CODE,
        "holidayLocationCode": HOLIDAY_LOCATION,
        "contactPhone": None,
        "workingHours": "24:00:00",
        "perKioskProcessTime": "00:15:00",
        "centerStartTime": "00:00:00",
        "centerEndTime": "23:59:59",
        "lunchStartTime": None,
        "lunchEndTime": None,
        "timeZone": "UTC",
        "zoneCode": zone,
        "numberOfKiosks": 1,
        "workingNonWorkingDays": {str(code): True for code in range(101, 108)},
        "exceptionalHolidayPutPostDto": [],
    }
    return created(fields, "superadmin", LONG_AGO) | {"isActive": True}


def _machine(machine_id: str, center_id: str | None, key: bytes) -> Row:
    text = base64.urlsafe_b64encode(key).decode()
    fields: Row = {
        "id": machine_id,
        "name": f"crvs_machine_{machine_id}",
        "serialNum": None,
        "macAddress": None,
        "ipAddress": "0.0.0.0",  # noqa: S104 - what MOSIP's own server-side machine has
        "machineSpecId": "RESIDENT-1",
        "langCode": "eng",
        "validityDateTime": None,
        "zoneCode": LEAF_ZONE,
        "regCenterId": center_id,
    }
    keys = keys_of({"publicKey": text, "signPublicKey": text})
    return created(fields | keys, "superadmin", LONG_AGO) | {"isActive": True}


def _schema(*, with_crvs: bool) -> Mapping[str, Any]:
    """The reference ID schema; without the vital-event fields it is what a country has before civil registration."""
    schema = json.loads(_schema_text())
    if not with_crvs:
        identity = schema["properties"]["identity"]
        for name in CRVS_FIELDS:
            identity["properties"].pop(name, None)
    found: Mapping[str, Any] = schema
    return found


@cache
def _schema_text() -> str:
    return _SCHEMA_FILE.read_text(encoding="utf-8")
