"""What may stand between us and MOSIP: a gateway that rewrites answers, for faults that a sandbox does not have."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter

Change = Callable[[requests.Response], None]


class Gateway(HTTPAdapter):
    """Passes every call on; an answer to an address that fits is changed."""

    def __init__(self, address: str, change: Change) -> None:
        super().__init__()
        self._address = re.compile(address)
        self._change = change

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send a request on."""
        reply = super().send(request, **options)
        if self._address.search(request.url or ""):
            self._change(reply)
        return reply


def through(address: str, change: Change) -> requests.Session:
    """Give a session whose calls go through a gateway."""
    session = requests.Session()
    session.mount("http://", Gateway(address, change))
    return session


def answering(status: int, text: str) -> Change:
    """Give another answer instead."""

    def change(reply: requests.Response) -> None:
        put_body(reply, text.encode())
        reply.status_code = status

    return change


def without_date(reply: requests.Response) -> None:
    """Swallow the header that has the time."""
    del reply.headers["date"]


def an_hour_ahead(reply: requests.Response) -> None:
    """Say that it is an hour later than it is."""
    reply.headers["date"] = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


def rewriting_tokens(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Change:
    """Let a mapper of Keycloak's change the claims of tokens."""

    def rewrite(reply: requests.Response) -> None:
        answer = json.loads(reply.content)
        header, claims, signature = answer["access_token"].split(".")
        there = json.loads(base64.urlsafe_b64decode(claims + "=="))
        changed = change(there)
        if changed == there:
            return  # written anew it would not fit its signature
        body = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
        put_body(reply, json.dumps({**answer, "access_token": f"{header}.{body}.{signature}"}).encode())

    return rewrite


def put_body(reply: requests.Response, body: bytes) -> None:
    """Put another body into an answer."""
    _ = reply.content  # read, so that the connection can be used again
    reply._content = body
