"""A clock that is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest


class WrongClock:
    """A clock that is wrong by some seconds, put in the place of ``time`` and ``datetime`` in our own modules only."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def put_into(self, patch: pytest.MonkeyPatch, modules: Iterable[ModuleType]) -> None:
        """Let modules read this clock."""
        seconds = self.seconds

        class Shifted(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return datetime.now(tz) + timedelta(seconds=seconds)

        for module in modules:
            if hasattr(module, "datetime"):
                patch.setattr(module, "datetime", Shifted)
            if hasattr(module, "time"):
                patch.setattr(module, "time", _ShiftedTime(seconds))


class _ShiftedTime:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def time(self) -> float:
        return time.time() + self._seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)
