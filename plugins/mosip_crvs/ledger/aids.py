"""Handing out AIDs: ticks that only grow, for each centre and machine (see :mod:`mosip_crvs.aid`)."""

from __future__ import annotations

from sqlalchemy import Engine, text

from mosip_crvs.aid import TICKS_PER_SECOND, mint_aids
from mosip_crvs.ledger.connection import transaction

_TAKE = text(
    f"""
    INSERT INTO aid_clocks AS clock (center_id, machine_id, last_tick)
    VALUES (
        :center_id, :machine_id, floor(extract(epoch FROM clock_timestamp()))::bigint * {TICKS_PER_SECOND} + :count - 1
    )
    ON CONFLICT (center_id, machine_id) DO UPDATE
       SET last_tick = greatest(
           clock.last_tick + 1, floor(extract(epoch FROM clock_timestamp()))::bigint * {TICKS_PER_SECOND}
       ) + :count - 1
    RETURNING last_tick
    """  # noqa: S608 (a constant)
)


def take_aids(engine: Engine, center_id: str, machine_id: str, count: int) -> list[str]:
    """Hand out AIDs that nobody else was or will be given.

    They are committed before they are returned, in a transaction of their own, so that tasks do not wait for each
    other's claims. One that is not used in the end is simply never seen again.
    """
    if count == 0:
        return []
    with transaction(engine) as connection:
        last = connection.execute(
            _TAKE, {"center_id": center_id, "machine_id": machine_id, "count": count}
        ).scalar_one()
    return mint_aids(center_id, machine_id, last - count + 1, count)
