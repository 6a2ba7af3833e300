"""Masterdata: centres, machines, officers and their mappings, the ID schema (``mosip-onboarding.md`` §2-4, §10.1).

Every business error comes as HTTP 200, what is created is inactive whatever the body says, and ids are the server's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mosip_crvs.mosip.codes import Action
from mosip_crvs.mosip.doors import Door, ReadingDoor, Said, must
from mosip_crvs.mosip.endpoints import Read, Write

_M = "/v1/masterdata"
_MOST_PAGES = 100
_NO_CENTER = "KER-MSD-215"
_NO_MACHINE = "KER-MSD-030"
_NO_MACHINE_HISTORY = "KER-MSD-032"
_NO_OFFICER_HISTORY = "KER-USR-003"
_NO_MAPPING_HISTORY = "KER-MSD-038"

CENTER = Read("GET", _M + "/registrationcenters/{center}/{language}")
CENTER_SEARCH = Read("POST", _M + "/registrationcenters/search")
CENTER_HISTORY = Read("GET", _M + "/registrationcentershistory/{center}/{language}/{moment}")
CENTER_AT = Read("GET", _M + "/registrationcenters/validate/{center}/{language}/{moment}")
CENTERS_MISSING = Read("GET", _M + "/registrationcenters/missingids/{language}")
MACHINE = Read("GET", _M + "/machines/{machine}")
MACHINE_SEARCH = Read("POST", _M + "/machines/search")
MACHINE_HISTORY = Read("GET", _M + "/machineshistories/{machine}/{language}/{moment}")
MACHINE_SPECIFICATIONS = Read("GET", _M + "/machinespecifications/all?pageNumber={page}&pageSize=100")
ZONE_USER_SEARCH = Read("POST", _M + "/zoneuser/search")
USER_CENTER_SEARCH = Read("POST", _M + "/usercentermapping/search")
USER_AT = Read("GET", _M + "/users/{officer}/{moment}")
MAPPING_HISTORY = Read("GET", _M + "/getregistrationmachineusermappinghistory/{moment}/{center}/{machine}/{officer}")
SUBZONES = Read("GET", _M + "/zones/subzone/{language}")
LATEST_SCHEMA = Read("GET", _M + "/idschema/latest")
ALL_SCHEMAS = Read("GET", _M + "/idschema/all?pageNumber={page}&pageSize=100")

CREATE_CENTER = Write("POST", _M + "/registrationcenters")
ADD_CENTER_LANGUAGE = Write("PUT", _M + "/registrationcenters/language")
SET_CENTER_COMMON = Write("PUT", _M + "/registrationcenters/nonlanguage")
ACTIVATE_CENTER = Write("PATCH", _M + "/registrationcenters?id={center}&isActive=true")
CREATE_MACHINE = Write("POST", _M + "/machines")
UPDATE_MACHINE = Write("PUT", _M + "/machines")
ACTIVATE_MACHINE = Write("PATCH", _M + "/machines?id={machine}&isActive=true")
CREATE_ZONE_USER = Write("POST", _M + "/zoneuser")
ACTIVATE_ZONE_USER = Write("PATCH", _M + "/zoneuser?userId={user}&isActive=true")
CREATE_USER_CENTER = Write("POST", _M + "/usercentermapping")
UPDATE_USER_CENTER = Write("PUT", _M + "/usercentermapping")
ACTIVATE_USER_CENTER = Write("PATCH", _M + "/usercentermapping?id={user}&isActive=true")
CREATE_SCHEMA = Write("POST", _M + "/idschema")
PUBLISH_SCHEMA = Write("PUT", _M + "/idschema/publish")

Row = dict[str, Any]


def search(language: str, **equals: str) -> Row:
    """Give the request of a search by equal values; ten rows are enough to see whether there is more than one."""
    return {
        "filters": [{"columnName": name, "type": "equals", "value": value} for name, value in equals.items()],
        "sort": [],
        "pagination": {"pageStart": 0, "pageFetch": 10},
        "languageCode": language,
    }


class MasterdataLook:
    """What masterdata holds.

    :param language: the first mandatory one, in which MOSIP's own stages look things up.
    """

    def __init__(self, door: ReadingDoor, language: str) -> None:
        self._door = door
        self.language = language

    def center(self, center_id: str, language: str = "") -> Row | None:
        """Find a centre's row in a language, active or not."""
        said = self._door.ask(CENTER, center=center_id, language=language or self.language)
        if not said.succeeded and said.action is Action.ABSENT:
            return None
        return _first(must(said, f"look for the centre {center_id}"))

    def centers_named(self, name: str) -> list[Row]:
        """Find every centre of a name: names are not unique."""
        return self._found(CENTER_SEARCH, "look for the centre", name=name)

    def exceptional_holidays(self, center_id: str) -> list[Row] | None:
        """Give a centre's exceptional holidays, as a change of the centre must repeat them.

        Only a search shows them, and it shows centres of the leaves of the caller's zone; None for another one.
        """
        row = next(iter(self._found(CENTER_SEARCH, "look for the centre's exceptional holidays", id=center_id)), None)
        return None if row is None else list(row.get("exceptionalHolidayPutPostDto") or [])

    def machines_named(self, name: str) -> list[Row]:
        """Find every machine of a name within the caller's zone."""
        return self._found(MACHINE_SEARCH, "look for the machine", name=name)

    def machine(self, machine_id: str) -> Row | None:
        """Find a machine by its id, active or not; without its keys, which only a search shows."""
        said = self._door.ask(MACHINE, machine=machine_id)
        if said.code == _NO_MACHINE:
            return None
        return _first(must(said, f"look for the machine {machine_id}"))

    def machine_with_keys(self, machine_id: str) -> Row | None:
        """Find a machine and its keys, within the caller's zone."""
        return next(iter(self._found(MACHINE_SEARCH, "look for the machine", id=machine_id)), None)

    def machines_with_key(self, key: str) -> list[Row]:
        """Find the machines that a signature key is registered for, within the caller's zone.

        :param key: base64 in either alphabet; masterdata keeps the one for URLs.
        """
        url_form = key.translate(str.maketrans("+/", "-_")).rstrip("=")
        found: dict[str, Row] = {}
        for form in dict.fromkeys((key, key.translate(str.maketrans("+/", "-_")), url_form)):
            for row in self._found(MACHINE_SEARCH, "look for the key's machine", signPublicKey=form):
                found[str(row.get("id"))] = row
        return list(found.values())

    def center_history(self, center_id: str, moment: str) -> list[Row]:
        """Give what was true of a centre up to a moment, as MOSIP's own stage asks for it."""
        said = self._door.ask(CENTER_HISTORY, center=center_id, language=self.language, moment=moment)
        return _history(said, "look at the centre's history", _NO_CENTER)

    def machine_history(self, machine_id: str, moment: str) -> list[Row]:
        """Give what was true of a machine up to a moment, the latest first."""
        said = self._door.ask(MACHINE_HISTORY, machine=machine_id, language=self.language, moment=moment)
        return _history(said, "look at the machine's history", _NO_MACHINE_HISTORY)

    def officer_history(self, officer: str, moment: str) -> list[Row]:
        """Give what was true of an officer at a moment."""
        said = self._door.ask(USER_AT, officer=officer, moment=moment)
        return _history(said, "look at the officer's history", _NO_OFFICER_HISTORY)

    def mapping_history(self, center_id: str, machine_id: str, officer: str, moment: str) -> list[Row]:
        """Give the mappings of centre, machine and officer at a moment."""
        said = self._door.ask(MAPPING_HISTORY, moment=moment, center=center_id, machine=machine_id, officer=officer)
        return _history(said, "look at the mapping's history", _NO_MAPPING_HISTORY)

    def centers_without(self, language: str) -> frozenset[str]:
        """Give the centres that have no row in a language."""
        found = must(self._door.ask(CENTERS_MISSING, language=language), "ask for missing translations")
        return frozenset(str(each.get("id") if isinstance(each, dict) else each) for each in found or [])

    def subzones(self) -> list[Row]:
        """Give the zones below the caller's own; none when the caller has no zone."""
        return _rows(must(self._door.ask(SUBZONES, language=self.language), "ask for the zones below our own"))

    def machine_specification(self, name_or_id: str) -> Row | None:
        """Find a machine specification by its id or name."""
        rows = self._every(MACHINE_SPECIFICATIONS, "look for the machine specification")
        return next((row for row in rows if name_or_id in (row.get("id"), row.get("name"))), None)

    def zone_users(self, user: str) -> list[Row]:
        """Find a user's zone."""
        return self._found(ZONE_USER_SEARCH, "look for the user's zone", userId=user)

    def user_centers(self, user: str) -> list[Row]:
        """Find a user's centre.

        The search goes over users who have a zone, by ``userId``; who has no centre yet is a row without one.
        """
        rows = self._found(USER_CENTER_SEARCH, "look for the user's centre", userId=user)
        return [row for row in rows if row.get("regCenterId")]

    def latest_schema(self) -> Row | None:
        """Give the published ID schema, with ``idVersion`` and the text ``schemaJson``; None when there is none."""
        said = self._door.ask(LATEST_SCHEMA)
        if not said.succeeded and said.action is Action.ABSENT:
            return None
        schema: Row = must(said, "look for the published ID schema")
        return schema

    def schemas(self, title: str) -> list[Row]:
        """Find the ID schemas with a title, drafts and published ones."""
        rows = self._every(ALL_SCHEMAS, "look for drafts of the ID schema")
        return [row for row in rows if row.get("title") == title]

    def _every(self, read: Read, what: str) -> list[Row]:
        """Read a list whole, page after page."""
        rows: list[Row] = []
        for number in range(_MOST_PAGES):
            response = must(self._door.ask(read, page=str(number)), what)
            rows += _rows(response)
            if not isinstance(response, dict) or number + 1 >= int(response.get("totalPages") or 0):
                break
        return rows

    def _found(self, read: Read, what: str, **equals: str) -> list[Row]:
        said = self._door.ask(read, search(self.language, **equals))
        if not said.succeeded and said.action is Action.ABSENT:
            return []
        rows = _rows(must(said, what))
        # A search may match more loosely than it was asked to.
        return [row for row in rows if all(_same(row.get(name), value) for name, value in equals.items())]


class Masterdata(MasterdataLook):
    """Changes masterdata. Whoever calls has looked before."""

    def __init__(self, door: Door, language: str) -> None:
        super().__init__(door, language)
        self._writing = door

    def create_center(self, fields: Mapping[str, Any]) -> None:
        """Make a centre: inactive, with an id of the server's."""
        # A missing list of exceptional holidays ends in a fault of the service that nobody sees.
        self._writing.tell(CREATE_CENTER, {"exceptionalHolidayPutPostDto": [], **fields, "isActive": True})

    def activate_center(self, center_id: str) -> None:
        """Switch a centre on."""
        self._writing.tell(ACTIVATE_CENTER, center=center_id)

    def add_center_language(self, fields: Mapping[str, Any]) -> None:
        """Give a centre its texts in one more language."""
        self._writing.tell(ADD_CENTER_LANGUAGE, dict(fields))

    def set_center_common(self, fields: Mapping[str, Any]) -> None:
        """Change what a centre has in common for all languages.

        :param fields: all of it; MOSIP deletes the exceptional holidays that their list leaves out, and fails when
            there are some and there is no list.
        """
        self._writing.tell(SET_CENTER_COMMON, dict(fields))

    def create_machine(self, fields: Mapping[str, Any]) -> None:
        """Make a machine: inactive, with an id of the server's."""
        self._writing.tell(CREATE_MACHINE, {**fields, "isActive": True})

    def update_machine(self, fields: Mapping[str, Any]) -> None:
        """Change a machine."""
        self._writing.tell(UPDATE_MACHINE, dict(fields))

    def activate_machine(self, machine_id: str) -> None:
        """Switch a machine on."""
        self._writing.tell(ACTIVATE_MACHINE, machine=machine_id)

    def create_zone_user(self, user: str, zone: str) -> None:
        """Put a user into a zone: inactive."""
        request = {"zoneCode": zone, "userId": user, "langCode": self.language, "isActive": True}
        self._writing.tell(CREATE_ZONE_USER, request)

    def activate_zone_user(self, user: str) -> None:
        """Switch a user's zone on."""
        self._writing.tell(ACTIVATE_ZONE_USER, user=user)

    def create_user_center(self, user: str, center_id: str) -> None:
        """Put a user into a centre: inactive."""
        self._writing.tell(CREATE_USER_CENTER, self._user_center(user, center_id))

    def move_user_center(self, user: str, center_id: str) -> None:
        """Put a user into another centre."""
        self._writing.tell(UPDATE_USER_CENTER, self._user_center(user, center_id))

    def activate_user_center(self, user: str) -> None:
        """Switch a user's centre on."""
        self._writing.tell(ACTIVATE_USER_CENTER, user=user)

    def create_schema(self, title: str, description: str, schema: Mapping[str, Any]) -> None:
        """Write a draft of an ID schema."""
        text = json.dumps(schema, ensure_ascii=False)
        self._writing.tell(CREATE_SCHEMA, {"title": title, "description": description, "schema": text})

    def publish_schema(self, schema_id: str, effective_from: str) -> None:
        """Publish a draft, for the whole platform and for good.

        :param effective_from: a moment that is not past when MOSIP reads it.
        """
        self._writing.tell(PUBLISH_SCHEMA, {"id": schema_id, "effectiveFrom": effective_from})

    def _user_center(self, user: str, center_id: str) -> Row:
        return {
            "id": user,
            "name": None,  # the service refuses anything else here
            "statusCode": None,
            "regCenterId": center_id,
            "isActive": True,
            "langCode": self.language,
        }


def active(row: Mapping[str, Any] | None) -> bool:
    """Say whether a row is switched on."""
    return row is not None and row.get("isActive") is True


def _rows(response: Any) -> list[Row]:
    """Find the list in a response, whatever the endpoint calls it."""
    if isinstance(response, dict):
        response = next((value for value in response.values() if isinstance(value, list)), None)
    return [row for row in response or [] if isinstance(row, dict)]


def _history(said: Said, what: str, absent: str) -> list[Row]:
    """Give the rows of a history.

    :param absent: the call's own code for "there is none"; MOSIP tells its faults with HTTP 200 as well.
    """
    return [] if said.code == absent else _rows(must(said, what))


def _first(response: Any) -> Row | None:
    """Find the one thing in a response, be it in a list or not."""
    if isinstance(response, dict) and response.get("id"):
        return response
    return next(iter(_rows(response)), None)


def _same(found: Any, wanted: str) -> bool:
    return found is not None and str(found).lower() == wanted.lower()
