"""The write-ahead rule, seen from the far side: at each call that arrives, the ledger has already committed it."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest
from tests.rig import YESTERDAY, close, plan, submission

from mosip_crvs.submission.pipeline import submit_range
from reference_registry import load


class Witness(ThreadingHTTPServer):
    """A far side that looks into our ledger, over a connection of its own, before it answers."""

    daemon_threads = True

    def __init__(self, ledger_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ledger_url = ledger_url
        self.seen: Counter[tuple[str, str]] = Counter()
        self.problems: list[str] = []
        self.triggered: set[str] = set()
        self.lock = threading.Lock()

    def look(self, call: str, aid: str) -> None:
        """Note the committed state of an application at the moment of a call about it."""
        with psycopg.connect(self.ledger_url) as ledger:
            row = ledger.execute("SELECT state FROM applications WHERE aid = %s", (aid,)).fetchone()
        with self.lock:
            self.seen[call, row[0] if row else "nothing"] += 1
            if call == "create" and aid in self.triggered:
                self.problems.append(aid)
            if call == "trigger":
                self.triggered.add(aid)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Witness

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "token" in self.path:
            return self._say({"access_token": "t", "expires_in": 300})
        aid = json.loads(body)["request"]["registrationId"]
        self.server.look("trigger", aid)
        return self._say({"response": {"workflowInstanceId": f"w-{aid}"}, "errors": None})

    def do_PUT(self) -> None:
        aid = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]["id"]
        self.server.look("create", aid)
        self._say({"response": [{"packetName": f"{aid}_id"}], "errors": []})

    def _say(self, payload: dict[str, Any]) -> None:
        answer = json.dumps(payload).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def witness(ledger_url: str) -> Iterator[Witness]:
    """A witness at work."""
    server = Witness(ledger_url)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_every_call_finds_the_ledger_ahead_of_it(witness: Witness, ledger_url: str, registry_url: str) -> None:
    load(registry_url, births=150, clean_only=True, end_day=YESTERDAY)
    made = submission(ledger_url, registry_url, f"http://127.0.0.1:{witness.server_port}", concurrency=12)
    for batch_id, number in plan(made):
        submit_range(made, batch_id, number, "test")
    close(made)
    assert witness.seen == {("create", "AID_ASSIGNED"): 150, ("trigger", "TRIGGERING"): 150}
    assert witness.problems == []
