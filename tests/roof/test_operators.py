"""Operators take names only, only assign, and template what they say they template."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from typing import Any

import pytest
from airflow.sdk import BaseOperator

import mosip_crvs.operators
from mosip_crvs.hooks.ledger import LedgerHook
from mosip_crvs.hooks.mosip import MosipHook


def _operators() -> list[type[BaseOperator]]:
    found = {}
    for module in pkgutil.iter_modules(mosip_crvs.operators.__path__):
        for name, member in vars(importlib.import_module(f"mosip_crvs.operators.{module.name}")).items():
            if (
                inspect.isclass(member)
                and issubclass(member, BaseOperator)
                and member.__module__.startswith("mosip_crvs")
                and not name.startswith("_")
            ):
                found[name] = member
    return [found[name] for name in sorted(found)]


OPERATORS = _operators()
VALUES: dict[str, Any] = {"kind": "birth", "batch_id": 1, "range_number": 2}


def own_parameters(operator: type[BaseOperator]) -> dict[str, inspect.Parameter]:
    """Give what an operator and its bases in the plugin take."""
    taken: dict[str, inspect.Parameter] = {}
    for base in operator.__mro__:
        if base.__module__.startswith("mosip_crvs") and "__init__" in vars(base):
            taken |= dict(inspect.signature(inspect.unwrap(vars(base)["__init__"])).parameters)
    return {n: p for n, p in taken.items() if n != "self" and p.kind is not inspect.Parameter.VAR_KEYWORD}


def made(operator: type[BaseOperator]) -> BaseOperator:
    needed = {n: VALUES[n] for n, p in own_parameters(operator).items() if p.default is inspect.Parameter.empty}
    return operator(task_id="a_task", **needed)


def test_all_operators_are_found() -> None:
    assert [operator.__name__ for operator in OPERATORS] == [
        "BalanceOperator",
        "CloseBatchOperator",
        "DeliverResultsOperator",
        "FetchCredentialsOperator",
        "MorningReportOperator",
        "PlanSyncOperator",
        "PollStatusOperator",
        "PreflightGateOperator",
        "PreflightOperator",
        "ProvisionOperator",
        "ResumeTriggersOperator",
        "SettleInboxOperator",
        "SubmitCorrectedOperator",
        "SubmitRangeOperator",
        "SubscribeOperator",
        "TellAlarmsOperator",
        "TendSubscriptionsOperator",
    ]


@pytest.mark.parametrize("operator", OPERATORS)
def test_parameters_are_given_by_name_only_and_become_attributes(operator: type[BaseOperator]) -> None:
    task = made(operator)
    for name, parameter in own_parameters(operator).items():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, name
        expected = VALUES[name] if parameter.default is inspect.Parameter.empty else parameter.default
        assert getattr(task, name) == expected


@pytest.mark.parametrize("operator", OPERATORS)
def test_what_is_templated_is_an_attribute_that_a_user_can_set(operator: type[BaseOperator]) -> None:
    task = made(operator)
    for name in operator.template_fields:
        assert hasattr(task, name)
        assert name in own_parameters(operator)


@pytest.mark.parametrize("operator", [o for o in OPERATORS if o.template_fields])
def test_templates_are_rendered(operator: type[BaseOperator]) -> None:
    task = made(operator)
    for name in operator.template_fields:
        setattr(task, name, "{{ 6 * 7 }}")
    task.render_template_fields({})  # type: ignore[typeddict-item]

    assert {str(getattr(task, name)) for name in operator.template_fields} == {"42"}


@pytest.mark.parametrize("operator", OPERATORS)
def test_init_only_assigns(operator: type[BaseOperator]) -> None:
    """A templated value is not there yet when ``__init__`` runs; looking at it would be a mistake."""
    for base in operator.__mro__:
        if not (base.__module__.startswith("mosip_crvs") and "__init__" in vars(base)):
            continue
        source = inspect.getsource(inspect.unwrap(vars(base)["__init__"]))
        (function,) = ast.parse(inspect.cleandoc("\n" + source)).body
        assert isinstance(function, ast.FunctionDef)
        call, *assignments = function.body
        assert ast.unparse(call) == "super().__init__(**kwargs)"
        for statement in assignments:
            assert isinstance(statement, ast.Assign)
            (target,) = statement.targets
            assert isinstance(target, ast.Attribute)
            assert isinstance(statement.value, ast.Name)
            assert target.attr == statement.value.id


@pytest.mark.parametrize("operator", OPERATORS)
def test_connections_have_the_hooks_default_names(operator: type[BaseOperator]) -> None:
    parameters = own_parameters(operator)
    assert parameters["ledger_conn_id"].default == LedgerHook.default_conn_name == "crvs_ledger"
    if "mosip_conn_id" in parameters:
        assert parameters["mosip_conn_id"].default == MosipHook.default_conn_name == "mosip"


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_says_what_it_is_for(operator: type[BaseOperator]) -> None:
    assert operator.__doc__ is not None
    assert operator.execute.__doc__ is not None
    told = "\n".join(base.__doc__ or "" for base in operator.__mro__ if base.__module__.startswith("mosip_crvs"))
    for name in operator.template_fields:
        if name in inspect.signature(inspect.unwrap(operator.__init__)).parameters:
            assert f":param {name}:" in told, name
