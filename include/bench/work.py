"""One measurement as a piece of work for a process of its own, and what the measured code needs to do it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mosip_crvs.mosip.settings import MosipSettings

INCLUDE = Path(__file__).resolve().parents[1]
"""The folder with the mappings, rules, schemas and SQL that the pipeline uses as well."""

CALLS_IN_FLIGHT = 64
CENTER_ID, MACHINE_ID, OFFICER_ID, SOURCE = "10001", "10077", "crvs", "CRVS1"


@dataclass(frozen=True)
class Work:
    """What one process is to do.

    :param kind: ``prepare``, ``floor``, ``sync`` or ``loop``.
    :param events: how many to send; :param range_size: how many the pipeline takes up as one task.
    :param day: the day of the registry that holds them, ISO.
    """

    kind: str
    events: int = 0
    day: str = ""
    registry: str = ""
    ledger: str = ""
    far_side: str = ""
    range_size: int = 5_000

    @property
    def start(self) -> datetime:
        """The beginning of the day."""
        return datetime.combine(date.fromisoformat(self.day), datetime.min.time(), UTC)

    @property
    def end(self) -> datetime:
        """The beginning of the next."""
        return self.start + timedelta(days=1)

    def settings(self) -> MosipSettings:
        """The stub as a MOSIP, with no ceiling on the rate."""
        from mosip_crvs.mosip.settings import MosipSettings

        return MosipSettings(
            base_url=self.far_side,
            client_id="bench",
            client_secret="bench",  # noqa: S106 (the stub takes any)
            center_id=CENTER_ID,
            machine_id=MACHINE_ID,
            officer_id=OFFICER_ID,
            source=SOURCE,
            concurrency=CALLS_IN_FLIGHT,
        )


@dataclass(frozen=True)
class Result:
    """What a process came to.

    :param seconds: of the measured part only: without starting Python and importing.
    :param cpu_seconds: that this process was on a core in that time; what the rest of the machine did not disturb.
    :param peak_rss: bytes.
    """

    events: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_rss: int = 0

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds if self.seconds else 0.0

    @property
    def cpu_microseconds(self) -> float:
        """Of this process for one event."""
        return self.cpu_seconds / self.events * 1e6 if self.events else 0.0


class Stopwatch:
    """Measures from its making to :meth:`result`."""

    def __init__(self) -> None:
        self._began, self._cpu_began = time.perf_counter(), time.process_time()

    def result(self, events: int) -> Result:
        """Stop."""
        return Result(events, time.perf_counter() - self._began, time.process_time() - self._cpu_began)
