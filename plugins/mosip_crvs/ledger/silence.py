"""Whether a subscription that looks healthy is silent: results exist that the hub should have announced, and did not.

A hub that calls us registered may have stopped delivering (``mosip-events.md`` §1.5). What proves it is MOSIP itself:
asked for the status, it says that an application was completed, and no notification ever said so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import transaction

GRACE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Silence:
    """What was not announced.

    :param applications: that MOSIP called completed when asked, though no notification of the topic ever came of them
        and none at all since.
    :param newest_at: when the last of them was found completed; at least the grace ago.
    :param last_event_at: when the topic was last heard of, None for never.
    :param refused: deliveries of the topic since then that were not believed.
    """

    applications: int
    newest_at: datetime
    last_event_at: datetime | None
    refused: int


def look(engine: Engine, topic: str, grace: timedelta = GRACE) -> Silence | None:
    """Look for silence on a topic; None when nothing speaks for it.

    Only completed applications count: MOSIP never announces some of those that fail (§2.1). While notifications of the
    topic wait in the inbox, nothing is concluded.

    :param grace: what a notification may take to arrive after MOSIP has answered that the application is completed.
    """
    with transaction(engine) as connection:
        row = connection.execute(_LOOK, {"topic": topic, "grace": grace}).one()
    if not row.applications or row.waiting:
        return None
    return Silence(row.applications, row.newest_at, row.last_event_at, row.refused)


_LOOK = text(
    """
    WITH heard AS (SELECT max(received_at) AS last_at FROM inbox WHERE topic = :topic)
    SELECT count(DISTINCT e.aid) AS applications, max(e.received_at) AS newest_at,
           (SELECT last_at FROM heard) AS last_event_at,
           EXISTS (SELECT FROM inbox WHERE topic = :topic AND state = 'new') AS waiting,
           (SELECT count(*) FROM refused_deliveries r
             WHERE r.topic = :topic AND r.received_at > coalesce((SELECT last_at FROM heard), '-infinity')) AS refused
      FROM evidence e
     WHERE e.source = 'externalstatus' AND e.moved_to = 'COMPLETED' AND e.moved_from <> 'COMPLETED'
       AND e.received_at > coalesce((SELECT last_at FROM heard), '-infinity')
       AND e.received_at < now() - CAST(:grace AS interval)
       AND NOT EXISTS (SELECT FROM evidence told WHERE told.aid = e.aid AND told.source = :topic)
    """
)
