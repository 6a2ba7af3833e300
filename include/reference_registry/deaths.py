"""Deaths: an endless supply for each day, a pure iterator over a number of days, and what can be wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from itertools import islice
from random import Random
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from reference_registry import kinds
from reference_registry.days import OfficeDay, Series, spread, yesterday
from reference_registry.numbers import vid
from reference_registry.people import (
    FACILITIES,
    culture_for,
    days_before,
    gender_for,
    info_token,
    informant,
    pick,
    residence,
    stranger,
)
from reference_registry.records import Death, DeathRegistration

MANNERS = ("NATURAL",) * 16 + ("ACCIDENT", "ACCIDENT", "SUICIDE", "HOMICIDE", "UNDETERMINED")
RELATIONS = ("SPOUSE", "SON", "DAUGHTER", "SIBLING", "OTHER")

Defect = Callable[[Death, Random], Death]


def _deceased(**columns: Any) -> Defect:
    return lambda death, _: death._replace(deceased=death.deceased._replace(**columns))


def _registration(**columns: Any) -> Defect:
    return lambda death, _: death._replace(registration=death.registration._replace(**columns))


def _death_date(change: Callable[[date, Death, Random], str]) -> Defect:
    def defect(death: Death, rng: Random) -> Death:
        died = date.fromisoformat(death.registration.death_date or "")
        return death._replace(registration=death.registration._replace(death_date=change(died, death, rng)))

    return defect


def _before_birth(_died: date, death: Death, rng: Random) -> str:
    return days_before(date.fromisoformat(death.deceased.birth_date or ""), 30, 3000, rng)


def _uin(change: Callable[[str], str]) -> Defect:
    def defect(death: Death, _: Random) -> Death:
        return death._replace(deceased=death.deceased._replace(uin=change(death.deceased.uin or "")))

    return defect


DEATH_DEFECTS: Mapping[str, Defect] = MappingProxyType(
    {
        "death.date_month_13": _death_date(lambda died, *_: f"{died.year}-13-45"),
        "death.date_day_first": _death_date(lambda died, *_: f"31/12/{died.year}"),
        "death.date_empty": _registration(death_date=""),
        "death.date_missing": _registration(death_date=None),
        "death.date_future": _death_date(
            lambda died, _, rng: (died + timedelta(days=2000 + int(rng.random() * 9000))).isoformat()
        ),
        "death.date_before_birth": _death_date(_before_birth),
        "death.birth_date_day_first": _deceased(birth_date="31/12/1950"),
        "death.uin_letters": _uin(lambda uin: f"ID{uin[2:]}"),
        "death.uin_too_short": _uin(lambda uin: uin[:9]),
        "death.uin_wrong_check_digit": _uin(lambda uin: uin[:9] + str((int(uin[9]) + 1) % 10)),
        "death.manner_unknown": _registration(manner_of_death="XX"),
    }
)
_DEFECTS = tuple(DEATH_DEFECTS)


def _one(kind: str, office: OfficeDay, number: int) -> Death:
    """One death with everything filled in, but for what the kind leaves out."""
    stem, day, rng, ids = office.stem(number), office.day, office.rng, office.ids
    culture, gender, home = culture_for(rng), gender_for(rng), residence(rng)
    died = days_before(day, 366, 3 * 365, rng) if kind == kinds.DEATH_LATE else days_before(day, 0, 20, rng)
    age = 95 * 365 * (1 - rng.random() ** 3)  # mostly old, some young, a few infants
    deceased = stranger(
        f"P-{stem}-D", culture, gender, days_before(date.fromisoformat(died), int(age), int(age) + 30, rng), rng
    )
    deceased = deceased._replace(
        uin=None if kind in (kinds.DEATH_VID_ONLY, kinds.DEATH_NO_NUMBER) else next(ids),
        vid=vid(rng) if kind == kinds.DEATH_VID_ONLY else None,
    )
    who = informant(pick(RELATIONS, rng), stranger("", culture, gender_for(rng), "", rng), rng)
    if kind == kinds.DEATH_ESIGNET:
        who = who._replace(info_token=info_token(rng))
    facility: str | None = pick(FACILITIES, rng)
    if kind == kinds.DEATH_MISSING_OPTIONAL:
        who, facility = who._replace(phone=None, email=None), None
    registered, modified = office.moments()
    registration = DeathRegistration(
        f"D-{stem}", deceased.person_id, *who, died, home.place.code, facility, pick(MANNERS, rng),
        home.registrar_id, "REGISTERED", registered, modified,
    )  # fmt: skip
    return Death(kind, registration, deceased)


def _one_day(series: Series, day: date, zone: ZoneInfo, *, clean_only: bool) -> Iterator[Death]:
    """The deaths of a day, without end; the first n are the same for every n."""
    office = OfficeDay.open(series, day, zone, "deaths")
    mix = kinds.Mix(kinds.DEATHS, clean_only=clean_only)
    number, defect = 0, day.toordinal() * 3
    while True:
        number += 1
        kind = mix.draw(office.rng.random())
        death = _one(kind, office, number)
        if kind == kinds.DEATH_BAD:
            kind = _DEFECTS[defect % len(_DEFECTS)]
            death = DEATH_DEFECTS[kind](death, office.rng)._replace(kind=kind)
            defect += 1
        yield death


def generate_deaths(
    deaths: int,
    *,
    days: int = 1,
    seed: int = 1,
    end_day: date | None = None,
    time_zone: str = "UTC",
    clean_only: bool = False,
) -> Iterator[Death]:
    """Deaths spread over the days that end on ``end_day``; as :func:`~reference_registry.births.generate_births`.

    :param clean_only: only deaths with a UIN and nothing wrong.
    """
    zone, series = ZoneInfo(time_zone), Series("D", seed, "C" if clean_only else "")
    for day, number in spread(deaths, days, end_day or yesterday(time_zone)):
        yield from islice(_one_day(series, day, zone, clean_only=clean_only), number)
