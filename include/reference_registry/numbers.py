"""Numbers that look like MOSIP's: UIN (10 digits) and VID (16), with a Verhoeff check digit and MOSIP's default shape.

Not issued by anyone: a MOSIP that knows its UINs knows none of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import count
from random import Random
from zlib import crc32

_D = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
_P0 = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _permutations() -> tuple[tuple[int, ...], ...]:
    rows: list[tuple[int, ...]] = [tuple(range(10))]
    for _ in range(7):
        rows.append(tuple(_P0[digit] for digit in rows[-1]))
    return tuple(rows)


_P = _permutations()
_INVERSE = tuple(row.index(0) for row in _D)

# What MOSIP's generator avoids: a digit again within two places, a block of two again, a run of three up or down,
# three even digits in a row, and two numbers it is told to avoid.
_RUNS = [f"{n}{n + 1}{n + 2}" for n in range(8)]
_AVOIDED = re.compile(r"(\d)\d?\1|(\d\d).*\2|[02468]{3}|786|666|" + "|".join(_RUNS + [run[::-1] for run in _RUNS]))


def check_digit(digits: str) -> str:
    """The Verhoeff check digit to append to ``digits``."""
    state = 0
    for position, digit in enumerate(reversed(digits), start=1):
        state = _D[state][_P[position % 8][ord(digit) - 48]]
    return str(_INVERSE[state])


LANES = {"births": 0, "hostile": 1_700_000, "deaths": 2_000_000}
_BLOCK = 2_500_000  # of the 10**9 stems: a block for each of 400 days, after which they come round again
_STRIDE = 618_033_989  # shares no factor with 10**9, so no stem comes twice


def uins(seed: int, day: date, lane: str) -> Iterator[str]:
    """UINs for a day, endless; none comes twice under a seed within 400 days.

    :param lane: who draws (``LANES``): births and deaths have numbers of their own.
    """
    offset = crc32(str(seed).encode())
    for step in count((day.toordinal() % 400) * _BLOCK + LANES[lane]):
        stem = str((step * _STRIDE + offset) % 1_000_000_000)
        if len(stem) < 9 or stem[0] == "1" or _AVOIDED.search(stem):
            continue
        number = stem + check_digit(stem)
        if not _AVOIDED.search(number) and number[:5] != number[:4:-1]:
            yield number


def vid(rng: Random) -> str:
    """A VID."""
    while True:
        stem = str(int((0.2 + 0.8 * rng.random()) * 10**15))
        if _AVOIDED.search(stem):
            continue
        number = stem + check_digit(stem)
        if not _AVOIDED.search(number):
            return number
