"""From a number of the balance to what it counts: AIDs and codes, or, where there is no application, rules and fields.

Never people: a registration's number is not given either. The AID leads to it in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine, text

from mosip_crvs.ledger.connection import transaction
from mosip_crvs.model import RegistrationKind
from mosip_crvs.reconciliation.standing import AGE_OF, CENTER_OF, COUNTED, REASON_OF, SENT_TERMS, TERM_OF, TERMS

LAST, EARLIER, ALL = "last", "earlier", "all"
KINDS = (*RegistrationKind, "all")
BY_RULE = ("read", "known", "not_eligible", "quarantined")
"""Terms of readings. They are listed by rule and field."""
BY_AID = ("held", "submitted", *SENT_TERMS)
"""Terms of applications. They are listed one by one."""
UNEXPLAINED = "unexplained"
"""Listed one by one where there is an application, and counted by what is wrong."""
LISTED = (*BY_RULE, *BY_AID, UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class Spot:
    """A number of a day's balance.

    :param kind: ``birth``, ``death`` or ``all``.
    :param term: one of :data:`LISTED`.
    :param syncs: of which syncs of the day: the ``last`` of each kind, the ``earlier`` ones, or ``all``.
    :param reason: a key of :data:`~mosip_crvs.reconciliation.standing.REASONS`, or the code of what is held.
    :param age: a key of :data:`~mosip_crvs.reconciliation.standing.AGES`.
    """

    day: date
    kind: str
    term: str
    syncs: str = ALL
    center: str | None = None
    reason: str | None = None
    age: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One application.

    :param number: counts applications; the next page goes on after the last one's.
    :param reason: why it is held or not settled; empty when it is settled.
    :param code: MOSIP's newest code for why, if it gave one.
    :param since: when it was submitted, or claimed if it was not.
    """

    number: int
    aid: str
    kind: str
    state: str
    reason: str
    code: str
    age: str
    since: datetime
    superseded_by: str


@dataclass(frozen=True, slots=True)
class Share:
    """Readings without an application of their batch, of one sort.

    :param what: a rule's code, or what became of an event that was known. :param field: where, if anywhere.
    """

    what: str
    field: str
    count: int


def applications_at(ledger: Engine, spot: Spot, *, after: int = 0, limit: int = 100) -> list[Entry]:
    """List a page of the applications that a number counts, in the order of their claims.

    :param after: the number of the last entry of the page before.
    """
    if spot.term not in (*BY_AID, UNEXPLAINED):
        return []
    statement = text(_UNMATCHED_APPLICATIONS if spot.term == UNEXPLAINED else _APPLICATIONS)
    terms = SENT_TERMS if spot.term == "submitted" else (spot.term,)
    with transaction(ledger) as connection:
        rows = connection.execute(
            statement,
            {
                "batches": _batches(connection, spot),
                "terms": list(terms),
                "states": sorted({str(state) for term in terms for state in TERMS.get(term, ())}),
                "center": spot.center,
                "reason": spot.reason,
                "age": spot.age,
                "after": after,
                "limit": limit,
            },
        )
        return [Entry(*row) for row in rows]


def all_applications_at(ledger: Engine, spot: Spot, page_size: int = 1_000) -> Iterator[Entry]:
    """List all of them, with one page in memory at a time."""
    after = 0
    while page := applications_at(ledger, spot, after=after, limit=page_size):
        yield from page
        after = page[-1].number


def readings_at(ledger: Engine, spot: Spot) -> list[Share]:
    """Count the readings that a number counts, by rule and field; an event that breaks two rules is in both counts."""
    statements = {
        "read": _READ,
        "known": _KNOWN,
        "not_eligible": _NOT_ELIGIBLE,
        "quarantined": _QUARANTINED,
        UNEXPLAINED: _UNEXPLAINED,
    }
    if spot.term not in statements:
        return []
    with transaction(ledger) as connection:
        values = {"batches": _batches(connection, spot)}
        return [Share(*row) for row in connection.execute(text(statements[spot.term]), values)]


def _batches(connection: Connection, spot: Spot) -> list[int]:
    """Give the batches of a spot's syncs."""
    rows = connection.execute(_BATCHES, {"day": spot.day, "kind": spot.kind})
    wanted = {LAST: {True}, EARLIER: {False}}.get(spot.syncs, {True, False})
    return [row.batch_id for row in rows if row.is_last in wanted]


_BATCHES = text(
    """
    SELECT batch_id, batch_id = max(batch_id) OVER (PARTITION BY kind) AS is_last
      FROM batches WHERE day = :day AND CAST(:kind AS text) IN (kind, 'all')
    """
)

_ENTRY = f"""
    a.application_id, a.aid, a.kind, a.state, coalesce({REASON_OF}, ''),
    coalesce((SELECT e.code FROM evidence e WHERE e.aid = a.aid AND e.code IS NOT NULL
               ORDER BY e.sequence DESC LIMIT 1), ''),
    {AGE_OF}, coalesce(a.triggering_at, a.claimed_at), coalesce(a.superseded_by, '')
"""  # noqa: S608 (constants of standing.py)

_APPLICATIONS = f"""
    SELECT {_ENTRY}
      FROM applications a
     WHERE a.batch_id = ANY(:batches) AND a.state = ANY(:states) AND {TERM_OF} = ANY(:terms) AND {COUNTED}
       AND (CAST(:center AS text) IS NULL OR {CENTER_OF} = :center)
       AND (CAST(:reason AS text) IS NULL OR {REASON_OF} = :reason)
       AND (CAST(:age AS text) IS NULL OR {AGE_OF} = :age)
       AND a.application_id > :after
     ORDER BY a.application_id LIMIT :limit
"""  # noqa: S608

_WITHOUT_READING = """
    a.batch_id = ANY(:batches) AND NOT EXISTS (
        SELECT 1 FROM readings r
         WHERE r.batch_id = a.batch_id AND r.registration_id = a.registration_id AND r.act = a.act
           AND r.act_number = a.act_number AND r.outcome = 'claimed')
"""

_UNMATCHED_APPLICATIONS = f"""
    SELECT {_ENTRY} FROM applications a
     WHERE {_WITHOUT_READING} AND a.application_id > :after ORDER BY a.application_id LIMIT :limit
"""  # noqa: S608

_READ = """
    SELECT outcome, '', count(*) FROM readings WHERE batch_id = ANY(:batches) GROUP BY 1 ORDER BY 3 DESC, 1
"""

_KNOWN = f"""
    SELECT what, '', CAST(sum(n) AS bigint) FROM (
        SELECT coalesce('NOW_' || a.state, 'APPLICATION_GONE') AS what, count(*) AS n
          FROM readings r JOIN batches b USING (batch_id)
          LEFT JOIN applications a ON a.kind = b.kind AND a.registration_id = r.registration_id AND a.act = r.act
               AND a.act_number = r.act_number AND a.is_current
         WHERE r.batch_id = ANY(:batches) AND r.outcome = 'known' GROUP BY 1
        UNION ALL
        SELECT 'WITHDRAWN', count(*) FROM applications a
         WHERE a.batch_id = ANY(:batches) AND a.state = 'WITHDRAWN' AND {COUNTED} HAVING count(*) > 0
    ) known GROUP BY 1 ORDER BY 3 DESC, 1
"""  # noqa: S608

_NOT_ELIGIBLE = """
    SELECT 'NOT_ELIGIBLE', '', count(*) FROM readings WHERE batch_id = ANY(:batches) AND outcome = 'not_eligible'
    HAVING count(*) > 0
"""

_QUARANTINED = """
    SELECT coalesce(q.rule, 'CORRECTED_SINCE'), coalesce(q.field, ''), count(*)
      FROM readings r JOIN batches b USING (batch_id)
      LEFT JOIN quarantine q ON q.kind = b.kind AND q.registration_id = r.registration_id AND q.act = r.act
           AND q.act_number = r.act_number AND (q.batch_id = r.batch_id OR q.resolved_at IS NULL)
     WHERE r.batch_id = ANY(:batches) AND r.outcome = 'quarantined' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""

_UNEXPLAINED = f"""
    SELECT * FROM (
        SELECT 'READING_WITHOUT_APPLICATION' AS what, '' AS field, count(*) AS n FROM readings r
         WHERE r.batch_id = ANY(:batches) AND r.outcome = 'claimed' AND NOT EXISTS (
               SELECT 1 FROM applications a
                WHERE a.batch_id = r.batch_id AND a.registration_id = r.registration_id AND a.act = r.act
                  AND a.act_number = r.act_number)
        UNION ALL
        SELECT 'APPLICATION_WITHOUT_READING', '', count(*) FROM applications a WHERE {_WITHOUT_READING}
        UNION ALL
        SELECT 'UNREAD', kind, max(unread) FROM batches WHERE batch_id = ANY(:batches) GROUP BY kind
    ) unexplained WHERE n > 0 ORDER BY 1
"""  # noqa: S608
