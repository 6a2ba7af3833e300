"""The hub's life cycle (mosip-events.md §1)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import Any

import pytest
from sandbox_calls import SECRET, TOPIC, Caller, Subscriber, until

ACCEPTED = "hub.mode=accepted"


def asking(subscriber: Subscriber, mode: str = "subscribe", **changes: str) -> dict[str, str]:
    """A form of a subscriber."""
    values = {"mode": mode, "topic": TOPIC, "callback": subscriber.url, "secret": SECRET} | changes
    return {f"hub.{name}": value for name, value in values.items() if value}


def state(mosip: Caller) -> dict[str, Any]:
    """The only subscription."""
    (found,) = mosip.sandbox.hub.view()
    return found


async def publish(mosip: Caller, *numbers: int) -> None:
    """Publish messages directly, as regproc does."""
    for number in numbers:
        mosip.sandbox.hub.publish(TOPIC, {"n": number, "text": "ሰላም"})
    await mosip.sandbox.hub.drained(2)


async def test_a_subscription_is_accepted_then_verified_then_served(mosip: Caller, subscriber: Subscriber) -> None:
    assert await mosip.subscribe(subscriber) == (202, ACCEPTED)
    asked = subscriber.asked[0]
    assert (asked["hub.mode"], asked["hub.topic"], asked["hub.lease_seconds"]) == ("subscribe", TOPIC, "864000")
    await publish(mosip, 1)
    assert [event["n"] for event in subscriber.events] == [1]


async def test_a_delivery_is_signed_over_the_raw_bytes_and_links_without_brackets(
    mosip: Caller, subscriber: Subscriber
) -> None:
    await mosip.subscribe(subscriber)
    await publish(mosip, 1)
    body, headers = subscriber.received[0]
    assert body == '{"n":1, "text":"ሰላም"}'.encode()
    assert headers["X-Hub-Signature"] == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["Link"] == f'{mosip.sandbox.url}/hub/; rel="hub", {TOPIC}; rel="self"'
    assert headers["Content-Type"] == "application/json"


async def test_the_query_is_not_url_encoded_and_follows_one_that_is_there(start: Any, subscriber: Subscriber) -> None:
    mosip = await start()
    subscriber.url += "?who=us"
    await mosip.subscribe(subscriber, "mosip-crvs1-client/CREDENTIAL_ISSUED")
    assert subscriber.raw_queries[0].startswith(
        "who=us&hub.mode=subscribe&hub.topic=mosip-crvs1-client/CREDENTIAL_ISSUED&hub.challenge="
    )


async def test_a_wrong_challenge_leaves_no_subscription_and_says_nothing(mosip: Caller, subscriber: Subscriber) -> None:
    subscriber.answer = '"challenge"'
    assert (await mosip.subscribe(subscriber))[0] == 202
    assert mosip.sandbox.hub.view() == []


async def test_subscribing_again_is_denied_which_is_healthy(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    assert await mosip.subscribe(subscriber) == (202, ACCEPTED)
    assert subscriber.asked[1] == {
        "hub.mode": "denied",
        "hub.topic": TOPIC,
        "hub.reason": "Subscriber has already registered with the Hub",
    }
    assert state(mosip)["active"]


async def test_events_from_before_the_subscription_are_never_seen(mosip: Caller, subscriber: Subscriber) -> None:
    await publish(mosip, 1)
    await mosip.subscribe(subscriber)
    await publish(mosip, 2)
    assert [event["n"] for event in subscriber.events] == [2]


@pytest.mark.parametrize("status", [401, 410, 500, 302])
async def test_any_answer_but_2xx_ends_delivery_without_a_retry(
    mosip: Caller, subscriber: Subscriber, status: int
) -> None:
    await mosip.subscribe(subscriber)
    subscriber.statuses = [status]
    await publish(mosip, 1, 2, 3)
    assert (subscriber.events, state(mosip)["active"], state(mosip)["drops"]) == ([], False, 1)


async def test_a_failure_at_the_head_of_a_poll_loses_nothing(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    subscriber.statuses = [500]
    await publish(mosip, 1, 2, 3, 4)
    await mosip.subscribe(subscriber)
    await mosip.sandbox.hub.drained(2)
    assert [event["n"] for event in subscriber.events] == [1, 2, 3, 4]


async def test_a_failure_behind_a_success_loses_the_rest_of_the_poll(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    subscriber.statuses = [200, 500]
    await publish(mosip, 1, 2, 3, 4)
    await mosip.subscribe(subscriber)
    await mosip.sandbox.hub.drained(2)
    assert [event["n"] for event in subscriber.events] == [1, 4]


async def test_a_revived_subscriber_is_served_with_its_old_secret(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    subscriber.statuses = [500]
    await publish(mosip, 1)
    await mosip.subscribe(subscriber, secret="new-secret")
    await mosip.sandbox.hub.drained(2)
    body, headers = subscriber.received[0]
    assert headers["X-Hub-Signature"] == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


async def test_any_new_subscriber_revives_a_dropped_one(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    subscriber.statuses = [500]
    await publish(mosip, 1)
    other = Subscriber()
    await other.listen()
    await mosip.subscribe(other)
    await until(lambda: subscriber.events)
    await other.close()


async def test_connection_errors_are_retried_and_then_drop_the_subscriber(
    mosip: Caller, subscriber: Subscriber
) -> None:
    await mosip.subscribe(subscriber)
    await subscriber.close()
    await publish(mosip, 1)
    assert not state(mosip)["active"]
    await subscriber.listen(subscriber.port)
    await mosip.subscribe(subscriber)
    await until(lambda: subscriber.events)


async def test_a_subscriber_that_comes_back_within_the_retries_misses_nothing(
    start: Any, subscriber: Subscriber
) -> None:
    mosip = await start(retry_seconds=0.1)
    await mosip.subscribe(subscriber)
    await subscriber.close()
    mosip.sandbox.hub.publish(TOPIC, {"n": 1})
    await asyncio.sleep(0.05)
    await subscriber.listen(subscriber.port)
    await until(lambda: subscriber.events)
    assert state(mosip)["active"]


async def test_unsubscribing_is_verified_and_ends_delivery(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    assert await mosip.hub(asking(subscriber, "unsubscribe", secret="")) == (202, ACCEPTED)
    await until(lambda: mosip.sandbox.hub.view() == [])
    assert subscriber.asked[-1]["hub.mode"] == "unsubscribe"


async def test_a_dropped_subscriber_cannot_unsubscribe(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    subscriber.statuses = [500]
    await publish(mosip, 1)
    await mosip.hub(asking(subscriber, "unsubscribe", secret=""))
    await until(lambda: len(subscriber.asked) == 2)
    assert subscriber.asked[1]["hub.reason"].startswith("Could not find a valid subscriber for Topic [")


async def test_unsubscribing_from_an_unknown_topic_is_denied(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.hub(asking(subscriber, "unsubscribe", topic="IDENTITY_CREATED", secret=""))
    await until(lambda: subscriber.asked)
    assert subscriber.asked[0]["hub.reason"] == "Topic [IDENTITY_CREATED] is not registered with the Hub"


async def test_the_callback_byte_for_byte_is_the_identity(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    subscriber.url += "?second"
    await mosip.subscribe(subscriber)
    await publish(mosip, 1)
    assert [event["n"] for event in subscriber.events] == [1, 1]


@pytest.mark.parametrize("cookie", ["", "Authorization=nonsense", "a=1;Authorization={token}"])
async def test_an_unauthorised_subscriber_gets_a_500(mosip: Caller, subscriber: Subscriber, cookie: str) -> None:
    headers = {"Cookie": cookie.format(token=mosip.token), "Authorization": f"Bearer {mosip.token}"}
    status, text = await mosip.hub(asking(subscriber), headers=headers)
    assert (status, text) == (500, "hub.mode=denied&hub.reason=Subscriber is not authorized")


@pytest.mark.parametrize(
    ("topic", "status"),
    [
        (TOPIC, 202),
        ("MASTERDATA_TITLES", 500),
        ("mosip-crvs1-client/CREDENTIAL_ISSUED", 202),
        ("another/CREDENTIAL_ISSUED", 500),
        ("mosip-crvs1-client/ACTIVATE_ID", 500),
    ],
)
async def test_roles_follow_from_the_topic(mosip: Caller, subscriber: Subscriber, topic: str, status: int) -> None:
    assert (await mosip.hub(asking(subscriber, topic=topic)))[0] == status


async def test_a_missing_secret_is_an_error(mosip: Caller, subscriber: Subscriber) -> None:
    status, text = await mosip.hub(asking(subscriber, secret=""))
    assert (status, "hub.mode" in text) == (500, False)


async def test_wrong_content_types_and_missing_parameters_are_400(mosip: Caller, subscriber: Subscriber) -> None:
    assert (await mosip.hub(asking(subscriber), headers={"Content-Type": "multipart/form-data"}))[0] == 400
    assert (await mosip.hub(asking(subscriber, topic="")))[0] == 400
    assert (await mosip.hub(asking(subscriber, callback="")))[0] == 400
    assert (await mosip.hub(asking(subscriber, mode="invent")))[0] == 400


async def test_publishing_needs_a_role_and_a_refusal_is_a_200(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    path = f"/hub/?hub.mode=publish&hub.topic={TOPIC}"
    denied = await mosip.call("POST", path, {"n": 1})
    accepted = await mosip.call("POST", path, {"n": 2}, token=mosip.regproc)
    assert (denied[0], denied[1]) == (200, "hub.mode=denied&hub.reason=Publisher is not authorized")
    assert (accepted[0], accepted[1]) == (200, ACCEPTED)
    await until(lambda: subscriber.events)
    assert subscriber.events == [{"n": 2}]


async def test_registering_a_topic_twice_is_denied_with_200(mosip: Caller) -> None:
    form = {"hub.mode": "register", "hub.topic": TOPIC}
    assert await mosip.hub(form, token=mosip.regproc) == (200, ACCEPTED)
    status, text = await mosip.hub(form, token=mosip.regproc)
    assert (status, text) == (200, "hub.mode=denied&hub.reason=Topic has already registered with the Hub")
    assert await mosip.hub(form | {"hub.mode": "deregister"}, token=mosip.regproc) == (200, ACCEPTED)
    assert "denied" in (await mosip.hub(form | {"hub.mode": "deregister"}, token=mosip.regproc))[1]


async def test_the_hub_answers_with_and_without_the_slash(mosip: Caller) -> None:
    form = f"hub.mode=register&hub.topic={TOPIC}".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await mosip.call("POST", "/hub", form, headers=headers, token=mosip.regproc))[0] == 200


async def test_deliveries_keep_their_order(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    await publish(mosip, *range(200))
    assert [event["n"] for event in subscriber.events] == list(range(200))


async def test_a_callback_that_is_no_address_is_accepted_and_comes_to_nothing(
    mosip: Caller, subscriber: Subscriber
) -> None:
    assert (await mosip.hub(asking(subscriber, callback="nowhere")))[0] == 202
    await until(lambda: not mosip.sandbox.verifying)
    assert mosip.sandbox.hub.view() == []


async def test_the_view_of_subscribers_shows_no_secret(mosip: Caller, subscriber: Subscriber) -> None:
    await mosip.subscribe(subscriber)
    _, answer, _ = await mosip.call("POST", "/sandbox/subscribers")
    assert answer["subscribers"][0]["callback"] == subscriber.url
    assert SECRET not in str(answer)
