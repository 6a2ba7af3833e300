"""Fixtures: an HTTP server on loopback that says what a test tells it to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_HERE = str(Path(__file__).resolve().parent)
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)

from mosip_servers import FarSide  # noqa: E402


@pytest.fixture
def far_side() -> Iterator[FarSide]:
    """A server that remembers what it was asked."""
    server = FarSide()
    yield server
    server.close()
