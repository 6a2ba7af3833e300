"""The end of a batch: was all of it read and sent, and was too much of it quarantined."""

from __future__ import annotations

import logging

from sqlalchemy import Engine

from mosip_crvs.errors import QuarantineShareExceeded
from mosip_crvs.ledger import batches
from mosip_crvs.ledger.sending import NOT_READ_AGAIN
from mosip_crvs.model import RegistrationKind
from mosip_crvs.reconciliation.recount import recount
from mosip_crvs.registry.extract import Extract

log = logging.getLogger(__name__)
SMALLEST_JUDGED = 50
"""Batches of fewer events are not judged by shares: three bad records out of four say nothing of the mapping."""


def close_batch(
    ledger: Engine, kind: str, batch_id: int, max_quarantine_share: float, *, extract: Extract | None = None
) -> str:
    """Close what is finished; give a line for the log.

    A batch that only waits for a working day is in order: it stays open, and the line says until when.

    :param extract: the registry, which is asked for its own count of what should have been read; None to ask nobody.

    :raises BatchIncomplete: when ranges are left.
    :raises QuarantineShareExceeded: when more than the share was quarantined. The good ones were sent all the same.
    """
    batches.finish_batches(ledger, RegistrationKind(kind))
    hold = batches.check_finished(ledger, batch_id)
    if extract is not None:
        for sentence in recount(ledger, extract, RegistrationKind(kind), batch_id):
            log.error("ALARM unread: %s", sentence)
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
            f"the next run from {hold.until} (UTC) on sends its {held:,} applications"
        )
    left, _ = batches.held_of(ledger, batch_id, NOT_READ_AGAIN)
    if left:
        log.error(
            "ALARM not_read_again: a holiday held %d applications of batch %d, and the registry does not give their "
            "registrations any more, or they are not eligible now: look at each, it has an AID and was never sent",
            left,
            batch_id,
        )
    return f"batch {batch_id} is closed: {read} events read, {quarantined} in quarantine"
