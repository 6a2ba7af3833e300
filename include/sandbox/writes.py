"""The list of accepted calls that changed onboarding content: what a plan must not grow and a second run must not."""

from __future__ import annotations

from typing import Any

from aiohttp import web


class Writes:
    """Told by a handler after its change was made."""

    def __init__(self) -> None:
        self._calls: list[tuple[str, str]] = []

    def note(self, request: web.Request) -> None:
        """Count one accepted call."""
        self._calls.append((request.method, request.path))

    def view(self) -> dict[str, Any]:
        """`{"count": n, "calls": [{"method", "path"}]}`, oldest first."""
        return {
            "count": len(self._calls),
            "calls": [{"method": method, "path": path} for method, path in self._calls],
        }
