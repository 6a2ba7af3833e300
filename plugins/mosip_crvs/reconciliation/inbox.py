"""Giving meaning to the inbox: each notification settles an application, waits for one, or concerns somebody else."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine

from mosip_crvs.errors import LedgerRefused
from mosip_crvs.ledger import alarms, facts, inbox
from mosip_crvs.ledger.connection import repeated_when_busy, transaction
from mosip_crvs.ledger.evidence import Fact
from mosip_crvs.ledger.inbox import InboxRow
from mosip_crvs.reconciliation import credentials
from mosip_crvs.settlement.events import UnreadableEvent, WorkflowEvent, read_event
from mosip_crvs.settlement.rules import HALF_CREATED_AFTER, EvidenceKind

PAGE_SIZE = 1000
log = logging.getLogger(__name__)
PARKED, UNREADABLE = "parked", "unreadable"
INBOX = "inbox"
"""The subject of both alarms."""


def settle_inbox(ledger: Engine, own_prefix: str, grace: timedelta = HALF_CREATED_AFTER) -> Counter[str]:
    """Work the inbox off, a page a transaction; safe to run twice at once, to kill and to repeat.

    Parked notifications are looked at again: their application may have come in the meantime.

    :param own_prefix: centre and machine, the first ten digits of our AIDs. MOSIP announces the results of the whole
        country; of the unknown ones only those that could be ours are parked, the rest is forgotten.
    :param grace: after which an application that MOSIP noted and did not begin is half-created.
    :return: counts by what became of them, and of alarms.
    """
    tally: Counter[str] = Counter()
    for states in (("parked",), ("new",)):
        desk = _Desk(ledger, states, own_prefix, grace)
        while (counts := desk.next_page()) is not None:
            tally.update(counts)
    _alarm(ledger, tally)
    return tally


@dataclass
class _Desk:
    """Works off the notifications of some states, page by page; one that the ledger refuses holds up no other."""

    ledger: Engine
    states: Sequence[str]
    own_prefix: str
    grace: timedelta
    after: int = 0
    alone_until: int = 0

    def next_page(self) -> Counter[str] | None:
        """Settle the next page; None when there is none."""
        size = 1 if self.after < self.alone_until else PAGE_SIZE
        try:
            return repeated_when_busy(lambda: self._settle(size))
        except LedgerRefused as problem:
            if size > 1:
                self.alone_until = self.after + PAGE_SIZE
                return Counter()
            return self._set_aside(str(problem))

    def _settle(self, size: int) -> Counter[str] | None:
        with transaction(self.ledger) as connection:
            rows = inbox.take_page(connection, self.states, self.after, size)
            counts = _settle_page(connection, rows, self.own_prefix, self.grace) if rows else None
        self.after = rows[-1].inbox_id if rows else self.after
        return counts

    def _set_aside(self, problem: str) -> Counter[str]:
        """Put the one notification aside that cannot be settled; a person must look at it."""
        log.error("A notification cannot be settled, and is set aside in the inbox: %s", problem)
        with transaction(self.ledger) as connection:
            (row,) = inbox.take_page(connection, self.states, self.after, 1)
            inbox.close(connection, {row.inbox_id: UNREADABLE}, {row.inbox_id: problem})
        self.after = row.inbox_id
        return Counter({UNREADABLE: 1})


def _alarm(ledger: Engine, tally: Counter[str]) -> None:
    """Tell of results under our numbers that nobody here sent, and of bodies of a shape that nobody knows."""
    with transaction(ledger) as connection:
        parked = inbox.count_parked(connection)
        if parked:
            alarms.raise_alarm(connection, PARKED, INBOX, details=f"{parked} results")
        else:
            alarms.clear(connection, PARKED, INBOX)
        if tally["unreadable"]:
            alarms.raise_alarm(connection, UNREADABLE, INBOX, details=f"{tally['unreadable']} notifications")


def _settle_page(connection: Connection, rows: Sequence[InboxRow], own_prefix: str, grace: timedelta) -> Counter[str]:
    became: dict[int, str] = {}
    problems: dict[int, str] = {}
    readable: list[tuple[InboxRow, WorkflowEvent]] = []
    for row in rows:
        try:
            readable.append((row, read_event(row.topic, row.body)))
        except UnreadableEvent as problem:
            became[row.inbox_id], problems[row.inbox_id] = "unreadable", str(problem)

    said = [
        Fact(event.aid, event.kind, row.topic, event.code, row.body_sha256, row.received_at) for row, event in readable
    ]
    recorded = facts.record(connection, said, grace)
    announced = [(row, event) for row, event in readable if event.kind is EvidenceKind.CREDENTIAL_ISSUED]
    problems |= credentials.announce(connection, [each for each in announced if each[1].aid not in recorded.unknown])
    for row, event in readable:
        if event.aid not in recorded.unknown:
            became[row.inbox_id] = "settled"
        else:
            became[row.inbox_id] = "parked" if event.aid.startswith(own_prefix) else "foreign"
    inbox.close(connection, became, problems)
    return Counter(became.values()) + recorded.tally
