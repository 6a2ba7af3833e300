"""What is right in a checkout of mosip-config, and what to write where it is not.

Every function here makes a judge: it takes the checkout and what is wanted of it and returns a verdict. Judges look at
what MOSIP's services would look at (``mosip-onboarding.md`` §0.2, §7, §10.2); how grave a miss is says the table of
:mod:`mosip_crvs.onboarding.configuration`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mosip_crvs.onboarding.checkout import EVERYBODY, Checkout
from mosip_crvs.onboarding.properties import ConfigLine, Definition, Environment, property_line, split

AUDIENCE = "auth.server.admin.allowed.audience"
PRIORITY = "packetmanager.default.priority"
FLOWS = "camel.secure.active.flows.file.names"
MANDATORY = "mosip.kernel.idobjectvalidator.mandatory-attributes.reg-processor."

_CLASSES = {"reader": "PacketReaderImpl", "writer": "PacketWriterImpl"}
_PAIR = re.compile(r"""['"]?([\w-]+)['"]?\s*:\s*['"]?([\w-]+)['"]?""")


@dataclass(frozen=True)
class WantedConfiguration:
    """What the country's MOSIP must be configured for.

    :param runtime_client: the Keycloak client that sends packets.
    :param runtime_roles: its realm roles. The first opens createPacket and the trigger, and is what gets added to a
        list of roles that has none of them.
    :param provisioner_client: the client that reads and prepares masterdata and partners.
    :param partner_id: the partner that receives credentials.
    :param subscriber_client: the Keycloak client that subscribes and downloads for it, named as the partner.
    :param credential_type: what the partner receives.
    :param death_fields: identity fields that only a death has.
    """

    partner_id: str
    subscriber_client: str
    credential_type: str
    runtime_client: str = "mosip-crvs1-client"
    runtime_roles: tuple[str, ...] = ("ONLINE_REGISTRATION_CLIENT",)
    provisioner_client: str = "mosip-deployment-client"
    source: str = "CRVS1"
    birth_process: str = "CRVS_NEW"
    death_process: str = "CRVS_DEATH"
    death_fields: tuple[str, ...] = ("declaredAsDeceased", "deceasedDeclarationDate", "typeOfDeath")

    @property
    def processes(self) -> tuple[str, ...]:
        """Both processes, births first."""
        return (self.birth_process, self.death_process)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge found.

    :param evidence: places, keys and what is missing; never a value of the configuration.
    :param lines: what to write so that it holds.
    """

    holds: bool
    evidence: str
    lines: tuple[ConfigLine, ...] = ()


Judge = Callable[[Checkout, WantedConfiguration], Verdict]
Wish = Callable[[WantedConfiguration], Sequence[str]]


def audience(service: str, client: Callable[[WantedConfiguration], str], *applications: str) -> Judge:
    """Judge whether a service takes the tokens of a client.

    :param service: the config name of the service.
    :param applications: what the services behind that name may be called in ``spring.application.name``: a list of
        that name replaces the common one (§0.1).
    """

    def judge(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
        environment, name = checkout.environment(service), client(wanted)
        own = [f"{AUDIENCE}.{application}" for application in applications]
        # The common list does not count only where every application has its own.
        keys = [key for key in own if environment.definition(key)]
        keys += [AUDIENCE] if len(keys) < len(own) or not own else []
        lacking = {key: [name] for key in keys if not _has(environment, key, name)}
        return _listing(environment, keys, lacking)

    return judge


def listed(service: str, *keys: str, items: Wish, usual: Sequence[str] = ()) -> Judge:
    """Judge whether comma-separated values have all the items.

    :param usual: what MOSIP ships, to begin with where nobody sets the key.
    """

    def judge(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
        environment = checkout.environment(service)
        lacking = {key: [item for item in items(wanted) if item not in environment.items(key)] for key in keys}
        return _listing(environment, keys, {key: missing for key, missing in lacking.items() if missing}, usual)

    return judge


def any_role(service: str, *keys: str, usual: Sequence[str]) -> Judge:
    """Judge whether every list of roles has at least one of the runtime client's."""

    def judge(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
        environment, roles = checkout.environment(service), wanted.runtime_roles
        lacking = {key: roles[:1] for key in keys if not set(roles) & set(environment.items(key))}
        return _listing(environment, keys, lacking, usual)

    return judge


def never(service: str, key: str, value: str, instead: str) -> Judge:
    """Judge that a key does not have a value that switches a protection off."""

    def judge(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
        environment = checkout.environment(service)
        if (environment.value(key) or "").strip().lower() != value:
            return Verdict(True, f"{key} is not {value}")
        found = environment.definition(key)
        assert found is not None  # it has a value
        return Verdict(False, f"{found.place}: {key} is {value}", (property_line(found.file, key, instead),))

    return judge


def informational(service: str, key: str, value: str, remark: str) -> Judge:
    """Judge nothing: say what follows from a setting."""

    def judge(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
        found = checkout.environment(service).value(key)
        return Verdict(True, remark if (found or "").strip().lower() == value else f"{key} is not {value}")

    return judge


def provider(kind: str) -> Judge:
    """Judge whether packets of our source and processes find a reader or a writer, else ``KER-PUT-006`` (§10.2).

    :param kind: ``reader`` or ``writer``.
    """

    def judge(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
        environment = checkout.environment("packet-manager")
        known = {
            entry.key: _parts(environment, entry) for entry in environment.starting_with(f"provider.packet{kind}.")
        }
        ours = [key for key, parts in known.items() if _named(wanted.source, parts["source"]) and parts["classname"]]
        served = [process for key in ours for process in known[key]["process"]]
        missing = [process for process in wanted.processes if not _named(process, served)]
        if not missing:
            return Verdict(True, f"{', '.join(ours)} serves {wanted.source} with {_and(wanted.processes)}")
        key = ours[0] if ours else f"provider.packet{kind}.{wanted.source.lower()}"
        parts = known.get(key, {"source": [], "process": [], "classname": []})
        text = ",".join(
            (
                f"source:{'|'.join(_union(parts['source'], [wanted.source]))}",
                f"process:{'|'.join(_union(parts['process'], missing))}",
                f"classname:{(parts['classname'] or [f'io.mosip.commons.packet.impl.{_CLASSES[kind]}'])[0]}",
            )
        )
        file = _home(environment, key, checkout.file(EVERYBODY))
        return Verdict(
            False, f"no packet {kind} for {wanted.source} with {_and(missing)}", (property_line(file, key, text),)
        )

    return judge


def priority(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
    """Judge whether a packet of ours is found by those who do not say where to look (§10.2)."""
    environment = checkout.environment("packet-manager")
    entries = [entry.partition("/") for entry in environment.items(PRIORITY)]
    served = [
        process
        for source, _, processes in entries
        if source.removeprefix("source:").casefold() == wanted.source.casefold()
        for process in processes.removeprefix("process:").split("|")
    ]
    missing = [process for process in wanted.processes if not _named(process, served)]
    entry = f"source:{wanted.source}\\/process:{'|'.join(missing)}"
    lacking = {PRIORITY: [entry]} if missing else {}
    return _listing(environment, [PRIORITY], lacking, file=checkout.file(EVERYBODY))


def categories(key: str) -> Judge:
    """Judge whether a mapping from process to category treats births as new and deaths as updates (§10.2)."""

    def judge(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
        environment = checkout.environment("registration-processor")
        known = dict(_PAIR.findall(environment.value(key) or ""))
        needed = {wanted.birth_process: "NEW", wanted.death_process: "UPDATE"}
        wrong = [process for process, category in needed.items() if known.get(process) != category]
        if not wrong:
            return Verdict(True, f"{key} maps {_and(wanted.processes)}")
        text = "{" + ",".join(f"'{process}':'{category}'" for process, category in {**known, **needed}.items()) + "}"
        file = _home(environment, key, checkout.file("registration-processor"))
        evidence = "; ".join(f"{key} does not map {process} to {needed[process]}" for process in wrong)
        return Verdict(False, evidence, (property_line(file, key, text),))

    return judge


def mandatory_attributes(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
    """Judge whether MOSIP knows which attributes each process must have (§10.2). Which ones is the country's choice."""
    environment = checkout.environment("registration-processor")
    keys = [MANDATORY + process.lower() for process in wanted.processes]
    missing = {key: ["IDSchemaVersion", "UIN"] for key in keys if not environment.items(key)}
    return _listing(environment, keys, missing, file=checkout.file(EVERYBODY))


def routes_listed(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
    """Judge whether the routes of both processes are among the active ones (§10.2)."""
    environment = checkout.environment("registration-processor")
    missing = [process for process in wanted.processes if not _active_routes(checkout, environment, process)]
    files = [(_files_with_routes(checkout, process) or [_route_file(checkout, process)])[0] for process in missing]
    return _listing(environment, [FLOWS], {FLOWS: files} if files else {})


def routes_present(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
    """Judge whether the active route files of both processes are in the checkout and begin where the trigger does."""
    environment = checkout.environment("registration-processor")
    problems = []
    for process in wanted.processes:
        names = _active_routes(checkout, environment, process) or [_route_file(checkout, process)]
        if not any(_has_route(checkout, name, process) for name in names):
            problems.append(f"{', '.join(names)}: not in the folder, or no route of {process} after packet validation")
    return Verdict(not problems, "; ".join(problems) or f"routes of {_and(wanted.processes)} are in the folder")


def _listing(
    environment: Environment,
    keys: Sequence[str],
    lacking: Mapping[str, Sequence[str]],
    usual: Sequence[str] = (),
    file: str = "",
) -> Verdict:
    if not lacking:
        places = [f"{found.place}: {key}" for key in keys if (found := environment.definition(key))]
        return Verdict(True, "; ".join(places))
    lines = [environment.extension(key, items, usual=usual, file=file) for key, items in lacking.items()]
    said = []
    for key, items in lacking.items():
        found = environment.definition(key)
        said.append(f"{found.place}: {key} lacks {_and(items)}" if found else f"{key} is not set")
    return Verdict(False, "; ".join(said), tuple(dict.fromkeys(lines)))


def _has(environment: Environment, key: str, client: str) -> bool:
    """MOSIP compares ``azp`` with the list regardless of case (§0.1)."""
    return _named(client, environment.items(key))


def _named(name: str, names: Sequence[str]) -> bool:
    return name.casefold() in {other.casefold() for other in names}


def _union(known: Sequence[str], more: Sequence[str]) -> list[str]:
    return [*known, *(name for name in more if not _named(name, known))]


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)


def _home(environment: Environment, key: str, otherwise: str) -> str:
    found = environment.definition(key)
    return found.file if found else otherwise


def _parts(environment: Environment, entry: Definition) -> dict[str, list[str]]:
    """Read ``source:A|B,process:P|Q,classname:x``."""
    parts: dict[str, list[str]] = {"source": [], "process": [], "classname": []}
    for part in split(environment.resolve(entry.value)):
        name, _, values = part.partition(":")
        if name in parts:
            parts[name] = [value.strip() for value in values.split("|") if value.strip()]
    return parts


def _route_file(checkout: Checkout, process: str) -> str:
    """Name the file as MOSIP ships it; the one of births is for infants."""
    infant = "infant-" if process.upper().endswith("_NEW") else ""
    return f"registration-processor-camel-routes-{infant}{process.lower()}-{checkout.profile}.xml"


def _active_routes(checkout: Checkout, environment: Environment, process: str) -> list[str]:
    # A name counts too, so that a listed file that is missing is told as that; opencrvs_new is another process.
    named = re.compile(rf"(?<![a-z]){re.escape(process.lower())}(?![a-z])")
    return [name for name in environment.items(FLOWS) if named.search(name) or _has_route(checkout, name, process)]


def _files_with_routes(checkout: Checkout, process: str) -> list[str]:
    return [name for name in checkout.names("*camel-routes*.xml") if _has_route(checkout, name, process)]


def _has_route(checkout: Checkout, name: str, process: str) -> bool:
    # The trigger enters at packet validation, so what counts is the route that takes its result on.
    return f"eventbus://packet-validator-{process.lower()}-bus-out" in (checkout.text(name) or "")
