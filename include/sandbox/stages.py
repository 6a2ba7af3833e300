"""The way of a packet through the CRVS_NEW and CRVS_DEATH routes (mosip-packets.md §7, sub-status codes §6.3). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sandbox.country import Country, creation
from sandbox.field_rules import problems
from sandbox.idschema import IdSchema
from sandbox.registrations import Step
from sandbox.settings import MANDATORY

INFANT_YEARS = range(0, 6)
"""`AGE_GROUP` INFANT is 0-5 inclusive (mosip-packets.md §7.1)."""


@dataclass(frozen=True, slots=True)
class Case:
    """One packet at the beginning of its workflow; None for `schema` when it cannot be read."""

    process: str
    schema: IdSchema | None
    identity: Mapping[str, Any]
    meta: Mapping[str, Any]


@dataclass(slots=True)
class Verdict:
    """Where the route ended.

    :param action: `create` or `update` for the ID repository; None when it is not reached.
    """

    status: str = "PROCESSED"
    action: str | None = None
    steps: list[Step] = field(default_factory=list)

    @property
    def reason(self) -> str | None:
        """Sub-status of the step that failed."""
        return None if self.status == "PROCESSED" else self.steps[-1].sub_status


class _Stop(Exception):
    """A stage ends the route."""

    def __init__(self, type_code: str, sub_status: str, comment: str) -> None:
        super().__init__(comment)
        self.step = Step(type_code, "FAILED", sub_status, comment)


def _passed(type_code: str, sub_status: str) -> Step:
    return Step(type_code, "SUCCESS", sub_status, "Success")


VALIDATED = _passed("VALIDATE_PACKET", "RPR-PKV-SUCCESS-001")
CLASSIFIED = _passed("PACKET_CLASSIFICATION", "RPR-PKCSUCCESS-001")
CMD_PASSED = _passed("CMD_VALIDATION", "RPR-CMD-SUCCESS-001")
OPERATOR_PASSED = _passed("OPERATOR_VALIDATION", "RPR-OVM-SUCCESS-001")
SUPERVISOR_PASSED = _passed("SUPERVISOR_VALIDATION", "RPR-SVM-SUCCESS-001")
DEDUPE_SKIPPED = _passed("DEMOGRAPHIC_VERIFICATION", "RPR-DDP-SKIPPED-003")
UIN_CREATED = _passed("UIN_GENERATOR", "RPR-UIN-SUCCESS-001")
UIN_UPDATED = _passed("UIN_GENERATOR", "RPR-UIN-SUCCESS-002")
FINALIZED = _passed("FINALIZATION", "RPR-FIN-SUCCESS-001")


def walk(case: Case, country: Country, uin_exists: Callable[[str], bool]) -> Verdict:
    """Take a packet through its route.

    :param uin_exists: the ID repository's answer for a UIN.
    """
    verdict = Verdict()
    steps = verdict.steps
    try:
        _validate_packet(case)
        steps.append(VALIDATED)
        labels = _classify(case.meta)
        steps.append(CLASSIFIED)
        created = creation(str(case.meta.get("creationDate")))
        _check_place(labels, created, country)
        steps.append(CMD_PASSED)
        if case.process == "CRVS_NEW":
            _check_infant(case)
        steps += _check_operators(labels, created, country)
        if case.process == "CRVS_NEW":
            steps.append(DEDUPE_SKIPPED)
        verdict.action = _uin_action(case, uin_exists)
        steps += (UIN_CREATED if verdict.action == "create" else UIN_UPDATED, FINALIZED)
    except _Stop as stop:
        verdict.status = "FAILED"
        steps.append(stop.step)
    return verdict


def _validate_packet(case: Case) -> None:
    if case.schema is None:
        raise _Stop("VALIDATE_PACKET", "RPR-PKV-FAILED-018", "Packet cannot be read from the packet store")
    wrong = problems(case.identity, case.schema, MANDATORY[case.process])
    if wrong:
        raise _Stop("VALIDATE_PACKET", "RPR-PKV-FAILED-012", "Packet manager validation: " + ",".join(wrong))


def _classify(meta: Mapping[str, Any]) -> dict[str, str]:
    """Labels of operationsData and metaData in one union (mosip-packets.md §1.4)."""
    for name in ("metaData", "operationsData", "capturedRegisteredDevices"):
        if not isinstance(meta.get(name), list):
            raise _Stop("PACKET_CLASSIFICATION", "RPR-PKC-FAILED-001", f"metaInfo without {name}")
    labels: dict[str, str] = {}
    for entry in (*meta["operationsData"], *meta["metaData"]):
        if isinstance(entry, dict) and entry.get("value") is not None:
            labels[str(entry.get("label"))] = str(entry["value"])
    return labels


def _check_place(labels: Mapping[str, str], created: datetime, country: Country) -> None:
    fault = country.place_fault(labels.get("centerId"), labels.get("machineId"), created)
    if fault is not None:
        raise _Stop("CMD_VALIDATION", f"RPR-CMD-FAILED-{fault[0]}", fault[1])


def _check_infant(case: Case) -> None:
    """Age at the packet's creation; a date that does not exist, or one in the future, belongs to no age group."""
    try:
        year, month, day = (int(part) for part in str(case.identity.get("dateOfBirth")).split("/"))
        born = date(year, month, day)
        today = date.fromisoformat(str(case.meta.get("creationDate"))[:10])
    except ValueError:
        raise _Stop("PACKET_CLASSIFICATION", "RPR-PKC-FAILED-002", "No age group") from None
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if age not in INFANT_YEARS:
        raise _Stop("INTERNAL_WORKFLOW_ACTION", "RPR-WIA-FAILED-001", "AGE_GROUP is not INFANT")


def _check_operators(labels: Mapping[str, str], created: datetime, country: Country) -> list[Step]:
    """At least one of officer and supervisor; each one named must be known, authenticated (§1.4) and mapped."""
    center, machine = labels.get("centerId"), labels.get("machineId")
    passed: list[Step] = []
    for person, module, type_code, step in (
        ("officer", "OVM", "OPERATOR_VALIDATION", OPERATOR_PASSED),
        ("supervisor", "SVM", "SUPERVISOR_VALIDATION", SUPERVISOR_PASSED),
    ):
        who = labels.get(f"{person}Id")
        if not who:
            continue
        fault = country.person_fault(who, created)
        if fault is not None:
            raise _Stop(type_code, f"RPR-{module}-FAILED-{fault[0]}", f"{person} {fault[1]}")
        if "true" not in (labels.get(f"{person}Password"), labels.get(f"{person}OTPAuthentication")):
            raise _Stop(type_code, f"RPR-{module}-FAILED-003", f"{person} password or OTP verification failed")
        fault = country.mapping_fault(who, center, machine, created)
        if fault is not None:
            raise _Stop(type_code, f"RPR-{module}-FAILED-{fault[0]}", f"{person} {fault[1]}")
        passed.append(step)
    if not passed:
        raise _Stop("OPERATOR_VALIDATION", "RPR-OVM-FAILED-005", "Neither officer nor supervisor")
    return passed


def _uin_action(case: Case, uin_exists: Callable[[str], bool]) -> str:
    """No UIN: create, even for a death. With one: only CRVS_DEATH has a branch, and it updates (§7.3)."""
    uin = case.identity.get("UIN")
    if not uin:
        return "create"
    if case.process != "CRVS_DEATH":
        raise _Stop("UIN_GENERATOR", "RPR-UIN-FAILED-001", "No branch for a birth with a UIN")
    if not isinstance(uin, str) or not uin_exists(uin):
        raise _Stop("UIN_GENERATOR", "RPR-UIN-FAILED-003", "IDR-IDC-007 No Record(s) found")
    return "update"
