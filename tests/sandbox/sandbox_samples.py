"""Bodies for the sandbox's tests. The people do not exist."""

from __future__ import annotations

import copy
import itertools
import json
from datetime import UTC, datetime
from typing import Any

REMOVE = object()

_DATE = r"^(19[0-9][0-9]|20[0-9][0-9])/([0][1-9]|1[0-2])/([0][1-9]|[1-2][0-9]|3[01])$"
_numbers = itertools.count(1)


def _field(kind: str, category: str, pattern: str | None = None) -> dict[str, Any]:
    named = {"$ref": f"#/definitions/{kind}"} if kind.endswith("Type") else {"type": kind}
    validators = [{"type": "regex", "validator": pattern, "arguments": []}] if pattern else []
    return named | {"fieldCategory": category, "fieldType": "default", "validators": validators}


IDENTITY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "IDSchemaVersion", "fullName", "dateOfBirth", "gender", "addressLine1", "addressLine3", "region", "province",
        "city", "zone", "phone", "email", "proofOfIdentity",
    ],
    "properties": {
        "IDSchemaVersion": _field("number", "none"),
        "UIN": _field("string", "none"),
        "fullName": _field("simpleType", "pvt", "^(?=.{3,50}$).*"),
        "dateOfBirth": _field("string", "pvt", _DATE),
        "gender": _field("simpleType", "pvt"),
        "addressLine1": _field("simpleType", "pvt"),
        "addressLine3": _field("simpleType", "pvt"),
        "region": _field("simpleType", "pvt"),
        "province": _field("simpleType", "pvt"),
        "city": _field("simpleType", "pvt"),
        "zone": _field("simpleType", "pvt"),
        "phone": _field("string", "pvt", "^[+]*([0-9]{1})([0-9]{9})$"),
        "email": _field("string", "pvt", r"^[A-Za-z0-9_\-]+@[A-Za-z0-9_-]+(\.[a-zA-Z]{2,})$"),
        "postalCode": _field("string", "pvt", "^[(?i)A-Z0-9]{5}$|^NA$"),
        "proofOfIdentity": _field("documentType", "pvt"),
        "introducerName": _field("simpleType", "evidence"),
        "introducerInfoToken": _field("string", "evidence"),
        "preferredLang": _field("string", "pvt"),
        "declaredAsDeceased": _field("string", "pvt", "^(Y|N)$"),
        "deceasedDeclarationDate": _field("string", "pvt", _DATE),
        "typeOfDeath": _field("string", "pvt"),
    },
}  # fmt: skip
SCHEMA = json.dumps({"type": "object", "properties": {"identity": IDENTITY}})


def new_aid() -> str:
    """An AID that no other test uses."""
    return f"1000110077{next(_numbers):05d}20260101093015"


def words(text: str) -> str:
    """A simpleType as the packet manager wants it: JSON in a string."""
    return json.dumps([{"language": "eng", "value": text}])


def this_year() -> str:
    """A date of birth of an infant."""
    return f"{datetime.now(UTC).year}/01/01"


def birth(aid: str, **fields: Any) -> dict[str, Any]:
    """A complete createPacket body of a birth; a field of value REMOVE is left out."""
    every = {
        "fullName": words("Almaz Bekele"),
        "dateOfBirth": this_year(),
        "gender": words("Female"),
        "addressLine1": words("House 7"),
        "region": words("North"),
        "province": words("Hill"),
        "city": words("Lake"),
        "zone": words("Zone 4"),
    } | fields
    return _body(aid, "CRVS_NEW", {name: value for name, value in every.items() if value is not REMOVE})


def death(aid: str, **fields: Any) -> dict[str, Any]:
    """A createPacket body of a death."""
    every = {"UIN": "2345678901", "declaredAsDeceased": "Y", "deceasedDeclarationDate": this_year()} | fields
    return _body(aid, "CRVS_DEATH", {name: value for name, value in every.items() if value is not REMOVE})


def _body(aid: str, process: str, fields: dict[str, Any]) -> dict[str, Any]:
    labels = {"registrationType": process, "centerId": "10001", "machineId": "10077"}
    officer = {"officerId": "crvs", "officerPassword": "true"}
    return {
        "id": "string",
        "version": "string",
        "requesttime": "2025-02-25T11:14:17.667Z",
        "request": {
            "id": aid,
            "refId": "10001_10077",
            "offlineMode": False,
            "process": process,
            "source": "CRVS1",
            "schemaVersion": "0.100",
            "schemaJson": SCHEMA,
            "fields": fields,
            "metaInfo": {
                "metaData": label_values(labels),
                "operationsData": label_values(officer),
                "capturedRegisteredDevices": "[]",
                "registrationId": "something else",
                "creationDate": "20250225110733",
            },
            "audits": [{"eventId": "REG-EVT-066", "createdBy": "crvs"}],
        },
    }


def label_values(labels: dict[str, str | None]) -> str:
    """A label/value list in a string."""
    return json.dumps([{"label": label, "value": value} for label, value in labels.items()])


def changed(body: dict[str, Any], *path_and_value: Any) -> dict[str, Any]:
    """A copy of a body with the value at a path replaced, or left out for REMOVE."""
    *path, last, value = path_and_value
    found = copy.deepcopy(body)
    inner = found
    for step in path:
        inner = inner[step]
    if value is REMOVE:
        inner.pop(last, None)
    else:
        inner[last] = value
    return found


def trigger(aid: str, process: str = "CRVS_NEW") -> dict[str, Any]:
    """A workflowinstance body."""
    return {
        "id": "mosip.registration.processor.workflow.instance",
        "version": "v1",
        "requesttime": "2025-02-25T11:14:17.667Z",
        "request": {
            "registrationId": aid,
            "process": process,
            "source": "CRVS1",
            "additionalInfoReqId": "",
            "notificationInfo": {"name": "a", "phone": "1", "email": "e"},
        },
    }
