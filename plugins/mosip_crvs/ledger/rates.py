"""One rate limit for all tasks together, kept where all of them look: a row of the ledger.

The row says when the next event may be sent. A task reserves a handful of events at once, which moves that moment on,
and is told when its handful begins. It also says until when MOSIP asked for quiet.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import transaction

_GATE = "mosip"


@dataclass(frozen=True, slots=True)
class Reservation:
    """When a reserved handful of events may begin.

    :param wait: seconds from now; :param spacing: seconds between its events.
    """

    wait: float
    spacing: float


_RESERVE = text(
    """
    INSERT INTO rate_gates AS gate (gate, next_free)
    VALUES (:gate, extract(epoch FROM clock_timestamp()) + :length)
    ON CONFLICT (gate) DO UPDATE
       SET next_free = greatest(
           gate.next_free, gate.paused_until, extract(epoch FROM clock_timestamp())
       ) + :length
    RETURNING next_free - :length - extract(epoch FROM clock_timestamp()) AS wait
    """
)


def reserve(engine: Engine, events: int, per_second: float) -> Reservation:
    """Reserve the right to send some events.

    :param per_second: the ceiling for all tasks together; with 0 only pauses are obeyed.
    """
    spacing = 1.0 / per_second if per_second > 0 else 0.0
    with transaction(engine) as connection:
        wait = connection.execute(_RESERVE, {"gate": _GATE, "length": spacing * events}).scalar_one()
    return Reservation(max(0.0, float(wait)), spacing)


def pause(engine: Engine, seconds: float) -> None:
    """Ask all tasks to send nothing for some seconds, because MOSIP asked for it or is overwhelmed."""
    with transaction(engine) as connection:
        connection.execute(
            text(
                """
                INSERT INTO rate_gates AS gate (gate, next_free, paused_until)
                VALUES (:gate, 0, extract(epoch FROM clock_timestamp()) + :seconds)
                ON CONFLICT (gate) DO UPDATE
                   SET paused_until = greatest(gate.paused_until, extract(epoch FROM clock_timestamp()) + :seconds)
                """
            ),
            {"gate": _GATE, "seconds": seconds},
        )
