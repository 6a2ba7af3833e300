"""Subscribing at MOSIP's WebSub hub (``mosip-events.md`` §1.2, §1.3).

A 202 means nothing yet: the hub then asks our receiver whether we meant it, and only that makes the subscription.
"""

from __future__ import annotations

from urllib.parse import parse_qs

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
    token = tokens.get()
    reply = _post(calls, hub_path, form, token)
    if reply.status == 401:
        reply = _post(calls, hub_path, form, tokens.get(refused=token))
    said = {name: values[0] for name, values in parse_qs(reply.body.decode("utf-8", "replace")).items()}
    if 200 <= reply.status < 300 and said.get("hub.mode", "accepted") == "accepted":
        return
    reason = said.get("hub.reason", "")
    if reply.status in (401, 403) or "not authorized" in reason.lower():
        raise MosipRefused(f"the hub refuses the subscription to {topic}: give the client the role of that topic")
    raise MosipUnavailable(
        f"the hub did not accept the subscription: HTTP {reply.status}", retry_after=retry_after(reply)
    )


def _post(calls: SingleCalls, hub_path: str, form: dict[str, str], token: str) -> Reply:
    """Post to the hub; some gateways know it only without, or only with, the last slash."""
    reply = calls.send("POST", hub_path, form=form, token=token)
    if reply.status == 404:
        other = hub_path.rstrip("/") if hub_path.endswith("/") else hub_path + "/"
        return calls.send("POST", other, form=form, token=token)
    return reply
