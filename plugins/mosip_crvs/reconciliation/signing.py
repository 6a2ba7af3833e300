"""Signing the balances of days and keeping them, each over the day's earlier one, as long as that one still holds.

The document and what it is anchored to: :mod:`mosip_crvs.reconciliation.signed`.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict
from datetime import date

from sqlalchemy import Engine, text

from mosip_crvs.errors import EvidenceTampered, RetryLater
from mosip_crvs.ledger import alarms
from mosip_crvs.ledger.connection import one_statement, transaction
from mosip_crvs.ledger.installation import SigningKey, public_keys
from mosip_crvs.reconciliation.balance import day_balance
from mosip_crvs.reconciliation.signed import FORMAT, Signed, anchor_of
from mosip_crvs.reconciliation.terms import DayBalance
from mosip_crvs.reconciliation.verifying import check_balances

EVIDENCE_TAMPERED = "evidence_tampered"
"""The alarm of a day of which the evidence, or the balance, is not what was signed."""

_LOOK_AGAIN = 0.1
log = logging.getLogger(__name__)


def keep_signed_balance(ledger: Engine, key: SigningKey, day: date, horizon: int) -> tuple[DayBalance, Signed]:
    """Take the balance of a day as it stands, sign it and keep it, over the day's earlier one.

    :param horizon: of :func:`evidence_horizon`; one serves for many days.
    :raises EvidenceTampered: when what was signed of the day before is not so any more; the earlier one stays.
    """
    _must_hold(ledger, day)
    balance = day_balance(ledger, day)
    signed = sign(ledger, key, balance, horizon)
    keep(ledger, balance, signed)
    return balance, signed


def _must_hold(ledger: Engine, day: date) -> None:
    """Refuse to sign over the only proof that somebody changed something."""
    problems = [problem for checked in check_balances(ledger, None, day) for problem in checked.problems]
    with transaction(ledger) as connection:
        if problems:
            alarms.raise_alarm(connection, EVIDENCE_TAMPERED, day.isoformat(), details="; ".join(problems))
        else:
            alarms.clear(connection, EVIDENCE_TAMPERED, day.isoformat())
    if problems:
        log.error("The balance of %s is not signed anew: %s", day, "; ".join(problems))
        raise EvidenceTampered(f"{day}: what was signed before is not so any more: {'; '.join(problems)}")


def sign(ledger: Engine, key: SigningKey, balance: DayBalance, horizon: int) -> Signed:
    """Sign a balance.

    :param horizon: up to which number of evidence it is anchored; all that is at most this must be committed.
    """
    with transaction(ledger) as connection:
        anchor = anchor_of(connection, balance.day, horizon)
    document = json.dumps(
        {"format": FORMAT, "balance": balance.as_dict(), "anchor": asdict(anchor)},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return Signed(document, key.sign(document), key.key_id, public_keys(ledger)[key.key_id])


def keep(ledger: Engine, balance: DayBalance, signed: Signed | None = None) -> None:
    """Write a balance into the ledger, over the day's earlier one."""
    with transaction(ledger) as connection:
        connection.execute(
            _KEEP,
            {
                "day": balance.day,
                "terms": json.dumps(balance.as_dict()),
                "balanced": balance.balanced,
                "taken_at": balance.taken_at,
                "document": signed.document if signed else None,
                "signature": signed.signature if signed else None,
                "key": signed.key_id if signed else None,
            },
        )


def evidence_horizon(ledger: Engine, patience: float = 20.0) -> int:
    """Give a number of evidence up to which nothing can be added any more.

    Numbers are handed out before the commit, so that the highest one seen may have lower ones still to come, all of
    them in transactions that are writing now: those are waited for. Nothing is locked: nobody waits for us.

    :param patience: for how many seconds.
    :raises RetryLater: when one of them goes on for longer.
    """
    with one_statement(ledger) as connection:
        highest = int(connection.execute(text("SELECT coalesce(max(evidence_id), 0) FROM evidence")).scalar_one())
        writing = set(connection.execute(_WRITING).scalars())
        until = time.monotonic() + patience
        while writing:
            if time.monotonic() > until:
                raise RetryLater(f"somebody has been writing evidence for {patience:.0f} seconds and is not done")
            time.sleep(_LOOK_AGAIN)
            writing &= set(connection.execute(_WRITING).scalars())
    return highest


# Every INSERT takes this lock before it takes its number, and lets it go after its commit can be seen.
_WRITING = text(
    """
    SELECT virtualtransaction FROM pg_locks
     WHERE locktype = 'relation' AND relation = CAST('evidence' AS regclass) AND mode = 'RowExclusiveLock' AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """
)

_KEEP = text(
    """
    INSERT INTO balances (day, terms, balanced, taken_at, document, signature, key_id)
    VALUES (:day, CAST(:terms AS jsonb), :balanced, :taken_at, :document, :signature, :key)
    ON CONFLICT (day) DO UPDATE
       SET terms = EXCLUDED.terms, balanced = EXCLUDED.balanced, taken_at = EXCLUDED.taken_at,
           document = EXCLUDED.document, signature = EXCLUDED.signature, key_id = EXCLUDED.key_id
    """
)
