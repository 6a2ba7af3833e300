"""createPacket answers as the released packet manager was seen to answer (mosip-packets.md §1.2-1.9)."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from sandbox_calls import CREATE, Caller
from sandbox_samples import IDENTITY, REMOVE, birth, changed, death, new_aid, words

PACKETS, NULL, UNKNOWN, BAD, BROKEN = "packets", "null", "KER-PUT-006", "400", "500"
DOCUMENT = {"document": base64.b64encode(b"scan").decode(), "value": "x", "type": "RNC", "format": "pdf"}
BAD_CATEGORY = json.dumps(
    {"properties": {"identity": {"properties": {"a": {"type": "string", "fieldCategory": "secret"}}}}}
)

VARIANTS: list[tuple[str, tuple[Any, ...], str]] = [
    ("a complete body", (), PACKETS),
    ("no refId", ("request", "refId", REMOVE), NULL),
    ("an empty refId", ("request", "refId", ""), NULL),
    ("any refId", ("request", "refId", "1_2"), PACKETS),
    ("a refId without machine", ("request", "refId", "10001"), PACKETS),
    ("no schemaVersion", ("request", "schemaVersion", REMOVE), NULL),
    ("a schemaVersion in words", ("request", "schemaVersion", "latest"), NULL),
    ("a schemaVersion as a number", ("request", "schemaVersion", 0.1), PACKETS),
    ("no schemaJson", ("request", "schemaJson", REMOVE), NULL),
    ("a malformed schemaJson", ("request", "schemaJson", "{"), NULL),
    ("a schema without identity", ("request", "schemaJson", "{}"), NULL),
    ("a schema with an unknown category", ("request", "schemaJson", BAD_CATEGORY), NULL),
    ("no audits", ("request", "audits", REMOVE), NULL),
    ("audits null", ("request", "audits", None), NULL),
    ("an empty list of audits", ("request", "audits", []), NULL),
    ("an empty audit", ("request", "audits", [{}]), PACKETS),
    ("an unknown process", ("request", "process", "CRVS_FRAUD"), UNKNOWN),
    ("CRVS_UPDATE with the default providers", ("request", "process", "CRVS_UPDATE"), UNKNOWN),
    ("an unknown source", ("request", "source", "REGISTRY"), UNKNOWN),
    ("no process", ("request", "process", REMOVE), BROKEN),
    ("no source", ("request", "source", REMOVE), BROKEN),
    ("no request", ("request", REMOVE), BROKEN),
    ("the documentation's ref_id", ("request", "ref_id", "10001_10077"), BAD),
    ("the documentation's schema_version", ("request", "schema_version", "0.1"), BAD),
    ("the documentation's audit", ("request", "audit", []), BAD),
    ("an object as a field's value", ("request", "fields", "fullName", {"language": "eng"}), BAD),
    ("an array as a field's value", ("request", "fields", "fullName", [{"language": "eng"}]), BAD),
    ("a number as a field's value", ("request", "fields", "postalCode", 14022), PACKETS),
    ("a boolean as a field's value", ("request", "fields", "preferredLang", True), PACKETS),
    ("an object as a metaInfo value", ("request", "metaInfo", "metaData", {"a": 1}), BAD),
    ("an array as a metaInfo value", ("request", "metaInfo", "metaData", []), BAD),
    ("requesttime with milliseconds", ("requesttime", "2025-02-25T11:14:17.667Z"), PACKETS),
    ("requesttime with seconds", ("requesttime", "2025-02-25T11:14:17Z"), PACKETS),
    ("requesttime without zone", ("requesttime", "2025-02-25T11:14:17.667"), PACKETS),
    ("requesttime with microseconds", ("requesttime", "2025-02-25T11:14:17.667123Z"), PACKETS),
    ("an empty requesttime", ("requesttime", ""), PACKETS),
    ("requesttime null", ("requesttime", None), PACKETS),
    ("no requesttime", ("requesttime", REMOVE), PACKETS),
    ("requesttime with an offset", ("requesttime", "2025-02-25T11:14:17+02:00"), BAD),
    ("requesttime without seconds", ("requesttime", "2025-02-25T11:14"), PACKETS),
    ("requesttime without seconds but with Z", ("requesttime", "2025-02-25T11:14Z"), BAD),
    ("a date as requesttime", ("requesttime", "2025-02-25"), BAD),
    ("requesttime with a blank", ("requesttime", "2025-02-25 11:14:17Z"), BAD),
    ("requesttime as a number", ("requesttime", 1740482057), BAD),
    ("requesttime in a thirteenth month", ("requesttime", "2025-13-25T11:14:17Z"), BAD),
    ("no id", ("request", "id", REMOVE), PACKETS),
    ("no fields", ("request", "fields", REMOVE), PACKETS),
    ("empty fields", ("request", "fields", {}), PACKETS),
    ("no metaInfo", ("request", "metaInfo", REMOVE), PACKETS),
    ("no operationsData", ("request", "metaInfo", "operationsData", REMOVE), PACKETS),
    ("an envelope without id", ("id", REMOVE), PACKETS),
    ("an envelope without version", ("version", REMOVE), PACKETS),
    ("a source in part", ("request", "source", "CRVS"), PACKETS),
    ("a source in lower case", ("request", "source", "crvs1"), PACKETS),
    ("a document", ("request", "documents", {"proofOfIdentity": DOCUMENT}), PACKETS),
    ("a document that is not base64", ("request", "documents", {"proofOfIdentity": {"document": "a_b"}}), BAD),
    ("a document with an unknown property", ("request", "documents", {"proofOfIdentity": {"docType": "x"}}), BAD),
    ("ten thousand characters", ("request", "fields", "preferredLang", "x" * 10_000), PACKETS),
    ("a date with dashes", ("request", "fields", "dateOfBirth", "2025-01-01"), PACKETS),
]


@pytest.mark.parametrize(("change", "expected"), [pytest.param(c, e, id=name) for name, c, e in VARIANTS])
async def test_create_packet_answers_this_variant_as_mosip_does(
    mosip: Caller, change: tuple[Any, ...], expected: str
) -> None:
    body = birth(new_aid())
    status, answer, _ = await mosip.create(changed(body, *change) if change else body)
    if expected == PACKETS:
        assert (status, answer["errors"]) == (200, [])
        assert [info["packetName"].rpartition("_")[2] for info in answer["response"]] == ["evidence", "optional", "id"]
    elif expected == NULL:
        assert (status, answer["response"], answer["errors"]) == (200, None, [])
    elif expected == UNKNOWN:
        assert (status, answer["response"], answer["errors"][0]["errorCode"]) == (200, None, "KER-PUT-006")
    else:
        assert status == int(expected)
        assert set(answer) == {"timestamp", "status", "error", "message", "path"}
        assert answer["path"] == CREATE


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff"], ids=["empty", "cut", "list", "null", "not utf-8"]
)
async def test_a_malformed_body_is_a_400(mosip: Caller, body: bytes) -> None:
    assert (await mosip.create(body))[0] == 400


async def test_post_instead_of_put_is_a_405(mosip: Caller) -> None:
    status, answer, _ = await mosip.call("POST", CREATE, birth(new_aid()))
    assert (status, answer["error"]) == (405, "Method Not Allowed")


async def test_the_packet_infos_have_the_shapes_of_the_released_service(mosip: Caller) -> None:
    aid = new_aid()
    info = (await mosip.create(birth(aid)))[1]["response"][2]
    assert (info["id"], info["packetName"], info["source"], info["process"]) == (aid, f"{aid}_id", "CRVS1", "CRVS_NEW")
    assert (info["schemaVersion"], info["providerName"], info["providerVersion"]) == ("0.1", "PacketWriterImpl", "v1.0")
    assert len(base64.urlsafe_b64decode(info["signature"] + "==")) == 256
    assert len(base64.urlsafe_b64decode(info["encryptedHash"] + "=")) == 32


async def test_sub_packets_exist_only_for_categories_that_the_schema_uses(mosip: Caller) -> None:
    identity = {"properties": {"fullName": IDENTITY["properties"]["fullName"]}}
    body = changed(birth(new_aid()), "request", "schemaJson", json.dumps({"properties": {"identity": identity}}))
    infos = (await mosip.create(body))[1]["response"]
    assert [info["packetName"].rpartition("_")[2] for info in infos] == ["id"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("Almaz", "Almaz"), ("  blanks  ", "  blanks  "), ("a\u0000b", "a\u0000b"), ("a\nb", "a\nb"), ("007", "007"),
        ("1e5", "1e5"), ("true", "true"), ("<b>", "<b>"), ("👶", "👶"), ("ሰላም", "ሰላም"), ("O'Neil", "O'Neil"),
        ("a{b", "a{b"), ("", None), ("   ", None), (",x", None), (":x", None), ("]x", None), ("}x", None),
        ("/x", None), ("\\x", None), (";x", None), ("=x", None), ("#x", None), ("[x", None), ("{x", None),
        ("'Abd", None), ('"q', None), ('"Al" Amin', 'Al" Amin'), ("'Al' Amin", "'Al' Amin"),
        ("[1,2] junk", "[1,2]"), ('{"a":1}}', '{"a":1}'), ('["phone"]', '["phone"]'),
        ("[{'language':'eng','value':'A'}]", '[{"language":"eng","value":"A"}]'),
        (12, "12"), (1e5, "100000.0"), (True, "true"), (None, None),
    ],
)  # fmt: skip
async def test_a_string_reads_back_as_the_tokener_left_it(mosip: Caller, sent: Any, read: str | None) -> None:
    aid = new_aid()
    assert (await mosip.create(birth(aid, preferredLang=sent)))[1]["response"]
    assert await mosip.field(aid, "preferredLang") == read


async def test_a_field_that_the_schema_does_not_know_is_silently_not_written(mosip: Caller) -> None:
    aid = new_aid()
    assert (await mosip.create(birth(aid, state=words("Karnataka"))))[1]["response"]
    assert await mosip.field(aid, "state") is None


async def test_the_schema_version_reads_back_as_a_number(mosip: Caller) -> None:
    aid = new_aid()
    await mosip.create(birth(aid))
    assert await mosip.field(aid, "IDSchemaVersion") == "0.1"


async def test_the_server_overwrites_registration_id_and_creation_date(mosip: Caller) -> None:
    aid = new_aid()
    await mosip.create(birth(aid))
    meta = (await mosip.read("/metaInfo", id=aid, process="CRVS_NEW", bypassCache=True))["fields"]
    assert meta["registrationId"] == aid
    assert meta["creationDate"].endswith("Z")
    assert json.loads(meta["metaData"])[0] == {"label": "registrationType", "value": "CRVS_NEW"}


async def test_the_same_aid_again_overwrites_the_whole_packet(mosip: Caller) -> None:
    aid = new_aid()
    await mosip.create(birth(aid, postalCode="14022"))
    await mosip.create(birth(aid, fullName=words("Other Name")))
    assert await mosip.field(aid, "postalCode") is None
    assert "Other Name" in await mosip.field(aid, "fullName")
    assert mosip.sandbox.record.applications[aid].creates_accepted == 2


async def test_of_two_calls_for_one_aid_at_once_one_answers_null_and_their_contents_merge(start: Any) -> None:
    mosip = await start(create_seconds=0.05)
    aid = new_aid()
    first, second = birth(aid, fullName=words("First")), birth(aid, fullName=words("Second"), postalCode="14022")
    one = asyncio.create_task(mosip.create(first))
    await asyncio.sleep(0.02)
    two = asyncio.create_task(mosip.create(second))
    answers = [(await task)[1]["response"] for task in (one, two)]
    assert sorted(answer is None for answer in answers) == [False, True]
    assert "First" in await mosip.field(aid, "fullName")
    assert await mosip.field(aid, "postalCode") == "14022"


async def test_a_packet_under_a_source_in_part_answers_fields_but_not_meta_info(mosip: Caller) -> None:
    aid = new_aid()
    await mosip.create(changed(birth(aid), "request", "source", "CRVS"))
    assert await mosip.field(aid, "fullName") is not None
    assert await mosip.read("/metaInfo", id=aid, process="CRVS_NEW", bypassCache=True) is None
    assert await mosip.read("/validatePacket", id=aid, process="CRVS_NEW") is None


VALIDITY: list[tuple[str, dict[str, Any], bool]] = [
    ("complete", {}, True),
    ("without phone and addressLine3, which the schema requires but the process does not", {}, True),
    ("a date with dashes", {"dateOfBirth": "2025-01-01"}, False),
    ("gender as plain text", {"gender": "Female"}, False),
    ("a phone against its regex", {"phone": "12"}, False),
    ("an e-mail against its regex", {"email": "nobody"}, False),
    ("a valid phone", {"phone": "9876543210"}, True),
    ("no region", {"region": REMOVE}, False),
    ("no gender", {"gender": REMOVE}, False),
    ("a name that vanished", {"fullName": ""}, False),
    ("a name too short for a rule that does not count beside $ref", {"fullName": words("A")}, True),
    ("a name with a third key", {"fullName": '[{"language":"eng","value":"A","x":"y"}]'}, False),
    ("the same name twice", {"fullName": '[{"language":"e","value":"A"},{"language":"e","value":"A"}]'}, False),
    ("a postal code in lower case, which Java's class refuses", {"postalCode": "abcde"}, False),
    ("a postal code in capitals", {"postalCode": "ABCDE"}, True),
    ("text where a string was turned into a structure", {"preferredLang": "[1]"}, False),
]


@pytest.mark.parametrize(("fields", "valid"), [pytest.param(f, v, id=name) for name, f, v in VALIDITY])
async def test_validate_packet_gives_mosips_verdict(mosip: Caller, fields: dict[str, Any], valid: bool) -> None:
    aid = new_aid()
    await mosip.create(birth(aid, **fields))
    assert await mosip.read("/validatePacket", id=aid, process="CRVS_NEW") == {"valid": valid}


async def test_a_death_of_four_fields_is_valid(mosip: Caller) -> None:
    aid = new_aid()
    await mosip.create(death(aid, typeOfDeath="Natural"))
    assert await mosip.read("/validatePacket", id=aid, process="CRVS_DEATH") == {"valid": True}


@pytest.mark.parametrize(
    ("path", "status"), [("/searchFields", 500), ("/metaInfo", 500), ("/audits", 500), ("/searchField", 200)]
)
async def test_bypass_cache_left_out_is_a_500_where_it_is_unboxed(mosip: Caller, path: str, status: int) -> None:
    aid = new_aid()
    await mosip.create(birth(aid))
    asked = {"request": {"id": aid, "process": "CRVS_NEW", "field": "fullName", "fields": ["fullName"]}}
    assert (await mosip.call("POST", "/commons/v1/packetmanager" + path, asked, token=mosip.regproc))[0] == status


async def test_info_and_audits_tell_what_is_stored(mosip: Caller) -> None:
    aid = new_aid()
    await mosip.create(changed(birth(aid), "request", "documents", {"proofOfIdentity": DOCUMENT}))
    info = (await mosip.read("/info", id=aid))["info"][0]
    assert (info["source"], info["process"], info["documents"]) == ("CRVS1", "CRVS_NEW", {"proofOfIdentity": "RNC"})
    assert "fullName" in info["demographics"]
    audits = await mosip.read("/audits", id=aid, process="CRVS_NEW", bypassCache=False)
    assert audits[0]["fields"]["eventId"] == "REG-EVT-066"
