"""What births and deaths have in common: people, informants and addresses, drawn from a day's source of chance."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import NamedTuple, TypeVar

from reference_registry.names import CULTURES, Culture, Name, family, given
from reference_registry.places import REGISTRARS_A_PLACE, Place, places, registrar_id
from reference_registry.records import Person

T = TypeVar("T")

STREETS = ("Market Road", "Rue de la Gare", "Station Street", "Avenue Hassan II", "River Lane", "Mosque Street",
           "School Road", "Rue des Oliviers", "Mill Street", "Garden Row")  # fmt: skip
FACILITIES = ("District Hospital", "Maternity Ward, Central Hospital", "Health Post 4", "Clinic of the Red Crescent")


def pick(options: Sequence[T], rng: Random) -> T:
    """One of ``options``, all alike."""
    return options[int(rng.random() * len(options))]


def culture_for(rng: Random) -> Culture:
    """The names that a family uses."""
    return pick(CULTURES, rng)


def gender_for(rng: Random) -> str:
    """M or F; U in one of two hundred."""
    fraction = rng.random()
    return "U" if fraction < 0.005 else "M" if fraction < 0.51 else "F"


def days_before(day: date, least: int, most: int, rng: Random) -> str:
    """A date between ``least`` and ``most`` days before ``day``, as ISO text."""
    return (day - timedelta(days=least + int(rng.random() * (most - least + 1)))).isoformat()


def person(
    person_id: str,
    culture: Culture,
    gender: str,
    birth_date: str,
    *,
    given_name: Name,
    family_name: Name,
    uin: str | None = None,
    vid: str | None = None,
) -> Person:
    """A person with both spellings of the name."""
    return Person(
        person_id,
        given_name.latin,
        family_name.latin,
        given_name.local,
        family_name.local,
        culture.language,
        gender,
        birth_date,
        uin,
        vid,
    )


def stranger(person_id: str, culture: Culture, gender: str, birth_date: str, rng: Random) -> Person:
    """A person with names of their own."""
    names = given(culture, gender, rng), family(culture, rng)
    return person(person_id, culture, gender, birth_date, given_name=names[0], family_name=names[1])


class Informant(NamedTuple):
    """Who declared the event, in the column order of both registration tables."""

    relation: str | None
    name: str | None
    phone: str | None
    email: str | None
    info_token: str | None


def informant(relation: str, who: Person, rng: Random) -> Informant:
    """An informant with a ten-digit phone and, three times in four, an e-mail; without an eSignet token."""
    name = f"{who.given_name} {who.family_name}"
    mailbox = "".join(c for c in f"{who.given_name}.{who.family_name}".lower() if c.isalnum() or c == ".")
    return Informant(
        relation,
        name,
        f"{6 + int(rng.random() * 4)}{int(rng.random() * 10**9):09d}",
        f"{mailbox}{int(rng.random() * 9000) + 1000}@example.org" if rng.random() < 0.75 else None,
        None,
    )


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def info_token(rng: Random) -> str:
    """A token shaped like eSignet's user-info JWT. Its signature is noise: nobody can verify it."""
    header = json.dumps({"alg": "RS256", "kid": "reference-registry"}).encode()
    claims = {"iss": "https://esignet.example.org", "aud": "crvs", "sub": f"{rng.getrandbits(128):032x}"}
    signature = rng.getrandbits(2048).to_bytes(256, "big")
    return ".".join(_base64url(part) for part in (header, json.dumps(claims).encode(), signature))


class Residence(NamedTuple):
    """Where a family lives, and the registrar of the place."""

    place: Place
    address_line1: str
    registrar_id: str


def residence(rng: Random) -> Residence:
    """An address in one of the places."""
    place = pick(places(), rng)
    number = int(rng.random() * REGISTRARS_A_PLACE)
    return Residence(place, f"{1 + int(rng.random() * 299)} {pick(STREETS, rng)}", registrar_id(place, number))
