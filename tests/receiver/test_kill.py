"""A receiver that is killed while 32 senders are at it has lost nothing that it acknowledged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from receiver_calls import Subscriber, call, environment, eventually, inbox
from senders import SENDERS, Senders
from sqlalchemy import Engine


def start(ledger_url: str, seal_key: str, port: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "mosip_crvs.receiver", "--port", str(port)],
        env=environment(CRVS_LEDGER_URL=ledger_url, CRVS_SEAL_KEY=seal_key),
        stderr=subprocess.DEVNULL,
    )

    def up() -> bool:
        assert process.poll() is None, "the receiver did not start"
        try:
            return call(f"http://127.0.0.1:{port}", "GET", "/health").status == 200
        except OSError:
            return False

    eventually(up, 30)
    return process


@pytest.mark.parametrize("round_number", range(2))
def test_what_was_acknowledged_before_a_kill_is_in_the_inbox(
    ledger: Engine, ledger_url: str, seal_key: str, subscriber: Subscriber, free_port: int, round_number: int
) -> None:
    base = f"http://127.0.0.1:{free_port}"
    process = start(ledger_url, seal_key, free_port)
    try:
        with Senders(base, subscriber) as senders:
            eventually(lambda: len(senders.acknowledged) > 150, 20)
            time.sleep(random.uniform(0, 0.3))
            os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
            eventually(lambda: len(senders.unanswered) >= SENDERS, 15)
        kept = Counter(inbox(ledger))

        lost = [body for body in senders.acknowledged if body not in kept]
        assert lost == []
        assert max(kept.values()) == 1
        assert set(kept) <= set(senders.acknowledged) | set(senders.unanswered)

        process = start(ledger_url, seal_key, free_port)
        for body in senders.unanswered:
            assert subscriber.deliver(base, body).status == 200
        assert set(inbox(ledger)) == set(senders.acknowledged) | set(senders.unanswered)
    finally:
        process.kill()
        process.wait(10)


def test_the_receiver_says_what_it_needs_and_does_not_start_without(seal_key: str) -> None:
    env = environment(CRVS_SEAL_KEY=seal_key)
    env.pop("CRVS_LEDGER_URL", None)
    ended = subprocess.run(
        [sys.executable, "-m", "mosip_crvs.receiver"], env=env, capture_output=True, text=True, timeout=30
    )

    assert ended.returncode == 2
    assert "CRVS_LEDGER_URL" in ended.stderr
    assert seal_key not in ended.stderr


def test_a_receiver_with_a_wrong_seal_key_does_not_start(ledger_url: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "mosip_crvs.receiver", "--port", "0"],
        env=environment(CRVS_LEDGER_URL=ledger_url, CRVS_SEAL_KEY="not-a-fernet-key"),
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert ended.returncode != 0
    assert "Fernet" in ended.stderr
    assert "not-a-fernet-key" not in ended.stderr


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens at."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
