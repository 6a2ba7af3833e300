"""What the tests of the receiver say to it: as a hub does, and as a stranger does."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psycopg
import uvicorn
from sqlalchemy import Engine, text

from mosip_crvs.ledger.connection import transaction
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.ledger.subscriptions import CALLBACK_PATH, Subscription

TOPIC = "REGISTRATION_PROCESSOR_WORKFLOW_COMPLETED_EVENT"
BODY = b'{"instanceId": "10001100770000120260101093015", "resultCode": "PROCESSED", "workflowType": "CRVS_NEW"}'


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an ASGI application on a free port from a thread; gives its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the application did not start"
        assert time.monotonic() < deadline, "the application did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(
    base: str, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request, its target exactly as written."""
    where = urlsplit(base)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    try:
        connection.request(method, target, body=body, headers=dict(headers or {}))
        reply = connection.getresponse()
        return Answer(reply.status, {n.lower(): v for n, v in reply.getheaders()}, reply.read())
    finally:
        connection.close()


def challenge(base: str, token: str, topic: str, value: str, mode: str = "subscribe") -> Answer:
    """Ask as MOSIP's hub does: the values are not URL-encoded (``mosip-events.md`` §1.4)."""
    query = f"hub.mode={mode}&hub.topic={topic}&hub.challenge={value}&hub.lease_seconds=864000"
    return call(base, "GET", f"{CALLBACK_PATH}{token}?{query}")


def signature(secret: str, body: bytes, algorithm: str = "sha256") -> str:
    """Sign as the hub does: by hand, not with the code under test."""
    return hmac.new(secret.encode(), body, getattr(hashlib, algorithm)).hexdigest()


@dataclass(frozen=True)
class Subscriber:
    """One subscription of ours, as the hub knows it."""

    found: Subscription
    secret: str

    @classmethod
    def of(cls, found: Subscription, seal: Seal) -> Subscriber:
        """Open its secret."""
        return cls(found, seal.open(found.sealed_secret))

    @property
    def token(self) -> str:
        """The part of the callback that nobody can guess."""
        return self.found.callback.rpartition(CALLBACK_PATH)[2]

    @property
    def path(self) -> str:
        """The callback below the receiver's address."""
        return CALLBACK_PATH + self.token

    def deliver(self, base: str, body: bytes, header: str | None = "") -> Answer:
        """Deliver a body.

        :param header: instead of the right signature; None for none.
        """
        header = f"sha256={signature(self.secret, body)}" if header == "" else header
        headers = {"Content-Type": "application/json"} | ({} if header is None else {"X-Hub-Signature": header})
        return call(base, "POST", self.path, body, headers)


@contextmanager
def open_socket(base: str) -> Iterator[socket.socket]:
    """Talk to the receiver byte by byte."""
    where = urlsplit(base)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as line:
        yield line


def first_line(line: socket.socket) -> bytes:
    """Read the status line of the answer."""
    with line.makefile("rb") as reader:
        return reader.readline()


def inbox(ledger: Engine) -> list[bytes]:
    """Give the bodies in the inbox, oldest first."""
    with transaction(ledger) as connection:
        return [bytes(row.body) for row in connection.execute(text("SELECT body FROM inbox ORDER BY inbox_id"))]


def refused(ledger: Engine) -> list[Any]:
    """Give what was noted of posts that were not believed, oldest first."""
    with transaction(ledger) as connection:
        return list(connection.execute(text("SELECT * FROM refused_deliveries ORDER BY refused_id")))


def eventually(condition: Any, seconds: float = 10.0) -> Any:
    """Wait until something is true; gives it."""
    deadline = time.monotonic() + seconds
    while not (got := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
    return got


@contextmanager
def unreachable(server_url: str, ledger_url: str) -> Iterator[None]:
    """Take a ledger away: who is connected is thrown out and nobody gets in, until the block ends."""
    name = urlsplit(ledger_url).path.lstrip("/")
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def environment(**more: str) -> dict[str, str]:
    """What a process that runs the plugin's own modules needs."""
    from mosip_crvs import __file__ as package

    return {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(package)), **more}
