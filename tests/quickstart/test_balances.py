"""What ``./run balance`` writes is what the plugin counts, and what it signs can be verified."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine
from tests.ledger.books import window

from mosip_crvs.ledger.batches import open_batch
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.reconciliation.signed import Signed
from mosip_crvs.reconciliation.verifying import check_balances, check_file
from quickstart import balances
from quickstart.errors import QuickstartError

DAY = date(2026, 11, 23)


def test_a_day_is_written_for_spreadsheets_and_as_a_page(ledger: Engine) -> None:
    days = balances.count(ledger, [DAY])

    assert balances.exported(days, "csv").startswith("day,kind,process,syncs,term")
    assert "Balance of 2026-11-23" in balances.exported(days, "html")


def test_a_day_of_which_nothing_was_read_is_not_signed(ledger_url: str, seal_key: str) -> None:
    with (
        balances.ledger_engine(ledger_url) as engine,
        pytest.raises(QuickstartError, match="nothing was read for 2026-11-23"),
    ):
        balances.signed(engine, seal_key, DAY)


def test_a_signed_day_can_be_verified(ledger: Engine, ledger_url: str, seal_key: str) -> None:
    open_batch(ledger, window(), "a test", [])
    with balances.ledger_engine(ledger_url) as engine:
        file = balances.signed(engine, seal_key, DAY)

    assert check_file(ledger, Seal(seal_key), Signed.from_file(file)).problems == ()
    assert [checked.problems for checked in check_balances(ledger, Seal(seal_key))] == [()]
