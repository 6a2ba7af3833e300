"""A client's secret is changed in two phases, and whoever uses it is never without one that works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.onboarding.provisioning_rig import (
    DONE,
    EVERYTHING,
    FAILED,
    PARTNERS,
    QUESTION,
    Fate,
    Killed,
    Operator,
    fated,
    new_operator,
    operator,
    some_keys,
)

from mosip_crvs.errors import MosipRefused
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.doors import Door
from mosip_crvs.mosip.keycloak import UPDATE_CLIENT, token_path
from mosip_crvs.mosip.token import client_grant, fetch_by_grant

__all__ = ["new_operator", "operator", "some_keys"]
CLIENT = "mosip-crvs1-client"
STAGE, COMMIT, ROLL_BACK = (("rotate-secret", "runtime", verb) for verb in ("--stage", "--commit", "--roll-back"))


@pytest.fixture
def made(operator: Operator) -> Operator:
    """Somebody whose runtime client is in use."""
    operator.wants(*PARTNERS)
    assert operator.run(*EVERYTHING).code == DONE
    return operator


def works(operator: Operator, secret: str, client: str = CLIENT) -> bool:
    """Say whether Keycloak takes a secret."""
    try:
        fetch_by_grant(SingleCalls(operator.url), token_path("/auth", "mosip"), client_grant(client, secret))
    except MosipRefused:
        return False
    return True


def kept(operator: Operator, client: str = CLIENT) -> dict[str, str]:
    """A client's secrets in the folder."""
    return operator.secrets[client]


def test_a_secret_is_staged_and_then_changed(made: Operator) -> None:
    old = kept(made)["current"]
    staged = made.run(*STAGE)
    new = kept(made)["next"]
    assert (staged.code, kept(made)) == (DONE, {"current": old, "next": new})
    assert (works(made, old), works(made, new)) == (True, False)
    assert "client_secret_next" in staged.out

    committed = made.run(*COMMIT)
    assert (committed.code, kept(made)) == (DONE, {"current": new})
    assert (works(made, old), works(made, new)) == (False, True)
    assert f"the secret of {CLIENT} is changed" in committed.out
    for secret in (old, new):
        assert secret not in staged.out + staged.err + committed.out + committed.err
    assert made.run(*EVERYTHING).lines == []


def test_staged_again_it_is_the_same_secret(made: Operator) -> None:
    made.run(*STAGE)
    new = kept(made)["next"]
    made.run(*STAGE)
    assert kept(made)["next"] == new


def test_rolled_back_the_next_secret_is_forgotten(made: Operator) -> None:
    old = kept(made)
    made.run(*STAGE)
    run = made.run(*ROLL_BACK)
    assert (run.code, kept(made)) == (DONE, old)
    assert works(made, old["current"])
    again = made.run(*ROLL_BACK)
    assert (again.code, again.out) == (DONE, f"nothing was staged for {CLIENT}.\n")


def test_a_secret_in_use_is_not_rolled_back(made: Operator) -> None:
    made.run(*STAGE)
    with fated(Fate(at=1, after=True), made.folder), pytest.raises(Killed):
        made.run(*COMMIT)
    before = kept(made)
    asked = made.run(*ROLL_BACK)
    assert (asked.code, kept(made)) == (QUESTION, before)
    assert "Keycloak uses the next secret" in asked.err


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_change_it_is_finished_by_the_same_command(
    new_operator: Callable[..., Operator], after: bool
) -> None:
    at = 0
    while True:
        at += 1
        operator = new_operator()
        operator.wants(*PARTNERS)
        assert operator.run(*EVERYTHING).code == DONE
        old = kept(operator)["current"]
        with fated(Fate(at=at, after=after), operator.folder) as fate:
            try:
                operator.run(*STAGE)
                operator.run(*COMMIT)
            except Killed:
                # Whatever happened, one of the two secrets that are kept works: the sync tries both.
                assert [works(operator, secret) for secret in kept(operator).values()].count(True) == 1
        assert operator.run(*STAGE).code == DONE or not after
        if len(fate.seen) < at:
            break
        assert operator.run(*COMMIT).code == DONE
        assert set(kept(operator)) == {"current"}
        assert works(operator, kept(operator)["current"])
        assert not works(operator, old)
    assert at > 3  # the staging, the change at Keycloak, the promotion


def test_an_answer_that_is_lost_is_looked_for_by_the_next_commit(made: Operator) -> None:
    made.run(*STAGE)
    new = kept(made)["next"]
    with fated(Fate(answer_lost=True), made.folder):
        lost = made.run(*COMMIT)
    assert (lost.code, set(kept(made))) == (FAILED, {"current", "next"})
    count = len(made.writes())
    run = made.run(*COMMIT)
    assert (run.code, kept(made), len(made.writes())) == (DONE, {"current": new}, count)
    assert "Keycloak had the next secret" in run.out


def spoiling(operator: Operator, patch: pytest.MonkeyPatch) -> None:
    """Let Keycloak take a secret and keep another one, the first time that it is given one."""
    tell, spoilt = Door.tell, []

    def told(self: Door, write: Any, request: Any = None, **parts: str) -> Any:
        said = tell(self, write, request, **parts)
        if write is UPDATE_CLIENT and not spoilt:
            spoilt.append(write)
            operator.edit("clients", CLIENT, secret="neither-of-them")
        return said

    patch.setattr(Door, "tell", told)


def test_a_new_secret_that_is_refused_is_taken_back(made: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    old = kept(made)["current"]
    made.run(*STAGE)
    spoiling(made, monkeypatch)
    refused = made.run(*COMMIT)
    assert refused.code == FAILED
    assert "refuses it; the old one was put back" in refused.err
    assert works(made, old)
    assert set(kept(made)) == {"current", "next"}
    assert made.run(*COMMIT).code == DONE  # another try may succeed
    assert not works(made, old)


def test_a_forced_secret_that_is_refused_is_not_said_to_be_put_back(
    made: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.edit("clients", CLIENT, secret="somebody-elses")
    made.run(*STAGE)
    spoiling(made, monkeypatch)
    refused = made.run(*COMMIT, "--force")
    assert refused.code == FAILED
    assert "put back" not in refused.err


def test_without_the_present_secret_only_force_changes_it(made: Operator) -> None:
    made.edit("clients", CLIENT, secret="somebody-elses")
    made.run(*STAGE)
    asked = made.run(*COMMIT)
    assert asked.code == QUESTION
    assert "is not known here, so it could not be put back" in asked.err
    assert works(made, "somebody-elses")
    assert made.run(*COMMIT, "--force").code == DONE
    assert works(made, kept(made)["current"])
    assert made.run(*EVERYTHING).code == DONE


def test_a_secret_that_was_given_is_told_to_be_old(made: Operator) -> None:
    made.variables["MOSIP_CLIENT_SECRET"] = kept(made)["current"]
    made.run(*STAGE)
    committed = made.run(*COMMIT)
    assert "The secret given for the runtime is the old one now" in committed.out
    assert made.run(*EVERYTHING).code == QUESTION
    del made.variables["MOSIP_CLIENT_SECRET"]
    assert made.run(*EVERYTHING).code == DONE


def test_nothing_staged_is_a_question(made: Operator) -> None:
    asked = made.run(*COMMIT)
    assert asked.code == QUESTION
    assert "rotate-secret --stage makes one" in asked.err


def test_a_client_that_is_not_there_is_a_question(operator: Operator) -> None:
    operator.run(*STAGE)
    asked = operator.run(*COMMIT, "--force")
    assert asked.code == QUESTION
    assert f"Keycloak has no client {CLIENT}: run provision" in asked.err


def test_the_subscribers_secret_is_changed_as_well(operator: Operator) -> None:
    operator.run(*EVERYTHING)
    old = kept(operator, "crvs-partner")["current"]
    for verb in ("--stage", "--commit"):
        assert operator.run("rotate-secret", "subscriber", verb).code == DONE
    assert works(operator, kept(operator, "crvs-partner")["current"], "crvs-partner")
    assert not works(operator, old, "crvs-partner")
    assert works(operator, kept(operator)["current"])


def test_a_country_without_a_partner_has_no_subscriber(made: Operator) -> None:
    stopped = made.run("rotate-secret", "subscriber", "--stage")
    assert stopped.code == FAILED
    assert "there is no subscriber" in stopped.err
