"""The end of a batch: was all of it read and sent, and was too much of it quarantined."""

from __future__ import annotations

from sqlalchemy import Engine

from mosip_crvs.errors import QuarantineShareExceeded
from mosip_crvs.ledger import batches
from mosip_crvs.model import RegistrationKind

SMALLEST_JUDGED = 50
"""Batches of fewer events are not judged by shares: three bad records out of four say nothing of the mapping."""


def close_batch(ledger: Engine, kind: str, batch_id: int, max_quarantine_share: float) -> str:
    """Close what is finished; give a line for the log.

    A batch that only waits for a working day is in order: it stays open, and the line says until when.

    :raises BatchIncomplete: when ranges are left.
    :raises QuarantineShareExceeded: when more than the share was quarantined. The good ones were sent all the same.
    """
    batches.finish_batches(ledger, RegistrationKind(kind))
    hold = batches.check_finished(ledger, batch_id)
    read, quarantined = batches.quarantine_share(ledger, batch_id)
    if read >= SMALLEST_JUDGED and quarantined > max_quarantine_share * read:
        raise QuarantineShareExceeded(
            f"batch {batch_id}: {quarantined} of {read} events are quarantined, more than {max_quarantine_share:.0%}: "
            "compare the registry's columns and codes with include/mappings (the quarantine names fields and rules)"
        )
    if hold is not None:
        held, center = batches.held_of(ledger, batch_id, hold.code)
        return (
            f"batch {batch_id} is HELD: {hold.on} is a holiday of centre {center}; "
            f"the next run from {hold.until} on sends its {held:,} applications"
        )
    return f"batch {batch_id} is closed: {read} events read, {quarantined} in quarantine"
