"""Tempers: which faults show together for a while, and how often. Drawn from the campaign's seed."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from typing import Any

USUAL = 0.03
OFTEN = 0.25
"""How often a fault shows that has not shown often enough yet."""
TOGETHER = 9

NOT_HERE: Mapping[str, str] = {
    "create_slow": "as answer_slow, at the packet manager",
}
"""Faults that a campaign leaves to tests, and why."""

_SECONDS: Mapping[str, float] = {
    "create_slow": 0.3, "trigger_slow": 0.3, "throttle_429": 0.2, "event_delay": 1.0, "event_reorder": 0.3,
    "credential_delay": 1.0, "delivery_delay": 0.2, "challenge_delay": 0.5, "status_slow": 0.4, "gateway_504": 0.1,
    "answer_slow": 0.3, "slow_loris": 0.4,
}  # fmt: skip
_SHARE: Mapping[str, float] = {
    "reject": 0.02, "fail": 0.02, "reprocess_failed": 0.02, "pause": 0.01, "half_created": 0.01,
    "half_created_recovers": 0.02, "events_off": 1.0, "polling_forbidden": 1.0, "status_poison": 0.02,
    "hub_drop": 0.01, "registered_not_flowing": 0.2, "subscribe_500": 0.3, "subscribe_silent": 0.2,
    "publish_denied": 0.2, "datashare_gone": 0.02, "datashare_internal": 0.01, "delivery_delay": 0.01,
}  # fmt: skip
"""Those of which more, or less, than the usual is enough; some are for a whole while or not at all."""


def draw(chance: random.Random, faults: Collection[str], lacking: Collection[str]) -> dict[str, Any]:
    """Give the faults of a while, as the sandbox takes them.

    :param lacking: those that have shown too rarely so far: they come first, and often.
    """
    usable = [name for name in sorted(faults) if name not in NOT_HERE]
    wanted = [name for name in sorted(lacking) if name in usable]
    chosen = chance.sample(wanted, min(len(wanted), TOGETHER // 2))
    chosen += [name for name in chance.sample(usable, TOGETHER) if name not in chosen][: TOGETHER - len(chosen)]
    return {name: _setting(name, OFTEN if name in wanted else None) for name in chosen}


def _setting(name: str, often: float | None) -> dict[str, Any]:
    share = _SHARE.get(name, USUAL)
    setting: dict[str, Any] = {"probability": max(share, often or 0.0)}
    if often and share < OFTEN:
        setting["times"] = 25
    if name in _SECONDS:
        setting["seconds"] = _SECONDS[name]
    return setting
