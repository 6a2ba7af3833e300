"""The deadline of a nightly run, watched by Airflow's scheduler and told of by its triggerer."""

from __future__ import annotations

from datetime import time, timedelta

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from mosip_crvs.notifiers.crvs import CrvsNotifier


def done_by(at: time, time_zone: str) -> DeadlineAlert:
    """Have the notifier look and tell when a run that was queued at midnight is not finished by a time.

    It counts from the queueing, not from the logical date: a backfill must not be held to a morning long past. On the
    two days of a year when the clocks change it is an hour off; the morning's own run is not.
    """
    return DeadlineAlert(
        name=f"done by {at:%H:%M}",
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=at.hour, minutes=at.minute),
        callback=AsyncCallback(CrvsNotifier, {"at": f"{at:%H:%M}", "time_zone": time_zone}),
    )
