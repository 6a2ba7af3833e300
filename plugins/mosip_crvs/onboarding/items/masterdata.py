"""The provisioner's zone, the centre, the machine, the officer's mappings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mosip_crvs.errors import CredentialMissing, QuestionForOperator
from mosip_crvs.mosip import masterdata as md
from mosip_crvs.mosip.keymanager import same_key
from mosip_crvs.mosip.masterdata import Masterdata, active
from mosip_crvs.onboarding.items.keycloak import creating, patching
from mosip_crvs.onboarding.provision import Bench, Item, Plan, Step
from mosip_crvs.onboarding.surroundings import Identity

_FIXED = ("zoneCode", "locationCode", "centerTypeCode")
"""What of a centre MOSIP or we build on, and is not changed by the way."""


def _provisioner_zone(bench: Bench) -> Plan:
    """A user sees the own zone and those below it; one without a zone sees none."""
    seen = bench.masterdata().subzones()
    account = f"service-account-{bench.access.login(Identity.PROVISIONER).client_id}"
    zone = bench.country.zone
    if any(str(row.get("code")) == zone for row in seen):
        return Plan()
    if seen:
        raise QuestionForOperator(
            f"{account} has a zone that the zone {zone} is not in (it sees "
            f"{', '.join(sorted(str(row.get('code')) for row in seen))}): set zone in the country file, or remove the "
            "account's zone in the admin console"
        )
    try:
        return zone_plan(bench.masterdata(Identity.GLOBAL_ADMIN), account, zone)
    except CredentialMissing as problem:
        raise QuestionForOperator(
            f"{account} has no zone, and only a user with the root zone can give it one: {problem}"
        ) from None


def zone_plan(data: Masterdata, user: str, zone: str) -> Plan:
    """Plan a user's place in a zone. A user has one zone.

    :raises QuestionForOperator: when it is another one.
    """
    rows = data.zone_users(user)
    create = creating(f"{user} in zone {zone}", md.CREATE_ZONE_USER, lambda: data.create_zone_user(user, zone))
    activate = patching(f"{user} in zone {zone}: active", md.ACTIVATE_ZONE_USER, lambda: data.activate_zone_user(user))
    if not rows:
        return Plan([create, activate])
    if elsewhere := [row for row in rows if str(row.get("zoneCode")) != zone]:
        raise QuestionForOperator(
            f"{user} belongs to the zone {elsewhere[0].get('zoneCode')}, not {zone}: set it in the country file, or "
            "remove the user's centre and zone in the admin console"
        )
    return Plan([] if active(rows[0]) else [activate])


def _data(bench: Bench) -> Masterdata:
    """Enter masterdata. Before the provisioner has its zone it can search for nothing, so a plan looks as the other."""
    data = bench.masterdata()
    if bench.planning and not data.subzones():
        return bench.masterdata(Identity.GLOBAL_ADMIN)
    return data


def _center(bench: Bench) -> Plan:
    data = _data(bench)
    center_id = bench.id("center_id") or _adopted_center(bench, data)
    if not center_id:
        return Plan(_new_center(bench, data))
    center = data.center(center_id)
    if center is None:
        raise QuestionForOperator(
            f"the centre {center_id} is kept here or was given, and MOSIP does not have it: is this another "
            f"environment? Remove center_id from {bench.keeping.environment}.state.json to make a new centre"
        )
    return Plan(_center_steps(bench, data, center), {"center_id": center_id})


def _adopted_center(bench: Bench, data: Masterdata) -> str:
    """Find a centre of our name; names are not unique, so more than one is a question."""
    named = data.centers_named(bench.country.center_name)
    ids = {str(row["id"]) for row in named}
    if len(ids) > 1:
        raise QuestionForOperator(
            f"there are {len(ids)} centres named {bench.country.center_name!r}: {', '.join(sorted(ids))}. "
            "Set MOSIP_CENTER_ID to the right one"
        )
    return next(iter(ids), "")


def _new_center(bench: Bench, data: Masterdata) -> list[Step]:
    country = bench.country
    text = country.center.texts[country.language]
    fields = {**country.center.fields, **text, "langCode": country.language}
    name = country.center_name
    return [
        creating(f"centre {name!r}", md.CREATE_CENTER, lambda: data.create_center(fields)),
        patching(f"centre {name!r}: active", md.ACTIVATE_CENTER, _later),
        *(
            creating(f"centre {name!r}: texts in {language}", md.ADD_CENTER_LANGUAGE, _later)
            for language in country.languages[1:]
        ),
    ]


def _later() -> None:
    """Stand for a step that is planned again once what it needs is there."""


def _center_steps(bench: Bench, data: Masterdata, center: Mapping[str, Any]) -> list[Step]:
    """Plan what a centre lacks: it is switched on first, because all else looks for an active one."""
    center_id, wanted = str(center["id"]), bench.country.center.fields
    for name in _FIXED:
        if name in wanted and center.get(name) is not None and str(center[name]) != str(wanted[name]):
            raise QuestionForOperator(
                f"centre {center_id} has {name} {center[name]}, and the country file {wanted[name]}: change one of them"
            )
    steps: list[Step] = []
    if not active(center):
        steps.append(
            patching(f"centre {center_id}: active", md.ACTIVATE_CENTER, lambda: data.activate_center(center_id))
        )
    holidays = wanted.get("holidayLocationCode")
    if holidays is not None and str(center.get("holidayLocationCode")) != str(holidays):
        common = {**_common(center), **wanted, "id": center_id}
        steps.append(
            patching(
                f"centre {center_id}: holidays of {holidays}",
                md.SET_CENTER_COMMON,
                lambda: data.set_center_common(common),
            )
        )
    for language in bench.country.languages[1:]:
        if data.center(center_id, language) is None:
            text = {**bench.country.center.texts[language], "id": center_id, "langCode": language}
            steps.append(
                creating(
                    f"centre {center_id}: texts in {language}",
                    md.ADD_CENTER_LANGUAGE,
                    partial(data.add_center_language, text),
                )
            )
    return steps


def _common(center: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a centre has for all languages, without what the server keeps for itself."""
    own = {
        "createdBy",
        "createdDateTime",
        "updatedBy",
        "updatedDateTime",
        "isDeleted",
        "deletedDateTime",
        "isActive",
        "name",
        "addressLine1",
        "addressLine2",
        "addressLine3",
        "contactPerson",
        "langCode",
    }
    return {name: value for name, value in center.items() if name not in own and value is not None}


def _machine(bench: Bench) -> Plan:
    data = _data(bench)
    key = bench.keymanager.signing_key()
    machine = _our_machine(bench, data, key)
    if machine is None:
        return Plan(_new_machine(bench, data, key, bench.id("center_id")))
    return Plan(_machine_steps(bench, data, machine, key), {"machine_id": str(machine["id"])})


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
            lambda: data.create_machine(fields),
        ),
        patching(f"machine {machine.name!r}: active", md.ACTIVATE_MACHINE, _later),
    ]


def _zone(bench: Bench) -> str:
    return bench.country.machine.zone or str(bench.country.center.fields.get("zoneCode", bench.country.zone))


def _machine_steps(bench: Bench, data: Masterdata, machine: Mapping[str, Any], key: str) -> list[Step]:
    machine_id, center_id = str(machine["id"]), bench.id("center_id")
    changes: dict[str, Any] = {}
    if str(machine.get("regCenterId")) != center_id:
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


def _officer_zone(bench: Bench) -> Plan:
    return zone_plan(_data(bench), bench.country.officer.user, bench.country.zone)


def _officer_center(bench: Bench) -> Plan:
    data, officer, center_id = _data(bench), bench.country.officer.user, bench.id("center_id")
    create = creating(
        f"{officer} in centre {center_id or bench.country.center_name!r}",
        md.CREATE_USER_CENTER,
        lambda: data.create_user_center(officer, center_id),
    )
    activate = patching(
        f"{officer} in the centre: active", md.ACTIVATE_USER_CENTER, lambda: data.activate_user_center(officer)
    )
    if bench.planning and not center_id:
        return Plan([create, activate])
    rows = data.user_centers(officer)
    if not rows:
        return Plan([create, activate])
    if str(rows[0].get("regCenterId")) != center_id:
        move = patching(
            f"{officer}: from centre {rows[0].get('regCenterId')} to {center_id}",
            md.UPDATE_USER_CENTER,
            lambda: data.move_user_center(officer, center_id),
        )
        return Plan([move, activate])
    return Plan([] if active(rows[0]) else [activate])


ITEMS: tuple[Item, ...] = (
    Item("zone", "provisioner's zone", _provisioner_zone),
    Item("center", "registration centre", _center, needs=("zone",)),
    Item("machine", "machine and its key", _machine, needs=("center",)),
    Item("officer-zone", "officer's zone", _officer_zone, needs=("officer", "zone")),
    Item("officer-center", "officer's centre", _officer_center, needs=("officer-zone", "center")),
)
