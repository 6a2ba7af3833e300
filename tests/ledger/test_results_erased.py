"""An identifier is in the ledger, sealed, for as long as the registry lacks it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from tests.outbox import Outbox

from mosip_crvs.ledger import results
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.results import DueResult


@pytest.fixture
def outbox(ledger: Engine) -> Outbox:
    outbox = Outbox(ledger)
    outbox.apply(1, "COMPLETED")
    assert outbox.issue(1, b"sealed")
    return outbox


def taken(outbox: Outbox) -> list[DueResult]:
    with transaction(outbox.ledger) as connection:
        return results.take_due(connection, 10, datetime.now(UTC) + timedelta(seconds=5))


def deliver(outbox: Outbox, rows: list[DueResult]) -> None:
    with transaction(outbox.ledger) as connection:
        results.delivered(connection, rows)


def test_what_was_delivered_is_erased_and_its_kind_stays_known(outbox: Outbox) -> None:
    deliver(outbox, taken(outbox))
    row = outbox.rows()[0]
    assert (row.sealed_identifier, row.identifier_kind, row.delivered_version) == (None, "PSUT", row.version)
    outbox.post(1)
    assert taken(outbox) == [], "it is no news"


def test_an_identifier_that_came_meanwhile_is_not_erased(outbox: Outbox) -> None:
    rows = taken(outbox)
    assert outbox.issue(1, b"another", kind="UIN")
    deliver(outbox, rows)
    assert bytes(outbox.rows()[0].sealed_identifier) == b"another"
    assert [row.identifier_kind for row in taken(outbox)] == ["UIN"]


def test_a_credential_that_was_issued_once_more_is_told_once_more(outbox: Outbox) -> None:
    deliver(outbox, taken(outbox))
    assert outbox.issue(1, b"sealed again")
    assert [row.sealed_identifier for row in taken(outbox)] == [b"sealed again"]
