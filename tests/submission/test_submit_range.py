"""A range, from a real registry to a far side: everything once, nothing lost, whatever MOSIP answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Engine
from tests.ledger.books import count
from tests.rig import YESTERDAY, FarSide, close, plan, submission

from mosip_crvs.errors import BatchIncomplete, MosipRefused, MosipUnavailable
from mosip_crvs.ledger import batches, sending
from mosip_crvs.model import RegistrationKind
from mosip_crvs.reconciliation.balance import day_balance
from mosip_crvs.submission import sender
from mosip_crvs.submission.close import close_batch
from mosip_crvs.submission.pipeline import Submission, resume_triggers, submit_range
from reference_registry import load

Make = Callable[..., Submission]


@pytest.fixture
def make(ledger_url: str, registry_url: str, far_side: FarSide) -> Iterator[Make]:
    """Put submissions together and let go of them at the end."""
    made: list[Submission] = []

    def one(kind: RegistrationKind = RegistrationKind.BIRTH, **changes) -> Submission:
        made.append(submission(ledger_url, registry_url, far_side.url, kind, **changes))
        return made[-1]

    yield one
    for each in made:
        close(each)


def run_all(made: Submission, **planning) -> None:
    for batch_id, number in plan(made, **planning):
        submit_range(made, batch_id, number, "test")


def test_every_clean_birth_reaches_mosip_once(make: Make, registry_url: str, far_side: FarSide) -> None:
    load(registry_url, births=230, clean_only=True, end_day=YESTERDAY)
    run_all(make(), range_size=60, spread=4)
    far_side.tick()
    totals = far_side.totals()
    assert totals["creates_accepted"] == totals["triggers_accepted"] == totals["uins_issued"] == 230
    assert totals["children_with_two_uins"] == totals["creates_after_trigger"] == totals["triggers_duplicate"] == 0


def test_the_same_day_again_sends_nothing(make: Make, registry_url: str, far_side: FarSide) -> None:
    load(registry_url, births=60, deaths=20, end_day=YESTERDAY, clean_only=True)
    for kind in RegistrationKind:
        run_all(make(kind))
        batches.finish_batches(make(kind).ledger, kind)
    before = far_side.totals()
    for kind in RegistrationKind:
        run_all(make(kind))
    assert far_side.totals() == before
    terms = day_balance(make().ledger, YESTERDAY).terms
    assert (terms.read, terms.known, terms.submitted) == (80, 80, 0)


def test_hostile_registrations_are_quarantined_and_the_good_ones_of_their_pages_are_sent(
    make: Make, registry_url: str, far_side: FarSide, ledger: Engine
) -> None:
    load(registry_url, births=100, hostile=500, clean_only=True, end_day=YESTERDAY)
    run_all(make())
    assert far_side.totals()["triggers_accepted"] == 100
    terms = day_balance(ledger, YESTERDAY).terms
    assert (terms.read, terms.quarantined, terms.submitted, terms.unexplained) == (600, 500, 100, 0)
    with ledger.begin() as connection:
        named = connection.exec_driver_sql(
            "SELECT count(DISTINCT registration_id) FROM quarantine WHERE field <> '' AND rule <> ''"
        ).scalar_one()
    assert named == 500


@pytest.mark.parametrize(
    "faults",
    [
        {"create_null": 0.1},
        {"create_500": 0.1, "create_502": 0.1},
        {"create_reset_after": 0.1},
        {"trigger_reset_after": 0.2},
        {"reply_cut": 0.15},
        {"token_expired": 0.1},
        {"throttle_429": 0.05},
        {"trigger_wis_000": 0.1},
    ],
    ids="+".join,
)
def test_passing_faults_cost_time_and_nothing_else(
    make: Make, registry_url: str, far_side: FarSide, faults: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "OPERATOR_TRIES", 5)
    load(registry_url, births=120, clean_only=True, end_day=YESTERDAY)
    far_side.faults(**{name: {"probability": p, "seconds": 0} for name, p in faults.items()})
    made = make()
    for _ in range(6):
        try:
            run_all(made)
            break
        except (BatchIncomplete, MosipRefused):
            continue
    far_side.faults()
    far_side.tick()
    totals = far_side.totals()
    assert totals["uins_issued"] == totals["triggers_accepted"] == 120
    assert totals["creates_after_trigger"] == totals["children_with_two_uins"] == 0


def test_a_lost_trigger_answer_is_settled_by_triggering_again(
    make: Make, registry_url: str, far_side: FarSide, ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "TRIES", 1)
    load(registry_url, births=20, clean_only=True, end_day=YESTERDAY)
    far_side.faults(trigger_reset_after={"probability": 1.0})
    made = make()
    with pytest.raises(BatchIncomplete, match="20 applications are not sent yet"):
        run_all(made)
    assert count(ledger, "applications", "state = 'TRIGGERING' AND held_code = 'NO_ANSWER'") == 20
    far_side.faults()
    assert resume_triggers(made, "resume")["already_present"] == 20
    assert count(ledger, "evidence", "kind = 'trigger_already_present' AND alarm IS NULL") == 20
    assert far_side.totals()["creates_after_trigger"] == 0
    run_all(made)
    assert far_side.totals()["triggers_accepted"] == 20


def test_a_broken_connection_is_not_answered_by_a_repeat_that_nobody_decided(
    make: Make, registry_url: str, far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "TRIES", 1)
    load(registry_url, births=20, clean_only=True, end_day=YESTERDAY)
    made = make()
    run_all(made)  # connections are kept, so that a repeat would be possible
    far_side.faults(create_reset_after={"probability": 1.0})
    load(registry_url, births=40, clean_only=True, end_day=YESTERDAY)
    with pytest.raises(BatchIncomplete):
        run_all(make())
    assert far_side.totals()["creates_accepted"] == 40, "twenty before, and one try for each of the twenty new ones"


def test_a_call_that_timed_out_is_left_for_a_later_run(
    make: Make, registry_url: str, far_side: FarSide, ledger: Engine
) -> None:
    load(registry_url, births=12, clean_only=True, end_day=YESTERDAY)
    far_side.faults(create_slow={"probability": 1.0, "seconds": 3})
    with pytest.raises(BatchIncomplete):
        run_all(make(timeout=0.5))
    assert count(ledger, "applications", "held_code = 'TIMED_OUT'") == 12
    assert count(ledger, "sessions", "ended_at IS NULL") == 1, "a successor is to wait: calls may still be under way"
    far_side.faults()
    run_all(make(timeout=10.0, takeover_wait=5.0))
    far_side.tick()
    totals = far_side.totals()
    assert (totals["uins_issued"], totals["creates_overlapped"], totals["creates_after_trigger"]) == (12, 0, 0)


def test_an_application_that_mosip_never_takes_is_left_to_a_person_in_the_end(
    make: Make, registry_url: str, far_side: FarSide, ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "TRIES", 1)
    load(registry_url, births=3, clean_only=True, end_day=YESTERDAY)
    far_side.faults(create_null={"probability": 1.0})
    made = make()
    for _ in range(sending.MOST_HELD_TIMES - 1):
        with pytest.raises(BatchIncomplete):
            run_all(made)
    run_all(made)
    assert count(ledger, "ranges", "finished_at IS NULL") == 0, "it no longer keeps every night red"
    terms = day_balance(ledger, YESTERDAY).terms
    assert (terms.held, terms.unexplained) == (3, 0)
    far_side.faults()
    run_all(made)
    assert far_side.totals()["triggers_accepted"] == 3, "and whoever reads it again sends it"


def test_a_deleted_registration_whose_trigger_was_in_doubt_is_triggered_again(
    make: Make, registry_url: str, far_side: FarSide, ledger: Engine
) -> None:
    load(registry_url, births=5, clean_only=True, end_day=YESTERDAY)
    far_side.faults(trigger_wis_000={"probability": 1.0})
    made = make()
    with pytest.raises(BatchIncomplete):
        run_all(made)
    with psycopg.connect(registry_url) as connection:
        connection.execute("DELETE FROM crvs.birth_registration")
    far_side.faults()
    resume_triggers(made, "resume")
    assert count(ledger, "applications", "state = 'TRIGGERED'") == 5


def test_an_aid_that_somebody_else_triggered_raises_an_alarm(make: Make, registry_url, far_side, ledger) -> None:
    load(registry_url, births=1, clean_only=True, end_day=YESTERDAY)
    made = make()
    run_all(made)
    with ledger.begin() as connection:  # as if the ledger had been restored from an old backup
        connection.exec_driver_sql("UPDATE applications SET state = 'AID_ASSIGNED', session_id = NULL")
        connection.exec_driver_sql("UPDATE batches SET finished_at = now()")
    run_all(made)
    assert count(ledger, "evidence", "alarm = 'aid_in_use'") == 1


def test_a_client_without_the_role_stops_at_once_and_leaves_the_rest_unsent(
    make: Make, registry_url: str, far_side: FarSide, ledger: Engine
) -> None:
    load(registry_url, births=80, clean_only=True, end_day=YESTERDAY)
    made = make(source="NOBODY")  # no provider: KER-PUT-006
    with pytest.raises(MosipRefused, match="KER-PUT-006"):
        run_all(made)
    assert far_side.totals()["creates_accepted"] == 0
    assert count(ledger, "applications", "state <> 'AID_ASSIGNED'") == 0
    run_all(make())
    assert far_side.totals()["triggers_accepted"] == 80


def test_a_mosip_that_is_down_stops_the_range_early(
    make: Make, registry_url: str, far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "TRIES", 2)
    load(registry_url, births=200, clean_only=True, end_day=YESTERDAY)
    far_side.faults(create_null={"probability": 1.0})
    with pytest.raises(MosipUnavailable, match="in a row"):
        run_all(make())


def test_what_mosip_calls_malformed_is_held_and_does_not_stop_the_range(
    make: Make, registry_url: str, far_side: FarSide, ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(registry_url, births=10, clean_only=True, end_day=YESTERDAY)
    made = make()
    honest = made.requests.create_packet
    spoilt: list[str] = []

    def spoil_one(aid: str, identity: dict[str, object], now: str) -> bytes:
        if not spoilt or aid in spoilt:
            spoilt.append(aid)
            return honest(aid, identity, now).replace(b'"fields":{', b'"fields":{"preferredLang":[1],', 1)
        return honest(aid, identity, now)

    monkeypatch.setattr(made.requests, "create_packet", spoil_one)
    ((batch_id, number),) = plan(made)
    tally = submit_range(made, batch_id, number, "test")
    assert (tally["triggered"], tally["refused"]) == (9, 1)
    assert count(ledger, "applications", "held_code = 'HTTP_400' AND state = 'AID_ASSIGNED'") == 1
    close_batch(ledger, "birth", batch_id, 0.8)
    terms = day_balance(ledger, YESTERDAY).terms
    assert (terms.held, terms.submitted, terms.unexplained) == (1, 9, 0)


def test_all_tasks_together_keep_the_rate(make: Make, registry_url: str, far_side: FarSide) -> None:
    import threading
    import time

    load(registry_url, births=120, clean_only=True, end_day=YESTERDAY)
    todo = plan(make(), range_size=60, spread=2)
    assert len(todo) == 2
    tasks = [threading.Thread(target=submit_range, args=(make(events_per_second=40.0), *part, "test")) for part in todo]
    began = time.monotonic()
    for task in tasks:
        task.start()
    for task in tasks:
        task.join()
    lasted = time.monotonic() - began
    assert far_side.totals()["triggers_accepted"] == 120
    assert lasted >= 2.7, f"120 events at 40 a second took {lasted:.1f} s"
