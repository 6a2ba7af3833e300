"""From stock MOSIP to the first night, by the verbs that a user has, on a day that is a holiday."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from tests.end_to_end.test_stack import YESTERDAY, Clone, clone
from tests.rig import FarSide

__all__ = ["clone"]

pytestmark = [pytest.mark.slow, pytest.mark.scheduler]
TODAY = datetime.now(UTC).date()
REST = [str(TODAY + timedelta(days=ahead)) for ahead in (0, 1)]
"""Today, and tomorrow in case midnight passes meanwhile."""


@pytest.fixture(scope="module")
def up(clone: Clone) -> Iterator[dict[str, str]]:
    """A stack whose sandbox is as stock MOSIP comes, in a country that rests today."""
    resting = [word for day in REST for word in ("--holiday", day)]
    clone.run("up", "--stock", "--births", "80", "--deaths", "20", *resting)
    yield clone.addresses()
    clone.run("down")


def tell(url: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        reply.read()


def aids(addresses: dict[str, str]) -> set[str]:
    with psycopg.connect(addresses["LEDGER_URL"]) as ledger:
        return {row[0] for row in ledger.execute("SELECT aid FROM applications").fetchall()}


def test_a_country_is_prepared_and_its_holiday_is_held_and_its_working_day_is_sent(
    clone: Clone, up: dict[str, str]
) -> None:
    # Nothing is there: the checks say so, in an order in which it can be mended, and the plan lists what is missing.
    assert "Mend KC-04 first" in clone.run("preflight", expect=1)
    assert "Nothing was changed" in clone.run("provision", "--plan")
    waiting = clone.run("provision", expect=4)
    assert "Waiting at G2" in waiting, "nobody publishes an ID schema unasked"
    assert "authority signed 2 requests" in waiting
    made = clone.run("provision", "--publish-id-schema", "--attest", "G3")
    assert "Airflow's connection 'mosip' holds it" in made
    assert "\n0 writes at MOSIP" in clone.run("provision")
    looked = clone.run("preflight", "--probes")
    assert f"{TODAY} is a holiday of centre" in looked
    assert "MOSIP is ready" in looked
    assert "36 PASS, 1 WARN" in looked

    # The night: every birth and death has its AID, and nothing is created. Nothing is red.
    clone.run("sync", str(YESTERDAY))
    far_side = FarSide(up["MOSIP_URL"])
    assert far_side.totals()["aids"] == 0
    held = json.loads(clone.run("balance", str(YESTERDAY), "--json", expect=3))
    assert held["read"] == 100
    assert held["held"] == held["holds"]["HOLIDAY"] == 100 - held["quarantined"] - held["not_eligible"] - held["known"]
    assert (held["submitted"], held["unexplained"], held["finished"]) == (0, 0, False)
    assert held["held_until"] == str(TODAY + timedelta(days=2))
    assert "HELD" in clone.run("balance", str(YESTERDAY), expect=3)
    given = aids(up)
    assert len(given) == held["held"]

    # A working day: the same AIDs are sent, each once.
    tell(f"{up['MOSIP_URL']}/sandbox/edit", {"entity": "holidays", "id": "KTA", "set": {"days": []}})
    assert "37 PASS" in clone.run("preflight", "--probes")
    clone.run("sync", str(YESTERDAY))
    clone.run("settle", "--until-settled", "90")
    balance = clone.balance()
    assert balance["balanced"] is True
    assert balance["completed"] == held["held"]
    assert aids(up) == given
    totals = far_side.totals()
    assert totals["aids"] == totals["creates_accepted"] == totals["triggers_accepted"] == held["held"]
    assert totals["children_with_two_uins"] == 0
