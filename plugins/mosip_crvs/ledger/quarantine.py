"""Why events were not sent: findings, kept without any personal value until the registry is corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from mosip_crvs.ledger.keys import key_arrays
from mosip_crvs.model import EventKey, Finding, RegistrationKind

_RECORD = text(
    """
    INSERT INTO quarantine (kind, registration_id, act, act_number, field, rule, batch_id)
    SELECT DISTINCT :kind, id, act, number, field, rule, CAST(:batch_id AS bigint)
      FROM unnest(
           CAST(:ids AS text[]), CAST(:acts AS text[]), CAST(:numbers AS int[]), CAST(:fields AS text[]),
           CAST(:rules AS text[])
      ) AS finding (id, act, number, field, rule)
    ON CONFLICT ON CONSTRAINT finding_once DO UPDATE
       SET last_seen_at = now(), resolved_at = NULL, batch_id = EXCLUDED.batch_id
    """
)

# A finding that the last reading did not repeat is resolved, be it because the event is now clean or because something
# else is wrong with it.
_RESOLVE = text(
    """
    UPDATE quarantine q SET resolved_at = now()
      FROM unnest(CAST(:ids AS text[]), CAST(:acts AS text[]), CAST(:numbers AS int[])) AS read (id, act, number)
     WHERE q.kind = :kind AND q.registration_id = read.id AND q.act = read.act AND q.act_number = read.number
       AND q.resolved_at IS NULL AND q.last_seen_at < now()
    """
)


def record(
    connection: Connection, kind: RegistrationKind, batch_id: int, findings: Mapping[EventKey, Sequence[Finding]]
) -> None:
    """Keep the findings of a page."""
    flat = [(key, finding) for key, found in findings.items() for finding in found]
    if flat:
        connection.execute(
            _RECORD,
            {
                "kind": str(kind),
                "batch_id": batch_id,
                "fields": [finding.field for _, finding in flat],
                "rules": [finding.rule for _, finding in flat],
                **key_arrays([key for key, _ in flat]),
            },
        )


def resolve(connection: Connection, kind: RegistrationKind, keys: Sequence[EventKey]) -> None:
    """Close the findings of events that this transaction did not find again. Record first, then resolve."""
    if keys:
        connection.execute(_RESOLVE, {"kind": str(kind), **key_arrays(keys)})
