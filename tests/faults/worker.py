"""A submitting process to be killed: plans a day and sends its ranges until all are finished.

``python -m tests.faults.worker LEDGER_URL REGISTRY_URL MOSIP_URL``
"""

from __future__ import annotations

import sys
import time

from tests.rig import plan, submission

from mosip_crvs.errors import RetryLater
from mosip_crvs.ledger import batches
from mosip_crvs.submission.pipeline import resume_triggers, submit_range


def main(ledger_url: str, registry_url: str, mosip_url: str) -> None:
    """Send until nothing is left."""
    made = submission(ledger_url, registry_url, mosip_url, concurrency=16, takeover_wait=0.5)
    todo = plan(made, range_size=200, spread=2)
    while todo:
        for batch_id, number in todo:
            try:
                submit_range(made, batch_id, number, "worker")
            except RetryLater as problem:
                print(problem, flush=True)
                time.sleep(0.2)
        todo = batches.unfinished_ranges(made.ledger, made.kind, 1000)
    resume_triggers(made, "worker")


if __name__ == "__main__":
    main(*sys.argv[1:4])
