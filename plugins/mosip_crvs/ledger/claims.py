"""Claiming a page of events: who gets an AID, who has one, who must wait. One transaction a page.

This is where "one vital event, at most one ID" is kept. An event is claimed by one insert that the unique keys of
``applications`` guard, so that overlapping windows, re-runs and parallel tasks cannot claim it twice, and a person
who has an application under another registration cannot get a second.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from mosip_crvs.ledger import quarantine, results, supersessions
from mosip_crvs.ledger.aids import take_aids
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.keys import ARE_RELATIVES, key_arrays
from mosip_crvs.ledger.relatives import NO_RELATIVE_ALIVE
from mosip_crvs.ledger.takeover import take_over
from mosip_crvs.model import ApplicationState, EventKey, Finding, ReadingOutcome, RegistrationKind


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """An event as one reading found it.

    :param findings: why it must not be sent; :param not_eligible: the rule by which no ID is due.
    :param modified_at: when the registry last changed it.
    """

    key: EventKey
    person_id: str | None
    findings: Sequence[Finding] = ()
    not_eligible: str | None = None
    modified_at: datetime | None = None

    @property
    def may_be_sent(self) -> bool:
        """Whether nothing stands against sending it."""
        return not self.findings and self.not_eligible is None


@dataclass(slots=True)
class ClaimedPage:
    """What a page came to.

    :param to_create: AIDs whose packet is to be created and triggered, by event.
    :param to_trigger: AIDs whose trigger is to be repeated: their packet must never be created again.
    :param busy: how many unsent applications another living session is at.
    :param left_by: last signs of life of killed sessions whose applications this page took over.
    """

    to_create: dict[EventKey, str] = field(default_factory=dict)
    to_trigger: list[str] = field(default_factory=list)
    outcomes: dict[EventKey, ReadingOutcome] = field(default_factory=dict)
    busy: int = 0
    left_by: list[datetime] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    """An event's current application.

    :param is_of_batch: whether it, or another application of its event, was claimed by the batch that reads it now.
    :param may_go: whether nothing that it supersedes is with MOSIP again.
    """

    aid: str
    state: ApplicationState
    is_of_batch: bool
    session_id: int | None
    person_id: str | None
    may_go: bool = True

    def is_about_another(self, person_id: str | None) -> bool:
        """Whether the registration that is read now concerns somebody else than the one that was claimed."""
        return self.person_id is not None and person_id is not None and self.person_id != person_id


@dataclass(frozen=True, slots=True)
class Claimant:
    """For whom events are claimed."""

    kind: RegistrationKind
    batch_id: int
    session_id: int
    center_id: str
    machine_id: str


def claim_page(
    engine: Engine,
    claimant: Claimant,
    events: Sequence[ReadEvent],
    supersede: Collection[str] = (),
    in_doubt: Collection[EventKey] = (),
) -> ClaimedPage:
    """Give every event of a page its place in the ledger, durably, before anything is sent.

    :param supersede: AIDs of refused applications whose corrected events may be sent under a new AID
        (:mod:`mosip_crvs.submission.supersession`).
    :param in_doubt: events of which nothing is sent in this run, be it claimed already.
    :return: what to send now. When this returns, every event of the page stands in ``readings``.
    """
    events, shared = _one_an_event(events)
    with transaction(engine) as connection:
        known = _look_up(connection, claimant, [event.key for event in events])
    persons = {event.key: event.person_id for event in events}
    again = {
        key: application.aid
        for key, application in known.items()
        if application.aid in supersede and not application.is_about_another(persons[key])
    }
    wanted = [event for event in events if event.may_be_sent and (event.key not in known or event.key in again)]
    aids = take_aids(engine, claimant.center_id, claimant.machine_id, len(wanted))

    page = ClaimedPage()
    with transaction(engine) as connection:
        given = [(event, aid) for event, aid in zip(wanted, aids, strict=True) if event.key not in again]
        successors = supersessions.supersede(
            connection,
            {again[event.key]: aid for event, aid in zip(wanted, aids, strict=True) if event.key in again},
        )
        given += [
            (replace(event, person_id=event.person_id or known[event.key].person_id), successors[again[event.key]])
            for event in wanted
            if again.get(event.key) in successors
        ]
        mine = _insert(connection, claimant, given, {aid: old for old, aid in successors.items()})
        supersessions.finish(connection, successors, {application.aid for application in mine.values()})
        known = mine | _look_up(connection, claimant, [event.key for event in events if event.key not in mine])
        findings: dict[EventKey, Sequence[Finding]] = {}
        for event in events:
            application = known.get(event.key)
            if event.key in shared or (application is not None and application.is_about_another(event.person_id)):
                findings[event.key] = (Finding("registration_id", "REGISTRATION_SHARED"),)
            page.outcomes[event.key] = _outcome(event, application)
            if application is not None and application.state not in _UNSENT:
                continue
            if event.findings:
                findings[event.key] = [*findings.get(event.key, ()), *event.findings]
            elif application is None and event.not_eligible is None:
                findings[event.key] = (Finding("person_id", "PERSON_ALREADY_CLAIMED"),)
        certain = [event for event in events if event.key not in in_doubt]
        unsent = _sort_unsent(certain, known, mine, claimant.session_id, page)
        _take_over(connection, claimant.session_id, unsent, page)
        _note_versions(connection, [event for event in certain if event.key not in mine], page.to_create)
        quarantine.record(connection, claimant.kind, claimant.batch_id, findings)
        quarantine.resolve(connection, claimant.kind, [event.key for event in events])
        _note_changes(connection, [event for event in events if event.key in known and event.key not in mine], known)
        released = [event.key for event in events if event.may_be_sent and event.key not in findings]
        results.post_quarantine(connection, claimant.kind, findings, released)
        _write_readings(connection, claimant.batch_id, page.outcomes)
        connection.execute(
            text("UPDATE sessions SET seen_at = clock_timestamp() WHERE session_id = :id"), {"id": claimant.session_id}
        )
    return page


def _one_an_event(events: Sequence[ReadEvent]) -> tuple[list[ReadEvent], frozenset[EventKey]]:
    """Give each event once, and the keys that rows about different persons share: a fan-out of the country's SQL."""
    by_key: dict[EventKey, ReadEvent] = {}
    shared: set[EventKey] = set()
    for event in events:
        first = by_key.setdefault(event.key, event)
        if first.person_id != event.person_id:
            shared.add(event.key)
    return list(by_key.values()), frozenset(shared)


def _outcome(event: ReadEvent, application: _Known | None) -> ReadingOutcome:
    """An application, once there, decides: an event that was claimed stays claimed, whatever the registry says now."""
    if application is not None:
        return ReadingOutcome.CLAIMED if application.is_of_batch else ReadingOutcome.KNOWN
    return ReadingOutcome.NOT_ELIGIBLE if event.not_eligible is not None else ReadingOutcome.QUARANTINED


def _sort_unsent(
    events: Iterable[ReadEvent],
    known: dict[EventKey, _Known],
    mine: Collection[EventKey],
    session_id: int,
    page: ClaimedPage,
) -> list[tuple[EventKey, _Known]]:
    """Put what was claimed just now on the page to send; give the other unsent applications that may be sent."""
    unsent: list[tuple[EventKey, _Known]] = []
    for event in events:
        application = known.get(event.key)
        if application is None or application.state not in _UNSENT or not application.may_go:
            continue
        if event.key in mine:
            page.to_create[event.key] = application.aid
        elif application.session_id == session_id:
            continue  # read twice by this very task: it is on its way already
        elif event.may_be_sent or application.state is ApplicationState.TRIGGERING:
            unsent.append((event.key, application))
    return unsent


def _take_over(
    connection: Connection, session_id: int, unsent: Sequence[tuple[EventKey, _Known]], page: ClaimedPage
) -> None:
    """Take over from sessions that are dead; what a living one has in hand is left to it."""
    taken = take_over(connection, session_id, {known.aid: known.session_id for _, known in unsent})
    page.left_by.extend(taken.left_by)
    for key, application in unsent:
        state = taken.states.get(application.aid)
        if state is ApplicationState.AID_ASSIGNED:
            page.to_create[key] = application.aid
        elif state is ApplicationState.TRIGGERING:
            page.to_trigger.append(application.aid)
        else:
            page.busy += 1


_UNSENT = frozenset({ApplicationState.AID_ASSIGNED, ApplicationState.TRIGGERING})

_LOOK_UP = text(
    f"""
    SELECT a.registration_id, a.act, a.act_number, a.aid, a.state, a.session_id, a.person_id,
           a.batch_id = :batch_id OR (a.supersedes IS NOT NULL OR a.superseded_by IS NOT NULL) AND EXISTS (
               SELECT 1 FROM applications other WHERE other.batch_id = :batch_id AND {ARE_RELATIVES}) AS is_of_batch,
           a.supersedes IS NULL OR {NO_RELATIVE_ALIVE} AS may_go
      FROM unnest(CAST(:ids AS text[]), CAST(:acts AS text[]), CAST(:numbers AS int[])) AS wanted (id, act, number)
      JOIN applications a
        ON a.kind = :kind AND a.registration_id = wanted.id AND a.act = wanted.act AND a.act_number = wanted.number
       AND a.is_current
    """  # noqa: S608 (a constant)
)

_INSERT = text(
    """
    INSERT INTO applications (kind, registration_id, act, act_number, person_id, aid, batch_id, session_id,
                              registry_modified_at, seen_modified_at, supersedes)
    SELECT :kind, id, act, number, person, aid, :batch_id, :session_id, modified, modified, supersedes
      FROM unnest(
           CAST(:ids AS text[]), CAST(:acts AS text[]), CAST(:numbers AS int[]), CAST(:persons AS text[]),
           CAST(:aids AS text[]), CAST(:modified AS timestamptz[]), CAST(:supersedes AS text[])
      ) AS claimed (id, act, number, person, aid, modified, supersedes)
    ON CONFLICT DO NOTHING
    RETURNING registration_id, act, act_number, aid, person_id
    """
)

_NOTE_VERSIONS = text(
    """
    UPDATE applications a SET registry_modified_at = read.modified
      FROM unnest(CAST(:aids AS text[]), CAST(:modified AS timestamptz[])) AS read (aid, modified)
     WHERE a.aid = read.aid AND a.registry_modified_at IS DISTINCT FROM read.modified
    """
)

# Locked first, in the order in which settlers lock: two that change the same rows must not wait for each other.
_NOTE_CHANGES = text(
    """
    WITH changed AS (
        SELECT a.aid, read.modified
          FROM unnest(CAST(:aids AS text[]), CAST(:modified AS timestamptz[])) AS read (aid, modified)
          JOIN applications a USING (aid)
         WHERE a.seen_modified_at < read.modified ORDER BY a.aid FOR UPDATE OF a
    )
    UPDATE applications a SET seen_modified_at = changed.modified FROM changed WHERE a.aid = changed.aid
    """
)

_READINGS = text(
    """
    INSERT INTO readings (batch_id, registration_id, act, act_number, outcome)
    SELECT :batch_id, id, act, number, outcome
      FROM unnest(
           CAST(:ids AS text[]), CAST(:acts AS text[]), CAST(:numbers AS int[]), CAST(:outcomes AS text[])
      ) AS reading (id, act, number, outcome)
    ON CONFLICT (batch_id, registration_id, act, act_number) DO UPDATE SET outcome = EXCLUDED.outcome
     WHERE readings.outcome <> EXCLUDED.outcome
    """
)


def _look_up(connection: Connection, claimant: Claimant, keys: Sequence[EventKey]) -> dict[EventKey, _Known]:
    if not keys:
        return {}
    rows = connection.execute(
        _LOOK_UP, {"kind": str(claimant.kind), "batch_id": claimant.batch_id, **key_arrays(keys)}
    )
    return {
        EventKey(row.registration_id, row.act, row.act_number): _Known(
            row.aid, ApplicationState(row.state), row.is_of_batch, row.session_id, row.person_id, row.may_go
        )
        for row in rows
    }


def _insert(
    connection: Connection, claimant: Claimant, given: Sequence[tuple[ReadEvent, str]], supersedes: Mapping[str, str]
) -> dict[EventKey, _Known]:
    """Claim events under the AIDs that they are given; what somebody else has claimed meanwhile is left out."""
    if not given:
        return {}
    events = [event for event, _ in given]
    rows = connection.execute(
        _INSERT,
        {
            "kind": str(claimant.kind),
            "batch_id": claimant.batch_id,
            "session_id": claimant.session_id,
            "persons": [event.person_id for event in events],
            "aids": [aid for _, aid in given],
            "modified": [event.modified_at for event in events],
            "supersedes": [supersedes.get(aid) for _, aid in given],
            **key_arrays([event.key for event in events]),
        },
    )
    return {
        EventKey(row.registration_id, row.act, row.act_number): _Known(
            row.aid, ApplicationState.AID_ASSIGNED, True, claimant.session_id, row.person_id
        )
        for row in rows
    }


def _note_versions(connection: Connection, events: Sequence[ReadEvent], to_create: Mapping[EventKey, str]) -> None:
    """Remember which version of a registration is sent, where another was read when it was claimed."""
    taken = [event for event in events if event.key in to_create and event.modified_at is not None]
    if taken:
        connection.execute(
            _NOTE_VERSIONS,
            {"aids": [to_create[event.key] for event in taken], "modified": [event.modified_at for event in taken]},
        )


def _note_changes(connection: Connection, events: Sequence[ReadEvent], known: dict[EventKey, _Known]) -> None:
    """Remember that the registry has changed what was sent: should MOSIP refuse it, the correction is there already."""
    if events:
        connection.execute(
            _NOTE_CHANGES,
            {"aids": [known[event.key].aid for event in events], "modified": [event.modified_at for event in events]},
        )


def _write_readings(connection: Connection, batch_id: int, outcomes: dict[EventKey, ReadingOutcome]) -> None:
    if outcomes:
        connection.execute(
            _READINGS,
            {
                "batch_id": batch_id,
                "outcomes": [str(outcome) for outcome in outcomes.values()],
                **key_arrays(list(outcomes)),
            },
        )
