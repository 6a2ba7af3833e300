"""The floor: the two requests of an event on the bare wire, by the client that the pipeline uses.

Bodies are of the size of the pipeline's own, the ID schema included, but nothing is read, mapped, judged, parsed or
kept: an AID is put into a body made once, and an answer's bytes are received.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import cycle

import aiohttp
from sqlalchemy import create_engine

from bench.work import CALLS_IN_FLIGHT, INCLUDE, Result, Stopwatch, Work
from mosip_crvs.aid import first_tick, mint_aids
from mosip_crvs.identity.page import PageMapper
from mosip_crvs.model import Bound, RegistrationKind
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import CREATE_PACKET_PATH, WORKFLOW_INSTANCE_PATH
from mosip_crvs.mosip.token import fetch_token
from mosip_crvs.packet.request import PacketRequests
from mosip_crvs.submission.assemble import CountryFiles

_PLACEHOLDER = "0" * 29
_SAMPLES = 200
_NOW = "2026-01-01T00:00:00.000Z"

Split = tuple[bytes, bytes]


def measure(work: Work) -> Result:
    """Send as many events as asked, each with an AID of its own."""
    settings = work.settings()
    aids = mint_aids(settings.center_id, settings.machine_id, first_tick(datetime.now(UTC)), work.events)
    token = fetch_token(SingleCalls(work.far_side), settings).value
    packets, trigger = bodies(work)
    watch = Stopwatch()
    asyncio.run(send(work.far_side, token, aids, packets, trigger))
    return watch.result(work.events)


def bodies(work: Work) -> tuple[list[Split], Split]:
    """Give the pipeline's own bodies for the first events of the day, cut in two where the AID goes."""
    settings = work.settings()
    files = CountryFiles(INCLUDE)
    mapper: PageMapper = files.mapper(RegistrationKind.BIRTH, settings.schema_version)
    requests = PacketRequests(settings.registrar, mapper.schema, mapper.mapping.process)
    registry = create_engine(_sqlalchemy_url(work.registry))
    pages = files.extract(RegistrationKind.BIRTH, registry).pages(Bound(work.start), Bound(work.end), _SAMPLES)
    events = mapper.map_page(next(pages), datetime.now(UTC).date())
    pages.close()  # type: ignore[attr-defined]
    registry.dispose()
    packets = [_split(requests.create_packet(_PLACEHOLDER, event.identity, _NOW)) for event in events]
    return packets, _split(requests.trigger(_PLACEHOLDER, _NOW))


async def send(base_url: str, token: str, aids: Iterable[str], packets: list[Split], trigger: Split) -> None:
    """Make the two calls of every event, a fixed number of calls in flight."""
    headers = {"Cookie": f"Authorization={token}", "Content-Type": "application/json"}
    waiting = iter(aids)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=60),
        headers=headers,
    ) as http:
        await asyncio.gather(
            *(_one_at_a_time(http, base_url, waiting, packets, trigger) for _ in range(CALLS_IN_FLIGHT))
        )


async def _one_at_a_time(
    http: aiohttp.ClientSession, base_url: str, aids: Iterator[str], packets: list[Split], trigger: Split
) -> None:
    create_url, trigger_url = base_url + CREATE_PACKET_PATH, base_url + WORKFLOW_INSTANCE_PATH
    for aid, (head, tail) in zip(aids, cycle(packets), strict=False):
        mark = aid.encode()
        async with http.put(create_url, data=b"".join((head, mark, tail))) as reply:
            await reply.read()
        async with http.post(trigger_url, data=b"".join((trigger[0], mark, trigger[1]))) as reply:
            await reply.read()


def _split(body: bytes) -> Split:
    head, _, tail = body.partition(_PLACEHOLDER.encode())
    return head, tail


def _sqlalchemy_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
