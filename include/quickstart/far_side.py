"""The witness: what our own sandbox says it did, beside what the ledger says. Any other MOSIP has no such page."""

from __future__ import annotations

from typing import Any

from quickstart import local_http
from quickstart.places import read_json
from quickstart.work import Work


def agrees(work: Work, *, again: bool, in_progress: int) -> bool:
    """Print the sandbox's count of national IDs beside ours; True when they agree, or when there is no sandbox.

    :param again: a second run on the same state, in which MOSIP must have been asked for nothing.
    :param in_progress: applications whose answer is still to come; MOSIP may be ahead by so many.
    """
    if work.stack.far_side == "mosip":
        return True
    totals = _totals(work)
    issued, twice = int(totals["uins_issued"]), int(totals["children_with_two_uins"])
    if again:
        before = sum(_issued_before(work))
        accepted = int(totals["triggers_accepted"])
        work.console.say(
            f"\nUINs issued by MOSIP: before {before}, after {before + issued}; "
            f"applications it accepted in this run: {accepted}"
        )
        return issued == accepted == 0
    from quickstart import balances  # late: as in quickstart.work

    with balances.ledger_engine(work.stack.urls["ledger"]) as engine:
        births = balances.completed_births(engine)
    agree = births == issued or (births < issued <= births + in_progress)
    sign = "=" if births == issued else "and"
    work.console.say(
        f"\nUINs issued by MOSIP: {issued} {sign} completed births: {births}; children with two UINs: {twice}"
    )
    return agree and twice == 0


def _totals(work: Work) -> dict[str, Any]:
    page = local_http.send(f"{work.stack.urls['mosip']}/sandbox/record?totals=1", seconds=30.0)
    return dict(page["totals"])


def _issued_before(work: Work) -> list[int]:
    records = [read_json(path) or {} for path in work.places.earlier_sandbox_records()]
    return [int(record.get("totals", {}).get("uins_issued", 0)) for record in records]
