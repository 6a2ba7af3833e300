"""What no API can do, or what nobody should do unasked: a person changes a file, restarts a service, and says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mosip_crvs.mosip import masterdata as md
from mosip_crvs.mosip.doors import ProbingDoor
from mosip_crvs.mosip.moments import as_mosip
from mosip_crvs.onboarding.checks.authentication import CREATE_PACKET, WORKFLOW_INSTANCE, probe_workflow
from mosip_crvs.onboarding.checks.schema import canonical, identity_fields, parsed, same_version
from mosip_crvs.onboarding.items.keycloak import runtime_client
from mosip_crvs.onboarding.items.steps import creating, patching
from mosip_crvs.onboarding.provision import Bench, Item, Plan
from mosip_crvs.onboarding.surroundings import Identity

_PUBLISH_IN_SECONDS = 60
"""MOSIP refuses a moment that is past when it reads it."""


def _runtime_is_let_in(bench: Bench) -> Plan:
    """G1: knock where packets go; only MOSIP's configuration files can open these doors."""
    client = bench.country.clients.runtime
    if bench.planning and runtime_client(bench).steps:
        return Plan(unseen=True)  # what is not there yet would be turned away for another reason
    door = bench.access.door(Identity.RUNTIME, ProbingDoor)
    closed = []
    if door.knock(CREATE_PACKET, {"request": None}).gate_closed:
        closed.append("packet-manager-default.properties")
    if door.knock(WORKFLOW_INSTANCE, probe_workflow()).gate_closed:
        closed.append("registration-processor-default.properties")
    if not closed:
        return Plan()
    files = " and ".join(closed)
    role = bench.country.clients.runtime_roles[0]
    return Plan(
        gate=f"MOSIP turns {client} away. In {files} of mosip-config append ,{client} to "
        f"auth.server.admin.allowed.audience; in packet-manager-default.properties see that {role} is in "
        "mosip.role.commons-packet.putcreatepacket; then restart these services, which read the lists at their start. "
        "preflight --config-dir prints the whole lines."
    )


def _id_schema(bench: Bench) -> Plan:
    """G2: a published schema is for the whole platform and for good, so only an explicit wish publishes one."""
    data, country = bench.masterdata(), bench.country
    row = data.latest_schema()
    wanted = country.schema()
    published = parsed(row) if row else {}
    lacks = sorted(set(country.id_schema.fields) - identity_fields(published))
    version = {"schema_version": str(row["idVersion"])} if row else {}
    if row and not lacks and (canonical(published) == canonical(wanted) or not bench.wishes.publish_id_schema):
        pinned = bench.access.surroundings.schema_version or bench.keeping.ids.get("schema_version", "")
        return Plan(found=version if not same_version(pinned, row["idVersion"]) else {})
    if not bench.wishes.publish_id_schema:
        return Plan(
            gate=f"the published ID schema lacks {', '.join(lacks) or 'everything'}. Let MOSIP's owners agree to "
            f"{country.id_schema.file}, then: provision --publish-id-schema. It cannot be taken back."
        )
    ours = [each for each in data.schemas(country.id_schema.title) if canonical(parsed(each)) == canonical(wanted)]
    if waiting := [each for each in ours if _is_after(each, row)]:
        return Plan(
            gate=f"ID schema {waiting[0]['idVersion']} is published, and not in force before "
            f"{waiting[0].get('effectiveFrom')}: provision again after that"
        )
    drafts = [each for each in ours if each.get("status") == "DRAFT"]
    create = creating(
        f"draft of ID schema {country.id_schema.title!r}",
        md.CREATE_SCHEMA,
        lambda: data.create_schema(country.id_schema.title, "Births and deaths", wanted),
        unique=False,
    )
    publish = patching(
        f"ID schema {country.id_schema.title!r}: published",
        md.PUBLISH_SCHEMA,
        lambda: data.publish_schema(str(drafts[0]["id"]), _soon()),
    )
    return Plan([publish] if drafts else [create, publish])


def _is_after(schema: dict[str, Any], latest: dict[str, Any] | None) -> bool:
    """Say whether a schema was published later than the one in force: to publish it again would make one more."""
    if schema.get("status") != "PUBLISHED":
        return False
    return latest is None or float(schema["idVersion"]) > float(latest["idVersion"])


def _soon() -> str:
    return as_mosip(datetime.now(UTC) + timedelta(seconds=_PUBLISH_IN_SECONDS))


def attestable(gate: str, text: str) -> Item:
    """Make an item of a gate that no call can look behind: a person says that it was passed, and that is kept."""

    def look(bench: Bench) -> Plan:
        if gate in bench.wishes.attested and not bench.planning and gate not in bench.keeping.attested:
            bench.keeping.attest(gate)
        passed = gate in bench.keeping.attested or gate in bench.wishes.attested
        return Plan() if passed else Plan(gate=text)

    return Item(gate, "a person's word", look)


ITEMS: tuple[Item, ...] = (
    Item("G1", "the runtime client is let in", _runtime_is_let_in, needs=("runtime",)),
    Item("G2", "the ID schema", _id_schema, needs=("zone",)),
)
