"""Writing results back into the registry, by the country's own SQL.

The country supplies one statement that puts one result where its registrars see it (``include/sql/result.sql``). It is
run once for each result, a page a transaction. A page may come again after a crash, and an older result after a newer
one; so the statement must keep the highest ``result_version`` of an event and change nothing otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
    TimeoutError,
)

from mosip_crvs.errors import MosipCrvsError, ResultRefused, ResultSqlError, RetryLater
from mosip_crvs.model import EventKey, RegistrationKind, ResultOutcome

NEEDED = ("kind", "registration_id", "act", "act_number", "outcome", "result_version")
"""Without these a result cannot be told from another one, or from an older one."""

OPTIONAL = ("application_id", "code", "sentence", "identifier_kind", "identifier", "changed_at")
"""What a country may leave out. An identifier that its SQL does not name never leaves the ledger."""


@dataclass(frozen=True, slots=True)
class RegistryResult:
    """What the registry is told of one event.

    :param sentence: what a registrar reads. :param identifier: what MOSIP issued, in the clear.
    :param version: grows with every change of the event's result. :param changed_at: when it last did.
    """

    kind: RegistrationKind
    key: EventKey
    application_id: str | None
    outcome: ResultOutcome
    code: str | None
    sentence: str
    identifier_kind: str | None
    identifier: str | None = field(repr=False)
    version: int
    changed_at: datetime

    def parameters(self) -> dict[str, object]:
        """Give the values by the names that the country's SQL has for them."""
        return {
            "kind": str(self.kind),
            "registration_id": self.key.registration_id,
            "act": str(self.key.act),
            "act_number": self.key.act_number,
            "application_id": self.application_id,
            "outcome": str(self.outcome),
            "code": self.code,
            "sentence": self.sentence,
            "identifier_kind": self.identifier_kind,
            "identifier": self.identifier,
            "result_version": self.version,
            "changed_at": self.changed_at,
        }


def read_sql(file: Path) -> str:
    """Read the country's statement.

    :raises ResultSqlError: when the file is not there.
    """
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ResultSqlError(f"{file} cannot be read ({type(problem).__name__})") from None


class ResultsWriter:
    """Writes results into one registry; any database that SQLAlchemy speaks to will do.

    :param sql: the country's statement, with the parameters of :data:`NEEDED` and any of :data:`OPTIONAL`.
    :raises ResultSqlError: when the statement cannot be right, whatever the registry looks like.
    """

    def __init__(self, engine: Engine, sql: str) -> None:
        # In a comment a colon would begin a parameter, too.
        bare = "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--")).strip().rstrip(";")
        self._engine = engine
        self._statement = text(bare)
        self._names = _parameters_of(bare)
        self._is_rehearsed = False
        if bare[:6].upper() == "INSERT" and not _TOLERANT.search(bare):
            raise ResultSqlError(
                "the SQL for results would fail, or add a row, when a result comes a second time: write INSERT … ON "
                "CONFLICT … DO UPDATE … WHERE the stored result_version < the new one, or what your database has for it"
            )

    @property
    def takes_identifiers(self) -> bool:
        """Whether the country wants identifiers in its registry at all."""
        return "identifier" in self._names

    def write(self, results: Sequence[RegistryResult]) -> None:
        """Write a page; all of it or, if this raises, nothing.

        :raises RetryLater: when the registry is away.
        :raises ResultSqlError: when the registry does not know, or not allow, what the statement does.
        :raises ResultRefused: when it does not take one of the results; which one, it does not always say.
        """
        try:
            with self._engine.begin() as connection:
                for result in results:
                    self._write_one(connection, result)
        except (SQLAlchemyError, ValueError, TypeError) as problem:
            raise _failure(problem) from None

    def _write_one(self, connection: Connection, result: RegistryResult) -> None:
        values = {name: value for name, value in result.parameters().items() if name in self._names}
        connection.execute(self._statement, values)
        if not self._is_rehearsed:
            self._rehearse(connection, values)
            self._is_rehearsed = True

    def _rehearse(self, connection: Connection, values: dict[str, object]) -> None:
        """Write a result again in the transaction that wrote it: a second time must change nothing.

        A procedure does not say how many rows it changed, and MySQL counts rows that it left alone.
        """
        try:
            again = connection.execute(self._statement, values)
        except IntegrityError:
            raise ResultSqlError(
                "the SQL for results fails when a result comes a second time; it must then change nothing"
            ) from None
        counts = not again.returns_rows and connection.dialect.name not in _COUNTS_UNCHANGED_ROWS
        if counts and again.rowcount > 0:
            raise ResultSqlError(
                "the SQL for results changes a row when a result comes a second time; it must write only where the "
                "stored result_version is less than the new one"
            )


_TOLERANT = re.compile(r"\bCONFLICT\b|\bDUPLICATE\s+KEY\b|\bNOT\s+EXISTS\b", re.IGNORECASE)
_WRONG_SQL = frozenset({"0A", "25", "42"})
"""Classes of SQLSTATE: not supported, not in this transaction (a read-only one), syntax or access rule violated."""
_COUNTS_UNCHANGED_ROWS = frozenset({"mysql", "mariadb"})


def _parameters_of(sql: str) -> frozenset[str]:
    """Find the parameters of a statement, and refuse what is not as agreed."""
    try:
        names = frozenset(text(sql).compile().params)
    except (ArgumentError, SQLAlchemyError):
        raise ResultSqlError("the SQL for results is not one statement with named parameters") from None
    if missing := [f":{name}" for name in NEEDED if name not in names]:
        raise ResultSqlError(f"the SQL for results lacks {', '.join(missing)}")
    if unknown := sorted(f":{name}" for name in names - {*NEEDED, *OPTIONAL}):
        raise ResultSqlError(
            f"the SQL for results names {', '.join(unknown)}, which no result has. Write a colon that begins no "
            "parameter with a backslash before it"
        )
    return names


def _failure(problem: Exception) -> MosipCrvsError:
    """Tell what passes from what is wrong with the SQL, and that from what is wrong with one result.

    The driver's text is not passed on: it quotes values.
    """
    cause = getattr(problem, "orig", None) or problem
    name = type(cause).__name__
    if isinstance(problem, OperationalError | InterfaceError | TimeoutError) or (
        isinstance(problem, DBAPIError) and problem.connection_invalidated
    ):
        return RetryLater(f"the registry did not answer ({name})")
    # A trigger that refuses a row has a class of its own in the standard, but not in every driver.
    sqlstate = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    is_wrong = sqlstate[:2] in _WRONG_SQL if sqlstate else isinstance(problem, ProgrammingError | NotSupportedError)
    if is_wrong:
        return ResultSqlError(
            f"the registry refused the SQL for results ({name}): are its tables there, and may the role write to them?"
        )
    return ResultRefused(f"the registry did not take a result ({name})")
