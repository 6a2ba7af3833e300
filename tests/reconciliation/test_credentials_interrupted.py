"""Killed at any moment, or run twice at once: the registry gets the identifier once, and no one-shot link is wasted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from credential_scene import PSUT, Scene
from day_books import Books
from receiver_calls import serving
from small_mosip import SmallMosip
from sqlalchemy import event, text
from tests.credential.sealing import Pair, new_pair

from mosip_crvs.ledger import credentials
from mosip_crvs.ledger.connection import connect_to_ledger, transaction
from mosip_crvs.ledger.sealing import Seal
from mosip_crvs.reconciliation.credentials import work_credentials


class Killed(BaseException):
    """What no code catches: the process is gone."""


@pytest.fixture(scope="module")
def pairs() -> tuple[Pair, Pair]:
    return new_pair("crvs1"), new_pair("KERNEL-SIGN")


@pytest.fixture
def scene(books: Books, seal: Seal, pairs: tuple[Pair, Pair]) -> Iterator[Scene]:
    mosip = SmallMosip()
    with serving(mosip.app()) as url:
        made = Scene.of(books, seal, mosip, url, *pairs)
        made.apply(1)
        yield made


def killed_run(scene: Scene, ledger_url: str, at: int, *, after: bool) -> bool:
    """Run, and die at a commit, before it or after it; says whether there was such a commit."""
    engine = connect_to_ledger(ledger_url)
    seen = 0

    def die(connection: object) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            if after:
                connection.connection.dbapi_connection.commit()  # type: ignore[attr-defined]
            raise Killed

    event.listen(engine, "commit", die)
    with suppress(Killed):
        work_credentials(engine, scene.seal, scene.partner)
    engine.dispose()
    return seen >= at


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 12))
def test_killed_at_a_commit_the_identifier_is_told_once(scene: Scene, ledger_url: str, at: int, after: bool) -> None:
    scene.issue(once=True)
    killed_run(scene, ledger_url, at, after=after)
    scene.hours_pass()
    scene.work()
    if "gone" in scene.states():
        assert scene.mosip.left["1-event-1"] == 0, "the bytes were lost between the answer and the commit"
        assert scene.mosip.retriggered == ["request-1"]
        scene.issue(event="event-2")
        scene.work()
    assert scene.states()[-1] == "acknowledged"
    assert scene.result() == ("issued", "PSUT", PSUT, 2)
    assert {status for _, status in scene.statuses()} == {"served"}
    assert scene.mosip.looks.count("1-event-1") <= 2


def test_the_kills_above_hit_every_commit_of_a_run(scene: Scene, ledger_url: str) -> None:
    scene.issue()
    assert not killed_run(scene, ledger_url, 12, after=False)
    assert scene.states() == ["acknowledged"]


def test_two_runs_at_once_fetch_each_link_once(scene: Scene, ledger_url: str) -> None:
    scene.apply(*range(2, 21))
    for number in range(1, 21):
        scene.issue(number, once=True)
    engines = [connect_to_ledger(ledger_url) for _ in range(3)]
    runs = [threading.Thread(target=work_credentials, args=(each, scene.seal, scene.partner)) for each in engines]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    for engine in engines:
        engine.dispose()
    assert set(scene.states()) == {"acknowledged"}
    assert len(scene.mosip.looks) == len(set(scene.mosip.looks)) == len(scene.mosip.said) == 20
    assert all(scene.result(number) == ("issued", "PSUT", PSUT, 2) for number in range(1, 21))


def test_bytes_that_come_after_the_row_passed_to_another_run_are_kept(scene: Scene) -> None:
    scene.issue(once=True)
    with transaction(scene.books.ledger) as connection:
        slow = credentials.take(connection)
    assert slow is not None
    scene.mosip.left["1-event-1"] = 0  # the slow run has used it up
    scene.hours_pass()
    scene.work()
    assert scene.states() == ["gone"]
    with transaction(scene.books.ledger) as connection:
        assert credentials.fetched(connection, slow, scene.mosip.shares["1-event-1"]) is None, (
            "it is not its row any more"
        )
    scene.hours_pass(1000)
    scene.work()
    assert (scene.states(), scene.result()) == (["acknowledged"], ("issued", "PSUT", PSUT, 2))


def test_a_year_of_credentials_is_not_read_to_find_what_is_due(scene: Scene) -> None:
    scene.books.run(
        "INSERT INTO credentials (aid, request_id, event_id, partner_id, inbox_id, state, next_try_at) "
        "SELECT 'a' || n, 'r' || n, 'e' || n, 'crvs1', 0, 'acknowledged', NULL FROM generate_series(1, 50000) n"
    )
    scene.issue()
    scene.books.run("ANALYZE credentials")
    statements = {
        credentials._TAKE: {"lease": credentials.LEASE},
        credentials._UNUSED: {"before": scene.rows()[0].announced_at},
        credentials._LOOK_AGAIN: {"problem": "unknown_key ab"},
    }
    used = []
    with transaction(scene.books.ledger) as connection:
        for statement, values in statements.items():
            plan = "\n".join(connection.execute(text(f"EXPLAIN {statement.text}"), values).scalars())
            assert "Seq Scan on credentials" not in plan
            used.append(
                [name for name in ("credentials_due", "credentials_kept", "credentials_waiting") if name in plan]
            )
    assert used == [["credentials_due"], ["credentials_kept"], ["credentials_waiting"]]
