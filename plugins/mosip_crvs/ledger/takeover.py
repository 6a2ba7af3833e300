"""Taking unsent applications over from sessions that are dead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, text

from mosip_crvs.ledger.relatives import NO_RELATIVE_ALIVE
from mosip_crvs.ledger.sessions import dead_sessions
from mosip_crvs.model import ApplicationState


@dataclass(slots=True)
class Taken:
    """What was taken over.

    :param states: the state of each, as it stood at the moment of taking.
    :param left_by: last signs of life of killed sessions among the former owners.
    """

    states: dict[str, ApplicationState] = field(default_factory=dict)
    left_by: list[datetime] = field(default_factory=list)


# The former owner is compared once more: between a look at an application and this statement, another task may have
# taken it over, sent it and ended. Then it is no longer as it was seen, and it is left alone.
_TAKE = text(
    f"""
    UPDATE applications a SET session_id = :session, held_code = NULL
      FROM unnest(CAST(:aids AS text[]), CAST(:owners AS int[])) AS seen (aid, owner)
     WHERE a.aid = seen.aid AND a.state IN ('AID_ASSIGNED', 'TRIGGERING')
       AND a.session_id IS NOT DISTINCT FROM seen.owner
       AND (a.supersedes IS NULL OR a.state = 'AID_ASSIGNED' OR {NO_RELATIVE_ALIVE})
    RETURNING a.aid, a.state
    """  # noqa: S608 (a constant)
)


def take_over(connection: Connection, session_id: int, owners: Mapping[str, int | None]) -> Taken:
    """Take over those applications whose owner is dead, and which still belong to it and are unsent.

    :param owners: by AID, the session that owned the application when it was looked at.
    """
    dead = dead_sessions(connection, {owner for owner in owners.values() if owner is not None})
    free = {aid: owner for aid, owner in owners.items() if owner is None or owner in dead}
    if not free:
        return Taken()
    rows = connection.execute(_TAKE, {"session": session_id, "aids": list(free), "owners": list(free.values())})
    states = {row.aid: ApplicationState(row.state) for row in rows}
    return Taken(states, [seen for seen in dead.values() if seen is not None] if states else [])
