"""A country file says what a country wants; a mistake in it is told with the file, the place and what is wrong."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conftest import INCLUDE
from tests.onboarding.provisioning_rig import DEMO, FAILED, Operator, new_operator, operator, some_keys

from mosip_crvs.errors import CountryFileError, FixTheData
from mosip_crvs.onboarding.country import Country, read_country

__all__ = ["new_operator", "operator", "some_keys"]
DEMO_FILE = INCLUDE / "onboarding" / "demo.yaml"


def written(folder: Path, *path: str, value: Any = None, drop: bool = False) -> Path:
    """Write the demo's file with one place changed or left out."""
    content: dict[str, Any] = copy.deepcopy(DEMO)
    place = content
    for name in path[:-1]:
        place = place[name]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    file = folder / "country.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def refusal(file: Path) -> str:
    """What is said about a file, without its name, which must be there."""
    with pytest.raises(CountryFileError) as caught:
        read_country(file)
    assert str(file) in str(caught.value)
    return str(caught.value).replace(str(file), "<file>")


def test_the_demos_file_is_read() -> None:
    country = read_country(DEMO_FILE)
    assert (country.environment, country.language, country.center_name) == ("demo", "eng", "Civil Registration")
    assert [partner.id for partner in country.partners] == ["crvs-partner", "crvs-auth"]
    assert "properties" in country.schema()


def test_what_is_left_out_has_mosips_own_values(tmp_path: Path) -> None:
    file = tmp_path / "country.yaml"
    least = {name: DEMO[name] for name in ("environment", "zone", "center", "machine")}
    file.write_text(yaml.safe_dump(least), encoding="utf-8")
    country: Country = read_country(file)
    assert country.clients.runtime == "mosip-crvs1-client"
    assert country.clients.runtime_roles[0] == "ONLINE_REGISTRATION_CLIENT"
    assert (country.officer.role, country.partners) == ("REGISTRATION_OFFICER", ())


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("environment",), "Demo 1", "environment 'Demo 1' must be lower case letters"),
        (("environment",), "../other", "environment '../other' must be"),
        (("environment",), 5, "Expected `str`, got `int` - at `$.environment`"),
        (("languages",), [], "languages must name at least one language"),
        (("languages",), [False], "Expected `str`, got `bool` - at `$.languages[0]`"),
        (("languages",), ["eng", "fra", "ara"], "center.texts lacks a name in fra, ara"),
        (("center", "texts"), {"eng": {"addressLine1": "x"}}, "center.texts lacks a name in eng"),
        (("officer", "user"), "Crvs", "officer.user must be lower case"),
        (("officer", "users"), "crvs", "Object contains unknown field `users` - at `$.officer`"),
        (("center_name",), "x", "Object contains unknown field `center_name`"),
        (("credential_partner", "id"), "Crvs-Partner", "the partner id 'Crvs-Partner' must be lower case"),
        (("credential_partner", "id"), "p" * 37, "of at most 36 characters - at `$.credential_partner`"),
        (("credential_partner", "id"), "crvs-auth", "need ids of their own: one id has one type"),
        (("authentication_partner",), None, "relying_party needs an authentication_partner"),
        (
            ("credential_partner", "policy", "body", "shareableAttributes"),
            [{"attributeName": "UIN", "group": "", "source": [{"attribute": "UIN"}], "encrypted": False}],
            "the shareable attribute UIN has the group \"\", and MOSIP leaves it out",
        ),
        (("thresholds", "expiry_days"), "sixty", "Expected `int`, got `str` - at `$.thresholds.expiry_days`"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, path: tuple[str, ...], value: Any, said: str) -> None:
    assert said in refusal(written(tmp_path, *path, value=value))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("zone",), "missing required field `zone`"),
        (("machine", "name"), "missing required field `name` - at `$.machine`"),
        (
            ("credential_partner", "policy", "group"),
            "missing required field `group` - at `$.credential_partner.policy`",
        ),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, path: tuple[str, ...], said: str) -> None:
    assert said in refusal(written(tmp_path, *path, drop=True))


def test_a_file_that_is_no_yaml_is_told_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "country.yaml"
    file.write_text("environment: demo\nzone: [MOR\n", encoding="utf-8")
    assert refusal(file) == "the country file <file> is not YAML in line 3"


@pytest.mark.parametrize("content", [b"", b"- a list\n", b"just text\n"])
def test_a_file_of_another_shape_shows_the_way(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "country.yaml"
    file.write_bytes(content)
    assert refusal(file) == "the country file <file> must be a mapping: see include/onboarding/demo.yaml"


def test_a_name_that_is_no_text_is_a_mistake_and_not_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "country.yaml"
    file.write_text(yaml.safe_dump({**DEMO, 1: "one"}), encoding="utf-8")
    assert refusal(file).startswith("the country file <file>")


@pytest.mark.parametrize("how", ["missing", "a folder", "no text"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, how: str) -> None:
    file = tmp_path / "country.yaml"
    if how == "a folder":
        file.mkdir()
    elif how == "no text":
        file.write_bytes(b"environment: \xff\xfe")
    assert "the country file <file> cannot be read" in refusal(file)


def test_a_country_file_is_data_to_be_corrected() -> None:
    assert issubclass(CountryFileError, FixTheData)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: FileNotFoundError"),
        ("{", "cannot be read: JSONDecodeError"),
        ("[]", "is not a JSON object"),
    ],
)
def test_an_id_schema_that_cannot_be_used_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "schema.json").write_text(content)
    country = read_country(written(tmp_path, "id_schema", "file", value="schema.json"))
    with pytest.raises(CountryFileError, match=f"id_schema.file {tmp_path / 'schema.json'} {said}"):
        country.schema()


def test_the_command_line_stops_with_the_same_words(operator: Operator) -> None:
    operator.wants(zone=5)
    stopped = operator.run("provision", "--yes")
    assert stopped.code == FAILED
    assert stopped.err == (
        f"Stopped: the country file {operator.country_file}: Expected `str`, got `int` - at `$.zone`\n"
    )
    assert operator.writes() == []
