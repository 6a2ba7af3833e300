"""Who is believed: whoever signs the raw bytes with the secret that the hub was given."""

from __future__ import annotations

import json

import pytest
from receiver_calls import BODY, Subscriber, inbox, refused, signature
from sqlalchemy import Engine


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("write", [str.lower, str.upper, str.title])
def test_a_strong_signature_is_believed_however_its_name_is_written(
    receiver: str, ledger: Engine, subscriber: Subscriber, algorithm: str, write: object
) -> None:
    header = f"{write(algorithm)}={signature(subscriber.secret, BODY, algorithm)}"  # type: ignore[operator]

    assert subscriber.deliver(receiver, BODY, header).status == 200
    assert inbox(ledger) == [BODY]
    assert refused(ledger) == []


def test_capital_hexadecimal_is_the_same_signature(receiver: str, ledger: Engine, subscriber: Subscriber) -> None:
    subscriber.deliver(receiver, BODY, f"SHA256={signature(subscriber.secret, BODY).upper()}")

    assert inbox(ledger) == [BODY]


def test_what_is_signed_is_the_bytes_and_not_the_meaning(receiver: str, ledger: Engine, subscriber: Subscriber) -> None:
    raw = b'{ "resultCode":"PROCESSED",\n"instanceId" : "1",  "n": 1.0e2 }'
    dumped_again = json.dumps(json.loads(raw)).encode()

    subscriber.deliver(receiver, raw, f"sha256={signature(subscriber.secret, dumped_again)}")
    assert inbox(ledger) == []
    subscriber.deliver(receiver, raw)
    assert inbox(ledger) == [raw]


def _forgeries(secret: str) -> dict[str, tuple[str | None, str]]:
    right = signature(secret, BODY)
    return {
        "no signature": (None, "unsigned"),
        "sha1": (f"sha1={signature(secret, BODY, 'sha1')}", "unknown_algorithm"),
        "md5": (f"md5={signature(secret, BODY, 'md5')}", "unknown_algorithm"),
        "no equals sign": (right, "unknown_algorithm"),
        "no algorithm": (f"={right}", "unknown_algorithm"),
        "the algorithm only": ("sha256=", "wrong_signature"),
        "not hexadecimal": ("sha256=" + "zz" * 32, "wrong_signature"),
        "an odd number of digits": (f"sha256={right[:-1]}", "wrong_signature"),
        "cut short": (f"sha256={right[:-2]}", "wrong_signature"),
        "too long": (f"sha256={right}00", "wrong_signature"),
        "one digit off": ("sha256=" + ("0" if right[0] != "0" else "1") + right[1:], "wrong_signature"),
        "right digest, wrong name": (f"sha512={right}", "wrong_signature"),
        "a stale secret": (f"sha256={signature('the secret of last year', BODY)}", "wrong_signature"),
        "an empty secret": (f"sha256={signature('', BODY)}", "wrong_signature"),
        "another body": (f"sha256={signature(secret, BODY + b' ')}", "wrong_signature"),
        "not ASCII": ("sha256=\u00e9\u00e9", "wrong_signature"),
    }


@pytest.mark.parametrize("name", _forgeries("secret"))
@pytest.mark.parametrize(("sticky", "status"), [(True, 200), (False, 401)])
def test_a_forgery_never_reaches_the_inbox_and_is_noted_without_its_body(
    start: object, ledger: Engine, subscriber: Subscriber, name: str, sticky: bool, status: int
) -> None:
    receiver = start(sticky=sticky)  # type: ignore[operator]
    header, reason = _forgeries(subscriber.secret)[name]

    assert subscriber.deliver(receiver, BODY, header).status == status

    assert inbox(ledger) == []
    noted = refused(ledger)
    assert [(n.topic, n.reason, n.body_bytes) for n in noted] == [(subscriber.found.topic, reason, len(BODY))]
    assert BODY.decode() not in repr(noted)
    assert "10001100770000120260101093015" not in repr(noted)


def test_the_secret_of_one_callback_does_not_open_another(
    receiver: str, ledger: Engine, seal: object, subscriber: Subscriber
) -> None:
    from mosip_crvs.ledger import subscriptions

    other = Subscriber.of(
        subscriptions.request(ledger, seal, "crvs1/OTHER", "http://receiver.example"),  # type: ignore[arg-type]
        seal,  # type: ignore[arg-type]
    )

    subscriber.deliver(receiver, BODY, f"sha256={signature(other.secret, BODY)}")

    assert inbox(ledger) == []


def test_a_post_to_an_unknown_callback_is_not_found_and_not_noted(
    receiver: str, ledger: Engine, subscriber: Subscriber
) -> None:
    from receiver_calls import call

    header = {"X-Hub-Signature": f"sha256={signature(subscriber.secret, BODY)}"}
    assert call(receiver, "POST", "/websub/unknown", BODY, header).status == 404
    assert call(receiver, "POST", "/websub/", BODY, header).status == 404

    assert inbox(ledger) == []
    assert refused(ledger) == []
