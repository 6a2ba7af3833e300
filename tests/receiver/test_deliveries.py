"""What is answered 2xx is durable; what is not believed leaves no trace of its content."""

from __future__ import annotations

import hashlib
import select
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from receiver_calls import (
    BODY,
    TOPIC,
    Subscriber,
    call,
    eventually,
    first_line,
    inbox,
    open_socket,
    refused,
    signature,
    unreachable,
)
from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import transaction
from mosip_crvs.receiver import app, store


def test_a_signed_post_is_in_the_inbox_byte_for_byte_with_its_topic_and_digest(
    receiver: str, ledger: Engine, subscriber: Subscriber
) -> None:
    assert subscriber.deliver(receiver, BODY).status == 200

    with transaction(ledger) as connection:
        (row,) = connection.execute(text("SELECT * FROM inbox")).all()
    assert (row.topic, bytes(row.body), row.state) == (TOPIC, BODY, "new")
    assert row.body_sha256 == hashlib.sha256(BODY).hexdigest()


def test_no_answer_is_given_before_the_notification_is_durable(
    receiver: str, ledger: Engine, subscriber: Subscriber
) -> None:
    answered = threading.Event()
    statuses: list[int] = []

    def deliver() -> None:
        statuses.append(subscriber.deliver(receiver, BODY).status)
        answered.set()

    with transaction(ledger) as other:
        other.execute(text("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE"))
        thread = threading.Thread(target=deliver)
        thread.start()
        assert not answered.wait(0.7), "answered although nothing could be stored yet"
    thread.join(10)

    assert statuses == [200]
    assert inbox(ledger) == [BODY]


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe\x00\x80 not UTF-8", b"not JSON", b"\0", b"[]", "\u0627\u0644".encode(), b"x" * 262_144]
)
def test_any_signed_body_up_to_the_limit_is_kept_as_it_came(
    receiver: str, ledger: Engine, subscriber: Subscriber, body: bytes
) -> None:
    assert subscriber.deliver(receiver, body).status == 200
    assert inbox(ledger) == [body]


def test_the_same_notification_twice_is_kept_twice(receiver: str, ledger: Engine, subscriber: Subscriber) -> None:
    subscriber.deliver(receiver, BODY)
    subscriber.deliver(receiver, BODY)

    assert inbox(ledger) == [BODY, BODY]


def test_many_senders_at_once_lose_nothing(receiver: str, ledger: Engine, subscriber: Subscriber) -> None:
    bodies = [b'{"n": %d}' % number for number in range(300)]
    with ThreadPoolExecutor(32) as senders:
        answers = list(senders.map(lambda body: subscriber.deliver(receiver, body).status, bodies))

    assert set(answers) == {200}
    assert sorted(inbox(ledger)) == sorted(bodies)


@pytest.mark.parametrize(("sticky", "status"), [(True, 200), (False, 401)])
@pytest.mark.parametrize("size", [262_145, 3_000_000])
def test_an_oversized_post_is_drained_and_not_kept(
    start: object, ledger: Engine, subscriber: Subscriber, sticky: bool, status: int, size: int
) -> None:
    receiver = start(sticky=sticky)  # type: ignore[operator]

    assert subscriber.deliver(receiver, b"x" * size).status == status

    assert inbox(ledger) == []
    (noted,) = refused(ledger)
    assert (noted.reason, noted.body_bytes) == ("oversized", size)
    assert noted.body_sha256 != hashlib.sha256(b"x" * size).hexdigest(), "it was kept whole in memory"


@pytest.mark.parametrize(("sticky", "status"), [(True, b"200"), (False, b"401")])
def test_an_oversized_post_in_chunks_is_not_kept_either(
    start: object, ledger: Engine, subscriber: Subscriber, sticky: bool, status: bytes
) -> None:
    receiver = start(sticky=sticky)  # type: ignore[operator]
    body = b"y" * 300_000
    with open_socket(receiver) as line:
        line.sendall(
            f"POST {subscriber.path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            f"X-Hub-Signature: sha256={signature(subscriber.secret, body)}\r\n\r\n".encode()
        )
        for begin in range(0, len(body), 10_000):
            line.sendall(b"2710\r\n" + body[begin : begin + 10_000] + b"\r\n")
        line.sendall(b"0\r\n\r\n")
        assert status in first_line(line)

    assert inbox(ledger) == []
    assert [(n.reason, n.body_bytes) for n in refused(ledger)] == [("oversized", 300_000)]


def test_a_post_without_end_is_answered_all_the_same(
    receiver: str, ledger: Engine, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "MOST_DRAINED_BYTES", 1_000_000)
    with open_socket(receiver) as line:
        line.sendall(f"POST {subscriber.path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        sent = 0
        while sent < 50_000_000 and not select.select([line], [], [], 0)[0]:
            line.sendall(b"2710\r\n" + b"z" * 10_000 + b"\r\n")
            sent += 10_000
        assert b"200" in first_line(line)

    assert sent < 50_000_000, "it was read on and on"
    (noted,) = refused(ledger)
    assert noted.reason == "oversized"
    assert 1_000_000 < noted.body_bytes < 3_000_000
    assert inbox(ledger) == []


def test_a_signed_post_in_chunks_is_kept_whole(receiver: str, ledger: Engine, subscriber: Subscriber) -> None:
    with open_socket(receiver) as line:
        line.sendall(
            f"POST {subscriber.path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            f"X-Hub-Signature: sha256={signature(subscriber.secret, BODY)}\r\n\r\n".encode()
        )
        for byte in BODY:
            line.sendall(b"1\r\n" + bytes([byte]) + b"\r\n")
        line.sendall(b"0\r\n\r\n")
        assert b"200" in first_line(line)

    assert inbox(ledger) == [BODY]


@pytest.mark.parametrize("sticky", [True, False])
def test_a_body_that_drips_is_given_up_not_kept_and_not_acknowledged(
    start: object,
    ledger: Engine,
    subscriber: Subscriber,
    sticky: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "READ_SECONDS", 0.5)
    receiver = start(sticky=sticky)  # type: ignore[operator]
    began = time.monotonic()
    with open_socket(receiver) as line:
        line.sendall(
            f"POST {subscriber.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n"
            f"X-Hub-Signature: sha256={signature(subscriber.secret, BODY)}\r\n\r\n".encode()
        )
        for byte in BODY[:8]:
            line.sendall(bytes([byte]))
            time.sleep(0.1)
        assert b"503" in first_line(line)

    assert time.monotonic() - began < 5
    assert inbox(ledger) == []
    assert [n.reason for n in refused(ledger)] == ["incomplete"]


def test_a_body_that_is_cut_is_not_kept(receiver: str, ledger: Engine, subscriber: Subscriber) -> None:
    with open_socket(receiver) as line:
        line.sendall(
            f"POST {subscriber.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY) + 5}\r\n"
            f"X-Hub-Signature: sha256={signature(subscriber.secret, BODY)}\r\n\r\n".encode()
            + BODY
        )
        time.sleep(0.1)

    (noted,) = eventually(lambda: refused(ledger))
    assert (noted.reason, noted.body_bytes) == ("incomplete", len(BODY))
    assert inbox(ledger) == []


def test_a_flood_of_forgeries_fills_the_ledger_only_so_fast(
    receiver: str, ledger: Engine, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_REFUSALS_A_MINUTE", 5)

    answers = {subscriber.deliver(receiver, BODY, None).status for _ in range(12)}

    assert answers == {200}
    assert len(refused(ledger)) == 5


def test_the_hub_keeps_its_subscription_and_is_heard_after_a_flood(
    receiver: str, ledger: Engine, subscriber: Subscriber
) -> None:
    for _ in range(20):
        subscriber.deliver(receiver, b"forged", "sha256=00")

    assert subscriber.deliver(receiver, BODY).status == 200
    assert inbox(ledger) == [BODY]


def test_when_the_ledger_is_away_the_hub_is_told_to_come_again_and_nothing_is_acknowledged(
    receiver: str, ledger: Engine, ledger_url: str, postgres: object, subscriber: Subscriber
) -> None:
    assert subscriber.deliver(receiver, b"before").status == 200
    with unreachable(postgres.url("postgres"), ledger_url):  # type: ignore[attr-defined]
        answer = subscriber.deliver(receiver, b"during")
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert call(receiver, "GET", "/health").status == 503
        forged = subscriber.deliver(receiver, b"forged", None)
        assert forged.status in (200, 503)
    assert subscriber.deliver(receiver, b"after").status == 200

    assert inbox(ledger) == [b"before", b"after"]
    assert call(receiver, "GET", "/health").status == 200


def test_a_receiver_that_starts_without_its_ledger_works_once_the_ledger_is_there(
    start_anew: object, ledger: Engine, ledger_url: str, postgres: object, subscriber: Subscriber
) -> None:
    with unreachable(postgres.url("postgres"), ledger_url):  # type: ignore[attr-defined]
        receiver = start_anew()  # type: ignore[operator]
        assert subscriber.deliver(receiver, b"too early").status == 503
    assert subscriber.deliver(receiver, BODY).status == 200

    assert inbox(ledger) == [BODY]


def test_more_than_can_wait_is_told_to_come_again(
    receiver: str, ledger: Engine, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscriber.deliver(receiver, b"first")
    monkeypatch.setattr(store, "MOST_WAITING", 0)

    assert subscriber.deliver(receiver, b"second").status == 503
    assert inbox(ledger) == [b"first"]


def test_a_subscription_made_while_the_receiver_runs_is_known_at_once(
    receiver: str, ledger: Engine, seal: object, subscriber: Subscriber
) -> None:
    from mosip_crvs.ledger import subscriptions

    subscriber.deliver(receiver, BODY)
    newer = subscriptions.request(ledger, seal, "crvs1/NEW", "http://receiver.example")  # type: ignore[arg-type]

    assert Subscriber.of(newer, seal).deliver(receiver, b"{}").status == 200  # type: ignore[arg-type]
    assert inbox(ledger) == [BODY, b"{}"]


def test_health_says_whether_notifications_can_be_stored(receiver: str) -> None:
    answer = call(receiver, "GET", "/health")

    assert (answer.status, answer.body) == (200, b'{"status":"up"}')


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_not_allowed(receiver: str, ledger: Engine, subscriber: Subscriber, method: str) -> None:
    assert call(receiver, method, subscriber.path, BODY).status == 405
    assert call(receiver, method, "/health").status == 405
    assert inbox(ledger) == []


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/websub", "/metrics", "/websub/a/b"])
def test_there_is_nothing_else_to_see(receiver: str, path: str) -> None:
    assert call(receiver, "GET", path).status == 404
