"""HTTP to the stack's own services, past any proxy that the caller's environment names."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(url: str, body: Any, *, seconds: float) -> Any:
    """Send JSON; as :func:`send`."""
    headers = {"Content-Type": "application/json"}
    return send(urllib.request.Request(url, json.dumps(body).encode(), headers), seconds=seconds)


def send(request: urllib.request.Request | str, *, seconds: float) -> Any:
    """One call; the JSON of the reply, or None when it has no body.

    :raises OSError: when there is no reply; ``urllib.error.HTTPError``, which is one, when it says no.
    """
    with _OPENER.open(request, timeout=seconds) as reply:
        content = reply.read()
    return json.loads(content) if content else None
