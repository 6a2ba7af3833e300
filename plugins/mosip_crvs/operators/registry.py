"""Reaching the registry: through whatever database hook its connection's type has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def registry_engine(conn_id: str) -> Iterator[Engine]:
    """Give an engine for a block; its errors do not quote what was written or asked for."""
    hook: Any = BaseHook.get_connection(conn_id).get_hook()  # type: ignore[no-untyped-call]
    engine: Engine = hook.get_sqlalchemy_engine({"hide_parameters": True})
    try:
        yield engine
    finally:
        engine.dispose()


def is_connected(conn_id: str) -> bool:
    """Say whether anybody made a connection of this name."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return False
    return True
