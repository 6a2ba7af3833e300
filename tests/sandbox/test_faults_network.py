"""What goes wrong between a caller and the sandbox shows at every service, and never at its own levers."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from sandbox_calls import SECRET, STATUS, TOPIC, TRIGGER, Caller
from sandbox_samples import birth, new_aid, trigger

from sandbox.faults import NETWORK, SERVICES, service_of

TOKEN = "/v1/authmanager/authenticate/clientidsecretkey"
KEYCLOAK = "/auth/realms/mosip/protocol/openid-connect/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

Call = Callable[[Caller], Awaitable[tuple[int, Any, Any]]]


def status_body() -> dict[str, Any]:
    """A status call about nobody."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"id": "mosip.registration.external.status", "version": "1.0", "requesttime": now, "request": []}


def sign_in(mosip: Caller) -> Awaitable[tuple[int, Any, Any]]:
    """authmanager's token call."""
    client = mosip.sandbox.settings
    asked = {"clientId": client.client_id, "secretKey": client.client_secret, "appId": "regproc"}
    return mosip.call("POST", TOKEN, {"request": asked})


def keycloak(mosip: Caller) -> Awaitable[tuple[int, Any, Any]]:
    """Keycloak's token call."""
    client = mosip.sandbox.settings
    form = f"grant_type=client_credentials&client_id={client.client_id}&client_secret={client.client_secret}"
    return mosip.call("POST", KEYCLOAK, form.encode(), headers=FORM)


def register(mosip: Caller) -> Awaitable[tuple[int, Any, Any]]:
    """A topic registered at the hub."""
    form = f"hub.mode=register&hub.topic={TOPIC}".encode()
    return mosip.call("POST", "/hub/", form, headers=FORM, token=mosip.regproc)


CALLS: dict[str, Call] = {
    "packet": lambda mosip: mosip.create(birth(new_aid())),
    "trigger": lambda mosip: mosip.trigger(trigger(new_aid())),
    "status": lambda mosip: mosip.call("POST", STATUS + "/externalstatus/search", status_body()),
    "transactions": lambda mosip: mosip.call("GET", "/registrationprocessor/v1/registrationtransaction/search/1"),
    "hub": register,
    "token": sign_in,
    "keycloak": keycloak,
    "datashare": lambda mosip: mosip.call("GET", "/v1/datashare/get/policy/partner/key"),
    "credential": lambda mosip: mosip.call("GET", "/v1/credentialrequest/get/1"),
    "masterdata": lambda mosip: mosip.call("GET", "/v1/masterdata/registrationcenters/10001/eng"),
}

every_service = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


async def hangs_up(call: Awaitable[Any]) -> None:
    """The call must end without a whole answer."""
    with pytest.raises(aiohttp.ClientError):
        await call


async def hits(mosip: Caller, name: str) -> int:
    """How often a fault has shown, as the levers tell."""
    _, view, _ = await mosip.call("GET", "/sandbox/faults")
    return int(view["faults"][name]["hits"])


@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
@every_service
async def test_any_connection_can_be_closed(mosip: Caller, call: Call, fault: str) -> None:
    mosip.sandbox.faults.set(fault)
    await hangs_up(call(mosip))
    assert await hits(mosip, fault) >= 1


@every_service
async def test_any_service_can_be_behind_a_broken_gateway_for_several_calls_in_a_row(mosip: Caller, call: Call) -> None:
    mosip.sandbox.faults.set("gateway_502", 1, times=3)
    answers = [(await call(mosip))[0] for _ in range(4)]
    assert answers[:3] == [502] * 3
    assert answers[3] != 502


@every_service
async def test_any_call_can_be_throttled(mosip: Caller, call: Call) -> None:
    mosip.sandbox.faults.set("throttle_429", times=1, seconds=7)
    status, _, headers = await call(mosip)
    assert (status, headers["Retry-After"]) == (429, "7")
    assert (await call(mosip))[0] != 429


@every_service
async def test_any_gateway_can_lose_patience(mosip: Caller, call: Call) -> None:
    mosip.sandbox.faults.set("gateway_504", times=1)
    assert (await call(mosip))[0] == 504


@every_service
async def test_a_dribbling_answer_is_the_same_answer_in_the_end(mosip: Caller, call: Call) -> None:
    mosip.sandbox.faults.set("slow_loris", times=1, seconds=0.1)
    begun = time.monotonic()
    slow = await call(mosip)
    assert time.monotonic() - begun >= 0.1
    quick = await call(mosip)
    assert slow[0] == quick[0]
    assert type(slow[1]) is type(quick[1])
    assert {"Content-Type", "Content-Length"} <= set(slow[2])


async def test_a_dribbling_answer_is_not_there_at_once(mosip: Caller) -> None:
    mosip.sandbox.faults.set("slow_loris", seconds=5)
    cookie = {"Cookie": f"Authorization={mosip.token}"}
    async with mosip.http.post(mosip.sandbox.url + TRIGGER, json=trigger(new_aid()), headers=cookie) as answer:
        first = await answer.content.readany()
    assert 0 < len(first) < int(answer.headers["Content-Length"])


async def test_what_an_answer_says_in_its_headers_survives_the_dribble(mosip: Caller) -> None:
    mosip.sandbox.faults.set("slow_loris", seconds=0)
    _, _, headers = await sign_in(mosip)
    assert headers["Authorization"] in headers["Set-Cookie"]


@every_service
async def test_any_answer_can_be_cut(mosip: Caller, call: Call) -> None:
    mosip.sandbox.faults.set("reply_cut")
    await hangs_up(call(mosip))


@every_service
async def test_any_answer_can_be_slow(mosip: Caller, call: Call) -> None:
    mosip.sandbox.faults.set("answer_slow", times=1, seconds=0.1)
    begun = time.monotonic()
    await call(mosip)
    assert time.monotonic() - begun >= 0.1


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [
        ("reset_before", 0), ("gateway_502", 0), ("throttle_429", 0), ("token_expired", 0),
        ("reset_after", 1), ("gateway_504", 1), ("reply_cut", 1), ("slow_loris", 1), ("answer_slow", 1),
    ],
)  # fmt: skip
async def test_a_fault_is_before_the_work_or_after_it(mosip: Caller, fault: str, accepted: int) -> None:
    mosip.sandbox.faults.set(fault, seconds=0)
    aid = new_aid()
    with contextlib.suppress(aiohttp.ClientError):
        await mosip.trigger(trigger(aid))
    assert mosip.sandbox.record.applications[aid].triggers_accepted == accepted


@pytest.mark.parametrize("name", ["packet", "trigger", "status", "transactions", "masterdata"])
async def test_a_token_can_expire_at_any_service_that_asks_for_one(mosip: Caller, name: str) -> None:
    mosip.sandbox.faults.set("token_expired", times=1)
    status, answer, _ = await CALLS[name](mosip)
    assert (status, answer["errors"][0]["errorCode"]) == (401, "KER-ATH-401")
    assert (await CALLS[name](mosip))[0] != 401


async def test_an_expired_token_is_a_500_for_a_subscriber_and_a_200_for_a_publisher(mosip: Caller) -> None:
    mosip.sandbox.faults.set("token_expired")
    form = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.callback": "http://x", "hub.secret": SECRET}
    assert await mosip.hub(form) == (500, "hub.mode=denied&hub.reason=Subscriber is not authorized")
    status, text, _ = await register(mosip)
    assert (status, text) == (200, "hub.mode=denied&hub.reason=Publisher is not authorized")


@pytest.mark.parametrize("fault", sorted(NETWORK))
async def test_a_fault_can_be_limited_to_one_service(mosip: Caller, fault: str) -> None:
    change = {"faults": {f"{fault}@status": {"probability": 1, "seconds": 0}}}
    await mosip.call("POST", "/sandbox/faults", change)
    assert (await mosip.trigger(trigger(new_aid())))[1]["response"]
    with contextlib.suppress(aiohttp.ClientError):
        await CALLS["status"](mosip)
    assert (await hits(mosip, f"{fault}@status"), await hits(mosip, fault)) == (1, 0)


@pytest.mark.parametrize("name", ["reject@hub", "reset_after@nowhere", "reset_after@"])
async def test_only_the_networks_faults_can_be_limited_and_only_to_services(mosip: Caller, name: str) -> None:
    assert (await mosip.call("POST", "/sandbox/faults", {"faults": {name: 1}}))[0] == 400


@pytest.mark.parametrize("fault", ["reset_after", "reply_cut", "gateway_504", "slow_loris", "answer_slow"])
@pytest.mark.parametrize("name", ["create", "trigger"])
async def test_what_comes_after_the_work_can_be_set_for_one_application(mosip: Caller, fault: str, name: str) -> None:
    struck, spared = new_aid(), new_aid()
    mosip.sandbox.faults.set(fault, aid=struck, seconds=0, times=2)
    for aid in (spared, struck):
        call = mosip.create(birth(aid)) if name == "create" else mosip.trigger(trigger(aid))
        with contextlib.suppress(aiohttp.ClientError):
            await call
        assert bool(mosip.sandbox.faults.hits[fault]) is (aid == struck)


async def test_the_levers_work_while_everything_else_fails(mosip: Caller) -> None:
    for fault in NETWORK:
        mosip.sandbox.faults.set(fault)
    assert (await mosip.call("GET", "/sandbox/faults"))[0] == 200
    assert (await mosip.call("POST", "/sandbox/tick"))[0] == 200
    assert (await mosip.call("POST", "/sandbox/faults", {"clear": True}))[0] == 200
    assert (await mosip.create(birth(new_aid())))[1]["response"]


async def test_a_burst_goes_on_when_it_has_begun(mosip: Caller) -> None:
    mosip.sandbox.faults.set("gateway_502", 0.05, burst=4)
    answers = [(await keycloak(mosip))[0] for _ in range(300)]
    assert 502 in answers
    lengths = "".join("x" if status == 502 else " " for status in answers[:-4]).split()
    assert all(len(run) >= 4 for run in lengths)
    assert len(lengths) > 1


def test_paths_belong_to_the_services_named(mosip: Caller) -> None:
    assert {service_of(path) for path in SERVICES} == set(SERVICES.values())
    assert service_of("/v1/partnermanager/partners") == "other"


async def test_a_slow_answer_does_not_hold_up_another_call(mosip: Caller) -> None:
    mosip.sandbox.faults.set("answer_slow@status", seconds=5)
    slow = asyncio.create_task(CALLS["status"](mosip))
    assert (await mosip.trigger(trigger(new_aid())))[1]["response"]
    assert not slow.done()
    slow.cancel()
