"""Event keys as the arrays that one statement takes for a whole page."""

from __future__ import annotations

from collections.abc import Sequence

from mosip_crvs.model import EventKey


def key_arrays(keys: Sequence[EventKey]) -> dict[str, list[object]]:
    """Give the parameters ``ids``, ``acts`` and ``numbers`` for ``unnest``, in the order of the keys."""
    return {
        "ids": [key.registration_id for key in keys],
        "acts": [str(key.act) for key in keys],
        "numbers": [key.act_number for key in keys],
    }
