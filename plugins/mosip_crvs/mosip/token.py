"""Access tokens: fetched by one caller for all, before they expire, and again at most once after a refusal."""

from __future__ import annotations

import asyncio
import json
import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime

import jwt

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.mosip.answers import error_code
from mosip_crvs.mosip.calls import Reply, SingleCalls
from mosip_crvs.mosip.codes import Action, action_for
from mosip_crvs.mosip.settings import MosipSettings

_EARLY = 30.0
_MOST_WORDS = 100
_COOKIE = re.compile(r'(?:^|,)\s*Authorization="?([^";,\s]+)')
"""In ``Set-Cookie`` headers joined by commas, as ``requests`` gives them; ``SimpleCookie`` stops at the first comma."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer of our identity.

    :param value: the JWT. Secret.
    :param good_until: monotonic seconds until which to use it.
    """

    value: str = field(repr=False)
    good_until: float


class TokenSource:
    """Hands out one token to many callers, in threads or on one event loop.

    :param fetch: gets a fresh token; blocking.
    """

    def __init__(self, fetch: Callable[[], Token]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._failure: tuple[float, MosipUnavailable] | None = None
        self._refresh: asyncio.Future[str] | None = None

    def get(self, refused: str | None = None) -> str:
        """Give a token that is good for a while.

        :param refused: a token that MOSIP has just refused: it is not handed out again. Of many callers with the same
            refused token, one fetches and all get the result.
        """
        came_at = time.monotonic()
        with self._lock:
            token = self._token
            if token is None or token.value == refused or token.good_until <= time.monotonic():
                self._token = None  # should the fetch fail, nobody gets the old one
                token = self._token = self._fetch_for_all(came_at)
            return token.value

    def _fetch_for_all(self, came_at: float) -> Token:
        """Fetch; who came while a fetch was failing shares its failure and need not wait for one of its own."""
        if self._failure is not None and self._failure[0] >= came_at:
            raise self._failure[1]
        try:
            return self._fetch()
        except MosipUnavailable as problem:
            self._failure = (time.monotonic(), problem)
            raise

    async def get_async(self, refused: str | None = None) -> str:
        """Give a token without blocking the event loop."""
        token = self._token
        if token is not None and token.value != refused and token.good_until > time.monotonic():
            return token.value
        # One thread for all who wait here: the pool's few threads are needed for the ledger.
        if self._refresh is None or self._refresh.done() or self._refresh.get_loop() is not asyncio.get_running_loop():
            self._refresh = asyncio.ensure_future(asyncio.to_thread(self.get, refused))
        value = await asyncio.shield(self._refresh)
        return value if value != refused else await asyncio.to_thread(self.get, refused)


def fetch_token(calls: SingleCalls, settings: MosipSettings) -> Token:
    """Get a token as the settings say (``mosip-packets.md`` §10.1).

    While the client's secret is being changed, two are known, and either may be the right one.

    :param calls: below :attr:`MosipSettings.token_base`.
    :raises MosipRefused: when the client or its secret is refused.
    :raises MosipUnavailable: when the service does not answer as it should.
    """
    fetch = _from_authmanager if settings.login_via == "authmanager" else _from_keycloak
    try:
        return fetch(calls, settings)
    except MosipRefused:
        if not settings.client_secret_next:
            raise
        return fetch(calls, replace(settings, client_secret=settings.client_secret_next, client_secret_next=""))


def fetch_by_grant(calls: SingleCalls, path: str, form: dict[str, str]) -> Token:
    """Get a token at Keycloak's token endpoint by whatever grant the form asks for.

    :param form: with ``grant_type``, ``client_id`` and the grant's own fields, among them a secret.
    :raises MosipRefused: when the client, the user or the secret is refused; the text names both, never the secret.
    :raises MosipUnavailable: when Keycloak does not answer as it should.
    """
    reply = calls.send("POST", path, form=form)
    if reply.status in (400, 401, 403, 404):
        user = f" and the user {form['username']!r}" if "username" in form else ""
        raise MosipRefused(
            f"Keycloak refused the client {form['client_id']!r}{user}: HTTP {reply.status}{_words(reply, form)}; "
            "check the secret"
        )
    payload = _json(reply)
    value = payload.get("access_token")
    if reply.status != 200 or not isinstance(value, str):
        raise MosipUnavailable(f"Keycloak gave no token: HTTP {reply.status}", retry_after=retry_after(reply))
    lifetime = payload.get("expires_in")
    return _token(value, float(lifetime) if isinstance(lifetime, int | float) else _seconds_left(value))


def client_grant(client_id: str, secret: str) -> dict[str, str]:
    """Give the form by which a confidential client asks for a token of its service account."""
    return {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}


def _from_keycloak(calls: SingleCalls, settings: MosipSettings) -> Token:
    return fetch_by_grant(calls, settings.token_path, client_grant(settings.client_id, settings.client_secret))


def _from_authmanager(calls: SingleCalls, settings: MosipSettings) -> Token:
    request = {"clientId": settings.client_id, "secretKey": settings.client_secret, "appId": settings.app_id}
    body = {"id": "string", "version": "string", "requesttime": _now(), "metadata": {}, "request": request}
    reply = calls.send("POST", settings.token_path, body=json.dumps(body).encode())
    code = error_code(reply.body)
    if code is not None or reply.status in (401, 403):
        # A wrong secret comes as HTTP 500 with code "500" (§10.1): a retry would not mend that for ever.
        if action_for(reply.status, code) is Action.RETRY and code != "500":
            raise MosipUnavailable(f"authmanager cannot give a token now: {code}", retry_after=retry_after(reply))
        raise MosipRefused(f"authmanager refused the client {settings.client_id!r}: {code or reply.status}")
    value = _from_headers(reply)
    if reply.status != 200 or not value:
        raise MosipUnavailable(f"authmanager gave no token: HTTP {reply.status}", retry_after=retry_after(reply))
    return _token(value, _seconds_left(value))


def retry_after(reply: Reply) -> float | None:
    """Read a ``Retry-After`` header of seconds."""
    return seconds(reply.headers.get("retry-after"))


def seconds(text: str | None) -> float | None:
    """Read ``Retry-After``, a number of seconds or a date; at most an hour, None when it is neither."""
    if text is None:
        return None
    try:
        wait = float(text)
    except ValueError:
        try:
            wait = parsedate_to_datetime(text).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, min(wait, 3600.0)) if math.isfinite(wait) else None


def _from_headers(reply: Reply) -> str | None:
    """The body has no token: it is in the header ``Authorization``, or in the cookie of that name."""
    header = reply.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if header:
        return header
    cookie = _COOKIE.search(reply.headers.get("set-cookie", ""))
    return cookie[1] if cookie else None


def _token(value: str, lifetime: float) -> Token:
    early = min(_EARLY, lifetime / 5)
    return Token(value, time.monotonic() + lifetime - early)


def _seconds_left(value: str) -> float:
    try:
        claims = jwt.decode(value, options={"verify_signature": False})
        return float(claims["exp"]) - time.time()
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        return 60.0


def _words(reply: Reply, form: Mapping[str, str]) -> str:
    """Give Keycloak's own reason, which tells a wrong secret from service accounts that are off; never a secret."""
    words = _json(reply).get("error_description")
    if not isinstance(words, str):
        return ""
    for name in ("client_secret", "password"):
        if form.get(name):
            words = words.replace(form[name], "***")
    return f" ({''.join(each for each in words[:_MOST_WORDS] if each.isprintable())})"


def _json(reply: Reply) -> dict[str, object]:
    try:
        payload = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".000Z"
