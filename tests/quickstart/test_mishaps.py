"""What goes wrong at the demo's MOSIP is what the sandbox can do, in numbers that leave most of it alone."""

from __future__ import annotations

import pytest

from quickstart.arrivals import Waiting
from quickstart.mishaps import ENDS, mishaps
from sandbox.faults import Faults


@pytest.mark.parametrize(("events", "each"), [(1, 1), (80, 1), (1300, 13)])
def test_each_kind_of_end_is_seen_in_a_hundredth_and_at_least_once(events: int, each: int) -> None:
    told = mishaps(events)["faults"]
    assert {told[name]["times"] for name in ENDS} == {each}
    assert told["publish_lost"]["times"] <= max(3, events // 5)


def test_the_sandbox_understands_what_it_is_told() -> None:
    faults = Faults(0, {}, 60, frozenset())
    for name, setting in mishaps(100)["faults"].items():
        faults.set(name, **setting)
    shown = [sum(faults.hit(name) for _ in range(500)) for name in ENDS]
    assert shown == [1, 1, 1, 1]


def test_what_waits_is_told_by_its_kind() -> None:
    assert not Waiting()
    assert str(Waiting(applications=2, results=1)) == "2 application(s) at MOSIP, 1 result(s) for the registry"
