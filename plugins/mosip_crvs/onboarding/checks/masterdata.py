"""The centre, the machine and its key, the officer, and the numbers that are made of them.

The histories are what MOSIP's own stages ask for, so they are asked for in the same way.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from mosip_crvs.aid import first_tick, mint_aids, tick_of
from mosip_crvs.ledger.connection import transaction
from mosip_crvs.mosip import keycloak, keymanager
from mosip_crvs.mosip import masterdata as md
from mosip_crvs.mosip.calendar import holiday_in, noon_of
from mosip_crvs.mosip.keymanager import same_key
from mosip_crvs.mosip.masterdata import active
from mosip_crvs.mosip.moments import now_text
from mosip_crvs.onboarding.look import Look
from mosip_crvs.onboarding.preflight import Check, Status, Stops, Verdict
from mosip_crvs.onboarding.surroundings import Identity
from mosip_crvs.onboarding.verdicts import date_of, days_left, failed, latest, listed, passed, warned

_RECENT = 1000


def _center_is_active(look: Look) -> Verdict:
    center_id = look.center_id
    if not center_id:
        if not look.masterdata.subzones():
            return Verdict(Status.SKIP, "needs AU-02: who has no zone finds no centre by its name")
        named = look.masterdata.centers_named(look.country.center_name)
        if len(named) != 1:
            return failed(
                f"{len(named) or 'no'} centre{'s' if len(named) != 1 else ''} named {look.country.center_name!r}",
                "set MOSIP_CENTER_ID to the right one" if named else "run provision: it makes the centre",
            )
        center_id = str(named[0]["id"])
    center = look.masterdata.center(center_id)
    if center is None:
        return failed(f"no centre {center_id} in {look.country.language}", "run provision, or set MOSIP_CENTER_ID")
    if not active(center):
        return failed(
            f"centre {center_id} is switched off",
            f"PATCH registrationcenters?id={center_id}&isActive=true: "
            "provision does it (MOSIP creates centres inactive whatever it is told)",
        )
    return passed(f"centre {center_id} is active", center_id=center_id)


def _center_history_is_active(look: Look) -> Verdict:
    rows = look.masterdata.center_history(look.center_id, now_text())
    if not any(active(row) for row in rows):
        return failed(f"the history of centre {look.center_id} has no active row up to now ({len(rows)} rows)")
    return passed(f"active in {len(rows)} rows of its history")


def _center_works_today(look: Look) -> Verdict:
    today = datetime.now(UTC).date()
    days = [today + timedelta(days=ahead) for ahead in range(look.country.thresholds.holiday_days + 1)]
    known = {day: holiday for day in days if (holiday := _is_holiday(look, day)) is not None}
    facts = {"center_days": known}
    if today not in known:
        evidence = f"MOSIP does not say whether {today} is a holiday of centre {look.center_id}"
        return warned(evidence, _ASK_FOR_DAYS, **facts)
    if known[today]:
        evidence = f"{today} is a holiday of centre {look.center_id}: MOSIP would fail every packet of today"
        return Verdict(Status.WARN, evidence, facts=facts)  # the sync holds the night by itself
    holidays = listed([day.isoformat() for day, holiday in known.items() if holiday])
    ahead = f"; holidays ahead: {holidays}, those nights are held" if holidays else ""
    return passed(f"no holiday today{ahead} (known for {len(known)} days)", **facts)


_ASK_FOR_DAYS = "list the centre's holidays in the 'mosip' connection (holidays), so that the sync knows them"


def _is_holiday(look: Look, day: date) -> bool | None:
    """Ask about a day of MOSIP's, which is UTC's; None when the answer is not a clear one."""
    where = {"center": look.center_id, "language": look.country.language, "moment": noon_of(day)}
    said = look.door.ask(md.CENTER_AT, **where)
    return holiday_in(said.response) if said.succeeded else None


def _center_has_all_languages(look: Look) -> Verdict:
    missing = [
        language for language in look.country.languages if look.center_id in look.masterdata.centers_without(language)
    ]
    if missing:
        return warned(f"centre {look.center_id} has no texts in {listed(missing)}")
    return passed(f"texts in {listed(look.country.languages)}")


def _machine_is_ours(look: Look) -> Verdict:
    machine_id = look.machine_id
    if not machine_id:
        named = look.masterdata.machines_named(look.country.machine.name)
        if not named:
            return failed(f"no machine named {look.country.machine.name!r}", "run provision: it makes the machine")
        machine_id = str(named[0]["id"])
    machine = look.masterdata.machine(machine_id)
    if machine is None:
        return failed(f"no machine {machine_id}", "run provision, or set MOSIP_MACHINE_ID")
    if not active(machine):
        return failed(
            f"machine {machine_id} is switched off",
            f"PATCH machines?id={machine_id}&isActive=true: "
            "provision does it (MOSIP creates machines inactive whatever it is told)",
        )
    if str(machine.get("regCenterId")) != look.center_id:
        return failed(
            f"machine {machine_id} belongs to centre {machine.get('regCenterId')}, not {look.center_id}",
            f"set its regCenterId to {look.center_id}: provision does it if it made the machine, and else asks",
        )
    return passed(f"machine {machine_id} is active in centre {look.center_id}", machine_id=machine_id)


def _machine_history_is_active(look: Look) -> Verdict:
    rows = look.masterdata.machine_history(look.machine_id, now_text())
    if not active(latest(rows)):
        return failed(f"the latest row of machine {look.machine_id}'s history is not active ({len(rows)} rows)")
    return passed(f"the latest of {len(rows)} rows is active")


def _key_is_free(look: Look) -> Verdict:
    key = look.keymanager.signing_key()
    others = [row for row in look.masterdata.machines_with_key(key) if not _is_ours(look, row)]
    if others:
        names = listed([f"{row.get('id')} ({row.get('name')}, centre {row.get('regCenterId')})" for row in others])
        return failed(
            f"the key manager's signing key is registered for machine {names}",
            "one key belongs to one machine: adopt that machine (machine.name and the centre in the country file), or "
            "decommission it, or let operations give the key manager a new key",
        )
    return passed("no other machine holds the key manager's signing key", signing_key=key)


def _is_ours(look: Look, row: dict[str, Any]) -> bool:
    return row.get("id") == look.machine_id or row.get("name") == look.country.machine.name


def _machine_has_the_live_key(look: Look) -> Verdict:
    machine = look.masterdata.machine_with_keys(look.machine_id)
    live = str(look.facts["signing_key"])
    if machine is None:
        return failed(f"machine {look.machine_id} is outside the provisioner's zone", "map it to the root zone")
    if not same_key(str(machine.get("signPublicKey")), live):
        return failed(
            f"machine {look.machine_id} has another signature key than the key manager uses now",
            "if the key manager lost its volume /home/mosip/.mosipkeys, restore it: packets signed before cannot be "
            "read otherwise. If the change was meant: provision --accept-new-key",
        )
    return passed("the machine's key is the one that the key manager signs with")


def _officer_in_keycloak(look: Look) -> Verdict:
    officer, role = look.officer_id, look.country.officer.role
    user = look.keycloak.user(officer)
    if user is None:
        return failed(f"Keycloak has no user {officer}")
    if not user.get("enabled"):
        return failed(
            f"the user {officer} is disabled", "enable the user: provision does it if it made the user, and else asks"
        )
    if role not in look.keycloak.roles_of(str(user["id"])):
        return failed(
            f"the user {officer} lacks the realm role {role}", f"give it {role}: provision does it"
        )
    return passed(f"{officer} is enabled and has {role}")


def _officer_history_is_active(look: Look) -> Verdict:
    rows = look.masterdata.officer_history(look.officer_id, now_text())
    if not active(latest(rows)):
        return failed(f"masterdata has no active officer {look.officer_id} now ({len(rows)} rows)")
    return passed(f"{look.officer_id} is active in masterdata")


def _officer_is_mapped(look: Look) -> Verdict:
    who = (look.center_id, look.machine_id, look.officer_id)
    rows = look.masterdata.mapping_history(*who, now_text())
    if not any(active(row) for row in rows):
        return failed(f"no active mapping of centre {who[0]}, machine {who[1]} and officer {who[2]}")
    return passed(f"officer {who[2]} works in centre {who[0]} with machine {who[1]}")


def _aids_are_right(look: Look) -> Verdict:
    tick = first_tick(datetime.now(UTC))
    try:
        aids = mint_aids(look.center_id, look.machine_id, tick, 2)
    except ValueError as problem:
        return failed(str(problem))
    prefix = look.center_id + look.machine_id
    if len(set(aids)) != 2 or any(len(aid) != 29 or not aid.startswith(prefix) for aid in aids):
        return failed(f"AIDs do not have 29 digits that begin with {prefix}")
    if look.ledger is None:
        return passed(f"29 digits that begin with {prefix}; no ledger to compare with")
    ahead = _aids_ahead_of_the_clock(look.ledger, look.center_id, look.machine_id)
    if ahead:
        return failed(
            f"{ahead} AIDs in the ledger are later than the ledger's own counter",
            "the counter aid_clocks was lost or restored: set last_tick past the newest AID before anything is sent",
        )
    return passed(f"29 digits that begin with {prefix}; the ledger's counter is ahead of every AID")


def _aids_ahead_of_the_clock(ledger: Engine, center_id: str, machine_id: str) -> int:
    """Count the newest AIDs whose tick the ledger's counter has not reached: they would be given again."""
    which = {"center": center_id, "machine": machine_id, "recent": _RECENT}
    with transaction(ledger) as connection:
        last = connection.execute(
            text("SELECT last_tick FROM aid_clocks WHERE center_id = :center AND machine_id = :machine"), which
        ).scalar_one_or_none()
        aids = connection.execute(
            text("SELECT aid FROM applications ORDER BY application_id DESC LIMIT :recent"), which
        ).scalars()
        return sum(1 for aid in aids if aid.startswith(center_id + machine_id) and tick_of(aid) > (last or 0))


def _encryption_key(look: Look) -> Verdict:
    found = look.keymanager.packet_certificates(look.center_id, look.machine_id)
    ends = [date for each in found if (date := date_of(each.get("expiryAt")))]
    if not found:
        return passed("none yet: MOSIP makes the key with the first packet")
    left = max((days_left(each) for each in ends), default=0)
    if left < 0:
        return warned(
            f"the packet encryption key ended {-left} days ago",
            "MOSIP makes a new one with the next packet; if packets fail with KER-KMS-012, operations must renew it",
        )
    return passed(f"the packet encryption key is good for {left} days")


CHECKS: tuple[Check, ...] = (
    Check(
        "CE-01", "the registration centre exists and is active", _center_is_active,
        calls=(md.CENTER, md.CENTER_SEARCH, md.SUBZONES), identity=Identity.PROVISIONER, needs=("AU-01",),
        fix="run provision, or set MOSIP_CENTER_ID",
    ),
    Check(
        "CE-02", "the centre's history says active, as MOSIP's stages ask", _center_history_is_active,
        calls=(md.CENTER_HISTORY,), identity=Identity.PROVISIONER, needs=("CE-01", "KC-05"),
        fix="switch the centre off and on again (PATCH registrationcenters?id=<id>&isActive=false, then true): its "
        "history begins with the switch, and packets before it fail",
    ),
    Check(
        "CE-03", "today is no holiday of the centre", _center_works_today, calls=(md.CENTER_AT,),
        identity=Identity.PROVISIONER, needs=("CE-01", "KC-05"), stops=Stops.LATER,
        fix="nothing tonight: the sync holds the batch and sends it on the next working day; to send every day, give "
        "the centre a holidayLocationCode without holidays",
    ),
    Check(
        "CE-04", "the centre has texts in every language", _center_has_all_languages, calls=(md.CENTERS_MISSING,),
        identity=Identity.PROVISIONER, needs=("CE-01",), stops=Stops.LATER,
        fix="PUT registrationcenters/language for each of them: provision does it",
    ),
    Check(
        "MA-01", "the machine exists, is active and belongs to the centre", _machine_is_ours,
        calls=(md.MACHINE, md.MACHINE_SEARCH), identity=Identity.PROVISIONER, needs=("CE-01", "AU-02"),
        fix="run provision, or set MOSIP_MACHINE_ID",
    ),
    Check(
        "MA-02", "the machine's history says active", _machine_history_is_active, calls=(md.MACHINE_HISTORY,),
        identity=Identity.PROVISIONER, needs=("MA-01", "KC-05"),
        fix="switch the machine off and on again (PATCH machines?id=<id>&isActive=false, then true)",
    ),
    Check(
        "MA-04", "no other machine holds the signing key", _key_is_free,
        calls=(keymanager.SIGNING_KEY, md.MACHINE_SEARCH), identity=Identity.PROVISIONER, needs=("AU-02",),
        fix="adopt the machine that holds the key, or let operations re-key",
    ),
    Check(
        "MA-03", "the machine's key is the one that signs packets", _machine_has_the_live_key,
        calls=(md.MACHINE_SEARCH,), identity=Identity.PROVISIONER, needs=("MA-01", "MA-04"),
        fix="give the machine the key manager's key: provision does it",
    ),
    Check(
        "OF-01", "the officer is a user with the officer's role", _officer_in_keycloak,
        calls=(keycloak.USERS, keycloak.USER_ROLES), identity=Identity.KEYCLOAK_ADMIN, needs=("KC-04",),
        stops=Stops.LATER,
        fix="run provision: it makes the user",
    ),
    Check(
        "OF-02", "the officer is active in masterdata", _officer_history_is_active, calls=(md.USER_AT,),
        identity=Identity.PROVISIONER, needs=("AU-01", "KC-05"),
        fix="map the officer to the zone, then to the centre, and switch both on, in this order: provision does it",
    ),
    Check(
        "OF-03", "officer, centre and machine are mapped to one another", _officer_is_mapped,
        calls=(md.MAPPING_HISTORY,), identity=Identity.PROVISIONER, needs=("CE-02", "MA-02", "OF-02"),
        fix="map the officer to this centre and switch the mapping on: provision does it, and asks before it moves an "
        "officer that it did not make",
    ),
    Check(
        "ID-01", "AIDs begin with centre and machine, and none is given twice", _aids_are_right,
        needs=("CE-01", "MA-01"),
        fix="an AID is five digits of the centre, five of the machine and 19 more: set MOSIP up for ids of five digits "
        "(mosip.kernel.registrationcenterid.length, mosip.kernel.machineid.length)",
    ),
    Check(
        "KM-01", "the packet encryption key is good", _encryption_key, calls=(keymanager.ALL_CERTIFICATES,),
        identity=Identity.PROVISIONER, needs=("CE-01", "MA-01"), stops=Stops.LATER,
        fix="MOSIP makes it with the first packet",
    ),
)  # fmt: skip
