"""Asking masterdata whether a day is a holiday of our centre (``mosip-onboarding.md`` §2).

It is the very question that MOSIP asks itself about every packet, by the packet's day in UTC. The client that sends may
often not ask it: masterdata has an audience list of its own. So any answer but a clear one means that nobody knows.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from mosip_crvs.errors import MosipCrvsError
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.masterdata import CENTER_AT
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource

LOOK_SECONDS = 2.5
"""For connecting, and again for the answer: a night is not held up by a question that has other answers."""

_VERDICTS = {"Valid": False, "Invalid": True}


def holiday_on(calls: SingleCalls, tokens: TokenSource, settings: MosipSettings, day: date) -> bool | None:
    """Ask whether packets that are created on a day will fail; never raises.

    :return: True on a holiday; None when masterdata is not there, does not let us ask, or does not say.
    """
    try:
        reply = calls.send(
            CENTER_AT.method,
            CENTER_AT.path(center=settings.center_id, language=settings.language, moment=noon_of(day)),
            token=tokens.get(),
            timeout=min(LOOK_SECONDS, settings.timeout),
        )
    except MosipCrvsError:
        return None
    return _verdict(reply.body) if reply.status == 200 else None


def noon_of(day: date) -> str:
    """Write the moment by which masterdata is asked about a day, which is UTC's."""
    return f"{day.isoformat()}T12:00:00.000Z"


def _verdict(body: bytes) -> bool | None:
    """Read the answer. Errors come with HTTP 200, too."""
    try:
        payload: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(payload, dict) or payload.get("errors"):
        return None
    return holiday_in(payload.get("response"))


def holiday_in(response: Any) -> bool | None:
    """Read masterdata's word on a day; None when it is not a clear one."""
    status = response.get("status") if isinstance(response, dict) else None
    return _VERDICTS.get(status) if isinstance(status, str) else None
