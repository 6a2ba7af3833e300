"""Airflow loads the plugins folder without error, and nothing there takes the place of somebody else's module."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module")
def loaded(ask: Any) -> dict[str, Any]:
    """What loading the folder did to a fresh process."""
    seen: dict[str, Any] = ask("plugins")
    return seen


def test_the_folder_loads_without_error(loaded: dict[str, Any]) -> None:
    assert loaded["errors"] == {}
    assert loaded["names"].count("mosip_crvs") == 1


def test_airflow_loads_one_file_by_its_bare_name_and_the_package_by_its_own(loaded: dict[str, Any]) -> None:
    bare = [name for name in loaded["added"] if name.partition(".")[0] != "mosip_crvs"]

    assert bare == ["mosip_crvs_plugin"]
    assert "mosip_crvs.plugin" in loaded["added"]


def test_no_module_of_python_or_of_a_library_is_replaced_or_shadowed(loaded: dict[str, Any]) -> None:
    assert loaded["replaced"] == []
    assert loaded["shadowed"] == []
