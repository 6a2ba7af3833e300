"""Single calls: the token goes as a cookie and nothing else does; silence is one kind of error."""

from __future__ import annotations

import time
import traceback
from pathlib import Path

import pytest
import requests
from mosip_servers import SECRET, FarSide, Said

from mosip_crvs.errors import MosipUnavailable
from mosip_crvs.mosip.calls import SingleCalls


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A netrc file that knows a password for our server."""
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login someone password hidden\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))


def test_the_netrc_file_would_be_used_by_a_plain_session(far_side: FarSide, netrc: None) -> None:
    far_side.say(Said(200))
    requests.get(far_side.url, timeout=2)
    assert far_side.asked[0].header("Authorization") != []


def test_no_basic_authentication_is_ever_sent(far_side: FarSide, netrc: None) -> None:
    far_side.say(Said(200))
    session = requests.Session()
    session.auth = ("someone", "hidden")
    calls = SingleCalls(far_side.url.replace("://", "://user:word@"), session)
    calls.send("POST", "/a", form={"x": "1"})
    calls.send("POST", "/a", body=b"{}", token="a.b.c")
    SingleCalls(far_side.url).send("GET", "/a")
    assert len(far_side.asked) == 3
    assert [asked.header("Authorization") for asked in far_side.asked] == [[], [], []]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_with_our_secrets(far_side: FarSide, netrc: None, status: int) -> None:
    far_side.say(Said(status, b"", [("Location", "/elsewhere")]), Said(200))
    reply = SingleCalls(far_side.url).send("POST", "/a", form={"client_secret": SECRET}, token="a.b.c")
    assert reply.status == status
    assert [asked.path for asked in far_side.asked] == ["/a"]


def test_the_token_is_the_first_and_only_cookie(far_side: FarSide) -> None:
    far_side.say(Said(200, b"", [("Set-Cookie", "JSESSIONID=1; Path=/"), ("Set-Cookie", "Authorization=old; Path=/")]))
    calls = SingleCalls(far_side.url)
    for token in ("a.b.c", "d.e.f"):
        calls.send("POST", "/a", body=b"{}", token=token)
    assert [asked.header("Cookie") for asked in far_side.asked] == [["Authorization=a.b.c"], ["Authorization=d.e.f"]]


def test_a_call_without_a_token_has_no_cookie(far_side: FarSide) -> None:
    far_side.say(Said(200))
    SingleCalls(far_side.url).send("POST", "/a", form={"x": "1"})
    assert far_side.asked[0].header("Cookie") == []


def test_forms_and_json_are_sent_as_such(far_side: FarSide) -> None:
    far_side.say(Said(200))
    calls = SingleCalls(far_side.url + "/")
    calls.send("POST", "/a", form={"hub.topic": "crvs1/X", "é": "&="})
    calls.send("PUT", "/b", body='{"name": "أمينة"}'.encode())
    form, body = far_side.asked
    assert (form.method, form.path, form.form) == ("POST", "/a", {"hub.topic": "crvs1/X", "é": "&="})
    assert form.header("Content-Type") == ["application/x-www-form-urlencoded"]
    assert (body.method, body.path, body.body) == ("PUT", "/b", '{"name": "أمينة"}'.encode())
    assert body.header("Content-Type") == ["application/json"]


def test_a_reply_has_its_status_body_and_lower_case_headers(far_side: FarSide) -> None:
    far_side.say(Said(418, b"tea", [("X-Kind", "Green")]))
    reply = SingleCalls(far_side.url).send("GET", "/a")
    assert (reply.status, reply.body, reply.headers["x-kind"]) == (418, b"tea", "Green")


def _silence(calls: SingleCalls) -> str:
    with pytest.raises(MosipUnavailable) as caught:
        calls.send("POST", "/token", form={"client_secret": SECRET}, token="a.b.c")
    assert caught.value.__suppress_context__
    return "".join(traceback.format_exception_only(caught.value))


def test_a_refused_connection_names_the_path_and_not_what_was_sent(far_side: FarSide) -> None:
    far_side.close()
    said = _silence(SingleCalls(far_side.url))
    assert "POST /token: no answer" in said
    assert SECRET not in said
    assert "a.b.c" not in said


def test_an_answer_that_was_cut_is_no_answer(far_side: FarSide) -> None:
    far_side.say(Said(200, b"half", cut=True))
    assert "no answer" in _silence(SingleCalls(far_side.url))


def test_a_server_that_takes_too_long_is_no_answer(far_side: FarSide) -> None:
    far_side.say(Said(200, wait=4.0))
    started = time.monotonic()
    assert "no answer" in _silence(SingleCalls(far_side.url, timeout=0.3))
    assert time.monotonic() - started < 3


def test_an_address_that_is_none_is_no_answer() -> None:
    assert "no answer" in _silence(SingleCalls("http://"))


def test_a_session_of_the_callers_is_used_and_closed(far_side: FarSide) -> None:
    far_side.say(Said(200))
    session = requests.Session()
    session.headers["X-Country"] = "here"
    calls = SingleCalls(far_side.url, session)
    calls.send("GET", "/a")
    calls.close()
    assert far_side.asked[0].header("X-Country") == ["here"]
