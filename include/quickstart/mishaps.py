"""What goes wrong at the demo's MOSIP, as it does at everybody's: a few of each, so that each kind of end is seen."""

from __future__ import annotations

from typing import Any

from quickstart import local_http

ENDS = ("reject", "fail", "reprocess_failed", "pause")
"""One application in a hundred, and at least one, ends in each of these ways: see the sandbox's README."""

LOST_SHARE = 0.15
"""The broker is down when the first results are published: this share of the number of events is lost for good."""


def mishaps(events: int) -> dict[str, Any]:
    """What to tell the sandbox for so many events of the registry."""
    each = max(1, events // 100)
    ends = {name: {"probability": 0.1, "times": each} for name in ENDS}
    lost = {"probability": 1.0, "times": max(3, int(events * LOST_SHARE))}
    return {"faults": {**ends, "publish_lost": lost}}


def let_happen(mosip_url: str, events: int) -> None:
    """Tell the sandbox."""
    local_http.post(f"{mosip_url}/sandbox/faults", mishaps(events), seconds=30.0)
