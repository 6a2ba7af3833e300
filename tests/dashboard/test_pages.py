"""The pages show how the days stand, to users, in numbers only."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from day_books import DAY, Books, aid
from receiver_calls import call, unreachable

from mosip_crvs.dashboard.pages import DAYS_SHOWN, ENTRIES_SHOWN, balance_page, index_page
from mosip_crvs.reconciliation.balance import day_balance
from mosip_crvs.reconciliation.signing import keep

REGISTRATION = f"registration-of-{aid(7)}"


def a_day(books: Books, day: Any = DAY) -> None:
    batch = books.batch(day=day)
    books.apply(batch, {aid(n): "COMPLETED" for n in range(1234)} if day == DAY else {})
    books.read(batch, "quarantined", ["SECRET-REGISTRATION-1", "SECRET-REGISTRATION-2"])
    keep(books.ledger, day_balance(books.ledger, day))


def cells(page: bytes) -> list[str]:
    return [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd][^>]*>.*?</t[hd]>", page.decode())]


@pytest.mark.parametrize("user", ["chief", "guest"])
def test_a_user_who_logged_in_sees_the_numbers_of_the_day(airflow: Any, books: Books, user: str) -> None:
    a_day(books)

    index = airflow.get("/mosip-crvs/", user)
    day = airflow.get(f"/mosip-crvs/balance/{DAY}", user)

    assert (index.status, day.status) == (200, 200)
    assert cells(index.body)[-8:] == [str(DAY), "1,236", "2", "0", "1,234", "1,234", "0", "yes"]
    assert "1,236" in cells(day.body)
    assert b"Balanced" in day.body


def test_the_cookie_of_the_user_interface_is_as_good_as_a_token(airflow: Any, books: Books) -> None:
    token = airflow.login("chief")["Authorization"].removeprefix("Bearer ")

    assert call(airflow.base, "GET", "/mosip-crvs/", headers={"Cookie": f"_token={token}"}).status == 200


def test_the_pages_forbid_every_script_and_every_stranger(airflow: Any, books: Books) -> None:
    a_day(books)
    for path in ("/mosip-crvs/", f"/mosip-crvs/balance/{DAY}"):
        page = airflow.get(path, "chief")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'self'" in policy
        assert page.headers["content-type"].startswith("text/html")
        assert b"<script" not in page.body


def test_no_page_names_a_registration_or_an_application(airflow: Any, books: Books) -> None:
    a_day(books)
    for path in ("/mosip-crvs/", f"/mosip-crvs/balance/{DAY}"):
        page = airflow.get(path, "chief").body.decode()
        assert "SECRET-REGISTRATION" not in page
        assert REGISTRATION not in page
        assert aid(7) not in page


def test_whoever_may_see_connections_does_not_see_the_seals_key(airflow: Any, seal_key: str) -> None:
    shown = airflow.get("/api/v2/connections/crvs_ledger", "chief")

    assert shown.status == 200
    assert b"seal_secret" in shown.body
    assert seal_key.encode() not in shown.body


def test_each_day_of_the_list_leads_to_its_balance(airflow: Any, books: Books) -> None:
    a_day(books)
    (link,) = re.findall(r'href="([^"]+)"', airflow.get("/mosip-crvs/", "chief").body.decode())

    assert not link.startswith("/"), "Airflow may lie below a path of its own"
    assert airflow.get(f"/mosip-crvs/{link}", "chief").status == 200


def test_a_day_that_is_none_is_an_error_of_the_caller(airflow: Any) -> None:
    assert airflow.get("/mosip-crvs/balance/yesterday", "chief").status == 422
    assert airflow.get("/mosip-crvs/balance/2026-02-30", "chief").status == 422


def test_when_the_ledger_is_away_the_page_says_so_without_a_traceback(
    airflow: Any, books: Books, ledger_url: str, postgres: Any
) -> None:
    with unreachable(postgres.url("postgres"), ledger_url):
        page = airflow.get("/mosip-crvs/", "chief")

    assert page.status == 503
    assert b"Traceback" not in page.body
    assert airflow.get("/mosip-crvs/", "chief").status == 200


def test_a_day_that_does_not_balance_stands_out_in_the_list(books: Books) -> None:
    a_day(books)
    books.run("DELETE FROM applications WHERE aid = :aid", aid=aid(7))
    keep(books.ledger, day_balance(books.ledger, DAY))

    assert cells(index_page(books.ledger).encode())[-1] == "NO"
    assert "NOT BALANCED" in balance_page(books.ledger, DAY)


def test_an_empty_ledger_says_that_nothing_was_reconciled(books: Books) -> None:
    assert "No day has been reconciled yet" in index_page(books.ledger)
    assert "Nothing was read" in balance_page(books.ledger, DAY)


def test_the_list_ends_after_the_newest_days(books: Books) -> None:
    for number in range(DAYS_SHOWN + 3):
        keep(books.ledger, day_balance(books.ledger, DAY + timedelta(days=number)))

    days = re.findall(r'href="balance/([^"]+)"', index_page(books.ledger))
    assert len(days) == DAYS_SHOWN
    assert days == sorted(days, reverse=True)
    assert days[0] == str(DAY + timedelta(days=DAYS_SHOWN + 2))


def test_every_number_of_a_day_leads_to_a_list_that_is_as_long(airflow: Any, books: Books) -> None:
    batch = books.batch()
    books.apply(batch, {aid(n): state for n, state in enumerate(["COMPLETED", "FAILED", "TRIGGERED", "AID_ASSIGNED"])})
    books.apply(books.batch("death"), {aid(20 + n): "AWAITING_INFO" for n in range(3)})
    page = airflow.get(f"/mosip-crvs/balance/{DAY}", "chief").body.decode()

    links = re.findall(r'<a href="([^"]+)">([\d,]+)</a>', page)
    assert len(links) > 15
    for link, number in links:
        assert not link.startswith("/"), "Airflow may lie below a path of its own"
        shown = airflow.get(f"/mosip-crvs/balance/{html.unescape(link)}", "chief")
        assert shown.status == 200
        body = shown.body.decode()
        listed = len(re.findall(r'<th scope="row">1000110077', body))
        counted = sum(map(int, re.findall(r"</th><td>(\d+)</td>", body)))
        assert number == str(counted if "/read?" in link else listed), link
        assert "registration-of" not in body


def test_a_long_list_goes_on_on_the_next_page(airflow: Any, books: Books) -> None:
    books.apply(books.batch(), {aid(n): "COMPLETED" for n in range(ENTRIES_SHOWN + 3)})
    where = f"/mosip-crvs/balance/{DAY}/birth/completed"
    first = airflow.get(f"{where}?syncs=last", "chief").body.decode()
    (more,) = re.findall(r'<a href="(\?[^"]+)">More', first)
    second = airflow.get(where + html.unescape(more), "chief").body.decode()

    seen = [re.findall(r'<th scope="row">(\d{29})<', page) for page in (first, second)]
    assert [len(aids) for aids in seen] == [ENTRIES_SHOWN, 3]
    assert not set(seen[0]) & set(seen[1])
    assert "More" not in second


@pytest.mark.parametrize("path", ["birth/nonsense", "marriage/held", "birth/known%22"])
def test_a_number_that_does_not_exist_has_no_list(airflow: Any, books: Books, path: str) -> None:
    assert airflow.get(f"/mosip-crvs/balance/{DAY}/{path}", "chief").status == 404


def test_what_somebody_writes_into_an_address_is_escaped(airflow: Any, books: Books) -> None:
    page = airflow.get(f"/mosip-crvs/balance/{DAY}/birth/held?reason=%3Cscript%3E&center=%22%3E", "chief")

    assert page.status == 200
    assert b"<script" not in page.body


def test_a_day_is_there_for_spreadsheets(airflow: Any, books: Books) -> None:
    a_day(books)
    sheet = airflow.get(f"/mosip-crvs/balance/{DAY}.csv", "guest")

    assert sheet.status == 200
    assert sheet.headers["content-type"].startswith("text/csv")
    assert f"{DAY},birth,CRVS_NEW,last,completed,,,,1234" in sheet.body.decode()
