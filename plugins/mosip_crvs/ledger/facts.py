"""Recording facts: the one way by which anything that is said of an application changes it.

Notifications, answers to questions and what we ourselves decide all come through :func:`record`. In one transaction it
keeps the evidence, moves the state by the rules, raises the alarms, and tells the registry's outbox.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import Connection, text

from mosip_crvs.ledger import alarms, evidence, relatives, results
from mosip_crvs.ledger.connection import now_of
from mosip_crvs.ledger.evidence import EvidenceRow, Fact, Held
from mosip_crvs.ledger.relatives import Relative
from mosip_crvs.model import ApplicationState
from mosip_crvs.settlement.rules import (
    ANSWERS,
    HALF_CREATED_AFTER,
    Alarm,
    EvidenceKind,
    answers_contradiction,
    weigh,
)

_ANSWERED_BY_STATE = {
    ApplicationState.COMPLETED: (Alarm.HALF_CREATED, Alarm.UNKNOWN_TO_MOSIP, Alarm.REVOKED_SUCCESS),
    ApplicationState.TRIGGERED: (Alarm.HALF_CREATED,),
    ApplicationState.REJECTED: (relatives.POSSIBLE_SECOND_ID,),
    ApplicationState.FAILED: (relatives.POSSIBLE_SECOND_ID,),
    ApplicationState.WITHDRAWN: (relatives.POSSIBLE_SECOND_ID,),
}
"""The alarms that a state answers: nobody need look any more."""
_WITH_MOSIP = frozenset({ApplicationState.TRIGGERED, ApplicationState.AWAITING_INFO})


@dataclass(slots=True)
class Recorded:
    """What became of facts.

    :param unknown: AIDs that no application of this ledger has.
    :param moved: from where to where applications went, by AID.
    :param tally: ``repeated``, ``withdrawn``, and ``alarm_…`` by the alarm's name.
    """

    unknown: set[str] = field(default_factory=set)
    moved: dict[str, tuple[ApplicationState, ApplicationState]] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)


def record(connection: Connection, facts: Sequence[Fact], grace: timedelta = HALF_CREATED_AFTER) -> Recorded:
    """Keep facts and let them have their effect; the same fact, said again, has none.

    :param grace: after which an application that MOSIP noted and did not begin is half-created.
    """
    recorded = Recorded()
    if not facts:
        return recorded
    held = evidence.hold(connection, {fact.aid for fact in facts}, grace)
    before = {aid: application.state for aid, application in held.items()}
    rows: list[EvidenceRow] = []
    for fact in facts:
        application = held.get(fact.aid)
        if application is None:
            recorded.unknown.add(fact.aid)
        elif application.knows(fact):
            recorded.tally["repeated"] += 1
        else:
            came_earlier = application.is_earlier(fact)
            rows.append(_apply(application, replace(fact, occasion=fact.at.isoformat()) if came_earlier else fact))
    evidence.append(connection, rows)
    recorded.moved = {
        aid: (before[aid], application.state) for aid, application in held.items() if application.state != before[aid]
    }
    evidence.move(connection, {aid: to for aid, (_, to) in recorded.moved.items()})
    _alarm(connection, held, rows, recorded)
    _settle_relatives(connection, held, recorded, grace)
    results.post_states(connection, _to_report(rows, recorded.moved))
    return recorded


def _apply(application: Held, fact: Fact) -> EvidenceRow:
    verdict = weigh(application.case, application.pieces.values(), fact.piece)
    row = EvidenceRow(fact, application.state, verdict.state, verdict.alarm)
    application.add(fact.piece)
    application.state = verdict.state
    return row


def _to_report(rows: Sequence[EvidenceRow], moved: Collection[str]) -> set[str]:
    """Give the applications of which the registry may have to hear: those that moved, and those explained."""
    return set(moved) | {row.fact.aid for row in rows if row.fact.kind is EvidenceKind.STAGE_FAILED}


def _alarm(
    connection: Connection, held: dict[str, Held], rows: Sequence[EvidenceRow], recorded: Recorded
) -> None:
    """Raise what the rows alarm, and clear what they, or the states that they led to, answer."""
    for row in rows:
        if row.alarm:
            recorded.tally[f"alarm_{row.alarm}"] += 1
            alarms.raise_alarm(connection, row.alarm, row.fact.aid)
        if row.alarm == Alarm.CONTRADICTED_SUCCESS:
            connection.execute(_ASK_AGAIN, {"aid": row.fact.aid})
    answered = [
        (str(code), aid) for aid, (_, state) in recorded.moved.items() for code in _ANSWERED_BY_STATE.get(state, ())
    ]
    answered += [(str(code), row.fact.aid) for row in rows for code in _answered_by(held[row.fact.aid], row.fact)]
    alarms.clear_each(connection, answered)


def _answered_by(application: Held, fact: Fact) -> Iterator[Alarm]:
    """Give the alarms that MOSIP's answer to a question answers, whatever it said."""
    if fact.kind in ANSWERS - {EvidenceKind.STATUS_NOT_FOUND, EvidenceKind.STATUS_OTHER}:
        yield Alarm.UNKNOWN_TO_MOSIP
    if answers_contradiction(application.pieces.values(), fact.piece):
        yield Alarm.CONTRADICTED_SUCCESS


def _settle_relatives(
    connection: Connection, held: dict[str, Held], recorded: Recorded, grace: timedelta
) -> None:
    """See to events that were sent under more than one number, now that one of the numbers has moved."""
    for aid, (_, state) in recorded.moved.items():
        if not held[aid].has_relatives:
            continue
        found = relatives.of(connection, aid)
        if state is ApplicationState.COMPLETED:
            _stop_others(connection, aid, found, recorded, grace)
        elif state in _WITH_MOSIP:
            _tell_of_two(connection, aid, [each for each in found if each.may_be_second], recorded)
        elif Relative(aid, state).is_refused:
            done = [each.aid for each in found if each.state is ApplicationState.COMPLETED]
            if done:
                relatives.make_current(connection, done[0], [aid])
                results.post_states(connection, done)


def _tell_of_two(connection: Connection, aid: str, others: Sequence[Relative], recorded: Recorded) -> None:
    for each in others:
        recorded.tally[f"alarm_{relatives.POSSIBLE_SECOND_ID}"] += 1
        alarms.raise_alarm(connection, relatives.POSSIBLE_SECOND_ID, each.aid, other=aid)


def _stop_others(
    connection: Connection, aid: str, found: Sequence[Relative], recorded: Recorded, grace: timedelta
) -> None:
    """Withdraw what was not sent yet; where that is too late or not certain, say so as loud as can be."""
    now = now_of(connection)
    relatives.make_current(connection, aid, [each.aid for each in found if not each.is_alive])
    _tell_of_two(connection, aid, [each for each in found if each.may_be_second], recorded)
    withdrawals = [relatives.withdrawal(each.aid, aid, now) for each in found if each.may_be_withdrawn]
    if withdrawals:
        recorded.tally["withdrawn"] += len(withdrawals)
        record(connection, withdrawals, grace)


_ASK_AGAIN = text("UPDATE applications SET next_poll_at = now() WHERE aid = :aid")
