"""`/v1/credentialrequest`: what became of a credential, and once more, please (mosip-events.md §4.3)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.credentials import CredentialRequest, Credentials
from sandbox.gate import Gate, Gatekeeper
from sandbox.wire import envelope, error, json_reply

BASE = "/v1/credentialrequest"
GATE = Gate("idrepo", frozenset({"CREDENTIAL_REQUEST"}))
_NAMED = {"id": "mosip.credential.request.generator", "version": "1.0"}


class CredentialRequestService:
    """The calls a partner has for a credential that does not come."""

    def __init__(self, gatekeeper: Gatekeeper, credentials: Credentials) -> None:
        self._gatekeeper = gatekeeper
        self._credentials = credentials

    def routes(self) -> list[web.RouteDef]:
        """Where they live."""
        return [
            web.get(f"{BASE}/get/{{id}}", self.get),
            web.get(f"{BASE}/getRequestIds", self.list),
            web.put(f"{BASE}/retrigger/{{id}}", self.retrigger),
        ]

    async def get(self, request: web.Request) -> web.Response:
        """Status and link of one request."""
        refused = self._gatekeeper.admit(request, GATE)
        return refused or self._answer(request.match_info["id"], _view)

    async def retrigger(self, request: web.Request) -> web.Response:
        """Issue again: here at once, in MOSIP when its job next runs."""
        refused = self._gatekeeper.admit(request, GATE)
        return refused or self._answer(request.match_info["id"], self._retrigger)

    async def list(self, request: web.Request) -> web.Response:
        """Requests of a status, a page of them; one row a page unless asked for more."""
        refused = self._gatekeeper.admit(request, GATE)
        if refused is not None:
            return refused
        asked = request.query
        status, page, size = asked.get("statusCode", "FAILED"), asked.get("pageNumber", "0"), asked.get("pageSize", "1")
        rows = [row for row in self._credentials.requests.values() if row.status == status]
        if not page.isdecimal() or not size.isdecimal() or not int(size):
            return _refusal("IDR-CRG-005", "unknown exception")
        first = int(page) * int(size)
        found = [_summary(row) for row in rows[first : first + int(size)]]
        if not found:
            return _refusal("IDR-CRG-009", "No records found")
        pages = -(-len(rows) // int(size))
        body = {"pageNo": int(page), "pageSize": int(size), "totalItems": len(rows), "totalPages": pages, "data": found}
        return json_reply(envelope(body, None, **_NAMED))

    def _retrigger(self, row: CredentialRequest) -> dict[str, Any]:
        row.status = "RETRY"
        self._credentials.issue(row)
        return {"id": row.rid, "requestId": row.request_id}

    def _answer(self, id: str, tell: Any) -> web.Response:
        row = self._credentials.requests.get(id)
        if row is None:
            return _refusal("IDR-CRG-003", "request id is not present")
        return json_reply(envelope(tell(row), None, **_NAMED))


def _view(row: CredentialRequest) -> dict[str, Any]:
    return {"id": row.rid, "requestId": row.request_id, "statusCode": row.status, "url": row.url}


def _summary(row: CredentialRequest) -> dict[str, Any]:
    return {
        "requestId": row.request_id,
        "credentialType": row.wiring.credential_type,
        "partner": row.wiring.partner_id,
        "statusCode": row.status,
    }


def _refusal(code: str, message: str) -> web.Response:
    return json_reply(envelope(None, [error(code, message)], **_NAMED))
