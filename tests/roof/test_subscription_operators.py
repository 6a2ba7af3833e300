"""The operators of the subscriptions, over connections as Airflow gives them, a small hub and the real receiver."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from day_books import Books
from receiver_calls import serving
from small_hub import SmallHub

from mosip_crvs.operators.subscriptions import SubscribeOperator, TendSubscriptionsOperator
from mosip_crvs.receiver.__main__ import build
from mosip_crvs.settlement.events import IDENTITY_CREATED, WORKFLOW_COMPLETED

CREDENTIALS = "crvs1/CREDENTIAL_ISSUED"


@pytest.fixture
def hub(connect: Any, ledger_connection: Any, ledger_url: str, seal_key: str) -> Iterator[SmallHub]:
    """A hub that verifies, and the connection ``mosip`` with a credential partner."""
    small = SmallHub()
    small.then = small.verify
    with serving(small.app()) as address, serving(build(ledger_url, seal_key)) as receiver:
        connect(
            "mosip", conn_type="mosip", host=address, login="crvs-client", password="its-secret",
            extra={"center_id": "10001", "machine_id": "10077", "receiver_url": receiver, "partner_id": "crvs1",
                   "partner_secret": "the-partners"},
        )  # fmt: skip
        yield small


def run(operator: Any, started: datetime) -> Any:
    """Run an operator's work, in a run that started at some time."""
    return operator.execute({"dag_run": SimpleNamespace(start_date=started)})


def test_the_sync_subscribes_every_topic_and_says_how_we_stand(hub: SmallHub) -> None:
    hub.refusals[IDENTITY_CREATED] = (500, "hub.mode=denied&hub.reason=Subscriber is not authorized")

    told = run(SubscribeOperator(task_id="subscribe"), datetime.now(UTC))

    assert told[WORKFLOW_COMPLETED] == told[CREDENTIALS] == "verified"
    assert told[IDENTITY_CREATED] == "not_authorized"


@pytest.mark.parametrize(("asked", "callbacks"), [("False", 1), (False, 1), ("True", 2), (True, 2)])
def test_rotation_is_begun_when_it_is_asked_for_and_once_a_run(
    hub: SmallHub, books: Books, asked: bool | str, callbacks: int
) -> None:
    run(TendSubscriptionsOperator(task_id="first"), datetime.now(UTC))
    started = datetime.now(UTC)

    for _ in range(2):
        told = run(TendSubscriptionsOperator(task_id="tend", rotate=asked), started)

    assert set(told["standings"].values()) == {"verified"}
    assert set(told["rotations"].values()) == ({"overlapping"} if callbacks == 2 else set())
    counts = {row.topic: row.n for row in books.run("SELECT topic, count(*) AS n FROM subscriptions GROUP BY topic")}
    assert set(counts.values()) == {callbacks}
    assert len(counts) == 5


def test_what_an_operator_returns_fits_xcom_and_names_no_callback_and_no_secret(hub: SmallHub) -> None:
    told = json.dumps(run(TendSubscriptionsOperator(task_id="tend", rotate=True), datetime.now(UTC)))

    for asked in hub.asked:
        assert asked["hub.callback"].rpartition("/")[2] not in told
        assert asked["hub.secret"] not in told
