"""Every step of the ledger, found in the plugin's source, and how a process dies at one.

A step is one transaction: a ``with transaction(…)`` or ``with one_statement(…)`` of the plugin. A process can be killed
right before its commit and right after it. The list comes from the source, so that a step that nobody thought of, or
that nobody reaches, shows.
"""

from __future__ import annotations

import ast
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BEFORE, AFTER = "before", "after"
_CALLS = frozenset({"transaction", "one_statement"})

LEFT_OUT: dict[str, str] = {
    "dashboard": "pages read only",
    "onboarding": "prepares MOSIP, carries no event; killed at every step by tests/onboarding",
    "reconciliation.drilldown": "reads for people",
    "reconciliation.verifying": "reads for people",
    "reconciliation.alerting": "reads and tells; what it raises is found again by its next run",
    "ledger.migrate": "runs before anything else",
    "ledger.preflights": "belongs to onboarding",
    "reconciliation.balance.open_applications": "reads for people",
    "reconciliation.delivering.number_waiting": "reads for people",
    "ledger.inbox.newest_waiting": "reads, for Airflow's trigger",
    "ledger.handshakes.history": "reads for people",
    "ledger.alarms": "reads and tells people",
    "ledger.installation.is_ours": "reads for people",
    "ledger.installation.rotate_key": "a person's command",
}
"""Parts of the plugin, by the beginning of their name, that are not on the way of an event, and why."""


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One transaction.

    :param number: which of its function's, from 1.
    """

    module: str
    function: str
    number: int

    def __str__(self) -> str:
        """Name it as a table does."""
        return f"{self.module}.{self.function}" + (f" #{self.number}" if self.number > 1 else "")


Places = dict[tuple[str, int], Step]
"""A step by the file and the line where its ``with`` begins."""


def find_steps(plugin: Path) -> Places:
    """Read the plugin's source and give its steps.

    :param plugin: the folder of the package ``mosip_crvs``.
    """
    found: Places = {}
    for file in sorted(plugin.rglob("*.py")):
        module = ".".join(file.relative_to(plugin).with_suffix("").parts)
        found |= {(str(file), line): step for line, step in _steps_of(module, ast.parse(file.read_text("utf-8")))}
    return {place: step for place, step in found.items() if not is_left_out(f"{step.module}.{step.function}")}


def is_left_out(name: str) -> bool:
    """Say whether a module, or a function of one, is not on the way of an event."""
    return any(name == each or name.startswith(f"{each}.") for each in LEFT_OUT)


def _steps_of(module: str, tree: ast.AST, within: str = "") -> Iterator[tuple[int, Step]]:
    number = 0
    for node in _own_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _steps_of(module, node, f"{within}.{node.name}" if within else node.name)
        elif isinstance(node, ast.With) and any(_is_transaction(item.context_expr) for item in node.items):
            number += 1
            yield node.lineno, Step(module, within, number)


def _own_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree in the order of its text, but not into functions and classes within it."""
    for child in ast.iter_child_nodes(tree):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _own_nodes(child)


def _is_transaction(expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Call)
        and isinstance(expression.func, ast.Name)
        and expression.func.id in _CALLS
    )


Point = tuple[str, str]
"""A step by its name, and a moment of it."""


@dataclass(slots=True)
class Fate:
    """Where this process dies.

    :param point: the point that was chosen for it. :param countdown: at which passing of it, from 1.
    :param rare: points that processes seldom come to: it dies there at once.
    """

    point: Point | None
    countdown: int = 1
    rare: frozenset[Point] = frozenset()

    def strikes(self, point: Point) -> bool:
        """Say whether a process dies at a point that it comes to now."""
        if point in self.rare:
            return True
        if point != self.point:
            return False
        self.countdown -= 1
        return self.countdown <= 0


class Watch:
    """Tells every step that this process passes, and ends it at the one that is its fate.

    :param tell: is given a line of text; it must be written out before it returns.
    """

    def __init__(self, places: Places, tell: Callable[[str], None], fate: Fate | None) -> None:
        self._places = places
        self._tell = tell
        self._fate = fate

    def pass_by(self, step: Step | None, moment: str) -> None:
        """Come to a step."""
        if step is None:
            return
        if self._fate is not None and self._fate.strikes((str(step), moment)):
            self._tell(f"killed\t{step}\t{moment}\n")
            os.kill(os.getpid(), signal.SIGKILL)
        self._tell(f"passed\t{step}\t{moment}\n")

    def install(self) -> None:
        """Put this watch around every transaction of the plugin, for the rest of this process."""
        from mosip_crvs.ledger import connection

        for name in _CALLS:
            original = getattr(connection, name)
            watched = self._watched(original)
            for module in list(sys.modules.values()):
                if module.__name__.startswith("mosip_crvs") and getattr(module, name, None) is original:
                    setattr(module, name, watched)

    def _watched(self, original: Callable[..., AbstractContextManager[Any]]) -> Callable[..., Any]:
        @contextmanager
        def watched(engine: Any) -> Iterator[Any]:
            step = self._step_of(sys._getframe(2))
            with original(engine) as connection:
                yield connection
                self.pass_by(step, BEFORE)
            self.pass_by(step, AFTER)

        return watched

    def _step_of(self, frame: Any) -> Step | None:
        while frame is not None and frame.f_code.co_filename.endswith("contextlib.py"):
            frame = frame.f_back
        return None if frame is None else self._places.get((frame.f_code.co_filename, frame.f_lineno))
