"""Sending one application: create the packet, make ``TRIGGERING`` durable, trigger. In that order, always.

A caller takes a packet from the backlog and creates it; the group writer commits ``TRIGGERING``; that puts a trigger
into the backlog, which the next free caller takes. MOSIP's word on it goes to the group writer, too::

    backlog --packet--> _create --> MOSIP --> writer.ask_to_trigger --> ledger --> _committed --+
       ^                                                                                       | trigger
       +---------------------------------------------------------------------------------------+
    backlog --trigger-> _trigger -> MOSIP --> writer.record --> ledger --> _committed: finished

On a holiday of the centre no packet is created, at no try: what would be is held for a working day. Triggers leave on
any day, for MOSIP judges a packet by the day of its creation.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.ledger.sending import HOLIDAY, Held, TriggerOutcome
from mosip_crvs.mosip.answers import NO_ANSWER, TIMED_OUT, Answer, read_create_packet, read_trigger
from mosip_crvs.mosip.codes import Action
from mosip_crvs.mosip.moments import now_text
from mosip_crvs.mosip.settings import CREATE_PACKET_PATH, WORKFLOW_INSTANCE_PATH, MosipSettings
from mosip_crvs.mosip.token import TokenSource, seconds
from mosip_crvs.packet.request import PacketRequests
from mosip_crvs.settlement.rules import EvidenceKind
from mosip_crvs.submission.backlog import Backlog, Packet, Trigger
from mosip_crvs.submission.group import Group, GroupWriter
from mosip_crvs.submission.pace import Pace, backoff

TRIES = 5
"""Calls for one step of one application in one run; Airflow's own retries come on top."""
OPERATOR_TRIES = 2
REFUSALS_TO_STOP = 3
"""Fresh tokens that MOSIP may refuse in a row before we believe that it means us."""
PATIENCE_SECONDS = 60.0
"""For a longer quiet than this a task does not wait: it ends, and Airflow starts it again when the time has come."""
BELIEVED_SECONDS = 30.0
"""How long an accepted call proves that our client is right, whatever another call is told."""
FAILURES_TO_STOP = 25
"""Applications given up in a row before we believe that MOSIP is down."""

Reader = Callable[[int, bytes, float | None], Answer]
_NOT_TODAY = Answer(0, HOLIDAY)
"""What a call came to that was not made."""


@dataclass(frozen=True)
class Tls:
    """How the bulk path meets TLS and proxies, as the connection's extra says.

    :param verify: a context, True for the system's, False for none.
    """

    verify: ssl.SSLContext | bool = True
    proxy: str | None = None


class Sender:
    """Sends applications over one HTTP session. What it gives up is held in the ledger, with the code for why.

    :param write: commits a group of ledger writes; blocking.
    :param may_create: whether a packet may be created now; asked at the moment of every call.
    :param tally: counts ``triggered``, ``already_present``, ``refused`` (as it is, it cannot be sent) and
        ``held_for_holiday``.
    :param unsent: AIDs that are to be tried again.
    :param unanswered: counts calls that no answer came to; MOSIP may still be at work on them.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        settings: MosipSettings,
        *,
        tokens: TokenSource,
        requests: PacketRequests,
        write: Callable[[Group], frozenset[str]],
        pace: Pace,
        may_create: Callable[[], bool],
        tls: Tls | None = None,
    ) -> None:
        self.tally: Counter[str] = Counter()
        self.unanswered = 0
        self.unsent: list[str] = []
        self.backlog = Backlog()
        self.writer = GroupWriter(write, self._committed)
        self._http = http
        self._tokens = tokens
        self._requests = requests
        self._pace = pace
        self._tls = tls or Tls()
        self._creating = _Call("PUT", URL(settings.base_url + CREATE_PACKET_PATH), read_create_packet, may_create)
        self._triggering = _Call("POST", URL(settings.base_url + WORKFLOW_INSTANCE_PATH), read_trigger)
        self._headers: tuple[str, CIMultiDict[str]] = ("", CIMultiDict())
        self._given_up_in_a_row = 0
        self._accepted_at = -BELIEVED_SECONDS

    async def call(self) -> None:
        """Make one call after the other, for ever: the bound on calls in flight is the number of callers."""
        while True:
            work = await self.backlog.take()
            if isinstance(work, Packet):
                await self._create(work)
            else:
                await self._trigger(work)

    async def _create(self, packet: Packet) -> None:
        """Create the packet of an application, then have ``TRIGGERING`` made durable."""
        if not self._creating.may_be_made():  # what waits for another day takes no place in the rate
            self._hold_for_holiday(packet.aid)
            return
        await self._pace.next_event()
        body = self._requests.create_packet(packet.aid, packet.identity, now_text())
        answer = await self._call(self._creating, body)
        if answer.succeeded:
            self.writer.ask_to_trigger(packet.aid)
        elif answer is _NOT_TODAY:
            self._hold_for_holiday(packet.aid)
        else:
            self._give_up(packet.aid, answer)

    async def _trigger(self, trigger: Trigger) -> None:
        """Trigger an application whose ``TRIGGERING`` is durable. The packet is not touched."""
        if not trigger.first:
            await self._pace.next_event()
        attempts = _Attempts()
        body = self._requests.trigger(trigger.aid, now_text())
        answer = await self._call(self._triggering, body, attempts)
        if answer.succeeded:
            self.writer.record(TriggerOutcome(trigger.aid, EvidenceKind.TRIGGER_ACCEPTED, answer.reference))
            self._succeeded("triggered")
        elif answer.action is Action.ALREADY_DONE:
            # On the very first call for an AID nobody can have triggered it but somebody who uses our AIDs.
            alarm = "aid_in_use" if trigger.first and attempts.made == 1 else None
            self.writer.record(TriggerOutcome(trigger.aid, EvidenceKind.TRIGGER_ALREADY_PRESENT, alarm=alarm))
            self._succeeded("already_present")
        else:
            self._give_up(trigger.aid, answer)

    def _committed(self, group: Group, granted: frozenset[str]) -> None:
        """Go on with what a commit made safe. A trigger that was not granted is no longer ours to send."""
        self.backlog.proceed([Trigger(aid, first=True) for aid in group.triggering if aid in granted])
        self.backlog.finished(group.size - len(granted))

    async def _call(self, call: _Call, body: bytes, attempts: _Attempts | None = None) -> Answer:
        """Make a call until it is answered for good, within bounds, and as long as it may be made."""
        attempts = attempts or _Attempts()
        refusals, refused = 0, None
        while True:
            token = await self._token(refused)
            if not call.may_be_made():
                return _NOT_TODAY
            answer = await self._once(call, body, token)
            attempts.made += 1
            if answer.succeeded:
                self._accepted_at = time.monotonic()
                self._pace.accepted()
                return answer
            self._stop_if_it_means_all(answer, refusals)
            if answer.action is Action.REFRESH_TOKEN:
                refusals, refused = refusals + 1, token
                if refusals < REFUSALS_TO_STOP:
                    continue
                return answer
            # What timed out is not repeated in this run: MOSIP may still be at it, and two for one AID would mix.
            if answer.code == "TIMED_OUT" or attempts.made - refusals >= _tries(answer.action):
                return answer
            if answer.status in (429, 503):
                await self._pace.quiet(answer.retry_after)
            await asyncio.sleep(backoff(attempts.made, answer.retry_after))

    def _stop_if_it_means_all(self, answer: Answer, refusals: int) -> None:
        """End the range when an answer is not about this application alone."""
        if answer.status == 0:
            self.unanswered += 1
        if (answer.retry_after or 0.0) > PATIENCE_SECONDS:
            raise MosipUnavailable(
                f"MOSIP asked for {answer.retry_after:.0f} s of quiet", retry_after=answer.retry_after
            )
        # What contradicts the calls that are accepted meanwhile is a gateway's whim, and costs this application alone.
        believed = not self._accepted_lately()
        if answer.action is Action.STOP and (believed or not answer.is_a_gateways):
            raise MosipRefused(f"MOSIP refused the call: {answer.code} (HTTP {answer.status}); nothing more is sent")
        if answer.action is Action.REFRESH_TOKEN and refusals + 1 == REFUSALS_TO_STOP and believed:
            raise MosipRefused(f"MOSIP refused {REFUSALS_TO_STOP} fresh tokens: {answer.code}; check client and issuer")

    def _accepted_lately(self) -> bool:
        """Say whether another call proved, moments ago, that our client and our paths are right."""
        return time.monotonic() - self._accepted_at < BELIEVED_SECONDS

    async def _token(self, refused: str | None) -> str:
        """Get a token, patient with a token service that hiccups."""
        for attempt in range(1, TRIES):
            try:
                return await self._tokens.get_async(refused)
            except MosipUnavailable as problem:
                await asyncio.sleep(backoff(attempt, problem.retry_after))
        return await self._tokens.get_async(refused)

    async def _once(self, call: _Call, body: bytes, token: str) -> Answer:
        if self._headers[0] != token:
            self._headers = (
                token,
                CIMultiDict({"Cookie": f"Authorization={token}", "Content-Type": "application/json"}),
            )
        try:
            async with self._http.request(
                call.method,
                call.url,
                data=body,
                headers=self._headers[1],
                allow_redirects=False,
                ssl=self._tls.verify,
                proxy=self._tls.proxy,
            ) as reply:
                return call.read(reply.status, await reply.read(), seconds(reply.headers.get("Retry-After")))
        except TimeoutError:
            return TIMED_OUT
        except (aiohttp.ClientError, OSError):
            return NO_ANSWER

    def _hold_for_holiday(self, aid: str) -> None:
        """Leave an application to a working day. It has not failed, and says nothing of MOSIP's health."""
        self.writer.hold(Held(aid, HOLIDAY))
        self.tally["held_for_holiday"] += 1

    def _give_up(self, aid: str, answer: Answer) -> None:
        code = answer.code or "UNKNOWN"
        self.writer.hold(Held(aid, code))
        if answer.action is Action.FIX_DATA:
            self.tally["refused"] += 1
            return
        self.unsent.append(aid)
        self._given_up_in_a_row += 1
        if self._given_up_in_a_row >= FAILURES_TO_STOP:
            raise MosipUnavailable(
                f"MOSIP did not take {FAILURES_TO_STOP} applications in a row (last: {code}); stopping early",
                retry_after=answer.retry_after,
            )

    def _succeeded(self, how: str) -> None:
        self.tally[how] += 1
        self._given_up_in_a_row = 0


def _tries(action: Action) -> int:
    return {Action.RETRY: TRIES, Action.OPERATOR: OPERATOR_TRIES}.get(action, 1)


def _on_any_day() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class _Call:
    """One kind of call.

    :param may_be_made: asked at the moment of every try.
    """

    method: str
    url: URL
    read: Reader
    may_be_made: Callable[[], bool] = _on_any_day


@dataclass(slots=True)
class _Attempts:
    made: int = 0
