"""What has arrived and what has not: answers, credentials, results in the registry. Counts only."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy
from sqlalchemy import text

from mosip_crvs.ledger.schema import applications
from mosip_crvs.reconciliation.balance import open_applications


@dataclass(frozen=True)
class Waiting:
    """What is still on its way; false when nothing is.

    :param applications: that MOSIP has not spoken about.
    :param credentials: that were announced and are not done with, and notifications that nobody has read.
    :param results: that the registry has not been told.
    """

    applications: int = 0
    credentials: int = 0
    results: int = 0

    def __bool__(self) -> bool:
        return bool(self.applications or self.credentials or self.results)

    def __str__(self) -> str:
        parts = [
            f"{number} {name}"
            for number, name in (
                (self.applications, "application(s) at MOSIP"),
                (self.credentials, "credential(s) or notification(s)"),
                (self.results, "result(s) for the registry"),
            )
            if number
        ]
        return ", ".join(parts) or "nothing"


@dataclass(frozen=True)
class InRegistry:
    """What the registry was told."""

    results: int
    identifiers: int
    updates_required: int
    information_required: int

    def __str__(self) -> str:
        more = f", {self.information_required} information required" if self.information_required else ""
        return (
            f"{self.results} results, {self.identifiers} with an identifier, {self.updates_required} updates required"
            f"{more}"
        )


def waiting(ledger: sqlalchemy.Engine) -> Waiting:
    """Count what is still on its way."""
    with ledger.connect() as connection:
        row = connection.execute(_WAITING).one()
    return Waiting(open_applications(ledger), row.credentials + row.notifications, row.results)


def by_state(ledger: sqlalchemy.Engine) -> dict[str, int]:
    """Count the applications of the whole ledger by state; completed births as ``births`` besides."""
    grouped = sqlalchemy.select(
        applications.c.state, applications.c.kind, sqlalchemy.func.count().label("number")
    ).group_by(applications.c.state, applications.c.kind)
    found: dict[str, int] = {}
    with ledger.connect() as connection:
        for row in connection.execute(grouped):
            found[row.state] = found.get(row.state, 0) + row.number
            if (row.state, row.kind) == ("COMPLETED", "birth"):
                found["births"] = row.number
    return found


def settled_by(ledger: sqlalchemy.Engine) -> dict[str, int]:
    """Count the applications by what first said what became of them: ``events``, or ``polling``."""
    with ledger.connect() as connection:
        found = {row.way: row.number for row in connection.execute(_SETTLED_BY)}
    return {way: found.get(way, 0) for way in ("events", "polling")}


def credentials_taken(ledger: sqlalchemy.Engine) -> int:
    """Count the credentials that were opened and of which MOSIP was told so."""
    with ledger.connect() as connection:
        return int(connection.execute(text(_TAKEN)).scalar_one())


def in_registry(url: str) -> InRegistry:
    """Look into the registry's own table."""
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=1)
    try:
        with engine.connect() as connection:
            return InRegistry(*connection.execute(_IN_REGISTRY).one())
    finally:
        engine.dispose()


# What was refused, or cannot be had any more, has no next try.
_WAITING = text(
    """
    SELECT (SELECT count(*) FROM credentials WHERE next_try_at IS NOT NULL) AS credentials,
           (SELECT count(*) FROM inbox WHERE state = 'new') AS notifications,
           (SELECT count(*) FROM results WHERE delivered_version < version) AS results
    """
)

_SETTLED_BY = text(
    """
    SELECT CASE WHEN source IN ('externalstatus', 'credentialrequest') THEN 'polling' ELSE 'events' END AS way,
           count(*) AS number
      FROM (SELECT DISTINCT ON (aid) aid, source FROM evidence
             WHERE moved_to IN ('COMPLETED', 'REJECTED', 'FAILED', 'AWAITING_INFO') AND moved_from <> moved_to
             ORDER BY aid, sequence) AS first_word
     GROUP BY 1
    """
)

_TAKEN = "SELECT count(*) FROM credentials WHERE state = 'acknowledged' AND opened_at IS NOT NULL"

_IN_REGISTRY = text(
    """
    SELECT count(*), count(identifier), count(*) FILTER (WHERE outcome = 'updates_required'),
           count(*) FILTER (WHERE outcome = 'information_required')
      FROM crvs.mosip_results
    """
)
