"""Asking MOSIP's hub for one callback, with every step on record, and waiting for its sign."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Engine

from mosip_crvs.errors import MosipRefused, MosipUnavailable, StopTheRun
from mosip_crvs.ledger import alarms, handshakes, subscriptions
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.handshakes import Step
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.ledger.subscriptions import Subscription
from mosip_crvs.mosip import hub
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource
from mosip_crvs.reconciliation.topics import Topic

VERIFY_SECONDS = 40.0
REFUSED = "subscription_refused"
"""The alarm when the hub does not let us subscribe to a topic."""
UNVERIFIED = "subscription_unverified"
"""The alarm when the hub took a subscription and never made it."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dealings:
    """What it takes to deal with MOSIP's hub.

    :param tokens: of our client; :param partner_tokens: of the credential partner's, None when there are none.
    """

    ledger: Engine
    seal: Seal
    calls: SingleCalls
    tokens: TokenSource
    settings: MosipSettings
    partner_tokens: TokenSource | None = None

    def tokens_for(self, topic: Topic) -> TokenSource:
        """Give the tokens of the client that a topic is for.

        :raises MosipRefused: when nobody gave that client's secret.
        """
        if topic.client_id == self.settings.client_id:
            return self.tokens
        if self.partner_tokens is None:
            raise MosipRefused(
                f"nobody gave the secret of the client {topic.client_id!r}: set partner_secret in the 'mosip' "
                "connection's extra"
            )
        return self.partner_tokens


class Standing(StrEnum):
    """How we stand with the hub for a topic, best first."""

    VERIFIED = "verified"
    """It challenged us, now or as lately as was good enough: what it had dropped it has taken up again."""
    REGISTERED = "already_registered"
    """It holds our subscription. That it delivers is not said."""
    UNCONFIRMED = "unconfirmed"
    """It took the renewal without a sign. It had verified us before."""
    DENIED = "denied"
    UNVERIFIED = "unverified"
    """It took the request and never came to verify it."""
    UNAVAILABLE = "unavailable"
    NOT_AUTHORIZED = "not_authorized"

    @property
    def is_known(self) -> bool:
        """Whether the hub may be taken to know us."""
        return self in _KNOWN


_KNOWN = frozenset({Standing.VERIFIED, Standing.REGISTERED, Standing.UNCONFIRMED})
_ORDER = tuple(Standing)


def best_of(standings: Collection[Standing]) -> Standing:
    """Give the best of a topic's callbacks: one that delivers is enough."""
    return min(standings, key=_ORDER.index)


def ask(dealings: Dealings, topic: Topic, asked: Subscription) -> None:
    """Ask the hub for a callback that the ledger has noted as asked for.

    :raises MosipRefused: when the client may not; an alarm stands until it may.
    :raises MosipUnavailable: when the hub did not take the request.
    """
    try:
        hub.subscribe(
            dealings.calls,
            dealings.tokens_for(topic),
            hub_path=dealings.settings.hub_path,
            topic=topic.name,
            callback=asked.callback,
            secret=dealings.seal.open(asked.sealed_secret),
        )
    except (MosipRefused, MosipUnavailable) as problem:
        raise _noted(dealings.ledger, topic, asked, problem) from problem
    with transaction(dealings.ledger) as connection:
        handshakes.note(connection, topic.name, asked.callback, Step.ACCEPTED)
        alarms.clear(connection, REFUSED, topic.name)


def ask_to_end(dealings: Dealings, topic: Topic, callback: str) -> Subscription:
    """Ask the hub to forget a callback; it fails as :func:`ask` does."""
    asked = subscriptions.ask_to_end(dealings.ledger, topic.name, callback)
    try:
        hub.unsubscribe(
            dealings.calls,
            dealings.tokens_for(topic),
            hub_path=dealings.settings.hub_path,
            topic=topic.name,
            callback=callback,
        )
    except (MosipRefused, MosipUnavailable) as problem:
        raise _noted(dealings.ledger, topic, asked, problem) from problem
    with transaction(dealings.ledger) as connection:
        handshakes.note(connection, topic.name, callback, Step.ACCEPTED, subscriptions.UNSUBSCRIBE)
    return asked


def _noted(
    ledger: Engine, topic: Topic, asked: Subscription, problem: MosipRefused | MosipUnavailable
) -> MosipRefused | MosipUnavailable:
    """Record why the hub did not take a request; give the same problem, told with role and client if it refused."""
    if isinstance(problem, MosipUnavailable):
        with transaction(ledger) as connection:
            handshakes.note(connection, topic.name, asked.callback, Step.UNAVAILABLE, str(problem))
        return problem
    told = f"{problem} (topic {topic.name}, client {topic.client_id!r}, role {topic.role})"
    with transaction(ledger) as connection:
        handshakes.note(connection, topic.name, asked.callback, Step.NOT_AUTHORIZED, str(problem))
        alarms.raise_alarm(connection, REFUSED, topic.name, details=told)
    return MosipRefused(told)


def wait_for_signs(ledger: Engine, asked: Collection[Subscription], seconds: float) -> dict[str, Standing]:
    """Wait until the hub has challenged us, or called us registered or denied, for each callback that was asked for.

    :return: by callback how we stand.
    """
    deadline = time.monotonic() + seconds
    while True:
        now = {found.callback: found for found in subscriptions.every(ledger)}
        signed = {a.callback: _standing(now[a.callback]) for a in asked if _has_sign_since(now.get(a.callback), a)}
        if len(signed) == len(asked) or time.monotonic() >= deadline:
            break
        time.sleep(0.1)
    return {a.callback: signed.get(a.callback) or _without_sign(a) for a in asked}


def wait_for_end(ledger: Engine, asked: Subscription, seconds: float) -> bool:
    """Wait until the hub has come to end a subscription; says whether it did."""
    deadline = time.monotonic() + seconds
    while True:
        now = subscriptions.find(ledger, asked.topic, asked.callback)
        if now is None or now.state == "ended":
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)


def receiver_of(settings: MosipSettings) -> str:
    """Say where MOSIP's hub reaches the receiver.

    :raises StopTheRun: when nobody said.
    """
    if not settings.receiver_url:
        raise StopTheRun("the 'mosip' connection's extra lacks receiver_url: where MOSIP's hub reaches the receiver")
    return settings.receiver_url


def _has_sign_since(now: Subscription | None, asked: Subscription) -> bool:
    return now is not None and now.answered_at is not None and now.answered_at > asked.requested_at


def _standing(now: Subscription) -> Standing:
    if now.state != "verified":
        return Standing.DENIED
    return Standing.REGISTERED if now.reason else Standing.VERIFIED


def _without_sign(asked: Subscription) -> Standing:
    if asked.state == "verified":
        log.warning(
            "The hub took the renewal of %s without a sign; it verified us at %s", asked.topic, asked.verified_at
        )
        return Standing.UNCONFIRMED
    return Standing.UNVERIFIED
