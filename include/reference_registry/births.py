"""Births: an endless supply for each day, and a pure iterator over a number of days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count, islice
from random import Random
from zoneinfo import ZoneInfo

from reference_registry import kinds
from reference_registry.birth_defects import BIRTH_DEFECTS
from reference_registry.days import OfficeDay, Series, spread, yesterday
from reference_registry.names import Name, family, given
from reference_registry.people import (
    FACILITIES,
    culture_for,
    days_before,
    gender_for,
    info_token,
    informant,
    person,
    pick,
    residence,
    stranger,
)
from reference_registry.records import Birth, BirthRegistration

_DEFECTS = tuple(BIRTH_DEFECTS)


def _birth_date(kind: str, day: date, rng: Random) -> str:
    """An ISO date of birth that makes a child of the kind, registered on ``day``."""
    if kind == kinds.LATE:
        return days_before(day, 366, 4 * 365, rng)
    if kind == kinds.OVER_FIVE:
        return days_before(day, 7 * 366, 17 * 365, rng)
    if kind in (kinds.NEARLY_SIX, kinds.JUST_SIX):
        # Six in 3 to 20 days, or six since 0 to 5 days. On 29 February it is the day after.
        ahead = 3 + int(rng.random() * 18) if kind == kinds.NEARLY_SIX else -int(rng.random() * 6)
        birthday = day + timedelta(days=ahead)
        if (birthday.month, birthday.day) == (2, 29):
            birthday += timedelta(days=1)
        return birthday.replace(year=birthday.year - 6).isoformat()
    return days_before(day, 0, 60, rng)


def _family(kind: str, office: OfficeDay, number: int) -> Birth:
    """One birth with its family: both parents, everything filled in, but for what the kind leaves out."""
    stem, day, rng, ids = office.stem(number), office.day, office.rng, office.ids
    culture, gender, home = culture_for(rng), gender_for(rng), residence(rng)
    born = _birth_date(kind, day, rng)
    surname = family(culture, rng)
    mother = stranger(f"P-{stem}-M", culture, "F", days_before(date.fromisoformat(born), 17 * 366, 44 * 365, rng), rng)
    mother = mother._replace(uin=next(ids) if rng.random() < 0.8 else None)
    father = None
    if kind != kinds.SINGLE_MOTHER:
        father = person(
            f"P-{stem}-F", culture, "M", days_before(date.fromisoformat(born), 18 * 366, 60 * 365, rng),
            given_name=given(culture, "M", rng), family_name=surname, uin=next(ids) if rng.random() < 0.8 else None,
        )  # fmt: skip
    child = person(f"P-{stem}-C", culture, gender, born, given_name=given(culture, gender, rng), family_name=surname)
    by_father = father if father is not None and rng.random() < 0.4 else None
    who = informant("FATHER", by_father, rng) if by_father else informant("MOTHER", mother, rng)
    if kind == kinds.ESIGNET:
        who = who._replace(info_token=info_token(rng))
    facility: str | None = pick(FACILITIES, rng)
    postal_code: str | None = home.place.postal_code
    if kind == kinds.MISSING_OPTIONAL:
        who, facility, postal_code = who._replace(phone=None, email=None), None, None
    if kind == kinds.LATIN_ONLY:
        child = child._replace(given_name_local=None, family_name_local=None, local_language=None)
    registered, modified = office.moments()
    registration = BirthRegistration(
        f"B-{stem}", child.person_id, mother.person_id, father.person_id if father else None, *who,
        home.place.code, facility, "SINGLE", 1, home.address_line1, home.place.code, postal_code,
        home.registrar_id, "REGISTERED", registered, modified,
    )  # fmt: skip
    return Birth(kind, registration, child, mother, father)


def _twins(first: Birth, office: OfficeDay, number: int) -> tuple[Birth, Birth]:
    """A birth made into two: same mother, same day, two children, two registrations; ``number`` is the second's."""
    rng = office.rng
    culture = next(c for c in (culture_for(rng) for _ in count()) if c.language == first.child.local_language)
    if first.kind == kinds.TWIN_ONE_LETTER:
        gender, *names = pick(culture.alike, rng)
        genders = (gender, gender)
    else:
        genders = pick((("F", "M"), ("F", "F"), ("M", "M")), rng)
        one = given(culture, genders[0], rng)
        names = [one, next(n for n in (given(culture, genders[1], rng) for _ in count()) if n != one)]
    stem = office.stem(number)
    pair: list[Birth] = []
    for order, (sex, name) in enumerate(zip(genders, names, strict=True), start=1):
        twin: Name = name
        child = first.child._replace(gender=sex, given_name=twin.latin, given_name_local=twin.local)
        registration = first.registration._replace(plurality="TWIN", birth_order=order)
        if order == 2:
            child = child._replace(person_id=f"P-{stem}-C")
            registration = registration._replace(registration_id=f"B-{stem}", child_id=child.person_id)
        pair.append(first._replace(child=child, registration=registration))
    return pair[0], pair[1]


def _one_day(series: Series, day: date, zone: ZoneInfo, *, clean_only: bool) -> Iterator[Birth]:
    """The births of a day, without end; the first n are the same for every n."""
    office = OfficeDay.open(series, day, zone, "births")
    mix = kinds.Mix(kinds.BIRTHS, clean_only=clean_only)
    defect = day.toordinal() * 11  # so that few days with few bad ones each still show many kinds
    number = 0
    while True:
        number += 1
        kind = mix.draw(office.rng.random())
        birth = _family(kind, office, number)
        if kind in (kinds.TWIN, kinds.TWIN_ONE_LETTER):
            number += 1
            yield from _twins(birth, office, number)
        elif kind == kinds.BIRTH_BAD:
            yield spoil(birth, _DEFECTS[defect % len(_DEFECTS)], office.rng)
            defect += 1
        else:
            yield birth


def spoil(birth: Birth, kind: str, rng: Random) -> Birth:
    """The same birth with one thing wrong: ``kind`` of ``BIRTH_DEFECTS``."""
    return BIRTH_DEFECTS[kind](birth, rng)._replace(kind=kind)


def generate_births(
    births: int,
    *,
    days: int = 1,
    seed: int = 1,
    end_day: date | None = None,
    time_zone: str = "UTC",
    clean_only: bool = False,
) -> Iterator[Birth]:
    """Births spread over the days that end on ``end_day``; nothing is read or written but the table of places.

    The same arguments give the same births. More births under the same seed and day are the same ones, and more.

    :param births: how many registrations in all; a twin counts as one.
    :param end_day: by default yesterday in ``time_zone``.
    :param time_zone: IANA name; offices are open from 08:00 to 17:00 in it.
    :param clean_only: only births that are eligible and have nothing wrong.
    """
    zone, series = ZoneInfo(time_zone), Series("B", seed, "C" if clean_only else "")
    for day, number in spread(births, days, end_day or yesterday(time_zone)):
        yield from islice(_one_day(series, day, zone, clean_only=clean_only), number)


def generate_hostile_births(
    births: int, *, days: int = 1, seed: int = 1, end_day: date | None = None, time_zone: str = "UTC"
) -> Iterator[Birth]:
    """Births of which every one has one thing wrong, going through all kinds of ``BIRTH_DEFECTS`` in turn."""
    zone, series = ZoneInfo(time_zone), Series("B", seed, "H")
    turn = count()
    for day, number in spread(births, days, end_day or yesterday(time_zone)):
        office = OfficeDay.open(series, day, zone, "hostile")
        for n in range(1, number + 1):
            birth = _family(kinds.ORDINARY, office, n)
            yield spoil(birth, _DEFECTS[next(turn) % len(_DEFECTS)], office.rng)
