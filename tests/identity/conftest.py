"""Fixtures: the country's real files, compiled once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_HERE = str(Path(__file__).resolve().parent)
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)

from identity_samples import country_mapper  # noqa: E402

from mosip_crvs.identity.page import PageMapper  # noqa: E402
from mosip_crvs.model import RegistrationKind  # noqa: E402


@pytest.fixture(scope="session")
def births() -> PageMapper:
    """What maps births, by the files in ``include``."""
    return country_mapper(RegistrationKind.BIRTH)


@pytest.fixture(scope="session")
def deaths() -> PageMapper:
    """What maps deaths, by the files in ``include``."""
    return country_mapper(RegistrationKind.DEATH)
