"""One range, from the registry to MOSIP: pages are read ahead, claimed, and sent under a bound.

While the events of one page are on their way, the next page is read, mapped and claimed in a thread. At most two pages
and a fixed number of events are in memory, whatever the size of the range.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
import pandas as pd
from sqlalchemy import Engine

from mosip_crvs.errors import BatchIncomplete, ExtractError, LedgerUnavailable
from mosip_crvs.identity.page import PageMapper
from mosip_crvs.ledger import batches, rates, sending, supersessions
from mosip_crvs.ledger.batches import Hold
from mosip_crvs.ledger.claims import Claimant, ReadEvent, claim_page
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.sending import HOLIDAY, MOST_HELD_TIMES
from mosip_crvs.ledger.sessions import Session, seconds_to_wait
from mosip_crvs.model import RegistrationKind
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import TokenSource
from mosip_crvs.packet.request import PacketRequests
from mosip_crvs.registry.extract import Extract
from mosip_crvs.submission import supersession
from mosip_crvs.submission.backlog import Packet, Trigger
from mosip_crvs.submission.calendar import (
    MARGIN,
    AskLive,
    Clock,
    HolidayGate,
    WorkingDays,
    find_working_days,
    nobody_to_ask,
)
from mosip_crvs.submission.pace import Pace
from mosip_crvs.submission.sender import Sender, Tls
from mosip_crvs.submission.supersession import AskStatus

PAGE_SIZE = 500
EVENTS_UNDER_WAY = 256
"""With so many left of the pages before, the next page is added: at most a page more than this is under way."""
HEARTBEAT_SECONDS = 2.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Submission:
    """All that sending one kind of registration needs, put together once a task.

    :param ask_live: asks MOSIP whether a day is a holiday of the centre.
    :param ask_status: asks MOSIP what became of applications.
    :param clock: seconds since 1970, by which packets are held on holidays.
    """

    kind: RegistrationKind
    ledger: Engine
    extract: Extract
    mapper: PageMapper
    requests: PacketRequests
    settings: MosipSettings
    tokens: TokenSource
    tls: Tls = field(default_factory=Tls)
    page_size: int = PAGE_SIZE
    ask_live: AskLive = nobody_to_ask
    ask_status: AskStatus = supersession.nobody_to_ask
    clock: Clock = time.time


def submit_range(submission: Submission, batch_id: int, range_number: int, label: str) -> Counter[str]:
    """Send one range; safe to run again at any time, after any kind of end.

    What a holiday of the centre kept back is no failure: the range is then held, and a later run takes it up.

    :param label: names the task for an operator.
    :return: counts by outcome: of reading (``known``, ``quarantined`` …) and of sending (``triggered`` …).
    :raises BatchIncomplete: when applications are left to be tried again.
    """
    task = batches.take_range(submission.ledger, batch_id, range_number)
    if task.kind is not submission.kind:
        raise ExtractError(f"batch {batch_id} is one of {task.kind} registrations, not of {submission.kind}")
    days = _working_days(submission)
    gate = HolidayGate(days, submission.settings.timeout, submission.clock)
    pages = submission.extract.pages(task.lower, task.upper, submission.page_size)
    tally = asyncio.run(_send_pages(submission, task.batch_id, pages, label, gate))
    left = tally["unsent"] + tally["busy"]
    if left:
        raise BatchIncomplete(
            f"batch {batch_id} range {range_number}: {left} applications are not sent yet ({_counts(tally)})"
        )
    if gate.holiday is not None and tally["held_for_holiday"]:
        hold = Hold(HOLIDAY, gate.holiday, days.next_working_day(gate.holiday))
        batches.hold_range(submission.ledger, batch_id, range_number, hold)
        return tally
    batches.finish_range(submission.ledger, batch_id, range_number)
    batches.finish_batches(submission.ledger, submission.kind)
    return tally


def submit_corrected(submission: Submission, batch_id: int, label: str) -> Counter[str]:
    """Send again what MOSIP refused in earlier batches and no window brings back; safe to run again at any time.

    Their correction was read before they were refused, or they need none, because MOSIP never began them. They are read
    by their numbers and count among what this batch reads.

    :raises BatchIncomplete: when applications are left to be tried again.
    """
    gate = HolidayGate(_working_days(submission), submission.settings.timeout, submission.clock)
    tally = asyncio.run(_send_pages(submission, batch_id, _refused_pages(submission, batch_id), label, gate))
    if tally["unsent"] + tally["busy"]:
        raise BatchIncomplete(f"batch {batch_id}: corrected events are not sent yet ({_counts(tally)})")
    return tally


def _refused_pages(submission: Submission, batch_id: int) -> Iterator[pd.DataFrame]:
    """Read, page by page, the registrations of refused applications that may be sent again."""
    after = 0
    while refused := supersessions.waiting(submission.ledger, submission.kind, batch_id, after, submission.page_size):
        after = refused[-1][0]
        yield from submission.extract.registrations([registration for _, registration in refused])


def resume_triggers(submission: Submission, label: str) -> Counter[str]:
    """Repeat every trigger of this kind whose answer never reached us, whatever became of the registration since.

    :raises BatchIncomplete: when some are still without an answer.
    """
    aids = sending.stranded(submission.ledger, submission.kind)
    tally = asyncio.run(_trigger_again(submission, aids, label)) if aids else Counter()
    if tally["unsent"]:
        raise BatchIncomplete(f"{tally['unsent']} triggers are still without an answer ({_counts(tally)})")
    return tally


def _working_days(submission: Submission) -> WorkingDays:
    """Find the working days from the first one on which a packet may be stored that is created now."""
    first = datetime.fromtimestamp(submission.clock(), UTC) - MARGIN
    return find_working_days(submission.ledger, submission.settings, submission.ask_live, first.date())


async def _send_pages(
    submission: Submission, batch_id: int, pages: Iterator[pd.DataFrame], label: str, gate: HolidayGate
) -> Counter[str]:
    tally: Counter[str] = Counter()
    async with _sending(submission, label, gate.may_create) as (session, sender):
        await asyncio.sleep(gate.seconds_to_wait())
        claimant = Claimant(
            submission.kind,
            batch_id,
            session.session_id,
            submission.settings.center_id,
            submission.settings.machine_id,
        )
        upcoming = asyncio.create_task(asyncio.to_thread(_prepare, submission, claimant, pages))
        try:
            while (prepared := await upcoming) is not None:
                upcoming = asyncio.create_task(asyncio.to_thread(_prepare, submission, claimant, pages))
                tally.update(prepared.tally)
                if prepared.wait:
                    await asyncio.sleep(prepared.wait)
                sender.backlog.add(prepared.packets, prepared.triggers)
                await sender.backlog.until_at_most(EVENTS_UNDER_WAY)
        finally:
            # Its failure, if it has one beside another, is nobody's to report: the text may quote a registration.
            await asyncio.gather(upcoming, return_exceptions=True)
    return tally + await _counted(submission, sender)


async def _trigger_again(submission: Submission, aids: list[str], label: str) -> Counter[str]:
    async with _sending(submission, label, may_create=_never) as (session, sender):
        taken = await asyncio.to_thread(sending.adopt, submission.ledger, session.session_id, aids)
        await asyncio.sleep(await asyncio.to_thread(_quiet_time, submission, taken.left_by))
        sender.backlog.add([], [Trigger(aid, first=False) for aid in taken.states])
    return await _counted(submission, sender)


async def _counted(submission: Submission, sender: Sender) -> Counter[str]:
    """Count what became of a run. What was held in many runs already is left to a person, not to another run."""
    worn = await asyncio.to_thread(sending.worn_out, submission.ledger, sender.unsent)
    if worn:
        log.error("ALARM held: %d applications were held %d times; look at their held_code", len(worn), MOST_HELD_TIMES)
    return sender.tally + Counter(unsent=len(sender.unsent) - len(worn), worn_out=len(worn))


def _never() -> bool:
    """Say that no packet may be created: there are triggers only."""
    return False


@dataclass(slots=True)
class _PreparedPage:
    """A page that stands in the ledger, and what of it is to be sent."""

    packets: list[Packet]
    triggers: list[Trigger]
    tally: Counter[str]
    wait: float


def _prepare(submission: Submission, claimant: Claimant, pages: Iterator[pd.DataFrame]) -> _PreparedPage | None:
    """Read, map and claim the next page. Blocking; when it returns, the page is durable."""
    frame = next(pages, None)
    if frame is None:
        return None
    events = submission.mapper.map_page(frame, datetime.now(UTC).date())
    read = [
        ReadEvent(event.key, event.person_id, event.findings, event.not_eligible, event.modified_at)
        for event in events
    ]
    grace = timedelta(seconds=submission.settings.half_created_after)
    leave = supersession.leave_for(submission.ledger, claimant, read, submission.ask_status, grace)
    claimed = claim_page(submission.ledger, claimant, read, leave.supersede, leave.in_doubt)
    by_key = {event.key: event for event in events}
    tally = Counter({str(outcome): count for outcome, count in Counter(claimed.outcomes.values()).items()})
    tally["busy"] += claimed.busy
    return _PreparedPage(
        [Packet(aid, by_key[key].identity) for key, aid in claimed.to_create.items()],
        [Trigger(aid, first=False) for aid in claimed.to_trigger],
        tally,
        _quiet_time(submission, claimed.left_by),
    )


def _quiet_time(submission: Submission, left_by: Sequence[datetime]) -> float:
    """Say how long to wait before sending what a killed task may have calls under way for."""
    if not left_by:
        return 0.0
    with transaction(submission.ledger) as connection:
        return seconds_to_wait(connection, left_by, submission.settings.takeover_wait)


@asynccontextmanager
async def _sending(
    submission: Submission, label: str, may_create: Callable[[], bool]
) -> AsyncIterator[tuple[Session, Sender]]:
    """Open what sending needs, bound it, and close it in order; the first failure cancels everything in flight."""
    ledger, settings = submission.ledger, submission.settings
    session = await asyncio.to_thread(Session.open, ledger, label)
    pace = Pace(
        lambda events: rates.reserve(ledger, events, settings.events_per_second),
        lambda seconds: rates.pause(ledger, seconds),
        settings.events_per_second,
    )
    in_order = False
    sender: Sender | None = None
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=settings.timeout, connect=min(10.0, settings.timeout)),
            ) as http,
            asyncio.TaskGroup() as group,
        ):
            # By itself aiohttp repeats a PUT whose connection broke, at once and unseen; the sender decides that.
            http._retry_connection = False
            sender = Sender(
                http,
                settings,
                tokens=submission.tokens,
                requests=submission.requests,
                write=lambda writes: sending.write_group(
                    ledger,
                    session.session_id,
                    triggering=writes.triggering,
                    outcomes=writes.outcomes,
                    held=writes.held,
                    poll_after=settings.poll_after,
                ),
                pace=pace,
                may_create=may_create,
                tls=submission.tls,
            )
            running = [group.create_task(_heartbeat(session)), group.create_task(sender.writer.run())]
            running += [group.create_task(sender.call()) for _ in range(settings.concurrency)]
            yield session, sender
            await sender.backlog.until_at_most(0)
            for task in running:
                task.cancel()
        in_order = not sender.unanswered
    except BaseExceptionGroup as failures:
        raise _first(failures) from None
    finally:
        if sender is not None and sender.backlog.under_way:
            with suppress(LedgerUnavailable):
                await sender.writer.keep_what_is_known()
        await asyncio.to_thread(session.close, in_order=in_order)


async def _heartbeat(session: Session) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        await asyncio.to_thread(session.check)


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Of several failures at once give one; all of them stopped the same range."""
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _counts(tally: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(tally.items()) if count)
