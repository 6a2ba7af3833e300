"""The operators of the sync on a holiday: masterdata is asked over the connection, and the night ends in order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from tests.rig import YESTERDAY, close, plan, submission
from tests.submission.clocked_mosip import Mosip

from mosip_crvs.operators.sync import CloseBatchOperator, SubmitRangeOperator
from reference_registry import load

TODAY = datetime.now(UTC).date()
CONTEXT: Any = {"ti": SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=0, try_number=1)}


@pytest.fixture
def mosip() -> Iterator[Mosip]:
    """A far side whose masterdata calls today and tomorrow holidays, so that midnight cannot spoil a test."""
    server = Mosip()
    server.holidays = frozenset({TODAY.isoformat(), (TODAY + timedelta(days=1)).isoformat()})
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def todo(mosip: Mosip, connect: Any, ledger_connection: Any, ledger_url: str, registry_url: str) -> tuple[int, int]:
    """A planned range of ten births, and the connections that lead to it."""
    extra = {"center_id": "10001", "machine_id": "10077", "holidays": "none"}
    connect("mosip", conn_type="mosip", host=mosip.url, login="client", password="secret", extra=extra)
    where = urlsplit(registry_url)
    folder = unquote(where.query.partition("host=")[2])
    connect("crvs_registry", conn_type="postgres", host=folder, schema=where.path.lstrip("/"), login="postgres")
    load(registry_url, births=10, clean_only=True, end_day=YESTERDAY)
    made = submission(ledger_url, registry_url, mosip.url)
    (planned,) = plan(made)
    close(made)
    return planned


def test_the_night_is_held_by_masterdatas_word_and_ends_green(
    todo: tuple[int, int], mosip: Mosip, capsys: pytest.CaptureFixture[str]
) -> None:
    batch_id, number = todo
    submit = SubmitRangeOperator(task_id="submit", kind="birth", batch_id=batch_id, range_number=number)
    assert submit.execute(CONTEXT)["held_for_holiday"] == 10
    assert not mosip.created
    assert "/v1/masterdata/registrationcenters/validate/10001/eng/" in mosip.asked[0]
    assert len(mosip.asked) == 3, "today, tomorrow, and the day after, which is a working day"

    capsys.readouterr()
    CloseBatchOperator(task_id="close", kind="birth", batch_id=batch_id).execute(CONTEXT)
    logged = capsys.readouterr().out
    assert f"batch {batch_id} is HELD" in logged
    assert "sends its 10 applications" in logged


def test_a_working_day_sends_it(todo: tuple[int, int], mosip: Mosip) -> None:
    mosip.holidays = frozenset()
    submit = SubmitRangeOperator(task_id="submit", kind="birth", batch_id=todo[0], range_number=todo[1])
    assert submit.execute(CONTEXT)["triggered"] == 10
    assert len(mosip.asked) == 2
