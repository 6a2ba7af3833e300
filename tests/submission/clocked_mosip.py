"""A far side that takes everything, with a clock that a test turns, and with masterdata if it is told to."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Mosip(ThreadingHTTPServer):
    """A far side; what it was sent stands in `created` and `triggered`, and the days of its clock in `created_on`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.now = datetime(2026, 12, 24, 12, tzinfo=UTC).timestamp()
        self.seconds_a_create = 0.0
        self.refuse_creates = 0
        self.holidays: frozenset[str] | None = None
        self.created: Counter[str] = Counter()
        self.created_on: Counter[str] = Counter()
        self.triggered: Counter[str] = Counter()
        self.asked: list[str] = []
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def clock(self) -> float:
        """Its time, seconds since 1970."""
        return self.now

    def set(self, moment: str) -> None:
        """Turn its clock."""
        self.now = datetime.fromisoformat(f"2026-12-{moment}+00:00").timestamp()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Mosip

    def do_GET(self) -> None:
        mosip = self.server
        mosip.asked.append(self.path)
        if mosip.holidays is None:
            return self._say({"errors": [{"errorCode": "KER-ATH-404"}]}, 404)
        day = self.path.rpartition("/")[2][:10]
        return self._say({"response": {"status": "Invalid" if day in mosip.holidays else "Valid"}, "errors": None})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "token" in self.path:
            return self._say({"access_token": "t", "expires_in": 300})
        aid = json.loads(body)["request"]["registrationId"]
        with self.server.lock:
            self.server.triggered[aid] += 1
        return self._say({"response": {"workflowInstanceId": f"w-{aid}"}, "errors": None})

    def do_PUT(self) -> None:
        aid = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]["id"]
        mosip = self.server
        with mosip.lock:
            mosip.created[aid] += 1
            mosip.created_on[str(datetime.fromtimestamp(mosip.now, UTC).date())] += 1
            mosip.now += mosip.seconds_a_create
            refused = mosip.refuse_creates > 0
            mosip.refuse_creates -= refused
        if refused:
            return self._say({"response": None, "errors": [{"errorCode": "KER-PUT-001"}]}, 503)
        return self._say({"response": [{"packetName": f"{aid}_id"}], "errors": []})

    def _say(self, payload: dict[str, Any], status: int = 200) -> None:
        answer = json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""
