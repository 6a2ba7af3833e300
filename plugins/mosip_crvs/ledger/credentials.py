"""Credentials in the ledger: announced, fetched, opened, acknowledged; or gone, or refused.

A row that is due is taken for a while, by moving its next try, and every change asks whether it is still as it was
taken. So whoever is killed leaves a row that comes due again, and of two who have the same row one changes it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

LEASE = timedelta(minutes=5)
"""How long a run has the row that it took for itself: longer than all its calls together."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A notification that a credential was issued.

    :param inbox_id: whose body has the link and the signature.
    :param cipher_text: the credential itself, where the notification has it.
    """

    aid: str
    request_id: str
    event_id: str
    partner_id: str
    credential_type: str | None
    inbox_id: int
    cipher_text: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class DueCredential:
    """One credential that something is to be done about.

    :param state: what is to be done next follows from it.
    :param problem: why it was refused, or nothing.
    :param tries: how often the next step was tried in vain.
    :param taken_until: marks it as ours.
    """

    credential_id: int
    aid: str
    request_id: str
    partner_id: str
    inbox_id: int
    state: str
    problem: str | None
    tries: int
    announced_at: datetime
    taken_until: datetime


@dataclass(frozen=True, slots=True)
class Overdue:
    """What nobody announced in time: how many births, and since when the oldest was completed."""

    births: int
    since: datetime | None


def announce(connection: Connection, announcements: Sequence[Announcement]) -> None:
    """Note credentials to fetch; an event that was noted before is not noted again, and its body not kept twice.

    A new event of a request answers what had become of an earlier one whose link was gone.
    """
    if not announcements:
        return
    said = {
        "aids": [each.aid for each in announcements],
        "requests": [each.request_id for each in announcements],
        "events": [each.event_id for each in announcements],
        "partners": [each.partner_id for each in announcements],
        "types": [each.credential_type for each in announcements],
        "inbox": [each.inbox_id for each in announcements],
        "ciphers": [each.cipher_text for each in announcements],
    }
    noted = connection.execute(_ANNOUNCE, said).all()
    closed = connection.execute(_CLOSE_GONE, {"ids": [row.credential_id for row in noted]})
    repeated = {each.inbox_id for each in announcements} - {row.inbox_id for row in noted}
    connection.execute(_ERASE_BODIES, {"ids": [*repeated, *closed.scalars()]})


def expect(connection: Connection, partner_id: str, suffix: str, overdue: timedelta) -> int:
    """Note credentials of completed births that nobody announced in time, as lost ones: they are issued again.

    :param suffix: behind the AID, it makes the number of the credential's request.
    :return: how many were noted.
    """
    noted = connection.execute(_EXPECT, {"partner": partner_id, "suffix": suffix, "overdue": overdue})
    return int(noted.rowcount)


def overdue(connection: Connection, after: timedelta) -> Overdue:
    """Count the births that were completed so long ago, in the last 90 days, and never had a credential announced."""
    return Overdue(*connection.execute(_OVERDUE, {"overdue": after}).one())


def take(connection: Connection) -> DueCredential | None:
    """Take the credential that is due longest for :data:`LEASE`; None when nothing is due."""
    row = connection.execute(_TAKE, {"lease": LEASE}).one_or_none()
    return None if row is None else DueCredential(*row)


def notification_of(connection: Connection, due: DueCredential) -> bytes | None:
    """Give the body of a credential's notification; None when it was erased."""
    body = connection.execute(text("SELECT body FROM inbox WHERE inbox_id = :id"), {"id": due.inbox_id})
    found = body.scalar_one_or_none()
    return None if found is None else bytes(found)


def cipher_text_of(connection: Connection, due: DueCredential) -> bytes | None:
    """Give a credential as it came; None when it was erased."""
    found = connection.execute(
        text("SELECT cipher_text FROM credentials WHERE credential_id = :id"), {"id": due.credential_id}
    ).scalar_one()
    return None if found is None else bytes(found)


def fetched(connection: Connection, due: DueCredential, cipher_text: bytes) -> DueCredential | None:
    """Keep what a link led to, whoever has the row by now: nobody can fetch it again.

    :return: the row to go on with; None when another run has it.
    """
    values = {"id": due.credential_id, "until": due.taken_until, "cipher_text": cipher_text}
    is_ours = connection.execute(_FETCHED, values).scalar_one_or_none()
    return replace(due, state="fetched", tries=0) if is_ours else None


def gone(connection: Connection, due: DueCredential) -> DueCredential | None:
    """Note that there is nothing to fetch; give the row to go on with, unless a newer event stands for the request."""
    changed = connection.execute(_GONE, {"id": due.credential_id, "until": due.taken_until}).one_or_none()
    return None if changed is None or changed.next_try_at is None else replace(due, state="gone", tries=0)


def opened(connection: Connection, due: DueCredential, proof: str, problem: str | None) -> DueCredential | None:
    """Note that a credential was opened; None when another run has it.

    :param proof: what MOSIP's signature was worth.
    :param problem: why its identifier was not handed on. Without one, everything that came of it is erased.
    """
    changed = _moved(connection, due, "opened", problem=problem, proof=proof)
    if changed is not None and problem is None:
        connection.execute(_ERASE, {"ids": [due.credential_id]})
        connection.execute(_ERASE_BODIES, {"ids": [due.inbox_id]})
    return changed


def refused(connection: Connection, due: DueCredential, problem: str, proof: str | None = None) -> DueCredential | None:
    """Note why a credential cannot be used; None when another run has it.

    :param problem: a code, and after a blank what it waits for, if it waits.
    """
    return _moved(connection, due, "refused", problem=problem, proof=proof)


def acknowledged(connection: Connection, due: DueCredential) -> None:
    """Note that MOSIP was told what became of a credential."""
    connection.execute(_ACKNOWLEDGED, {"id": due.credential_id, "until": due.taken_until, "was": due.state})


def put_off(connection: Connection, due: DueCredential, wait: timedelta | None) -> None:
    """Note that a step was tried in vain, and try it again after a while; never if there is none to wait."""
    values = {"id": due.credential_id, "until": due.taken_until, "was": due.state, "wait": wait}
    connection.execute(_PUT_OFF, values)


def put_all_off(connection: Connection, states: Collection[str], wait: timedelta) -> None:
    """Let everything that is due in some states wait: there is no use in trying it one by one."""
    connection.execute(_PUT_ALL_OFF, {"states": list(states), "wait": wait})


def waiting_for(connection: Connection) -> list[str]:
    """Give the problems of credentials that wait for something, each once."""
    rows = connection.execute(text("SELECT DISTINCT problem FROM credentials WHERE problem LIKE '% %'"))
    return [row.problem for row in rows]


def look_again(connection: Connection, problem: str) -> int:
    """Take up again what waited with a problem: from its bytes, or from its link if those are not there (any more)."""
    return connection.execute(_LOOK_AGAIN, {"problem": problem}).rowcount


def erase_unused(connection: Connection, before: datetime) -> int:
    """Erase what was fetched before a moment and could not be used, with its notification."""
    rows = connection.execute(_UNUSED, {"before": before}).all()
    connection.execute(_ERASE, {"ids": [row.credential_id for row in rows]})
    connection.execute(_ERASE_BODIES, {"ids": [row.inbox_id for row in rows]})
    return len(rows)


def _moved(
    connection: Connection, due: DueCredential, state: str, *, problem: str | None = None, proof: str | None = None
) -> DueCredential | None:
    values = {
        "id": due.credential_id,
        "until": due.taken_until,
        "state": state,
        "problem": problem,
        "proof": proof,
        "was": due.state,
    }
    if connection.execute(_MOVE, values).rowcount == 0:
        return None
    return replace(due, state=state, problem=problem, tries=0)


_ANNOUNCE = text(
    """
    INSERT INTO credentials (aid, request_id, event_id, partner_id, credential_type, inbox_id, cipher_text, state,
                             fetched_at)
    SELECT aid, request, event, partner, type, inbox, cipher,
           CASE WHEN cipher IS NULL THEN 'announced' ELSE 'fetched' END, CASE WHEN cipher IS NOT NULL THEN now() END
      FROM unnest(CAST(:aids AS text[]), CAST(:requests AS text[]), CAST(:events AS text[]), CAST(:partners AS text[]),
           CAST(:types AS text[]), CAST(:inbox AS bigint[]), CAST(:ciphers AS bytea[]))
        AS said (aid, request, event, partner, type, inbox, cipher)
     ORDER BY request, event, inbox
    ON CONFLICT ON CONSTRAINT one_credential_an_event DO NOTHING
    RETURNING credential_id, inbox_id
    """
)

# Bounded on both sides, so that it reads a stretch of applications_by_settlement however large the ledger is.
_NEVER_ANNOUNCED = """
           a.settled_at BETWEEN now() - interval '90 days' AND now() - CAST(:overdue AS interval)
       AND a.kind = 'birth' AND a.state = 'COMPLETED' AND a.is_current
       AND NOT EXISTS (SELECT 1 FROM credentials c WHERE c.aid = a.aid)
"""

_EXPECT = text(
    f"""
    INSERT INTO credentials (aid, request_id, event_id, partner_id, inbox_id, state)
    SELECT a.aid, a.aid || :suffix, 'never announced', :partner, 0, 'gone' FROM applications a
     WHERE {_NEVER_ANNOUNCED}
     ORDER BY a.settled_at LIMIT 500
    ON CONFLICT ON CONSTRAINT one_credential_an_event DO NOTHING
    """  # noqa: S608 (a constant of this module)
)

_OVERDUE = text(
    f"SELECT count(*) AS births, min(a.settled_at) AS since FROM applications a WHERE {_NEVER_ANNOUNCED}"  # noqa: S608
)

_CLOSE_GONE = text(
    """
    UPDATE credentials old SET next_try_at = NULL
      FROM credentials new
     WHERE new.credential_id = ANY(:ids) AND old.request_id = new.request_id AND old.aid = new.aid
       AND old.state = 'gone' AND old.credential_id < new.credential_id
    RETURNING old.inbox_id
    """
)

_TAKE = text(
    """
    WITH due AS (
         SELECT credential_id FROM credentials WHERE next_try_at <= clock_timestamp()
          ORDER BY next_try_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE credentials c SET next_try_at = clock_timestamp() + :lease
      FROM due
     WHERE c.credential_id = due.credential_id
    RETURNING c.credential_id, c.aid, c.request_id, c.partner_id, c.inbox_id, c.state, c.problem, c.tries,
              c.announced_at, c.next_try_at
    """
)

_FETCHED = text(
    """
    UPDATE credentials SET cipher_text = :cipher_text, fetched_at = now(), state = 'fetched', tries = 0,
           next_try_at = coalesce(next_try_at, now())
     WHERE credential_id = :id AND state IN ('announced', 'gone') AND cipher_text IS NULL
    RETURNING next_try_at = :until
    """
)

_GONE = text(
    """
    UPDATE credentials c SET state = 'gone', tries = 0, next_try_at = CASE WHEN EXISTS (
           SELECT FROM credentials new
            WHERE new.request_id = c.request_id AND new.aid = c.aid AND new.credential_id > c.credential_id)
           THEN NULL ELSE c.next_try_at END
     WHERE credential_id = :id AND next_try_at = :until AND state = 'announced'
    RETURNING next_try_at
    """
)

_MOVE = text(
    """
    UPDATE credentials SET state = :state, problem = :problem, proof = coalesce(:proof, proof), tries = 0,
           acknowledged_at = NULL, opened_at = CASE WHEN :state = 'opened' THEN now() ELSE opened_at END
     WHERE credential_id = :id AND next_try_at = :until AND state = :was
    """
)

_ACKNOWLEDGED = text(
    """
    UPDATE credentials SET state = CASE state WHEN 'opened' THEN 'acknowledged' ELSE state END, acknowledged_at = now(),
           tries = 0, next_try_at = NULL
     WHERE credential_id = :id AND next_try_at = :until AND state = :was
    """
)

_PUT_OFF = text(
    """
    UPDATE credentials SET tries = tries + 1, next_try_at = clock_timestamp() + CAST(:wait AS interval)
     WHERE credential_id = :id AND next_try_at = :until AND state = :was
    """
)

_PUT_ALL_OFF = text(
    """
    WITH due AS (
         SELECT credential_id FROM credentials WHERE next_try_at <= clock_timestamp() AND state = ANY(:states)
          ORDER BY credential_id FOR UPDATE SKIP LOCKED)
    UPDATE credentials c SET next_try_at = clock_timestamp() + :wait
      FROM due
     WHERE c.credential_id = due.credential_id
    """
)

_LOOK_AGAIN = text(
    """
    WITH waiting AS (
         SELECT credential_id FROM credentials WHERE problem = :problem AND problem LIKE '% %'
          ORDER BY credential_id FOR UPDATE SKIP LOCKED)
    UPDATE credentials c SET state = CASE WHEN cipher_text IS NULL THEN 'announced' ELSE 'fetched' END, problem = NULL,
           tries = 0, acknowledged_at = NULL, next_try_at = clock_timestamp()
      FROM waiting
     WHERE c.credential_id = waiting.credential_id
    """
)

_UNUSED = text(
    """
    SELECT credential_id, inbox_id FROM credentials
     WHERE cipher_text IS NOT NULL AND fetched_at < :before AND next_try_at IS NULL
       FOR UPDATE SKIP LOCKED
    """
)

_ERASE = text("UPDATE credentials SET cipher_text = NULL WHERE credential_id = ANY(:ids)")
_ERASE_BODIES = text("UPDATE inbox SET body = NULL WHERE inbox_id = ANY(:ids)")
