"""What was begun and may still come: creations that MOSIP would take a second time, because nothing of them is unique.

A call that was given up here, or that a gateway answered for, may still be at work over there, where no look sees it.
So such a creation is written down before it is made, and until it is seen nobody makes it again before it had the time
to come.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from mosip_crvs.errors import StopTheRun
from mosip_crvs.onboarding.keeping import Keeping

_MARGIN_SECONDS = 30.0
"""How much longer than we wait for an answer a call may go on changing something."""
_LOOK_SECONDS = 2.0


def begin(keeping: Keeping, item: str) -> None:
    """Write down that something is being made, or that it was given up now."""
    keeping.begin(item, datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds"))


def seconds_left(keeping: Keeping, item: str, timeout: float) -> float:
    """Say for how many seconds what was begun may still come; not positive when nothing is expected any more.

    :param timeout: of our calls, in seconds.
    :raises StopTheRun: when what was written down is no moment.
    """
    moment = keeping.begun.get(item)
    if moment is None:
        return 0.0
    try:
        begun = datetime.fromisoformat(moment).timestamp()
    except ValueError:
        raise StopTheRun(f"begun.{item} in {keeping.environment}.state.json is no moment: {moment!r}") from None
    now = time.time()
    if begun > now:  # the clock was set back: count from now on, or nobody knows how long this would wait
        begin(keeping, item)
        begun = now
    return begun + timeout + _MARGIN_SECONDS - now


def pause(seconds: float) -> None:
    """Wait before the next look.

    :param seconds: that are left.
    """
    time.sleep(min(seconds, _LOOK_SECONDS))
