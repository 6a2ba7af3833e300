"""The inbox: notifications, durable before they are answered and given meaning later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from mosip_crvs.ledger.connection import transaction

STORE = text(
    """
    INSERT INTO inbox (topic, body, body_sha256)
    SELECT topic, body, digest
      FROM unnest(CAST(:topics AS text[]), CAST(:bodies AS bytea[]), CAST(:digests AS text[]))
        AS post (topic, body, digest)
    """
)

REFUSE = text(
    """
    INSERT INTO refused_deliveries (topic, reason, body_bytes, body_sha256)
    SELECT :topic, :reason, :body_bytes, :body_sha256
     WHERE (SELECT count(*) FROM refused_deliveries WHERE received_at > now() - interval '1 minute') < :most_a_minute
    """
)


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One notification as received."""

    inbox_id: int
    topic: str
    body: bytes
    body_sha256: str
    received_at: datetime


def newest_waiting(engine: Engine) -> tuple[int, int]:
    """Give the number of the newest notification that nobody has looked at yet, and how many there are; 0 for none."""
    with transaction(engine) as connection:
        row = connection.execute(
            text("SELECT coalesce(max(inbox_id), 0) AS newest, count(*) AS waiting FROM inbox WHERE state = 'new'")
        ).one()
    return row.newest, row.waiting


def take_page(connection: Connection, states: Sequence[str], after_id: int, size: int) -> list[InboxRow]:
    """Lock the next notifications of some states; another run that is at them skips to others."""
    rows = connection.execute(
        text(
            "SELECT inbox_id, topic, body, body_sha256, received_at FROM inbox "
            "WHERE state = ANY(:states) AND inbox_id > :after ORDER BY inbox_id LIMIT :size FOR UPDATE SKIP LOCKED"
        ),
        {"states": list(states), "after": after_id, "size": size},
    )
    return [InboxRow(row.inbox_id, row.topic, bytes(row.body), row.body_sha256, row.received_at) for row in rows]


def count_parked(connection: Connection) -> int:
    """Count the notifications about applications that could be ours and that nobody here knows."""
    return int(connection.execute(text("SELECT count(*) FROM inbox WHERE state = 'parked'")).scalar_one())


def close(connection: Connection, states: Mapping[int, str], problems: Mapping[int, str]) -> None:
    """Note what became of notifications. The body of a foreign one is erased: it names somebody else's application."""
    if not states:
        return
    connection.execute(
        text(
            """
            UPDATE inbox SET state = said.state, problem = said.problem, processed_at = now(),
                   body = CASE WHEN said.state = 'foreign' THEN NULL ELSE body END
              FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:problems AS text[]))
                AS said (id, state, problem)
             WHERE inbox.inbox_id = said.id
            """
        ),
        {
            "ids": list(states),
            "states": list(states.values()),
            "problems": [problems.get(inbox_id) for inbox_id in states],
        },
    )
