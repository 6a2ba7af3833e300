"""A page of the extract becomes a page of events: mapped, judged for eligibility, validated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from mosip_crvs.errors import ExtractError, MappingError, SchemaError
from mosip_crvs.identity import columns, rules
from mosip_crvs.identity.columns import Column, Page
from mosip_crvs.identity.eligibility import AgeRule
from mosip_crvs.identity.mapping import FieldMapping, Mapping
from mosip_crvs.identity.schema import Identity, IdSchema
from mosip_crvs.model import EventKey, Finding


@dataclass(slots=True)
class MappedEvent:
    """One event as it would be sent.

    :param person_id: the registry's number of the person concerned, if it has one.
    :param identity: MOSIP's identity fields, ready for a packet when there are no findings. Personal.
    :param findings: why it must not be sent; empty when it may.
    :param not_eligible: code of the eligibility rule that excludes it, if one does.
    :param modified_at: when the registry last changed it, if it says so by a moment; UTC where it names no zone.
    """

    key: EventKey
    person_id: str | None
    identity: Identity = field(repr=False)
    findings: list[Finding]
    not_eligible: str | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True)
class PageMapper:
    """Maps pages by one country's mapping, schema and rules. Compile it once, use it for every page."""

    mapping: Mapping
    schema: IdSchema
    eligibility: tuple[AgeRule, ...] = ()

    def __post_init__(self) -> None:
        for mapped in self.mapping.fields:
            if not self.schema.has_field(mapped.name):
                raise SchemaError(
                    f"the {self.mapping.kind} mapping writes {mapped.name!r}, which the ID schema does not have: "
                    "MOSIP would drop it silently; correct include/mappings or include/schemas"
                )
            self._check_texts(mapped)
        dated = {mapped.name for mapped in self.mapping.fields if mapped.source == "date"}
        for rule in self.eligibility:
            if rule.field not in dated:
                raise MappingError(
                    f"the eligibility rule {rule.code} judges {rule.field!r}, which the {self.mapping.kind} mapping "
                    "does not write as a date; correct include/rules or include/mappings"
                )

    def _check_texts(self, mapped: FieldMapping) -> None:
        """Refuse plain texts of the country's own files that MOSIP's parser would drop."""
        texts: list[str] = []
        if mapped.source == "constant":
            texts = [mapped.constant or ""]
        elif mapped.source == "code" and not self.schema.field_is_localized(mapped.name):
            entries = (
                entry.get(mapped.key) if mapped.key else entry
                for entry in self.mapping.tables[mapped.table or ""].values()
            )
            texts = [str(e.get(self.mapping.languages[0], "x") if isinstance(e, dict) else e) for e in entries]
        for text in texts:
            if broken := rules.plain_text_rule(text):
                raise MappingError(
                    f"the {self.mapping.kind} mapping writes {mapped.name!r} as {text!r}: {rules.SENTENCES[broken]}"
                )

    def map_page(self, frame: pd.DataFrame, today: date) -> list[MappedEvent]:
        """Map and judge one page.

        :param frame: one row a registration, with the columns that :attr:`Mapping.columns` names.
        :param today: the UTC date of sending: ages and future dates are judged by it.
        :raises ExtractError: when a column is missing.
        """
        absent = sorted(self.mapping.columns - set(frame.columns))
        if absent:
            raise ExtractError(f"the {self.mapping.kind} extract SQL lacks the columns {', '.join(absent)}")
        page = Page(frame, self.mapping, today)
        events = [
            _event(registration, person, moment, self.schema.version)
            for registration, person, moment in zip(
                page.texts("registration_id"), page.texts("person_id"), frame["modified_at"].tolist(), strict=True
            )
        ]
        for mapped in self.mapping.fields:
            _lay(events, mapped.name, self._maker(mapped)(page, mapped))
        self._judge_forbidden_uin(page, events)
        self._judge_order_of_dates(page, events)
        self._judge_eligibility(page, events)
        self._judge_schema(events)
        return events

    def _maker(self, mapped: FieldMapping) -> Callable[[Page, FieldMapping], Column]:
        if mapped.source == "code":
            return columns.code_field(self.schema.field_is_localized(mapped.name))
        return _MAKERS[mapped.source]

    def _judge_forbidden_uin(self, page: Page, events: list[MappedEvent]) -> None:
        if self.mapping.forbidden_uin_column:
            for event, uin in zip(events, page.texts(self.mapping.forbidden_uin_column), strict=True):
                if uin:
                    event.findings.append(Finding("UIN", "BIRTH_WITH_UIN"))

    def _judge_order_of_dates(self, page: Page, events: list[MappedEvent]) -> None:
        for mapped in self.mapping.fields:
            if mapped.not_before:
                later, earlier = (columns.parse_dates(page, c) for c in (mapped.columns[0], mapped.not_before))
                for event, end, start in zip(events, later, earlier, strict=True):
                    if end and start and end < start:
                        event.findings.append(Finding(mapped.name, "DEATH_BEFORE_BIRTH"))

    def _judge_eligibility(self, page: Page, events: list[MappedEvent]) -> None:
        by_name = {mapped.name: mapped for mapped in self.mapping.fields}
        for rule in self.eligibility:
            days = columns.parse_dates(page, by_name[rule.field].columns[0])
            for event, born in zip(events, days, strict=True):
                if born and event.not_eligible is None and rule.excludes(born, page.today):
                    event.not_eligible = rule.code

    def _judge_schema(self, events: Iterable[MappedEvent]) -> None:
        for event in events:
            if event.not_eligible is None and not event.findings and not self.schema.accepts(event.identity):
                event.findings = self.schema.explain(event.identity) or [Finding("identity", "SCHEMA_OTHER")]


def _event(registration: str, person: str, moment: Any, version: str) -> MappedEvent:
    """Begin an event. One without a number is known by the moment of its change, and goes to the quarantine."""
    key = EventKey(registration or f"(without registration_id) {moment} {person}")
    findings = [] if registration else [Finding("registration_id", "MISSING")]
    identity: Identity = {"IDSchemaVersion": float(version)}
    return MappedEvent(key, person or None, identity, findings, modified_at=_moment(moment))


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


_MAKERS: dict[str, Callable[[Page, FieldMapping], Column]] = {
    "names": columns.names,
    "localized": columns.localized,
    "date": columns.dates,
    "text": columns.text,
    "uin": columns.uin,
    "constant": columns.constant,
}


def _lay(events: list[MappedEvent], name: str, column: Column) -> None:
    """Write one field's column into the events."""
    for event, value, broken in zip(events, column.values, column.broken, strict=True):
        if broken is not None:
            event.findings.append(Finding(name, broken))
        elif value is not None:
            event.identity[name] = value
