"""Sending one application: create the packet, make ``TRIGGERING`` durable, trigger. In that order, always."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.identity.schema import Identity
from mosip_crvs.ledger.sending import Held, TriggerOutcome
from mosip_crvs.mosip.answers import Answer, no_answer, read_create_packet, read_trigger
from mosip_crvs.mosip.codes import Action
from mosip_crvs.mosip.settings import CREATE_PACKET_PATH, WORKFLOW_INSTANCE_PATH, MosipSettings
from mosip_crvs.mosip.token import TokenSource, seconds
from mosip_crvs.packet.request import PacketRequests
from mosip_crvs.settlement.rules import EvidenceKind
from mosip_crvs.submission.group import GroupWriter
from mosip_crvs.submission.pace import Pace, backoff

TRIES = 5
"""Calls for one step of one application in one run; Airflow's own retries come on top."""
OPERATOR_TRIES = 2
REFUSALS_TO_STOP = 3
"""Fresh tokens that MOSIP may refuse in a row before we believe that it means us."""
FAILURES_TO_STOP = 25
"""Applications given up in a row before we believe that MOSIP is down."""

Reader = Callable[[int, bytes, float | None], Answer]


@dataclass(frozen=True)
class Tls:
    """How the bulk path meets TLS and proxies, as the connection's extra says.

    :param verify: a context, True for the system's, False for none.
    """

    verify: ssl.SSLContext | bool = True
    proxy: str | None = None


class Sender:
    """Sends applications over one HTTP session. What it gives up is held in the ledger, with the code for why.

    :param tally: counts ``triggered``, ``already_present``, ``refused`` (as it is, it cannot be sent) and ``unsent``
        (to be tried again).
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        settings: MosipSettings,
        *,
        tokens: TokenSource,
        requests: PacketRequests,
        writer: GroupWriter,
        pace: Pace,
        tls: Tls | None = None,
    ) -> None:
        self.tally: Counter[str] = Counter()
        self._http = http
        self._tokens = tokens
        self._requests = requests
        self._writer = writer
        self._pace = pace
        self._tls = tls or Tls()
        self._create_url = settings.base_url + CREATE_PACKET_PATH
        self._trigger_url = settings.base_url + WORKFLOW_INSTANCE_PATH
        self._in_flight = asyncio.Semaphore(settings.concurrency)
        self._given_up_in_a_row = 0

    async def create_and_trigger(self, aid: str, identity: Identity) -> None:
        """Carry one claimed application to MOSIP. Only ever called for one whose trigger was never attempted."""
        await self._pace.next_event()
        body = self._requests.create_packet(aid, identity, _now())
        answer = await self._call("PUT", self._create_url, body, read_create_packet)
        if not answer.succeeded:
            await self._give_up(aid, answer)
            return
        if await self._writer.grant_trigger(aid):
            await self._trigger(aid, first=True)

    async def trigger_again(self, aid: str) -> None:
        """Repeat a trigger whose answer never reached us. The packet is not touched."""
        await self._pace.next_event()
        await self._trigger(aid, first=False)

    async def _trigger(self, aid: str, *, first: bool) -> None:
        attempts = _Attempts()
        body = self._requests.trigger(aid, _now())
        answer = await self._call("POST", self._trigger_url, body, read_trigger, attempts)
        if answer.succeeded:
            await self._writer.record(TriggerOutcome(aid, EvidenceKind.TRIGGER_ACCEPTED, answer.reference))
            self._succeeded("triggered")
        elif answer.action is Action.ALREADY_DONE:
            # On the very first call for an AID nobody can have triggered it but somebody who uses our AIDs.
            alarm = "aid_in_use" if first and attempts.made == 1 else None
            await self._writer.record(TriggerOutcome(aid, EvidenceKind.TRIGGER_ALREADY_PRESENT, alarm=alarm))
            self._succeeded("already_present")
        else:
            await self._give_up(aid, answer)

    async def _call(
        self, method: str, url: str, body: bytes, read: Reader, attempts: _Attempts | None = None
    ) -> Answer:
        """Make a call until it is answered for good, within bounds."""
        attempts = attempts or _Attempts()
        refusals, refused = 0, None
        while True:
            token = await self._tokens.get_async(refused)
            answer = await self._once(method, url, body, token, read)
            attempts.made += 1
            if answer.succeeded:
                self._pace.accepted()
                return answer
            action = answer.action
            if action is Action.REFRESH_TOKEN:
                refusals, refused = refusals + 1, token
                if refusals == REFUSALS_TO_STOP:
                    raise MosipRefused(f"MOSIP refused {refusals} fresh tokens: {answer.code}; check client and issuer")
                continue
            if action is Action.STOP:
                raise MosipRefused(
                    f"MOSIP refused the call: {answer.code} (HTTP {answer.status}); nothing more is sent"
                )
            limit = {Action.RETRY: TRIES, Action.OPERATOR: OPERATOR_TRIES}.get(action, 1)
            if attempts.made - refusals >= limit:
                return answer
            if answer.status in (429, 503):
                await self._pace.quiet(answer.retry_after)
            await asyncio.sleep(backoff(attempts.made, answer.retry_after))

    async def _once(self, method: str, url: str, body: bytes, token: str, read: Reader) -> Answer:
        headers = {"Cookie": f"Authorization={token}", "Content-Type": "application/json"}
        try:
            async with (
                self._in_flight,
                self._http.request(
                    method,
                    url,
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                    ssl=self._tls.verify,
                    proxy=self._tls.proxy,
                ) as reply,
            ):
                return read(reply.status, await reply.read(), seconds(reply.headers.get("Retry-After")))
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            return no_answer(problem)

    async def _give_up(self, aid: str, answer: Answer) -> None:
        code = answer.code or "UNKNOWN"
        await self._writer.hold(Held(aid, code))
        if answer.action is Action.FIX_DATA:
            self.tally["refused"] += 1
            return
        self.tally["unsent"] += 1
        self._given_up_in_a_row += 1
        if self._given_up_in_a_row >= FAILURES_TO_STOP:
            raise MosipUnavailable(
                f"MOSIP did not take {FAILURES_TO_STOP} applications in a row (last: {code}); stopping early",
                retry_after=answer.retry_after,
            )

    def _succeeded(self, how: str) -> None:
        self.tally[how] += 1
        self._given_up_in_a_row = 0


@dataclass(slots=True)
class _Attempts:
    made: int = 0


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
