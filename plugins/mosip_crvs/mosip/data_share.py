"""Fetching a credential by its data-share link (``mosip-events.md`` §2.5).

The link comes out of an event and names any host it likes, often an internal one over plain HTTP. So it is followed to
hosts on a list only, and our token goes nowhere else. A link may be good for a single use: keep the bytes before
anything else can fail.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import SplitResult, urlsplit

import requests
from urllib3.exceptions import HTTPError

from mosip_crvs.errors import HostRefused, MosipUnavailable, ShareGone, ShareTooLarge, StopTheRun
from mosip_crvs.mosip.answers import error_code
from mosip_crvs.mosip.authorised import failure, token_refused
from mosip_crvs.mosip.calls import Reply, no_auth
from mosip_crvs.mosip.codes import Action, action_for
from mosip_crvs.mosip.token import TokenSource

MOST_BYTES = 5_000_000
"""Far above any credential, cards in PDF included."""

_PORTS = {"http": 80, "https": 443}
_PIECE = 65_536
_WHAT = "GET of a data-share link"
_ACCESS = "that data share asks for"
_PLAIN = re.compile(r"[!-\[\]-~]+\Z")
"""Printable ASCII without blanks and backslashes, of which programs disagree about what they mean in an address."""


def fetch(
    session: requests.Session,
    tokens: TokenSource,
    link: str,
    *,
    allowed_hosts: Collection[str],
    timeout: float = 30.0,
    most_bytes: int = MOST_BYTES,
) -> bytes:
    """Fetch what a link leads to; each successful fetch may use the link up.

    :param session: carries TLS, proxies and certificates.
    :param link: the event's ``dataShareUri``.
    :param allowed_hosts: ``host`` for the scheme's own port, or ``host:port``.
    :param timeout: seconds to connect, for a silence, and for the whole body.
    :raises HostRefused: when the link does not lead to an allowed host; nothing was sent.
    :raises ShareGone: when it is used up or unknown.
    :raises ShareTooLarge: when there is more than ``most_bytes``.
    :raises MosipRefused: when the token is not enough.
    :raises MosipUnavailable: when nothing came, or not all.
    """
    address = _checked(link, allowed_hosts)
    # As in SingleCalls: no server's cookie may take the token's place.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    token = tokens.get()
    reply = _get(session, address, token, timeout, most_bytes)
    if token_refused(reply.status, _head(reply.body)):
        reply = _get(session, address, tokens.get(refused=token), timeout, most_bytes)
    code = error_code(_head(reply.body))
    if code is None and reply.status == 200 and reply.body:
        return reply.body
    if code is not None and action_for(reply.status, code) is Action.ABSENT:
        raise ShareGone(f"{_WHAT}: {code}: the link is used up or unknown; have the credential issued again")
    raise failure(reply, _WHAT, _ACCESS)


def _checked(link: str, allowed_hosts: Collection[str]) -> str:
    """Give the address to call, put together from the parts that were checked.

    :raises HostRefused: when it may not be called.
    """
    if not _PLAIN.match(link):
        raise HostRefused("a data-share link is no plain web address")
    try:
        parts = urlsplit(link)
        place = _place(parts, parts.scheme)
    except ValueError:
        raise HostRefused("a data-share link is no web address") from None
    if parts.scheme not in _PORTS or place is None:
        raise HostRefused("a data-share link is no address of http or https")
    if "@" in parts.netloc:
        raise HostRefused("a data-share link carries a user or a password")
    if place not in {_allowed(host, parts.scheme) for host in allowed_hosts}:
        raise HostRefused(f"a data-share link leads to {place[0][:100]}:{place[1]}, which is not on the list of hosts")
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{_written(place)}{parts.path or '/'}{query}"


def _place(parts: SplitResult, scheme: str) -> tuple[str, int] | None:
    """Give host and port, if there is a host."""
    port = parts.port if parts.port is not None else _PORTS.get(scheme)
    return (parts.hostname, port) if parts.hostname and port is not None else None


def _allowed(entry: str, scheme: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{entry}")
        place = _place(parts, scheme)
    except ValueError:
        place = None
    if place is None or "@" in entry or parts.path or parts.query or parts.fragment:
        raise StopTheRun(f"the allowed data-share host {entry!r} must be a host or host:port, without a scheme")
    return place


def _written(place: tuple[str, int]) -> str:
    host, port = place
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _get(session: requests.Session, address: str, token: str, timeout: float, most_bytes: int) -> Reply:
    deadline = time.monotonic() + timeout
    # Uncompressed, so that the bound on what is read bounds what is kept.
    headers = {"Cookie": f"Authorization={token}", "Accept-Encoding": "identity"}
    try:
        with session.get(
            address, headers=headers, timeout=timeout, auth=no_auth, allow_redirects=False, stream=True
        ) as reply:
            body = bytearray()
            # What has come is looked at as it comes: a far side that drips would never fill a larger piece.
            while piece := reply.raw.read1(_PIECE, decode_content=True):
                body += piece
                if len(body) > most_bytes:
                    raise ShareTooLarge(f"{_WHAT}: more than {most_bytes} bytes")
                if time.monotonic() > deadline:
                    raise MosipUnavailable(f"{_WHAT}: not all came within {timeout:g} s")
            named = {name.lower(): value for name, value in reply.headers.items()}
            return Reply(reply.status_code, named, bytes(body))
    except (requests.RequestException, HTTPError) as problem:
        raise MosipUnavailable(f"{_WHAT}: no answer ({type(problem).__name__})") from None


def _head(body: bytes) -> bytes:
    """Give what may be an envelope of errors; a credential is none, and is not worth parsing."""
    return body if body.lstrip()[:1] == b"{" else b""
