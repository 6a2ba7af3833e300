"""Giving meaning to the inbox: each notification settles an application, waits for one, or concerns somebody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from mosip_crvs.ledger import evidence, inbox
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.evidence import EvidenceRow
from mosip_crvs.ledger.inbox import InboxRow
from mosip_crvs.settlement.events import UnreadableEvent, WorkflowEvent, read_event
from mosip_crvs.settlement.rules import settle

PAGE_SIZE = 1000


def settle_inbox(ledger: Engine, own_prefix: str) -> Counter[str]:
    """Work the inbox off, a page a transaction; safe to run twice at once, to kill and to repeat.

    Parked notifications are looked at again: their application may have come in the meantime.

    :param own_prefix: centre and machine, the first ten digits of our AIDs. MOSIP announces the results of the whole
        country; of the unknown ones only those that could be ours are parked, the rest is forgotten.
    :return: counts by what became of them, and of alarms.
    """
    tally: Counter[str] = Counter()
    for states in (("parked",), ("new",)):
        after = 0
        while True:
            with transaction(ledger) as connection:
                rows = inbox.take_page(connection, states, after, PAGE_SIZE)
                if not rows:
                    break
                tally.update(_settle_page(connection, rows, own_prefix))
            after = rows[-1].inbox_id
    return tally


def _settle_page(connection: Connection, rows: Sequence[InboxRow], own_prefix: str) -> Counter[str]:
    became: dict[int, str] = {}
    problems: dict[int, str] = {}
    readable: list[tuple[InboxRow, WorkflowEvent]] = []
    for row in rows:
        try:
            readable.append((row, read_event(row.topic, row.body)))
        except UnreadableEvent as problem:
            became[row.inbox_id], problems[row.inbox_id] = "unreadable", str(problem)

    before = evidence.lock_states(connection, {event.aid for _, event in readable})
    now = dict(before)
    facts: list[EvidenceRow] = []
    for row, event in readable:
        state = now.get(event.aid)
        if state is None:
            became[row.inbox_id] = "parked" if event.aid.startswith(own_prefix) else "foreign"
            continue
        verdict = settle(state, event.kind)
        now[event.aid] = verdict.state
        became[row.inbox_id] = "settled"
        facts.append(
            EvidenceRow(
                event.aid, event.kind, row.topic, event.code, row.body_sha256, row.received_at, state, verdict.state,
                verdict.alarm,
            )
        )  # fmt: skip
    evidence.move(connection, {aid: state for aid, state in now.items() if state is not before[aid]})
    new_facts = evidence.append(connection, facts)
    inbox.close(connection, became, problems)
    tally = Counter(became.values())
    tally["repeated"] += len(facts) - new_facts
    tally.update(f"alarm_{fact.alarm}" for fact in facts if fact.alarm)
    return tally
