"""What the registry is to be told of each event: an outbox, one row an event, due while the registry is behind.

The words are posted in the transactions that make them true. A row's version grows only when its words change, so that
the registry can keep the highest and take a repetition, or an older word that comes late, for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from mosip_crvs.ledger.keys import key_arrays
from mosip_crvs.model import Act, ApplicationState, EventKey, Finding, RegistrationKind, ResultOutcome
from mosip_crvs.settlement.rules import SUCCESSES, EvidenceKind

OUTCOMES: dict[ApplicationState, ResultOutcome] = {
    ApplicationState.AID_ASSIGNED: ResultOutcome.SENT,
    ApplicationState.TRIGGERING: ResultOutcome.SENT,
    ApplicationState.TRIGGERED: ResultOutcome.SENT,
    ApplicationState.HALF_CREATED: ResultOutcome.SENT,
    ApplicationState.AWAITING_INFO: ResultOutcome.INFORMATION_REQUIRED,
    ApplicationState.FAILED: ResultOutcome.UPDATES_REQUIRED,
    ApplicationState.REJECTED: ResultOutcome.UPDATES_REQUIRED,
    ApplicationState.COMPLETED: ResultOutcome.COMPLETED,
}
"""What is told of an application by its state. Of a withdrawn one nothing: another is current. A half-created one is
sent again by itself: no registrar can mend it."""

LEASE = timedelta(minutes=5)
"""How long a run has the rows that it took for itself; when it was killed, they are due again after that."""

FINDINGS_TOLD = 5

REVOKED_SUCCESS = "REVOKED_SUCCESS"
"""Our code for what MOSIP had completed and refuses now. It is not sent again, so no correction mends it."""

# While a correction of the registry can still decide, its findings are the newest word.
_CORRECTABLE = [
    str(state)
    for state in (
        ApplicationState.AID_ASSIGNED,
        ApplicationState.HALF_CREATED,
        ApplicationState.FAILED,
        ApplicationState.REJECTED,
    )
]

# The stage that failed says more than the result that follows from it. Evidence that refuses nothing has codes, too.
_REASON_KINDS = [
    str(kind) for kind in (EvidenceKind.STAGE_FAILED, EvidenceKind.WORKFLOW_REJECTED, EvidenceKind.WORKFLOW_FAILED)
]

_SUCCESSES = [str(kind) for kind in SUCCESSES]

_CHANGE = """
    ON CONFLICT (kind, registration_id, act, act_number) DO UPDATE
       SET aid = EXCLUDED.aid, outcome = EXCLUDED.outcome, code = EXCLUDED.code,
           identifier_kind = EXCLUDED.identifier_kind, sealed_identifier = EXCLUDED.sealed_identifier,
           version = told.version + 1, changed_at = now(), next_try_at = now(), tries = 0, problem = NULL
"""

_POST_STATES = text(
    f"""
    INSERT INTO results AS told (kind, registration_id, act, act_number, aid, outcome, code)
    SELECT a.kind, a.registration_id, a.act, a.act_number, a.aid, says.outcome,
           CASE WHEN says.outcome = 'updates_required' AND EXISTS (
                     SELECT FROM evidence e WHERE e.aid = a.aid AND e.kind = ANY(:successes))
                THEN '{REVOKED_SUCCESS}'
                WHEN says.outcome = 'updates_required' THEN coalesce(why.code, a.state)
                WHEN says.outcome = 'information_required' THEN a.state END
      FROM (SELECT DISTINCT kind, registration_id, act, act_number FROM applications WHERE aid = ANY(:aids)) touched
      JOIN applications a
        ON a.kind = touched.kind AND a.registration_id = touched.registration_id AND a.act = touched.act
       AND a.act_number = touched.act_number AND a.is_current
      JOIN unnest(CAST(:states AS text[]), CAST(:outcomes AS text[])) AS says (state, outcome) ON says.state = a.state
      LEFT JOIN results r
        ON r.kind = a.kind AND r.registration_id = a.registration_id AND r.act = a.act AND r.act_number = a.act_number
      LEFT JOIN LATERAL (
           SELECT e.code FROM evidence e
            WHERE e.aid = a.aid AND e.code IS NOT NULL AND e.kind = ANY(:reason_kinds)
              AND says.outcome = 'updates_required'
            ORDER BY e.kind = 'stage_failed' DESC, e.sequence DESC LIMIT 1) AS why ON true
     WHERE (says.outcome <> 'sent' OR r.kind IS NOT NULL)
       AND NOT (a.state = ANY(:correctable) AND r.kind IS NOT NULL AND r.aid IS NULL AND EXISTS (
           SELECT FROM quarantine q
            WHERE q.kind = a.kind AND q.registration_id = a.registration_id AND q.act = a.act
              AND q.act_number = a.act_number AND q.resolved_at IS NULL))
     ORDER BY a.kind, a.registration_id, a.act, a.act_number
    {_CHANGE}
     WHERE (told.aid, told.outcome, told.code) IS DISTINCT FROM (EXCLUDED.aid, EXCLUDED.outcome, EXCLUDED.code)
       AND NOT (told.outcome = 'issued' AND told.aid IS NOT DISTINCT FROM EXCLUDED.aid
                AND EXCLUDED.outcome <> 'updates_required')
    """  # noqa: S608 (a constant of this module)
)

# The registration numbers of findings are not an application's: the row names no AID.
_POST_FINDINGS = text(
    f"""
    INSERT INTO results AS told (kind, registration_id, act, act_number, outcome, code)
    SELECT :kind, found.id, found.act, found.number, 'updates_required', found.code
      FROM unnest(CAST(:ids AS text[]), CAST(:acts AS text[]), CAST(:numbers AS int[]), CAST(:codes AS text[]))
        AS found (id, act, number, code)
     WHERE NOT EXISTS (
           SELECT FROM applications a
            WHERE a.kind = :kind AND a.registration_id = found.id AND a.act = found.act
              AND a.act_number = found.number AND a.is_current AND a.state <> ALL(:correctable))
     ORDER BY found.id, found.act, found.number
    {_CHANGE}
     WHERE (told.aid, told.outcome, told.code) IS DISTINCT FROM (EXCLUDED.aid, EXCLUDED.outcome, EXCLUDED.code)
    """  # noqa: S608 (a constant of this module)
)

_TOLD_AND_CLAIMED = text(
    """
    SELECT a.aid
      FROM unnest(CAST(:ids AS text[]), CAST(:acts AS text[]), CAST(:numbers AS int[])) AS released (id, act, number)
      JOIN results r
        ON r.kind = :kind AND r.registration_id = released.id AND r.act = released.act
       AND r.act_number = released.number
      JOIN applications a
        ON a.kind = :kind AND a.registration_id = released.id AND a.act = released.act
       AND a.act_number = released.number AND a.is_current
     WHERE r.aid IS DISTINCT FROM a.aid
    """
)

_POST_IDENTIFIER = text(
    f"""
    INSERT INTO results AS told
           (kind, registration_id, act, act_number, aid, outcome, identifier_kind, sealed_identifier)
    SELECT kind, registration_id, act, act_number, aid, 'issued', :identifier_kind, :sealed
      FROM applications WHERE aid = :aid AND is_current
    {_CHANGE}
     WHERE (told.aid, told.outcome, told.identifier_kind)
           IS DISTINCT FROM (EXCLUDED.aid, EXCLUDED.outcome, EXCLUDED.identifier_kind)
        OR told.sealed_identifier IS NULL
    """  # noqa: S608 (a constant of this module)
)

_TAKE_DUE = text(
    """
    WITH due AS (
         SELECT kind, registration_id, act, act_number, next_try_at FROM results
          WHERE delivered_version < version AND next_try_at <= :now
          ORDER BY next_try_at LIMIT :limit FOR UPDATE SKIP LOCKED)
    UPDATE results r SET next_try_at = CAST(:now AS timestamptz) + :lease
      FROM due
     WHERE r.kind = due.kind AND r.registration_id = due.registration_id AND r.act = due.act
       AND r.act_number = due.act_number
    RETURNING r.kind, r.registration_id, r.act, r.act_number, r.aid, r.outcome, r.code, r.identifier_kind,
              r.sealed_identifier, r.version, r.changed_at, r.tries
    """
)

# Whoever changes many rows locks them in one order.
_HELD = """
    WITH held AS (
         SELECT r.kind, r.registration_id, r.act, r.act_number, said.version
           FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[]), CAST(:acts AS text[]), CAST(:numbers AS int[]),
                CAST(:versions AS int[])) AS said (kind, id, act, number, version)
           JOIN results r
             ON r.kind = said.kind AND r.registration_id = said.id AND r.act = said.act AND r.act_number = said.number
          ORDER BY r.kind, r.registration_id, r.act, r.act_number FOR UPDATE OF r)
"""
_OF_HELD = """
      FROM held
     WHERE r.kind = held.kind AND r.registration_id = held.registration_id AND r.act = held.act
       AND r.act_number = held.act_number
"""

_DELIVERED = text(
    f"""
    {_HELD}
    UPDATE results r
       SET delivered_version = greatest(r.delivered_version, held.version), delivered_at = now(),
           sealed_identifier = CASE WHEN r.version = held.version THEN NULL ELSE r.sealed_identifier END,
           tries = CASE WHEN r.version = held.version THEN 0 ELSE r.tries END,
           problem = CASE WHEN r.version = held.version THEN NULL ELSE r.problem END,
           next_try_at = CASE WHEN r.version = held.version THEN NULL ELSE r.next_try_at END
    {_OF_HELD}
    """  # noqa: S608 (constants of this module)
)

_FAILED = text(
    f"""
    {_HELD}
    UPDATE results r SET tries = r.tries + 1, problem = :problem, next_try_at = :next_try_at
    {_OF_HELD} AND r.version = held.version AND r.delivered_version < r.version
    """  # noqa: S608 (constants of this module)
)


@dataclass(frozen=True, slots=True)
class DueResult:
    """One event's word that the registry does not have yet.

    :param sealed_identifier: what MOSIP issued, sealed; opened only when it is delivered.
    :param tries: how often it was tried in vain.
    """

    kind: RegistrationKind
    key: EventKey
    aid: str | None
    outcome: ResultOutcome
    code: str | None
    identifier_kind: str | None
    sealed_identifier: bytes | None = field(repr=False)
    version: int
    changed_at: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """What has waited too long: how many rows, and since when the oldest."""

    rows: int
    since: datetime | None


def post_states(connection: Connection, aids: Collection[str]) -> None:
    """Post what became of the events of some applications: always by the state of the event's current application.

    That an event is on its way is told only where something else had been told before. An identifier that was posted
    for the same application stays, unless MOSIP takes back that it completed it.
    """
    if not aids:
        return
    connection.execute(
        _POST_STATES,
        {
            "aids": sorted(aids),
            "states": [str(state) for state in OUTCOMES],
            "outcomes": [str(outcome) for outcome in OUTCOMES.values()],
            "reason_kinds": _REASON_KINDS,
            "successes": _SUCCESSES,
            "correctable": _CORRECTABLE,
        },
    )


def post_quarantine(
    connection: Connection,
    kind: RegistrationKind,
    findings: Mapping[EventKey, Sequence[Finding]],
    released: Collection[EventKey],
) -> None:
    """Post why events of a page cannot be sent, and of those that could be what became of them.

    Call it after the page was claimed and its findings were kept and resolved. What MOSIP has in hand, or has
    completed, is not called in question by what the registry says since.

    :param released: events that nothing stands against; those whose findings were told before and that have an
        application now are told to be on their way.
    """
    told = {key: found for key, found in findings.items() if found}
    if told:
        connection.execute(
            _POST_FINDINGS,
            {
                "kind": str(kind),
                "codes": [_code_of(found) for found in told.values()],
                "correctable": _CORRECTABLE,
                **key_arrays(list(told)),
            },
        )
    if released:
        rows = connection.execute(_TOLD_AND_CLAIMED, {"kind": str(kind), **key_arrays(list(released))})
        post_states(connection, [row.aid for row in rows])


def is_current(connection: Connection, aid: str) -> bool:
    """Say whether an application stands for its event; of one that nobody knows, no."""
    current = connection.execute(text("SELECT is_current FROM applications WHERE aid = :aid"), {"aid": aid})
    return bool(current.scalar_one_or_none())


def post_identifier(connection: Connection, aid: str, identifier_kind: str, sealed: bytes) -> bool:
    """Post the identifier that came with an application's credential.

    The same one again is news only when the registry has had it: then somebody had the credential issued once more.

    :param identifier_kind: ``PSUT``, ``UIN`` or ``VID``.
    :return: whether the application is its event's current one; of another nothing is posted.
    """
    connection.execute(_POST_IDENTIFIER, {"aid": aid, "identifier_kind": identifier_kind, "sealed": sealed})
    return is_current(connection, aid)


def take_due(connection: Connection, limit: int, now: datetime) -> list[DueResult]:
    """Take rows that are due, longest due first; they are this run's for :data:`LEASE`.

    Nothing is locked while the registry is written to: a registry that hangs must not stop the settlement.
    """
    rows = connection.execute(_TAKE_DUE, {"limit": limit, "now": now, "lease": LEASE})
    return [
        DueResult(
            RegistrationKind(row.kind),
            EventKey(row.registration_id, Act(row.act), row.act_number),
            row.aid,
            ResultOutcome(row.outcome),
            row.code,
            row.identifier_kind,
            None if row.sealed_identifier is None else bytes(row.sealed_identifier),
            row.version,
            row.changed_at,
            row.tries,
        )
        for row in rows
    ]


def delivered(connection: Connection, rows: Sequence[DueResult]) -> None:
    """Note that the registry has these versions, and erase what was sealed. A row that has changed since stays due."""
    if rows:
        connection.execute(_DELIVERED, _rows_as_arrays(rows))


def failed(connection: Connection, rows: Sequence[DueResult], problem: str, next_try_at: datetime) -> None:
    """Note that these versions did not reach the registry; a version that is newer is not kept waiting."""
    if rows:
        connection.execute(_FAILED, {"problem": problem, "next_try_at": next_try_at, **_rows_as_arrays(rows)})


def overdue(connection: Connection, before: datetime) -> Overdue:
    """Count what was posted before a moment and has not reached the registry."""
    row = connection.execute(
        text(
            "SELECT count(*) AS rows, min(changed_at) AS since FROM results "
            "WHERE delivered_version < version AND changed_at < :before"
        ),
        {"before": before},
    ).one()
    return Overdue(row.rows, row.since)


def waiting(connection: Connection) -> int:
    """Count what has not reached the registry."""
    return int(connection.execute(text("SELECT count(*) FROM results WHERE delivered_version < version")).scalar_one())


def _code_of(findings: Sequence[Finding]) -> str:
    """Write findings as one code, each as the field and the rule that it breaks: never a value."""
    told = dict.fromkeys(f"{finding.field} {finding.rule}" for finding in findings)
    return "; ".join(list(told)[:FINDINGS_TOLD])


def _rows_as_arrays(rows: Sequence[DueResult]) -> dict[str, object]:
    return {
        "kinds": [str(row.kind) for row in rows],
        "versions": [row.version for row in rows],
        **key_arrays([row.key for row in rows]),
    }
