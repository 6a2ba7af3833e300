"""The sync: the pipeline of the DAGs, with all that it promises, from planning to the last ``TRIGGERED``."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import create_engine

from bench.work import INCLUDE, Result, Stopwatch, Work
from mosip_crvs.ledger.connection import connect_to_ledger
from mosip_crvs.model import RegistrationKind
from mosip_crvs.mosip.calls import SingleCalls
from mosip_crvs.mosip.token import TokenSource, fetch_token
from mosip_crvs.submission.assemble import CountryFiles, assemble
from mosip_crvs.submission.pipeline import submit_range
from mosip_crvs.submission.plan import plan_batch, window_of

_KIND = RegistrationKind.BIRTH


def measure(work: Work) -> Result:
    """Plan the day and submit ranges, one after the other as one worker would, until enough events are triggered."""
    settings = work.settings()
    calls = SingleCalls(work.far_side)
    registry = create_engine(work.registry.replace("postgresql://", "postgresql+psycopg://", 1), hide_parameters=True)
    ledger = connect_to_ledger(work.ledger)
    tokens = TokenSource(lambda: fetch_token(calls, settings))
    submission = assemble(
        _KIND, CountryFiles(INCLUDE), registry=registry, ledger=ledger, settings=settings, tokens=tokens
    )
    window = window_of(_KIND, work.start, work.end, look_back=timedelta(0), time_zone="UTC")
    triggered = 0
    watch = Stopwatch()
    _, ranges = plan_batch(ledger, submission.extract, window, "bench", range_size=work.range_size, spread=1)
    for batch_id, number in ranges:
        triggered += submit_range(submission, batch_id, number, "bench")["triggered"]
        if triggered >= work.events:
            break
    result = watch.result(triggered)
    ledger.dispose()
    registry.dispose()
    return result
