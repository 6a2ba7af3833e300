"""Airflow's retries follow the same errors as everything else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowNotFoundException

from mosip_crvs import errors
from mosip_crvs.operators.retries import MosipRetryPolicy

POLICY = MosipRetryPolicy()


def subclasses(of: type[Exception]) -> list[type[Exception]]:
    return sorted(
        {of, *(deeper for one in of.__subclasses__() for deeper in subclasses(one))}, key=lambda e: e.__name__
    )


@pytest.mark.parametrize("error", subclasses(errors.RetryLater))
def test_what_passes_by_itself_is_retried_in_the_tasks_own_time(error: type[Exception]) -> None:
    decision = POLICY.evaluate(error("a fault"), 1, 4)

    assert decision.action is RetryAction.RETRY
    assert decision.retry_delay is None
    assert decision.reason is not None
    assert error.__name__ in decision.reason
    assert "a fault" not in decision.reason


@pytest.mark.parametrize("seconds", [0.0, 7.5, 3600.0])
def test_the_time_that_mosip_asked_for_is_kept(seconds: float) -> None:
    decision = POLICY.evaluate(errors.MosipUnavailable("busy", retry_after=seconds), 1, 4)

    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "error", [e for root in (errors.FixTheData, errors.StopTheRun, errors.AskAnOperator) for e in subclasses(root)]
)
def test_what_a_person_must_mend_fails_at_once(error: type[Exception]) -> None:
    decision = POLICY.evaluate(error("a fault"), 1, 4)

    assert decision.action is RetryAction.FAIL
    assert decision.reason is not None
    assert error.__name__ in decision.reason
    assert "a fault" not in decision.reason


@pytest.mark.parametrize("error", [ValueError("x"), OSError("x"), Exception(), errors.UnexpectedFault("x")])
def test_a_foreign_error_or_a_mistake_in_the_code_is_left_to_the_tasks_settings(error: BaseException) -> None:
    assert POLICY.evaluate(error, 1, 4).action is RetryAction.DEFAULT


def test_every_error_of_the_plugin_is_in_one_of_the_groups() -> None:
    groups = (errors.RetryLater, errors.FixTheData, errors.StopTheRun, errors.AskAnOperator)
    for error in subclasses(errors.MosipCrvsError):
        if error not in (errors.MosipCrvsError, errors.UnexpectedFault):
            assert sum(issubclass(error, group) for group in groups) == 1, error


def test_a_policy_comes_back_from_where_airflow_stores_it() -> None:
    back = MosipRetryPolicy.deserialize(POLICY.serialize())

    assert isinstance(back, MosipRetryPolicy)
    assert back.evaluate(errors.MosipUnavailable("x", retry_after=3), 1, 1).retry_delay == timedelta(seconds=3)


def test_a_connection_that_nobody_made_is_not_waited_for() -> None:
    decision = POLICY.evaluate(AirflowNotFoundException("The conn_id `mosip` isn't defined"), 1, 4)

    assert decision.action is RetryAction.FAIL
