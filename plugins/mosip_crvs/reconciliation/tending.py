"""Keeping subscriptions alive: renewed again and again, replaced when they must be, and not trusted when silent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from mosip_crvs.ledger import alarms, handshakes, silence, subscriptions
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.silence import Silence
from mosip_crvs.reconciliation.asking import Dealings, Standing
from mosip_crvs.reconciliation.rotating import Patience, Stage, advance, rotate
from mosip_crvs.reconciliation.subscribing import renew
from mosip_crvs.reconciliation.topics import Topic, topics_of
from mosip_crvs.settlement.events import WORKFLOW_COMPLETED

SILENT = "subscription_silent"
"""The alarm when results were found by asking that the hub should have announced."""
LEAST_BETWEEN_ROTATIONS = timedelta(hours=6)
"""A hub that stays silent when its callback was replaced has another trouble, which no further rotation mends."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tended:
    """What was found and done.

    :param standings: how we stand with each topic.
    :param silent: completed applications that were not announced.
    :param rotations: how far each rotation under way has come.
    """

    standings: dict[str, Standing]
    silent: int
    rotations: dict[str, Stage]


def tend(
    dealings: Dealings,
    *,
    rotation_wanted: bool = False,
    since: datetime | None = None,
    patience: Patience | None = None,
) -> Tended:
    """Look for silence, renew every topic, and take every rotation as far as it will go.

    :param rotation_wanted: replace the callback and the secret of every topic.
    :param since: when this was asked for; a rotation that was begun after it is the one that is wanted.
    :raises SubscriptionFailed: and others, as :func:`~mosip_crvs.reconciliation.subscribing.renew` does.
    """
    patience = patience or Patience()
    handshakes.prune(dealings.ledger)
    silent = look_for_silence(dealings.ledger)
    standings = renew(dealings, verify_seconds=patience.verify)
    rotations: dict[str, Stage] = {}
    for topic in topics_of(dealings.settings):
        if not standings[topic.name].is_known:
            continue
        if rotation_wanted:
            rotations[topic.name] = rotate(dealings, topic, unless_since=since, patience=patience)
        elif topic.name == WORKFLOW_COMPLETED and silent and _must_be_replaced(dealings, silent, standings[topic.name]):
            rotations[topic.name] = rotate(dealings, topic, patience=patience)
        else:
            for old in _retiring(dealings, topic):
                rotations[topic.name] = advance(dealings, topic, old, patience)
    return Tended(standings, silent.applications if silent else 0, rotations)


def look_for_silence(ledger: Engine) -> Silence | None:
    """Look whether results come to be known by asking only, and keep the alarm that says so."""
    found = silence.look(ledger, WORKFLOW_COMPLETED)
    with transaction(ledger) as connection:
        if found is None:
            alarms.clear(connection, SILENT, WORKFLOW_COMPLETED)
            return None
        heard = f"since {found.last_event_at:%Y-%m-%d %H:%M} UTC" if found.last_event_at else "ever"
        alarms.raise_alarm(
            connection,
            SILENT,
            WORKFLOW_COMPLETED,
            details=f"{found.applications} applications were found completed by asking, and no notification came "
            f"{heard}; {found.refused} deliveries since then were not believed",
        )
    log.error("ALARM %s: %d completed applications were not announced", SILENT, found.applications)
    return found


def _must_be_replaced(dealings: Dealings, silent: Silence, standing: Standing) -> bool:
    """Say whether a silent subscription is to be replaced: the hub calls it registered, and it does not flow."""
    if standing is not Standing.REGISTERED:
        return False  # dropped, and taken back just now: what it owes us comes by itself
    if _was_replaced_lately(dealings):
        log.error("%s is registered and not flowing, and its callback began to be replaced less than six hours ago: "
                  "if this stays so, ask MOSIP's operators to restart the hub", WORKFLOW_COMPLETED)  # fmt: skip
        return False
    present = subscriptions.latest(dealings.ledger, WORKFLOW_COMPLETED, dealings.settings.receiver_url)
    if present is None:
        return False
    known_since = handshakes.known_since(dealings.ledger, WORKFLOW_COMPLETED, present.callback)
    if known_since is None or silent.newest_at < known_since:
        return False  # completed before the hub knew this callback: it could not announce them here
    log.warning("%s is registered and not flowing: unsubscribe and subscribe again. A second callback is put beside "
                "the first, so that nothing is lost in between", WORKFLOW_COMPLETED)  # fmt: skip
    return True


def _was_replaced_lately(dealings: Dealings) -> bool:
    last = subscriptions.last_rotation(dealings.ledger, WORKFLOW_COMPLETED)
    return last is not None and datetime.now(UTC) - last < LEAST_BETWEEN_ROTATIONS


def _retiring(dealings: Dealings, topic: Topic) -> Iterator[subscriptions.Subscription]:
    return (old for old in subscriptions.retiring(dealings.ledger) if old.topic == topic.name)
