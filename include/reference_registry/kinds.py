"""The kinds of case that the generator makes, as data: how often each comes, and what a careful reader makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import accumulate
from types import MappingProxyType
from typing import NamedTuple


class Expected(StrEnum):
    """What should become of a registration of a kind."""

    ELIGIBLE = "eligible"
    """Clean, and may be sent."""
    NOT_ELIGIBLE = "not_eligible"
    """Clean, and not to be sent: the child is too old for an infant's ID."""
    BORDERLINE = "borderline"
    """Clean; the answer depends on the day that it is asked, or on settings."""
    NO_UIN = "no_uin"
    """A death that MOSIP cannot attach to anyone as it stands."""
    BAD = "bad"
    """To be quarantined."""


class Case(NamedTuple):
    """A kind's share of all registrations (of 1.0), and what is expected of it."""

    share: float
    expected: Expected


ORDINARY = "birth.ordinary"
SINGLE_MOTHER = "birth.single_mother"
TWIN = "birth.twin"
TWIN_ONE_LETTER = "birth.twin_one_letter"
MISSING_OPTIONAL = "birth.missing_optional"
LATIN_ONLY = "birth.latin_only"
LATE = "birth.late_registration"
ESIGNET = "birth.esignet_informant"
NEARLY_SIX = "birth.nearly_six"
JUST_SIX = "birth.just_six"
OVER_FIVE = "birth.over_five"
BIRTH_BAD = "birth.bad"  # stands for the next of BIRTH_DEFECTS

BIRTHS: Mapping[str, Case] = MappingProxyType(
    {
        SINGLE_MOTHER: Case(0.06, Expected.ELIGIBLE),
        TWIN: Case(0.02, Expected.ELIGIBLE),
        TWIN_ONE_LETTER: Case(0.004, Expected.ELIGIBLE),
        MISSING_OPTIONAL: Case(0.05, Expected.ELIGIBLE),
        LATIN_ONLY: Case(0.02, Expected.ELIGIBLE),
        LATE: Case(0.03, Expected.ELIGIBLE),
        ESIGNET: Case(0.02, Expected.BORDERLINE),  # the token's signature is not a real one
        NEARLY_SIX: Case(0.004, Expected.BORDERLINE),  # six within three weeks of the registration
        JUST_SIX: Case(0.004, Expected.NOT_ELIGIBLE),
        OVER_FIVE: Case(0.006, Expected.NOT_ELIGIBLE),
        BIRTH_BAD: Case(0.01, Expected.BAD),
        ORDINARY: Case(0.772, Expected.ELIGIBLE),
    }
)

DEATH_WITH_UIN = "death.with_uin"
DEATH_VID_ONLY = "death.vid_only"
DEATH_NO_NUMBER = "death.without_number"
DEATH_MISSING_OPTIONAL = "death.missing_optional"
DEATH_LATE = "death.late_registration"
DEATH_ESIGNET = "death.esignet_informant"
DEATH_BAD = "death.bad"  # stands for the next of DEATH_DEFECTS

DEATHS: Mapping[str, Case] = MappingProxyType(
    {
        DEATH_VID_ONLY: Case(0.02, Expected.NO_UIN),
        DEATH_NO_NUMBER: Case(0.02, Expected.NO_UIN),
        DEATH_MISSING_OPTIONAL: Case(0.05, Expected.ELIGIBLE),
        DEATH_LATE: Case(0.02, Expected.ELIGIBLE),
        DEATH_ESIGNET: Case(0.02, Expected.BORDERLINE),
        DEATH_BAD: Case(0.01, Expected.BAD),
        DEATH_WITH_UIN: Case(0.86, Expected.ELIGIBLE),
    }
)


class Mix:
    """Draws kinds by their shares.

    :param cases: a table of kinds.
    :param clean_only: draw only kinds that are clean and eligible, in the same proportion to each other.
    """

    def __init__(self, cases: Mapping[str, Case], *, clean_only: bool) -> None:
        chosen = {k: c for k, c in cases.items() if not clean_only or c.expected is Expected.ELIGIBLE}
        total = sum(case.share for case in chosen.values())
        self._steps = list(zip(accumulate(case.share / total for case in chosen.values()), chosen, strict=True))

    def draw(self, fraction: float) -> str:
        """The kind at ``fraction`` (0 to 1) of the whole; the last one takes what rounding leaves."""
        for limit, kind in self._steps:
            if fraction < limit:
                return kind
        return self._steps[-1][1]
