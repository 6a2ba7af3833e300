"""A credential comes to the registry whole, once and only when it is what it says; nobody else learns of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from credential_scene import OF_PERSON, PSUT, UIN, Scene, content
from day_books import Books, aid, said
from receiver_calls import serving
from small_mosip import SmallMosip
from tests.credential.sealing import Pair, new_pair

from mosip_crvs.credential.keyring import KeyRing
from mosip_crvs.credential.proof import SigningCertificate
from mosip_crvs.ledger import facts
from mosip_crvs.ledger.alarms import open_alarms
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.reconciliation.partner_trust import allowed_hosts


@pytest.fixture(scope="module")
def own() -> Pair:
    return new_pair("crvs1")


@pytest.fixture(scope="module")
def signer() -> Pair:
    return new_pair("KERNEL-SIGN")


@pytest.fixture(scope="module")
def stranger() -> Pair:
    return new_pair("somebody")


@pytest.fixture
def scene(books: Books, seal: Seal, own: Pair, signer: Pair) -> Iterator[Scene]:
    mosip = SmallMosip()
    with serving(mosip.app()) as url:
        made = Scene.of(books, seal, mosip, url, own, signer)
        made.apply(1)
        yield made


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("inline", [False, True])
def test_a_credential_becomes_the_registrys_identifier_and_mosip_is_told(
    scene: Scene, inline: bool, older: bool
) -> None:
    scene.issue(inline=inline, older=older, once=True)
    assert scene.states() == ["fetched" if inline else "announced"]
    tally = scene.work()
    assert (tally["opened"], tally["identifiers"], tally["acknowledged"]) == (1, 1, 1)
    assert scene.result() == ("issued", "PSUT", PSUT, 2)
    assert (scene.states(), scene.alarms()) == (["acknowledged"], [])
    assert scene.statuses() == [("request-1", "served")]
    assert (scene.mosip.said[0]["publisher"], scene.mosip.said[0]["event"]["url"]) == ("crvs1", "")
    assert scene.work() == {}
    assert scene.mosip.looks == ([] if inline else ["1-event-1"])


def test_what_came_is_erased_once_it_was_opened(scene: Scene) -> None:
    scene.issue(inline=True)
    scene.work()
    (row,) = scene.rows()
    assert (row.cipher_text, row.proof, row.next_try_at) == (None, "verified", None)
    assert [each.body for each in scene.books.inbox()] == [None]


def test_an_event_that_comes_twice_is_one_credential_and_kept_once(scene: Scene) -> None:
    scene.issue(inline=True)
    scene.issue(inline=True)
    assert [each.body is None for each in scene.books.inbox()] == [False, True]
    scene.work()
    assert (scene.states(), len(scene.mosip.said)) == (["acknowledged"], 1)


def test_the_uin_is_handed_on_only_where_the_country_says_so(scene: Scene) -> None:
    scene.issue(body=content(aid(1), PSUT=None))
    assert scene.work()["without_identifier"] == 1
    assert scene.result() == ("completed", None, None, 1)
    assert scene.alarms() == [("credential_without_identifier", "crvs1")]
    assert scene.work() == {}, "nothing has changed"
    scene.work(identifiers=("PSUT", "UIN"))
    assert scene.result() == ("issued", "UIN", UIN, 2)
    assert (scene.alarms(), scene.mosip.looks) == ([], ["1-event-1"])


def test_a_credential_for_another_key_waits_until_that_key_is_there(scene: Scene, own: Pair) -> None:
    newer = new_pair("crvs1")
    scene.issue(for_key=newer, once=True)
    scene.work()
    shown = newer.thumbprint.hex()[:16]
    assert (scene.states(), scene.alarms()) == (["refused"], [("credential_unknown_key", shown)])
    assert scene.statuses() == [("request-1", "serving_error_unknown_key")]
    assert scene.work() == {}
    scene.work(keys=KeyRing([(own.certificate, own.key), (newer.certificate, newer.key)]))
    assert (scene.states(), scene.alarms()) == (["acknowledged"], [])
    assert scene.result() == ("issued", "PSUT", PSUT, 2)
    assert scene.mosip.looks == ["1-event-1"]


def test_a_credential_that_somebody_else_signed_is_refused_until_that_certificate_is_trusted(
    scene: Scene, signer: Pair, stranger: Pair
) -> None:
    scene.issue(by=stranger)
    scene.work()
    assert (scene.states(), scene.result()) == (["refused"], ("completed", None, None, 1))
    assert [code for code, _ in scene.alarms()] == ["credential_wrong_proof"]
    scene.work(signers=(SigningCertificate(signer.certificate), SigningCertificate(stranger.certificate)))
    assert (scene.states(), scene.alarms()) == (["acknowledged"], [])


def test_without_mosips_certificates_credentials_are_used_with_one_alarm_if_the_country_accepts_that(
    scene: Scene,
) -> None:
    scene.apply(2)
    scene.issue(1)
    scene.issue(2)
    scene.work(signers=(), is_required=False)
    assert scene.states() == ["acknowledged", "acknowledged"]
    assert scene.alarms() == [("credential_accepted_unproven", "crvs1")]


def test_a_credential_of_another_application_is_refused(scene: Scene) -> None:
    scene.issue(body=content(aid(7)))
    scene.work()
    assert (scene.states(), scene.result()) == (["refused"], ("completed", None, None, 1))
    assert scene.alarms() == [("credential_mismatch", aid(1))]
    assert scene.statuses() == [("request-1", "serving_error_mismatch")]
    scene.issue(event="event-2")
    scene.work()
    assert (scene.states(), scene.alarms()) == (["refused", "acknowledged"], [])


def test_a_damaged_credential_is_refused_with_an_alarm(scene: Scene) -> None:
    scene.issue()
    scene.mosip.shares["1-event-1"] = scene.mosip.shares["1-event-1"][:-8]
    scene.work()
    assert (scene.states(), scene.alarms()) == (["refused"], [("credential_unreadable", aid(1))])


def test_a_link_to_a_foreign_host_is_not_followed_until_that_host_is_allowed(scene: Scene) -> None:
    foreign = scene.url.replace("127.0.0.1", "localhost")
    scene.issue(link=f"{foreign}/v1/datashare/get/a-policy/crvs1/1-event-1")
    scene.work()
    assert (scene.mosip.looks, scene.states()) == ([], ["refused"])
    assert scene.alarms() == [("credential_host_refused", "crvs1")]
    scene.work(data_share_hosts=(foreign.removeprefix("http://"),))
    assert (scene.states(), scene.alarms()) == (["acknowledged"], [])


@pytest.mark.parametrize(
    ("base", "hosts"),
    [
        ("https://mosip.example", ("mosip.example:443",)),
        ("http://mosip.example", ("mosip.example:80",)),
        ("https://[::1]:8443", ("[::1]:8443",)),
    ],
)
def test_without_a_list_links_may_lead_to_mosips_own_place_only(scene: Scene, base: str, hosts: object) -> None:
    from dataclasses import replace

    assert allowed_hosts(replace(scene.partner.settings, base_url=base)) == hosts


def test_a_used_up_link_is_issued_again_and_the_new_event_closes_the_old_one(scene: Scene) -> None:
    scene.issue(once=True)
    scene.mosip.left["1-event-1"] = 0
    assert scene.work()["reissued"] == 1
    assert (scene.states(), scene.mosip.retriggered) == (["gone"], ["request-1"])
    assert scene.work() == {}, "MOSIP has time for it"
    scene.issue(event="event-2")
    scene.work()
    scene.hours_pass(1000)
    assert scene.work() == {}
    assert (scene.states(), scene.mosip.retriggered) == (["gone", "acknowledged"], ["request-1"])
    assert scene.result() == ("issued", "PSUT", PSUT, 2)


def test_a_used_up_link_is_not_issued_again_when_a_newer_event_is_there(scene: Scene) -> None:
    scene.issue()
    scene.issue(event="event-2")
    scene.mosip.left["1-event-1"] = 0
    scene.work()
    assert (scene.states(), scene.mosip.retriggered) == (["gone", "acknowledged"], [])


def test_a_credential_that_was_never_announced_is_asked_for_by_its_predictable_number(scene: Scene) -> None:
    scene.apply(2)
    with transaction(scene.books.ledger) as connection:
        facts.record(connection, [fact for number in (1, 2) for fact in said(aid(number), "COMPLETED")])
    scene.issue(number=2)
    assert scene.work(credential_suffix="-CRVS")["never_announced"] == 0, "it may still be announced"
    scene.books.run("UPDATE applications SET settled_at = settled_at - interval '2 hours'")
    assert scene.work()["never_announced"] == 1
    assert scene.mosip.retriggered == [f"{aid(1)}-CRVS"]

    scene.issue(event="event-2", request=f"{aid(1)}-CRVS")
    scene.work()
    scene.hours_pass(1000)
    assert scene.work() == {}, "the event answers it"
    assert scene.result() == ("issued", "PSUT", PSUT, 2)


def test_mosip_is_asked_again_so_often_and_then_a_person(scene: Scene) -> None:
    scene.issue()
    scene.mosip.left["1-event-1"] = 0
    for _ in range(20):
        scene.work()
        scene.hours_pass(1000)
    assert len(scene.mosip.retriggered) == 12
    assert scene.alarms() == [("credential_lost", aid(1))]


def test_a_request_that_mosip_does_not_know_is_lost_at_once(scene: Scene) -> None:
    scene.issue(request="unknown-1")
    scene.mosip.left["1-event-1"] = 0
    scene.work()
    assert scene.alarms() == [("credential_lost", aid(1))]


@pytest.mark.parametrize(("service", "state"), [("share", "announced"), ("hub", "opened"), ("request", "gone")])
@pytest.mark.parametrize("how", ["down", "forbidden"])
def test_what_mosip_does_not_do_today_waits_and_is_done_later(scene: Scene, service: str, state: str, how: str) -> None:
    scene.apply(*range(2, 8))
    for number in range(1, 8):
        scene.issue(number)
        scene.mosip.left[f"{number}-event-1"] = 0 if service == "request" else 1
    getattr(scene.mosip, how).add(service)
    tally = scene.work()
    assert tally["waiting"] == 3, "after the third the others wait without being tried"
    assert set(scene.states()) <= {state, "announced"}
    assert bool(scene.alarms()) is (how == "forbidden")
    assert scene.work() == {}, "it does not go round in circles"
    getattr(scene.mosip, how).clear()
    scene.hours_pass(3)
    scene.work()
    done = "gone" if service == "request" else "acknowledged"
    assert (set(scene.states()), scene.alarms()) == ({done}, [])


def test_mosip_is_not_told_for_ever(scene: Scene) -> None:
    scene.issue()
    scene.mosip.forbidden.add("hub")
    scene.work()
    scene.books.run("UPDATE credentials SET announced_at = now() - interval '8 days'")
    scene.hours_pass()
    scene.work()
    assert [(row.state, row.next_try_at) for row in scene.rows()] == [("opened", None)]
    assert scene.result() == ("issued", "PSUT", PSUT, 2)


def test_a_credential_of_an_application_that_does_not_stand_for_its_event_is_not_handed_on(scene: Scene) -> None:
    scene.issue()
    scene.books.run("UPDATE applications SET is_current = false")
    assert scene.work()["superseded"] == 1
    assert scene.result() == ("completed", None, None, 1)
    assert scene.work() == {}, "it waits"


def test_a_credential_that_came_while_another_application_stood_for_the_event_is_handed_on_once_its_own_does(
    scene: Scene,
) -> None:
    scene.issue(once=True)
    scene.books.run("UPDATE applications SET is_current = false")
    scene.work()
    (row,) = scene.rows()
    assert (row.state, row.cipher_text is None, scene.alarms()) == ("acknowledged", False, [])
    scene.books.run("UPDATE applications SET is_current = true")
    assert scene.work()["identifiers"] == 1
    assert scene.result() == ("issued", "PSUT", PSUT, 2)
    (row,) = scene.rows()
    assert (row.cipher_text, row.problem, scene.mosip.looks) == (None, None, ["1-event-1"])


def test_a_person_is_told_how_many_births_have_no_credential_a_day_after_they_were_completed(scene: Scene) -> None:
    scene.apply(2, 3)
    with transaction(scene.books.ledger) as connection:
        facts.record(connection, [fact for number in (1, 2, 3) for fact in said(aid(number), "COMPLETED")])
    scene.work()
    assert scene.alarms() == [], "it may still be announced"
    scene.books.run("UPDATE applications SET settled_at = settled_at - interval '89 days'")
    scene.work()
    (alarm,) = open_alarms(scene.books.ledger)
    assert (alarm.code, alarm.subject) == ("credential_overdue", "crvs1")
    assert str(alarm.details).startswith("3 births, the oldest of ")
    scene.issue(1)
    scene.issue(2)
    scene.work()
    assert str(open_alarms(scene.books.ledger)[0].details).startswith("1 births")
    assert scene.work(credential_suffix="-CRVS")["never_announced"] == 1
    assert (scene.mosip.retriggered, scene.alarms()) == ([f"{aid(3)}-CRVS"], [])


def test_a_notification_that_cannot_be_read_holds_up_no_other(scene: Scene) -> None:
    broken = b'{"event": {"id": "e", "transactionId": "r", "data": {"registrationId": "%s"}}}' % aid(1).encode()
    scene.books.receive(("crvs1/CREDENTIAL_ISSUED", broken))
    scene.issue(event="event-2")
    assert [bool(each.problem) for each in scene.books.inbox()] == [True, False]
    scene.work()
    assert scene.states() == ["acknowledged"]


def test_what_could_not_be_used_is_erased_after_a_month(scene: Scene) -> None:
    scene.issue(body=content(aid(7)), inline=True)
    scene.work()
    assert scene.rows()[0].cipher_text is not None
    scene.books.run("UPDATE credentials SET fetched_at = now() - interval '31 days'")
    scene.work()
    assert (scene.rows()[0].cipher_text, scene.books.inbox()[0].body) == (None, None)


@pytest.mark.parametrize(
    "of",
    [
        {},
        {"body": content(aid(7))},
        {"body": content(aid(1), PSUT=None)},
        {"body": b'{"credentialSubject": "' + UIN.encode() + b'"}'},
        {"body": b"not JSON, of " + UIN.encode()},
        {"by": new_pair("somebody")},
        {"for_key": new_pair("somebody")},
    ],
)
def test_nobody_is_named_in_logs_or_in_the_ledger(
    scene: Scene, caplog: pytest.LogCaptureFixture, of: dict[str, object]
) -> None:
    caplog.set_level(logging.DEBUG)
    scene.issue(**of)  # type: ignore[arg-type]
    tally = scene.work()
    seen = f"{caplog.text}\n{scene.texts()}\n{scene.mosip.said}\n{tally}\n{scene.partner}"
    for value in OF_PERSON:
        assert value not in seen
        assert value.encode().hex() not in seen
