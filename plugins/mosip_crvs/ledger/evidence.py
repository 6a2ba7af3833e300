"""Evidence: what MOSIP said of an application, kept for ever in one chain an application, and the state that it moved.

Every row's ``link`` is the SHA-256 over the link before it and the row's own content; the application keeps the number
of its rows and the last link. So a row that was changed, taken out, put in or cut off at the end shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from mosip_crvs.ledger.keys import ARE_RELATIVES
from mosip_crvs.model import ApplicationState
from mosip_crvs.settlement.rules import ANSWERS, HALF_CREATED_AFTER, Case, EvidenceKind, Piece

_GIVEN_TO_US = ANSWERS | {EvidenceKind.TRIGGER_ACCEPTED, EvidenceKind.TRIGGER_ALREADY_PRESENT}
"""What MOSIP answers to a call of ours."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that was said of an application.

    :param source: the topic or the call that it came by.
    :param code: MOSIP's own code for why, if it gave one.
    :param at: when it first came, or when we asked.
    :param occasion: tells two answers of the same words apart; empty for notifications, which repeat.
    """

    aid: str
    kind: EvidenceKind
    source: str
    code: str | None
    body_sha256: str
    at: datetime
    occasion: str = ""

    @property
    def piece(self) -> Piece:
        """What the rules see of it."""
        return _piece(self.kind, self.at, self.body_sha256, self.occasion)


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A fact and its effect."""

    fact: Fact
    moved_from: ApplicationState
    moved_to: ApplicationState
    alarm: str | None


@dataclass(slots=True)
class Held:
    """An application that this transaction holds, with all its evidence.

    :param has_relatives: whether its event was sent under more than one number.
    """

    state: ApplicationState
    case: Case
    has_relatives: bool
    pieces: dict[str, Piece] = field(default_factory=dict)

    def knows(self, fact: Fact) -> bool:
        """Say whether a fact was kept before, as having come no later."""
        known = self.pieces.get(_identity(fact.piece))
        return known is not None and known.at <= fact.at

    def is_earlier(self, fact: Fact) -> bool:
        """Say whether a fact was kept before, as having come later than it did."""
        return _identity(fact.piece) in self.pieces and not self.knows(fact)

    def add(self, piece: Piece) -> None:
        """Take a piece in; of a repeated one the first coming counts."""
        known = self.pieces.get(_identity(piece))
        if known is None or piece.at < known.at:
            self.pieces[_identity(piece)] = piece


def lock(connection: Connection, aids: Collection[str]) -> Sequence[Row[Any]]:
    """Keep everybody else from changing some applications until the commit.

    The other applications of their events are locked with them, in one order for all.

    :return: what was locked: ``aid``, ``state``, ``triggering_at``, ``has_relatives``.
    """
    return connection.execute(_LOCK, {"aids": sorted(aids)}).all()


def hold(connection: Connection, aids: Collection[str], grace: timedelta = HALF_CREATED_AFTER) -> dict[str, Held]:
    """Lock some applications as :func:`lock` does, and give them with their evidence.

    :param grace: after which an application that MOSIP noted and did not begin is half-created.
    """
    wanted = set(aids)
    held = {
        row.aid: Held(ApplicationState(row.state), Case(row.triggering_at, grace), row.has_relatives)
        for row in lock(connection, aids)
        if row.aid in wanted
    }
    for row in connection.execute(_EVIDENCE, {"aids": list(held)}):
        held[row.aid].add(_piece(EvidenceKind(row.kind), row.received_at, row.body_sha256, row.occasion))
    return held


def append(connection: Connection, rows: Sequence[EvidenceRow]) -> None:
    """Put rows behind what is kept of applications that :func:`hold` holds; none may be known yet."""
    rounds: defaultdict[int, list[EvidenceRow]] = defaultdict(list)
    placed: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        rounds[placed[row.fact.aid]].append(row)
        placed[row.fact.aid] += 1
    for _, together in sorted(rounds.items()):
        connection.execute(_APPEND, _columns(together))


def move(connection: Connection, states: Mapping[str, ApplicationState]) -> None:
    """Set the states of applications that :func:`hold` holds. What is settled well is not asked about any more."""
    if states:
        connection.execute(
            _MOVE,
            {
                "aids": list(states),
                "states": [str(state) for state in states.values()],
                "settled": [state.is_settled for state in states.values()],
            },
        )


def _piece(kind: EvidenceKind, at: datetime, body_sha256: str, occasion: str) -> Piece:
    """Answers of the same words differ by when they were given; a notification is the same however often it comes."""
    return Piece(kind, at, f"{body_sha256}/{occasion}" if kind in _GIVEN_TO_US else body_sha256)


def _identity(piece: Piece) -> str:
    return f"{piece.kind}/{piece.digest}"


def _columns(rows: Sequence[EvidenceRow]) -> dict[str, list[object]]:
    facts = [row.fact for row in rows]
    return {
        "aids": [fact.aid for fact in facts],
        "kinds": [str(fact.kind) for fact in facts],
        "sources": [fact.source for fact in facts],
        "codes": [fact.code for fact in facts],
        "digests": [fact.body_sha256 for fact in facts],
        "occasions": [fact.occasion for fact in facts],
        "moments": [fact.at for fact in facts],
        "from_": [str(row.moved_from) for row in rows],
        "to": [str(row.moved_to) for row in rows],
        "alarms": [row.alarm for row in rows],
    }


_LOCK = text(
    f"""
    SELECT aid, state, triggering_at, supersedes IS NOT NULL OR superseded_by IS NOT NULL AS has_relatives
      FROM applications
     WHERE aid IN (
           SELECT unnest(CAST(:aids AS text[]))
           UNION
           SELECT other.aid FROM applications a JOIN applications other ON {ARE_RELATIVES}
            WHERE a.aid = ANY(:aids) AND (a.supersedes IS NOT NULL OR a.superseded_by IS NOT NULL))
     ORDER BY aid FOR UPDATE
    """  # noqa: S608 (a constant)
)

_EVIDENCE = text(
    "SELECT aid, kind, body_sha256, occasion, received_at FROM evidence WHERE aid = ANY(:aids) ORDER BY aid, sequence"
)

_APPEND = text(
    """
    WITH said AS (
        SELECT * FROM unnest(
               CAST(:aids AS text[]), CAST(:kinds AS text[]), CAST(:sources AS text[]), CAST(:codes AS text[]),
               CAST(:digests AS text[]), CAST(:occasions AS text[]), CAST(:moments AS timestamptz[]),
               CAST(:from_ AS text[]), CAST(:to AS text[]), CAST(:alarms AS text[]))
            AS said (aid, kind, source, code, digest, occasion, moment, moved_from, moved_to, alarm)
    ), linked AS (
        UPDATE applications a
           SET evidence_count = a.evidence_count + 1,
               evidence_head = evidence_link(
                   a.evidence_head, a.aid, a.evidence_count + 1, said.kind, said.source, said.code, said.digest,
                   said.occasion, said.moved_from, said.moved_to, said.alarm, said.moment)
          FROM said WHERE a.aid = said.aid
        RETURNING a.aid, a.evidence_count, a.evidence_head
    )
    INSERT INTO evidence (aid, sequence, kind, source, code, body_sha256, occasion, moved_from, moved_to, alarm,
                          received_at, link)
    SELECT said.aid, linked.evidence_count, said.kind, said.source, said.code, said.digest, said.occasion,
           said.moved_from, said.moved_to, said.alarm, said.moment, linked.evidence_head
      FROM said JOIN linked USING (aid)
    """
)

_MOVE = text(
    """
    UPDATE applications a
       SET state = said.state, held_code = NULL,
           settled_at = CASE WHEN said.settled THEN now() END,
           next_poll_at = CASE
               WHEN said.state IN ('COMPLETED', 'WITHDRAWN') THEN NULL
               WHEN said.settled THEN now() + interval '1 day'
               ELSE coalesce(a.next_poll_at, now()) END
      FROM unnest(CAST(:aids AS text[]), CAST(:states AS text[]), CAST(:settled AS boolean[]))
        AS said (aid, state, settled)
     WHERE a.aid = said.aid
    """
)
