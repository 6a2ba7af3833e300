"""The calls for a credential that does not come (mosip-events.md §2.5, §4.3)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from credential_calls import Partner
from sandbox_calls import Caller, Subscriber, until
from sandbox_samples import birth, new_aid


async def issued(mosip: Caller) -> str:
    """The request id of a new credential."""
    seen = await mosip.finish(birth(new_aid()))
    (id,) = seen["credentials"]
    return str(id)


async def test_a_request_tells_its_application_its_status_and_its_link(mosip: Caller) -> None:
    partner = await Partner.of(mosip)
    seen = await mosip.finish(birth(aid := new_aid()))
    (id,) = seen["credentials"]
    found = (await partner.request(id))["response"]
    assert (found["id"], found["requestId"], found["statusCode"]) == (aid, id, "ISSUED")
    assert found["url"].startswith(mosip.sandbox.url)
    assert id != aid


async def test_with_a_suffix_the_id_can_be_known_beforehand(start: Any) -> None:
    mosip = await start(credential_id_suffix="-CRVS")
    partner = await Partner.of(mosip)
    await mosip.finish(birth(aid := new_aid()))
    assert (await partner.request(f"{aid}-CRVS"))["response"]["id"] == aid


@pytest.mark.parametrize(("method", "what"), [("GET", "get"), ("PUT", "retrigger")])
async def test_an_unknown_request_is_refused(mosip: Caller, method: str, what: str) -> None:
    answer = await (await Partner.of(mosip)).request("nothing", method, what)
    assert (answer["response"], answer["errors"][0]["errorCode"]) == (None, "IDR-CRG-003")


async def test_the_calls_want_the_role(mosip: Caller) -> None:
    mosip.sandbox.onboarding.realm.edit("users", "service-account-crvs-partner", {"roles": []}, delete=False)
    token = mosip.sandbox.token(client_id="crvs-partner")
    assert (await mosip.call("GET", "/v1/credentialrequest/get/x", token=token))[0] == 403


async def test_a_retrigger_gives_a_new_event_a_new_link_and_leaves_the_old_one_as_it_was(
    mosip: Caller, subscriber: Subscriber
) -> None:
    partner = await Partner.of(mosip)
    await partner.subscribe(subscriber)
    id = await issued(mosip)
    assert (await partner.request(id, "PUT", "retrigger"))["response"]["requestId"] == id
    await until(lambda: len(subscriber.events) == 2)
    first, second = (event["event"] for event in subscriber.events)
    assert first["transactionId"] == second["transactionId"] == id
    assert first["dataShareUri"] != second["dataShareUri"]
    for event in (second, first):
        document = partner.open((await partner.fetch(event["dataShareUri"]))[0])
        await partner.verify(event["data"]["proof"]["signature"], document)
    assert (await partner.request(id))["response"]["url"] == second["dataShareUri"]
    (aid,) = mosip.sandbox.record.applications
    (history,) = mosip.sandbox.record.applications[aid].view()["credentials"].values()
    assert (history["issued"], history["published"], history["fetched"]) == (2, 2, 2)


async def test_a_partners_word_overwrites_the_status_and_an_empty_link_leaves_the_link(mosip: Caller) -> None:
    partner = await Partner.of(mosip)
    id = await issued(mosip)
    url = (await partner.request(id))["response"]["url"]
    await partner.publish_status(id, "certificate printed")
    found = (await partner.request(id))["response"]
    assert (found["statusCode"], found["url"]) == ("certificate printed", url)
    await partner.publish_status(id, "served", "http://elsewhere")
    assert (await partner.request(id))["response"]["url"] == "http://elsewhere"
    (aid,) = mosip.sandbox.record.applications
    (history,) = mosip.sandbox.record.applications[aid].view()["credentials"].values()
    assert history["statuses"] == ("certificate printed", "served")
    assert (await mosip.totals())["credential_statuses"] == 2


@pytest.mark.parametrize("body", [[], {}, {"event": None}, {"event": {"requestId": "nothing", "status": "served"}}])
async def test_a_status_that_belongs_to_nothing_is_taken_and_forgotten(mosip: Caller, body: Any) -> None:
    id = await issued(mosip)
    path = "/hub/?hub.mode=publish&hub.topic=CREDENTIAL_STATUS_UPDATE"
    assert (await mosip.call("POST", path, json.dumps(body).encode()))[1] == "hub.mode=accepted"
    assert (await (await Partner.of(mosip)).request(id))["response"]["statusCode"] == "ISSUED"


async def test_requests_are_listed_by_status_a_page_at_a_time(mosip: Caller) -> None:
    partner = await Partner.of(mosip)
    ids = [await issued(mosip) for _ in range(3)]
    path = "/v1/credentialrequest/getRequestIds"
    _, answer, _ = await mosip.call("GET", f"{path}?statusCode=ISSUED&pageSize=2", token=partner.token)
    assert [row["requestId"] for row in answer["response"]["data"]] == ids[:2]
    assert answer["response"]["totalItems"] == 3
    _, answer, _ = await mosip.call("GET", path, token=partner.token)
    assert answer["errors"][0]["errorCode"] == "IDR-CRG-009"
