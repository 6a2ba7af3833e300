"""Event keys in statements: as arrays for a whole page, and as what makes two applications those of one event."""

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


SAME_EVENT = (
    "other.kind = a.kind AND other.registration_id = a.registration_id AND other.act = a.act "
    "AND other.act_number = a.act_number"
)
"""A condition on two applications, ``a`` and ``other``: they are of one event."""

ARE_RELATIVES = f"(other.supersedes IS NOT NULL OR other.superseded_by IS NOT NULL) AND {SAME_EVENT}"
"""The same, by the index over applications whose event was sent under more than one number."""
