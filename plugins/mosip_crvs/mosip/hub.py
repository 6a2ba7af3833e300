"""MOSIP's WebSub hub: subscribing, unsubscribing, publishing (``mosip-events.md`` §1.2, §1.3).

A 202 to a subscription means nothing yet: the hub then asks our receiver whether we meant it, and only that makes, or
ends, the subscription.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.mosip.calls import Reply, SingleCalls
from mosip_crvs.mosip.token import TokenSource, retry_after

LEASE_SECONDS = 864_000


def subscribe(
    calls: SingleCalls, tokens: TokenSource, *, hub_path: str, topic: str, callback: str, secret: str
) -> None:
    """Ask the hub to deliver a topic to a callback.

    :param secret: what the hub signs deliveries with; the hub cannot do without one.
    :raises MosipRefused: when the client may not subscribe. The hub says so with HTTP 500.
    :raises MosipUnavailable: on anything else but an acceptance.
    """
    form = {
        "hub.mode": "subscribe",
        "hub.topic": topic,
        "hub.callback": callback,
        "hub.secret": secret,
        "hub.lease_seconds": str(LEASE_SECONDS),
    }
    reply = _send(calls, tokens, hub_path, form=form)
    _must_be_accepted(reply, f"the subscription to {topic}", subscriber_role(topic), unsaid="accepted")


def unsubscribe(calls: SingleCalls, tokens: TokenSource, *, hub_path: str, topic: str, callback: str) -> None:
    """Ask the hub to end the deliveries of a topic to a callback, which is named byte for byte as it was subscribed.

    A hub that knows no such subscription tells the callback, not us: it counts as ended.

    :raises MosipRefused: when the client may not; the hub asks for the role of a subscriber.
    :raises MosipUnavailable: on anything else but an acceptance.
    """
    form = {"hub.mode": "unsubscribe", "hub.topic": topic, "hub.callback": callback}
    reply = _send(calls, tokens, hub_path, form=form)
    _must_be_accepted(reply, f"the end of the subscription to {topic}", subscriber_role(topic), unsaid="accepted")


def publish(calls: SingleCalls, tokens: TokenSource, *, hub_path: str, topic: str, message: Mapping[str, Any]) -> None:
    """Publish a message. A hub that refuses one answers HTTP 200 all the same: only its word counts.

    :raises MosipRefused: when the client may not publish; the text names the role.
    :raises MosipUnavailable: when nobody knows whether the hub took it.
    """
    query = urlencode({"hub.mode": "publish", "hub.topic": topic})
    reply = _send(calls, tokens, hub_path, query=f"?{query}", body=json.dumps(message).encode())
    _must_be_accepted(reply, f"a message of {topic}", publisher_role(topic), unsaid="nothing")


def subscriber_role(topic: str) -> str:
    """Name the role for receiving a topic; one of a partner also wants the client to be named as the partner."""
    _, slash, name = topic.partition("/")
    return f"SUBSCRIBE_{name}_INDIVIDUAL" if slash else f"SUBSCRIBE_{topic}_GENERAL"


def publisher_role(topic: str) -> str:
    """Name the role for publishing a topic."""
    _, slash, name = topic.partition("/")
    return f"PUBLISH_{name}_ALL_INDIVIDUAL" if slash else f"PUBLISH_{topic}_GENERAL"


def _must_be_accepted(reply: Reply, what: str, role: str, *, unsaid: str) -> None:
    """Read the hub's word.

    :param unsaid: what a success without a word means.
    """
    said = {name: values[0] for name, values in parse_qs(reply.body.decode("utf-8", "replace")).items()}
    if 200 <= reply.status < 300 and said.get("hub.mode", unsaid) == "accepted":
        return
    if reply.status in (401, 403) or "not authorized" in said.get("hub.reason", "").lower():
        raise MosipRefused(f"the hub refuses {what}: give the client the role {role}")
    raise MosipUnavailable(f"the hub did not accept {what}: HTTP {reply.status}", retry_after=retry_after(reply))


def _send(
    calls: SingleCalls,
    tokens: TokenSource,
    hub_path: str,
    *,
    query: str = "",
    form: dict[str, str] | None = None,
    body: bytes | None = None,
) -> Reply:
    """Post to the hub, and once more with a fresh token when it refuses the one we have."""

    def post(token: str) -> Reply:
        """Some gateways know the hub only without, or only with, the last slash."""
        reply = calls.send("POST", hub_path + query, form=form, body=body, token=token)
        if reply.status == 404:
            other = hub_path.rstrip("/") if hub_path.endswith("/") else hub_path + "/"
            return calls.send("POST", other + query, form=form, body=body, token=token)
        return reply

    token = tokens.get()
    reply = post(token)
    return post(tokens.get(refused=token)) if reply.status == 401 else reply
