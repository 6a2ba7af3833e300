"""The provisioner's zone, and how users are put into zones."""

from __future__ import annotations

from mosip_crvs.errors import CredentialMissing, QuestionForOperator
from mosip_crvs.mosip import masterdata as md
from mosip_crvs.mosip.masterdata import Masterdata, active
from mosip_crvs.onboarding.items.steps import creating, patching
from mosip_crvs.onboarding.provision import Bench, Item, Plan
from mosip_crvs.onboarding.surroundings import Identity


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


def seeing_data(bench: Bench) -> Masterdata:
    """Enter masterdata. Before the provisioner has its zone it can search for nothing, so a plan looks as the other."""
    data = bench.masterdata()
    if bench.planning and not data.subzones():
        return bench.masterdata(Identity.GLOBAL_ADMIN)
    return data


ITEMS: tuple[Item, ...] = (Item("zone", "provisioner's zone", _provisioner_zone),)
