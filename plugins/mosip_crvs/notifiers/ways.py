"""The ways by which a message reaches people: a webhook, or the log."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowException

if TYPE_CHECKING:
    import requests
    from airflow.sdk.types import Logger

TIMEOUT = 10.0
"""Seconds for one message."""


class NobodyThere(Exception):
    """The address did not answer: what is left is told another time."""


class ToTheLog:
    """Writes messages as ERROR lines that begin with ``ALARM``."""

    def __init__(self, log: Logger) -> None:
        self._log = log

    def send(self, body: dict[str, Any]) -> bool:
        """Write one message."""
        self._log.error("ALARM %s [%s] %s", body["code"], body["severity"], body["sentence"])
        return True


class ToAWebhook:
    """Posts messages as JSON to the address of an HTTP connection, whose host is all of it.

    The connection's login, headers, TLS and proxies hold. The address is a secret of many services: it is never logged.
    """

    def __init__(self, log: Logger, conn_id: str) -> None:
        self._log = log
        self._conn_id = conn_id

    def send(self, body: dict[str, Any]) -> bool:
        """Post one message; say whether it was taken.

        :raises NobodyThere: when no answer came.
        """
        import requests

        try:
            session, address = self._reached
            answer = session.post(
                address,
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
                timeout=TIMEOUT,
                allow_redirects=False,  # a redirect turns a POST into a GET, which tells nobody
            )
        except (requests.RequestException, AirflowException, ValueError) as problem:
            raise NobodyThere(f"{self._conn_id}: no answer ({type(problem).__name__})") from None
        if not answer.ok or answer.is_redirect:
            self._log.error("%s answered %d to alarm %s: it is tried again", self._conn_id, answer.status_code,
                            body["code"])  # fmt: skip
            return False
        return True

    @cached_property
    def _reached(self) -> tuple[requests.Session, str]:
        from airflow.providers.http.hooks.http import HttpHook

        hook = HttpHook(http_conn_id=self._conn_id)
        session = hook.get_conn()
        return session, str(hook.base_url)
