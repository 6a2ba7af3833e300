"""What is right in the JSON files of mosip-config: credential partners, identity mapping, ways to authenticate."""

from __future__ import annotations

import json
from typing import Any

from mosip_crvs.onboarding.checkout import Checkout, UnreadableFile
from mosip_crvs.onboarding.config_rules import Verdict, WantedConfiguration
from mosip_crvs.onboarding.properties import ConfigLine

PROFILES = "mosip.registration.processor.credential.partner-profiles"
DEFAULT_PARTNERS = "mosip.registration.processor.credential.default.partner-ids"
KNOWLEDGE = "mosip:idp:acr:knowledge"

_REGPROC = "registration-processor"
_PARTNERS_FILE = "registration-processor-credential-partners.json"
_MAPPING_FILE = "identity-mapping.json"
_ACR_FILE = "amr-acr-mapping.json"


def credential_partner(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
    """Judge whether some entry requests the partner's credential for births (``mosip-onboarding.md`` §7)."""
    name, partners = _partners(checkout)
    usable = [entry for entry in partners if not _faults(entry, wanted)]
    if usable:
        evidence = f"{name}: entry {usable[0]['id']}"
        if not usable[0].get("appIdBasedCredentialIdSuffix"):
            evidence += " (without appIdBasedCredentialIdSuffix: the request's id cannot be foreseen)"
        return Verdict(True, evidence)
    entry = _mended(partners, wanted)
    old = next((known for known in partners if known.get("id") == entry["id"]), None)
    evidence = "; ".join(_faults(old, wanted)) if old else f"no entry for {wanted.birth_process}"
    line = ConfigLine(name, json.dumps(entry), under="partners")
    return Verdict(False, f"{name}: {evidence} (partner {wanted.partner_id})", (line,))


def default_partner(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
    """Judge whether the partner's entry is among those that are used without a condition (§7)."""
    environment = checkout.environment(_REGPROC)
    _, partners = _partners(checkout)
    usable = [entry["id"] for entry in partners if not _faults(entry, wanted)]
    ids = usable or [_mended(partners, wanted)["id"]]
    if set(ids) & set(environment.items(DEFAULT_PARTNERS)):
        return Verdict(True, f"{DEFAULT_PARTNERS} names the partner's entry")
    line = environment.extension(DEFAULT_PARTNERS, ids[:1])
    return Verdict(False, f"{DEFAULT_PARTNERS} does not name {ids[0]}", (line,))


def identity_mapping(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
    """Judge whether the registration processor can find the fields of a death (§10.1)."""
    identity = _object(checkout.json(_MAPPING_FILE), "identity")
    missing = [name for name in wanted.death_fields if not _object(identity, name).get("value")]
    lines = [
        ConfigLine(_MAPPING_FILE, f"{json.dumps(name)}: {json.dumps({'value': name})}", under="identity")
        for name in missing
    ]
    evidence = f"identity lacks {', '.join(missing)}" if missing else f"identity has {', '.join(wanted.death_fields)}"
    return Verdict(not missing, f"{_MAPPING_FILE}: {evidence}", tuple(lines))


def knowledge_known(checkout: Checkout, wanted: WantedConfiguration) -> Verdict:
    """Judge whether an informant may prove who they are by what they know (§8)."""
    content = checkout.json(_ACR_FILE)
    methods, contexts = _object(content, "amr"), _object(content, "acr_amr")
    known = [name for name, kinds in methods.items() if _is_knowledge(kinds)]
    mapped = _names(contexts.get(KNOWLEDGE))
    if set(known) & set(mapped):
        return Verdict(True, f"{_ACR_FILE}: {KNOWLEDGE} is mapped")
    lines = [] if known else [ConfigLine(_ACR_FILE, '"KBI": [{"type": "KBI"}]', under="amr")]
    entry = f"{json.dumps(KNOWLEDGE)}: {json.dumps((known or ['KBI'])[:1])}"
    lines.append(ConfigLine(_ACR_FILE, entry, under="acr_amr"))
    return Verdict(False, f"{_ACR_FILE}: {KNOWLEDGE} is not mapped to a method of type KBI", tuple(lines))


def _partners(checkout: Checkout) -> tuple[str, list[dict[str, Any]]]:
    name = (checkout.environment(_REGPROC).value(PROFILES) or _PARTNERS_FILE).strip()
    partners = checkout.json(name).get("partners")
    if not isinstance(partners, list) or not all(isinstance(entry, dict) for entry in partners):
        raise UnreadableFile(f"{name} has no list of partners")
    return name, partners


def _faults(entry: dict[str, Any], wanted: WantedConfiguration) -> list[str]:
    """Say why an entry does not request the wanted credential for births. An entry without processes is for all."""
    faults = []
    if not isinstance(entry.get("id"), str) or not entry["id"]:
        faults.append("the entry has no id")
    if entry.get("partnerId") != wanted.partner_id:
        faults.append("the entry is another partner's")
    if entry.get("credentialType") != wanted.credential_type:
        misspelt = " (it is spelt type, which MOSIP ignores)" if entry.get("type") else ""
        faults.append(f"credentialType is not {wanted.credential_type}{misspelt}")
    if entry.get("process") is not None and wanted.birth_process not in _names(entry["process"]):
        faults.append(f"process lacks {wanted.birth_process}")
    return faults


def _mended(partners: list[dict[str, Any]], wanted: WantedConfiguration) -> dict[str, Any]:
    """Write the entry that is needed: our own mended, or a new one. An entry of another way of working is left alone.

    ``type`` is dropped from what is mended: nobody reads it.
    """
    name = f"{wanted.source.lower()}Partner"
    ours = [entry for entry in partners if _is_ours(entry, name, wanted)]
    mended = {key: value for key, value in ours[0].items() if key != "type"} if ours else {}
    taken = [entry.get("id") for entry in partners]
    while not mended and name in taken:
        name += "2"
    new: dict[str, Any] = {
        "id": name,
        "partnerId": wanted.partner_id,
        "credentialType": wanted.credential_type,
        "template": "RPR_UIN_CARD_TEMPLATE",
        "appIdBasedCredentialIdSuffix": f"-{wanted.source}",
        "process": None if mended else [],
        "metaInfoFields": None,
    }
    entry = {**new, **mended, "credentialType": wanted.credential_type}
    if entry["process"] is not None:
        entry["process"] = list(dict.fromkeys([*_names(entry["process"]), wanted.birth_process]))
    return entry


def _is_ours(entry: dict[str, Any], name: str, wanted: WantedConfiguration) -> bool:
    if not isinstance(entry.get("id"), str) or not entry["id"] or entry.get("partnerId") != wanted.partner_id:
        return False
    return entry["id"] == name or any(process in _names(entry.get("process")) for process in wanted.processes)


def _is_knowledge(kinds: object) -> bool:
    """Say whether a method is the knowledge-based one; older releases of eSignet call the type KBA."""
    return any(isinstance(kind, dict) and kind.get("type") in {"KBI", "KBA"} for kind in _list(kinds))


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    child = parent.get(name)
    return child if isinstance(child, dict) else {}


def _names(value: object) -> list[str]:
    return [name for name in _list(value) if isinstance(name, str)]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
