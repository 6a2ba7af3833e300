"""How long a credential waits after a step that was made in vain."""

from __future__ import annotations

from datetime import timedelta

from mosip_crvs.errors import MosipRefused, MosipUnavailable
from mosip_crvs.ledger.credentials import LEASE, DueCredential
from mosip_crvs.reconciliation.troubles import Step

SHORTEST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
REISSUE_WAIT = timedelta(hours=6)
"""How long MOSIP has for issuing again what was lost; its job for that may run seldom."""
REISSUE_OUTAGE_WAIT = timedelta(hours=2)
REISSUE_TRIES = 12
ACKNOWLEDGE_FOR = timedelta(days=7)
"""After which MOSIP is not told any more what became of a credential: nothing of ours depends on it."""
VAIN_TRIES = 3
"""After so many a run lets the rest of a step wait for a later one."""
_MOST_TRIES = 23


def wait_of(due: DueCredential, step: Step, problem: MosipRefused | MosipUnavailable) -> timedelta | None:
    """Say how long one credential waits; None when the step is given up.

    A refusal may be about a single odd link, which then waits longer each time, and longer than all others do.
    """
    age = due.taken_until - LEASE - due.announced_at
    if step is Step.ACKNOWLEDGE and age > ACKNOWLEDGE_FOR:
        return None
    if isinstance(problem, MosipRefused):
        return LONGEST_WAIT * (min(due.tries, _MOST_TRIES) + 1) + SHORTEST_WAIT
    wait = REISSUE_OUTAGE_WAIT if step is Step.REISSUE else wait_after(due.tries)
    return max(wait, timedelta(seconds=problem.retry_after or 0))


def wait_of_all(problem: MosipRefused | MosipUnavailable) -> timedelta:
    """Say how long everything waits that wants a step which cannot be made now."""
    return LONGEST_WAIT if isinstance(problem, MosipRefused) else SHORTEST_WAIT


def wait_after(tries: int) -> timedelta:
    """Say how long a step waits that was tried in vain so many times before."""
    return min(SHORTEST_WAIT * (1 << min(tries, 10)), LONGEST_WAIT)
