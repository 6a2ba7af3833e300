"""Results back to the registry: what is due in the outbox is written by the country's SQL, and noted as delivered.

The registry commits first, the ledger second. Whoever is killed in between writes the same once more, which changes
nothing: every result has a version and the registry keeps the highest. While the registry is away results wait.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Engine

from mosip_crvs.errors import MosipCrvsError, ResultRefused, ResultSqlError, RetryLater, StopTheRun
from mosip_crvs.ledger import alarms, results
from mosip_crvs.ledger.connection import clock, transaction
from mosip_crvs.ledger.results import DueResult
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.reconciliation.wording import sentence
from mosip_crvs.registry.results import RegistryResult, ResultsWriter

PAGE_SIZE = 200
SHORTEST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
OVERDUE_AFTER = timedelta(days=1)
NOT_DELIVERED = "results_not_delivered"
"""The alarm of results that have waited for a day."""

log = logging.getLogger(__name__)

Pair = tuple[DueResult, RegistryResult]


def deliver_results(ledger: Engine, seal: Seal, writer: ResultsWriter, now: datetime | None = None) -> Counter[str]:
    """Deliver what is due, a page a transaction of the registry; safe to run twice at once, to kill and to repeat.

    A result that the registry does not take is tried alone, so that it keeps no other one waiting, and again after a
    while. When the registry is away, or takes nothing of a whole page, the rest waits for the next run.

    :param now: what is due by then is delivered; the ledger's own time if not given.
    :return: counts: ``delivered``, ``refused``, ``postponed`` (the registry was away) and ``overdue`` (for a day).
    :raises ResultSqlError: when the SQL is wrong, whatever the result.
    """
    delivery = _Delivery(ledger, seal, writer, now or clock(ledger))
    tally: Counter[str] = Counter()
    try:
        while page := delivery.take():
            told = delivery.deliver(page)
            tally.update(told)
            if told["postponed"] or not told["delivered"]:
                break
    finally:
        tally["overdue"] = _alarm(ledger, delivery.now)
    return tally


def number_waiting(ledger: Engine) -> int:
    """Count the results that the registry does not have yet."""
    with transaction(ledger) as connection:
        return results.waiting(connection)


def wait_after(tries: int) -> timedelta:
    """Say how long a result waits that was tried in vain so many times."""
    return min(SHORTEST_WAIT * (1 << min(tries - 1, 10)), LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class _Delivery:
    ledger: Engine
    seal: Seal
    writer: ResultsWriter
    now: datetime

    def take(self) -> list[DueResult]:
        with transaction(self.ledger) as connection:
            return results.take_due(connection, PAGE_SIZE, self.now)

    def deliver(self, page: Sequence[DueResult]) -> Counter[str]:
        """Write a page; of one that the registry does not take, each result alone."""
        pairs, tally = self._worded(page)
        if not pairs:
            return tally
        problem = self._attempt(pairs)
        if isinstance(problem, ResultRefused) and len(pairs) > 1:
            return tally + self._alone(pairs)
        return tally + self._note([row for row, _ in pairs], problem)

    def _alone(self, pairs: Sequence[Pair]) -> Counter[str]:
        tally: Counter[str] = Counter()
        for place, pair in enumerate(pairs):
            problem = self._attempt([pair])
            if problem is not None and not isinstance(problem, ResultRefused):
                return tally + self._note([row for row, _ in pairs[place:]], problem)
            tally += self._note([pair[0]], problem)
        return tally

    def _worded(self, page: Sequence[DueResult]) -> tuple[list[Pair], Counter[str]]:
        """Put results into words; this is the only moment at which an identifier is open."""
        pairs: list[Pair] = []
        tally: Counter[str] = Counter()
        for row in page:
            try:
                pairs.append((row, self._told(row)))
            except StopTheRun as problem:
                tally += self._note([row], ResultRefused(str(problem)))
        return pairs, tally

    def _told(self, row: DueResult) -> RegistryResult:
        sealed = row.sealed_identifier if self.writer.takes_identifiers else None
        return RegistryResult(
            row.kind,
            row.key,
            row.aid,
            row.outcome,
            row.code,
            sentence(row.outcome, row.code),
            row.identifier_kind,
            None if sealed is None else self.seal.open(sealed),
            row.version,
            row.changed_at,
        )

    def _attempt(self, pairs: Sequence[Pair]) -> MosipCrvsError | None:
        try:
            self.writer.write([told for _, told in pairs])
        except (ResultRefused, ResultSqlError, RetryLater) as problem:
            return problem
        return None

    def _note(self, rows: Sequence[DueResult], problem: MosipCrvsError | None) -> Counter[str]:
        """Keep what came of an attempt, and count it."""
        with transaction(self.ledger) as connection:
            if problem is None:
                results.delivered(connection, rows)
                return Counter(delivered=len(rows))
            for tries, alike in groupby(sorted(rows, key=lambda row: row.tries), key=lambda row: row.tries):
                next_try_at = self.now + wait_after(tries + 1)
                results.failed(connection, list(alike), str(problem), next_try_at)
        if isinstance(problem, ResultSqlError):
            raise problem
        if isinstance(problem, RetryLater):
            log.warning("%d results wait: %s", len(rows), problem)
            return Counter(postponed=len(rows))
        for row in rows:
            log.error("The result of application %s waits: %s", row.aid or "(none yet)", problem)
        return Counter(refused=len(rows))


def _alarm(ledger: Engine, now: datetime) -> int:
    with transaction(ledger) as connection:
        late = results.overdue(connection, now - OVERDUE_AFTER)
        if late.since is None:
            alarms.clear(connection, NOT_DELIVERED, "registry")
        else:
            details = f"{late.rows} results, the oldest of {late.since.isoformat(timespec='minutes')}"
            alarms.raise_alarm(connection, NOT_DELIVERED, "registry", details=details)
    return late.rows
