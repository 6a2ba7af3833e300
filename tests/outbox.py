"""Applications and what is posted of them, for the tests of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from mosip_crvs.ledger import results
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.model import EventKey, Finding, RegistrationKind

BIRTH = RegistrationKind.BIRTH


def aid(number: int) -> str:
    """Give an AID."""
    return f"1000110077{number:05d}20260314010203"


def key(number: int) -> EventKey:
    """Give the event that an application of this number is of, unless told otherwise."""
    return EventKey(f"B-{number}")


@dataclass(frozen=True)
class Outbox:
    """A ledger, seen from its outbox."""

    ledger: Engine

    def run(self, statement: str, **values: Any) -> Any:
        """Run one statement in a transaction of its own; give its rows, if it has any."""
        with transaction(self.ledger) as connection:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else result.rowcount

    def apply(self, number: int, state: str, of: int | None = None) -> str:
        """Make an application current for its event, in the place of any other."""
        event = key(number if of is None else of)
        self.run("UPDATE applications SET is_current = false WHERE registration_id = :id", id=event.registration_id)
        self.run(
            "WITH batch AS (INSERT INTO batches (kind, day, window_start, window_end, run_label) "
            "VALUES ('birth', '2026-03-14', now(), now(), 'a test') RETURNING batch_id) "
            "INSERT INTO applications (kind, registration_id, act, act_number, aid, batch_id, state) "
            "SELECT 'birth', :id, 'register', 1, :aid, batch_id, :state FROM batch",
            id=event.registration_id,
            aid=aid(number),
            state=state,
        )
        return aid(number)

    def move(self, number: int, state: str) -> None:
        """Set an application's state, and post it."""
        self.run("UPDATE applications SET state = :state WHERE aid = :aid", aid=aid(number), state=state)
        self.post(number)

    def say(self, number: int, kind: str, code: str | None) -> None:
        """Add evidence."""
        self.run(
            "INSERT INTO evidence (aid, sequence, kind, source, code, body_sha256, moved_from, moved_to, received_at, "
            "link) SELECT :aid, count(*) + 1, :kind, 'a test', :code, 'digest ' || count(*), 'TRIGGERED', 'FAILED', "
            "now(), '' FROM evidence WHERE aid = :aid",
            aid=aid(number),
            kind=kind,
            code=code,
        )

    def post(self, *numbers: int) -> None:
        """Post the states of applications."""
        with transaction(self.ledger) as connection:
            results.post_states(connection, [aid(number) for number in numbers])

    def find(self, number: int, *rules: str, field: str = "dateOfBirth") -> None:
        """Quarantine an event, and post why."""
        self.run(
            "INSERT INTO quarantine (kind, registration_id, act, act_number, field, rule, batch_id) "
            "VALUES ('birth', :id, 'register', 1, :field, :rule, 1) "
            "ON CONFLICT ON CONSTRAINT finding_once DO UPDATE SET resolved_at = NULL",
            id=key(number).registration_id,
            field=field,
            rule=rules[0],
        )
        with transaction(self.ledger) as connection:
            findings = {key(number): [Finding(field, rule) for rule in rules]}
            results.post_quarantine(connection, BIRTH, findings, ())

    def release(self, *numbers: int) -> None:
        """Resolve the findings of events, and post that nothing stands against them any more."""
        ids = [key(number).registration_id for number in numbers]
        self.run("UPDATE quarantine SET resolved_at = now() WHERE registration_id = ANY(:ids)", ids=ids)
        with transaction(self.ledger) as connection:
            results.post_quarantine(connection, BIRTH, {}, [key(number) for number in numbers])

    def issue(self, number: int, sealed: bytes, kind: str = "PSUT") -> bool:
        """Post an identifier."""
        with transaction(self.ledger) as connection:
            return results.post_identifier(connection, aid(number), kind, sealed)

    def told(self, number: int) -> tuple[Any, ...] | None:
        """Give outcome, code, AID and version of what is posted of an event."""
        rows = self.rows("registration_id = :id", id=key(number).registration_id)
        return (rows[0].outcome, rows[0].code, rows[0].aid, rows[0].version) if rows else None

    def rows(self, where: str = "true", **values: Any) -> Sequence[Any]:
        """Give rows of the outbox."""
        found: Sequence[Any] = self.run(f"SELECT * FROM results WHERE {where} ORDER BY registration_id", **values)
        return found
