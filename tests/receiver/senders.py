"""Thirty-two hubs at once: threads that deliver numbered notifications, one after the other, until told to stop."""

from __future__ import annotations

import http.client
import threading
import time
from urllib.parse import urlsplit

from receiver_calls import Subscriber, signature

SENDERS = 32


class Senders:
    """Delivers to a receiver and remembers what it answered.

    :param enduring: go on when a connection breaks, as hubs do; else a sender stops there.
    """

    def __init__(self, base: str, subscriber: Subscriber, *, enduring: bool = False) -> None:
        self.acknowledged: list[bytes] = []
        self.unanswered: list[bytes] = []
        self.statuses: set[int] = set()
        self._base = urlsplit(base)
        self._subscriber = subscriber
        self._enduring = enduring
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(SENDERS)]

    def __enter__(self) -> Senders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def _run(self, sender: int) -> None:
        number = 0
        while not self._stop.is_set():
            line = http.client.HTTPConnection(self._base.hostname or "", self._base.port, timeout=30)
            number = self._send(line, sender, number)
            if not self._enduring:
                return
            time.sleep(0.05)  # until the receiver is up again

    def _send(self, line: http.client.HTTPConnection, sender: int, number: int) -> int:
        """Deliver until the connection breaks; gives the last number."""
        while not self._stop.is_set():
            number += 1
            body = b'{"sender": %d, "number": %d, "run": %d}' % (sender, number, id(self))
            headers = {"X-Hub-Signature": f"sha256={signature(self._subscriber.secret, body)}"}
            try:
                line.request("POST", self._subscriber.path, body, headers)
                reply = line.getresponse()
                reply.read()
            except (OSError, http.client.HTTPException):
                self.unanswered.append(body)
                line.close()
                break
            self.statuses.add(reply.status)
            (self.acknowledged if reply.status == 200 else self.unanswered).append(body)
        return number
