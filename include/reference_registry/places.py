"""The places that the registry uses: those of ``include/mappings/places.yaml``, and no others."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

PLACES_FILE = Path(__file__).resolve().parent.parent / "mappings" / "places.yaml"
REGISTRARS_A_PLACE = 2


class Place(NamedTuple):
    """A place of residence: code, English names of its zone and city, and a postal code."""

    code: str
    zone: str
    city: str
    postal_code: str

    @property
    def city_code(self) -> str:
        """The code of the city as a place of its own."""
        return "CITY-" + self.city.upper().replace(" ", "-")


@cache
def places() -> tuple[Place, ...]:
    """All places, in the file's order."""
    table = yaml.safe_load(PLACES_FILE.read_text(encoding="utf-8"))["places"]
    return tuple(
        Place(code, levels["zone"]["eng"], levels["city"]["eng"], str(14000 + 10 * number))
        for number, (code, levels) in enumerate(table.items())
    )


def place_rows() -> list[tuple[str, str, str | None]]:
    """Rows of ``crvs.place``: the cities, and the zones within them."""
    cities: dict[str, tuple[str, str, str | None]] = {p.city_code: (p.city_code, p.city, None) for p in places()}
    return [*cities.values(), *((p.code, p.zone, p.city_code) for p in places())]


def registrar_id(place: Place, number: int) -> str:
    """The id of a place's registrar; ``number`` counts from 0."""
    return f"R-{place.code}-{number + 1}"


def registrar_rows() -> list[tuple[str, str, str]]:
    """Rows of ``crvs.registrar``."""
    return [
        (registrar_id(place, n), f"Registrar {n + 1}, {place.zone}", place.code)
        for place in places()
        for n in range(REGISTRARS_A_PLACE)
    ]
