"""Every topic is asked for as the client that the hub lets have it; what is refused is told with the role it needs."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from hub_scene import HubScene
from small_hub import SmallHub

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.ledger import handshakes, subscriptions
from mosip_crvs.reconciliation import subscribing
from mosip_crvs.reconciliation.asking import Standing
from mosip_crvs.reconciliation.subscribing import renew
from mosip_crvs.settlement.events import IDENTITY_CREATED, IDENTITY_UPDATED, WORKFLOW_COMPLETED, WORKFLOW_PAUSED

GENERAL = (WORKFLOW_COMPLETED, WORKFLOW_PAUSED, IDENTITY_CREATED, IDENTITY_UPDATED)
NOT_AUTHORIZED = (500, "hub.mode=denied&hub.reason=Subscriber is not authorized")
DOWN = (503, "down")


def test_all_general_topics_are_subscribed_each_with_a_callback_and_a_secret_of_its_own(
    small_scene: HubScene, small_hub: SmallHub
) -> None:
    standings = renew(small_scene.dealings())

    assert standings == dict.fromkeys(GENERAL, Standing.VERIFIED)
    assert sorted(asked["hub.topic"] for asked in small_hub.asked) == sorted(GENERAL)
    assert len({asked["hub.callback"] for asked in small_hub.asked}) == len(GENERAL)
    assert len({asked["hub.secret"] for asked in small_hub.asked}) == len(GENERAL)
    assert small_scene.alarms() == {}


def test_credentials_are_asked_for_in_the_partners_name(small_scene: HubScene, small_hub: SmallHub) -> None:
    small_scene.settings = replace(small_scene.settings, partner_id="crvs1", partner_secret="the-partners")

    standings = renew(small_scene.dealings())

    assert standings["crvs1/CREDENTIAL_ISSUED"] is Standing.VERIFIED
    tokens = dict(zip([asked["hub.topic"] for asked in small_hub.asked], small_hub.cookies, strict=True))
    assert tokens.pop("crvs1/CREDENTIAL_ISSUED") == "Authorization=a-token-of-crvs1"
    assert set(tokens.values()) == {"Authorization=a-token"}


def test_a_client_that_is_the_partner_needs_no_second_secret(small_scene: HubScene, small_hub: SmallHub) -> None:
    small_scene.settings = replace(small_scene.settings, partner_id="crvs-client")

    assert renew(small_scene.dealings())["crvs-client/CREDENTIAL_ISSUED"] is Standing.VERIFIED
    assert set(small_hub.clients) == {"crvs-client"}


def test_a_partner_whose_secret_nobody_gave_is_told_and_the_sync_goes_on(small_scene: HubScene) -> None:
    small_scene.settings = replace(small_scene.settings, partner_id="crvs1")

    standings = renew(small_scene.dealings())

    assert standings["crvs1/CREDENTIAL_ISSUED"] is Standing.NOT_AUTHORIZED
    assert standings[WORKFLOW_COMPLETED] is Standing.VERIFIED
    details = small_scene.alarms()["subscription_refused", "crvs1/CREDENTIAL_ISSUED"]
    assert details is not None
    assert "partner_secret" in details


@pytest.mark.parametrize(
    ("topic", "role"),
    [
        (IDENTITY_CREATED, "SUBSCRIBE_IDENTITY_CREATED_GENERAL"),
        (WORKFLOW_PAUSED, "SUBSCRIBE_REGISTRATION_PROCESSOR_WORKFLOW_PAUSED_FOR_ADDITIONAL_INFO_EVENT_GENERAL"),
        ("crvs-client/CREDENTIAL_ISSUED", "SUBSCRIBE_CREDENTIAL_ISSUED_INDIVIDUAL"),
    ],
)
def test_a_topic_that_the_client_may_not_have_is_a_warning_with_the_role_and_the_sync_goes_on(
    small_scene: HubScene, small_hub: SmallHub, topic: str, role: str, caplog: pytest.LogCaptureFixture
) -> None:
    small_scene.settings = replace(small_scene.settings, partner_id="crvs-client")
    small_hub.refusals[topic] = NOT_AUTHORIZED

    with caplog.at_level(logging.WARNING, logger=subscribing.__name__):
        standings = renew(small_scene.dealings())

    assert {name for name, standing in standings.items() if not standing.is_known} == {topic}
    assert role in caplog.text
    assert small_scene.steps(topic) == ["asked", "not_authorized"]
    assert role in (small_scene.alarms()["subscription_refused", topic] or "")

    small_hub.refusals.clear()
    assert renew(small_scene.dealings())[topic] is Standing.VERIFIED
    assert small_scene.alarms() == {}


def test_without_the_role_for_results_the_run_stops_and_the_other_topics_are_subscribed(
    small_scene: HubScene, small_hub: SmallHub
) -> None:
    small_hub.refusals[WORKFLOW_COMPLETED] = NOT_AUTHORIZED

    with pytest.raises(MosipRefused, match=f"SUBSCRIBE_{WORKFLOW_COMPLETED}_GENERAL"):
        renew(small_scene.dealings())

    assert ("subscription_refused", WORKFLOW_COMPLETED) in small_scene.alarms()
    assert {each.topic for each in subscriptions.every(small_scene.ledger) if each.state == "verified"} == set(
        GENERAL[1:]
    )


def test_an_outage_is_no_refusal(small_scene: HubScene, small_hub: SmallHub) -> None:
    small_hub.refusals[IDENTITY_UPDATED] = DOWN
    assert renew(small_scene.dealings())[IDENTITY_UPDATED] is Standing.UNAVAILABLE
    assert small_scene.steps(IDENTITY_UPDATED) == ["asked", "unavailable"]

    small_hub.refusals[WORKFLOW_COMPLETED] = (500, "hub.mode=denied&hub.reason=Kafka is away")
    with pytest.raises(MosipUnavailable):
        renew(small_scene.dealings())
    assert small_scene.steps()[-2:] == ["asked", "unavailable"]
    assert small_scene.alarms() == {}


def test_a_topic_that_we_can_do_without_and_the_hub_never_verifies_is_an_alarm_and_no_error(
    small_scene: HubScene, small_hub: SmallHub
) -> None:
    small_hub.then = lambda form: small_hub.verify(form) if form["hub.topic"] != IDENTITY_CREATED else None

    standings = renew(small_scene.dealings(), verify_seconds=1.0)
    assert standings[IDENTITY_CREATED] is Standing.UNVERIFIED
    assert set(small_scene.alarms()) == {("subscription_unverified", IDENTITY_CREATED)}

    small_hub.then = small_hub.verify
    renew(small_scene.dealings())
    assert small_scene.alarms() == {}


def test_every_step_is_on_record_ours_and_the_hubs(small_scene: HubScene, small_hub: SmallHub) -> None:
    renew(small_scene.dealings())
    assert small_scene.steps() in (
        ["asked", "accepted", "challenged", "verified"],
        ["asked", "challenged", "verified", "accepted"],  # a hub may be quicker than its own answer
    )

    small_hub.then = small_hub.deny("Subscriber has already registered with the Hub")
    assert renew(small_scene.dealings())[WORKFLOW_COMPLETED] is Standing.REGISTERED
    assert sorted(small_scene.steps()[4:]) == ["accepted", "already_registered", "asked"]

    small_hub.then = small_hub.deny("Kafka would not have the topic")
    with pytest.raises(Exception, match="Kafka would not have"):
        renew(small_scene.dealings())
    assert sorted(small_scene.steps()[7:]) == ["accepted", "asked", "denied"]
    assert [each.reason for each in handshakes.history(small_scene.ledger, WORKFLOW_COMPLETED)][-1] in (
        None,
        "Kafka would not have the topic",
    )


def test_steps_are_kept_for_thirty_days(small_scene: HubScene) -> None:
    renew(small_scene.dealings())
    small_scene.books.run("UPDATE handshakes SET at = at - interval '31 days' WHERE step = 'asked'")

    small_scene.tend()

    assert small_scene.steps().count("asked") == 1, "that of the renewal"
    assert small_scene.steps().count("verified") == 2


def test_the_sandbox_gives_each_topic_to_the_client_that_may_have_it(hub_scene: HubScene) -> None:
    client = hub_scene.settings.client_id
    hub_scene.settings = replace(hub_scene.settings, partner_id=client)
    topics = (*GENERAL, f"{client}/CREDENTIAL_ISSUED")

    assert renew(hub_scene.dealings()) == dict.fromkeys(topics, Standing.VERIFIED)
    assert renew(hub_scene.dealings()) == dict.fromkeys(topics, Standing.REGISTERED)
    assert all(len(hub_scene.subscribers(topic)) == 1 for topic in topics)


def test_the_sandbox_refuses_another_partners_credentials(hub_scene: HubScene) -> None:
    hub_scene.settings = replace(hub_scene.settings, partner_id="mosip-regproc-client", partner_secret="regproc-secret")

    standings = renew(hub_scene.dealings())

    assert standings["mosip-regproc-client/CREDENTIAL_ISSUED"] is Standing.NOT_AUTHORIZED
    assert standings[WORKFLOW_COMPLETED] is Standing.VERIFIED
