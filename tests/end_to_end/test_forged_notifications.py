"""Forgers at the callback, beside a hub at work: nothing of theirs settles, and the hub keeps our subscription."""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.request

from sqlalchemy import Engine, text
from tests.conftest import free_port, service
from tests.ledger.books import count
from tests.rig import YESTERDAY, FarSide, close, plan, submission

from mosip_crvs.ledger import subscriptions
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.token import TokenSource, fetch_token
from mosip_crvs.reconciliation.inbox import settle_inbox
from mosip_crvs.reconciliation.subscribing import ensure_subscribed
from mosip_crvs.settlement.events import WORKFLOW_COMPLETED
from mosip_crvs.submission.pipeline import submit_range
from reference_registry import load

OURS = "1000110077"


def post(url: str, body: bytes, signature: str | None) -> int:
    """Post to the callback as anybody can."""
    headers = {"Content-Type": "application/json"} | ({"X-Hub-Signature": signature} if signature else {})
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as reply:
        return int(reply.status)


def signed(body: bytes, secret: str) -> str:
    """Sign as the hub does."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_forgers_settle_nothing_and_the_hub_keeps_our_subscription(
    ledger_url: str, ledger: Engine, registry_url: str, far_side: FarSide, seal: Seal, seal_key: str
) -> None:
    port = free_port()
    receiver_url = f"http://127.0.0.1:{port}"
    arguments = ["-m", "mosip_crvs.receiver", "--port", str(port)]
    with service(arguments, f"{receiver_url}/health", CRVS_LEDGER_URL=ledger_url, CRVS_SEAL_KEY=seal_key):
        made = submission(ledger_url, registry_url, far_side.url, receiver_url=receiver_url)
        calls = SingleCalls(far_side.url)
        tokens = TokenSource(lambda: fetch_token(calls, made.settings))
        ensure_subscribed(ledger, seal, calls, tokens, made.settings)
        subscription = next(each for each in subscriptions.every(ledger) if each.topic == WORKFLOW_COMPLETED)
        secret = seal.open(subscription.sealed_secret)
        load(registry_url, births=30, clean_only=True, end_day=YESTERDAY)
        for batch_id, number in plan(made):
            submit_range(made, batch_id, number, "test")
        close(made)

        with ledger.begin() as connection:
            aids = list(connection.execute(text("SELECT aid FROM applications")).scalars())
        for aid in aids:
            body = json.dumps({"instanceId": aid, "resultCode": "PROCESSED", "workflowType": "CRVS_NEW"}).encode()
            large = body + b" " * 400_000
            assert {
                post(subscription.callback, body, None),
                post(subscription.callback, body, signed(body, "a secret of yesterday")),
                post(subscription.callback, body, signed(body + b" ", secret)),
                post(subscription.callback, body, "sha256=" + "0" * 64),
            } == {200}
        assert post(subscription.callback, large, signed(large, secret)) == 200
        settle_inbox(ledger, OURS)
        assert count(ledger, "applications", "state = 'TRIGGERED'") == 30, "nobody is settled by a forger"
        assert count(ledger, "inbox") == 0
        assert count(ledger, "refused_deliveries") == 4 * 30 + 1

        # The hub itself signs with a secret that is no longer ours: not believed, and not offended either.
        with ledger.begin() as connection:
            connection.execute(text("UPDATE subscriptions SET sealed_secret = :s"), {"s": seal.close("newer secret")})
        wait_for_fresh_secrets()
        far_side.tick()
        settle_inbox(ledger, OURS)
        assert count(ledger, "applications", "state = 'TRIGGERED'") == 30
        assert count(ledger, "refused_deliveries", "reason = 'wrong_signature'") >= 30

        # And the subscription is still there: with the right secret the next results arrive without asking again.
        with ledger.begin() as connection:
            connection.execute(text("UPDATE subscriptions SET sealed_secret = :s"), {"s": subscription.sealed_secret})
        wait_for_fresh_secrets()
        load(registry_url, births=45, clean_only=True, end_day=YESTERDAY)
        made = submission(ledger_url, registry_url, far_side.url)
        for batch_id, number in plan(made):
            submit_range(made, batch_id, number, "test")
        close(made)
        far_side.tick()
        settle_inbox(ledger, OURS)
        assert count(ledger, "applications", "state = 'COMPLETED'") == 15


def wait_for_fresh_secrets() -> None:
    """The receiver looks for changed subscriptions every five seconds."""
    import time

    time.sleep(5.5)
