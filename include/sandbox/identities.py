"""The ID repository: UINs by AID. It does not deduplicate people (mosip-packets.md §7.2, §7.3)."""

from __future__ import annotations

import random
import re

_D = [[0] * 10 for _ in range(10)]
for _a in range(10):
    for _b in range(10):
        if _a < 5:
            _D[_a][_b] = (_a + _b) % 5 if _b < 5 else 5 + (_a + _b) % 5
        else:
            _D[_a][_b] = 5 + (_a - _b) % 5 if _b < 5 else (_a - _b) % 5
_P = [list(range(10)), [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
for _ in range(6):
    _P.append([_P[-1][_P[1][digit]] for digit in range(10)])
_INVERSE = [0, 4, 3, 2, 1, 5, 6, 7, 8, 9]
_WELL_FORMED = re.compile(r"\d{10}")
_SPAN = 799_999_999


def check_digit(digits: str) -> str:
    """Verhoeff's check digit, which ends every UIN."""
    state = 0
    for place, digit in enumerate(reversed(digits), start=1):
        state = _D[state][_P[place % 8][int(digit)]]
    return str(_INVERSE[state])


class Identities:
    """Identities by UIN, and which AID made which.

    UINs look random, never repeat, and are the same for the same seed and order.
    """

    def __init__(self, seed: int, known: str) -> None:
        self._offset = random.Random(f"{seed}:uin").randrange(_SPAN)
        self._known = known
        self._of_aid: dict[str, str] = {}
        self._issued: set[str] = set()
        self.declared_deceased: set[str] = set()

    def create(self, aid: str) -> str:
        """A UIN for an AID; the same one when asked again (IDR-IDC-012 counts as success)."""
        if aid not in self._of_aid:
            # A step coprime to the span visits every number once.
            number = (self._offset + len(self._of_aid) * 361_803_397) % _SPAN
            digits = f"{200_000_000 + number}"
            uin = digits + check_digit(digits)
            self._of_aid[aid] = uin
            self._issued.add(uin)
        return self._of_aid[aid]

    def exists(self, uin: str) -> bool:
        """Would the ID repository find this UIN?"""
        return uin in self._issued or (self._known == "any" and _WELL_FORMED.fullmatch(uin) is not None)

    def declare_deceased(self, uin: str) -> None:
        """The death fields are stored on the identity; it stays active (mosip-packets.md §7.3)."""
        self.declared_deceased.add(uin)
