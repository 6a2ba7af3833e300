"""The part of Airflow's REST API that the verbs need, on the standard library."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from quickstart import local_http
from quickstart.errors import QuickstartError

_TIMEOUT_SECONDS = 30.0
_TRIES = 5
_PAGE = 100

Json = dict[str, Any]


class AirflowApi:
    """A logged-in client.

    :param address: of the API server, without a path.
    """

    def __init__(self, address: str, user: str, password: str) -> None:
        self.address = address
        self._credentials = {"username": user, "password": password}
        self._token = ""

    def dags(self, tag: str) -> list[Json]:
        """The DAGs that carry a tag."""
        return list(self._all(f"/api/v2/dags?{urlencode({'tags': tag})}", "dags"))

    def import_errors(self) -> list[Json]:
        """The DAG files that Airflow could not load."""
        return list(self._all("/api/v2/importErrors", "import_errors"))

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run this DAG."""
        self._call("PATCH", f"/api/v2/dags/{quote(dag_id)}?update_mask=is_paused", {"is_paused": False})

    def trigger(self, dag_id: str, body: Json) -> Json:
        """Queue a run; the run as Airflow stored it."""
        return self._call("POST", f"/api/v2/dags/{quote(dag_id)}/dagRuns", body)

    def keep_connection(self, conn_id: str, fields: Json) -> None:
        """Make a connection, or put its new content in place of the old one."""
        body = {**fields, "connection_id": conn_id, "extra": json.dumps(fields.get("extra", {}))}
        known = {each["connection_id"] for each in self._all("/api/v2/connections", "connections")}
        if conn_id in known:
            self._call("PATCH", f"/api/v2/connections/{quote(conn_id)}", body)
        else:
            self._call("POST", "/api/v2/connections", body)

    def run(self, dag_id: str, run_id: str) -> Json:
        """One run."""
        return self._call("GET", self._run_path(dag_id, run_id))

    def runs(self, dag_id: str) -> list[Json]:
        """All runs of a DAG."""
        return list(self._all(f"/api/v2/dags/{quote(dag_id)}/dagRuns", "dag_runs"))

    def unfinished_runs(self, dag_id: str) -> list[Json]:
        """The runs that are queued or running."""
        query = urlencode({"state": ["queued", "running"]}, doseq=True)
        return list(self._all(f"/api/v2/dags/{quote(dag_id)}/dagRuns?{query}", "dag_runs"))

    def give_up(self, dag_id: str, run_id: str) -> None:
        """Mark a run failed."""
        self._call("PATCH", f"{self._run_path(dag_id, run_id)}?update_mask=state", {"state": "failed"})

    def task_instances(self, dag_id: str, run_id: str) -> list[Json]:
        """All task instances of a run, mapped ones one by one."""
        return list(self._all(f"{self._run_path(dag_id, run_id)}/taskInstances", "task_instances"))

    @staticmethod
    def _run_path(dag_id: str, run_id: str) -> str:
        return f"/api/v2/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}"

    def _all(self, path: str, key: str) -> Iterator[Json]:
        offset = 0
        while True:
            joint = "&" if "?" in path else "?"
            page = self._call("GET", f"{path}{joint}limit={_PAGE}&offset={offset}")[key]
            yield from page
            if len(page) < _PAGE:
                return
            offset += _PAGE

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        if not self._token:
            self._token = self._send("POST", "/auth/token", self._credentials)["access_token"]
        return self._send(method, path, body)

    def _send(self, method: str, path: str, body: Json | None) -> Json:
        """One call. Only a GET is repeated: the server may have acted on the others."""
        for attempt in range(1, _TRIES + 1):
            try:
                return self._once(method, path, body)
            except urllib.error.HTTPError as error:
                detail = error.read(2000).decode(errors="replace")
                raise QuickstartError(f"Airflow answered {error.code} to {method} {path}: {detail}") from error
            except OSError as error:
                if method != "GET" or attempt == _TRIES:
                    raise QuickstartError(f"Airflow does not answer {method} {path}: {error}") from error
                time.sleep(attempt)
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, body: Json | None) -> Json:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, method=method, data=data, headers=headers)
        return dict(local_http.send(request, seconds=_TIMEOUT_SECONDS) or {})
