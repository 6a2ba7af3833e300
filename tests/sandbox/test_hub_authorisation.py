"""Who may subscribe to what (mosip-onboarding.md §9)."""

from __future__ import annotations

import pytest
from pms_calls import Desk
from sandbox_calls import SECRET, TOPIC, Subscriber, until

CREDENTIALS = "SUBSCRIBE_CREDENTIAL_ISSUED_INDIVIDUAL"
PARTNER_TOPIC = "opencrvs-partner/CREDENTIAL_ISSUED"


async def subscribe(desk: Desk, subscriber: Subscriber, topic: str, token: str) -> tuple[int, str]:
    """Status and text of the hub's answer."""
    form = {"hub.mode": "subscribe", "hub.topic": topic, "hub.callback": subscriber.url, "hub.secret": SECRET}
    return await desk.mosip.hub(form, token=token)


async def test_the_hub_is_healthy_without_a_token(desk: Desk) -> None:
    status, answer, _ = await desk.mosip.call("GET", "/hub/actuator/health", headers={"Cookie": ""})
    assert (status, answer["status"]) == (200, "UP")


@pytest.mark.parametrize(
    ("client", "user", "roles", "topic", "status"),
    [
        ("opencrvs-partner", None, {CREDENTIALS}, PARTNER_TOPIC, 202),
        ("mosip-admin-client", "opencrvs-partner", {CREDENTIALS}, PARTNER_TOPIC, 202),
        ("mosip-crvs1-client", None, {CREDENTIALS}, PARTNER_TOPIC, 500),
        ("opencrvs-partner", None, {"SUBSCRIBE_CREDENTIAL_ISSUED_GENERAL"}, PARTNER_TOPIC, 500),
        ("opencrvs-partner", None, {"SUBSCRIBE_ACTIVATE_ID_INDIVIDUAL"}, PARTNER_TOPIC, 500),
        ("opencrvs-partner", None, {CREDENTIALS}, "OpenCRVS-Partner/CREDENTIAL_ISSUED", 500),
        ("opencrvs-partner", None, {f"SUBSCRIBE_{TOPIC}_GENERAL"}, TOPIC, 202),
        ("opencrvs-partner", None, {CREDENTIALS}, TOPIC, 500),
        ("opencrvs-partner", None, set(), TOPIC, 500),
    ],
)
async def test_a_partners_topic_is_for_the_partner_and_a_general_one_for_the_role(
    desk: Desk, subscriber: Subscriber, client: str, user: str | None, roles: set[str], topic: str, status: int
) -> None:
    token = desk.token(*roles, azp=client, user=user)
    found, text = await subscribe(desk, subscriber, topic, token)
    assert found == status
    if status == 500:
        assert text == "hub.mode=denied&hub.reason=Subscriber is not authorized"
    else:
        await until(lambda: len(desk.sandbox.hub.view()) == 1)


async def test_the_same_subscription_again_is_accepted_and_then_denied(desk: Desk, subscriber: Subscriber) -> None:
    token = desk.token(CREDENTIALS, azp="opencrvs-partner")
    for times in (1, 2):
        assert (await subscribe(desk, subscriber, PARTNER_TOPIC, token))[0] == 202
        await until(lambda count=times: len(subscriber.asked) == count)
        await until(lambda: not desk.sandbox.verifying)
    assert subscriber.asked[1]["hub.reason"] == "Subscriber has already registered with the Hub"
    assert len(desk.sandbox.hub.view()) == 1


async def test_the_hub_needs_no_audience(desk: Desk, subscriber: Subscriber) -> None:
    desk.configuration.edit({"audiences": {"regproc": [], "kernel": [], "datashare": []}})
    token = desk.token(CREDENTIALS, azp="opencrvs-partner")
    assert (await subscribe(desk, subscriber, PARTNER_TOPIC, token))[0] == 202
