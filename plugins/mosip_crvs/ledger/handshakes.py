"""Every step of our dealings with MOSIP's hub, ours and the receiver's: to be read when results stay away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Engine, text

from mosip_crvs.ledger.connection import transaction

KEPT_FOR = timedelta(days=30)
MOST_UNANSWERED_A_MINUTE = 60
_LONGEST_REASON = 200


class Step(StrEnum):
    """What happened (``mosip-events.md`` §1.3 to §1.5)."""

    ASKED = "asked"
    """We are about to ask the hub; the reason is ``unsubscribe`` when that is what we ask."""
    ACCEPTED = "accepted"
    """The hub took the request, which means nothing yet."""
    CHALLENGED = "challenged"
    """The hub asked back; with a reason when we did not answer it."""
    VERIFIED = "verified"
    """We confirmed a subscription."""
    ALREADY_REGISTERED = "already_registered"
    """The hub holds this subscription. That it delivers is not said."""
    DENIED = "denied"
    NOT_AUTHORIZED = "not_authorized"
    UNAVAILABLE = "unavailable"
    UNSUBSCRIBED = "unsubscribed"
    """We confirmed the end of a subscription, or the hub did not know it."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """One step."""

    topic: str
    callback: str
    step: Step
    reason: str | None
    at: datetime


def note(connection: Connection, topic: str, callback: str, step: Step, reason: str | None = None) -> None:
    """Record a step."""
    connection.execute(_NOTE, _row(topic, callback, step, reason))


def note_unanswered(engine: Engine, topic: str, callback: str, reason: str) -> None:
    """Record a challenge that was left unanswered; not more of them than so many a minute."""
    row = _row(topic, callback, Step.CHALLENGED, reason)
    with transaction(engine) as connection:
        connection.execute(_NOTE_UNANSWERED, row | {"most": MOST_UNANSWERED_A_MINUTE})


def known_since(engine: Engine, topic: str, callback: str) -> datetime | None:
    """Say when the hub first showed that it knows a callback, as far back as steps are kept."""
    with transaction(engine) as connection:
        found: datetime | None = connection.execute(
            text(
                "SELECT min(at) FROM handshakes WHERE topic = :topic AND callback = :callback "
                "AND step IN ('verified', 'already_registered')"
            ),
            {"topic": topic, "callback": callback},
        ).scalar_one()
    return found


def history(engine: Engine, topic: str) -> list[Handshake]:
    """Give the steps of a topic, oldest first."""
    with transaction(engine) as connection:
        rows = connection.execute(
            text("SELECT topic, callback, step, reason, at FROM handshakes WHERE topic = :topic ORDER BY handshake_id"),
            {"topic": topic},
        )
        return [Handshake(row.topic, row.callback, Step(row.step), row.reason, row.at) for row in rows]


def prune(engine: Engine, kept_for: timedelta = KEPT_FOR) -> int:
    """Forget old steps; gives how many."""
    with transaction(engine) as connection:
        return int(
            connection.execute(
                text("DELETE FROM handshakes WHERE at < clock_timestamp() - :kept_for"), {"kept_for": kept_for}
            ).rowcount
        )


def _row(topic: str, callback: str, step: Step, reason: str | None) -> dict[str, str | None]:
    return {"topic": topic, "callback": callback, "step": step, "reason": reason and reason[:_LONGEST_REASON]}


_NOTE = text("INSERT INTO handshakes (topic, callback, step, reason) VALUES (:topic, :callback, :step, :reason)")

_NOTE_UNANSWERED = text(
    """
    INSERT INTO handshakes (topic, callback, step, reason)
    SELECT :topic, :callback, :step, :reason
     WHERE (SELECT count(*) FROM handshakes WHERE topic = :topic AND at > clock_timestamp() - interval '1 minute')
           < :most
    """
)
