"""`/v1/datashare`: links that work so often and no more (mosip-events.md §2.5)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox.credential_cipher import Signer
from sandbox.credential_partners import Wiring
from sandbox.faults import Faults
from sandbox.gate import Gate, Gatekeeper
from sandbox.wire import error, json_reply, now_text

GATE = Gate("datashare")
UNLIMITED = -1


@dataclass(slots=True)
class Share:
    """A stored file. It is made at the first GET: most links of a simulated country are never followed.

    :param left: how many more GETs are answered; `UNLIMITED` for any number.
    :param make: gives the bytes.
    """

    aid: str
    request_id: str
    partner_id: str
    left: int
    make: Callable[[], bytes]
    data: bytes | None = None


class DataShare:
    """Creates links, and answers them.

    :param url: base URL of the sandbox; links begin with it.
    :param fetched: told the AID and the credential request of every share that was given out.
    """

    def __init__(
        self,
        url: str,
        gatekeeper: Gatekeeper,
        faults: Faults,
        *,
        signer: Callable[[], Signer],
        fetched: Callable[[str, str], None],
    ) -> None:
        self._url = url
        self._gatekeeper = gatekeeper
        self._faults = faults
        self._signer = signer
        self._fetched = fetched
        self._shares: dict[tuple[str, str, str], Share] = {}

    def routes(self) -> list[web.RouteDef]:
        """Where it lives."""
        return [web.get("/v1/datashare/get/{policy}/{partner}/{key}", self.get)]

    def create(self, wiring: Wiring, aid: str, request_id: str, make: Callable[[], bytes]) -> str:
        """Store a file.

        :returns: its link, which names the policy's share domain instead of the sandbox when the fault says so.
        """
        left = 1 if self._faults.hit("datashare_one_shot", aid) else int(wiring.share["transactionsAllowed"])
        when = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
        key = f"{wiring.partner_id}{wiring.policy_id}{when}{secrets.token_urlsafe(6)}"
        self._shares[wiring.policy_id, wiring.partner_id, key] = Share(aid, request_id, wiring.partner_id, left, make)
        base = self._url
        if self._faults.hit("datashare_internal", aid):
            base = "http://" + str(wiring.share["shareDomain"]).removeprefix("http://")
        return f"{base}/v1/datashare/get/{wiring.policy_id}/{wiring.partner_id}/{key}"

    async def get(self, request: web.Request) -> web.Response:
        """The file; errors are HTTP 200 with an envelope of their own. Whose token it is does not matter."""
        refused = self._gatekeeper.admit(request, GATE)
        if refused is not None:
            return refused
        asked = request.match_info
        which = (asked["policy"], asked["partner"], asked["key"])
        share = self._shares.get(which)
        if share is not None and self._faults.hit("datashare_gone", share.aid):
            del self._shares[which]
            share = None
        if share is None:
            return _refusal("DAT-SER-008", "Data share not found")
        if share.left == 0 or share.left < UNLIMITED:
            return _refusal("DAT-SER-006", "Data share usuage expired")
        if share.left != UNLIMITED:
            share.left -= 1
        if share.data is None:
            share.data = share.make()
        self._fetched(share.aid, share.request_id)
        signature = self._signer().jwt_sign(_claims(share), with_certificate=False)
        return web.Response(body=share.data, headers={"Signature": signature}, content_type="application/octet-stream")


def _claims(share: Share) -> bytes:
    """What the link's own signature is about. Nobody can verify it: the payload is not sent along."""
    return json.dumps({"filename": "credential", "created": now_text(), "keyid": share.partner_id}).encode()


def _refusal(code: str, message: str) -> web.Response:
    body: dict[str, Any] = {"id": "mosip.data.share", "version": "1.0", "responsetime": now_text(), "dataShare": None}
    return json_reply(body | {"errors": [error(code, message)]})
