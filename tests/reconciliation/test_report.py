"""The balance as people see it: the numbers are there, and nothing else can get in."""

from __future__ import annotations

import csv
import re
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest

from mosip_crvs.ledger.batches import Hold
from mosip_crvs.reconciliation.drilldown import Spot
from mosip_crvs.reconciliation.report import LABELS, as_table, verdict
from mosip_crvs.reconciliation.report_csv import as_csv
from mosip_crvs.reconciliation.report_html import as_html
from mosip_crvs.reconciliation.terms import DayBalance, RegistryCount, Terms, Waiting

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
    assert [*LABELS, "unmatched", "unread"] == list(asdict(Terms()))
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


FULL = replace(
    balance(birth=BIRTHS, death=DEATHS),
    centers={"birth": {"10001": Terms(submitted=9, completed=9)}, "death": {}},
    waiting=(Waiting("birth", "in_progress", "NOT_ASKED_YET", "4h", 1_128),),
    holds={"HTTP_400": 104},
    registry={"birth": RegistryCount(12_344, 3, 0, NOW)},
)


def test_the_table_says_centres_ages_and_the_registrys_count() -> None:
    lines = as_table(FULL).splitlines()

    (centre,) = [line.split() for line in lines if line.startswith("  10001")]
    assert centre == ["10001", "birth", "CRVS_NEW", "0", "9", "9", "0", "0", "0", "0"]
    (waiting,) = [line.split() for line in lines if "NOT_ASKED_YET" in line]
    assert waiting[:8] == ["birth", "NOT_ASKED_YET", "0", "1,128", "0", "0", "0", "0"]
    assert any("counts 12,344 births" in line and "3 of those read have changed since" in line for line in lines)


def test_what_was_never_read_is_said_with_what_to_do() -> None:
    taken = replace(
        balance(birth=Terms(read=1, known=1, unread=2)), registry={"birth": RegistryCount(3, 0, 2, NOW)}
    )

    assert "2 of them stand in the registry and were never read: run the sync of that day again" in verdict(taken)
    assert "2 WERE NEVER READ" in as_table(taken)


def test_every_number_that_counts_something_leads_to_its_list() -> None:
    spots: list[Spot] = []
    page = as_html(FULL, address=lambda spot: f"at-{spots.append(spot)}&x")
    counted = re.findall(r"<td>([^<]*)</td>", page)

    assert set(counted) == {"0"}, "a number that is no link counts nothing"
    assert 'href="at-None&amp;x"' in page
    assert Spot(DAY, "birth", "rejected", "last") in spots
    assert Spot(DAY, "birth", "completed", "all", center="10001") in spots
    assert Spot(DAY, "birth", "in_progress", "all", reason="NOT_ASKED_YET", age="4h") in spots
    assert Spot(DAY, "all", "held", "all", reason="HTTP_400") in spots


def test_the_spreadsheet_has_every_number_with_what_it_counts() -> None:
    lines = list(csv.DictReader(as_csv(FULL).splitlines()))

    last = {(row["kind"], row["term"]): int(row["count"]) for row in lines if row["syncs"] == "last"}
    assert all(last["birth", term] == asdict(BIRTHS)[term] for term in LABELS)
    assert last["birth", "registry_moved_on"] == 3
    assert {row["process"] for row in lines if row["kind"] == "death"} == {"CRVS_DEATH"}
    assert [row["count"] for row in lines if row["center"] == "10001" and row["term"] == "completed"] == ["9"]
    assert [row["count"] for row in lines if row["age"] == "4h" and row["reason"] == "NOT_ASKED_YET"] == ["1128"]
    assert [row["count"] for row in lines if row["reason"] == "HTTP_400"] == ["104"]
