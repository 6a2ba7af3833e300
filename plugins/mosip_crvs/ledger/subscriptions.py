"""What we asked MOSIP's hub for, and what came of it.

A topic has one callback at a receiver, and two while its secret is being changed: the hub knows a subscriber by the
callback, byte for byte, and goes on signing with the first secret that it was given for it (``mosip-events.md`` §1.7).
So a new secret needs a new callback, and the old one retires when the new one has taken over.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from mosip_crvs.ledger import handshakes
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.handshakes import Step
from mosip_crvs.ledger.sealing import Seal

CALLBACK_PATH = "/websub/"
UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One topic at one callback URL; the hub knows us by both, byte for byte.

    :param sealed_secret: what the hub signs with, sealed.
    :param answered_at: the hub's last sign: a challenge, or a denial.
    :param reason: the hub's words in its last sign; of a challenge, none.
    :param retiring_at: since when another callback is to take over.
    :param unsubscribing_at: when we last asked the hub to forget it.
    :param delivered_at: when a delivery was last believed, give or take a second; :param refused_at: when not.
    """

    topic: str
    callback: str
    sealed_secret: bytes
    state: str
    requested_at: datetime
    verified_at: datetime | None
    answered_at: datetime | None
    reason: str | None
    retiring_at: datetime | None = None
    unsubscribing_at: datetime | None = None
    delivered_at: datetime | None = None
    refused_at: datetime | None = None

    @property
    def seconds_since_verified(self) -> float:
        """How long ago the hub last showed that it knows us; infinite if it never did, or denied us since."""
        if self.state != "verified" or self.verified_at is None:
            return math.inf
        return (datetime.now(UTC) - self.verified_at).total_seconds()

    @property
    def is_retiring(self) -> bool:
        """Whether the hub is still to forget it."""
        if self.retiring_at is None:
            return False
        if self.state != "ended" or self.unsubscribing_at is None:
            return True
        return self.refused_at is not None and self.refused_at > self.unsubscribing_at

    @property
    def receiver_url(self) -> str:
        """Where the receiver is, of which this is a callback."""
        return self.callback.rpartition(CALLBACK_PATH)[0]

    @property
    def token(self) -> str:
        """The part of the callback that nobody can guess."""
        return self.callback.rpartition(CALLBACK_PATH)[2]


def request(engine: Engine, seal: Seal, topic: str, receiver_url: str) -> Subscription:
    """Note that we are about to ask for a topic; from now on the receiver may answer the hub's challenge.

    Callback and secret are made once, with a part that nobody can guess, and stay the same until they are succeeded.

    :param receiver_url: where the hub reaches the receiver; the callback is a path below it.
    """
    with transaction(engine) as connection:
        _lock(connection, topic)
        callback = _current(connection, topic, receiver_url)
        if callback is None:
            callback = _insert(connection, seal, topic, receiver_url)
        else:
            connection.execute(_ASK_AGAIN, {"topic": topic, "callback": callback})
        handshakes.note(connection, topic, callback, Step.ASKED)
    return _must_find(engine, topic, callback)


def ask_again(engine: Engine, topic: str, callback: str) -> Subscription:
    """Note that we are about to ask for a known subscription again."""
    with transaction(engine) as connection:
        connection.execute(_ASK_AGAIN, {"topic": topic, "callback": callback})
        handshakes.note(connection, topic, callback, Step.ASKED)
    return _must_find(engine, topic, callback)


def succeed(
    engine: Engine, seal: Seal, topic: str, receiver_url: str, *, unless_since: datetime | None = None
) -> Subscription | None:
    """Put a second callback with a new secret beside the present one, which retires from now on.

    :param unless_since: do nothing when a rotation was begun after this moment: it is the one that is meant.
    :return: the successor; None when one is on its way or nothing is there to succeed.
    """
    with transaction(engine) as connection:
        _lock(connection, topic)
        old = _current(connection, topic, receiver_url)
        values = {"topic": topic, "base": _base(receiver_url), "since": unless_since}
        if old is None or connection.execute(_SUCCEEDED, values).scalar_one():
            return None
        connection.execute(
            text(
                "UPDATE subscriptions SET retiring_at = clock_timestamp() WHERE topic = :topic AND callback = :callback"
            ),
            {"topic": topic, "callback": old},
        )
        callback = _insert(connection, seal, topic, receiver_url)
    return _must_find(engine, topic, callback)


def ask_to_end(engine: Engine, topic: str, callback: str) -> Subscription:
    """Note that we are about to ask the hub to forget a callback; only now may the receiver confirm that."""
    with transaction(engine) as connection:
        connection.execute(
            text(
                "UPDATE subscriptions SET unsubscribing_at = clock_timestamp() "
                "WHERE topic = :topic AND callback = :callback"
            ),
            {"topic": topic, "callback": callback},
        )
        handshakes.note(connection, topic, callback, Step.ASKED, UNSUBSCRIBE)
    return _must_find(engine, topic, callback)


def find(engine: Engine, topic: str, callback: str) -> Subscription | None:
    """Look one subscription up."""
    return next((s for s in every(engine) if s.topic == topic and s.callback == callback), None)


def current(engine: Engine, topic: str, receiver_url: str) -> Subscription | None:
    """Find the subscription to a topic that is not about to be replaced."""
    return next((s for s in _living(engine, topic, receiver_url) if s.retiring_at is None), None)


def latest(engine: Engine, topic: str, receiver_url: str) -> Subscription | None:
    """Find the subscription to a topic at one receiver; of two, the one that the hub knows, and then the newer."""
    found = _living(engine, topic, receiver_url)
    return min(found, key=lambda s: (s.state != "verified", s.retiring_at is not None), default=None)


def retiring(engine: Engine) -> list[Subscription]:
    """Give the callbacks whose successors are not through with taking over, the oldest first.

    One that ended, and to which the hub goes on delivering, has not ended for the hub.
    """
    return sorted((s for s in every(engine) if s.is_retiring), key=lambda s: s.retiring_at or s.requested_at)


def last_rotation(engine: Engine, topic: str) -> datetime | None:
    """Say when a topic's callback was last begun to be replaced."""
    return max((s.retiring_at for s in every(engine) if s.topic == topic and s.retiring_at is not None), default=None)


def every(engine: Engine) -> list[Subscription]:
    """Give all subscriptions; there are a handful."""
    with transaction(engine) as connection:
        return [_read(row) for row in connection.execute(_EVERY)]


def answer(engine: Engine, topic: str, callback: str, state: str, reason: str | None = None) -> None:
    """Note the hub's sign: ``verified`` (it challenged us, or says that we are registered), ``denied``, or ``ended``.

    :param reason: the hub's words in a denial; None for a challenge.
    """
    with transaction(engine) as connection:
        changed = connection.execute(
            _ANSWER, {"topic": topic, "callback": callback, "state": state, "reason": reason}
        ).rowcount
        if not changed:
            return
        for step in _steps(state, reason):
            handshakes.note(connection, topic, callback, step, reason)


def delivered(engine: Engine, topic: str, callback: str, *, believed: bool) -> None:
    """Note that a delivery came to a callback."""
    column = "delivered_at" if believed else "refused_at"
    with transaction(engine) as connection:
        connection.execute(
            text(
                f"UPDATE subscriptions SET {column} = clock_timestamp() "  # noqa: S608 - one of two names above
                "WHERE topic = :topic AND callback = :callback"
            ),
            {"topic": topic, "callback": callback},
        )


def _steps(state: str, reason: str | None) -> tuple[Step, ...]:
    """Say what a sign of the hub is in the record: a challenge comes first, and then what we made of it."""
    if state == "denied":
        return (Step.DENIED,)
    if state == "ended":
        return (Step.UNSUBSCRIBED,) if reason else (Step.CHALLENGED, Step.UNSUBSCRIBED)
    return (Step.ALREADY_REGISTERED,) if reason else (Step.CHALLENGED, Step.VERIFIED)


def _living(engine: Engine, topic: str, receiver_url: str) -> list[Subscription]:
    base = _base(receiver_url)
    return [s for s in every(engine) if s.topic == topic and s.callback.startswith(base) and s.state != "ended"]


def _base(receiver_url: str) -> str:
    return receiver_url.rstrip("/") + CALLBACK_PATH


def _lock(connection: Connection, topic: str) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:topic))"), {"topic": topic})


def _current(connection: Connection, topic: str, receiver_url: str) -> str | None:
    callback: str | None = connection.execute(
        text(
            "SELECT callback FROM subscriptions WHERE topic = :topic AND starts_with(callback, :base) "
            "AND retiring_at IS NULL AND state <> 'ended'"
        ),
        {"topic": topic, "base": _base(receiver_url)},
    ).scalar_one_or_none()
    return callback


def _insert(connection: Connection, seal: Seal, topic: str, receiver_url: str) -> str:
    callback = _base(receiver_url) + secrets.token_hex(16)
    connection.execute(
        text(
            "INSERT INTO subscriptions (topic, callback, sealed_secret, state) "
            "VALUES (:topic, :callback, :secret, 'requested')"
        ),
        {"topic": topic, "callback": callback, "secret": seal.close(secrets.token_urlsafe(32))},
    )
    return callback


def _must_find(engine: Engine, topic: str, callback: str) -> Subscription:
    found = find(engine, topic, callback)
    assert found is not None, "it was written a moment ago"
    return found


_COLUMNS = (
    "topic, callback, sealed_secret, state, requested_at, verified_at, answered_at, reason, retiring_at, "
    "unsubscribing_at, delivered_at, refused_at"
)
_EVERY = text(f"SELECT {_COLUMNS} FROM subscriptions")  # noqa: S608 - names from above


def _read(row: Row[Any]) -> Subscription:
    return Subscription(**{**row._mapping, "sealed_secret": bytes(row.sealed_secret)})


_ASK_AGAIN = text(
    "UPDATE subscriptions SET requested_at = clock_timestamp() WHERE topic = :topic AND callback = :callback"
)

_ANSWER = text(
    """
    UPDATE subscriptions SET state = :state, reason = :reason, answered_at = clock_timestamp(),
           verified_at = CASE WHEN :state = 'verified' THEN clock_timestamp() ELSE verified_at END
     WHERE topic = :topic AND callback = :callback AND state <> 'ended'
    """
)

_SUCCEEDED = text(
    """
    SELECT EXISTS (
        SELECT FROM subscriptions
         WHERE topic = :topic AND starts_with(callback, :base) AND retiring_at IS NOT NULL
           AND (state <> 'ended' OR retiring_at >= CAST(:since AS timestamptz)))
    """
)
