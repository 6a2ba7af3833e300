"""The officer: a user of Keycloak, in the zone and in the centre. Nobody ever logs in as that officer."""

from __future__ import annotations

from functools import partial

from mosip_crvs.errors import QuestionForOperator
from mosip_crvs.mosip import keycloak as kc
from mosip_crvs.mosip import masterdata as md
from mosip_crvs.mosip.keycloak import missing_roles
from mosip_crvs.mosip.masterdata import active
from mosip_crvs.onboarding.items.keycloak import assign_roles
from mosip_crvs.onboarding.items.made import made_here, making
from mosip_crvs.onboarding.items.steps import creating, later, patching
from mosip_crvs.onboarding.items.zones import seeing_data, zone_plan
from mosip_crvs.onboarding.provision import Bench, Item, Plan


def _officer(bench: Bench) -> Plan:
    officer = bench.country.officer
    user = bench.keycloak.user(officer.user)
    if user is None:
        create = making(bench, "officer", officer.user, lambda: bench.keycloak.create_user(_user(bench)))
        return Plan(
            [
                creating(f"user {officer.user}", kc.CREATE_USER, create),
                patching(f"realm role {officer.role} for {officer.user}", kc.ASSIGN_ROLES, later),
            ]
        )
    ours = made_here(bench, "officer", str(user["id"]), officer.user)
    if not user.get("enabled"):
        if not ours:
            raise QuestionForOperator(
                f"the user {officer.user} is disabled in Keycloak and was not made here: somebody may have shut a "
                "living officer out. Enable the user in Keycloak's console, or name another officer.user in the "
                "country file"
            )
        enable = lambda: bench.keycloak.update_user(user, {"enabled": True})  # noqa: E731
        return Plan([patching(f"user {officer.user}: enabled", kc.UPDATE_USER, enable)], ours)
    missing = missing_roles(bench.keycloak.roles_of(str(user["id"])), [officer.role])
    assign = partial(assign_roles, bench, str(user["id"]), missing)
    steps = [patching(f"realm role {role} for {officer.user}", kc.ASSIGN_ROLES, assign) for role in missing]
    return Plan(steps, ours)


def _user(bench: Bench) -> dict[str, object]:
    officer = bench.country.officer
    password = bench.keeping.make_secret(f"user {officer.user}")
    return {
        "username": officer.user,
        "firstName": officer.first_name,
        "lastName": officer.last_name,
        "enabled": True,
        **({"email": officer.email} if officer.email else {}),
        "credentials": [{"type": "password", "value": password, "temporary": False}],
    }


def _officer_zone(bench: Bench) -> Plan:
    return zone_plan(seeing_data(bench), bench.country.officer.user, bench.country.zone)


def _officer_center(bench: Bench) -> Plan:
    data, officer, center_id = seeing_data(bench), bench.country.officer.user, bench.id("center_id")
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
        _check_ours(bench, str(rows[0].get("regCenterId")))
        move = patching(
            f"{officer}: from centre {rows[0].get('regCenterId')} to {center_id}",
            md.UPDATE_USER_CENTER,
            lambda: data.move_user_center(officer, center_id),
        )
        return Plan([move, activate])
    return Plan([] if active(rows[0]) else [activate])


def _check_ours(bench: Bench, elsewhere: str) -> None:
    """See that the officer is ours to move.

    :param elsewhere: the centre where the officer is.
    :raises QuestionForOperator: when it may be a living one.
    """
    officer = bench.country.officer.user
    user = bench.keycloak.user(officer)
    if user is None or not made_here(bench, "officer", str(user["id"]), officer):
        raise QuestionForOperator(
            f"{officer} works in centre {elsewhere}, not {bench.id('center_id')}, and was not made here: it may be a "
            "living officer. Name another officer.user in the country file, or move the officer in the admin console"
        )


USER: tuple[Item, ...] = (Item("officer", "officer's user", _officer, needs=("roles",)),)
MAPPINGS: tuple[Item, ...] = (
    Item("officer-zone", "officer's zone", _officer_zone, needs=("officer", "zone")),
    Item("officer-center", "officer's centre", _officer_center, needs=("officer-zone", "center")),
)
