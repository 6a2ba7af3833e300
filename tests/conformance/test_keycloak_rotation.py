"""A client's secret is changed in two phases on real servers, and whoever sends meanwhile does not notice."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.conformance.keycloak_servers import RealKeycloak
from tests.conformance.onboarding_desk import Desk, Killed, Wire, new_desk

from mosip_crvs.errors import MosipRefused, QuestionForOperator
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.settings import MosipSettings
from mosip_crvs.mosip.token import fetch_token
from mosip_crvs.onboarding.rotation import commit, roll_back, stage
from mosip_crvs.onboarding.surroundings import Identity


@pytest.fixture
def desk(keycloak: RealKeycloak, tmp_path: Path) -> Desk:
    """A country whose Keycloak was provisioned."""
    made = new_desk(keycloak, tmp_path)
    made.provision()
    return made


def _commit(desk: Desk, wire: Wire | None = None, *, force: bool = False) -> str:
    return commit(desk.access(wire), Identity.RUNTIME, desk.client_id, force=force)


def _present(desk: Desk) -> str:
    return desk.access().login(Identity.RUNTIME).secret


class _Sender:
    """Fetches a token again and again, as a sync does that was told both secrets."""

    def __init__(self, desk: Desk, old: str, new: str) -> None:
        url = desk.server.base_url
        self._settings = MosipSettings(
            url, desk.client_id, old, "10001", "10077", keycloak_path=desk.server.prefix, client_secret_next=new
        )
        self._calls = SingleCalls(url)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.tokens = 0
        self.problem: Exception | None = None

    def _run(self) -> None:
        try:
            while not self._end.is_set():
                fetch_token(self._calls, self._settings)
                self.tokens += 1
        except Exception as problem:
            self.problem = problem

    def __enter__(self) -> _Sender:
        fetch_token(self._calls, self._settings)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(30)
        fetch_token(self._calls, self._settings)


def test_the_old_secret_is_refused_the_new_one_works_and_who_knows_both_always_gets_a_token(desk: Desk) -> None:
    old, new = _present(desk), stage(desk.access(), desk.client_id)
    assert stage(desk.access(), desk.client_id) == new != old
    assert desk.secret_works(old)
    assert not desk.secret_works(new)
    with _Sender(desk, old, new) as sender:
        assert "is changed" in _commit(desk)
    assert sender.problem is None
    assert sender.tokens
    assert not desk.secret_works(old)
    assert desk.secret_works(new)
    assert _present(desk) == new
    assert desk.provision().steps == []
    with pytest.raises(QuestionForOperator, match="no next secret"):
        _commit(desk)
    assert "nothing was staged" in roll_back(desk.access(), desk.client_id)


def test_killed_once_keycloak_has_the_new_secret_the_next_commit_ends_it_and_it_cannot_be_rolled_back(
    desk: Desk,
) -> None:
    old, new = _present(desk), stage(desk.access(), desk.client_id)

    def kill() -> None:
        raise Killed

    with pytest.raises(Killed):
        _commit(desk, Wire(kill))
    assert desk.secret_works(new)
    assert _present(desk) == old
    with pytest.raises(QuestionForOperator, match="commit it"):
        roll_back(desk.access(), desk.client_id)

    wire = Wire()
    assert "already" in _commit(desk, wire)
    assert wire.writes == []
    assert _present(desk) == new
    assert desk.provision().steps == []


def test_a_staged_secret_can_be_forgotten_and_the_next_one_is_another(desk: Desk) -> None:
    old, new = _present(desk), stage(desk.access(), desk.client_id)
    assert "is forgotten" in roll_back(desk.access(), desk.client_id)
    assert desk.secret_works(old)
    assert stage(desk.access(), desk.client_id) not in (old, new)


def test_a_secret_that_keycloak_takes_and_refuses_does_not_become_the_current_one(desk: Desk) -> None:
    old, new = _present(desk), stage(desk.access(), desk.client_id)
    desk.change_client(serviceAccountsEnabled=False)
    with pytest.raises(QuestionForOperator, match="could not be put back"):
        _commit(desk)
    with pytest.raises(MosipRefused, match="took the next secret"):
        _commit(desk, force=True)
    assert _present(desk) == old

    desk.change_client(serviceAccountsEnabled=True)
    assert desk.secret_works(new)
    assert "already" in _commit(desk)
    assert _present(desk) == new
