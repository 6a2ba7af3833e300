"""The seam between services that hold onboarding content and the levers that show and break it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol


class Part(Protocol):
    """One service's content."""

    def state(self) -> dict[str, Any]:
        """All of it as JSON: rows by entity and id, no times, secrets as `digest`. Equal content gives equal state."""

    def edit(self, entity: str, id: str, values: Mapping[str, Any], *, delete: bool) -> bool:
        """Change or remove one row as an operator at a console would.

        :returns: False when this part has no such entity.
        :raises KeyError: when the entity has no such row.
        """


def digest(secret: str) -> str:
    """A short fingerprint, so that a change of a secret shows and the secret does not."""
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()[:16]
