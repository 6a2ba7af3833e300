"""What of the plugin answers to nobody in particular: the WebSub callback and its health, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from receiver_calls import BODY, TOPIC, Subscriber, call, inbox, signature
from sqlalchemy import Engine

from mosip_crvs.ledger import subscriptions
from mosip_crvs.ledger.sealing import Seal

PUBLIC = {
    ("/mosip-websub/websub/preflight", "GET"),
    ("/mosip-websub/websub/preflight", "HEAD"),
    ("/mosip-websub/websub/{token}", "GET"),
    ("/mosip-websub/websub/{token}", "HEAD"),
    ("/mosip-websub/websub/{token}", "POST"),
    ("/mosip-websub/health", "GET"),
    ("/mosip-websub/health", "HEAD"),
}
PAGES = [
    "/mosip-crvs/",
    "/mosip-crvs/balance/2026-03-14",
    "/mosip-crvs/balance/2026-03-14.csv",
    "/mosip-crvs/balance/2026-03-14/birth/held",
]


def test_the_plugin_is_loaded_once_and_without_error(airflow: Any) -> None:
    assert airflow.said["plugins"] == 1
    assert airflow.said["import_errors"] == {}
    assert {"/mosip-crvs", "/mosip-websub"} <= set(airflow.said["mounts"])


def test_exactly_the_callback_and_its_health_answer_to_nobody(airflow: Any, ledger: Engine, seal: Seal) -> None:
    subscriber = Subscriber.of(subscriptions.request(ledger, seal, TOPIC, "http://x"), seal)
    open_to_all = set()
    routes = airflow.said["routes"]
    for path, methods in routes:
        for method in methods:
            target = path.replace("{token}", subscriber.token).replace("{day}", "2026-03-14")
            target = target.replace("{kind}", "birth").replace("{term}", "held")
            assert "{" not in target, f"tell this test how to fill {path}"
            assert method != "ANY", f"{path} takes every method"
            if call(airflow.base, method, target).status not in (401, 403):
                open_to_all.add((path, method))

    assert open_to_all == PUBLIC
    assert {path for path, _ in routes} > {path for path, _ in PUBLIC}, "no page was walked"


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
def test_the_pages_are_for_users_only(airflow: Any, path: str, method: str) -> None:
    assert call(airflow.base, method, path).status in (401, 403, 405)


@pytest.mark.parametrize("token", ["", "x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjaGllZiJ9."])
def test_a_made_up_token_opens_nothing(airflow: Any, token: str) -> None:
    for path in PAGES:
        assert call(airflow.base, "GET", path, headers={"Authorization": f"Bearer {token}"}).status in (401, 403)


def test_nobody_learns_from_a_wrong_address_that_there_is_a_page(airflow: Any) -> None:
    assert airflow.get("/mosip-crvs/balance/not-a-day").status in (401, 403)


@pytest.mark.parametrize("path", ["/mosip-crvs/docs", "/mosip-crvs/openapi.json", "/mosip-crvs/redoc"])
def test_the_pages_describe_themselves_to_nobody(airflow: Any, path: str) -> None:
    assert airflow.get(path).status in (401, 403, 404)
    assert airflow.get(path, "chief").status == 404


def test_the_mounted_callback_verifies_and_stores_as_the_receiver_does(
    airflow: Any, ledger: Engine, seal: Seal
) -> None:
    subscriber = Subscriber.of(subscriptions.request(ledger, seal, TOPIC, "http://x"), seal)
    base = airflow.base
    path = "/mosip-websub"

    confirmed = call(
        base, "GET", f"{path}{subscriber.path}?hub.mode=subscribe&hub.topic={TOPIC}&hub.challenge=a-challenge"
    )
    assert (confirmed.status, confirmed.body) == (200, b"a-challenge")
    assert confirmed.headers["content-type"].startswith("text/plain")
    good = {"X-Hub-Signature": f"sha256={signature(subscriber.secret, BODY)}"}
    assert call(base, "POST", path + subscriber.path, BODY, good).status == 200
    assert call(base, "POST", path + subscriber.path, b"forged", good).status == 200
    assert inbox(ledger) == [BODY]


def test_without_a_connection_to_the_ledger_the_hub_is_told_to_come_again(airflow: Any) -> None:
    health = airflow.before["/mosip-websub/health"]

    assert health.status == 503
    assert "crvs_ledger" in json.loads(health.body)["problem"]
    assert airflow.before["/mosip-websub/websub/token?hub.mode=subscribe"].status == 503
    assert airflow.get("/mosip-websub/health").status == 200


def test_without_a_connection_to_the_ledger_a_page_says_what_is_missing(airflow: Any) -> None:
    page = airflow.before["/mosip-crvs/"]

    assert page.status == 503
    assert b"crvs_ledger" in page.body
