"""Steps, as items plan them."""

from __future__ import annotations

from collections.abc import Callable

from mosip_crvs.mosip.endpoints import Write
from mosip_crvs.onboarding.provision import Change, Step


def creating(what: str, call: Write, perform: Callable[[], None], *, unique: bool = True) -> Step:
    """A step that makes something.

    :param unique: MOSIP refuses a second one.
    """
    return Step(Change.CREATE, what, call, perform, unique)


def patching(what: str, call: Write, perform: Callable[[], None]) -> Step:
    """A step that changes something."""
    return Step(Change.PATCH, what, call, perform)


def later() -> None:
    """Stand for a step that is planned again once what it needs is there."""
