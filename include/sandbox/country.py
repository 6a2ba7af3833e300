"""What the registration processor asks masterdata about a packet (mosip-onboarding.md §4.4)."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.masterdata import Masterdata

Fault = tuple[str, str]
"""The end of a sub-status code, and a comment."""


class Country:
    """Masterdata as of the packet's creation."""

    def __init__(self, masterdata: Masterdata) -> None:
        self._masterdata = masterdata

    def place_fault(self, center: str | None, machine: str | None, when: datetime) -> Fault | None:
        """Centre, then holiday, then machine."""
        return self._center_fault(str(center), when) or self._machine_fault(str(machine), when)

    def person_fault(self, person: str, when: datetime) -> Fault | None:
        """An officer or a supervisor, apart from the proof that it was really that person."""
        officers = self._masterdata.officers
        latest = officers.history.latest((person.lower(),), when)
        if latest is None:
            return "001", "inactive"
        return None if latest["isActive"] else ("004", "inactive at the creation of the packet")

    def mapping_fault(self, person: str, center: str | None, machine: str | None, when: datetime) -> Fault | None:
        """Whether the person and the machine shared the centre."""
        entry = self._masterdata.officers.mapping(str(center), str(machine), person, when)
        return None if entry is not None and entry["isActive"] else ("001", "not mapped to the center and machine")

    def _center_fault(self, center: str, when: datetime) -> Fault | None:
        """One active version at any time before is enough; the holiday look-up wants the row of today."""
        versions = self._masterdata.centers.history.until((center, self._masterdata.language), when)
        if not versions:
            return "002", "Center not found"
        if not any(row["isActive"] for row in versions):
            return "003", "Center inactive"
        row = self._masterdata.centers.rows.get(center, {}).get(self._masterdata.language)
        if row is None or not row["isActive"]:
            return "011", "Center timestamp failure"
        if self._masterdata.places.is_holiday(row["holidayLocationCode"], when):
            return "010", "Packet not created during working hours"
        return None

    def _machine_fault(self, machine: str, when: datetime) -> Fault | None:
        latest = self._masterdata.machines.history.latest((machine,), when)
        if latest is None:
            return "004", "Machine not found"
        return None if latest["isActive"] else ("005", "Machine inactive")


def creation(text: str) -> datetime:
    """A packet's `creationDate`; now, for one that is none: packet manager writes its own anyway."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return datetime.now(UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
