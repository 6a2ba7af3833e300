"""A checkout of mosip-config: a good one passes, a break is found by its own check, and the printed lines mend it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mosip_crvs.onboarding.configuration import (
    CHECKS,
    ConfigFinding,
    ConfigLine,
    ConfigStatus,
    WantedConfiguration,
    check_configuration,
)
from mosip_crvs.onboarding.properties import parse

WANTED = WantedConfiguration(partner_id="registry", subscriber_client="registry", credential_type="birthproof")
APPLICATION, KERNEL, PACKETS = "application-default.properties", "kernel-default.properties", "packet-manager-default"
PACKETS += ".properties"
REGPROC, PMS = "registration-processor-default.properties", "partner-management-default.properties"
SHARE, ACR = "data-share-default.properties", "amr-acr-mapping.json"
PARTNERS, MAPPING = "registration-processor-credential-partners.json", "identity-mapping.json"
BIRTH_ROUTE = "registration-processor-camel-routes-infant-crvs_new-default.xml"
DEATH_ROUTE = "registration-processor-camel-routes-crvs_death-default.xml"
AUDIENCE = "auth.server.admin.allowed.audience"
ATTRIBUTES = "mosip.kernel.idobjectvalidator.mandatory-attributes.reg-processor"

GOOD = {
    APPLICATION: rf"""
packetmanager.default.priority=source:DESK\/process:NEW|LOST,source:CRVS1\/process:CRVS_NEW|CRVS_DEATH
provider.packetreader.desk=source:DESK,process:NEW|LOST,classname:org.example.Reader
provider.packetreader.crvs1=source:CRVS1,process:CRVS_NEW|CRVS_DEATH,classname:org.example.Reader
provider.packetwriter.crvs1=source:CRVS1,process:CRVS_NEW|CRVS_DEATH,classname:org.example.Writer
packetmanager.packet.signature.disable-verification=false
{ATTRIBUTES}.crvs_new=IDSchemaVersion,UIN,fullName
{ATTRIBUTES}.crvs_death=IDSchemaVersion,UIN
""",
    KERNEL: f"""
db.password=hush-hush
{AUDIENCE}=${{{AUDIENCE}.kernel.override:desk-client,mosip-deployment-client}}
mosip.kernel.partner.allowed.domains=AUTH,DEVICE
""",
    PACKETS: f"""
{AUDIENCE}=desk-client,mosip-crvs1-client
mosip.role.commons-packet.putcreatepacket=REGISTRATION_PROCESSOR,ONLINE_REGISTRATION_CLIENT
""",
    PMS: f"{AUDIENCE}=desk-client,mosip-deployment-client\npmp.allowed.credential.types=auth,birthproof\n",
    SHARE: f"{AUDIENCE}=desk-client,registry\n",
    REGPROC: f"""
{AUDIENCE}=desk-client,mosip-crvs1-client
mosip.role.registration.getPostexternalstatussearch=RESIDENT,ONLINE_REGISTRATION_CLIENT
mosip.role.registration.getPostsearch=RESIDENT,ONLINE_REGISTRATION_CLIENT
camel.secure.active.flows.file.names=new.xml,{BIRTH_ROUTE},\\
    {DEATH_ROUTE}
registration.processor.main-processes=NEW,CRVS_NEW,CRVS_DEATH
registration.processor.additional-process.category-mapping={{'OTHER':'LOST','CRVS_NEW':'NEW','CRVS_DEATH':'UPDATE'}}
registration.processor.notification.additional-process.category-mapping={{'CRVS_NEW':'NEW','CRVS_DEATH':'UPDATE'}}
mosip.regproc.cmd-validator.center-validation.processes=NEW,CRVS_NEW,CRVS_DEATH
mosip.regproc.cmd-validator.machine-validation.processes=NEW,CRVS_NEW,CRVS_DEATH
mosip.regproc.cmd-validator.device-validation.processes=NEW,CRVS_NEW,CRVS_DEATH
mosip.regproc.cmd-validator.working-hour-validation-required=true
mosip.registration.processor.credential.default.partner-ids=card,registryBirths
""",
    PARTNERS: json.dumps(
        {
            "partners": [
                {"id": "card", "partnerId": "printer", "credentialType": "card", "process": None},
                {
                    "id": "registryBirths",
                    "partnerId": "registry",
                    "credentialType": "birthproof",
                    "template": "OURS",
                    "process": ["CRVS_NEW"],
                },
            ]
        }
    ),
    MAPPING: json.dumps({"identity": {name: {"value": name} for name in ("name", *WANTED.death_fields)}}),
    ACR: json.dumps({"amr": {"KBI": [{"type": "KBI"}]}, "acr_amr": {"mosip:idp:acr:knowledge": ["KBI"]}}),
    "new.xml": "<routes/>",
    BIRTH_ROUTE: '<from uri="eventbus://packet-validator-crvs_new-bus-out"/>',
    DEATH_ROUTE: '<from uri="eventbus://packet-validator-crvs_death-bus-out"/>',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with which everything works."""
    return written(tmp_path / "mosip-config")


def written(folder: Path) -> Path:
    """Write the good checkout."""
    folder.mkdir(exist_ok=True)
    for name, text in GOOD.items():
        (folder / name).write_text(text, encoding="latin-1")
    return folder


def statuses(findings: Iterable[ConfigFinding]) -> dict[str, ConfigStatus]:
    """Give what is not as it should be."""
    return {finding.id: finding.status for finding in findings if finding.status is not ConfigStatus.PASS}


def swap(folder: Path, name: str, old: str, new: str) -> None:
    """Change one place of a file."""
    text = (folder / name).read_text(encoding="latin-1")
    assert old in text, f"{name} has no {old}"
    (folder / name).write_text(text.replace(old, new), encoding="latin-1")


def paste(folder: Path, line: ConfigLine) -> None:
    """Do what a person does with a printed line: replace the key's line, or add it; put a JSON entry into its place."""
    path = folder / line.file
    text = path.read_text(encoding="latin-1")
    if not line.under:
        key = next(iter(parse("line", line.text)))
        kept = re.sub(rf"(?m)^{re.escape(key)}=.*(?:(?<=\\)\n.*)*\n?", "", text)
        path.write_text(f"{kept}\n{line.text}\n", encoding="latin-1")
        return
    content = json.loads(text)
    if isinstance(content[line.under], list):
        entry = json.loads(line.text)
        others = [other for other in content[line.under] if other["id"] != entry["id"]]
        content[line.under] = [*others, entry]
    else:
        content[line.under] |= json.loads("{" + line.text + "}")
    path.write_text(json.dumps(content), encoding="latin-1")


def test_a_good_checkout_passes_every_check(folder: Path) -> None:
    findings = check_configuration(folder, WANTED)
    assert statuses(findings) == {}
    assert [finding.id for finding in findings] == [f"CF-{number:02}" for number in range(1, len(CHECKS) + 1)]
    assert not any(finding.lines or finding.fix for finding in findings)


FAIL, WARN = ConfigStatus.FAIL, ConfigStatus.WARN
BREAKS = [
    ("CF-01", FAIL, PACKETS, ",mosip-crvs1-client", ""),
    ("CF-01", FAIL, PACKETS, f"{AUDIENCE}=", "x="),
    ("CF-01", FAIL, PACKETS, "\nmosip", f"\n{AUDIENCE}.application=desk-client\nmosip"),  # its own list counts
    ("CF-02", FAIL, REGPROC, "mosip-crvs1-client", "crvs1-client"),
    ("CF-03", FAIL, KERNEL, ",mosip-deployment-client", ""),
    ("CF-03", FAIL, KERNEL, "db.", f"{AUDIENCE}.kernel.override=desk-client\ndb."),
    ("CF-03", FAIL, APPLICATION, "packetmanager.default", f"{AUDIENCE}.kernel.override=desk\npacketmanager.default"),
    ("CF-03", FAIL, KERNEL, "db.", f"{AUDIENCE}.kernel-keymanager-service=desk-client\ndb."),
    ("CF-04", FAIL, PMS, "mosip-deployment-client", "other"),
    ("CF-05", FAIL, SHARE, ",registry", ""),
    ("CF-06", FAIL, PACKETS, ",ONLINE_REGISTRATION_CLIENT", ",ONLINE_REGISTRATION_CLIENTS"),
    ("CF-07", WARN, REGPROC, "getPostsearch=RESIDENT,ONLINE_REGISTRATION_CLIENT", "getPostsearch=RESIDENT"),
    ("CF-07", WARN, REGPROC, "mosip.role.registration.getPostsearch", "x"),
    ("CF-08", FAIL, APPLICATION, "provider.packetwriter.crvs1", "x"),
    ("CF-08", FAIL, APPLICATION, "|CRVS_DEATH,classname:org.example.Writer", ",classname:org.example.Writer"),
    ("CF-09", FAIL, APPLICATION, "CRVS1,process:CRVS_NEW|CRVS_DEATH,classname:org.example.Reader", "X,process:NEW"),
    ("CF-10", FAIL, APPLICATION, r",source:CRVS1\/process:CRVS_NEW|CRVS_DEATH", ""),
    ("CF-10", FAIL, APPLICATION, r"CRVS1\/process:CRVS_NEW|CRVS_DEATH", r"CRVS1\/process:CRVS_NEW"),
    ("CF-11", FAIL, APPLICATION, "disable-verification=false", "disable-verification=true "),
    ("CF-12", FAIL, REGPROC, f",\\\n    {DEATH_ROUTE}", ""),
    ("CF-12", FAIL, REGPROC, BIRTH_ROUTE, "registration-processor-camel-routes-opencrvs_new-default.xml"),
    ("CF-14", FAIL, REGPROC, "'LOST','CRVS_NEW':'NEW'", "'LOST','CRVS_NEW':'UPDATE'"),
    ("CF-14", FAIL, REGPROC, "registration.processor.additional-process", "x"),
    ("CF-15", WARN, REGPROC, "{'CRVS_NEW':'NEW',", "{"),
    ("CF-16", WARN, REGPROC, "main-processes=NEW,CRVS_NEW,CRVS_DEATH", "main-processes=NEW,CRVS_NEW"),
    ("CF-17", WARN, REGPROC, "device-validation.processes=NEW,CRVS_NEW,", "device-validation.processes=NEW,"),
    ("CF-19", FAIL, APPLICATION, f"{ATTRIBUTES}.crvs_death=IDSchemaVersion,UIN", f"{ATTRIBUTES}.crvs_death="),
    ("CF-20", FAIL, PARTNERS, '"credentialType": "birthproof"', '"type": "birthproof"'),
    ("CF-20", FAIL, PARTNERS, '"CRVS_NEW"', '"CRVS_DEATH"'),
    ("CF-21", FAIL, REGPROC, ",registryBirths", ""),
    ("CF-21", FAIL, REGPROC, "mosip.registration.processor.credential.default.partner-ids", "x"),
    ("CF-22", FAIL, PMS, ",birthproof", ",birthproofs"),
    ("CF-23", FAIL, KERNEL, "AUTH,", ""),
    ("CF-24", FAIL, MAPPING, '"value": "typeOfDeath"', '"value": ""'),
    ("CF-25", WARN, ACR, '["KBI"]', "[]"),
    ("CF-25", WARN, ACR, '"KBI": [', '"OTP": ['),
    ("CF-25", WARN, ACR, '"type": "KBI"', '"type": "OTP"'),
]


@pytest.mark.parametrize(("check", "status", "name", "old", "new"), BREAKS)
def test_a_break_is_found_by_its_own_check_and_the_printed_lines_mend_it(
    folder: Path, check: str, status: ConfigStatus, name: str, old: str, new: str
) -> None:
    swap(folder, name, old, new)
    findings = check_configuration(folder, WANTED)
    assert statuses(findings) == {check: status}
    [broken] = [finding for finding in findings if finding.id == check]
    assert broken.fix
    assert broken.lines
    for line in broken.lines:
        paste(folder, line)
    assert statuses(check_configuration(folder, WANTED)) == {}


def test_every_check_that_can_miss_has_a_break() -> None:
    only_told, without_lines = {"CF-18"}, {"CF-13"}
    assert {check for check, *_ in BREAKS} == {check.id for check in CHECKS} - only_told - without_lines


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.sets(st.sampled_from(BREAKS), max_size=6))
def test_any_breaks_together_are_mended_by_what_is_printed(tmp_path: Path, chosen: set[tuple[str, ...]]) -> None:
    folder = written(tmp_path / "mosip-config")
    for _, _, name, old, new in chosen:
        path = folder / name
        path.write_text(path.read_text(encoding="latin-1").replace(old, new), encoding="latin-1")
    found = check_configuration(folder, WANTED)
    assert set(statuses(found)) == {check for check, *_ in chosen}
    for line in [line for finding in found for line in finding.lines]:
        paste(folder, line)
    assert statuses(check_configuration(folder, WANTED)) == {}


def test_a_partner_that_is_nowhere_yet_gets_its_entry_and_its_name_in_one_go(folder: Path) -> None:
    (folder / PARTNERS).write_text('{"partners": []}')
    found = check_configuration(folder, WANTED)
    assert statuses(found) == {"CF-20": FAIL, "CF-21": FAIL}
    for line in [line for finding in found for line in finding.lines]:
        paste(folder, line)
    assert statuses(check_configuration(folder, WANTED)) == {}


def test_the_entry_of_another_way_of_working_is_left_alone(folder: Path) -> None:
    stock = {"id": "crvs1Partner", "partnerId": "other", "type": "x", "process": ["OPENCRVS_NEW"]}
    (folder / PARTNERS).write_text(json.dumps({"partners": [stock, {**stock, "id": "b", "partnerId": "registry"}]}))
    [line] = next(finding for finding in check_configuration(folder, WANTED) if finding.id == "CF-20").lines
    assert json.loads(line.text)["id"] not in {"crvs1Partner", "b"}
    assert json.loads(line.text)["process"] == ["CRVS_NEW"]


def test_a_mended_entry_keeps_what_it_had_and_stays_for_all_processes(folder: Path) -> None:
    entry = {"id": "crvs1Partner", "partnerId": "registry", "type": "birthproof", "template": "OURS", "process": None}
    (folder / PARTNERS).write_text(json.dumps({"partners": [entry]}))
    [line] = next(finding for finding in check_configuration(folder, WANTED) if finding.id == "CF-20").lines
    mended = json.loads(line.text)
    assert (mended["credentialType"], mended["template"], mended["process"]) == ("birthproof", "OURS", None)
    assert "type" not in mended


@pytest.mark.parametrize("name", [BIRTH_ROUTE, DEATH_ROUTE])
@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("<routes/>")])
def test_a_route_file_that_is_gone_or_leads_elsewhere_is_found(
    folder: Path, name: str, spoil: Callable[[Path], object]
) -> None:
    spoil(folder / name)
    found = check_configuration(folder, WANTED)
    assert statuses(found) == {"CF-13": FAIL}
    assert name in next(finding.evidence for finding in found if finding.id == "CF-13")


def test_a_country_may_name_its_route_files_as_it_likes(folder: Path) -> None:
    (folder / BIRTH_ROUTE).rename(folder / "naissances.xml")
    swap(folder, REGPROC, BIRTH_ROUTE, "naissances.xml")
    assert statuses(check_configuration(folder, WANTED)) == {}


def test_a_client_counts_whatever_its_case_as_it_does_in_mosip(folder: Path) -> None:
    swap(folder, PACKETS, "mosip-crvs1-client", " MOSIP-Crvs1-Client ")
    assert statuses(check_configuration(folder, WANTED)) == {}


def test_one_of_the_runtime_clients_roles_is_enough(folder: Path) -> None:
    wanted = WantedConfiguration(
        "registry", "registry", "birthproof", runtime_roles=("X", "ONLINE_REGISTRATION_CLIENT")
    )
    assert statuses(check_configuration(folder, wanted)) == {}


def test_files_of_another_profile_are_read_when_it_is_named(folder: Path) -> None:
    for path in folder.glob("*-default.properties"):
        path.rename(path.with_name(path.name.replace("-default", "-mz")))
    assert set(statuses(check_configuration(folder, WANTED)).values()) >= {ConfigStatus.SKIP}
    assert statuses(check_configuration(folder, WANTED, "mz")) == {}


def test_a_file_without_a_profile_stands_behind_those_with_one(folder: Path) -> None:
    (folder / "packet-manager.properties").write_text(f"{AUDIENCE}=nobody")
    assert statuses(check_configuration(folder, WANTED)) == {}
    swap(folder, PACKETS, f"{AUDIENCE}=", "x=")
    assert statuses(check_configuration(folder, WANTED)) == {"CF-01": FAIL}


@pytest.mark.parametrize(
    ("name", "content", "skipped"),
    [
        (SHARE, None, {"CF-05"}),
        (SHARE, b"secret=\\uhush", {"CF-05"}),
        (MAPPING, None, {"CF-24"}),
        (MAPPING, b"{hush", {"CF-24"}),
        (MAPPING, b"[]", {"CF-24"}),
        (MAPPING, b"\xff", {"CF-24"}),
        (PARTNERS, b'{"partners": {}}', {"CF-20", "CF-21"}),
        (KERNEL, None, {"CF-03", "CF-23"}),
    ],
)
def test_what_cannot_be_read_skips_its_checks_and_says_what_to_do(
    folder: Path, name: str, content: bytes | None, skipped: set[str]
) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    found = check_configuration(folder, WANTED)
    assert statuses(found) == dict.fromkeys(skipped, ConfigStatus.SKIP)
    for finding in found:
        if finding.id in skipped:
            assert name in finding.evidence
            assert "hush" not in finding.evidence
            assert "checkout" in finding.fix


def test_a_folder_where_a_file_should_be_and_no_folder_at_all_only_skip(folder: Path, tmp_path: Path) -> None:
    (folder / MAPPING).unlink()
    (folder / MAPPING).mkdir()
    assert statuses(check_configuration(folder, WANTED)) == {"CF-24": ConfigStatus.SKIP}
    findings = check_configuration(tmp_path / "nowhere", WANTED)
    assert {finding.status for finding in findings} == {ConfigStatus.SKIP}


@pytest.mark.parametrize("odd", ['{"partners": [{"id": [], "process": [{}]}]}', '{"partners": [{"id": 1}, {}]}'])
def test_odd_json_is_judged_and_does_not_stop_the_walk(folder: Path, odd: str) -> None:
    (folder / PARTNERS).write_text(odd)
    (folder / ACR).write_text('{"amr": [], "acr_amr": {"mosip:idp:acr:knowledge": [{}]}}')
    (folder / MAPPING).write_text('{"identity": {"typeOfDeath": "x"}}')
    assert set(statuses(check_configuration(folder, WANTED))) == {"CF-20", "CF-21", "CF-24", "CF-25"}


def test_no_value_of_the_configuration_is_in_what_is_said(folder: Path) -> None:
    for name in (KERNEL, PACKETS, PMS, SHARE, REGPROC):
        swap(folder, name, f"{AUDIENCE}=", "x=")
    for finding in check_configuration(folder, WANTED):
        assert "hush" not in repr(finding)
        assert "desk" not in finding.evidence
