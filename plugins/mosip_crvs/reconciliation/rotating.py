"""Changing a topic's callback and secret without a gap (``mosip-events.md`` §1.7).

Unsubscribing and subscribing anew would lose what is published in between. So a second callback with a new secret is
put beside the old one, both deliver, and the old one is ended when the new one has shown that it is at work; what comes
twice is one notification to the inbox. Everything is in the ledger: whoever comes next goes on where the last one fell.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.ledger import alarms, handshakes, subscriptions
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.subscriptions import Subscription
from mosip_crvs.reconciliation.asking import (
    VERIFY_SECONDS,
    Dealings,
    ask,
    ask_to_end,
    receiver_of,
    wait_for_end,
    wait_for_signs,
)
from mosip_crvs.reconciliation.topics import Topic

STALLED = "rotation_stalled"
"""The alarm when a callback could not be replaced for a day."""
_STALLED_AFTER = timedelta(days=1)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a rotation waits, in seconds.

    :param verify: for a sign of the hub.
    :param least_overlap: that both callbacks deliver in any case: the hub begins up to 20 seconds after it verified us,
        and what it still owed to the old callback is to come.
    :param most_overlap: after which the new callback is believed to be at work though nothing was published.
    """

    verify: float = VERIFY_SECONDS
    least_overlap: float = 60.0
    most_overlap: float = 900.0


class Stage(StrEnum):
    """How far a rotation has come."""

    NOTHING = "nothing"
    """There is nothing to replace."""
    UNVERIFIED = "unverified"
    """The hub has not verified the new callback yet."""
    OVERLAPPING = "overlapping"
    """Both deliver, and the new one has not shown itself yet."""
    ENDING = "ending"
    """The hub was asked to forget the old one and has not said that it did."""
    DONE = "done"


def rotate(
    dealings: Dealings, topic: Topic, *, unless_since: datetime | None = None, patience: Patience | None = None
) -> Stage:
    """Begin to replace a topic's callback, or go on with it; safe to kill and to repeat at any step.

    :param unless_since: begin none when one was begun after this moment: a task that is tried again must not begin a
        second one.
    """
    receiver_url = receiver_of(dealings.settings)
    subscriptions.succeed(dealings.ledger, dealings.seal, topic.name, receiver_url, unless_since=unless_since)
    stages = [
        advance(dealings, topic, old, patience)
        for old in subscriptions.retiring(dealings.ledger)
        if old.topic == topic.name
    ]
    if stages:
        return stages[-1]
    return Stage.DONE if subscriptions.last_rotation(dealings.ledger, topic.name) else Stage.NOTHING


def advance(dealings: Dealings, topic: Topic, old: Subscription, patience: Patience | None = None) -> Stage:
    """Take a rotation as far as it will go now.

    :param old: the callback that retires.
    """
    patience = patience or Patience()
    stage = _advance(dealings, topic, old, patience)
    assert old.retiring_at is not None, "only a retiring callback is replaced"
    with transaction(dealings.ledger) as connection:
        if stage is Stage.DONE:
            alarms.clear(connection, STALLED, topic.name)
        elif datetime.now(UTC) - old.retiring_at > _STALLED_AFTER:
            alarms.raise_alarm(connection, STALLED, topic.name, details=f"the rotation stands at: {stage}")
    log.info("Rotation of the callback for %s: %s", topic.name, stage)
    return stage


def _advance(dealings: Dealings, topic: Topic, old: Subscription, patience: Patience) -> Stage:
    if old.unsubscribing_at is None:
        new = subscriptions.current(dealings.ledger, topic.name, old.receiver_url)
        if new is None or not _is_verified(dealings, topic, new, patience):
            return Stage.UNVERIFIED
        if not _has_taken_over(dealings, new, patience):
            return Stage.OVERLAPPING
    try:
        asked = ask_to_end(dealings, topic, old.callback)
    except (MosipRefused, MosipUnavailable) as problem:
        log.warning("The hub was not asked to end the old callback for %s: %s", topic.name, problem)
        return Stage.ENDING
    return Stage.DONE if wait_for_end(dealings.ledger, asked, patience.verify) else Stage.ENDING


def _is_verified(dealings: Dealings, topic: Topic, new: Subscription, patience: Patience) -> bool:
    """Say whether the hub has verified the new callback; ask it to, if it has not."""
    if new.state == "verified":
        return True
    asked = subscriptions.ask_again(dealings.ledger, topic.name, new.callback)
    try:
        ask(dealings, topic, asked)
    except (MosipRefused, MosipUnavailable) as problem:
        log.warning("The hub was not asked for the new callback of %s: %s", topic.name, problem)
        return False
    return wait_for_signs(dealings.ledger, [asked], patience.verify)[asked.callback].is_known


def _has_taken_over(dealings: Dealings, new: Subscription, patience: Patience) -> bool:
    """Say whether the new callback is at work: it has delivered, or it had long enough and nothing is against it."""
    new = subscriptions.find(dealings.ledger, new.topic, new.callback) or new
    known_since = handshakes.known_since(dealings.ledger, new.topic, new.callback)
    if known_since is None:
        return False
    if new.refused_at is not None and (new.delivered_at is None or new.refused_at > new.delivered_at):
        return False  # signed with another secret than its own, and believed only by that of the old one, if at all
    needed = patience.most_overlap if new.delivered_at is None else patience.least_overlap
    return (datetime.now(UTC) - known_since).total_seconds() >= needed
