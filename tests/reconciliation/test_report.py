"""The balance as people see it: the numbers are there, and nothing else can get in."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest

from mosip_crvs.ledger.batches import Hold
from mosip_crvs.reconciliation.balance import DayBalance, Terms
from mosip_crvs.reconciliation.report import LABELS, as_html, as_table, verdict

DAY = date(2026, 3, 14)
NOW = datetime(2026, 3, 15, 1, 2, 3, tzinfo=UTC)
BIRTHS = Terms(
    read=12_345, known=101, not_eligible=102, quarantined=103, held=104, submitted=11_935,
    completed=11_201, rejected=201, failed=202, awaiting=203, in_progress=128,
)  # fmt: skip
DEATHS = Terms(read=7, known=1, submitted=6, completed=6)


def balance(finished: bool = True, **kinds: Terms) -> DayBalance:
    return DayBalance(DAY, kinds, finished, NOW)


class Cells(HTMLParser):
    """Reads the table's rows, and the names of all elements and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self._cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "tr":
            self.rows.append([])
        self._cell = tag in ("td", "th")
        if self._cell:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.rows[-1][-1] += data


def numbers(terms: Terms) -> dict[str, str]:
    return {label: f"{asdict(terms)[term]:,}" for term, label in LABELS.items()}


def test_every_term_has_a_label() -> None:
    assert [*LABELS, "unmatched"] == list(asdict(Terms()))
    assert len(set(LABELS.values())) == len(LABELS)


def test_the_table_says_every_term_of_each_kind_and_of_the_day() -> None:
    taken = balance(birth=BIRTHS, death=DEATHS)
    lines = as_table(taken).splitlines()

    assert lines[0] == "Balance of 2026-03-14"
    assert [line.split() for line in lines if "birth" in line] == [["birth", "death", "all"]]
    for label in LABELS.values():
        (line,) = [line for line in lines if line.strip().startswith(label + " ")]
        expected = [numbers(terms)[label] for terms in (BIRTHS, DEATHS, taken.terms)]
        assert line.strip().removeprefix(label).split() == expected
    assert ["Unexplained", "0", "0", "0"] in [line.split() for line in lines]
    assert lines[-1] == verdict(taken)


def test_the_page_says_the_same_numbers() -> None:
    taken = balance(birth=BIRTHS, death=DEATHS)
    rows = Cells(as_html(taken)).rows

    assert rows[0] == ["Events", "birth", "death", "all"]
    assert rows[1:-1] == [
        [label, *(numbers(terms)[label] for terms in (BIRTHS, DEATHS, taken.terms))] for label in LABELS.values()
    ]
    assert rows[-1] == ["Unexplained", "0", "0", "0"]


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    page = as_html(balance(birth=BIRTHS))
    seen = Cells(page)

    assert seen.elements.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "form", "base"})
    assert not [name for name in seen.attributes if name.startswith("on") or name in ("src", "href")]
    assert not re.search(r"https?:|//|url\(|@import|javascript:", page)


def test_what_gets_into_the_page_is_escaped() -> None:
    page = as_html(balance(**{"<script>alert(1)</script>": BIRTHS, "a&b": DEATHS}))

    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "a&amp;b" in page


@pytest.mark.parametrize(
    ("taken", "begins", "look"),
    [
        (balance(birth=DEATHS), "Balanced", "good"),
        (balance(birth=Terms(read=3, known=1)), "NOT BALANCED: 2 events", "bad"),
        (balance(finished=False, birth=DEATHS), "Not finished", "bad"),
        (balance(finished=False, birth=Terms(read=3)), "NOT BALANCED: 3 events", "bad"),
        (balance(finished=False), "Nothing was read", "bad"),
    ],
)
def test_a_sentence_says_how_the_day_stands(taken: DayBalance, begins: str, look: str) -> None:
    assert verdict(taken).startswith(begins)
    assert as_table(taken).endswith(verdict(taken))
    assert f'<p class="{look}">{verdict(taken)}</p>' in as_html(taken)


def test_the_unexplained_of_the_day_is_that_of_its_kinds_and_never_cancels() -> None:
    taken = balance(birth=Terms(read=2), death=Terms(known=2))

    assert taken.unexplained == 4
    assert "NOT BALANCED: 4" in verdict(taken)
    assert ["Unexplained", "2", "2", "4"] in [line.split() for line in as_table(taken).splitlines()]
    assert Cells(as_html(taken)).rows[-1] == ["Unexplained", "2", "2", "4"]


WAIT = Hold("HOLIDAY", date(2026, 12, 25), date(2026, 12, 27))


def test_a_held_day_says_why_and_until_when() -> None:
    taken = replace(balance(False, birth=DEATHS), holds={"HOLIDAY": 1_982, "HTTP_400": 1}, hold=WAIT)
    said = "Held over all syncs of the day: 1,982 HOLIDAY (until 2026-12-27), 1 HTTP_400."
    assert said in as_table(taken).splitlines()
    assert f"<p>{said}</p>" in as_html(taken)
    assert verdict(taken).startswith("HELD: 2026-12-25 is a holiday of the centre")
    assert "from 2026-12-27 (UTC) on" in verdict(taken)
    assert as_table(taken).endswith(verdict(taken))


def test_what_is_unexplained_is_said_before_what_is_held() -> None:
    assert verdict(replace(balance(False, birth=Terms(read=3)), hold=WAIT)).startswith("NOT BALANCED: 3")


def test_a_day_of_which_nothing_is_held_does_not_speak_of_it() -> None:
    assert "Held" not in as_table(balance(birth=DEATHS)) + as_html(balance(birth=DEATHS))
