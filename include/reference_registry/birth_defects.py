"""What can be wrong with a birth: a table of kinds, each a function from a sound birth to one with that one fault.

Several come from how MOSIP's packet manager reads text: what starts with a quote or a bracket may lose it, or vanish.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from random import Random
from types import MappingProxyType
from typing import Any

from reference_registry.numbers import vid
from reference_registry.records import Birth

Defect = Callable[[Birth, Random], Birth]


def _child(**columns: Any) -> Defect:
    return lambda birth, _: birth._replace(child=birth.child._replace(**columns))


def _registration(**columns: Any) -> Defect:
    return lambda birth, _: birth._replace(registration=birth.registration._replace(**columns))


def _given_name(change: Callable[[str], str]) -> Defect:
    def defect(birth: Birth, _: Random) -> Birth:
        return birth._replace(child=birth.child._replace(given_name=change(birth.child.given_name or "")))

    return defect


def _birth_date(change: Callable[[date, Random], str]) -> Defect:
    def defect(birth: Birth, rng: Random) -> Birth:
        born = date.fromisoformat(birth.child.birth_date or "")
        return birth._replace(child=birth.child._replace(birth_date=change(born, rng)))

    return defect


def _phone(change: Callable[[str], str]) -> Defect:
    def defect(birth: Birth, _: Random) -> Birth:
        phone = birth.registration.informant_phone or ""
        return birth._replace(registration=birth.registration._replace(informant_phone=change(phone)))

    return defect


def _has_uin(birth: Birth, rng: Random) -> Birth:
    number = vid(rng)[:10]  # ten digits are enough: that a birth has a UIN at all is the fault
    return birth._replace(child=birth.child._replace(uin=number))


def _future(born: date, rng: Random) -> str:
    return (born + timedelta(days=2000 + int(rng.random() * 9000))).isoformat()


_NO_NAME = {"given_name_local": None, "family_name_local": None, "local_language": None}

BIRTH_DEFECTS: Mapping[str, Defect] = MappingProxyType(
    {
        "birth.date_month_13": _birth_date(lambda born, _: f"{born.year}-13-45"),
        "birth.date_february_30": _birth_date(lambda born, _: f"{born.year}-02-30"),
        "birth.date_day_first": _birth_date(lambda born, _: f"31/12/{born.year}"),
        "birth.date_two_digit_year": _birth_date(lambda born, _: f"{born:%y-%m-%d}"),
        "birth.date_empty": _child(birth_date=""),
        "birth.date_missing": _child(birth_date=None),
        "birth.date_future": _birth_date(_future),
        "birth.phone_words": _registration(informant_phone="ask the neighbour"),
        "birth.phone_too_short": _phone(lambda phone: phone[:5]),
        "birth.phone_too_long": _phone(lambda phone: phone * 3),
        "birth.phone_leading_bracket": _phone(lambda phone: f"[{phone}"),
        "birth.email_without_at": _registration(informant_email="mother.example.org"),
        "birth.email_two_ats": _registration(informant_email="mother@home@example.org"),
        "birth.email_with_space": _registration(informant_email="mother of two@example.org"),
        "birth.name_leading_apostrophe": _given_name(lambda name: f"'{name}"),
        "birth.name_leading_double_quote": _given_name(lambda name: f'"{name}" {name}'),
        "birth.name_leading_bracket": _given_name(lambda name: f"[{name}"),
        "birth.name_leading_brace": _given_name(lambda name: f"{{{name}}}"),
        "birth.name_emoji": _given_name(lambda name: f"{name} \N{BABY}"),
        "birth.name_200_characters": _given_name(lambda name: (name * 200)[:200]),
        "birth.name_empty": _child(given_name="", family_name="", **_NO_NAME),
        "birth.name_blank": _child(given_name="   ", family_name="   ", **_NO_NAME),
        "birth.name_missing": _child(given_name=None, family_name=None, **_NO_NAME),
        "birth.place_unknown": _registration(residence_place_code="XX-99"),
        "birth.place_missing": _registration(residence_place_code=None),
        "birth.gender_unknown": _child(gender="X"),
        "birth.gender_digit": _child(gender="9"),
        "birth.gender_missing": _child(gender=None),
        "birth.has_uin": _has_uin,
    }
)
