"""What the receiver decides: is a post signed by our hub, is a challenge for something that we asked for. Pure."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac

from mosip_crvs.ledger.subscriptions import UNSUBSCRIBE, Subscription

ALREADY_REGISTERED = "already registered"
UNKNOWN_TO_THE_HUB = ("could not find a valid subscriber", "is not registered with the hub")
OUTSTANDING = timedelta(minutes=15)
ENDED_FOR_GOOD = timedelta(hours=1)
"""What was on its way when a subscription ended arrives within this time. Later, its secret opens nothing."""
_ALGORITHMS: dict[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


class Refusal(StrEnum):
    """Why a post is not believed."""

    UNSIGNED = "unsigned"
    UNKNOWN_ALGORITHM = "unknown_algorithm"
    WRONG_SIGNATURE = "wrong_signature"
    OVERSIZED = "oversized"
    INCOMPLETE = "incomplete"
    ENDED = "ended"
    """The subscription was ended, and long enough ago."""
    SEALED = "sealed"
    """Our own secret does not open with the seal key given, so that nothing can be believed."""


def refusal_of(header: str | None, secret: str, body: bytes) -> Refusal | None:
    """Check ``X-Hub-Signature`` over the raw bytes (``mosip-events.md`` §1.7); None when it is right.

    :param header: ``sha256=<hex>``; old hubs write the algorithm in capitals.
    """
    if not header:
        return Refusal.UNSIGNED
    name, _, digest = header.partition("=")
    algorithm = _ALGORITHMS.get(name.strip().lower())
    if algorithm is None:
        return Refusal.UNKNOWN_ALGORITHM
    expected = hmac.HMAC(secret.encode(), algorithm())
    expected.update(body)
    try:
        expected.verify(binascii.unhexlify(digest.strip()))
    except (InvalidSignature, binascii.Error, ValueError):
        return Refusal.WRONG_SIGNATURE
    return None


@dataclass(frozen=True, slots=True)
class Known:
    """A subscription as the receiver knows it.

    :param secret: what the hub should sign with; None when it does not open.
    :param others: secrets of the topic's other callback, while one takes over from the other: a hub may go on signing
        with the one that it was given first (``mosip-events.md`` §1.7).
    """

    subscription: Subscription
    secret: str | None = field(repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)


class Belief(StrEnum):
    """By whose secret a delivery is believed."""

    OWN = "own"
    OTHER = "other"


def believe(known: Known, header: str | None, body: bytes, now: datetime) -> Belief | Refusal:
    """Say by which secret a delivery to a callback is believed, or why not."""
    subscription = known.subscription
    ended_at = subscription.answered_at if subscription.state == "ended" else None
    if ended_at is not None and now - ended_at > ENDED_FOR_GOOD:
        return Refusal.ENDED
    if known.secret is None:
        return Refusal.SEALED
    refusal = refusal_of(header, known.secret, body)
    if refusal is None:
        return Belief.OWN
    if refusal is Refusal.WRONG_SIGNATURE and any(refusal_of(header, other, body) is None for other in known.others):
        return Belief.OTHER
    return refusal


def confirmation_of(subscription: Subscription, query: Mapping[str, str], now: datetime) -> tuple[str, str] | None:
    """Give the challenge to echo and the state that it leaves a subscription in; None for what we did not ask for.

    The parameters come without URL encoding of their values (``mosip-events.md`` §1.4). The end of a subscription is
    confirmed only after we asked for it, and again when the hub, having missed our answer, asks again.
    """
    challenge = query.get("hub.challenge", "")
    if query.get("hub.topic") != subscription.topic or not 0 < len(challenge) <= 512:
        return None
    mode = query.get("hub.mode")
    if mode == "subscribe" and subscription.state != "ended" and now - subscription.requested_at < OUTSTANDING:
        return challenge, "verified"
    asked_to_end = subscription.unsubscribing_at
    if mode == UNSUBSCRIBE and asked_to_end is not None and now - asked_to_end < OUTSTANDING:
        return challenge, "ended"
    return None


def denial_means(subscription: Subscription, reason: str) -> str:
    """Say what state a denial leaves a subscription in: "already registered" is the healthy answer to a renewal."""
    said = reason.lower()
    if subscription.unsubscribing_at is not None and any(words in said for words in UNKNOWN_TO_THE_HUB):
        return "ended"
    return "verified" if ALREADY_REGISTERED in said else "denied"
