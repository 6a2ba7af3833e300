"""From the results of the rounds to figures, and from figures to a table. Pure.

A ratio is the median of the ratios of single rounds, whose parts were measured one right after the other: what slows
the whole machine for a while slows both. It may therefore differ a little from the ratio of the medians.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.work import Result

LEAST_OF_FLOOR = 0.30
LEAST_OF_LOOP = 3.0
MOST_MEMORY_GROWTH = 1.2


@dataclass(frozen=True)
class Round:
    """One measurement of each kind, made one after the other."""

    floor: Result
    sync: Result
    loop: Result


@dataclass(frozen=True)
class Memory:
    """Two submitting processes, one of them with ten times the events."""

    small: Result
    large: Result


def figures(rounds: Sequence[Round], memory: Memory | None) -> dict[str, Any]:
    """Give what the JSON holds: rates in events a second, memory in bytes, and the ratios with their targets."""
    said: dict[str, Any] = {
        "floor": _rates([one.floor for one in rounds]),
        "sync": _rates([one.sync for one in rounds]),
        "loop": _rates([one.loop for one in rounds]),
        "sync_of_floor": _target(median(r.sync.rate / r.floor.rate for r in rounds), least=LEAST_OF_FLOOR),
        "sync_of_loop": _target(median(r.sync.rate / r.loop.rate for r in rounds), least=LEAST_OF_LOOP),
    }
    if memory is not None:
        said["memory"] = {
            name: {
                "events": result.events,
                "peak_rss_bytes": result.peak_rss,
                "events_per_second": round(result.rate, 1),
            }
            for name, result in (("small", memory.small), ("large", memory.large))
        }
        said["memory_growth"] = _target(memory.large.peak_rss / memory.small.peak_rss, most=MOST_MEMORY_GROWTH)
    return said


def _rates(results: Sequence[Result]) -> dict[str, Any]:
    return {
        "events": results[0].events,
        "events_per_second": round(median(result.rate for result in results), 1),
        "cpu_microseconds_per_event": round(median(result.cpu_microseconds for result in results), 1),
        "rounds": [round(result.rate, 1) for result in results],
    }


def _target(ratio: float, *, least: float | None = None, most: float | None = None) -> dict[str, Any]:
    met = (least is None or ratio >= least) and (most is None or ratio <= most)
    bound = {"at_least": least} if least is not None else {"at_most": most}
    return {"ratio": round(ratio, 3), **bound, "met": met}


def as_table(said: Mapping[str, Any]) -> str:
    """Lay the figures out for a terminal."""
    of_floor, of_loop = said["sync_of_floor"], said["sync_of_loop"]
    rows = [
        ("floor: the bare wire", _events(said["floor"]), _cpu(said["floor"])),
        ("sync: all guarantees", _events(said["sync"]), _cpu(said["sync"])),
        ("loop: written by hand", _events(said["loop"]), _cpu(said["loop"])),
        ("sync, share of the floor", f"{of_floor['ratio']:.0%}", _verdict(of_floor, f"at least {LEAST_OF_FLOOR:.0%}")),
        ("sync, times the loop", f"{of_loop['ratio']:.1f} x", _verdict(of_loop, f"at least {LEAST_OF_LOOP:.0f} x")),
    ]
    if "memory" in said:
        for part in said["memory"].values():
            megabytes = part["peak_rss_bytes"] / 2**20
            rows.append((f"memory, peak, {part['events']:,} events", f"{megabytes:.0f} MiB", ""))
        growth = said["memory_growth"]
        rows.append(("memory, growth", f"{growth['ratio']:.2f} x", _verdict(growth, f"at most {MOST_MEMORY_GROWTH} x")))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(f"{name:<{widths[0]}}  {value:>{widths[1]}}  {note}".rstrip() for name, value, note in rows)


def _events(part: Mapping[str, Any]) -> str:
    return f"{part['events_per_second']:,.0f} events/s"


def _cpu(part: Mapping[str, Any]) -> str:
    return f"{part['cpu_microseconds_per_event']:,.0f} µs of the client's CPU an event"


def _verdict(target: Mapping[str, Any], words: str) -> str:
    return f"{words}: {'met' if target['met'] else 'MISSED'}"
