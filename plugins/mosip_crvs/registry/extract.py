"""Reading a window of registrations, in the order in which they changed, a page at a time.

The country supplies one ``SELECT`` that returns a row a registration (``include/sql``). It is used as a subquery, and
the window over ``(modified_at, registration_id)`` is added here, so that it cannot be forgotten or written wrongly.
Any database that SQLAlchemy speaks to will do; rows come through a server-side cursor where the driver has one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Engine, TextClause, bindparam, text
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError, SQLAlchemyError, TimeoutError

from mosip_crvs.errors import ExtractError, RetryLater
from mosip_crvs.model import Bound, PlannedRange

_WINDOW = """
    extract.modified_at >= :lower_at AND extract.modified_at <= :upper_at
    AND (extract.modified_at > :lower_at OR extract.registration_id >= :lower_id)
    AND (extract.modified_at < :upper_at OR extract.registration_id < :upper_id)
"""


@dataclass(frozen=True)
class Extract:
    """One kind of registration in one registry.

    :param sql: the country's ``SELECT``, without ``ORDER BY``.
    """

    engine: Engine
    sql: str

    def plan(self, start: datetime, end: datetime, *, range_size: int, spread: int, most: int) -> list[PlannedRange]:
        """Cut a window into ranges of about equal size.

        :param start: included; :param end: excluded.
        :param range_size: registrations in a range, about; larger when there would be more than ``most`` ranges.
        :param spread: into how many ranges to cut a small window, so that tasks run side by side.
        :param most: the most ranges to give: Airflow refuses longer lists.
        """
        bounds = _edges(start, end)
        total = int(self._rows(self._window("count(*)"), bounds)[0][0])
        size = max(min(range_size, math.ceil(total / spread)), _SMALLEST, math.ceil(total / most))
        numbered = self._window(
            "extract.modified_at, extract.registration_id, "
            "row_number() OVER (ORDER BY extract.modified_at, extract.registration_id) AS place"
        )
        firsts = self._rows(
            f"SELECT modified_at, registration_id FROM ({numbered}) numbered WHERE MOD(place - 1, :size) = 0 "  # noqa: S608
            "ORDER BY modified_at, registration_id",
            {**bounds, "size": size},
        )
        # The ranges cover the window to its edges, so that a row that slips in after this is read all the same.
        edges = [Bound(start), *(Bound(row[0], str(row[1])) for row in firsts[1:]), Bound(end)]
        left = [size] * (len(edges) - 2) + [total - size * (len(edges) - 2)]
        return [
            PlannedRange(lower, upper, max(rows, 0))
            for lower, upper, rows in zip(edges[:-1], edges[1:], left, strict=True)
        ]

    def pages(self, lower: Bound, upper: Bound, page_size: int) -> Iterator[pd.DataFrame]:
        """Read a range page by page; only one page is in memory at a time.

        :return: frames of object columns, named as the country's SQL names them.
        """
        statement = text(self._window("*") + " ORDER BY extract.modified_at, extract.registration_id")
        bounds = {
            "lower_at": lower.modified_at,
            "lower_id": lower.registration_id,
            "upper_at": upper.modified_at,
            "upper_id": upper.registration_id,
        }
        yield from self._frames(statement, bounds, page_size)

    def registrations(self, numbers: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Read some registrations by their numbers; those that the registry does not give any more are missing."""
        select = self.sql.strip().rstrip(";")
        statement = text(
            f"SELECT * FROM ({select}) extract WHERE extract.registration_id IN :numbers"  # noqa: S608 (a country's file)
        ).bindparams(bindparam("numbers", expanding=True))
        yield from self._frames(statement, {"numbers": list(numbers)}, len(numbers))

    def _frames(self, statement: TextClause, bounds: dict[str, Any], page_size: int) -> Iterator[pd.DataFrame]:
        try:
            with self.engine.connect() as connection:
                streaming = connection.execution_options(stream_results=True, max_row_buffer=page_size)
                result = streaming.execute(statement, bounds)
                names = list(result.keys())
                for rows in result.partitions(page_size):
                    cells = zip(*rows, strict=True)
                    yield pd.DataFrame(
                        {name: pd.Series(column, dtype=object) for name, column in zip(names, cells, strict=True)}
                    )
        except (DBAPIError, SQLAlchemyError) as problem:
            raise _failure(problem) from None

    def keys(self, start: datetime, end: datetime, page_size: int) -> Iterator[list[str]]:
        """Give the numbers of the registrations that stand in a window now, each once, a page at a time.

        :param start: included; :param end: excluded.

        They are written as the mapping writes them; a registration without one is left out.
        """
        statement = text(self._window("DISTINCT extract.registration_id") + " ORDER BY extract.registration_id")
        try:
            with self.engine.connect() as connection:
                streaming = connection.execution_options(stream_results=True, max_row_buffer=page_size)
                for rows in streaming.execute(statement, _edges(start, end)).partitions(page_size):
                    yield [name for row in rows if row[0] is not None and (name := str(row[0]).strip())]
        except (DBAPIError, SQLAlchemyError) as problem:
            raise _failure(problem) from None

    def _window(self, columns: str) -> str:
        """Write the country's SELECT as a subquery of the window. It is a file of the country, not an input."""
        select = self.sql.strip().rstrip(";")
        return f"SELECT {columns} FROM ({select}) extract WHERE {_WINDOW}"  # noqa: S608

    def _rows(self, statement: str, bounds: dict[str, object]) -> list[tuple[Any, ...]]:
        try:
            with self.engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(statement), bounds)]
        except (DBAPIError, SQLAlchemyError) as problem:
            raise _failure(problem) from None


_SMALLEST = 50


def _edges(start: datetime, end: datetime) -> dict[str, object]:
    """Give the bounds of a whole window."""
    return {"lower_at": start, "lower_id": "", "upper_at": end, "upper_id": ""}


def _failure(problem: SQLAlchemyError) -> Exception:
    """Tell a registry that is away from SQL that is wrong. The driver's text is not passed on: it may quote values."""
    name = type(getattr(problem, "orig", None) or problem).__name__
    if isinstance(problem, OperationalError | InterfaceError | InternalError | TimeoutError) or (
        isinstance(problem, DBAPIError) and problem.connection_invalidated
    ):
        return RetryLater(f"the registry did not answer ({name})")
    return ExtractError(
        f"the registry refused the extract SQL ({name}): it must be one SELECT with modified_at and registration_id "
        "that the role may read"
    )
