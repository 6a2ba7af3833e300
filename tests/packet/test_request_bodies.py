"""The bodies of createPacket and of the trigger, field for field, as MOSIP takes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosip_crvs.identity import schema
from mosip_crvs.packet.request import PacketRequests, Registrar

INCLUDE = Path(__file__).resolve().parents[2] / "include"
SCHEMA_FILE = INCLUDE / "schemas" / "id-schema.json"
REGISTRAR = Registrar("10001", "20002", "officer-7", source="CRVS1")
AID = "10001200020004220261124103015"
NOW = "2026-11-24T10:30:15.123Z"
IDENTITY: dict[str, Any] = {
    "IDSchemaVersion": 0.1,
    "fullName": [{"language": "eng", "value": "Amina Tazi"}, {"language": "ara", "value": "أمينة التازي"}],
    "dateOfBirth": "2026/11/20",
    "phone": "6123456789",
}


SCHEMAS = {process: schema.load(SCHEMA_FILE, process) for process in ("CRVS_NEW", "CRVS_DEATH")}


def _requests(process: str = "CRVS_NEW", registrar: Registrar = REGISTRAR) -> PacketRequests:
    return PacketRequests(registrar, SCHEMAS[process], process)


BIRTHS = _requests()


def _packet(identity: dict[str, Any] = IDENTITY, requests: PacketRequests = BIRTHS) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(requests.create_packet(AID, identity, NOW))
    return body


def _labels(text: str) -> dict[str, str]:
    entries = json.loads(text)
    assert all(set(entry) == {"label", "value"} for entry in entries)
    assert len({entry["label"] for entry in entries}) == len(entries)
    return {entry["label"]: entry["value"] for entry in entries}


def test_the_envelope_is_the_packet_writers() -> None:
    body = _packet()
    assert {name: body[name] for name in body if name != "request"} == {
        "id": "mosip.registration.packet.writer",
        "version": "v1",
        "requesttime": NOW,
    }


def test_the_request_has_the_fields_that_the_packet_manager_knows_and_no_other() -> None:
    request = _packet()["request"]
    assert {name: type(value) for name, value in request.items()} == {
        "id": str, "offlineMode": bool, "refId": str, "process": str, "source": str, "schemaVersion": str,
        "schemaJson": str, "fields": dict, "metaInfo": dict, "audits": list,
    }  # fmt: skip
    assert request["id"] == AID
    assert request["offlineMode"] is False
    assert request["refId"] == "10001_20002"
    assert (request["process"], request["source"], request["schemaVersion"]) == ("CRVS_NEW", "CRVS1", "0.1")


def test_the_schema_travels_whole() -> None:
    assert json.loads(_packet()["request"]["schemaJson"]) == json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def test_every_field_is_a_string_and_a_structure_is_its_json() -> None:
    fields = _packet()["request"]["fields"]
    assert all(isinstance(value, str) for value in fields.values())
    assert fields["dateOfBirth"] == "2026/11/20"
    assert json.loads(fields["fullName"]) == IDENTITY["fullName"]


def test_the_schema_version_is_not_a_field_because_mosip_adds_it() -> None:
    assert "IDSchemaVersion" not in _packet()["request"]["fields"]
    assert set(_packet()["request"]["fields"]) == set(IDENTITY) - {"IDSchemaVersion"}


def test_the_meta_info_is_strings_with_the_labels_that_the_registration_processor_needs() -> None:
    meta = _packet()["request"]["metaInfo"]
    assert all(isinstance(value, str) for value in meta.values())
    assert set(meta) == {"metaData", "operationsData", "capturedRegisteredDevices", "registrationId"}
    assert _labels(meta["metaData"]) == {"registrationType": "CRVS_NEW", "centerId": "10001", "machineId": "20002"}
    operations = _labels(meta["operationsData"])
    assert operations["officerId"] == "officer-7"
    assert operations["officerPassword"] == "true"
    assert all(isinstance(value, str) for value in operations.values())
    assert json.loads(meta["capturedRegisteredDevices"]) == []
    assert meta["registrationId"] == AID


def test_no_supervisor_is_spoken_of() -> None:
    assert "supervisor" not in json.dumps(_packet()).lower().replace("supervisor_bio", "")


def test_there_is_one_audit_of_strings_that_names_the_application() -> None:
    (audit,) = _packet()["request"]["audits"]
    assert all(isinstance(value, str) for value in audit.values())
    assert audit["id"] == AID
    assert audit["createdAt"] == audit["actionTimeStamp"] == NOW
    assert audit["createdBy"] == "officer-7"
    assert len(audit["uuid"]) == 36
    assert audit["uuid"].replace("-", "").endswith(AID)


def test_a_death_is_sent_with_its_own_process_everywhere() -> None:
    deaths = _requests("CRVS_DEATH")
    request = _packet({"UIN": "2169305392"}, deaths)["request"]
    assert request["process"] == "CRVS_DEATH"
    assert _labels(request["metaInfo"]["metaData"])["registrationType"] == "CRVS_DEATH"
    assert json.loads(deaths.trigger(AID, NOW))["request"]["process"] == "CRVS_DEATH"
    assert request["fields"] == {"UIN": "2169305392"}


def test_the_trigger_says_exactly_this_and_names_nobody() -> None:
    assert json.loads(BIRTHS.trigger(AID, NOW)) == {
        "id": "mosip.registration.processor.workflow.instance",
        "version": "v1",
        "requesttime": NOW,
        "request": {
            "registrationId": AID,
            "process": "CRVS_NEW",
            "source": "CRVS1",
            "additionalInfoReqId": "",
            "notificationInfo": {"name": "", "phone": "", "email": ""},
        },
    }


def test_the_same_input_gives_the_same_bytes() -> None:
    assert BIRTHS.create_packet(AID, IDENTITY, NOW) == _requests().create_packet(AID, dict(IDENTITY), NOW)
    assert BIRTHS.trigger(AID, NOW) == _requests().trigger(AID, NOW)


def test_a_repeated_packet_differs_in_nothing_but_its_time() -> None:
    later = "2026-11-25T00:00:00.000Z"
    again = BIRTHS.create_packet(AID, IDENTITY, later)
    assert again.replace(later.encode(), NOW.encode()) == BIRTHS.create_packet(AID, IDENTITY, NOW)


def test_two_applications_share_nothing_but_the_constants() -> None:
    other = AID[:-1] + "6"
    body = BIRTHS.create_packet(other, IDENTITY, NOW)
    assert AID.encode() not in body
    assert json.loads(body)["request"]["audits"][0]["uuid"] != _packet()["request"]["audits"][0]["uuid"]


def test_bodies_are_utf8_without_escapes_of_letters() -> None:
    assert "أمينة التازي".encode() in BIRTHS.create_packet(AID, IDENTITY, NOW)


texts = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ['"', "\\", '\\"', '"}],"x":"', "\n\r\t", "\\u0041", "\\n", "</script>", "👶", "\x00\x1f\x7f", "\u2028"]
    ),
    st.lists(st.sampled_from(["ዮሐንስ", "أمينة", "क्\u200dष", "李小龍", '"', "\\", "\n", " "]), max_size=6).map("".join),
)
localized = st.lists(st.fixed_dictionaries({"language": texts, "value": texts}), min_size=1, max_size=3)


@settings(max_examples=400, deadline=None)
@given(identity=st.dictionaries(st.text(max_size=10), st.one_of(texts, localized), max_size=5))
def test_every_value_survives_being_written_twice(identity: dict[str, Any]) -> None:
    identity.pop("IDSchemaVersion", None)
    fields = _packet(identity)["request"]["fields"]
    assert all(isinstance(value, str) for value in fields.values())
    assert {
        name: fields[name] if isinstance(value, str) else json.loads(fields[name]) for name, value in identity.items()
    } == identity
    assert set(fields) == set(identity)


@settings(max_examples=100, deadline=None)
@given(officer=texts, source=texts)
def test_what_an_operator_configured_survives_too(officer: str, source: str) -> None:
    requests = _requests(registrar=Registrar("10001", "20002", officer, source))
    request = _packet(requests=requests)["request"]
    assert request["source"] == source
    assert _labels(request["metaInfo"]["operationsData"])["officerId"] == officer
    assert request["audits"][0]["sessionUserId"] == officer
    assert json.loads(requests.trigger(AID, NOW))["request"]["source"] == source


@pytest.mark.parametrize("aid", ["1234567890", AID, "9" * 40])
def test_an_aid_of_any_length_makes_a_uuid(aid: str) -> None:
    audit = json.loads(BIRTHS.create_packet(aid, IDENTITY, NOW))["request"]["audits"][0]
    assert [len(part) for part in audit["uuid"].split("-")] == [8, 4, 4, 4, 12]
