"""A small HTTP server on a free port of loopback: it answers by a script and remembers what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import jwt

SECRET = "s3cr3t-Quetzalcoatlus"
JWT_KEY = "a key of at least thirty-two bytes, for tests"


@dataclass(frozen=True)
class Asked:
    """One request, as it came over the wire."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for given, value in self.headers if given.lower() == name.lower()]

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Said:
    """One answer; ``cut`` breaks the connection half-way, ``wait`` lets the caller wait first."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    cut: bool = False
    wait: float = 0.0


def said(payload: Any, status: int = 200, **headers: str) -> Said:
    """An answer in JSON."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Said(status, json.dumps(payload).encode(), [("Content-Type", "application/json"), *named])


Script = Callable[[Asked], Said]


class FarSide:
    """Answers by ``script``; ``asked`` is everything that came, in order."""

    def __init__(self) -> None:
        self.script: Script = lambda _: Said(404)
        self.asked: list[Asked] = []
        far_side = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(self.command, self.path, list(self.headers.items()), self.rfile.read(length))
                far_side.asked.append(asked)
                answer = far_side.script(asked)
                time.sleep(answer.wait)
                self.send_response(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body) + (10 if answer.cut else 0)))
                self.end_headers()
                self.wfile.write(answer.body)
                self.close_connection = self.close_connection or answer.cut

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def say(self, *answers: Said) -> None:
        """Give these answers in order, the last one for ever."""
        left = list(answers)
        self.script = lambda _: left.pop(0) if len(left) > 1 else left[0]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def token_text(seconds: float = 3600, **claims: Any) -> str:
    """A JWT that expires in some seconds."""
    return jwt.encode({"azp": "mosip-crvs1-client", "exp": int(time.time() + seconds), **claims}, JWT_KEY)
