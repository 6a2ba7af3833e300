"""Asking MOSIP: kindly, a bounded number at a time, and concluding nothing from what it does not say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.conftest import INCLUDE, ROOT
from tests.night import CountedCalls, Night, eventually, night, sandbox
from tests.rig import FarSide

from mosip_crvs.errors import MosipUnavailable
from mosip_crvs.ledger import facts, polling
from mosip_crvs.ledger.connection import clock, transaction
from mosip_crvs.ledger.evidence import Fact
from mosip_crvs.ledger.facts import Recorded
from mosip_crvs.ledger.polling import RESERVED_SECONDS
from mosip_crvs.reconciliation.polling import (
    MOST_REQUESTS,
    POLLING_FORBIDDEN,
    STATUS_CALL_POISONED,
    explain_refusals,
    poll,
    status_now,
)
from mosip_crvs.settlement.rules import EvidenceKind

EXTERNAL, SEARCH = "/externalstatus/search", "/registrationstatus/search"


@pytest.fixture
def dark(ledger: Engine, ledger_url: str, registry_url: str, far_side: FarSide) -> Iterator[Night]:
    """A night of which nothing is ever announced: there is no receiver."""
    with night(ledger, ledger_url, registry_url, far_side) as one:
        yield one


def counted(dark: Night) -> CountedCalls:
    return CountedCalls(dark.far_side.url)


# --- when, and how many ----------------------------------------------------------------------------------------------


def test_applications_are_asked_about_a_hundred_at_a_time_births_and_deaths_apart(dark: Night) -> None:
    dark.send(births=130, deaths=20)
    dark.far_side.tick()
    dark.due()
    calls = counted(dark)

    tally = poll(dark.desk(calls))

    assert calls.sizes(EXTERNAL) == [100, 30, 20]
    assert (tally["asked"], tally["answered"], tally["settled"]) == (150, 150, 150)
    assert dark.tally() == Counter(COMPLETED=150)
    assert [(row.verdict, row.asked, row.answered) for row in dark.pollings()] == [
        ("answered", 130, 130),
        ("answered", 20, 20),
    ]


def test_nobody_is_asked_about_before_mosip_can_have_begun(dark: Night) -> None:
    dark.send(births=3)
    calls = counted(dark)
    assert poll(dark.desk(calls)) == Counter()
    assert calls.asked == []
    (waits,) = {round(row.wait) for row in dark.run(
        "SELECT extract(epoch FROM next_poll_at - triggering_at) AS wait FROM applications")}  # fmt: skip
    assert waits == 240

    dark.run("UPDATE applications SET next_poll_at = next_poll_at - interval '4 minutes'")
    assert poll(dark.desk(calls))["asked"] == 3


@pytest.mark.parametrize(
    ("age", "minutes"), [("0 s", 4), ("20 minutes", 15), ("5 hours", 60), ("30 hours", 240), ("8 days", 24 * 60)]
)
def test_what_mosip_is_still_at_is_asked_about_the_rarer_the_older_it_is(dark: Night, age: str, minutes: int) -> None:
    (aid,) = dark.send(births=1)
    dark.ago(age)
    dark.due()

    poll(dark.desk(poll_after=240.0))

    (row,) = dark.run("SELECT *, extract(epoch FROM next_poll_at - last_polled_at) / 60 AS pause FROM applications")
    assert (row.state, row.last_status, row.polls, round(row.pause)) == ("TRIGGERED", "PROCESSING", 1, minutes)
    assert dark.evidence(aid)[-1] == "status_processing"


def test_what_is_completed_is_not_asked_about_again_and_what_is_refused_once_a_day_for_a_month(dark: Night) -> None:
    done, refused, old = dark.send(births=3)
    dark.far_side.faults_of({refused: {"fail": 1.0}, old: {"reject": 1.0}})
    dark.far_side.tick()
    dark.run("UPDATE applications SET triggering_at = triggering_at - interval '31 days' WHERE aid = :aid", aid=old)
    dark.due()
    poll(dark.desk())

    waits = {row.aid: row.hours for row in dark.run(
        "SELECT aid, round(extract(epoch FROM next_poll_at - now()) / 3600) AS hours FROM applications")}  # fmt: skip
    assert waits == {done: None, refused: 24, old: None}


def test_a_run_asks_about_a_bounded_number_the_longest_waiting_first(dark: Night) -> None:
    aids = dark.send(births=12)
    for number, aid in enumerate(aids):
        dark.run("UPDATE applications SET next_poll_at = now() - make_interval(mins => :n) WHERE aid = :aid",
                 n=number + 1, aid=aid)  # fmt: skip

    assert poll(dark.desk(poll_after=240.0), most=5)["asked"] == 5

    assert set(dark.aids("polls = 1")) == set(aids[-5:])


def test_runs_side_by_side_ask_about_different_applications(dark: Night) -> None:
    dark.send(births=120)
    dark.far_side.tick()
    dark.far_side.faults(status_slow={"probability": 1.0, "seconds": 0.5})
    dark.due()

    with ThreadPoolExecutor(3) as runs:
        tallies = list(runs.map(lambda _: poll(dark.desk(), most=50), range(3)))

    assert sorted(tally["asked"] for tally in tallies) == [20, 50, 50]
    assert dark.tally() == Counter(COMPLETED=120)
    assert {row.polls for row in dark.run("SELECT polls FROM applications")} == {1}


def test_a_run_that_keeps_a_chunk_and_a_settler_of_its_applications_do_not_block_each_other(
    dark: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run has heard something new of the last application only; the settler is told of all of them meanwhile."""
    aids = sorted(dark.send(births=5))
    dark.due()
    poll(dark.desk())
    dark.far_side.faults_of({aids[-1]: {"status_unknown_word": 1.0}})
    dark.due()
    settler = ThreadPoolExecutor(1)
    settled: list[Future[Recorded]] = []

    def settle() -> Recorded:
        with transaction(dark.ledger) as connection:
            at = clock(dark.ledger)
            done = [Fact(aid, EvidenceKind.WORKFLOW_PROCESSED, "a test", None, "digest", at) for aid in aids]
            return facts.record(connection, done)

    def settler_comes_in_between(*arguments: Any) -> None:
        settled.append(settler.submit(settle))
        eventually(lambda: dark.run("SELECT count(*) AS n FROM pg_locks WHERE NOT granted")[0].n > 0)
        asked(*arguments)

    asked = polling.asked
    monkeypatch.setattr(polling, "asked", settler_comes_in_between)

    assert poll(dark.desk())["answered"] == 5

    assert len(settled[0].result(timeout=30).moved) == 5
    settler.shutdown()


def test_a_run_that_is_killed_keeps_what_it_heard_and_gives_the_rest_back_after_a_while(dark: Night) -> None:
    dark.send(births=110)
    dark.far_side.tick()
    dark.due()
    dark.far_side.faults(status_slow={"probability": 1.0, "seconds": 1.0})
    program = (
        "import sys; from tests.rig import status_desk; from mosip_crvs.ledger.connection import connect_to_ledger; "
        "from mosip_crvs.reconciliation.polling import poll; "
        "poll(status_desk(connect_to_ledger(sys.argv[1]), sys.argv[2]))"
    )
    path = os.pathsep.join([str(ROOT), str(ROOT / "plugins"), str(INCLUDE)])
    poller = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program, dark.ledger_url, dark.far_side.url],
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    eventually(lambda: dark.tally()["COMPLETED"] == 100, 60)
    os.killpg(poller.pid, signal.SIGKILL)
    poller.wait()
    assert dark.tally() == Counter(COMPLETED=100, TRIGGERED=10), "it was killed in the middle"

    dark.far_side.faults()
    assert poll(dark.desk()) == Counter(), "the rest is reserved"
    dark.run("UPDATE applications SET next_poll_at = next_poll_at - make_interval(secs => :s)", s=RESERVED_SECONDS)
    assert poll(dark.desk())["settled"] == 10
    assert dark.tally() == Counter(COMPLETED=110)


def test_when_mosip_breaks_down_in_the_middle_what_it_said_is_kept_and_the_run_says_so(dark: Night) -> None:
    dark.send(births=110)
    dark.far_side.tick()
    dark.due()

    def break_down(path: str) -> None:
        if path.endswith(EXTERNAL) and len(calls.sizes(EXTERNAL)) == 2:
            dark.far_side.faults(status_500=1.0)

    calls = CountedCalls(dark.far_side.url, break_down)
    with pytest.raises(MosipUnavailable):
        poll(dark.desk(calls))

    assert dark.tally() == Counter(COMPLETED=100, TRIGGERED=10)
    (row,) = dark.pollings()
    assert (row.verdict, row.asked, row.answered) == ("unavailable", 110, 100)


# --- what it may not, or cannot, be asked ----------------------------------------------------------------------------


def test_where_we_may_not_ask_nothing_fails_and_the_alarm_lasts_until_we_may(dark: Night) -> None:
    dark.send(births=5)
    dark.far_side.tick()
    dark.far_side.faults(polling_forbidden=1.0)
    dark.due()

    assert poll(dark.desk())["forbidden"] == 1

    assert dark.tally() == Counter(TRIGGERED=5)
    (row,) = dark.pollings()
    assert (row.verdict, row.asked, row.answered) == ("forbidden", 5, 0)
    assert "REGISTRATION_ADMIN" in (dark.alarms()[POLLING_FORBIDDEN].details or "")
    assert dark.run("SELECT count(*) AS n FROM applications WHERE last_polled_at IS NOT NULL")[0].n == 0

    dark.far_side.faults()
    dark.due()
    assert poll(dark.desk())["settled"] == 5
    assert dark.alarms() == {}


def test_a_mosip_that_cannot_say_anything_of_our_processes_is_found_out_with_few_calls(dark: Night) -> None:
    dark.send(births=150)
    dark.far_side.tick()
    dark.far_side.main_processes("shipped")
    dark.due()
    calls = counted(dark)

    tally = poll(dark.desk(calls, poll_after=240.0))

    assert (tally["poisoned"], tally["answered"], tally["settled"]) == (150, 0, 0)
    assert len(calls.sizes(EXTERNAL)) < 6, "the chunk, and some alone"
    assert dark.tally() == Counter(TRIGGERED=150)
    assert dark.pollings()[-1].verdict == "poisoned"
    assert "main-processes" in (dark.alarms()[STATUS_CALL_POISONED].details or "")
    assert {row.last_status for row in dark.run("SELECT last_status FROM applications")} == {"RPR-RGS-018"}
    assert sum(calls.sizes(SEARCH)) == 150
    assert {kind for aid in dark.aids() for kind in dark.evidence(aid)} == {"trigger_accepted", "search_hint"}

    dark.far_side.main_processes("with_crvs")
    dark.due()
    assert poll(dark.desk())["settled"] == 150
    assert dark.alarms() == {}


def test_the_trap_of_births_does_not_keep_deaths_from_being_asked_about(dark: Night) -> None:
    births = dark.send(births=5)
    dark.send(deaths=5)
    dark.far_side.tick()
    dark.far_side.faults_of({aid: {"status_poison": 1.0} for aid in births})
    dark.due()

    assert poll(dark.desk())["settled"] == 5

    assert [alarm.subject for alarm in dark.alarms().values()] == ["birth"]


def test_one_application_that_fails_the_call_is_found_and_all_others_are_answered(dark: Night) -> None:
    aids = dark.send(births=60)
    dark.far_side.tick()
    dark.far_side.faults_of({aids[17]: {"status_poison": 1.0}})
    dark.due()

    tally = poll(dark.desk())

    assert (tally["settled"], tally["poisoned"]) == (59, 1)
    assert dark.aids("state = 'TRIGGERED' AND last_status = 'RPR-RGS-018'") == [aids[17]]


@pytest.mark.parametrize("requests", ["granted", "not granted"])
def test_where_births_cannot_be_asked_about_the_credential_request_proves_an_identity(
    ledger: Engine, ledger_url: str, registry_url: str, requests: str
) -> None:
    with sandbox("--credential-suffix=-C1") as far_side, night(ledger, ledger_url, registry_url, far_side) as one:
        aids = one.send(births=4, deaths=2)
        far_side.faults_of({aids[0]: {"reject": 1.0}})
        far_side.tick()
        far_side.main_processes("shipped")
        if requests == "not granted":
            far_side.faults(**{"token_expired@credential": 1.0})
        one.due()

        tally = poll(one.desk(credential_suffix="-C1", poll_after=240.0))

        if requests == "granted":
            assert one.tally() == Counter(COMPLETED=3, TRIGGERED=3), "neither deaths nor the refused one have any"
            assert tally["settled"] == 3
            assert one.evidence(aids[1])[-1] == "credential_requested"
            assert MOST_REQUESTS >= 4
        else:
            assert one.tally() == Counter(TRIGGERED=6)


# --- what its answers do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "word", "state"),
    [
        ("reject", "REJECTED", "REJECTED"),
        ("fail", "REREGISTER", "FAILED"),
        ("reprocess_failed", "REREGISTER", "FAILED"),
        ("pause", "AWAITING_INFORMATION", "AWAITING_INFO"),
    ],
)
def test_what_nobody_announced_is_found_and_kept_as_evidence(dark: Night, fault: str, word: str, state: str) -> None:
    (aid,) = dark.send(births=1)
    dark.far_side.faults(**{fault: 1.0})
    dark.far_side.tick()
    dark.due()

    tally = poll(dark.desk())

    assert dark.states() == {aid: state}
    assert tally["silent"] == (word == "REJECTED"), "what MOSIP announces, and did not"
    (row,) = dark.run("SELECT * FROM evidence WHERE source = 'externalstatus'")
    assert (row.code, row.moved_from, row.moved_to) == (word, "TRIGGERED", state)


def test_an_answer_is_kept_when_it_says_something_new_and_not_when_it_is_repeated(dark: Night) -> None:
    (aid,) = dark.send(births=1)
    said = []
    for step in ("begin", "wait", "pause", "wait", "resume", "wait", "end"):
        if step == "pause":
            dark.far_side.faults(pause=1.0)
            dark.far_side.tick()
        elif step == "resume":
            dark.far_side.operator(aid, "resume")
        elif step == "end":
            dark.far_side.tick()
        dark.due()
        poll(dark.desk())
        said.append(dark.evidence(aid)[1:])

    begun = ["status_processing"]
    paused = [*begun, "status_awaiting_information"]
    resumed = [*paused, "status_processing"]
    assert said == [begun, begun, paused, paused, resumed, resumed, [*resumed, "status_uin_generated"]]
    assert dark.run("SELECT polls FROM applications")[0].polls == 7


def test_words_that_say_nothing_certain_move_nothing(dark: Night) -> None:
    dark.send(births=8)
    dark.far_side.tick()
    dark.far_side.faults(status_unknown_word=1.0)
    dark.due()

    poll(dark.desk())

    assert dark.tally() == Counter(TRIGGERED=8)
    words = {row.last_status for row in dark.run("SELECT last_status FROM applications")}
    assert words == {"PROCESSED", "RESEND", "RECEIVED", "REPROCESS_FAILED"}
    assert {dark.evidence(aid)[-1] for aid in dark.aids()} == {"status_other"}
    dark.far_side.faults()
    dark.due()
    assert poll(dark.desk())["settled"] == 8


def test_a_trigger_that_never_arrived_is_unknown_to_mosip_and_nothing_follows_from_it(dark: Night) -> None:
    dark.far_side.faults(**{"reset_before@trigger": 1.0})
    with pytest.raises(Exception, match="not sent yet"):
        dark.send(births=1)
    (aid,) = dark.aids("state = 'TRIGGERING'")
    dark.ago("40 minutes")
    for _ in range(2):
        dark.due()
        poll(dark.desk())
    assert dark.states() == {aid: "TRIGGERING"}
    assert dark.alarms() == {}
    assert dark.evidence(aid)[0] == "status_not_found"


def test_an_accepted_application_that_mosip_does_not_know_alarms_until_it_knows_it(dark: Night) -> None:
    dark.far_side.faults(**{"reset_before@trigger": 1.0})
    with pytest.raises(Exception, match="not sent yet"):
        dark.send(births=1)
    (aid,) = dark.aids()
    with transaction(dark.ledger) as connection:
        accepted = Fact(aid, EvidenceKind.TRIGGER_ACCEPTED, "a test", None, "digest", clock(dark.ledger))
        facts.record(connection, [accepted])
    dark.due()
    poll(dark.desk())
    assert dark.states() == {aid: "TRIGGERED"}
    assert dark.alarms()["unknown_to_mosip"].subject == aid

    dark.announce(aid)
    assert dark.alarms() == {}


def test_what_mosip_noted_and_has_not_begun_yet_is_under_way(dark: Night) -> None:
    dark.far_side.faults(half_created=1.0)
    (aid,) = dark.send(births=1)
    dark.due()
    poll(dark.desk())
    assert dark.states() == {aid: "TRIGGERED"}
    assert dark.alarms() == {}


def test_what_is_half_created_alarms_and_its_repetition_is_not_kept(dark: Night) -> None:
    dark.far_side.faults(half_created=1.0)
    (aid,) = dark.send(births=1)
    dark.ago("31 minutes")
    for _ in range(3):
        dark.due()
        poll(dark.desk())
    assert dark.states() == {aid: "HALF_CREATED"}
    assert dark.alarms()["half_created"].subject == aid
    assert dark.evidence(aid).count("status_upload_pending") == 1

    dark.announce(aid)
    assert dark.alarms() == {}


def test_silence_changes_nothing_however_long_it_lasts(dark: Night) -> None:
    dark.send(births=5)
    dark.ago("400 days")
    dark.due()
    for _ in range(3):
        poll(dark.desk())
        dark.due()
    assert dark.tally() == Counter(TRIGGERED=5)
    assert dark.alarms() == {}


def test_an_event_against_a_completed_application_is_believed_only_when_mosip_answers_the_same(dark: Night) -> None:
    slandered, refused = dark.send(births=2)
    dark.far_side.tick()
    dark.due()
    poll(dark.desk())
    dark.far_side.operator(refused, "reject")
    for aid in (slandered, refused):
        assert dark.announce(aid, "REJECTED", "PACKET_REJECTED")["alarm_contradicted_success"] == 1
    assert dark.tally() == Counter(COMPLETED=2), "an announcement alone takes nothing back"
    calls = counted(dark)

    tally = poll(dark.desk(calls))

    assert calls.sizes(EXTERNAL) == [2], "both are asked about at once"
    assert dark.states() == {slandered: "COMPLETED", refused: "REJECTED"}
    assert tally["alarm_revoked_success"] == 1
    alarms = {(code, alarm.subject) for code, alarm in dark.alarms().items()}
    assert alarms == {("revoked_success", refused)}, "the contradiction is answered, for both"
    assert poll(dark.desk(calls)) == Counter(), "and what is completed is left in peace again"


def test_a_contradiction_that_comes_while_the_question_is_under_way_is_asked_about_as_well(dark: Night) -> None:
    (aid,) = dark.send(births=1)
    dark.far_side.tick()
    dark.due()

    def contradicted_meanwhile(path: str) -> None:
        if path.endswith(EXTERNAL):
            dark.announce(aid)
            dark.announce(aid, "REJECTED", "PACKET_REJECTED")

    poll(dark.desk(CountedCalls(dark.far_side.url, contradicted_meanwhile)))
    assert "contradicted_success" in dark.alarms(), "the answer is older than what it would have to answer"

    assert poll(dark.desk())["asked"] == 1
    assert dark.states() == {aid: "COMPLETED"}
    assert dark.alarms() == {}


def test_a_refusal_that_an_operator_took_back_is_found_by_asking(dark: Night) -> None:
    (aid,) = dark.send(births=1)
    dark.far_side.faults(fail=1.0)
    dark.far_side.tick()
    dark.due()
    poll(dark.desk())
    dark.far_side.faults()
    dark.far_side.operator(aid, "resume")
    dark.due()
    poll(dark.desk())
    assert dark.states() == {aid: "TRIGGERED"}
    dark.far_side.tick()
    dark.due()
    assert poll(dark.desk())["settled"] == 1
    assert dark.states() == {aid: "COMPLETED"}


# --- why it refused, and questions that must be answered now ---------------------------------------------------------


def test_the_stage_at_which_mosip_refused_is_asked_for_once(dark: Night) -> None:
    failed, rejected, _ = dark.send(births=3)
    dark.far_side.faults_of({failed: {"fail": 1.0}, rejected: {"reject": 1.0}})
    dark.far_side.tick()
    dark.due()
    poll(dark.desk())
    calls = counted(dark)

    assert explain_refusals(dark.desk(calls)) == 2

    codes = {row.aid: row.code for row in dark.run("SELECT aid, code FROM evidence WHERE kind = 'stage_failed'")}
    assert codes == {failed: "RPR-CMD-FAILED-014", rejected: "RPR-DDP-FAILED-002"}
    told = {row.aid: row.code for row in dark.run("SELECT aid, code FROM results")}
    assert {told[failed], told[rejected]} == set(codes.values()), "the registrar is told of the stage"
    before = len(calls.asked)
    assert explain_refusals(dark.desk(calls)) == 0
    assert len(calls.asked) == before


def test_where_the_stage_may_not_be_asked_for_nothing_fails(dark: Night) -> None:
    dark.send(births=2)
    dark.far_side.faults(fail=1.0)
    dark.far_side.tick()
    dark.due()
    poll(dark.desk())
    dark.far_side.faults(polling_forbidden=1.0)
    calls = counted(dark)
    assert explain_refusals(dark.desk(calls)) == 0
    assert len([path for path, _ in calls.asked if "registrationtransaction" in path]) == 1, "the first says it for all"


def test_a_question_for_a_decision_is_asked_whatever_the_time_and_tells_doubt_from_refusal(dark: Night) -> None:
    aids = dark.send(births=3)
    dark.far_side.tick()
    answered = status_now(dark.desk(), aids)
    assert {fact.kind for fact in answered.facts} == {EvidenceKind.STATUS_UIN_GENERATED}
    assert not answered.unaskable

    dark.far_side.faults_of({aids[0]: {"status_poison": 1.0}})
    some = status_now(dark.desk(), aids)
    assert (some.unaskable, {fact.aid for fact in some.facts}) == ({aids[0]}, set(aids[1:]))

    dark.far_side.faults(polling_forbidden=1.0)
    assert status_now(dark.desk(), aids).unaskable == set(aids)
    dark.far_side.faults(status_500=1.0)
    with pytest.raises(MosipUnavailable):
        status_now(dark.desk(), aids)


def test_time_is_taken_before_the_question_so_that_an_older_answer_never_beats_a_newer_event(dark: Night) -> None:
    (aid,) = dark.send(births=1)
    dark.far_side.faults(fail=1.0)
    dark.far_side.tick()
    dark.due()

    def resumed_meanwhile(path: str) -> None:
        if path.endswith(EXTERNAL):
            deadline = time.monotonic() + 1
            dark.announce(aid)
            assert time.monotonic() < deadline

    poll(dark.desk(CountedCalls(dark.far_side.url, resumed_meanwhile)))

    assert dark.states() == {aid: "COMPLETED"}, "MOSIP's answer was true before the event, at the latest"
