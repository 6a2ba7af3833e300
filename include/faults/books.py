"""Three books that share no code: the registry's tables, the ledger's tables, and what the far side made of it all."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import psycopg

_EVENTS = {
    "birth": "SELECT registration_id FROM crvs.birth_registration WHERE status = 'REGISTERED'",
    "death": "SELECT registration_id FROM crvs.death_registration WHERE status = 'REGISTERED'",
}


@dataclass
class Comparison:
    """What the books say of each other.

    :param lost: events of the registry of which no application was completed at the far side.
    :param duplicated: events, or children, with two identities, that no alarm names.
    :param unavoidable: those that an alarm names with both AIDs: somebody at MOSIP completed what had been refused.
    :param unexplained: applications of which ledger and far side do not say the same, or that one does not know.
    :param untold: events of which the registry was not told the end.
    """

    events: int = 0
    applications: int = 0
    superseded: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    unavoidable: int = 0
    unexplained: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    longest_to_settle: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def agree(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.duplicated or self.unexplained or self.untold)


def compare(registry_url: str, ledger_url: str, far_side: dict[str, Any]) -> Comparison:
    """Compare the books, once nothing is under way any more.

    :param far_side: the sandbox's record: ``aids``, each with ``result``, ``uin`` and ``action``, and ``totals``.
    """
    found = Comparison()
    seen = far_side["aids"]
    with psycopg.connect(registry_url) as registry, psycopg.connect(ledger_url) as ledger:
        events = {(kind, row[0]) for kind, query in _EVENTS.items() for row in registry.execute(query.encode())}
        told = {
            (row[0], row[1])
            for row in registry.execute(
                "SELECT kind, registration_id FROM crvs.mosip_results WHERE outcome IN ('completed', 'issued')"
            )
        }
        rows = ledger.execute(
            "SELECT kind, registration_id, aid, state, is_current, "
            "coalesce(extract(epoch FROM settled_at - triggering_at), 0) FROM applications"
        ).fetchall()
        alarmed = {
            aid
            for row in ledger.execute("SELECT subject, other FROM alarms WHERE code = 'possible_second_id'")
            for aid in row
        }
    done: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for kind, registration, aid, state, _, seconds in rows:
        found.longest_to_settle = max(found.longest_to_settle, float(seconds))
        found.outcomes[f"{kind} {state}"] += 1
        there = seen.get(aid, {})
        if there.get("result") == "PROCESSED":
            done[(kind, registration)].append(aid)
        if _differ(state, there):
            found.unexplained.append(f"{aid}: {state} here, {there.get('result')} there")
    ours = {row[2] for row in rows}
    found.unexplained += [f"{aid}: not ours" for aid, there in seen.items() if aid not in ours and there["uin"]]
    found.events, found.applications = len(events), len(rows)
    found.superseded = sum(1 for row in rows if not row[4])
    found.lost = [f"{kind} {registration}" for kind, registration in sorted(events - done.keys())]
    found.untold = [f"{kind} {registration}" for kind, registration in sorted(events - told)]
    _count_twice(found, done, alarmed, int(far_side["totals"]["children_with_two_uins"]))
    return found


def _differ(state: str, there: dict[str, Any]) -> bool:
    """Say whether ledger and far side contradict each other about an application."""
    result = there.get("result")
    if result == "PROCESSED" or state == "COMPLETED":
        return not (result == "PROCESSED" and state == "COMPLETED")
    if state in ("REJECTED", "FAILED"):
        return result not in ("REJECTED", "FAILED", "REPROCESS_FAILED")
    return state not in ("HALF_CREATED", "WITHDRAWN")


def _count_twice(
    found: Comparison, done: dict[tuple[str, str], list[str]], alarmed: set[str], children: int
) -> None:
    births = 0
    for (kind, registration), aids in done.items():
        if len(aids) < 2:
            continue
        births += kind == "birth"
        if set(aids) <= alarmed:
            found.unavoidable += 1
        else:
            found.duplicated.append(f"{kind} {registration}: {', '.join(aids)}")
    if children > births:
        found.duplicated.append(f"{children} children with two UINs, of which {births} are known by their events")


BROKEN_LINKS = b"""
    WITH linked AS (
        SELECT aid, sequence, link, sha256(
                   coalesce(lag(link) OVER (PARTITION BY aid ORDER BY sequence), ''::bytea)
                   || convert_to(jsonb_build_array(
                        aid, sequence, kind, source, code, body_sha256, occasion, moved_from, moved_to, alarm,
                        to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))::text, 'UTF8'))
               AS should_be
          FROM evidence
    )
    SELECT aid FROM linked WHERE link <> should_be
    UNION ALL
    SELECT a.aid FROM applications a LEFT JOIN (
           SELECT aid, count(*) AS rows, (array_agg(link ORDER BY sequence DESC))[1] AS head
             FROM evidence GROUP BY aid) kept USING (aid)
     WHERE a.evidence_count <> coalesce(kept.rows, 0) OR a.evidence_head <> coalesce(kept.head, ''::bytea)
     LIMIT 1
"""
"""Every link recomputed from its row and the link before, and every application's last link."""
