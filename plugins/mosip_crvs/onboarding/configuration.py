"""Checking a checkout of mosip-config: what no API of MOSIP shows (``mosip-onboarding.md`` §11, last paragraph).

The checks are a table; one function walks it. A finding carries the lines that mend it, ready to be pasted. What the
config server or a container is given as environment variables is not in the checkout: it would win, and is not seen.
Services read most of this once, when they start: every mend needs a restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from pathlib import Path

from mosip_crvs.onboarding.checkout import Checkout, UnreadableFile
from mosip_crvs.onboarding.config_files import (
    DEFAULT_PARTNERS,
    credential_partner,
    default_partner,
    identity_mapping,
    knowledge_known,
)
from mosip_crvs.onboarding.config_rules import (
    Judge,
    WantedConfiguration,
    any_role,
    audience,
    categories,
    informational,
    listed,
    mandatory_attributes,
    never,
    priority,
    provider,
    routes_listed,
    routes_present,
)
from mosip_crvs.onboarding.properties import ConfigLine

__all__ = ["CHECKS", "ConfigFinding", "ConfigLine", "ConfigStatus", "WantedConfiguration", "check_configuration"]

_SWITCHES = "mosip.regproc.cmd-validator."
_CATEGORIES = "additional-process.category-mapping"


class ConfigStatus(StrEnum):
    """What came of a check."""

    PASS = "PASS"  # noqa: S105 (the name of an outcome)
    WARN = "WARN"
    """Something works less well; packets still pass."""
    FAIL = "FAIL"
    SKIP = "SKIP"
    """A file that the check needs is missing or cannot be read."""


@dataclass(frozen=True, slots=True)
class ConfigFinding:
    """What one check came to.

    :param asserts: what should hold.
    :param evidence: places, keys and what is missing; never a value of the configuration.
    :param fix: what to do; empty if it holds.
    :param lines: what to write, with the file it goes into; what is there already is kept in it.
    """

    id: str
    asserts: str
    status: ConfigStatus
    evidence: str
    fix: str = ""
    lines: tuple[ConfigLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table.

    :param miss: what it means that the judge is not content.
    """

    id: str
    asserts: str
    judge: Judge
    fix: str
    miss: ConfigStatus = ConfigStatus.FAIL


CHECKS = (
    Check(
        "CF-01",
        "the packet manager takes the runtime client's tokens",
        audience("packet-manager", attrgetter("runtime_client"), "application"),
        "add the client to the list and restart the packet manager; else it answers 403 KER-ATH-403",
    ),
    Check(
        "CF-02",
        "the registration processor takes the runtime client's tokens",
        audience("registration-processor", attrgetter("runtime_client"), "application"),
        "add the client to the list and restart the workflow manager and the status service",
    ),
    Check(
        "CF-03",
        "masterdata and the key manager take the provisioner's tokens",
        audience("kernel", attrgetter("provisioner_client"), "kernel-masterdata-service", "kernel-keymanager-service"),
        "add the client to the list and restart masterdata and the key manager; if the config server's environment "
        "sets the override, add it there too",
    ),
    Check(
        "CF-04",
        "partner management takes the provisioner's tokens",
        audience("partner-management", attrgetter("provisioner_client"), "partner-management"),
        "add the client to the list and restart partner and policy management",
    ),
    Check(
        "CF-05",
        "data share takes the subscriber's tokens",
        audience("data-share", attrgetter("subscriber_client"), "application", "data-share"),
        "add the client to the list and restart data share; else no credential can be downloaded",
    ),
    Check(
        "CF-06",
        "a role of the runtime client may create packets",
        any_role("packet-manager", "mosip.role.commons-packet.putcreatepacket", usual=("REGISTRATION_PROCESSOR",)),
        "add the role to the list and restart the packet manager",
    ),
    Check(
        "CF-07",
        "a role of the runtime client may ask for states",
        any_role(
            "registration-processor",
            "mosip.role.registration.getPostexternalstatussearch",
            "mosip.role.registration.getPostsearch",
            usual=("REGISTRATION_ADMIN", "REGISTRATION_OFFICER", "REGISTRATION_SUPERVISOR", "RESIDENT"),
        ),
        "add the role to the lists and restart the status service; without, only the hub's events tell what became "
        "of an application",
        ConfigStatus.WARN,
    ),
    Check(
        "CF-08",
        "packets of the source find a writer",
        provider("writer"),
        "add the provider and restart the packet manager; else createPacket answers KER-PUT-006",
    ),
    Check(
        "CF-09",
        "packets of the source find a reader",
        provider("reader"),
        "add the provider and restart the packet manager and the registration processor",
    ),
    Check(
        "CF-10",
        "packets of the source have a place in the order of reading",
        priority,
        "add the source to the order and restart the packet manager and the registration processor",
    ),
    Check(
        "CF-11",
        "packet signatures are verified",
        never("packet-manager", "packetmanager.packet.signature.disable-verification", "true", "false"),
        "switch the verification on again: without it, anybody who reaches the store can forge a packet",
    ),
    Check(
        "CF-12",
        "the routes of both processes are active",
        routes_listed,
        "add the files to the list and restart the registration processor; else applications are accepted and hang",
    ),
    Check(
        "CF-13",
        "the route files of both processes are there",
        routes_present,
        "bring the route files from the release of mosip-config that this MOSIP runs (1.3 has them)",
    ),
    Check(
        "CF-14",
        "births are treated as new registrations and deaths as updates",
        categories(f"registration.processor.{_CATEGORIES}"),
        "map the processes and restart the registration processor; else the trigger answers RPR-WIS-000",
    ),
    Check(
        "CF-15",
        "messages about births and deaths find their category",
        categories(f"registration.processor.notification.{_CATEGORIES}"),
        "map the processes and restart the notification service",
        ConfigStatus.WARN,
    ),
    Check(
        "CF-16",
        "states of both processes can be asked for",
        listed(
            "registration-processor",
            "registration.processor.main-processes",
            items=attrgetter("processes"),
            usual=("NEW", "UPDATE", "LOST", "RES_UPDATE", "ACTIVATE", "DEACTIVATE"),
        ),
        "add the processes and restart the registration processor; without, one application of theirs makes "
        "/externalstatus/search fail for its whole batch with RPR-RGS-018 (it also lets sync accept them)",
        ConfigStatus.WARN,
    ),
    Check(
        "CF-17",
        "centre, machine and devices are validated for both processes",
        listed(
            "registration-processor",
            f"{_SWITCHES}center-validation.processes",
            f"{_SWITCHES}machine-validation.processes",
            f"{_SWITCHES}device-validation.processes",
            items=attrgetter("processes"),
        ),
        "add the processes and restart the registration processor; without, packets of an unknown centre or machine "
        "pass",
        ConfigStatus.WARN,
    ),
    Check(
        "CF-18",
        "what working-hour validation does is known (information)",
        informational(
            "registration-processor",
            f"{_SWITCHES}working-hour-validation-required",
            "true",
            "packets made on a public holiday of the centre fail with RPR-CMD-FAILED-010; hours and weekdays do not "
            "count: give the centre a holiday location without holidays",
        ),
        "",
    ),
    Check(
        "CF-19",
        "the mandatory attributes of both processes are set",
        mandatory_attributes,
        "set the attributes, as far as the mapping sends them, and restart the registration processor",
    ),
    Check(
        "CF-20",
        "births request the partner's credential",
        credential_partner,
        "add the entry, or replace the one of the same id, and restart the credential requestor",
    ),
    Check(
        "CF-21",
        "the partner's entry is used without a condition",
        default_partner,
        f"name the entry in {DEFAULT_PARTNERS} and restart the credential requestor",
    ),
    Check(
        "CF-22",
        "partner management knows the credential type",
        listed(
            "partner-management",
            "pmp.allowed.credential.types",
            items=lambda wanted: (wanted.credential_type,),
            usual=("auth", "qrcode", "euin", "reprint", "vercred"),
        ),
        "add the type and restart partner management; else it answers PMS_PRT_072",
    ),
    Check(
        "CF-23",
        "certificates of the partner's domain are accepted",
        listed(
            "kernel",
            "mosip.kernel.partner.allowed.domains",
            items=lambda wanted: ("AUTH",),
            usual=("DEVICE", "FTM", "MISP"),
        ),
        "add AUTH and restart the key manager",
    ),
    Check(
        "CF-24",
        "the fields of a death are known to the registration processor",
        identity_mapping,
        "add the fields and restart the packet manager and the registration processor",
    ),
    Check(
        "CF-25",
        "informants can authenticate by what they know",
        knowledge_known,
        "add the method and restart partner management and eSignet; needed only if informants authenticate that way",
        ConfigStatus.WARN,
    ),
)
"""Every check, in the order in which a packet meets what it looks at."""


def check_configuration(folder: Path, wanted: WantedConfiguration, profile: str = "default") -> list[ConfigFinding]:
    """Check a checkout of mosip-config. Reads files of the folder, and nothing else.

    :param folder: the checkout's top, where ``kernel-default.properties`` lies.
    :param profile: Spring's profile of the country's MOSIP.
    """
    checkout = Checkout(folder, profile)
    return [_find(check, checkout, wanted) for check in CHECKS]


def _find(check: Check, checkout: Checkout, wanted: WantedConfiguration) -> ConfigFinding:
    try:
        verdict = check.judge(checkout, wanted)
    except UnreadableFile as problem:
        fix = f"point to a whole checkout of mosip-config, and name the profile if it is not {checkout.profile}"
        return ConfigFinding(check.id, check.asserts, ConfigStatus.SKIP, str(problem), fix)
    if verdict.holds:
        return ConfigFinding(check.id, check.asserts, ConfigStatus.PASS, verdict.evidence)
    return ConfigFinding(check.id, check.asserts, check.miss, verdict.evidence, check.fix, verdict.lines)
