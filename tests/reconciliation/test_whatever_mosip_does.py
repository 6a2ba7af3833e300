"""Whatever MOSIP does about telling us: every application is settled, or stands with its age and the reason why not.

Sixty births and twenty deaths go from a real registry over HTTP to the far side; its hub delivers to a real receiver.
What the far side itself wrote down is what the ledger must say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from hub_scene import HubScene
from sqlalchemy import Engine
from tests.night import PREFIX, Night, eventually, night
from tests.rig import YESTERDAY, FarSide

from mosip_crvs.ledger import silence
from mosip_crvs.reconciliation.asking import Standing
from mosip_crvs.reconciliation.balance import DayBalance, day_balance
from mosip_crvs.reconciliation.inbox import settle_inbox
from mosip_crvs.reconciliation.polling import POLLING_FORBIDDEN, poll
from mosip_crvs.reconciliation.tending import SILENT
from mosip_crvs.settlement.events import WORKFLOW_COMPLETED

BIRTHS, DEATHS = 60, 20
FATES = {"reject": (0, 1), "fail": (2, 3), "reprocess_failed": (4, 5, 6), "pause": (7,)}
"""What befalls some of the births, by their place; all others complete."""
STATE_OF = {
    "PROCESSED": "COMPLETED",
    "REJECTED": "REJECTED",
    "FAILED": "FAILED",
    "REPROCESS_FAILED": "FAILED",
    "PAUSED_FOR_ADDITIONAL_INFO": "AWAITING_INFO",
}
"""The far side's words, and ours."""


@pytest.fixture
def country(
    ledger: Engine, ledger_url: str, registry_url: str, far_side: FarSide, hub_scene: HubScene
) -> Iterator[Night]:
    """A country whose night was sent, with the hub delivering to its receiver, before MOSIP has begun."""
    with night(ledger, ledger_url, registry_url, far_side) as one:
        assert hub_scene.tend().standings[WORKFLOW_COMPLETED] is Standing.VERIFIED
        one.send(births=BIRTHS, deaths=DEATHS)
        yield one


def fates(country: Night) -> None:
    """Let some of the births meet their fates at the next tick."""
    births = country.aids("kind = 'birth'")
    country.far_side.faults_of({births[place]: {name: 1.0} for name, places in FATES.items() for place in places})


def asked_until_settled(country: Night) -> Counter[str]:
    """Poll run after run, as often as it takes within reason."""
    tally: Counter[str] = Counter()
    for _ in range(3):
        country.due()
        tally += poll(country.desk())
    return tally


def agrees_with_the_far_side(country: Night, *, but: frozenset[str] = frozenset()) -> bool:
    """Hold every state against what the far side wrote down."""
    truth = {aid: STATE_OF[seen["result"]] for aid, seen in country.far_side.applications().items() if aid not in but}
    return {aid: state for aid, state in country.states().items() if aid not in but} == truth


def balance(country: Night) -> DayBalance:
    """Give the day's balance, which has nothing unexplained, ever."""
    found = day_balance(country.ledger, YESTERDAY)
    assert found.unexplained == 0
    assert found.terms.read == found.terms.submitted == BIRTHS + DEATHS
    return found


def test_when_no_event_is_ever_delivered_everything_settles_by_asking(country: Night) -> None:
    country.far_side.faults(events_off=1.0)
    fates(country)
    country.far_side.tick()

    assert settle_inbox(country.ledger, PREFIX) == Counter()
    assert balance(country).terms.in_progress == BIRTHS + DEATHS
    tally = asked_until_settled(country)

    assert country.run("SELECT count(*) AS n FROM inbox")[0].n == 0
    assert agrees_with_the_far_side(country)
    assert tally["settled"] == BIRTHS + DEATHS - 1
    assert tally["silent"] == 72 + 2, "completions and rejections, none of which was announced"
    terms = balance(country).terms
    assert (terms.completed, terms.rejected, terms.failed, terms.awaiting, terms.in_progress) == (72, 2, 5, 1, 0)


def test_when_asking_is_forbidden_what_is_announced_settles_and_the_rest_stands_with_its_age_and_reason(
    country: Night,
) -> None:
    births = country.aids("kind = 'birth'")
    lost = frozenset(births[20:24])
    never_announced = frozenset(births[place] for place in FATES["reprocess_failed"])
    country.far_side.faults(polling_forbidden=1.0)
    fates(country)
    country.far_side.faults_of({aid: {"publish_lost": 1.0} for aid in lost})
    country.far_side.tick()
    open_ones = lost | never_announced

    country.due()
    assert poll(country.desk())["forbidden"] == 2, "births and deaths, and no failure"

    def settled() -> bool:
        settle_inbox(country.ledger, PREFIX)
        return agrees_with_the_far_side(country, but=open_ones)

    eventually(settled)
    assert {country.states()[aid] for aid in open_ones} == {"TRIGGERED"}
    country.run("UPDATE applications SET triggering_at = triggering_at - interval '5 hours' WHERE aid = ANY(:aids)",
                aids=list(lost))  # fmt: skip
    waiting = {(each.reason, each.age): each.count for each in balance(country).waiting}
    assert waiting == {
        ("POLLING_FORBIDDEN", "15m"): len(never_announced),
        ("POLLING_FORBIDDEN", "24h"): len(lost),
        ("AWAITING_INFO", "15m"): 1,
    }
    assert POLLING_FORBIDDEN in country.alarms()

    country.far_side.faults()  # the country grants the role
    asked_until_settled(country)
    assert agrees_with_the_far_side(country)
    assert POLLING_FORBIDDEN not in country.alarms()
    assert balance(country).terms.in_progress == 0


def test_a_hub_that_dropped_us_is_revived_by_one_renewal_and_what_it_lost_is_found_by_asking(
    country: Night, hub_scene: HubScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "look", partial(silence.look, grace=silence.GRACE * 0))
    lost = country.aids()[10:30]
    country.far_side.faults_of({aid: {"publish_lost": 1.0} for aid in lost})
    country.far_side.drop_subscribers()
    country.far_side.tick()
    assert settle_inbox(country.ledger, PREFIX) == Counter()
    country.due()
    assert poll(country.desk())["settled"] == BIRTHS + DEATHS

    tended = hub_scene.tend()

    assert tended.silent == BIRTHS + DEATHS
    assert SILENT in country.alarms(), "results were found by asking that nobody had announced"
    assert tended.standings[WORKFLOW_COMPLETED] is Standing.VERIFIED, "one renewal, and the hub has taken us up again"
    kept = BIRTHS + DEATHS - len(lost)
    eventually(lambda: len(hub_scene.bodies()) == kept)
    settle_inbox(country.ledger, PREFIX)
    assert hub_scene.tend().silent == 0
    assert SILENT not in country.alarms()
    assert agrees_with_the_far_side(country)
    assert {country.states()[aid] for aid in lost} == {"COMPLETED"}
    assert balance(country).terms.completed == BIRTHS + DEATHS
