"""ID schemas: drafts, publishing, versions (mosip-onboarding.md §10.1)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from onboarding_calls import MASTERDATA, Provisioner

SCHEMAS = f"{MASTERDATA}/idschema"
DRAFT = {"title": "With vital events", "description": "for a test", "schema": json.dumps({"properties": {}})}


def soon() -> str:
    """A moment that is not in the past when it arrives."""
    return (datetime.now(UTC) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.fixture
async def stock(start: Any) -> Provisioner:
    """A stock MOSIP."""
    return Provisioner(await start(onboarded=False))


def fields(row: dict[str, Any]) -> set[str]:
    """The identity fields of a schema."""
    return set(json.loads(row["schemaJson"])["properties"]["identity"]["properties"])


async def test_the_stock_schema_lacks_the_vital_event_fields_that_an_onboarded_one_has(
    stock: Provisioner, start: Any
) -> None:
    path = f"{SCHEMAS}/latest"
    before, after = await stock.do("GET", path), await Provisioner(await start()).do("GET", path)
    assert (before["idVersion"], before["status"]) == (0.1, "PUBLISHED")
    assert fields(after) - fields(before) == {
        "introducerInfoToken", "declaredAsDeceased", "deceasedDeclarationDate", "typeOfDeath", "deceasedInformer",
    }  # fmt: skip


async def test_a_draft_is_no_latest_schema_until_it_is_published(stock: Provisioner) -> None:
    made = await stock.do("POST", SCHEMAS, DRAFT)
    assert (made["idVersion"], made["status"]) == (0, "DRAFT")
    await stock.do("PUT", f"{SCHEMAS}?id={made['id']}", DRAFT | {"title": "Better"})
    assert (await stock.do("GET", f"{SCHEMAS}/latest"))["title"] == "Identity"
    assert await stock.do("PUT", f"{SCHEMAS}/publish", {"id": made["id"], "effectiveFrom": soon()}) == made["id"]
    latest = await stock.do("GET", f"{SCHEMAS}/latest?schemaVersion=0")
    assert (latest["title"], latest["schemaJson"]) == ("Better", DRAFT["schema"])
    assert (await stock.do("GET", f"{SCHEMAS}/latest?schemaVersion=0.1"))["title"] == "Identity"
    assert [row["title"] for row in (await stock.do("GET", f"{SCHEMAS}/all"))["data"]] == ["Better", "Identity"]


async def test_versions_add_up_as_floats_do(stock: Provisioner) -> None:
    versions = []
    for _ in range(2):
        made = await stock.do("POST", SCHEMAS, DRAFT)
        await stock.do("PUT", f"{SCHEMAS}/publish", {"id": made["id"], "effectiveFrom": soon()})
        versions.append((await stock.do("GET", f"{SCHEMAS}/latest"))["idVersion"])
    assert versions == [0.2, 0.30000000000000004]


async def test_what_masterdata_refuses_in_a_schema(stock: Provisioner) -> None:
    made = (await stock.do("POST", SCHEMAS, DRAFT))["id"]
    published = (await stock.do("GET", f"{SCHEMAS}/latest"))["id"]
    past = {"id": made, "effectiveFrom": "2024-01-01T00:00:00.000Z"}
    before, writes = await stock.control("state"), await stock.count()
    for method, path, body, code in (
        ("POST", SCHEMAS, DRAFT | {"schema": "{"}, "KER-SCH-013"),
        ("POST", SCHEMAS, DRAFT | {"title": ""}, "KER-MSD-999"),
        ("PUT", f"{SCHEMAS}?id=unknown", DRAFT, "KER-SCH-007"),
        ("PUT", f"{SCHEMAS}?id={published}", DRAFT, "KER-SCH-009"),
        ("PUT", f"{SCHEMAS}/publish", past, "KER-SCH-010"),
        ("PUT", f"{SCHEMAS}/publish", {"id": published, "effectiveFrom": soon()}, "KER-SCH-009"),
        ("GET", f"{SCHEMAS}/latest?schemaVersion=7.5", None, "KER-SCH-007"),
        ("DELETE", f"{SCHEMAS}?id={published}", None, "KER-SCH-009"),
    ):
        assert await stock.code(method, path, body) == code, (method, path)
    assert (await stock.control("state"), await stock.count()) == (before, writes)
    assert await stock.code("DELETE", f"{SCHEMAS}?id={made}") is None
