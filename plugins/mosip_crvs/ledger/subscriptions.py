"""What we asked MOSIP's hub for, and what came of it."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.sealing import Seal

CALLBACK_PATH = "/websub/"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One topic at one callback URL; the hub knows us by both, byte for byte.

    :param sealed_secret: what the hub signs with, sealed.
    :param answered_at: the hub's last sign: a challenge, or a denial.
    """

    topic: str
    callback: str
    sealed_secret: bytes
    state: str
    requested_at: datetime
    verified_at: datetime | None
    answered_at: datetime | None
    reason: str | None

    @property
    def seconds_since_verified(self) -> float:
        """How long ago the hub last showed that it knows us; infinite if it never did, or denied us since."""
        if self.state != "verified" or self.verified_at is None:
            return math.inf
        return (datetime.now(UTC) - self.verified_at).total_seconds()


def request(engine: Engine, seal: Seal, topic: str, receiver_url: str) -> Subscription:
    """Note that we are about to ask for a topic; from now on the receiver may answer the hub's challenge.

    A hub knows a subscriber by its callback and goes on signing with the first secret that it was given for it. So both
    are made once for each ledger, with a part that nobody can guess, and stay the same ever after.

    :param receiver_url: where the hub reaches the receiver; the callback is a path below it.
    """
    base = receiver_url.rstrip("/") + CALLBACK_PATH
    with transaction(engine) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:topic))"), {"topic": topic})
        callback = connection.execute(
            text("SELECT callback FROM subscriptions WHERE topic = :topic AND starts_with(callback, :base)"),
            {"topic": topic, "base": base},
        ).scalar_one_or_none()
        if callback is None:
            connection.execute(
                text(
                    "INSERT INTO subscriptions (topic, callback, sealed_secret, state) "
                    "VALUES (:topic, :callback, :secret, 'requested')"
                ),
                {
                    "topic": topic,
                    "callback": (callback := base + secrets.token_hex(16)),
                    "secret": seal.close(secrets.token_urlsafe(32)),
                },
            )
        else:
            connection.execute(
                text(
                    "UPDATE subscriptions SET requested_at = clock_timestamp() "
                    "WHERE topic = :topic AND callback = :callback"
                ),
                {"topic": topic, "callback": callback},
            )
    found = find(engine, topic, callback)
    assert found is not None, "it was written above"
    return found


def find(engine: Engine, topic: str, callback: str) -> Subscription | None:
    """Look one subscription up."""
    return next((s for s in every(engine) if s.topic == topic and s.callback == callback), None)


def latest(engine: Engine, topic: str, receiver_url: str) -> Subscription | None:
    """Find the subscription to a topic at one receiver."""
    base = receiver_url.rstrip("/") + CALLBACK_PATH
    return next((s for s in every(engine) if s.topic == topic and s.callback.startswith(base)), None)


def every(engine: Engine) -> list[Subscription]:
    """Give all subscriptions; there are a handful."""
    with transaction(engine) as connection:
        rows = connection.execute(
            text(
                "SELECT topic, callback, sealed_secret, state, requested_at, verified_at, answered_at, reason "
                "FROM subscriptions"
            )
        )
        return [
            Subscription(
                row.topic,
                row.callback,
                bytes(row.sealed_secret),
                row.state,
                row.requested_at,
                row.verified_at,
                row.answered_at,
                row.reason,
            )
            for row in rows
        ]


def answer(engine: Engine, topic: str, callback: str, state: str, reason: str | None = None) -> None:
    """Note the hub's sign: ``verified`` (it challenged us, or says that we are registered) or ``denied``."""
    with transaction(engine) as connection:
        connection.execute(
            text(
                """
                UPDATE subscriptions SET state = :state, reason = :reason, answered_at = clock_timestamp(),
                       verified_at = CASE WHEN :state = 'verified' THEN clock_timestamp() ELSE verified_at END
                 WHERE topic = :topic AND callback = :callback
                """
            ),
            {"topic": topic, "callback": callback, "state": state, "reason": reason},
        )
