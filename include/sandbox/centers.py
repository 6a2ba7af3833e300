"""Registration centres: their rows in each language, their history, and what masterdata refuses (§2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any

from sandbox.configuration import Configuration
from sandbox.masterdata_desk import INVALID, Asked, Fault, Problem, limit, moment, require
from sandbox.masterdata_rows import ROW_COLUMNS, Histories, Row, created, page, search, timeless, updated
from sandbox.places import DAYS, LOCATION_LEVEL, Places

_OWN = {"name": 128, "addressLine1": 256}
_OWN_OPTIONAL = {"addressLine2": 256, "addressLine3": 256, "contactPerson": 128}
_COMMON = {
    "centerTypeCode": 36, "latitude": 32, "longitude": 32, "locationCode": 36, "holidayLocationCode": 36,
    "workingHours": 32, "perKioskProcessTime": 8, "centerStartTime": 8, "centerEndTime": 8, "zoneCode": 36,
}  # fmt: skip
_COMMON_OPTIONAL = {"contactPhone": 16, "lunchStartTime": 8, "lunchEndTime": 8, "timeZone": 64}
LANGUAGE_FIELDS = (*_OWN, *_OWN_OPTIONAL)
COMMON_FIELDS = (*_COMMON, *_COMMON_OPTIONAL, "numberOfKiosks")
_DAYS, _EXCEPTIONS = "workingNonWorkingDays", "exceptionalHolidayPutPostDto"
COLUMNS = ("id", "langCode", *LANGUAGE_FIELDS, *COMMON_FIELDS, *ROW_COLUMNS)
SHOWN = (*COLUMNS, _DAYS, _EXCEPTIONS)
"""What a search shows and lets filters name; the last two lie in tables of their own."""
_NOT_READ = frozenset({_DAYS, _EXCEPTIONS, *ROW_COLUMNS}) - {"isActive"}
"""What only a search shows, not the reading of one centre."""

_COORDINATE = re.compile(r"-?\d{1,2}\.\d{4,}")
NOT_FOUND = ("KER-MSD-215", "Registration Center not found")


class Centers:
    """The content and the rules.

    :param zone_of: the caller's zone, None for one who is not mapped.
    :param has_members: whether a `machines` or `users` row points to a centre.
    """

    def __init__(
        self,
        places: Places,
        configuration: Configuration,
        zone_of: Callable[[str], str | None],
        has_members: Callable[[str, str], bool],
    ) -> None:
        self._places = places
        self._configuration = configuration
        self._zone_of = zone_of
        self._has_members = has_members
        self.rows: dict[str, dict[str, Row]] = {}
        self.history = Histories()

    def first(self, center_id: str | None) -> Row | None:
        """Any language's row of a centre: what is not language is the same in all."""
        rows = self.rows.get(str(center_id))
        return next(iter(rows.values())) if rows else None

    def active(self, center_id: str | None) -> Row:
        """:raises Problem: KER-MSD-215 unless the centre is there and active."""
        row = self.first(center_id)
        if row is None or not row["isActive"]:
            raise Problem(*NOT_FOUND)
        return row

    def create(self, asked: Asked) -> Row:
        """One row in one language. The name need not be unique."""
        sent = asked.sent
        require(sent, _OWN | {"isActive": 0})
        limit(sent, _OWN_OPTIONAL)
        language = self._language(sent)
        self._check_common(sent, asked.user)
        if f"{sent['centerTypeCode']}/{language}" not in self._places.center_types:
            raise Problem("KER-MSD-060", "Error occurred while inserting registration center details")
        row = created(
            {"id": self._next_id(), "langCode": language}
            | {name: sent.get(name) for name in (*LANGUAGE_FIELDS, *COMMON_FIELDS)}
            | {_DAYS: _days(sent.get(_DAYS)), _EXCEPTIONS: list(sent.get(_EXCEPTIONS) or [])},
            asked.user,
            asked.now,
        )
        self.rows[row["id"]] = {language: row}
        self._keep(row["id"], asked.now)
        return dict(row)

    def set_language(self, asked: Asked) -> Row:
        """A new language's row, cloned from the first one, or changes to one that is there."""
        sent = asked.sent
        require(sent, {"id": 10} | _OWN)
        limit(sent, _OWN_OPTIONAL)
        first = self._found(str(sent["id"]))
        language = self._language(sent)
        if f"{first['centerTypeCode']}/{language}" not in self._places.center_types:
            raise Problem("KER-MSD-321", "Center Type does not exist in this language")
        rows = self.rows[first["id"]]
        if language not in rows:
            rows[language] = created(first, asked.user, asked.now) | {
                "langCode": language,
                "isActive": first["isActive"],
            }
        updated(rows[language], {name: sent.get(name) for name in LANGUAGE_FIELDS}, asked.user, asked.now)
        self._keep(first["id"], asked.now)
        return dict(rows[language])

    def set_common(self, asked: Asked) -> Row:
        """What is the same in all languages."""
        sent = asked.sent
        require(sent, {"id": 10})
        first = self._found(str(sent["id"]))
        self._check_common(sent, asked.user)
        if sent["zoneCode"] != first["zoneCode"] and self._is_used(first["id"]):
            raise Problem("KER-MSD-397", "Zone of a center with machines or users cannot be changed")
        values = {name: sent.get(name) for name in COMMON_FIELDS}
        if sent.get(_DAYS) is not None:
            values[_DAYS] = _days(sent[_DAYS])
        values[_EXCEPTIONS] = _exceptions(first[_EXCEPTIONS], sent.get(_EXCEPTIONS))
        for row in self.rows[first["id"]].values():
            updated(row, values, asked.user, asked.now)
        self._keep(first["id"], asked.now)
        return dict(first)

    def set_row(self, asked: Asked) -> Row:
        """The old way: one language's row with everything in it."""
        if asked.sent.get("langCode") not in self.rows.get(str(asked.sent.get("id")), {}):
            raise Problem(*NOT_FOUND)
        self.set_common(asked)
        return self.set_language(asked)

    def set_status(self, asked: Asked) -> dict[str, str]:
        """In all languages; the centre's zone must be the caller's."""
        first = self._found(asked.given.get("id", ""))
        self._check_own(first, asked.user)
        for row in self.rows[first["id"]].values():
            updated(row, {"isActive": asked.is_active}, asked.user, asked.now)
        self._keep(first["id"], asked.now)
        return {"status": "Status updated successfully for Registration Centers"}

    def decommission(self, asked: Asked) -> dict[str, str]:
        """Not while anybody is mapped to it."""
        first = self._found(asked.given["id"])
        self._check_own(first, asked.user)
        for what, code in (("machines", "KER-MSD-351"), ("users", "KER-MSD-352")):
            if self._has_members(what, first["id"]):
                raise Problem(code, f"Mapped {what} were found for the center")
        for row in self.rows[first["id"]].values():
            updated(row, {"isActive": False, "isDeleted": True}, asked.user, asked.now)
        self._keep(first["id"], asked.now)
        return {"id": first["id"]}

    def read(self, asked: Asked) -> dict[str, Any]:
        """One language's row, active or not; `all` gives those that are active."""
        rows = self.rows.get(asked.given["id"], {})
        language = asked.given["language"]
        found = (
            [row for row in rows.values() if row["isActive"]]
            if language == "all"
            else [row for code, row in rows.items() if code == language]
        )
        if not found:
            raise Problem(*NOT_FOUND)
        return {"registrationCenters": [_read(row) for row in found]}

    def read_all(self, asked: Asked) -> dict[str, Any]:
        """Every row, in pages."""
        return page(self._every(), asked.given)

    def search(self, asked: Asked) -> dict[str, Any]:
        """Rows of the wanted language in the lowest of the caller's zones."""
        zones = self._places.leaves(self._zone_of(asked.user))
        if not zones:
            raise Problem("KER-MSD-341", "No zone assigned to the user")
        language = asked.sent.get("languageCode") or self._configuration.languages[0]
        rows = [row for row in self._every() if row["langCode"] == language and row["zoneCode"] in zones]
        return search(rows, COLUMNS, asked.sent, shown=SHOWN)

    def read_history(self, asked: Asked) -> dict[str, Any]:
        """All versions that had begun, newest first."""
        given = asked.given
        found = self.history.until((given["id"], given["language"]), moment(given["moment"]))
        if not found:
            raise Problem(*NOT_FOUND)
        return {"registrationCentersHistory": found}

    def validate(self, asked: Asked) -> dict[str, str]:
        """Whether the centre works at a moment, which is to say: whether it is no holiday."""
        when = moment(asked.given["moment"])
        row = self.rows.get(asked.given["id"], {}).get(asked.given["language"])
        if row is None or not row["isActive"]:
            raise Problem(*NOT_FOUND)
        return {"status": "Invalid" if self._places.is_holiday(row["holidayLocationCode"], when) else "Valid"}

    def missing(self, asked: Asked) -> list[dict[str, str]]:
        """Centres without a row in a language."""
        language = asked.given["language"]
        return [
            {"id": id, "fieldValue": next(iter(rows.values()))["name"]}
            for id, rows in sorted(self.rows.items())
            if language not in rows
        ]

    def seed(self, row: Row, since: datetime) -> None:
        """A row that was always there."""
        self.rows.setdefault(row["id"], {})[row["langCode"]] = row
        self._keep(row["id"], since)

    def edit(self, center_id: str, values: Mapping[str, Any], *, delete: bool, now: datetime) -> None:
        """:raises KeyError: for an unknown centre."""
        rows = self.rows[center_id]
        if delete:
            del self.rows[center_id]
            for language in rows:
                self.history.drop((center_id, language))
            return
        for row in rows.values():
            updated(row, values, "console", now)
        self._keep(center_id, now)

    def state(self) -> dict[str, Any]:
        """Rows by id and language, and their versions."""
        return {
            "centers": {
                id: {language: timeless(row) for language, row in sorted(rows.items())}
                for id, rows in sorted(self.rows.items())
            },
            "centerHistory": self.history.state(),
        }

    def _every(self) -> list[Row]:
        return [row for _, rows in sorted(self.rows.items()) for row in rows.values() if not row["isDeleted"]]

    def _found(self, center_id: str) -> Row:
        row = self.first(center_id)
        if row is None or row["isDeleted"]:
            raise Problem(*NOT_FOUND)
        return row

    def _next_id(self) -> str:
        return str(max([10000, *(int(id) for id in self.rows if id.isdigit())]) + 1)

    def _keep(self, center_id: str, since: datetime) -> None:
        for language, row in self.rows[center_id].items():
            self.history.keep((center_id, language), row, since)

    def _is_used(self, center_id: str) -> bool:
        return self._has_members("machines", center_id) or self._has_members("users", center_id)

    def _language(self, sent: Mapping[str, Any]) -> str:
        language = str(sent.get("langCode"))
        if language not in self._configuration.languages:
            raise Problem("KER-MSD-382", f"Language is not supported : {language}")
        return language

    def _check_own(self, row: Row, user: str) -> None:
        if row["zoneCode"] not in self._places.under(self._zone_of(user)):
            raise Problem("KER-MSD-441", "Registration Center is not in the zone of the user")

    def _check_common(self, sent: Mapping[str, Any], user: str) -> None:
        require(sent, _COMMON)
        limit(sent, _COMMON_OPTIONAL)
        location = self._places.locations.get(sent["locationCode"])
        if location is None:
            raise Problem("ADM-MSD-446", "Location code not found")
        if location["hierarchyLevel"] != LOCATION_LEVEL:
            raise Problem("ADM-MSD-445", "Location code is not of the recommended level")
        # One who has no zone at all is not stopped here, but at the machine (mosip-onboarding.md §2).
        zone = self._zone_of(user)
        if zone is not None and sent["zoneCode"] not in self._places.leaves(zone):
            raise Problem("KER-MSD-346", "Zone is not a leaf of the zone of the user")
        if sent["holidayLocationCode"] not in self._places.locations:
            raise Problem("KER-MSD-060", "Error occurred while inserting registration center details")
        _check_figures(sent)


def _check_figures(sent: Mapping[str, Any]) -> None:
    """:raises Problem: for coordinates, hours or kiosks that cannot be."""
    if not all(_COORDINATE.fullmatch(sent[name]) for name in ("latitude", "longitude")):
        raise Problem("KER-MSD-307", "Invalid latitude or longitude")
    kiosks = sent.get("numberOfKiosks")
    if not isinstance(kiosks, int) or isinstance(kiosks, bool) or kiosks <= 0:
        raise Problem("KER-MSD-281", "Number of kiosks must be greater than zero")
    _time(sent["perKioskProcessTime"])
    start, end = _time(sent["centerStartTime"]), _time(sent["centerEndTime"])
    if start >= end:
        raise Problem("KER-MSD-309", "Center start time must be before its end time")
    if sent.get("lunchStartTime") is None or sent.get("lunchEndTime") is None:
        return
    lunch, back = _time(sent["lunchStartTime"]), _time(sent["lunchEndTime"])
    if lunch > back:
        raise Problem("KER-MSD-308", "Lunch start time must be before its end time")
    if lunch < start:
        raise Problem("KER-MSD-259", "Lunch starts before the center opens")
    if back > end:
        raise Problem("KER-MSD-260", "Lunch ends after the center closes")


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text if len(text) == len("HH:mm:ss") else "")
    except ValueError:
        raise Problem(INVALID, "Invalid time") from None


def _read(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _NOT_READ}


def _exceptions(stored: list[Row], sent: list[Row] | None) -> list[Row]:
    """A centre's exceptional holidays after a change: new days are added, else those that were left out are deleted.

    :raises Fault: when there are some and no list was sent; the change is rolled back.
    """
    if sent is None:
        if stored:
            raise Fault("exceptionalHolidayPutPostDto is null")
        return []
    days = {row["exceptionHolidayDate"] for row in stored}
    new = [row for row in sent if row["exceptionHolidayDate"] not in days]
    kept = {row["exceptionHolidayDate"] for row in sent}
    return [*stored, *new] if new else [row for row in stored if row["exceptionHolidayDate"] in kept]


def _days(sent: Any) -> dict[str, bool]:
    """Known day codes; others silently count as not working."""
    given = sent if isinstance(sent, dict) else {}
    return {code: bool(given.get(code, False)) for code in DAYS}
