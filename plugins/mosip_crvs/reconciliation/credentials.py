"""Credentials on their way from MOSIP to the registry (``mosip-events.md`` §2.4, §2.5, §4.1).

Announced, fetched, opened, acknowledged: each step is kept before the next begins. A link may be good for a single
look, so the bytes are committed before anything else is done with them; what was lost all the same MOSIP is asked to
issue again. Of what was in a credential only the identifier that the registry may have is kept, sealed, in its outbox.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import requests
from sqlalchemy import Connection, Engine

from mosip_crvs.credential.notification import CredentialNotification, read_notification
from mosip_crvs.credential.proof import Verdict
from mosip_crvs.errors import HostRefused, MosipRefused, MosipUnavailable, ShareGone, ShareTooLarge
from mosip_crvs.ledger import credentials, results
from mosip_crvs.ledger.connection import now_of, transaction
from mosip_crvs.ledger.credentials import Announcement, DueCredential
from mosip_crvs.ledger.inbox import InboxRow
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.mosip import credential_requests, data_share, hub
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.moments import now_text
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource
from mosip_crvs.reconciliation import troubles
from mosip_crvs.reconciliation.credential_waits import REISSUE_TRIES, REISSUE_WAIT, VAIN_TRIES, wait_of, wait_of_all
from mosip_crvs.reconciliation.opening import HOST_REFUSED, NOT_CURRENT, TOO_LARGE, Judged, Trust, judge, mark_of
from mosip_crvs.reconciliation.partner_trust import allowed_hosts
from mosip_crvs.reconciliation.troubles import Step
from mosip_crvs.settlement.events import UnreadableEvent, WorkflowEvent

STATUS_TOPIC = "CREDENTIAL_STATUS_UPDATE"
OVERDUE = timedelta(hours=1)
"""How long after a birth was completed its credential may be announced before it is asked for, where that can be."""
OVERDUE_FOR_A_PERSON = timedelta(days=1)
"""After which a person is told of a completed birth without any credential."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Partner:
    """How we come to credentials.

    :param session: carries TLS and proxies for links, which may lead to other hosts than ``calls`` does.
    :param tokens: the credential partner's.
    """

    calls: SingleCalls
    session: requests.Session
    tokens: TokenSource = field(repr=False)
    settings: MosipSettings
    trust: Trust


def announce(connection: Connection, said: Sequence[tuple[InboxRow, WorkflowEvent]]) -> dict[int, str]:
    """Note the credentials that notifications of our applications announce.

    It is called in the transaction that settles them, and one that cannot be read does not hold up the others.

    :return: what is wrong with those that cannot be read, by ``inbox_id``.
    """
    problems: dict[int, str] = {}
    readable: list[Announcement] = []
    for row, event in said:
        try:
            readable.append(_announcement(row, event))
        except UnreadableEvent as problem:
            problems[row.inbox_id] = str(problem)
    credentials.announce(connection, readable)
    return problems


def work_credentials(ledger: Engine, seal: Seal, partner: Partner) -> Counter[str]:
    """Take every credential that is due as far as it will go; safe to run twice at once, to kill and to repeat.

    :return: counts of the steps that were made, and ``waiting`` for those that were tried in vain.
    :raises StopTheRun: when the list of hosts cannot be used.
    """
    work = _Work(ledger, seal, partner)
    work.look_again()
    while (due := work.take()) is not None:
        work.go_on(due)
    return work.tally


class _Work:
    """One run."""

    def __init__(self, ledger: Engine, seal: Seal, partner: Partner) -> None:
        self.ledger = ledger
        self.seal = seal
        self.partner = partner
        self.hosts = allowed_hosts(partner.settings)
        self.tally: Counter[str] = Counter()
        self._vain: Counter[Step] = Counter()
        self._stopped: dict[Step, timedelta] = {}
        self._steps: dict[str, tuple[Step, Callable[[DueCredential], DueCredential | None]]] = {
            "announced": (Step.FETCH, self._fetch),
            "fetched": (Step.OPEN, self._open),
            "opened": (Step.ACKNOWLEDGE, self._acknowledge),
            "refused": (Step.ACKNOWLEDGE, self._acknowledge),
            "gone": (Step.REISSUE, self._reissue),
        }

    def take(self) -> DueCredential | None:
        with transaction(self.ledger) as connection:
            return credentials.take(connection)

    def go_on(self, due: DueCredential) -> None:
        """Make one step after the other, until nothing is left to do or one cannot be made now."""
        while True:
            step, make = self._steps[due.state]
            if step in self._stopped:
                return self._let_wait(due, self._stopped[step])
            try:
                went = make(due)
            except (MosipRefused, MosipUnavailable) as problem:
                return self._in_vain(due, step, problem)
            if went is None:
                return None
            due = went

    def look_again(self) -> None:
        """Take up what waited for something that has come; erase what waited too long."""
        with transaction(self.ledger) as connection:
            now = now_of(connection)
            credentials.erase_unused(connection, now - timedelta(days=self.partner.settings.credential_keep_days))
            for waiting in credentials.waiting_for(connection):
                problem, _, mark = waiting.partition(" ")
                if self._has_come(connection, problem, mark):
                    self.tally["looked_again"] += credentials.look_again(connection, waiting)
                    troubles.has_come(connection, problem, mark)
            settings = self.partner.settings
            if settings.credential_suffix:
                expected = credentials.expect(connection, settings.partner_id, settings.credential_suffix, OVERDUE)
                self.tally += Counter(never_announced=expected)
            late = credentials.overdue(connection, OVERDUE_FOR_A_PERSON)
            troubles.overdue(connection, settings.partner_id, late)

    def _has_come(self, connection: Connection, problem: str, mark: str) -> bool:
        if problem == HOST_REFUSED:
            return mark != mark_of(self.hosts)
        if problem == NOT_CURRENT:
            return results.is_current(connection, mark)
        return self.partner.trust.settles(problem, mark)

    def _fetch(self, due: DueCredential) -> DueCredential | None:
        told = self._notification(due)
        if told is None or told.link is None:
            return self._gone(due)
        settings = self.partner.settings
        try:
            found = data_share.fetch(
                self.partner.session, self.partner.tokens, told.link, allowed_hosts=self.hosts, timeout=settings.timeout
            )
        except HostRefused as problem:
            return self._refuse(due, Judged(f"{HOST_REFUSED} {mark_of(self.hosts)}"), str(problem))
        except ShareTooLarge:
            return self._refuse(due, Judged(TOO_LARGE))
        except ShareGone:
            return self._gone(due)
        with transaction(self.ledger) as connection:
            kept = credentials.fetched(connection, due, found)
        with transaction(self.ledger) as connection:
            troubles.allowed(connection, due, Step.FETCH)
        self.tally["fetched"] += 1
        return kept

    def _gone(self, due: DueCredential) -> DueCredential | None:
        with transaction(self.ledger) as connection:
            went = credentials.gone(connection, due)
        log.warning("The credential of application %s cannot be fetched: its link is used up or gone", due.aid)
        self.tally["gone"] += 1
        return went

    def _open(self, due: DueCredential) -> DueCredential | None:
        with transaction(self.ledger) as connection:
            cipher_text = credentials.cipher_text_of(connection, due)
        if cipher_text is None:
            return None
        told = self._notification(due)
        judged = judge(cipher_text, told.signature if told else None, due.aid, self.partner.trust)
        if not judged.is_usable:
            return self._refuse(due, judged)
        with transaction(self.ledger) as connection:
            if judged.identifier is not None and not results.is_current(connection, due.aid):
                judged = replace(judged, problem=f"{NOT_CURRENT} {due.aid}", identifier=None)
            went = credentials.opened(connection, due, str(judged.proof), judged.problem)
            if went is not None:
                self._hand_on(connection, due, judged)
        self.tally["opened"] += went is not None
        return went

    def _hand_on(self, connection: Connection, due: DueCredential, judged: Judged) -> None:
        """Post the identifier, in the transaction that notes the credential as opened."""
        troubles.is_answered(connection, due)
        if judged.proof is not Verdict.VERIFIED:
            troubles.unproven(connection, due, judged.proof)
        if judged.identifier is None:
            troubles.of_problem(connection, due, str(judged.problem))
            self.tally["superseded" if judged.is_not_current else "without_identifier"] += 1
            return
        kind, value = judged.identifier
        results.post_identifier(connection, due.aid, kind, self.seal.close(value))
        self.tally["identifiers"] += 1

    def _refuse(self, due: DueCredential, judged: Judged, details: str | None = None) -> DueCredential | None:
        problem = str(judged.problem)
        with transaction(self.ledger) as connection:
            went = credentials.refused(connection, due, problem, judged.proof)
            if went is not None:
                troubles.of_problem(connection, due, problem, details)
        log.error("The credential of application %s cannot be used: %s", due.aid, details or problem)
        self.tally["refused"] += 1
        return went

    def _acknowledge(self, due: DueCredential) -> None:
        settings = self.partner.settings
        code = (due.problem or "").partition(" ")[0]
        status = settings.credential_status if due.state == "opened" else f"serving_error_{code}"
        moment = now_text()
        event = {
            "id": str(uuid.uuid4()), "requestId": due.request_id, "timestamp": moment, "status": status, "url": "",
        }  # fmt: skip
        message = {"publisher": due.partner_id, "topic": STATUS_TOPIC, "publishedOn": moment, "event": event}
        hub.publish(
            self.partner.calls, self.partner.tokens, hub_path=settings.hub_path, topic=STATUS_TOPIC, message=message
        )
        with transaction(self.ledger) as connection:
            credentials.acknowledged(connection, due)
            troubles.allowed(connection, due, Step.ACKNOWLEDGE)
        self.tally["acknowledged"] += 1

    def _reissue(self, due: DueCredential) -> None:
        """Have a lost credential issued again, and wait for the event of that, which is a new one."""
        is_known = due.tries < REISSUE_TRIES and credential_requests.retrigger(
            self.partner.calls, self.partner.tokens, due.request_id
        )
        with transaction(self.ledger) as connection:
            credentials.put_off(connection, due, REISSUE_WAIT * (due.tries + 1) if is_known else None)
            if is_known:
                troubles.allowed(connection, due, Step.REISSUE)
            else:
                troubles.lost(connection, due)
        self.tally["reissued" if is_known else "lost"] += 1

    def _in_vain(self, due: DueCredential, step: Step, problem: MosipRefused | MosipUnavailable) -> None:
        """Let a credential wait; with the third of a run, let all wait that want the same.

        What MOSIP does not let us do a person must mend.
        """
        self._vain[step] += 1
        if self._vain[step] in (1, VAIN_TRIES):
            log.warning("A credential waits (%s): %s", step, problem)
        self._let_wait(due, wait_of(due, step, problem))
        with transaction(self.ledger) as connection:
            if isinstance(problem, MosipRefused):
                troubles.not_allowed(connection, due, step, str(problem))
            if self._vain[step] == VAIN_TRIES:
                self._stopped[step] = wait_of_all(problem)
                states = [state for state, (made_by, _) in self._steps.items() if made_by is step]
                credentials.put_all_off(connection, states, self._stopped[step])
        self.tally["waiting"] += 1

    def _let_wait(self, due: DueCredential, wait: timedelta | None) -> None:
        with transaction(self.ledger) as connection:
            credentials.put_off(connection, due, wait)

    def _notification(self, due: DueCredential) -> CredentialNotification | None:
        """Read the notification again; None when its body was erased."""
        with transaction(self.ledger) as connection:
            body = credentials.notification_of(connection, due)
        return None if body is None else read_notification(body)


def _announcement(row: InboxRow, event: WorkflowEvent) -> Announcement:
    told = read_notification(row.body)
    return Announcement(
        aid=event.aid,
        request_id=told.transaction_id,
        event_id=told.event_id,
        partner_id=row.topic.partition("/")[0],
        credential_type=told.credential_type,
        inbox_id=row.inbox_id,
        cipher_text=None if told.inline is None else told.inline.encode("ascii", "replace"),
    )
