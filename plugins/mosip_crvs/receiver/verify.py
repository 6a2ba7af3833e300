"""What the receiver decides: is a post signed by our hub, is a challenge for something that we asked for. Pure."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac

from mosip_crvs.ledger.subscriptions import Subscription

ALREADY_REGISTERED = "already registered"
OUTSTANDING = timedelta(minutes=15)
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


def challenge_to_echo(subscription: Subscription, query: Mapping[str, str], now: datetime) -> str | None:
    """Give the challenge to answer, or None when the hub asks about something that we did not ask for.

    The parameters come without URL encoding of their values (``mosip-events.md`` §1.4).
    """
    challenge = query.get("hub.challenge", "")
    asked_for = (
        query.get("hub.mode") == "subscribe"
        and query.get("hub.topic") == subscription.topic
        and now - subscription.requested_at < OUTSTANDING
    )
    return challenge if asked_for and 0 < len(challenge) <= 512 else None


def denial_means(reason: str) -> str:
    """Say what state a denial leaves a subscription in: "already registered" is the healthy answer to a renewal."""
    return "verified" if ALREADY_REGISTERED in reason.lower() else "denied"
