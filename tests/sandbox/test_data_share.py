"""Links to credentials: how long they work, and what they answer when they do not (mosip-events.md §2.5)."""

from __future__ import annotations

from typing import Any

import pytest
from credential_calls import Partner
from sandbox_calls import Caller
from sandbox_samples import birth, new_aid


async def link_of(partner: Partner) -> str:
    """A new credential's link, as the credential request tells it."""
    seen = await partner.mosip.finish(birth(new_aid()))
    (id,) = seen["credentials"]
    return str((await partner.request(id))["response"]["url"])


def code(body: Any) -> str | None:
    """The code of a refusal, which is HTTP 200; None for a file."""
    return body["errors"][0]["errorCode"] if isinstance(body, dict) else None


async def fetches(partner: Partner, link: str, times: int) -> list[str | None]:
    """What so many GETs answer."""
    return [code((await partner.fetch(link))[0]) for _ in range(times)]


async def test_a_link_works_as_often_as_the_policy_says(start: Any) -> None:
    mosip = await start(credential_transactions=2)
    partner = await Partner.of(mosip)
    assert await fetches(partner, await link_of(partner), 4) == [None, None, "DAT-SER-006", "DAT-SER-006"]
    assert (await mosip.totals())["credentials_fetched"] == 2


async def test_minus_one_is_without_end(start: Any) -> None:
    partner = await Partner.of(await start(credential_transactions=-1))
    assert await fetches(partner, await link_of(partner), 12) == [None] * 12


async def test_the_same_bytes_come_every_time_and_a_signature_with_them(mosip: Caller) -> None:
    partner = await Partner.of(mosip)
    link = await link_of(partner)
    (one, headers), (two, _) = await partner.fetch(link), await partner.fetch(link)
    assert one == two
    assert headers["Signature"].count(".") == 2


async def test_a_one_shot_link_works_once_whatever_the_policy_says(mosip: Caller) -> None:
    mosip.sandbox.faults.set("datashare_one_shot")
    partner = await Partner.of(mosip)
    assert await fetches(partner, await link_of(partner), 2) == [None, "DAT-SER-006"]


async def test_a_link_can_be_gone_before_it_is_followed(mosip: Caller) -> None:
    partner = await Partner.of(mosip)
    link = await link_of(partner)
    mosip.sandbox.faults.set("datashare_gone", times=1)
    assert await fetches(partner, link, 2) == ["DAT-SER-008"] * 2
    assert (await mosip.totals())["credentials_fetched"] == 0


async def test_an_unknown_link_is_not_found(mosip: Caller) -> None:
    partner = await Partner.of(mosip)
    assert await fetches(partner, "/v1/datashare/get/policy/crvs-partner/key", 1) == ["DAT-SER-008"]


async def test_a_link_can_name_a_host_that_only_mosip_knows(mosip: Caller) -> None:
    mosip.sandbox.faults.set("datashare_internal")
    partner = await Partner.of(mosip)
    base, found, path = (await link_of(partner)).partition("/v1/datashare/")
    assert base == "http://datashare.datashare"
    assert await fetches(partner, found + path, 1) == [None]


@pytest.mark.parametrize(("client", "status"), [(None, 401), ("mosip-regproc-client", 403), ("crvs-partner", 200)])
async def test_a_link_wants_a_token_of_its_audience(mosip: Caller, client: str | None, status: int) -> None:
    link = await link_of(await Partner.of(mosip))
    headers = {"Cookie": ""} if client is None else None
    token = mosip.sandbox.token(client_id=client) if client else None
    path = link.removeprefix(mosip.sandbox.url)
    assert (await mosip.call("GET", path, token=token, headers=headers))[0] == status
