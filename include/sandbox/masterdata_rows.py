"""Rows of masterdata: their stamps, their histories, and how they are searched and paged (mosip-onboarding.md §2-4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.masterdata_desk import INVALID, Fault, Problem

Row = dict[str, Any]

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
"""When seeded rows were made."""

STAMPS = frozenset({"createdDateTime", "updatedDateTime", "effectDateTime"})

ROW_COLUMNS = ("isActive", "isDeleted", "createdBy", "createdDateTime", "updatedBy", "updatedDateTime")
"""Columns of every table."""


def stamp(when: datetime) -> str:
    """UTC with milliseconds."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def created(fields: Mapping[str, Any], by: str, when: datetime) -> Row:
    """A new row: inactive, whatever anybody asked for (mosip-onboarding.md §2)."""
    return dict(fields) | {
        "isActive": False,
        "isDeleted": False,
        "createdBy": by,
        "createdDateTime": stamp(when),
        "updatedBy": None,
        "updatedDateTime": None,
    }


def updated(row: Row, values: Mapping[str, Any], by: str, when: datetime) -> None:
    """Change a row in place."""
    row.update(values)
    row.update({"updatedBy": by, "updatedDateTime": stamp(when)})


def timeless(row: Mapping[str, Any]) -> Row:
    """A row without its stamps, so that equal content is equal."""
    return {name: value for name, value in row.items() if name not in STAMPS}


class Histories:
    """Versions of rows. A version counts from the moment of the change on."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, ...], list[tuple[datetime, Row]]] = {}

    def keep(self, key: tuple[str, ...], row: Mapping[str, Any], since: datetime) -> None:
        """A copy of a row as it is from now on; times are kept to the millisecond as in the database."""
        since = since.replace(microsecond=since.microsecond // 1000 * 1000)
        self._versions.setdefault(key, []).append((since, dict(row) | {"effectDateTime": stamp(since)}))

    def until(self, key: tuple[str, ...], when: datetime) -> list[Row]:
        """Versions that had begun at a moment, newest first."""
        return [row for since, row in reversed(self._versions.get(key, [])) if since <= when]

    def latest(self, key: tuple[str, ...], when: datetime) -> Row | None:
        """The version of a moment."""
        found = self.until(key, when)
        return found[0] if found else None

    def drop(self, key: tuple[str, ...]) -> None:
        """As if it had never been."""
        self._versions.pop(key, None)

    def edit(self, id: str, *, delete: bool) -> None:
        """Lose all versions of `a/b`, as a database that was filled by hand has none.

        :raises KeyError: for an unknown id.
        :raises ValueError: for anything but a deletion.
        """
        if not delete:
            raise ValueError("history can only be deleted")
        del self._versions[tuple(id.split("/"))]

    def state(self) -> dict[str, list[Row]]:
        """All versions without times, oldest first."""
        return {
            "/".join(key): [timeless(row) for _, row in versions] for key, versions in sorted(self._versions.items())
        }


def _text(value: Any) -> str:
    return str(value).lower()


_TESTS: Mapping[str, Callable[[str, Mapping[str, Any]], bool]] = {
    "equals": lambda value, asked: value == _text(asked.get("value")),
    "contains": lambda value, asked: _text(asked.get("value")).strip("*") in value,
    "startsWith": lambda value, asked: value.startswith(_text(asked.get("value")).rstrip("*")),
    "between": lambda value, asked: _text(asked.get("fromValue")) <= value <= _text(asked.get("toValue")),
    "in": lambda value, asked: value in _text(asked.get("value")).split(","),
}


def search(
    rows: Iterable[Mapping[str, Any]],
    columns: Iterable[str],
    sent: Mapping[str, Any],
    *,
    shown: Iterable[str] | None = None,
) -> dict[str, Any]:
    """A search body over rows. Texts are compared without regard to case.

    :param columns: what the table has. A filter on anything else gets as far as the database's query.
    :param shown: what filters are checked against before that; None where the service does not check them.
    :raises Problem: for a filter that the check refuses.
    :raises Fault: for a column that the table does not have.
    """
    known, checked = frozenset(columns), None if shown is None else frozenset(shown)
    found = [dict(row) for row in rows]
    for asked in sent.get("filters") or ():
        column, kind = str(asked.get("columnName")), str(asked.get("type"))
        _check_filter(column, kind, checked)
        if column not in known:
            raise Fault(f"Could not resolve attribute '{column}'")
        if kind in _TESTS:  # an unknown one that nobody checked filters nothing
            found = [row for row in found if row.get(column) is not None and _TESTS[kind](_text(row[column]), asked)]
    for order in reversed(sent.get("sort") or ()):
        name = str(order.get("sortField"))
        found.sort(key=lambda row: _text(row.get(name)), reverse=str(order.get("sortType")).lower() == "desc")
    asked_page = sent.get("pagination") or {}
    start, fetch = asked_page.get("pageStart", 0), asked_page.get("pageFetch", 10)
    if not isinstance(start, int) or not isinstance(fetch, int) or start < 0 or fetch < 1:
        raise Problem(INVALID, "Invalid pagination")
    begin = start * fetch
    return {
        "fromRecord": begin,
        "toRecord": min(begin + fetch, len(found)),
        "totalRecord": len(found),
        "data": found[begin : begin + fetch],
    }


def _check_filter(column: str, kind: str, checked: frozenset[str] | None) -> None:
    if kind in ("", "None"):
        raise Problem("KER-MSD-312", "Filter type is missing")
    if checked is not None and column not in checked:
        raise Problem("KER-MSD-317", f"Column {column} doesn't exist for the searched entity")
    if checked is not None and kind not in _TESTS:
        raise Problem("KER-MSD-318", f"Column {column} doesn't support filter type {kind}")


def page(rows: Sequence[Any], given: Mapping[str, str]) -> dict[str, Any]:
    """`?pageNumber&pageSize` over rows."""
    try:
        number, size = int(given.get("pageNumber", "0")), int(given.get("pageSize", "10"))
    except ValueError:
        raise Problem(INVALID, "Invalid page") from None
    size = max(size, 1)
    return {
        "pageNo": number,
        "totalPages": -(-len(rows) // size),
        "totalItems": len(rows),
        "data": list(rows[number * size : (number + 1) * size]),
    }
