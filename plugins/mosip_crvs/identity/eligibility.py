"""Who is due an ID at all: rules of a file, judged at the moment of sending."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from mosip_crvs.errors import MappingError
from mosip_crvs.model import RegistrationKind


@dataclass(frozen=True, slots=True)
class AgeRule:
    """A person is due an ID only up to an age.

    :param code: what the balance shows for those who are not.
    :param field: the identity field that holds the date of birth.
    :param max_completed_years: the last age in completed years that is still due one.
    """

    code: str
    field: str
    max_completed_years: int

    def excludes(self, born: date, today: date) -> bool:
        """Say whether someone born then is too old today (both as UTC dates, as MOSIP counts)."""
        had_birthday = (today.month, today.day) >= (born.month, born.day)
        return today.year - born.year - (not had_birthday) > self.max_completed_years


def load(path: Path, kind: RegistrationKind) -> tuple[AgeRule, ...]:
    """Read the rules of one kind of registration.

    :param path: ``include/rules/eligibility.yaml``.
    :raises MappingError: naming what the file lacks.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        return tuple(
            AgeRule(str(rule["code"]), str(rule["field"]), int(rule["max_completed_years"])) for rule in raw[kind] or ()
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as problem:
        raise MappingError(
            f"{path.name}: under {str(kind)!r} each rule needs code, field and max_completed_years"
        ) from problem
