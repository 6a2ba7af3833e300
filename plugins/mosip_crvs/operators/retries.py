"""Airflow's retries, decided by the same errors as everything else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryAction, RetryDecision, RetryPolicy

if TYPE_CHECKING:
    from airflow.sdk import Context


class MosipRetryPolicy(RetryPolicy):
    """Retries what passes by itself, and fails at once what a person must mend.

    :class:`~mosip_crvs.errors.RetryLater` is retried, after the time that MOSIP asked for if it did; every other error
    of the plugin fails the task, and so does a connection that nobody made. Foreign errors are left to the task's own
    settings.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide by the group of the error."""
        from airflow.sdk.exceptions import AirflowNotFoundException

        from mosip_crvs.errors import MosipCrvsError, RetryLater, UnexpectedFault

        if isinstance(exception, RetryLater):
            wait = exception.retry_after
            return RetryDecision(
                action=RetryAction.RETRY,
                retry_delay=timedelta(seconds=wait) if wait is not None else None,
                reason=f"{type(exception).__name__}: passing, safe to repeat",
            )
        if isinstance(exception, MosipCrvsError) and not isinstance(exception, UnexpectedFault):
            return RetryDecision(action=RetryAction.FAIL, reason=f"{type(exception).__name__}: a person must mend it")
        if isinstance(exception, AirflowNotFoundException):
            return RetryDecision(action=RetryAction.FAIL, reason="a connection is missing: a person must make it")
        return RetryDecision(action=RetryAction.DEFAULT)

    def serialize(self) -> dict[str, Any]:
        """It has no settings."""
        return {"__type": "MosipRetryPolicy"}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> MosipRetryPolicy:
        """Give the policy back."""
        return cls()
