"""The machine: its key is the key manager's, and one key belongs to one machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mosip_crvs.errors import QuestionForOperator
from mosip_crvs.mosip import masterdata as md
from mosip_crvs.mosip.keymanager import same_key
from mosip_crvs.mosip.masterdata import Masterdata, active
from mosip_crvs.onboarding.items.made import made_here, making
from mosip_crvs.onboarding.items.steps import creating, later, patching
from mosip_crvs.onboarding.items.zones import seeing_data
from mosip_crvs.onboarding.provision import Bench, Item, Plan, Step


def _machine(bench: Bench) -> Plan:
    data = seeing_data(bench)
    key = bench.keymanager.signing_key()
    machine = _our_machine(bench, data, key)
    if machine is None:
        return Plan(_new_machine(bench, data, key, bench.id("center_id")))
    machine_id = str(machine["id"])
    ours = made_here(bench, "machine", machine_id, str(machine.get("name")))
    return Plan(_machine_steps(bench, data, machine, key, ours=bool(ours)), {"machine_id": machine_id, **ours})


def _our_machine(bench: Bench, data: Masterdata, key: str) -> Mapping[str, Any] | None:
    """Find the machine: by its id, by its name, or by its key, which no second machine can have."""
    wanted, center = bench.country.machine.name, bench.id("center_id")
    if pinned := bench.id("machine_id"):
        machine = data.machine_with_keys(pinned)
        if machine is None:
            raise QuestionForOperator(
                f"the machine {pinned} is kept here or was given, and MOSIP does not show it to the provisioner"
            )
        return machine
    holders = data.machines_with_key(key)
    named = data.machines_named(wanted)
    if holders and str(holders[0].get("regCenterId")) == center:
        return holders[0]
    if holders and (not named or holders[0]["id"] != named[0]["id"]):
        raise QuestionForOperator(
            f"the key manager's signing key belongs to machine {holders[0].get('id')} ({holders[0].get('name')}) of "
            f"centre {holders[0].get('regCenterId')}, and one key can belong to one machine only: use that centre "
            "(MOSIP_CENTER_ID), decommission that machine, or let operations give the key manager a new key"
        )
    return named[0] if named else None


def _new_machine(bench: Bench, data: Masterdata, key: str, center_id: str) -> list[Step]:
    machine = bench.country.machine
    specification = data.machine_specification(machine.specification)
    if specification is None:
        raise QuestionForOperator(
            f"there is no machine specification {machine.specification!r}: name one of the admin console's in "
            "machine.specification"
        )
    fields = {
        "name": machine.name,
        "serialNum": machine.name[:64],
        "macAddress": "00-00-00-00-00-00",
        "ipAddress": "0.0.0.0",  # noqa: S104 (a value that MOSIP demands; nothing listens)
        "machineSpecId": specification["id"],
        "zoneCode": _zone(bench),
        "regCenterId": center_id,
        "publicKey": key,
        "signPublicKey": key,
        "langCode": bench.country.language,
    }
    return [
        creating(
            f"machine {machine.name!r} with the key manager's key",
            md.CREATE_MACHINE,
            making(bench, "machine", machine.name, lambda: data.create_machine(fields)),
        ),
        patching(f"machine {machine.name!r}: active", md.ACTIVATE_MACHINE, later),
    ]


def _zone(bench: Bench) -> str:
    return bench.country.machine.zone or str(bench.country.center.fields.get("zoneCode", bench.country.zone))


def _machine_steps(bench: Bench, data: Masterdata, machine: Mapping[str, Any], key: str, *, ours: bool) -> list[Step]:
    """Plan what a machine lacks.

    :param ours: whether it was made here; else somebody may be working with it.
    """
    machine_id, center_id = str(machine["id"]), bench.id("center_id")
    changes: dict[str, Any] = {}
    if str(machine.get("regCenterId")) != center_id:
        if not ours:
            raise QuestionForOperator(
                f"machine {machine_id} ({machine.get('name')}) belongs to centre {machine.get('regCenterId')}, not "
                f"{center_id or repr(bench.country.center_name)}. It was not made here, and somebody may be working "
                "with it: give machine.name another name in the country file, use the machine's centre "
                "(MOSIP_CENTER_ID), or move the machine in the admin console"
            )
        changes["regCenterId"] = center_id
    if not same_key(str(machine.get("signPublicKey")), key):
        if not bench.wishes.accept_new_key:
            raise QuestionForOperator(
                f"the key manager signs with another key than machine {machine_id} has. Restore its volume "
                "/home/mosip/.mosipkeys, or packets of before cannot be read any more. If the change was meant: "
                "provision --accept-new-key"
            )
        changes |= {"publicKey": key, "signPublicKey": key}
    steps: list[Step] = []
    if changes:
        whole = {**_machine_fields(machine), **changes}
        steps.append(
            patching(
                f"machine {machine_id}: {', '.join(sorted(changes))}",
                md.UPDATE_MACHINE,
                lambda: data.update_machine(whole),
            )
        )
    if not active(machine):
        steps.append(
            patching(f"machine {machine_id}: active", md.ACTIVATE_MACHINE, lambda: data.activate_machine(machine_id))
        )
    return steps


def _machine_fields(machine: Mapping[str, Any]) -> dict[str, Any]:
    """Give what PUT wants of a machine, from what a search shows."""
    wanted = (
        "id",
        "name",
        "serialNum",
        "macAddress",
        "ipAddress",
        "machineSpecId",
        "validityDateTime",
        "zoneCode",
        "regCenterId",
        "publicKey",
        "signPublicKey",
        "langCode",
        "isActive",
    )
    return {name: machine[name] for name in wanted if machine.get(name) is not None}


ITEMS: tuple[Item, ...] = (Item("machine", "machine and its key", _machine, needs=("center",)),)
