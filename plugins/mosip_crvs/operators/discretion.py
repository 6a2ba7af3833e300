"""Keeping people out of logs: what a task's failure may say.

Errors of the plugin carry codes and AIDs only. Any other exception may quote what it stumbled over, a name or a number,
and Airflow writes it into the task's log; so it is told by its kind and the places in the code alone.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from airflow.sdk import Context

Result = TypeVar("Result")


def discreet(execute: Callable[[Any, Context], Result]) -> Callable[[Any, Context], Result]:
    """Wrap an operator's ``execute`` so that unexpected exceptions lose their texts and keep their places.

    :raises UnexpectedFault: instead of an exception that is neither the plugin's nor Airflow's.
    """

    @wraps(execute)
    def guarded(self: Any, context: Context) -> Result:
        from airflow.sdk.exceptions import AirflowException

        from mosip_crvs.errors import MosipCrvsError, UnexpectedFault

        try:
            return execute(self, context)
        except (MosipCrvsError, AirflowException):
            raise
        except Exception as problem:
            places = " < ".join(
                f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
                for frame in reversed(traceback.extract_tb(problem.__traceback__))
            )
            raise UnexpectedFault(f"{type(problem).__name__} at {places}") from None

    return guarded
