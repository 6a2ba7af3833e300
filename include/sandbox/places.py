"""Zones, locations, holidays and the small code lists that a centre and a machine refer to (mosip-onboarding.md §2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sandbox.masterdata_rows import Row

ROOT_ZONE = "MOR"
LEAF_ZONE = "RSK"
POSTAL_CODE = "14022"
HOLIDAY_LOCATION = "KTA"
NO_HOLIDAYS = "NOHOL"
CENTER_TYPE = "REG"
LOCATION_LEVEL = 5
"""`mosip.recommended.centers.locCode`: the level a centre's location must have."""

DAYS: Mapping[str, str] = {
    "101": "SUN", "102": "MON", "103": "TUE", "104": "WED", "105": "THU", "106": "FRI", "107": "SAT",
}  # fmt: skip
_LANGUAGES = ("eng", "fra", "ara")

_ZONES = (
    ("MOR", "Country", None), ("NTH", "North", "MOR"), ("RSK", "North-West", "NTH"), ("ORL", "North-East", "NTH"),
    ("STH", "South", "MOR"),
)  # fmt: skip
_LOCATIONS = (
    ("MOR", "Country", None), ("RSK", "Region", "MOR"), ("KTA", "Province", "RSK"), ("KNT", "City", "KTA"),
    ("BNMR", "Zone", "KNT"), ("14022", "Postal Code", "BNMR"), ("NOHOL", "Region", "MOR"),
)  # fmt: skip


class Places:
    """Content that onboarding looks up and does not write.

    :param holidays: dates (YYYY-MM-DD) of the default holiday location.
    """

    def __init__(self, holidays: Iterable[str]) -> None:
        parents = {code: parent for code, _, parent in _LOCATIONS}
        self.zones: dict[str, Row] = {
            code: {"code": code, "name": name, "hierarchyLevel": _level(code, _ZONES), "parentZoneCode": parent}
            for code, name, parent in _ZONES
        }
        self.locations: dict[str, Row] = {
            code: {
                "code": code,
                "name": code,
                "hierarchyLevel": _level(code, _LOCATIONS),
                "hierarchyName": name,
                "parentLocCode": parents[code],
                "isActive": True,
            }
            for code, name, _ in _LOCATIONS
        }
        self.center_types: dict[str, Row] = {
            f"{CENTER_TYPE}/{language}": {"code": CENTER_TYPE, "langCode": language, "isActive": True}
            for language in _LANGUAGES
        }
        self.machine_types: dict[str, Row] = {
            "RESIDENT-REG": {"code": "RESIDENT-REG", "name": "Resident", "langCode": "eng", "isActive": True}
        }
        self.specifications: dict[str, Row] = {
            "RESIDENT-1": {
                "id": "RESIDENT-1",
                "name": "Resident",
                "brand": "Server",
                "model": "Virtual",
                "machineTypeCode": "RESIDENT-REG",
                "minDriverversion": "1.0",
                "langCode": "eng",
                "isActive": True,
            }
        }
        self.holidays: dict[str, Row] = {HOLIDAY_LOCATION: {"days": sorted(holidays)}}

    def under(self, zone: str | None) -> set[str]:
        """A zone and everything below it; nothing for None."""
        found: set[str] = {zone} & set(self.zones) if zone else set()
        grown = True
        while grown:
            below = {code for code, row in self.zones.items() if row["parentZoneCode"] in found}
            grown = not below <= found
            found |= below
        return found

    def leaves(self, zone: str | None) -> set[str]:
        """The lowest zones below a zone, or the zone itself."""
        parents = {row["parentZoneCode"] for row in self.zones.values()}
        return {code for code in self.under(zone) if code not in parents}

    def is_holiday(self, location: str, when: datetime) -> bool:
        """By the UTC date, and nothing else: neither weekdays nor hours count."""
        return when.date().isoformat() in self.holidays.get(location, {"days": ()})["days"]

    def tables(self) -> dict[str, dict[str, Row]]:
        """Rows by entity."""
        return {
            "zones": self.zones,
            "locations": self.locations,
            "centerTypes": self.center_types,
            "machineTypes": self.machine_types,
            "specifications": self.specifications,
            "holidays": self.holidays,
        }

    def edit(self, entity: str, id: str, values: Mapping[str, Any], *, delete: bool) -> bool:
        """See `Part.edit`; for `holidays`, the id is a location and `days` are its dates."""
        table = self.tables().get(entity)
        if table is None:
            return False
        if entity == "holidays":
            table.setdefault(id, {"days": []})
        if delete:
            del table[id]
        else:
            table[id].update(values)
        return True


def _level(code: str, table: tuple[tuple[str, str, str | None], ...]) -> int:
    parents = {name: parent for name, _, parent in table}
    parent = parents[code]
    return 0 if parent is None else 1 + _level(parent, table)
