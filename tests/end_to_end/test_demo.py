"""``./run demo``: every kind of end is seen, each event is explained, and a second run sends nothing."""

from __future__ import annotations

import json

import pytest
from tests.end_to_end.test_stack import Clone, clone

__all__ = ["clone"]

pytestmark = [pytest.mark.slow, pytest.mark.scheduler]


def test_a_demo_shows_every_kind_of_end_and_its_second_run_sends_nothing(clone: Clone) -> None:
    told = clone.run("demo", "--births", "60", "--deaths", "20", seconds=400)
    day = json.loads((clone.folder / ".demo" / "balance.json").read_text())
    assert (day["read"], day["unexplained"], day["balanced"], day["in_progress"]) == (80, 0, True, 0)
    assert (day["rejected"], day["failed"], day["awaiting"]) == (1, 2, 1)
    assert day["submitted"] == day["completed"] + 4
    record = json.loads((clone.folder / ".demo" / "sandbox.json").read_text())["totals"]
    assert record["uins_issued"] == day["kinds"]["birth"]["completed"]
    assert record["credentials_published"] == record["credential_statuses"] > 0
    assert record["results"]["REPROCESS_FAILED"] == 1, "nobody announces that MOSIP gave up"
    told_of = day["read"] - day["not_eligible"]  # nobody is told of an event for which no ID is due
    assert f"In the registry: {told_of} results, {record['credentials_published']} with an identifier, " in told
    asked = int(told.partition("by asking MOSIP: ")[2].split()[0])
    assert asked >= 1
    assert "MOSIP and the ledger differ" not in told

    again = clone.run("demo", "--again", seconds=400)
    day = json.loads((clone.folder / ".demo" / "balance.json").read_text())
    assert (day["submitted"], day["unexplained"], day["balanced"]) == (0, 0, True)
    assert "applications it accepted in this run: 0" in again
