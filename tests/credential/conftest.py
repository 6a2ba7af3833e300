"""Keys that many tests share: making one takes a while."""

from __future__ import annotations

import pytest
from tests.credential.sealing import Pair, new_pair

from mosip_crvs.credential.keyring import KeyRing


@pytest.fixture(scope="session")
def partner() -> Pair:
    """Our partner's certificate and key."""
    return new_pair("crvs1")


@pytest.fixture(scope="session")
def stranger() -> Pair:
    """Another partner's."""
    return new_pair("another")


@pytest.fixture(scope="session")
def mosip() -> Pair:
    """MOSIP's signing key."""
    return new_pair("KERNEL-SIGN")


@pytest.fixture(scope="session")
def keys(partner: Pair) -> KeyRing:
    """The partner's only."""
    return KeyRing([(partner.certificate, partner.key)])
