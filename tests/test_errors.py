"""Errors: each says, by its group, what the caller does about it."""

from __future__ import annotations

import inspect

import pytest

from mosip_crvs import errors
from mosip_crvs.errors import AskAnOperator, FixTheData, MosipCrvsError, RetryLater, StopTheRun

GROUPS = (RetryLater, FixTheData, StopTheRun, AskAnOperator)
WITHOUT_GROUP = {"MosipCrvsError", "UnexpectedFault"}
"""The root, and mistakes in the code, for which no caller has a plan."""
PUBLIC = {
    name: found
    for name, found in vars(errors).items()
    if inspect.isclass(found) and issubclass(found, Exception) and found.__module__ == errors.__name__
}


def test_there_are_errors_to_speak_of() -> None:
    assert len(PUBLIC) > 12
    assert set(GROUPS) < set(PUBLIC.values())


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - WITHOUT_GROUP))
def test_every_error_belongs_to_exactly_one_group(name: str) -> None:
    assert sum(issubclass(PUBLIC[name], group) for group in GROUPS) == 1
    assert issubclass(PUBLIC[name], MosipCrvsError)


@pytest.mark.parametrize("name", sorted(WITHOUT_GROUP))
def test_a_mistake_in_the_code_is_in_no_group(name: str) -> None:
    assert issubclass(PUBLIC[name], MosipCrvsError)
    assert not issubclass(PUBLIC[name], GROUPS)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_error_is_documented_in_its_own_words(name: str) -> None:
    words = PUBLIC[name].__doc__
    assert words
    assert words.strip().split("\n")[0].endswith((".", ":", ";"))


@pytest.mark.parametrize("group", GROUPS)
def test_the_module_explains_every_group(group: type[Exception]) -> None:
    assert f"``{group.__name__}``" in (errors.__doc__ or "")


@pytest.mark.parametrize("name", sorted(name for name, found in PUBLIC.items() if issubclass(found, RetryLater)))
def test_an_error_that_passes_can_say_how_long_to_wait(name: str) -> None:
    assert PUBLIC[name]("text").retry_after is None
    problem = PUBLIC[name]("text", retry_after=7.5)
    assert (str(problem), problem.retry_after) == ("text", 7.5)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("MappingError", FixTheData),
        ("SchemaError", FixTheData),
        ("ExtractError", FixTheData),
        ("QuarantineShareExceeded", FixTheData),
        ("BatchIncomplete", RetryLater),
        ("LedgerUnavailable", RetryLater),
        ("LedgerRefused", StopTheRun),
        ("MosipUnavailable", RetryLater),
        ("SubscriptionFailed", RetryLater),
        ("MosipRefused", StopTheRun),
        ("HostRefused", StopTheRun),
        ("ShareGone", AskAnOperator),
        ("ShareTooLarge", AskAnOperator),
    ],
)
def test_each_error_is_where_an_operator_expects_it(name: str, group: type[Exception]) -> None:
    assert issubclass(PUBLIC[name], group)
