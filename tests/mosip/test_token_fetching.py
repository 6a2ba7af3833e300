"""Getting a token from Keycloak or from authmanager, over real HTTP."""

from __future__ import annotations

import json
import time
import traceback
from typing import Any

import pytest
from mosip_servers import SECRET, FarSide, Said, said, token_text

from mosip_crvs.errors import MosipCrvsError, MosipRefused, MosipUnavailable
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import Token, TokenSource, fetch_token


def _fetch(far_side: FarSide, source: str = "keycloak", **options: Any) -> Token:
    settings = MosipSettings(far_side.url, "mosip-crvs1-client", SECRET, "10001", "20002", login_via=source, **options)
    return fetch_token(SingleCalls(far_side.url, timeout=2), settings)


def _left(token: Token) -> float:
    return token.good_until - time.monotonic()


def _problem(far_side: FarSide, source: str) -> MosipCrvsError:
    """What fetching raises; nowhere in it, causes included, may the secret stand."""
    with pytest.raises(MosipCrvsError) as caught:
        _fetch(far_side, source)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(caught.value)
    return caught.value


both = pytest.mark.parametrize("source", ["keycloak", "authmanager"])


@both
def test_while_the_secret_is_changed_the_next_one_is_tried_when_the_present_one_is_refused(
    far_side: FarSide, source: str
) -> None:
    refused = said({"error": "unauthorized_client"}, 401)
    good = (
        said({"access_token": "a.b.c", "expires_in": 300})
        if source == "keycloak"
        else said({"response": {"status": "success"}}, Authorization="a.b.c")
    )
    far_side.say(refused, good)

    assert _fetch(far_side, source, client_secret_next="the-next-one").value == "a.b.c"
    first, second = (asked.body for asked in far_side.asked)
    assert SECRET.encode() in first
    assert b"the-next-one" in second
    assert SECRET.encode() not in second


@both
def test_when_both_secrets_are_refused_neither_is_tried_again(far_side: FarSide, source: str) -> None:
    far_side.say(said({}, 401), said({}, 401))
    with pytest.raises(MosipRefused) as caught:
        _fetch(far_side, source, client_secret_next="the-next-one")
    assert "the-next-one" not in str(caught.value)
    assert len(far_side.asked) == 2


@both
def test_an_outage_is_no_refusal_and_the_next_secret_is_not_tried(far_side: FarSide, source: str) -> None:
    far_side.say(said({}, 503))
    with pytest.raises(MosipUnavailable):
        _fetch(far_side, source, client_secret_next="the-next-one")
    assert len(far_side.asked) == 1


# --- Keycloak --------------------------------------------------------------------------------------------------------


def test_keycloak_is_asked_with_client_credentials_in_a_form(far_side: FarSide) -> None:
    far_side.say(said({"access_token": "a.b.c", "expires_in": 300}))
    assert _fetch(far_side).value == "a.b.c"
    (asked,) = far_side.asked
    assert (asked.method, asked.path) == ("POST", "/auth/realms/mosip/protocol/openid-connect/token")
    assert asked.form == {
        "grant_type": "client_credentials",
        "client_id": "mosip-crvs1-client",
        "client_secret": SECRET,
    }
    assert asked.header("Content-Type") == ["application/x-www-form-urlencoded"]
    assert asked.header("Authorization") == []
    assert asked.header("Cookie") == []


def test_the_realm_and_keycloaks_path_can_be_set(far_side: FarSide) -> None:
    far_side.say(said({"access_token": "a.b.c", "expires_in": 300}))
    _fetch(far_side, realm="country", keycloak_path="/keycloak")
    assert far_side.asked[0].path == "/keycloak/realms/country/protocol/openid-connect/token"


@pytest.mark.parametrize(("lifetime", "used_for"), [(86_400, 86_370), (300, 270), (100, 80), (10, 8), (1, 0.8)])
def test_a_token_is_renewed_well_before_it_expires(far_side: FarSide, lifetime: float, used_for: float) -> None:
    far_side.say(said({"access_token": "a.b.c", "expires_in": lifetime}))
    assert _left(_fetch(far_side)) == pytest.approx(used_for, abs=1)


def test_a_token_that_has_expired_already_is_not_used_twice(far_side: FarSide) -> None:
    far_side.say(said({"access_token": "a.b.c", "expires_in": 0}))
    settings = MosipSettings(far_side.url, "c", SECRET, "10001", "20002")
    source = TokenSource(lambda: fetch_token(SingleCalls(far_side.url), settings))
    source.get()
    source.get()
    assert len(far_side.asked) == 2


def test_without_expires_in_the_tokens_own_exp_counts(far_side: FarSide) -> None:
    far_side.say(said({"access_token": token_text(1000)}))
    assert _left(_fetch(far_side)) == pytest.approx(970, abs=3)


@pytest.mark.parametrize("value", ["opaque", "a.b.c", token_text(exp="soon"), token_text(exp=None), ""])
def test_a_token_that_does_not_say_how_long_it_lasts_is_used_for_less_than_a_minute(
    far_side: FarSide, value: str
) -> None:
    far_side.say(said({"access_token": value or "x"}))
    assert 0 < _left(_fetch(far_side)) < 60


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_keycloak_refusing_the_client_stops_the_run(far_side: FarSide, status: int) -> None:
    far_side.say(said({"error": "unauthorized_client", "error_description": f"not {SECRET}"}, status))
    problem = _problem(far_side, "keycloak")
    assert isinstance(problem, MosipRefused)
    assert "mosip-crvs1-client" in str(problem)
    assert str(status) in str(problem)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_keycloak_in_trouble_is_tried_again_later(far_side: FarSide, status: int) -> None:
    far_side.say(Said(status, f"<html>{SECRET}</html>".encode()))
    problem = _problem(far_side, "keycloak")
    assert isinstance(problem, MosipUnavailable)
    assert str(status) in str(problem)


@pytest.mark.parametrize(
    "answer",
    [
        said({}), said([]), said("token"), said({"access_token": None}), said({"access_token": 7}),
        Said(200, b"<html>"), Said(200, b'{"access_token": "a.b'), Said(200, b"[" * 100_000), Said(204),
        Said(302, headers=[("Location", "/login")]),
    ],
)  # fmt: skip
def test_an_answer_of_keycloak_that_holds_no_token_is_tried_again_later(far_side: FarSide, answer: Said) -> None:
    far_side.say(answer)
    assert isinstance(_problem(far_side, "keycloak"), MosipUnavailable)


# --- authmanager -----------------------------------------------------------------------------------------------------

_SUCCESS = {"response": {"status": "Success", "message": "validated"}, "errors": None}


def test_authmanager_is_asked_by_client_id_secret_and_app_id(far_side: FarSide) -> None:
    far_side.say(said(_SUCCESS, Authorization=token_text()))
    _fetch(far_side, "authmanager", app_id="admin")
    (asked,) = far_side.asked
    assert (asked.method, asked.path) == ("POST", "/v1/authmanager/authenticate/clientidsecretkey")
    body = json.loads(asked.body)
    assert body["request"] == {"clientId": "mosip-crvs1-client", "secretKey": SECRET, "appId": "admin"}
    assert set(body) == {"id", "version", "requesttime", "metadata", "request"}
    assert time.strptime(body["requesttime"], "%Y-%m-%dT%H:%M:%S.000Z")
    assert asked.header("Content-Type") == ["application/json"]
    assert asked.header("Authorization") == []


@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_authmanagers_token_is_taken_from_the_header(far_side: FarSide, scheme: str) -> None:
    value = token_text(1000)
    far_side.say(said(_SUCCESS, Authorization=scheme + value))
    token = _fetch(far_side, "authmanager")
    assert token.value == value
    assert _left(token) == pytest.approx(970, abs=3)  # from exp, not from the cookie's Max-Age


@pytest.mark.parametrize(
    "cookies",
    [
        ["Authorization={}; Max-Age=6000000; Path=/; HttpOnly"],
        ["Authorization={}"],
        ['Authorization="{}"; Path=/'],
        ["JSESSIONID=abc; Path=/; HttpOnly", "Authorization={}; Path=/; HttpOnly"],
        ["LB=1; Expires=Wed, 09 Dec 2026 08:33:33 GMT", "Authorization={}; Path=/"],
        ["Authorization={}; Path=/; HttpOnly", "LB=1; Path=/"],
        ['LB={{"a":1}}', "Authorization={}"],
    ],
)
def test_authmanagers_token_is_taken_from_the_cookie(far_side: FarSide, cookies: list[str]) -> None:
    value = token_text()
    headers = [("Set-Cookie", cookie.format(value)) for cookie in cookies]
    far_side.say(Said(200, json.dumps(_SUCCESS).encode(), headers))
    assert _fetch(far_side, "authmanager").value == value


@pytest.mark.parametrize(
    "cookie", ["X-Authorization=abc", "Authorization=", "Auth=Authorization=abc", "authorization2=abc"]
)
def test_another_cookie_is_not_taken_for_the_token(far_side: FarSide, cookie: str) -> None:
    far_side.say(Said(200, json.dumps(_SUCCESS).encode(), [("Set-Cookie", cookie)]))
    assert isinstance(_problem(far_side, "authmanager"), MosipUnavailable)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (500, "500"),  # how a wrong secret comes
        (200, "KER-ATH-026"),
        (200, "KER-ATH-019"),
        (200, "KER-ATH-401"),
        (401, "KER-ATH-401"),
        (403, "KER-ATH-403"),
        (200, "SOMETHING-NEW"),
    ],
)
def test_authmanager_refusing_the_client_stops_the_run(far_side: FarSide, status: int, code: str) -> None:
    far_side.say(said({"response": None, "errors": [{"errorCode": code, "message": f"not {SECRET}"}]}, status))
    problem = _problem(far_side, "authmanager")
    assert isinstance(problem, MosipRefused)
    assert code in str(problem)


@pytest.mark.parametrize("status", [401, 403])
def test_a_gateway_refusing_the_client_stops_the_run(far_side: FarSide, status: int) -> None:
    far_side.say(Said(status, b"<html>"))
    assert isinstance(_problem(far_side, "authmanager"), MosipRefused)


@pytest.mark.parametrize(
    "answer",
    [
        Said(500, b"<html>"), Said(502), Said(503), said({"status": 500, "error": "Internal Server Error"}, 500),
        said({"response": None, "errors": [{"errorCode": "KER-ATH-021", "message": SECRET}]}),
        said({"response": None, "errors": [{"errorCode": "KER-ATH-002"}]}, 500), said(_SUCCESS), Said(200, b"{"),
    ],
)  # fmt: skip
def test_authmanager_in_trouble_is_tried_again_later(far_side: FarSide, answer: Said) -> None:
    far_side.say(answer)
    assert isinstance(_problem(far_side, "authmanager"), MosipUnavailable)


# --- both ------------------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("17", 17),
        ("0.5", 0.5),
        ("0", 0),
        ("-5", 0),
        ("1e9", 3600),
        ("Wed, 21 Oct 2020 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 3600),
        ("soon", None),
        ("", None),
    ],
)
def test_too_many_requests_says_how_long_to_wait(
    far_side: FarSide, source: str, written: str, seconds: float | None
) -> None:
    far_side.say(Said(429, b"", [("Retry-After", written)]))
    problem = _problem(far_side, source)
    assert isinstance(problem, MosipUnavailable)
    assert problem.retry_after == seconds


@both
def test_a_service_that_cannot_be_reached_is_tried_again_later(far_side: FarSide, source: str) -> None:
    far_side.close()
    assert isinstance(_problem(far_side, source), MosipUnavailable)


@both
def test_an_answer_that_was_cut_is_tried_again_later(far_side: FarSide, source: str) -> None:
    far_side.say(Said(200, b'{"access_token"', cut=True))
    assert isinstance(_problem(far_side, source), MosipUnavailable)
