"""The registration centre."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mosip_crvs.errors import QuestionForOperator
from mosip_crvs.mosip import masterdata as md
from mosip_crvs.mosip.masterdata import Masterdata, active
from mosip_crvs.onboarding.items.made import made_here, making
from mosip_crvs.onboarding.items.steps import creating, later, patching
from mosip_crvs.onboarding.items.zones import seeing_data
from mosip_crvs.onboarding.provision import Bench, Item, Plan, Step

_FIXED = ("zoneCode", "locationCode", "centerTypeCode")
"""What of a centre MOSIP or we build on, and is not changed by the way."""


def _center(bench: Bench) -> Plan:
    data = seeing_data(bench)
    center_id = bench.id("center_id") or _adopted_center(bench, data)
    if not center_id:
        return Plan(_new_center(bench, data))
    center = data.center(center_id)
    if center is None:
        raise QuestionForOperator(
            f"the centre {center_id} is kept here or was given, and MOSIP does not have it: is this another "
            f"environment? Remove center_id from {bench.keeping.environment}.state.json to make a new centre"
        )
    ours = made_here(bench, "center", center_id, str(center.get("name")))
    return Plan(_center_steps(bench, data, center, ours=bool(ours)), {"center_id": center_id, **ours})


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
        creating(
            f"centre {name!r}",
            md.CREATE_CENTER,
            making(bench, "center", name, lambda: data.create_center(fields)),
            unique=False,
        ),
        patching(f"centre {name!r}: active", md.ACTIVATE_CENTER, later),
        *(
            creating(f"centre {name!r}: texts in {language}", md.ADD_CENTER_LANGUAGE, later)
            for language in country.languages[1:]
        ),
    ]


def _center_steps(bench: Bench, data: Masterdata, center: Mapping[str, Any], *, ours: bool) -> list[Step]:
    """Plan what a centre lacks: it is switched on first, because all else looks for an active one.

    :param ours: whether it was made here; else others may count on what it is.
    """
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
        steps.append(_holidays_step(data, center, str(holidays), ours=ours))
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


def _holidays_step(data: Masterdata, center: Mapping[str, Any], holidays: str, *, ours: bool) -> Step:
    """Plan other holidays for a centre, with everything else as it is.

    :raises QuestionForOperator: when the centre is not ours, or when nobody can see what else it has.
    """
    center_id = str(center["id"])
    differs = (
        f"centre {center_id} has the holidays of {center.get('holidayLocationCode')}, and the country file says "
        f"holidayLocationCode {holidays}"
    )
    if not ours:
        raise QuestionForOperator(
            f"{differs}. The centre was not made here, and others may work by its holidays: change it in the admin "
            "console, or change the country file"
        )
    exceptions = data.exceptional_holidays(center_id)
    if exceptions is None:
        raise QuestionForOperator(
            f"{differs}. The provisioner's search does not show the centre, so a change would delete its exceptional "
            "holidays unseen: change it in the admin console"
        )
    common = {**_common(center), "holidayLocationCode": holidays, "exceptionalHolidayPutPostDto": exceptions}
    return patching(
        f"centre {center_id}: holidays of {holidays}", md.SET_CENTER_COMMON, lambda: data.set_center_common(common)
    )


def _common(center: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a centre has for all languages, without what the server keeps for itself.

    Its working days are not shown with it, and stay as they are when nothing is said of them.
    """
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


ITEMS: tuple[Item, ...] = (Item("center", "registration centre", _center, needs=("zone",)),)
