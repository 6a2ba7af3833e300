"""A refused birth that the registrar corrected is sent again under a new AID, and never so that a child gets two UINs.

MOSIP's operators may complete the refused application at any moment; each test lets them do it at another one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from tests.conftest import INCLUDE, ROOT
from tests.night import BIRTH, Night, eventually, night, sandbox
from tests.rig import YESTERDAY

from mosip_crvs.errors import BatchIncomplete
from mosip_crvs.ledger.batches import open_batch
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.moments import now_text
from mosip_crvs.mosip.settings import WORKFLOW_INSTANCE_PATH
from mosip_crvs.mosip.token import TokenSource
from mosip_crvs.reconciliation.balance import day_balance
from mosip_crvs.reconciliation.polling import poll, status_now
from mosip_crvs.submission import sender
from mosip_crvs.submission.pipeline import Submission, resume_triggers, submit_corrected
from mosip_crvs.submission.plan import window_of
from mosip_crvs.submission.supersession import StatusNow

SECOND = "possible_second_id"
_LATER = datetime(2031, 1, 1, tzinfo=UTC)
_WORKER = (
    "import sys; from datetime import UTC, datetime; from tests.rig import asking, plan, submission; "
    "from mosip_crvs.submission.pipeline import submit_range; "
    "made = asking(submission(*sys.argv[1:4], timeout=60.0)); "
    "[submit_range(made, *each, 'worker') for each in plan(made, datetime.now(UTC).date())]"
)
"""A night of its own, to be killed."""


@pytest.fixture
def scene(ledger: Engine, ledger_url: str, registry_url: str) -> Iterator[Night]:
    """A night, and a far side that knows a child again whose address was corrected."""
    told = [argument for name in ("fullName", "dateOfBirth", "gender") for argument in ("--digest-field", name)]
    with sandbox(*told) as far_side, night(ledger, ledger_url, registry_url, far_side) as one:
        yield one


@pytest.fixture
def refused(scene: Night) -> str:
    """The AID of a birth that MOSIP has refused, and the registrar corrected."""
    (aid,) = scene.send(births=1)
    refuse(scene)
    scene.amend(aid)
    return aid


def refuse(scene: Night, fault: str = "fail") -> None:
    """Let MOSIP refuse all that it has, and let us find out."""
    scene.far_side.faults(**{fault: 1.0})
    scene.far_side.tick()
    scene.far_side.faults()
    settle(scene)


def settle(scene: Night) -> None:
    """Ask about everything."""
    scene.due()
    poll(scene.desk())


def second_of(scene: Night, first: str) -> str:
    """Give the AID of the successor; there is one."""
    (aid,) = scene.aids(f"supersedes = '{first}'")
    return aid


class Moments(TokenSource):
    """Does something at the moment of a call: of one birth, the first is for the packet, the second for the trigger."""

    def __init__(self, tokens: TokenSource, then: dict[int, Callable[[], None]]) -> None:
        self._tokens = tokens
        self._then = then
        self._calls = 0

    async def get_async(self, refused: str | None = None) -> str:
        """Do it, then give the token."""
        self._calls += 1
        if self._calls in self._then:
            self._then[self._calls]()
        return await self._tokens.get_async(refused)


# --- what is sent again ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["reject", "fail", "reprocess_failed"])
def test_a_refused_birth_that_was_corrected_gets_a_new_aid_and_one_uin(scene: Night, fault: str) -> None:
    aids = scene.send(births=6)
    scene.far_side.faults_of({aids[0]: {fault: 1.0}, aids[1]: {fault: 1.0}})
    scene.far_side.tick()
    settle(scene)
    scene.amend(aids[0])
    scene.amend(aids[2])  # completed: nothing to send again

    scene.run_day(scene.submission())
    scene.far_side.tick()
    settle(scene)

    second = second_of(scene, aids[0])
    assert scene.states()[second] == "COMPLETED"
    assert scene.states()[aids[1]] in ("REJECTED", "FAILED"), "nobody corrected it"
    assert scene.uins() == {"uins": 5, "twice": 0}
    assert len(scene.aids()) == 7
    today = datetime.now(UTC).date()
    assert [day_balance(scene.ledger, day).unexplained for day in (YESTERDAY, today)] == [0, 0]
    assert day_balance(scene.ledger, today).terms.completed == 1


def test_the_next_night_again_sends_nothing_more(scene: Night, refused: str) -> None:
    for _ in range(3):
        scene.run_day(scene.submission())
        scene.far_side.tick()
        settle(scene)
    assert len(scene.aids()) == 2
    assert scene.uins() == {"uins": 1, "twice": 0}


def test_a_birth_that_is_refused_twice_gets_a_third_aid_when_it_is_corrected_twice(scene: Night, refused: str) -> None:
    scene.run_day(scene.submission())
    refuse(scene, "reject")
    scene.amend(refused)
    scene.run_day(scene.submission())
    scene.far_side.tick()
    settle(scene)
    assert list(scene.states().values()) == ["FAILED", "REJECTED", "COMPLETED"]
    assert scene.uins() == {"uins": 1, "twice": 0}


def test_what_was_corrected_while_mosip_had_it_is_sent_again_when_it_is_refused(scene: Night) -> None:
    (aid,) = scene.send(births=1)
    scene.amend(aid)
    scene.run_day(scene.submission())
    assert scene.aids() == [aid], "MOSIP has it still"
    refuse(scene)

    assert corrected_tonight(scene, scene.submission())["triggered"] == 1
    scene.far_side.tick()
    settle(scene)
    assert scene.states() == {aid: "FAILED", second_of(scene, aid): "COMPLETED"}
    assert scene.uins() == {"uins": 1, "twice": 0}
    assert corrected_tonight(scene, scene.submission())["triggered"] == 0


def test_what_mosip_never_began_is_sent_again_by_itself(scene: Night) -> None:
    scene.far_side.faults(half_created=1.0)
    (aid,) = scene.send(births=1)
    scene.far_side.faults()
    scene.ago("31 minutes")
    settle(scene)
    assert scene.states() == {aid: "HALF_CREATED"}

    corrected_tonight(scene, scene.submission())
    scene.far_side.tick()
    settle(scene)

    assert scene.states()[second_of(scene, aid)] == "COMPLETED"
    assert scene.uins() == {"uins": 1, "twice": 0}


def test_what_mosip_has_begun_after_all_is_not_sent_again(scene: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "TRIES", 1)
    scene.far_side.faults(half_created_recovers=1.0)
    with pytest.raises(BatchIncomplete):
        scene.send(births=1)
    scene.far_side.faults()
    (aid,) = scene.aids()
    scene.ago("31 minutes")
    settle(scene)
    assert scene.states() == {aid: "HALF_CREATED"}

    made = scene.submission()
    SingleCalls(scene.far_side.url).send(  # somebody's repeated trigger gets through
        "POST", WORKFLOW_INSTANCE_PATH, body=made.requests.trigger(aid, now_text()), token=made.tokens.get()
    )
    corrected_tonight(scene, made)

    assert scene.states() == {aid: "TRIGGERED"}
    scene.far_side.tick()
    settle(scene)
    assert scene.uins() == {"uins": 1, "twice": 0}


def corrected_tonight(scene: Night, made: Submission) -> Counter[str]:
    """Plan a night that reads nothing, and send again what is to be sent again."""
    window = window_of(BIRTH, _LATER, _LATER + timedelta(days=1), look_back=timedelta(0), time_zone="UTC")
    batch_id = open_batch(scene.ledger, window, "test", [])
    return submit_corrected(made, batch_id, "test")


# --- whom we believe -------------------------------------------------------------------------------------------------


def test_while_mosip_does_not_say_whether_its_refusal_stands_nothing_is_sent_and_the_next_run_sends(
    scene: Night, refused: str
) -> None:
    scene.far_side.faults(status_500=1.0)
    scene.run_day(scene.submission())
    assert scene.aids() == [refused]

    scene.far_side.faults()
    corrected_tonight(scene, scene.submission())
    scene.far_side.tick()
    settle(scene)
    assert list(scene.states().values()) == ["FAILED", "COMPLETED"]
    assert scene.uins() == {"uins": 1, "twice": 0}


@pytest.mark.parametrize("asks", [True, False], ids=["forbidden", "nobody to ask"])
def test_where_mosip_may_not_be_asked_its_announced_refusal_is_believed(scene: Night, asks: bool) -> None:
    (aid,) = scene.send(births=1)
    scene.far_side.faults(fail=1.0)
    scene.far_side.tick()
    scene.announce(aid, "FAILED", "PACKET_FAILED")
    scene.amend(aid)
    scene.far_side.faults(polling_forbidden=1.0)

    scene.run_day(scene.submission(asks=asks))
    scene.far_side.tick()
    scene.announce(second_of(scene, aid))

    assert list(scene.states().values()) == ["FAILED", "COMPLETED"]
    assert scene.uins() == {"uins": 1, "twice": 0}


def test_where_mosip_cannot_answer_about_our_processes_its_announced_refusal_is_believed(scene: Night) -> None:
    (aid,) = scene.send(births=1)
    scene.far_side.faults(fail=1.0)
    scene.far_side.tick()
    scene.far_side.faults()
    scene.announce(aid, "FAILED", "PACKET_FAILED")
    scene.amend(aid)
    scene.far_side.main_processes("shipped")

    scene.run_day(scene.submission())

    assert scene.states()[second_of(scene, aid)] == "TRIGGERED"


# --- an operator resumes the first, at every step --------------------------------------------------------------------


def test_resumed_before_the_night_it_is_under_way_again_and_nothing_is_sent(scene: Night, refused: str) -> None:
    scene.far_side.operator(refused, "resume")

    scene.run_day(scene.submission())

    assert scene.states() == {refused: "TRIGGERED"}, "MOSIP, asked, says that it works on it"
    scene.far_side.tick()
    settle(scene)
    assert scene.states() == {refused: "COMPLETED"}
    assert scene.uins() == {"uins": 1, "twice": 0}
    assert SECOND not in scene.alarms()


@pytest.mark.parametrize("announced", [True, False], ids=["and announced", "and nobody tells"])
def test_completed_before_the_night_nothing_is_sent(scene: Night, refused: str, announced: bool) -> None:
    scene.resume(refused, announced=announced)
    scene.run_day(scene.submission())
    assert scene.states() == {refused: "COMPLETED"}
    assert scene.uins() == {"uins": 1, "twice": 0}


def test_completed_between_mosips_answer_and_the_claim_nothing_is_sent(scene: Night, refused: str) -> None:
    desk = scene.desk()

    def ask(aids: Sequence[str]) -> StatusNow:
        said = status_now(desk, aids)
        scene.resume(refused)
        return said

    scene.run_day(replace(scene.submission(), ask_status=ask))

    assert scene.states() == {refused: "COMPLETED"}
    assert scene.uins() == {"uins": 1, "twice": 0}
    assert SECOND not in scene.alarms()


def test_completed_after_the_claim_the_second_is_withdrawn_and_its_trigger_never_leaves(
    scene: Night, refused: str
) -> None:
    made = scene.submission()
    made = replace(made, tokens=Moments(made.tokens, {1: lambda: scene.resume(refused)}))

    scene.run_day(made)

    second = second_of(scene, refused)
    assert scene.states() == {refused: "COMPLETED", second: "WITHDRAWN"}
    assert scene.far_side.applications()[second]["triggers_accepted"] == 0
    scene.far_side.tick()
    assert scene.uins() == {"uins": 1, "twice": 0}
    assert SECOND not in scene.alarms()
    today = datetime.now(UTC).date()
    assert [day_balance(scene.ledger, day).unexplained for day in (YESTERDAY, today)] == [0, 0]
    scene.run_day(scene.submission())
    assert scene.states() == {refused: "COMPLETED", second: "WITHDRAWN"}


def test_completed_while_the_packet_is_being_created_the_trigger_never_leaves(scene: Night, refused: str) -> None:
    scene.far_side.faults(create_500=1.0)
    with pytest.raises(BatchIncomplete):
        scene.run_day(scene.submission())
    scene.far_side.faults()
    second = second_of(scene, refused)
    assert scene.states()[second] == "AID_ASSIGNED", "a run left it so"

    scene.resume(refused)
    assert scene.states()[second] == "WITHDRAWN"
    scene.run_day(scene.submission())
    corrected_tonight(scene, scene.submission())

    assert second not in {aid for aid, seen in scene.far_side.applications().items() if seen["triggers_accepted"]}
    assert scene.uins() == {"uins": 1, "twice": 0}


def test_completed_right_before_the_trigger_leaves_nothing_can_stop_it_and_the_alarm_names_both(
    scene: Night, refused: str
) -> None:
    made = scene.submission()
    made = replace(made, tokens=Moments(made.tokens, {2: lambda: scene.resume(refused)}))

    scene.run_day(made)

    second = second_of(scene, refused)
    assert scene.states() == {refused: "COMPLETED", second: "TRIGGERED"}
    alarm = scene.alarms()[SECOND]
    assert (alarm.subject, alarm.other) == (second, refused)
    scene.far_side.operator(second, "stop")  # what the alarm is for
    settle(scene)
    assert scene.states() == {refused: "COMPLETED", second: "REJECTED"}
    assert scene.uins() == {"uins": 1, "twice": 0}


def test_completed_after_a_trigger_that_never_arrived_no_run_sends_it_again(
    scene: Night, refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "TRIES", 1)
    scene.far_side.faults(**{"reset_before@trigger": 1.0})
    with pytest.raises(BatchIncomplete):
        scene.run_day(scene.submission())
    scene.far_side.faults()
    second = second_of(scene, refused)
    assert scene.states()[second] == "TRIGGERING"

    scene.resume(refused)
    assert (scene.alarms()[SECOND].subject, scene.alarms()[SECOND].other) == (second, refused)
    assert resume_triggers(scene.submission(), "test")["triggered"] == 0
    scene.run_day(scene.submission())
    corrected_tonight(scene, scene.submission())
    assert scene.states()[second] == "TRIGGERING"

    scene.ago("31 minutes")
    settle(scene)
    assert scene.states() == {refused: "COMPLETED", second: "WITHDRAWN"}, "MOSIP does not know it long after"
    assert SECOND not in scene.alarms()
    scene.far_side.tick()
    assert scene.uins() == {"uins": 1, "twice": 0}


@pytest.mark.parametrize("second_completes", [True, False])
def test_completed_after_the_second_was_sent_the_alarm_names_both(
    scene: Night, refused: str, second_completes: bool
) -> None:
    scene.run_day(scene.submission())
    second = second_of(scene, refused)
    if second_completes:
        scene.far_side.tick()
        settle(scene)
    scene.far_side.operator(refused, "resume")
    if not second_completes:
        scene.far_side.faults_of({second: {"pause": 1.0}})
    scene.far_side.tick()
    settle(scene)

    alarms = [alarm for code, alarm in scene.alarms().items() if code == SECOND]
    assert [{alarm.subject, alarm.other} for alarm in alarms] == [{second, refused}]
    assert scene.states()[refused] == "COMPLETED"
    assert scene.uins() == {"uins": 2 if second_completes else 1, "twice": int(second_completes)}


# --- holidays and kills in between -----------------------------------------------------------------------------------


def test_a_successor_that_a_holiday_keeps_back_is_sent_on_a_working_day_under_the_same_aid(
    scene: Night, refused: str
) -> None:
    rest = frozenset({datetime.now(UTC).date() + timedelta(days=number) for number in range(2)})
    scene.run_day(scene.submission(holidays=rest))
    second = second_of(scene, refused)
    assert scene.states()[second] == "AID_ASSIGNED"

    scene.run_day(scene.submission(holidays=frozenset()))
    scene.far_side.tick()
    settle(scene)
    assert scene.states() == {refused: "FAILED", second: "COMPLETED"}
    assert scene.uins() == {"uins": 1, "twice": 0}


def test_a_successor_that_no_window_brings_back_survives_a_holiday_too(scene: Night) -> None:
    (aid,) = scene.send(births=1)
    scene.amend(aid)
    scene.run_day(scene.submission())
    refuse(scene)
    rest = frozenset({datetime.now(UTC).date() + timedelta(days=number) for number in range(2)})
    corrected_tonight(scene, scene.submission(holidays=rest))
    second = second_of(scene, aid)
    assert scene.states()[second] == "AID_ASSIGNED"

    corrected_tonight(scene, scene.submission(holidays=frozenset()))
    scene.far_side.tick()
    settle(scene)
    assert scene.states() == {aid: "FAILED", second: "COMPLETED"}


def test_completed_during_the_holiday_the_second_is_never_sent(scene: Night, refused: str) -> None:
    rest = frozenset({datetime.now(UTC).date() + timedelta(days=number) for number in range(2)})
    scene.run_day(scene.submission(holidays=rest))
    scene.resume(refused)
    scene.run_day(scene.submission(holidays=frozenset()))
    assert scene.states() == {refused: "COMPLETED", second_of(scene, refused): "WITHDRAWN"}
    assert scene.uins() == {"uins": 1, "twice": 0}


@pytest.mark.parametrize("known", [True, False], ids=["and we know", "and nobody told us"])
def test_resumed_during_the_holiday_the_second_waits_for_what_becomes_of_the_first(
    scene: Night, refused: str, known: bool
) -> None:
    rest = frozenset({datetime.now(UTC).date() + timedelta(days=number) for number in range(2)})
    scene.run_day(scene.submission(holidays=rest))
    second = second_of(scene, refused)
    scene.far_side.operator(refused, "resume")
    if known:
        settle(scene)

    scene.run_day(scene.submission(holidays=frozenset()))
    assert scene.states() == {refused: "TRIGGERED", second: "AID_ASSIGNED"}, "MOSIP works on the first again"
    scene.far_side.tick()
    settle(scene)
    assert scene.states() == {refused: "COMPLETED", second: "WITHDRAWN"}
    assert scene.uins() == {"uins": 1, "twice": 0}


def test_while_mosip_does_not_say_whether_the_first_was_resumed_its_successor_waits(scene: Night, refused: str) -> None:
    rest = frozenset({datetime.now(UTC).date() + timedelta(days=number) for number in range(2)})
    scene.run_day(scene.submission(holidays=rest))
    second = second_of(scene, refused)
    scene.far_side.operator(refused, "resume")
    scene.far_side.faults(status_500=1.0)
    scene.run_day(scene.submission(holidays=frozenset()))
    assert scene.states() == {refused: "FAILED", second: "AID_ASSIGNED"}
    assert scene.far_side.applications().get(second) is None, "not even its packet was created"

    scene.far_side.faults()
    scene.far_side.tick()
    corrected_tonight(scene, scene.submission(holidays=frozenset()))
    assert scene.states() == {refused: "COMPLETED", second: "WITHDRAWN"}
    assert scene.uins() == {"uins": 1, "twice": 0}


def test_resumed_during_the_holiday_and_refused_again_the_second_is_sent(scene: Night, refused: str) -> None:
    rest = frozenset({datetime.now(UTC).date() + timedelta(days=number) for number in range(2)})
    scene.run_day(scene.submission(holidays=rest))
    scene.far_side.operator(refused, "resume")
    settle(scene)
    scene.run_day(scene.submission(holidays=frozenset()))
    scene.far_side.operator(refused, "stop")
    settle(scene)

    corrected_tonight(scene, scene.submission(holidays=frozenset()))

    scene.far_side.tick()
    settle(scene)
    assert list(scene.states().values()) == ["REJECTED", "COMPLETED"]
    assert scene.uins() == {"uins": 1, "twice": 0}


def test_while_the_first_of_two_is_resumed_no_third_is_sent(scene: Night, refused: str) -> None:
    scene.run_day(scene.submission())
    refuse(scene)
    scene.far_side.operator(refused, "resume")
    settle(scene)
    scene.amend(refused)

    scene.run_day(scene.submission())

    assert list(scene.states().values()) == ["TRIGGERED", "FAILED"]
    scene.far_side.tick()
    settle(scene)
    assert list(scene.states().values()) == ["COMPLETED", "FAILED"]
    assert scene.uins() == {"uins": 1, "twice": 0}


def test_a_run_that_is_killed_between_the_claim_and_the_sending_costs_nothing(scene: Night, refused: str) -> None:
    scene.far_side.faults(create_slow={"probability": 1.0, "seconds": 30.0})
    path = os.pathsep.join([str(ROOT), str(ROOT / "plugins"), str(INCLUDE)])
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _WORKER, scene.ledger_url, scene.registry_url, scene.far_side.url],
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    try:
        eventually(lambda: len(scene.aids()) == 2 and scene.far_side.hits("create_slow") == 1, 60)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    scene.far_side.faults()
    second = second_of(scene, refused)
    assert scene.states() == {refused: "FAILED", second: "AID_ASSIGNED"}

    scene.run_day(scene.submission())
    scene.far_side.tick()
    settle(scene)
    assert scene.states() == {refused: "FAILED", second: "COMPLETED"}
    assert scene.uins() == {"uins": 1, "twice": 0}
