"""A run may end anywhere: before any change, after it, or with its answer lost. The next one goes on from there."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from dataclasses import dataclass

import pytest
from tests.onboarding.environments import LoopInThread
from tests.onboarding.provisioning_rig import (
    DEMO,
    DONE,
    EVERYTHING,
    FAILED,
    PARTNERS,
    QUESTION,
    WAITING,
    Fate,
    Killed,
    Operator,
    fated,
    new_operator,
    operator,
    ready_keys,
    some_keys,
)

from mosip_crvs.errors import MosipUnavailable
from mosip_crvs.mosip.doors import Door

__all__ = ["new_operator", "operator", "some_keys"]
MOST_RUNS = 400
ONCE = ("provision", "--yes", "--publish-id-schema")
CREATIONS = {"center": "POST /v1/masterdata/registrationcenters ", "G2": "POST /v1/masterdata/idschema "}
"""What MOSIP would make a second time, by item: names and titles are not unique there."""
PATIENCE = 15 + 30
"""Seconds: of a call, and the margin."""


@dataclass(frozen=True)
class Undisturbed:
    """What runs leave behind that all come to their end."""

    essence: str
    writes: Counter[tuple[str, str]]
    files: frozenset[str]
    kept: frozenset[str]


@pytest.fixture(scope="module")
def undisturbed(
    loop_in_thread: LoopInThread, some_keys: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
    """What is to come out in the end."""
    with loop_in_thread.sandbox(onboarded=False) as sandbox, ready_keys(some_keys):
        lucky = Operator(sandbox.url, tmp_path_factory.mktemp("undisturbed"))
        lucky.make_everything()
        return Undisturbed(lucky.essence(), Counter(lucky.writes()), frozenset(lucky.files()), frozenset(lucky.kept))


def finish(operator: Operator) -> None:
    """Go on until everything is in order."""
    if operator.run(*EVERYTHING).code == WAITING:
        operator.sign()
        assert operator.run(*EVERYTHING).code == DONE


def assert_nothing_is_twice(operator: Operator) -> None:
    """Count what a second creation would have added to; the sandbox began with one centre and one schema."""
    state = operator.state()
    data, pms, realm = state["masterdata"], state["pms"], state["keycloak"]
    names = Counter(rows["eng"]["name"] for rows in data["centers"].values())
    counts = {
        "centres of the name": names["Civil Registration"],
        "machines": len(data["machines"]),
        "schemas more": len(data["schemas"]) - 1,
        "policies": len(pms["policies"]),
        "policy groups": len(pms["policy_groups"]),
        "partners": len(pms["partners"]),
        "mappings": len(pms["partner_policy_requests"]),
        "credential types": len(pms["credential_types"]),
        "OIDC clients": len(pms["oidc_clients"]),
        "authorities": len(pms["ca_certificates"]),
        "runtime clients": sum(1 for name in realm["clients"] if name == "mosip-crvs1-client"),
    }
    assert counts == {
        "centres of the name": 1,
        "machines": 1,
        "schemas more": 1,
        "policies": 2,
        "policy groups": 2,
        "partners": 2,
        "mappings": 2,
        "credential types": 1,
        "OIDC clients": 1,
        "authorities": 2,
        "runtime clients": 1,
    }


def assert_as(operator: Operator, undisturbed: Undisturbed) -> None:
    """The same was made, by the same changes, and there is nothing left to do."""
    assert_nothing_is_twice(operator)
    assert operator.essence() == undisturbed.essence
    assert Counter(operator.writes()) == undisturbed.writes
    assert set(operator.files()) == undisturbed.files
    assert set(operator.kept) == undisturbed.kept
    count = len(operator.writes())
    again = operator.run("provision", "--yes")
    assert (again.code, again.lines, len(operator.writes())) == (DONE, [], count)


def test_killed_before_and_after_every_change_it_is_made_once(operator: Operator, undisturbed: Undisturbed) -> None:
    """Each run is killed at the first change that it begins, first before and then after it.

    So every state that a run can leave behind is met by a run that knows nothing but that state.
    """
    killed, after = 0, False
    spared: frozenset[str] = frozenset()
    for _ in range(MOST_RUNS):
        count = len(operator.writes())
        with fated(Fate(at=1, after=after, spared=spared), operator.folder) as fate:
            try:
                ended = operator.run(*EVERYTHING).code
            except Killed:
                ended = None
        if ended == DONE:
            break
        if ended == WAITING:
            operator.sign()
            continue
        (what,) = fate.seen
        assert len(operator.writes()) - count == (1 if after and what.startswith("at MOSIP") else 0)
        if after and ("/ca/upload" in what or what.startswith("begin of ")):
            # No call shows an authority: each run gives MOSIP those that it has, until it trusts the certificate. And
            # each run writes down anew that it begins what could be made twice.
            spared |= {what}
        killed += 1
        after = not after
    assert ended == DONE
    assert killed > 2 * undisturbed.writes.total()
    assert_as(operator, undisturbed)


def test_answers_that_are_lost_are_looked_for(operator: Operator, undisturbed: Undisturbed) -> None:
    with fated(Fate(answer_lost=True), operator.folder) as fate:
        finish(operator)
    assert len({what for what in fate.seen if what.startswith("at MOSIP")}) >= undisturbed.writes.total()
    assert_as(operator, undisturbed)


def test_killed_while_its_answers_are_lost_it_is_made_once(operator: Operator, undisturbed: Undisturbed) -> None:
    for number in range(1, MOST_RUNS):
        with fated(Fate(at=number % 3 + 1, after=bool(number % 2), answer_lost=True), operator.folder):
            try:
                ended = operator.run(*EVERYTHING).code
            except Killed:
                continue
        if ended == DONE:
            break
        operator.sign()
    assert_as(operator, undisturbed)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [5, 18, 31, 44])
def test_one_kill_and_the_next_run_finishes(operator: Operator, undisturbed: Undisturbed, at: int, after: bool) -> None:
    with fated(Fate(at=at, after=after), operator.folder), pytest.raises(Killed):
        finish(operator)
    finish(operator)
    assert_as(operator, undisturbed)


@pytest.mark.parametrize("changes", [3, 16])
def test_a_process_that_is_killed_leaves_nothing_in_the_way(
    operator: Operator, undisturbed: Undisturbed, changes: int
) -> None:
    process = operator.start(*EVERYTHING)
    try:
        deadline = time.monotonic() + 30
        while len(operator.writes()) < changes and process.poll() is None:
            assert time.monotonic() < deadline
    finally:
        process.kill()
    assert process.wait(10) == -signal.SIGKILL
    with fated(Fate(), operator.folder):  # it may have been killed within a creation, which takes patience
        finish(operator)
    assert_as(operator, undisturbed)


def test_a_half_written_file_of_a_killed_run_is_swept_away(operator: Operator) -> None:
    operator.run(*EVERYTHING)
    left = operator.file("x").with_name(".demo.abcdef.new")
    left.write_text('{"mosip-crvs1-client": {"current": "half')
    elsewhere = operator.file("x").with_name(".other.abcdef.new")
    elsewhere.write_text("of another environment, which may be at work")
    operator.run(*EVERYTHING)
    assert (left.exists(), elsewhere.exists()) == (False, True)


def test_a_far_side_that_never_answers_ends_the_run(operator: Operator) -> None:
    seen = []
    with fated(Fate(), operator.folder), pytest.MonkeyPatch.context() as patch:

        def unheard(self: Door, write: object, request: object = None, **parts: str) -> None:
            seen.append(write)
            raise MosipUnavailable("no answer")

        patch.setattr(Door, "tell", unheard)
        run = operator.run(*EVERYTHING)
    assert (run.code, len(seen)) == (1, 4)
    assert "Stopped: no answer" in run.err
    assert operator.writes() == []


def test_what_mosip_takes_without_a_trace_is_not_told_again(operator: Operator) -> None:
    seen = []
    with fated(Fate(), operator.folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Door, "tell", lambda self, write, request=None, **parts: seen.append(write))
        run = operator.run(*EVERYTHING)
    assert (run.code, len(seen)) == (1, 1)
    assert "MOSIP took this and shows no trace of it: create  realm role" in run.err


# --- what may still come


@pytest.fixture
def country(operator: Operator) -> Operator:
    """Somebody whose country has no partners."""
    operator.wants(*PARTNERS)
    return operator


def begun(operator: Operator) -> dict[str, str]:
    """What was begun and not seen."""
    state = operator.file("state.json")
    return dict(json.loads(state.read_text()).get("begun", {})) if state.exists() else {}


def made(operator: Operator, item: str) -> int:
    """Count what the country wants one of; the sandbox began with one centre and one schema."""
    data = operator.state()["masterdata"]
    return len(data["centers" if item == "center" else "schemas"]) - 1


@pytest.mark.parametrize("seconds", [1, 40])
@pytest.mark.parametrize("item", CREATIONS)
def test_what_comes_after_its_call_was_given_up_is_made_once(country: Operator, item: str, seconds: float) -> None:
    with fated(Fate(late=CREATIONS[item], late_seconds=seconds), country.folder) as fate:
        assert country.run(*ONCE).code == DONE
    assert made(country, item) == 1
    assert fate.clock.slept >= seconds
    assert begun(country) == {}


@pytest.mark.parametrize("seconds", [1, 40])
@pytest.mark.parametrize("item", CREATIONS)
def test_what_comes_after_its_run_was_killed_is_made_once(country: Operator, item: str, seconds: float) -> None:
    fate = Fate(late=CREATIONS[item], late_seconds=seconds, late_end=Killed())
    with fated(fate, country.folder), pytest.raises(Killed):
        country.run(*ONCE)
    assert set(begun(country)) == {item}
    with fated(Fate(clock=fate.clock), country.folder):
        assert country.run(*ONCE).code == DONE
    assert made(country, item) == 1


@pytest.mark.parametrize("item", CREATIONS)
def test_what_never_comes_is_a_question_and_made_by_the_next_run(country: Operator, item: str) -> None:
    fate = Fate(late=CREATIONS[item])
    with fated(fate, country.folder):
        asked = country.run(*ONCE)
    assert asked.code == QUESTION
    assert "MOSIP would make a second one: create  " in asked.err
    assert "It may still appear: look for it in the admin console, then run again" in asked.err
    assert PATIENCE - 1 < fate.clock.slept < PATIENCE + 5
    assert made(country, item) == 0
    with fated(Fate(clock=fate.clock), country.folder):
        assert country.run(*ONCE).code == DONE
    assert (made(country, item), begun(country)) == (1, {})
    assert fate.clock.slept < PATIENCE + 5, "it had its time already"


def test_a_clock_that_was_set_back_lets_nobody_wait_for_ever(country: Operator) -> None:
    country.folder.mkdir()
    country.file("state.json").write_text(json.dumps({"begun": {"center": "2999-01-01T00:00:00+00:00"}}))
    with fated(Fate(), country.folder) as fate:
        fate.clock.after(PATIENCE + 60, country.file("state.json").unlink)  # or it would not end
        assert country.run(*ONCE).code == DONE
    assert PATIENCE - 1 < fate.clock.slept < PATIENCE + 5


def test_a_moment_that_cannot_be_read_stops_the_run(country: Operator) -> None:
    country.folder.mkdir()
    country.file("state.json").write_text(json.dumps({"begun": {"center": "soon"}}))
    stopped = country.run(*ONCE)
    assert stopped.code == FAILED
    assert "begun.center in demo.state.json is no moment: 'soon'" in stopped.err
    assert made(country, "center") == 0


def test_what_was_refused_is_not_waited_for(country: Operator) -> None:
    fields = {**DEMO["center"]["fields"], "centerTypeCode": "NONE"}
    country.wants(*PARTNERS, center={**DEMO["center"], "fields": fields})
    with fated(Fate(), country.folder) as fate:
        assert country.run(*ONCE).code == FAILED
        assert begun(country) == {}
        country.wants(*PARTNERS)
        assert country.run(*ONCE).code == DONE
    assert fate.clock.slept == 0
