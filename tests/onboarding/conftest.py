"""Fixtures: MOSIPs to onboard. ``empty_mosip`` is a stock one, ``mosip`` one in which everything was provisioned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests.conftest import INCLUDE, Postgres
from tests.onboarding.environments import COUNTRY_FILE, LOGINS, Environment, LoopInThread, copy_keys, sign
from tests.receiver.emptied_ledger import empty
from tests.receiver.receiver_calls import serving

from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.receiver.__main__ import build

Start = Callable[..., Environment]


@pytest.fixture(scope="session")
def loop_in_thread() -> Iterator[LoopInThread]:
    """Where sandboxes run."""
    made = LoopInThread()
    yield made
    made.close()


@pytest.fixture(scope="session")
def onboarding_ledger_url(postgres: Postgres) -> str:
    """The ledger that the tests of onboarding share; each finds it empty."""
    return postgres.create("ledger_of_onboarding", template="ledger_template")


@pytest.fixture(scope="session")
def onboarding_receiver(onboarding_ledger_url: str, seal_key: str) -> Iterator[str]:
    """The address of a receiver that works with that ledger."""
    with serving(build(onboarding_ledger_url, seal_key)) as address:
        yield address


@pytest.fixture
def onboarding_ledger(onboarding_ledger_url: str) -> Iterator[Engine]:
    """That ledger, emptied."""
    empty(onboarding_ledger_url)
    engine = connect_to_ledger(onboarding_ledger_url, pool_size=4)
    yield engine
    engine.dispose()


@pytest.fixture
def start_mosip(
    loop_in_thread: LoopInThread,
    onboarding_ledger: Engine,
    onboarding_ledger_url: str,
    onboarding_receiver: str,
    seal: Seal,
    seal_key: str,
    tmp_path: Path,
) -> Iterator[Start]:
    """`start_mosip(onboarded=False)` gives an environment with a sandbox of its own."""
    with ExitStack() as running:

        def begin(folder: Path = tmp_path / "state", **overrides: object) -> Environment:
            sandbox = running.enter_context(loop_in_thread.sandbox(**({"onboarded": False} | overrides)))
            variables = {
                **LOGINS,
                "MOSIP_URL": sandbox.url,
                "CRVS_RECEIVER_URL": onboarding_receiver,
                "CRVS_LEDGER_URL": onboarding_ledger_url,
                "CRVS_SEAL_KEY": seal_key,
                "CRVS_INCLUDE_DIR": str(INCLUDE),
                "CRVS_COUNTRY_FILE": str(COUNTRY_FILE),
                "CRVS_ONBOARDING_DIR": str(folder),
            }
            return Environment(sandbox.url, folder, onboarding_ledger, seal, variables)

        yield begin


@pytest.fixture
def empty_mosip(start_mosip: Start) -> Environment:
    """A stock MOSIP: nobody has prepared anything."""
    return start_mosip()


@pytest.fixture(scope="session")
def signed_keys(
    tmp_path_factory: pytest.TempPathFactory,
    loop_in_thread: LoopInThread,
    postgres: Postgres,
    seal: Seal,
) -> Path:
    """A folder with the keys of a country's partners and the certificates that its authority issued."""
    folder = tmp_path_factory.mktemp("keys") / "state"
    ledger = connect_to_ledger(postgres.url("ledger_template"))
    with loop_in_thread.sandbox(onboarded=False) as sandbox:
        environment = Environment(sandbox.url, folder, ledger, seal, {**LOGINS, "MOSIP_URL": sandbox.url})
        environment.provision()
        sign(environment)
    ledger.dispose()
    return folder


@pytest.fixture
def mosip(empty_mosip: Environment, signed_keys: Path) -> Environment:
    """A MOSIP in which everything that the country wants was provisioned."""
    copy_keys(signed_keys, empty_mosip.folder)
    outcome = empty_mosip.provision()
    assert not outcome.waiting
    return empty_mosip
