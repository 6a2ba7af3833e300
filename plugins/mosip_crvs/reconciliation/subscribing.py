"""Asking the hub for results, and making sure that it took us seriously."""

from __future__ import annotations

import logging
import time

from sqlalchemy import Engine

from mosip_crvs.errors import StopTheRun, SubscriptionFailed
from mosip_crvs.ledger import subscriptions
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.ledger.subscriptions import Subscription
from mosip_crvs.mosip import hub
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource
from mosip_crvs.settlement.events import WORKFLOW_COMPLETED

TOPICS = (WORKFLOW_COMPLETED,)
VERIFY_SECONDS = 40.0
log = logging.getLogger(__name__)


def ensure_subscribed(
    ledger: Engine,
    seal: Seal,
    calls: SingleCalls,
    tokens: TokenSource,
    settings: MosipSettings,
    *,
    good_for: float = 0.0,
    verify_seconds: float = VERIFY_SECONDS,
) -> None:
    """Subscribe, or renew, every topic that we need; returns when the hub has shown that it knows us.

    A hub that dropped us after a failed delivery takes us back only when we ask again, so this is called before every
    sync and now and then by the reconciliation.

    :param good_for: do not ask again when the hub's last sign is younger than this many seconds.
    :raises SubscriptionFailed: when a hub that never verified us said yes and then did not come to.
    """
    if not settings.receiver_url:
        raise StopTheRun("the 'mosip' connection's extra lacks receiver_url: where MOSIP's hub reaches the receiver")
    for topic in TOPICS:
        last = subscriptions.latest(ledger, topic, settings.receiver_url)
        if last is None or last.seconds_since_verified >= good_for:
            asked = subscriptions.request(ledger, seal, topic, settings.receiver_url)
            hub.subscribe(
                calls,
                tokens,
                hub_path=settings.hub_path,
                topic=topic,
                callback=asked.callback,
                secret=seal.open(asked.sealed_secret),
            )
            _wait_for_sign(ledger, asked, verify_seconds)


def _wait_for_sign(ledger: Engine, asked: Subscription, verify_seconds: float) -> None:
    """Wait until the hub has challenged us, or called us registered, since we asked."""
    topic = asked.topic
    verified_before = asked.state == "verified"
    deadline = time.monotonic() + verify_seconds
    while time.monotonic() < deadline:
        now = subscriptions.find(ledger, topic, asked.callback)
        if now and now.answered_at and now.answered_at > asked.requested_at:
            if now.state == "denied":
                raise SubscriptionFailed(f"the hub denied the subscription to {topic}: {now.reason}")
            return
        time.sleep(0.1)
    if verified_before:
        log.warning("The hub took the renewal of %s without a sign; it verified us at %s", topic, asked.verified_at)
        return
    raise SubscriptionFailed(
        f"the hub did not come to verify our callback for {topic} within {verify_seconds:.0f} s: "
        "is the receiver running, and does receiver_url lead to it from where the hub is?"
    )
