"""Real servers for the conformance suite (``./run conformance``); ``./run test`` never comes here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.distributions import cache_folder
from tests.conformance.keycloak_generations import GENERATIONS, Generation
from tests.conformance.keycloak_servers import RealKeycloak, real_keycloak
from tests.conformance.mosip_realm import make_mosip_realm

HERE = Path(__file__).parent


def pytest_report_header() -> str:
    """Say which servers are meant."""
    versions = ", ".join(generation.distribution.version for generation in GENERATIONS)
    return f"conformance: Keycloak {versions} from {cache_folder()}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a real Keycloak, so that no such test can be left out by forgetting to."""
    for item in items:
        if item.path.is_relative_to(HERE) and "keycloak" in getattr(item, "fixturenames", ()):
            item.add_marker("keycloak")


@pytest.fixture(scope="session", params=GENERATIONS, ids=lambda generation: f"keycloak-{generation.name}")
def keycloak(request: pytest.FixtureRequest) -> Iterator[RealKeycloak]:
    """A real Keycloak with MOSIP's realm, once of each generation; all tests of a run share it."""
    generation: Generation = request.param
    with real_keycloak(generation) as server:
        make_mosip_realm(server)
        yield server


@pytest.fixture
def fresh_realm(keycloak: RealKeycloak) -> RealKeycloak:
    """The same server, its realm `mosip` made anew: for tests that need it untouched."""
    make_mosip_realm(keycloak)
    return keycloak
