"""One identity field for a whole page: registry columns in, field values and broken rules out.

Every maker walks columns, not rows, and looks each distinct code or date up once. A value of None means that the field
is left out of the packet; a rule is a key of :data:`mosip_crvs.identity.rules.SENTENCES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

from mosip_crvs.identity import rules
from mosip_crvs.identity.mapping import FieldMapping, Mapping

_OLDEST = date(1869, 1, 1)


@dataclass(slots=True)
class Column:
    """One field of a page: ``values[i]`` and ``broken[i]`` belong to row i."""

    values: list[Any]
    broken: list[str | None]


@dataclass(frozen=True, slots=True)
class Page:
    """What the makers read: the frame of a page and what holds for all of it.

    :param frame: one row a registration, object columns named as in the extract SQL.
    :param today: the UTC date of sending.
    """

    frame: pd.DataFrame
    mapping: Mapping
    today: date

    def texts(self, column: str) -> list[str]:
        """Give a column as stripped texts; empty for SQL NULL."""
        cells = self.frame[column]
        return [
            "" if absent else str(cell).strip()
            for cell, absent in zip(cells.tolist(), cells.isna().tolist(), strict=True)
        ]

    def second_languages(self) -> list[str] | None:
        """Give each row's second language, or None when the mapping fixes the languages for all rows."""
        column = self.mapping.language_column
        return None if column is None else self.texts(column)


def names(page: Page, field: FieldMapping) -> Column:
    """Join names, language by language; the first part's language is required."""
    return _localized(page, field, rules.name_rule)


def localized(page: Page, field: FieldMapping) -> Column:
    """Join any other text, language by language; the first part's language is required."""
    return _localized(page, field, rules.characters_rule)


def text(page: Page, field: FieldMapping) -> Column:
    """Take a plain text, checked against what MOSIP's parser would drop."""
    missing = None if field.optional else "MISSING"
    values, broken = [], []
    for cell in page.texts(field.columns[0]):
        values.append(cell or None)
        broken.append(rules.plain_text_rule(cell) if cell else missing)
    return Column(values, broken)


def uin(page: Page, field: FieldMapping) -> Column:
    """Take the UIN of the deceased: ten digits, or a rule that says what is there instead."""
    vid_column = page.mapping.vid_column
    vids = page.texts(vid_column) if vid_column else [""] * len(page.frame)
    values: list[Any] = []
    broken: list[str | None] = []
    for cell, vid in zip(page.texts(field.columns[0]), vids, strict=True):
        values.append(cell or None)
        absent = "DEATH_WITH_VID_ONLY" if vid else "DEATH_WITHOUT_UIN"
        broken.append(rules.uin_rule(cell) if cell else absent)
    return Column(values, broken)


def constant(page: Page, field: FieldMapping) -> Column:
    """Give the same value to every row."""
    return Column([field.constant] * len(page.frame), [None] * len(page.frame))


def dates(page: Page, field: FieldMapping) -> Column:
    """Write calendar dates as MOSIP does, ``yyyy/MM/dd``."""
    parsed = parse_dates(page, field.columns[0])
    missing = None if field.optional else "DATE_MALFORMED"
    values: list[Any] = []
    broken: list[str | None] = []
    for day, cell in zip(parsed, page.texts(field.columns[0]), strict=True):
        if day is None:
            values.append(None)
            broken.append("DATE_MALFORMED" if cell else missing)
            continue
        values.append(day.strftime("%Y/%m/%d"))
        broken.append("DATE_IN_FUTURE" if day > page.today else "DATE_TOO_OLD" if day < _OLDEST else None)
    return Column(values, broken)


def parse_dates(page: Page, column: str) -> list[date | None]:
    """Read a column of dates, or of ISO texts; None where there is no such day."""
    cells = page.frame[column].tolist()
    known = {cell: _day(cell) for cell in {cell for cell in cells if isinstance(cell, str)}}
    return [known[cell] if isinstance(cell, str) else _day(cell) for cell in cells]


def code_field(localized_field: bool) -> Callable[[Page, FieldMapping], Column]:
    """Make the maker of a code table field.

    :param localized_field: whether the ID schema wants a list with languages, or the plain text of the first one.
    """

    def code(page: Page, field: FieldMapping) -> Column:
        table = page.mapping.tables[field.table or ""]
        first = page.mapping.languages[0]
        cells, seconds = page.texts(field.columns[0]), page.second_languages()
        looked_up: dict[tuple[str, str], tuple[Any, str | None]] = {}
        values: list[Any] = []
        broken: list[str | None] = []
        for cell, second in zip(cells, seconds or [""] * len(cells), strict=True):
            found = looked_up.get((cell, second))
            if found is None:
                wanted = page.mapping.languages if seconds is None else (first, second)
                found = _look_up(table, cell, field, wanted, localized_field)
                looked_up[(cell, second)] = found
            values.append(found[0])
            broken.append(found[1])
        return Column(values, broken)

    return code


def _look_up(
    table: dict[str, Any], code: str, field: FieldMapping, languages: Sequence[str], localized_field: bool
) -> tuple[Any, str | None]:
    if not code:
        return None, None if field.optional else "MISSING"
    texts = table.get(code)
    if isinstance(texts, dict) and field.key:
        texts = texts.get(field.key)
    if isinstance(texts, str) and not localized_field:
        return texts, None
    if not isinstance(texts, dict):
        return None, "CODE_UNKNOWN"
    if not texts.get(languages[0]):
        return None, "TABLE_LANGUAGE_MISSING"
    if not localized_field:
        return str(texts[languages[0]]), None
    once = dict.fromkeys(languages)  # a row's second language may be the first one again
    return [{"language": tongue, "value": str(texts[tongue])} for tongue in once if texts.get(tongue)], None


def _localized(page: Page, field: FieldMapping, judge: Callable[[str], str | None]) -> Column:
    count = len(page.frame)
    values: list[Any] = [[] for _ in range(count)]
    broken: list[str | None] = [None] * count
    for number, part in enumerate(field.parts):
        columns = [page.texts(column) for column in part.columns]
        languages = page.texts(part.language_column) if part.language_column else [part.language or ""] * count
        for row, (language, *cells) in enumerate(zip(languages, *columns, strict=True)):
            value = " ".join(filter(None, cells))
            if not value:
                if number == 0 and not field.optional:
                    broken[row] = "LANGUAGE_EMPTY"
                continue
            if language not in page.mapping.languages:
                broken[row] = broken[row] or "CODE_UNKNOWN"
                continue
            said = {"language": language, "value": value}
            if said in values[row]:
                continue
            repeated = any(other["language"] == language for other in values[row])
            broken[row] = broken[row] or ("LANGUAGE_REPEATED" if repeated else judge(value))
            values[row].append(said)
    return Column([value or None for value in values], broken)


def _day(cell: Any) -> date | None:
    if isinstance(cell, datetime):
        return None if cell is pd.NaT else cell.date()
    if isinstance(cell, date):
        return cell
    written = cell.strip() if isinstance(cell, str) else ""
    if len(written) != 10 or written[4] != "-" or written[7] != "-" or not written.isascii():
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
