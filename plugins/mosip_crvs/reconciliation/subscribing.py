"""Asking the hub for results, and making sure that it took us seriously."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field

from sqlalchemy import Engine

from mosip_crvs.errors import MosipCrvsError, MosipRefused, MosipUnavailable, SubscriptionFailed
from mosip_crvs.ledger import alarms, subscriptions
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.ledger.subscriptions import Subscription
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource
from mosip_crvs.reconciliation.asking import (
    UNVERIFIED,
    VERIFY_SECONDS,
    Dealings,
    Standing,
    ask,
    best_of,
    receiver_of,
    wait_for_signs,
)
from mosip_crvs.reconciliation.topics import REQUIRED_TOPICS, Topic, topics_of

TOPICS = REQUIRED_TOPICS
log = logging.getLogger(__name__)


def ensure_subscribed(
    ledger: Engine,
    seal: Seal,
    calls: SingleCalls,
    tokens: TokenSource,
    settings: MosipSettings,
    *,
    partner_tokens: TokenSource | None = None,
    good_for: float = 0.0,
    verify_seconds: float = VERIFY_SECONDS,
) -> dict[str, Standing]:
    """Subscribe to, or renew, every topic; see :func:`renew`."""
    dealings = Dealings(ledger, seal, calls, tokens, settings, partner_tokens)
    return renew(dealings, good_for=good_for, verify_seconds=verify_seconds)


def renew(
    dealings: Dealings, *, good_for: float = 0.0, verify_seconds: float = VERIFY_SECONDS
) -> dict[str, Standing]:
    """Subscribe, or renew, every topic that we need; returns when the hub has shown that it knows us.

    A hub that dropped us after a failed delivery takes us back only when we ask again, so this is called before every
    sync and every few minutes.

    :param good_for: do not ask again when the hub's last sign is younger than this many seconds.
    :param verify_seconds: to wait for the hub's signs, for all topics together.
    :return: how we stand with each topic. What is wrong with one that we can do without is a warning and an alarm.
    :raises SubscriptionFailed: when a hub that never verified us for a required topic said yes and then did not come.
    :raises MosipRefused: when we may not subscribe to a required topic.
    :raises MosipUnavailable: when the hub did not take the request for one.
    """
    receiver_url = receiver_of(dealings.settings)
    topics = topics_of(dealings.settings)
    round_ = _Round(dealings)
    for topic in topics:
        last = subscriptions.latest(dealings.ledger, topic.name, receiver_url)
        if last is not None and last.seconds_since_verified < good_for:
            round_.standings[topic.name].append(Standing.VERIFIED)
        else:
            round_.ask(topic, receiver_url)
    round_.wait(verify_seconds)
    best = {topic.name: best_of(round_.standings[topic.name]) for topic in topics}
    for topic in topics:
        _report(dealings.ledger, topic, best[topic.name], round_.problems.get(topic.name))
    for topic in topics:
        if topic.is_required and not best[topic.name].is_known:
            raise round_.problems.get(topic.name) or _failure(dealings.ledger, topic, best[topic.name], verify_seconds)
    return best


@dataclass
class _Round:
    """One round of asking for all topics, whose signs are waited for together."""

    dealings: Dealings
    standings: dict[str, list[Standing]] = field(default_factory=lambda: defaultdict(list))
    problems: dict[str, MosipCrvsError] = field(default_factory=dict)
    asked: list[Subscription] = field(default_factory=list)

    def ask(self, topic: Topic, receiver_url: str) -> None:
        """Ask for a topic's callback, and for the one that it is about to replace, as long as that is to deliver."""
        ledger = self.dealings.ledger
        self._ask(topic, subscriptions.request(ledger, self.dealings.seal, topic.name, receiver_url))
        for old in subscriptions.retiring(ledger):
            if old.topic == topic.name and old.unsubscribing_at is None:
                self._ask(topic, subscriptions.ask_again(ledger, topic.name, old.callback))

    def _ask(self, topic: Topic, subscription: Subscription) -> None:
        try:
            ask(self.dealings, topic, subscription)
        except (MosipRefused, MosipUnavailable) as problem:
            if topic.is_required and isinstance(problem, MosipUnavailable):
                raise  # the others would be asked of the same hub
            self.problems[topic.name] = problem
            is_refused = isinstance(problem, MosipRefused)
            self.standings[topic.name].append(Standing.NOT_AUTHORIZED if is_refused else Standing.UNAVAILABLE)
        else:
            self.asked.append(subscription)

    def wait(self, seconds: float) -> None:
        """Wait for the hub's signs."""
        signs = wait_for_signs(self.dealings.ledger, self.asked, seconds)
        for subscription in self.asked:
            self.standings[subscription.topic].append(signs[subscription.callback])


def _report(ledger: Engine, topic: Topic, standing: Standing, problem: MosipCrvsError | None) -> None:
    """Tell what is wrong with a topic, for as long as it is."""
    with transaction(ledger) as connection:
        if standing in (Standing.DENIED, Standing.UNVERIFIED):
            alarms.raise_alarm(connection, UNVERIFIED, topic.name, details=f"the hub's last word: {standing}")
        elif standing.is_known:
            alarms.clear(connection, UNVERIFIED, topic.name)
    if not standing.is_known and not topic.is_required:
        log.warning("Not subscribed to %s, which the sync can do without: %s", topic.name, problem or standing)


def _failure(ledger: Engine, topic: Topic, standing: Standing, verify_seconds: float) -> SubscriptionFailed:
    if standing is Standing.DENIED:
        reasons = {found.reason for found in subscriptions.every(ledger) if found.topic == topic.name and found.reason}
        return SubscriptionFailed(f"the hub denied the subscription to {topic.name}: {'; '.join(sorted(reasons))}")
    return SubscriptionFailed(
        f"the hub did not come to verify our callback for {topic.name} within {verify_seconds:.0f} s: "
        "is the receiver running, and does receiver_url lead to it from where the hub is?"
    )
