"""Data-share links: our token goes to allowed hosts only, and what comes is bounded."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from mosip_servers import FarSide, Said, said

from mosip_crvs.errors import (
    HostRefused,
    MosipCrvsError,
    MosipRefused,
    MosipUnavailable,
    ShareGone,
    ShareTooLarge,
    StopTheRun,
)
from mosip_crvs.mosip.data_share import MOST_BYTES, fetch
from mosip_crvs.mosip.token import Token, TokenSource

PATH = "/v1/datashare/get/policy-1/crvs1/Zr4nd0mKey"
SHARED = b"VkVSX1Iy_-abc"


@pytest.fixture
def tokens() -> TokenSource:
    """Tokens ``jwt-1``, ``jwt-2``, …"""
    numbers = count(1)
    return TokenSource(lambda: Token(f"jwt-{next(numbers)}", time.monotonic() + 60))


@pytest.fixture
def other_side() -> Iterator[FarSide]:
    """A server that nobody allowed."""
    server = FarSide()
    server.say(Said(200, b"theirs"))
    yield server
    server.close()


def get(far_side: FarSide, tokens: TokenSource, link: str | None = None, **options: Any) -> bytes:
    """Follow a link; the far side is the only host allowed."""
    options.setdefault("allowed_hosts", [far_side.url.removeprefix("http://")])
    with requests.Session() as session:
        return fetch(session, tokens, far_side.url + PATH if link is None else link, **options)


def problem_of(far_side: FarSide, tokens: TokenSource, link: str | None = None, **options: Any) -> MosipCrvsError:
    """The error that following a link ends with; it tells neither the link nor the token."""
    with pytest.raises(MosipCrvsError) as caught:
        get(far_side, tokens, link, **options)
    told = "".join(traceback.format_exception(caught.value))
    assert "Zr4nd0mKey" not in told
    assert "jwt-" not in told
    assert "hidden" not in told
    return caught.value


def refused(code: str, status: int = 200) -> Said:
    """Data share's refusal."""
    return said({"id": "mosip.data.share", "dataShare": None, "errors": [{"errorCode": code, "message": "m"}]}, status)


def test_the_bytes_come_as_they_are(far_side: FarSide, tokens: TokenSource) -> None:
    far_side.say(Said(200, SHARED))
    assert get(far_side, tokens, far_side.url + PATH + "?x=1&y=a%2Fb#part") == SHARED
    (asked,) = far_side.asked
    assert (asked.method, asked.path) == ("GET", PATH + "?x=1&y=a%2Fb")
    assert asked.header("Cookie") == ["Authorization=jwt-1"]
    assert asked.header("Authorization") == []
    assert asked.header("Accept-Encoding") == ["identity"]


# --- where to


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example/Zr4nd0mKey", "https://evil.example:443/Zr4nd0mKey", "http://127.0.0.1/Zr4nd0mKey",
        "http://127.0.0.1:1/Zr4nd0mKey", "ftp://{place}/Zr4nd0mKey", "file:///etc/Zr4nd0mKey", "//{place}/Zr4nd0mKey",
        "{place}/Zr4nd0mKey", "/Zr4nd0mKey", "", "http://", "http:///Zr4nd0mKey", "http://someone:hidden@{place}/x",
        "http://@{place}/x", "http://{place}@evil.example/x", "http://{place}.evil.example/x",
        "http://evil.example\\@{place}/x", "http://{place}\\.evil.example/x", "http://evil.example#@{place}/x",
        "http://evil.example?@{place}/x", "http://{place}:notaport/x", "http://[::1/x", "http://{place}/a b",
        " http://{place}/x", "http://{place}/x\r\nX-More: 1", "http://ev\til.example/x", "http://127.0.0.1.:{port}/x",
        "http://localhost:{port}/x", "http://0x7f000001:{port}/x", "http://１２７.0.0.1:{port}/x",
        "javascript:alert(1)", "https://{place}:99999/x",
    ],
)  # fmt: skip
def test_no_other_host_is_called(far_side: FarSide, tokens: TokenSource, link: str) -> None:
    place = far_side.url.removeprefix("http://")
    far_side.say(Said(200, SHARED))
    written = link.replace("{place}", place).replace("{port}", place.rpartition(":")[2])
    problem = problem_of(far_side, tokens, written)
    assert isinstance(problem, HostRefused)
    assert far_side.asked == []


def test_a_host_that_is_not_on_the_list_is_named(far_side: FarSide, tokens: TokenSource) -> None:
    problem = problem_of(far_side, tokens, "http://datashare.other/v1/Zr4nd0mKey")
    assert "datashare.other:80" in str(problem)


@pytest.mark.parametrize(
    ("link", "entry", "passes"),
    [
        ("http://datashare.datashare/x", "datashare.datashare", True),
        ("http://datashare.datashare/x", "DataShare.datashare", True),
        ("http://DATASHARE.datashare/x", "datashare.datashare", True),
        ("http://datashare.datashare:80/x", "datashare.datashare", True),
        ("http://datashare.datashare/x", "datashare.datashare:80", True),
        ("https://datashare.datashare/x", "datashare.datashare", True),
        ("https://datashare.datashare/x", "datashare.datashare:80", False),
        ("http://datashare.datashare:8080/x", "datashare.datashare", False),
        ("http://datashare.datashare/x", "datashare.datashare:8080", False),
        ("http://sub.datashare.datashare/x", "datashare.datashare", False),
        ("http://datashare/x", "datashare.datashare", False),
        ("http://[::1]:1/x", "[::1]:1", True),
        ("http://[::1]:2/x", "[::1]:1", False),
    ],
)
def test_an_allowed_host_is_exactly_that_host(
    tokens: TokenSource, monkeypatch: pytest.MonkeyPatch, link: str, entry: str, passes: bool
) -> None:
    called: list[str] = []

    def nobody(self: requests.Session, url: str, **_: Any) -> requests.Response:
        called.append(url)
        raise requests.ConnectionError

    monkeypatch.setattr(requests.Session, "get", nobody)  # there are no such hosts
    with pytest.raises(MosipUnavailable if passes else HostRefused):
        fetch(requests.Session(), tokens, link, allowed_hosts=[entry])
    assert len(called) == passes


@pytest.mark.parametrize("entry", ["http://a.example", "a.example/x", "u@a.example", "", "a.example:x", "a?b"])
def test_a_list_that_cannot_be_read_stops_the_run(tokens: TokenSource, entry: str) -> None:
    with pytest.raises(StopTheRun, match="must be a host"):
        fetch(requests.Session(), tokens, "http://a.example/x", allowed_hosts=[entry])


def test_an_empty_list_allows_nobody(far_side: FarSide, tokens: TokenSource) -> None:
    assert isinstance(problem_of(far_side, tokens, allowed_hosts=[]), HostRefused)
    assert far_side.asked == []


@settings(max_examples=300, deadline=None)
@given(link=st.one_of(st.text(max_size=40), st.from_regex(r"https?://[^\n]{0,30}", fullmatch=True)))
def test_no_text_is_followed_by_chance(link: str) -> None:
    def no_token() -> Token:
        raise AssertionError("a token was asked for")

    with pytest.raises(HostRefused):
        fetch(requests.Session(), TokenSource(no_token), link, allowed_hosts=["datashare.invalid:8443"])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(far_side: FarSide, other_side: FarSide, tokens: TokenSource, status: int) -> None:
    far_side.say(Said(status, b"", [("Location", other_side.url + "/x")]))
    assert isinstance(problem_of(far_side, tokens), MosipUnavailable)
    assert (len(far_side.asked), other_side.asked) == (1, [])


def test_neither_a_servers_cookie_nor_a_netrc_file_is_used(
    far_side: FarSide, tokens: TokenSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password hidden\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    far_side.say(Said(200, SHARED, [("Set-Cookie", "Authorization=theirs; Path=/")]))
    session = requests.Session()
    for _ in range(2):
        fetch(session, tokens, far_side.url + PATH, allowed_hosts=[far_side.url.removeprefix("http://")])
    assert [asked.header("Cookie") for asked in far_side.asked] == [["Authorization=jwt-1"]] * 2
    assert [asked.header("Authorization") for asked in far_side.asked] == [[], []]
    assert list(session.cookies) == []


# --- what comes


@pytest.mark.parametrize("code", ["DAT-SER-003", "DAT-SER-006", "DAT-SER-008"])
@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_link_that_is_gone_is_known_by_its_code(
    far_side: FarSide, tokens: TokenSource, code: str, status: int
) -> None:
    far_side.say(refused(code, status))
    problem = problem_of(far_side, tokens)
    assert isinstance(problem, ShareGone)
    assert code in str(problem)


@pytest.mark.parametrize("code", ["DAT-SER-001", "DAT-SER-002", "DAT-SER-007", "KER-ATH-021"])
def test_another_fault_of_data_share_passes(far_side: FarSide, tokens: TokenSource, code: str) -> None:
    far_side.say(refused(code))
    assert isinstance(problem_of(far_side, tokens), MosipUnavailable)


@pytest.mark.parametrize(
    "reply", [Said(502), Said(503, b"<html>"), Said(200), Said(200, SHARED, cut=True), Said(204), Said(500, SHARED)]
)
def test_an_outage_passes(far_side: FarSide, tokens: TokenSource, reply: Said) -> None:
    far_side.say(reply)
    assert isinstance(problem_of(far_side, tokens), MosipUnavailable)


def test_too_many_requests_says_how_long_to_wait(far_side: FarSide, tokens: TokenSource) -> None:
    far_side.say(Said(429, b"", [("Retry-After", "17")]))
    problem = problem_of(far_side, tokens)
    assert isinstance(problem, MosipUnavailable)
    assert problem.retry_after == 17


def test_a_host_that_is_not_there_passes(far_side: FarSide, tokens: TokenSource) -> None:
    far_side.close()
    assert isinstance(problem_of(far_side, tokens), MosipUnavailable)


def test_a_silence_has_an_end(far_side: FarSide, tokens: TokenSource) -> None:
    far_side.say(Said(200, SHARED, wait=1.0))
    assert isinstance(problem_of(far_side, tokens, timeout=0.1), MosipUnavailable)


def test_a_refused_token_is_renewed_once(far_side: FarSide, tokens: TokenSource) -> None:
    far_side.say(refused("KER-ATH-401", 401), Said(200, SHARED))
    assert get(far_side, tokens) == SHARED
    assert [asked.header("Cookie") for asked in far_side.asked] == [["Authorization=jwt-1"], ["Authorization=jwt-2"]]
    far_side.say(Said(401))
    assert isinstance(problem_of(far_side, tokens), MosipRefused)
    assert len(far_side.asked) == 4


@pytest.mark.parametrize("reply", [Said(403), refused("KER-ATH-403")])
def test_a_client_that_may_not_is_refused_at_once(far_side: FarSide, tokens: TokenSource, reply: Said) -> None:
    far_side.say(reply)
    assert isinstance(problem_of(far_side, tokens), MosipRefused)
    assert len(far_side.asked) == 1


def test_there_is_a_bound_to_what_is_read(far_side: FarSide, tokens: TokenSource) -> None:
    far_side.say(Said(200, b"x" * 1000))
    assert len(get(far_side, tokens, most_bytes=1000)) == 1000
    problem = problem_of(far_side, tokens, most_bytes=999)
    assert isinstance(problem, ShareTooLarge)
    assert "999" in str(problem)
    assert MOST_BYTES >= 1_000_000


def test_what_is_too_large_is_not_read_to_its_end(far_side: FarSide, tokens: TokenSource) -> None:
    far_side.say(Said(200, b"x" * 1_000_000, cut=True))  # the end never comes
    assert isinstance(problem_of(far_side, tokens, most_bytes=1000), ShareTooLarge)


def test_a_compressed_answer_is_bounded_by_what_it_unfolds_to(far_side: FarSide, tokens: TokenSource) -> None:
    far_side.say(Said(200, gzip.compress(b"x" * 100_000), [("Content-Encoding", "gzip")]))
    assert get(far_side, tokens) == b"x" * 100_000
    assert isinstance(problem_of(far_side, tokens, most_bytes=1000), ShareTooLarge)
    far_side.say(Said(200, b"no gzip", [("Content-Encoding", "gzip")]))
    assert isinstance(problem_of(far_side, tokens), MosipUnavailable)


def test_an_answer_that_drips_has_an_end(tokens: TokenSource) -> None:
    stop = threading.Event()

    def drip(server: socket.socket) -> None:
        line, _ = server.accept()
        with line, contextlib.suppress(OSError):
            line.recv(65_536)
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not stop.wait(0.02):
                line.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server, requests.Session() as session:
        threading.Thread(target=drip, args=(server,), daemon=True).start()
        place = f"127.0.0.1:{server.getsockname()[1]}"
        try:
            with pytest.raises(MosipUnavailable, match="not all came"):
                fetch(session, tokens, f"http://{place}{PATH}", allowed_hosts=[place], timeout=0.3)
        finally:
            stop.set()


def test_an_error_must_have_a_code_to_be_one(far_side: FarSide, tokens: TokenSource) -> None:
    far_side.say(Said(200, b'{"proof": "x"}'))
    assert get(far_side, tokens) == b'{"proof": "x"}'
