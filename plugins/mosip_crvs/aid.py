"""Minting AIDs: 29 digits, unique by construction.

An AID is centre(5) ‖ machine(5) ‖ sequence(5) ‖ UTC timestamp(14) (``mosip-packets.md`` §5). The last two parts are
read as one number, the *tick*: seconds since 1970 times 100,000 plus the sequence. The ledger hands out ticks that
only ever grow, for each centre and machine, so that two processes, or one process whose clock stepped back, never mint
the same AID. A burst of more than 100,000 in one second simply borrows from the next.
"""

from __future__ import annotations

from datetime import UTC, datetime

TICKS_PER_SECOND = 100_000
_CENTRE_LENGTH = _MACHINE_LENGTH = 5


def first_tick(now: datetime) -> int:
    """Give the smallest tick of the second of ``now``."""
    return int(now.timestamp()) * TICKS_PER_SECOND


def mint_aids(center_id: str, machine_id: str, start_tick: int, count: int) -> list[str]:
    """Write ``count`` AIDs for the ticks from ``start_tick`` on.

    :param center_id: five digits of a real centre: MOSIP encrypts with a key named by the AID's first ten digits.
    :param machine_id: five digits of a real machine.
    """
    check_center_and_machine(center_id, machine_id)
    aids: list[str] = []
    prefix = center_id + machine_id
    stamped_second, stamp = -1, ""
    for tick in range(start_tick, start_tick + count):
        second, sequence = divmod(tick, TICKS_PER_SECOND)
        if second != stamped_second:
            stamped_second, stamp = second, datetime.fromtimestamp(second, UTC).strftime("%Y%m%d%H%M%S")
        aids.append(f"{prefix}{sequence:05d}{stamp}")
    return aids


def tick_of(aid: str) -> int:
    """Read the tick that an AID was minted for.

    :raises ValueError: when it is not one of ours.
    """
    head = _CENTRE_LENGTH + _MACHINE_LENGTH
    moment = datetime.strptime(aid[head + 5 :], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return first_tick(moment) + int(aid[head : head + 5])


def check_center_and_machine(center_id: str, machine_id: str) -> None:
    """Refuse ids that cannot head an AID.

    :raises ValueError: with the id at fault.
    """
    for name, value, length in (
        ("center_id", center_id, _CENTRE_LENGTH),
        ("machine_id", machine_id, _MACHINE_LENGTH),
    ):
        if len(value) != length or not (value.isascii() and value.isdigit()):
            raise ValueError(
                f"{name} must be exactly {length} digits, got {value!r}: see the 'mosip' connection's extra"
            )
