"""Asking masterdata about a day: only a clear answer is one, and none of the others stops a sync."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest
from mosip_servers import FarSide, Said, said

from mosip_crvs.errors import MosipRefused
from mosip_crvs.mosip import calendar
from mosip_crvs.mosip.calendar import holiday_on
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import Token, TokenSource

CHRISTMAS = date(2026, 12, 25)


def ask(url: str, **changes: Any) -> bool | None:
    settings = MosipSettings(url, "client", "secret", "10001", "10077", **changes)
    return holiday_on(
        SingleCalls(url), TokenSource(lambda: Token("a-token", time.monotonic() + 60)), settings, CHRISTMAS
    )


@pytest.mark.parametrize(("status", "holiday"), [("Valid", False), ("Invalid", True)])
def test_masterdata_says_whether_packets_of_a_day_would_fail(far_side: FarSide, status: str, holiday: bool) -> None:
    far_side.say(said({"id": None, "response": {"status": status}, "errors": None}))
    assert ask(far_side.url) is holiday


def test_it_is_asked_as_mosip_asks_itself(far_side: FarSide) -> None:
    far_side.say(said({"response": {"status": "Valid"}, "errors": []}))
    ask(far_side.url, language="fra")
    (asked,) = far_side.asked
    assert (asked.method, asked.path.replace("%3A", ":")) == (
        "GET",
        "/v1/masterdata/registrationcenters/validate/10001/fra/2026-12-25T12:00:00.000Z",
    )
    assert asked.header("Cookie") == ["Authorization=a-token"]


@pytest.mark.parametrize(
    "answer",
    [
        said({"response": None, "errors": [{"errorCode": "KER-MSD-215", "message": "x"}]}),
        said({"response": {"status": "Invalid"}, "errors": [{"errorCode": "KER-MSD-041", "message": "x"}]}),
        said({"errors": [{"errorCode": "KER-ATH-401"}]}, 401),
        said({"errors": [{"errorCode": "KER-ATH-403"}]}, 403),
        said({"response": {"status": "Invalid"}}, 404),
        said({}, 500),
        said({}, 503),
        said({"response": {"status": "Perhaps"}}),
        said({"response": {"status": ["Invalid"]}}),
        said({"response": "Invalid"}),
        said(["Invalid"]),
        Said(200, b"<html>"),
        Said(200, b"\xff"),
        Said(200, b'{"response": {"status": "Invalid"}}', cut=True),
    ],
)
def test_whatever_else_it_says_means_that_nobody_knows(far_side: FarSide, answer: Said) -> None:
    far_side.say(answer)
    assert ask(far_side.url) is None
    assert len(far_side.asked) == 1, "it is asked once"


def test_a_masterdata_that_is_not_there_means_that_nobody_knows() -> None:
    assert ask("http://127.0.0.1:9") is None


def test_a_masterdata_that_does_not_answer_is_not_waited_for(
    far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert calendar.LOOK_SECONDS <= 2.5, "connecting and answering together take at most five seconds"
    monkeypatch.setattr(calendar, "LOOK_SECONDS", 0.2)
    far_side.say(Said(200, b'{"response": {"status": "Invalid"}}', wait=2.0))
    began = time.monotonic()
    assert ask(far_side.url) is None
    assert time.monotonic() - began < 1.5


def test_a_client_that_gets_no_token_means_that_nobody_knows(far_side: FarSide) -> None:
    def refuse() -> Token:
        raise MosipRefused("no")

    settings = MosipSettings(far_side.url, "client", "secret", "10001", "10077")
    assert holiday_on(SingleCalls(far_side.url), TokenSource(refuse), settings, CHRISTMAS) is None
    assert far_side.asked == []
