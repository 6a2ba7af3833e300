"""What a completed birth gives a credential partner (mosip-events.md §2.4-§2.6)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from certificate_authority import new_key
from credential_calls import NAME_AND_UIN, TOPIC, Partner, ProvisionedPartner
from sandbox_calls import TOPIC as COMPLETED
from sandbox_calls import Caller, Subscriber, until
from sandbox_samples import birth, changed, death, label_values, new_aid, words

from sandbox.settings import PARTNER_ROLES, REGPROC_ROLES, Client


@pytest.fixture
async def partner(mosip: Caller, subscriber: Subscriber) -> Partner:
    """The default partner, which has subscribed."""
    found = await Partner.of(mosip)
    await found.subscribe(subscriber)
    return found


async def plain(partner: Partner, event: dict[str, Any], *, legacy: bool = False) -> bytes:
    """The credential that an event tells of, decrypted."""
    inline = event["event"]["data"].get("credential")
    text = inline if inline is not None else (await partner.fetch(event["event"]["dataShareUri"]))[0]
    return partner.open(text, legacy=legacy)


async def test_a_birth_gives_an_event_with_a_link_and_the_link_a_signed_credential(
    mosip: Caller, partner: Partner, subscriber: Subscriber
) -> None:
    seen = await mosip.finish(birth(aid := new_aid()))
    (event,) = subscriber.events
    assert (event["publisher"], event["topic"]) == ("CREDENTIAL_SERVICE", TOPIC)
    inner = event["event"]
    assert (inner["data"]["registrationId"], inner["data"]["credentialType"]) == (aid, "opencrvs")
    assert "credential" not in inner["data"]
    assert inner["dataShareUri"].startswith(f"{mosip.sandbox.url}/v1/datashare/get/")
    document = await plain(partner, event)
    found = json.loads(document)
    assert set(found) == {
        "id", "type", "issuer", "issuanceDate", "issuedTo", "consent", "credentialSubject", "protectedAttributes"
    }  # fmt: skip
    assert (found["issuedTo"], found["consent"], found["protectedAttributes"]) == ("crvs-partner", "", [])
    subject = found["credentialSubject"]
    assert (subject["id"].split("/")[-1], subject["UIN"]) == (aid, seen["uin"])
    assert len(subject["PSUT"]) == 36
    await partner.verify(inner["data"]["proof"]["signature"], document)


async def test_a_death_gives_no_credential_and_a_birth_that_fails_none_either(
    mosip: Caller, partner: Partner, subscriber: Subscriber
) -> None:
    await mosip.finish(death(new_aid()))
    await mosip.finish(birth(new_aid(), dateOfBirth="x"))
    mosip.sandbox.faults.set("credential_missing", times=1)
    seen = await mosip.finish(birth(new_aid()))
    assert (seen["result"], seen["credentials"]) == ("PROCESSED", {})
    seen = await mosip.finish(birth(aid := new_aid()))
    assert [event["event"]["data"]["registrationId"] for event in subscriber.events] == [aid]
    assert (await mosip.totals())["credentials"] == len(seen["credentials"]) == 1


async def test_the_older_layout_comes_without_a_version(
    mosip: Caller, partner: Partner, subscriber: Subscriber
) -> None:
    mosip.sandbox.faults.set("cipher_legacy", times=1)
    await mosip.finish(birth(aid := new_aid()))
    document = await plain(partner, subscriber.events[0], legacy=True)
    assert json.loads(document)["credentialSubject"]["id"] == aid


async def test_a_credential_can_travel_in_its_event(mosip: Caller, partner: Partner, subscriber: Subscriber) -> None:
    mosip.sandbox.faults.set("credential_inline", times=1)
    await mosip.finish(birth(aid := new_aid()))
    (event,) = subscriber.events
    assert event["event"]["dataShareUri"] is None
    document = await plain(partner, event)
    assert json.loads(document)["credentialSubject"]["id"] == aid
    await partner.verify(event["event"]["data"]["proof"]["signature"], document)
    assert (await partner.request(event["event"]["transactionId"]))["response"]["url"] is None


async def test_only_the_partner_itself_may_subscribe_to_its_topic(mosip: Caller, subscriber: Subscriber) -> None:
    form = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.callback": subscriber.url, "hub.secret": "s"}
    assert (await mosip.hub(form))[0] == 500


@pytest.mark.parametrize("early", [False, True])
async def test_the_credential_comes_after_the_workflow_event_or_before_it(
    mosip: Caller, partner: Partner, subscriber: Subscriber, early: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[str] = []
    publish = mosip.sandbox.hub.publish
    monkeypatch.setattr(
        mosip.sandbox.hub, "publish", lambda topic, message: published.append(topic) or publish(topic, message)
    )
    mosip.sandbox.faults.set("credential_before_workflow", float(early))
    await mosip.finish(birth(new_aid()))
    assert published == ([TOPIC, COMPLETED] if early else [COMPLETED, TOPIC])


async def test_an_event_can_be_lost_delayed_and_doubled(
    mosip: Caller, partner: Partner, subscriber: Subscriber
) -> None:
    mosip.sandbox.faults.set("credential_event_lost", times=1)
    lost = await mosip.finish(birth(new_aid()))
    assert subscriber.events == []
    mosip.sandbox.faults.set("credential_delay", times=1, seconds=0.1)
    await mosip.finish(birth(new_aid()))
    assert subscriber.events == []
    await until(lambda: subscriber.events)
    mosip.sandbox.faults.set("credential_duplicate", times=1)
    await mosip.finish(birth(new_aid()))
    first, second, third = subscriber.events
    assert second == third != first
    (history,) = lost["credentials"].values()
    assert (history["issued"], history["published"], history["lost"]) == (1, 0, 1)
    totals = await mosip.totals()
    assert (totals["credentials_issued"], totals["credentials_published"], totals["credentials_lost"]) == (3, 3, 1)


async def test_labels_of_the_packet_come_back_in_the_event(start: Any, subscriber: Subscriber) -> None:
    mosip = await start(credential_meta_fields=("crvsRecord", "absent"))
    partner = await Partner.of(mosip)
    await partner.subscribe(subscriber)
    labels = {"registrationType": "CRVS_NEW", "centerId": "10001", "machineId": "10077", "crvsRecord": "B-17"}
    await mosip.finish(changed(birth(new_aid()), "request", "metaInfo", "metaData", label_values(labels)))
    data = subscriber.events[0]["event"]["data"]
    assert data["crvsRecord"] == "B-17"
    assert "absent" not in data


async def test_a_sandbox_without_a_partner_issues_nothing(start: Any) -> None:
    mosip = await start(credential_partner="")
    assert (await mosip.finish(birth(new_aid())))["credentials"] == {}
    assert (await mosip.call("GET", "/sandbox/credential-partner"))[0] == 404


@pytest.fixture
async def stock(start: Any) -> Caller:
    """An onboarded sandbox without a default partner, whose client is there nevertheless."""
    clients = (Client("crvs-partner", "s", PARTNER_ROLES), Client("mosip-regproc-client", "s", REGPROC_ROLES))
    mosip: Caller = await start(credential_partner="", other_clients=clients)
    mosip.sandbox.onboarding.configuration.edit({"audiences": {"datashare": ["crvs-partner"]}})
    return mosip


async def test_a_provisioned_partner_is_wired_with_its_policy_and_the_certificate_that_mosip_signed(
    stock: Caller, subscriber: Subscriber
) -> None:
    partner = await ProvisionedPartner.provision(stock, NAME_AND_UIN)
    await partner.subscribe(subscriber)
    seen = await stock.finish(birth(aid := new_aid(), fullName=words("Almaz")))
    subject = json.loads(await plain(partner, subscriber.events[0]))["credentialSubject"]
    assert subject == {"id": aid, "UIN": seen["uin"], "name": '[{"language":"eng","value":"Almaz"}]'}


@pytest.mark.parametrize(
    ("entity", "values"),
    [
        ("partners", {"isActive": False}),
        ("policies", {"isActive": False}),
        ("policies", {"validToDate": "2020-01-01T00:00:00.000Z"}),
        ("partner_policy_requests", {"statusCode": "InProgress"}),
        ("partner_certificates", None),
        ("credential_types", None),
    ],
)
async def test_a_partner_that_lacks_anything_is_not_wired(stock: Caller, entity: str, values: Any) -> None:
    await ProvisionedPartner.provision(stock, NAME_AND_UIN)
    (id,) = stock.sandbox.partners.content.rows(entity)
    edit = {"entity": entity, "id": id, "set": values or {}, "delete": values is None}
    assert (await stock.call("POST", "/sandbox/edit", edit))[0] == 200
    assert (await stock.finish(birth(new_aid())))["credentials"] == {}


async def test_direct_sharing_puts_the_credential_into_the_event(stock: Caller, subscriber: Subscriber) -> None:
    partner = await ProvisionedPartner.provision(stock, NAME_AND_UIN, typeOfShare="direct", encryptionType="none")
    await partner.subscribe(subscriber)
    await stock.finish(birth(aid := new_aid()))
    assert json.loads(await plain(partner, subscriber.events[0]))["credentialSubject"]["id"] == aid


async def test_an_unencrypted_share_is_plain_json(stock: Caller, subscriber: Subscriber) -> None:
    partner = await ProvisionedPartner.provision(stock, NAME_AND_UIN, encryptionType="none")
    await partner.subscribe(subscriber)
    await stock.finish(birth(aid := new_aid()))
    body, _ = await partner.fetch(subscriber.events[0]["event"]["dataShareUri"])
    assert body["credentialSubject"]["id"] == aid


async def test_a_verifiable_credential_keeps_lists_and_carries_its_own_proof(
    stock: Caller, subscriber: Subscriber
) -> None:
    partner = await ProvisionedPartner.provision(stock, NAME_AND_UIN, "vercred")
    await partner.subscribe(subscriber)
    await stock.finish(birth(aid := new_aid(), fullName=words("Almaz")))
    document = await plain(partner, subscriber.events[0])
    found = json.loads(document)
    assert found["type"] == ["VerifiableCredential", "MOSIPVerifiableCredential"]
    subject = found["credentialSubject"]
    assert (subject["id"].split("/")[-1], subject["vcVer"]) == (aid, "VC-V1")
    assert subject["name"] == [{"language": "eng", "value": "Almaz"}]
    assert found["proof"]["type"] == "RsaSignature2018"
    assert ".." in found["proof"]["jws"]
    await partner.verify(subscriber.events[0]["event"]["data"]["proof"]["signature"], document)


async def test_an_attribute_of_an_empty_group_is_left_out_without_a_word(stock: Caller, subscriber: Subscriber) -> None:
    partner = await ProvisionedPartner.provision(stock, [NAME_AND_UIN[0] | {"group": ""}])
    await partner.subscribe(subscriber)
    await stock.finish(birth(aid := new_aid()))
    assert json.loads(await plain(partner, subscriber.events[0]))["credentialSubject"] == {"id": aid}


VID = {"attributeName": "VID", "encrypted": False, "format": "RETRIEVE"}
VID |= {"source": [{"attribute": "VID", "filter": [{"type": "PERPETUAL"}]}]}


async def test_a_vid_brings_its_expiry_into_the_event(stock: Caller, subscriber: Subscriber) -> None:
    partner = await ProvisionedPartner.provision(stock, [VID])
    await partner.subscribe(subscriber)
    await stock.finish(birth(new_aid()))
    (event,) = subscriber.events
    assert len(json.loads(await plain(partner, event))["credentialSubject"]["VID"]) == 16
    assert {"ExpiryTimestamp", "TransactionLimit"} <= set(event["event"]["data"])


@pytest.mark.parametrize(
    "attribute",
    [
        VID | {"source": [{"attribute": "VID", "filter": []}]},
        {name: value for name, value in VID.items() if name != "format"},
        NAME_AND_UIN[0] | {"encrypted": True},
    ],
)
async def test_a_policy_that_breaks_the_provider_gives_a_failed_request_and_no_event(
    stock: Caller, subscriber: Subscriber, attribute: dict[str, Any]
) -> None:
    partner = await ProvisionedPartner.provision(stock, [attribute])
    await partner.subscribe(subscriber)
    assert (await stock.finish(birth(new_aid())))["result"] == "PROCESSED"
    statuses = [request.status for request in stock.sandbox.credentials.requests.values()]
    assert (statuses, subscriber.events) == (["FAILED"], [])


async def test_a_certificate_that_is_not_rsa_gives_a_failed_request(stock: Caller) -> None:
    await ProvisionedPartner.provision(stock, NAME_AND_UIN, own=new_key())
    assert (await stock.finish(birth(new_aid())))["result"] == "PROCESSED"
    assert [request.status for request in stock.sandbox.credentials.requests.values()] == ["FAILED"]


async def test_nothing_is_encrypted_or_signed_for_a_partner_that_nobody_listens_to(
    mosip: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = await Partner.of(mosip)
    made: list[bytes] = []
    monkeypatch.setattr("sandbox.credentials.encrypt", lambda document, *_, **__: made.append(document) or "x")
    seen = await mosip.finish(birth(new_aid()))
    assert made == []
    (id,) = seen["credentials"]
    link = (await partner.request(id))["response"]["url"]
    await partner.fetch(link)
    assert len(made) == 1
