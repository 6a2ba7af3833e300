"""The witness: what our own sandbox says it did, beside what the ledger says. Any other MOSIP has no such page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quickstart import local_http
from quickstart.places import read_json
from quickstart.work import Work

if TYPE_CHECKING:
    from quickstart.arrivals import Waiting

_ENDS = {
    "COMPLETED": ("PROCESSED",),
    "REJECTED": ("REJECTED",),
    "FAILED": ("FAILED", "REPROCESS_FAILED"),
    "AWAITING_INFO": ("PAUSED_FOR_ADDITIONAL_INFO",),
}
"""What the ledger calls an end, and what MOSIP does."""


def agrees(work: Work, *, again: bool, waiting: Waiting) -> bool:
    """Print the sandbox's counts beside ours; True when they agree, or when there is no sandbox.

    :param again: a second run on the same state, in which MOSIP must have been asked for nothing.
    :param waiting: what is still to come; MOSIP may be ahead by so many.
    """
    if work.stack.far_side == "mosip":
        return True
    totals = _totals(work)
    if again:
        return _did_nothing(work, totals)
    from quickstart import arrivals, balances  # late: as in quickstart.work

    with balances.ledger_engine(work.stack.urls["ledger"]) as engine:
        ours, taken = arrivals.by_state(engine), arrivals.credentials_taken(engine)
    return all(
        [
            _identities(work, totals, ours.get("births", 0), waiting.applications),
            _ends(work, totals, ours, waiting.applications),
            _credentials(work, totals, taken, waiting),
        ]
    )


def _did_nothing(work: Work, totals: dict[str, Any]) -> bool:
    issued, accepted = int(totals["uins_issued"]), int(totals["triggers_accepted"])
    before = sum(_issued_before(work))
    work.console.say(
        f"\nUINs issued by MOSIP: before {before}, after {before + issued}; "
        f"applications it accepted in this run: {accepted}"
    )
    return issued == accepted == 0


def _identities(work: Work, totals: dict[str, Any], births: int, behind: int) -> bool:
    issued, twice = int(totals["uins_issued"]), int(totals["children_with_two_uins"])
    sign = "=" if births == issued else "and"
    work.console.say(
        f"\nUINs issued by MOSIP: {issued} {sign} completed births: {births}; children with two UINs: {twice}"
    )
    return births <= issued <= births + behind and twice == 0


def _ends(work: Work, totals: dict[str, Any], ours: dict[str, int], behind: int) -> bool:
    told = {state: sum(totals["results"].get(word, 0) for word in words) for state, words in _ENDS.items()}
    other = [
        f"{state.lower().replace('_', ' ')}: MOSIP {count}, ledger {ours.get(state, 0)}"
        for state, count in told.items()
        if not ours.get(state, 0) <= count <= ours.get(state, 0) + behind
    ]
    work.console.say(
        f"MOSIP and the ledger differ: {'; '.join(other)}"
        if other
        else "Rejected, failed and awaiting: each as MOSIP's own record has it"
    )
    return not other


def _credentials(work: Work, totals: dict[str, Any], taken: int, waiting: Waiting) -> bool:
    announced = int(totals["credentials_published"])
    sign = "=" if taken == announced else "and"
    work.console.say(f"Credentials announced by MOSIP: {announced} {sign} taken and acknowledged: {taken}")
    return taken <= announced <= taken + waiting.credentials + waiting.applications


def _totals(work: Work) -> dict[str, Any]:
    page = local_http.send(f"{work.stack.urls['mosip']}/sandbox/record?totals=1", seconds=30.0)
    return dict(page["totals"])


def _issued_before(work: Work) -> list[int]:
    records = [read_json(path) or {} for path in work.places.earlier_sandbox_records()]
    return [int(record.get("totals", {}).get("uins_issued", 0)) for record in records]
