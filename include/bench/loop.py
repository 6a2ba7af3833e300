"""The loop: what a careful newcomer writes by hand. One registration after the other, and no ledger behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import jsonschema
import psycopg
import requests
import yaml
from psycopg.rows import dict_row

from bench.work import CENTER_ID, INCLUDE, MACHINE_ID, OFFICER_ID, SOURCE, Result, Stopwatch, Work
from mosip_crvs.identity import schema
from mosip_crvs.mosip.settings import CREATE_PACKET_PATH, WORKFLOW_INSTANCE_PATH

_PROCESS = "CRVS_NEW"
_SCHEMA_VERSION = "0.1"

Row = dict[str, Any]


def measure(work: Work) -> Result:
    """Read, map, validate, create and trigger, row by row."""
    places = yaml.safe_load((INCLUDE / "mappings" / "places.yaml").read_text(encoding="utf-8"))["places"]
    genders = yaml.safe_load((INCLUDE / "mappings" / "genders.yaml").read_text(encoding="utf-8"))["genders"]
    id_schema = schema.load(INCLUDE / "schemas" / "id-schema.json", _PROCESS)
    validator = jsonschema.Draft7Validator(id_schema.compiled)
    sent = 0
    watch = Stopwatch()
    with requests.Session() as http:
        http.headers["Cookie"] = f"Authorization={_token(http, work)}"
        for number, row in enumerate(_rows(work)):
            identity = _identity(row, places, genders)
            validator.validate(identity)
            aid = f"{CENTER_ID}{MACHINE_ID}{number:05d}{datetime.now(UTC):%Y%m%d%H%M%S}"
            body = _create_packet(aid, identity, id_schema.text)
            _success(http.put(work.far_side + CREATE_PACKET_PATH, data=body, headers=_JSON, timeout=60))
            _success(http.post(work.far_side + WORKFLOW_INSTANCE_PATH, data=_trigger(aid), headers=_JSON, timeout=60))
            sent += 1
    return watch.result(sent)


_JSON = {"Content-Type": "application/json"}


def _rows(work: Work) -> Iterator[Row]:
    select = (INCLUDE / "sql" / "birth.sql").read_text(encoding="utf-8").strip().rstrip(";")
    statement = (
        f"SELECT * FROM ({select}) extract WHERE modified_at >= %s AND modified_at < %s "  # noqa: S608 (our own file)
        "ORDER BY modified_at, registration_id LIMIT %s"
    )
    with psycopg.connect(work.registry, row_factory=dict_row) as connection:
        yield from connection.execute(statement.encode(), (work.start, work.end, work.events))


def _token(http: requests.Session, work: Work) -> str:
    form = {"grant_type": "client_credentials", "client_id": "bench", "client_secret": "bench"}
    url = f"{work.far_side}/auth/realms/mosip/protocol/openid-connect/token"
    return str(http.post(url, data=form, timeout=60).json()["access_token"])


def _identity(row: Row, places: dict[str, Any], genders: dict[str, Any]) -> dict[str, Any]:
    second = row["local_language"]
    languages = ["eng", second] if second else ["eng"]
    place = places[row["residence_place_code"]]
    names = [{"language": "eng", "value": _joined(row["child_given_name"], row["child_family_name"])}]
    local = _joined(row["child_given_name_local"], row["child_family_name_local"])
    if local:
        names.append({"language": second, "value": local})
    identity: dict[str, Any] = {
        "IDSchemaVersion": float(_SCHEMA_VERSION),
        "fullName": names,
        "dateOfBirth": date.fromisoformat(row["child_birth_date"].strip()).strftime("%Y/%m/%d"),
        "gender": _localized(genders[row["child_gender"]], languages),
        "addressLine1": [{"language": "eng", "value": row["residence_address_line1"].strip()}],
    }
    for level in ("region", "province", "city", "zone"):
        identity[level] = _localized(place[level], languages)
    for field, column in _TEXTS.items():
        if row[column]:
            identity[field] = row[column].strip()
    return identity


_TEXTS = {
    "postalCode": "residence_postal_code",
    "phone": "informant_phone",
    "email": "informant_email",
    "introducerInfoToken": "informant_info_token",
}


def _joined(*parts: str | None) -> str:
    return " ".join(part.strip() for part in parts if part and part.strip())


def _localized(texts: dict[str, str], languages: list[str]) -> list[dict[str, str]]:
    return [{"language": language, "value": texts[language]} for language in languages if language in texts]


def _create_packet(aid: str, identity: dict[str, Any], schema_text: str) -> str:
    now = _now()
    fields = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in identity.items()
        if name != "IDSchemaVersion"
    }
    labels = {"registrationType": _PROCESS, "centerId": CENTER_ID, "machineId": MACHINE_ID}
    operations = {"officerId": OFFICER_ID, "officerPassword": "true", "officerOTPAuthentication": "false"}
    request = {
        "id": aid,
        "offlineMode": False,
        "refId": f"{CENTER_ID}_{MACHINE_ID}",
        "process": _PROCESS,
        "source": SOURCE,
        "schemaVersion": _SCHEMA_VERSION,
        "fields": fields,
        "metaInfo": {
            "metaData": json.dumps([{"label": label, "value": value} for label, value in labels.items()]),
            "operationsData": json.dumps([{"label": label, "value": value} for label, value in operations.items()]),
            "capturedRegisteredDevices": "[]",
            "registrationId": aid,
        },
        "audits": [{**_AUDIT, "id": aid, "createdAt": now, "actionTimeStamp": now}],
        "schemaJson": schema_text,
    }
    return json.dumps(
        {"id": "mosip.registration.packet.writer", "version": "v1", "requesttime": now, "request": request}
    )


_AUDIT = {
    "uuid": "00000000-0000-0000-0000-000000000000", "eventId": "REG-EVT-066", "eventName": "PACKET_CREATION_SUCCESS",
    "eventType": "USER", "hostName": "crvs", "hostIp": "localhost", "applicationId": "REG",
    "applicationName": "REGISTRATION", "sessionUserId": OFFICER_ID, "sessionUserName": OFFICER_ID,
    "idType": "REGISTRATION_ID", "createdBy": OFFICER_ID, "moduleName": "Packet Handler", "moduleId": "REG-MOD-117",
    "description": "Packet Successfully Created",
}  # fmt: skip


def _trigger(aid: str) -> str:
    request = {
        "registrationId": aid,
        "process": _PROCESS,
        "source": SOURCE,
        "additionalInfoReqId": "",
        "notificationInfo": {"name": "", "phone": "", "email": ""},
    }
    return json.dumps(
        {
            "id": "mosip.registration.processor.workflow.instance",
            "version": "v1",
            "requesttime": _now(),
            "request": request,
        }
    )


def _success(reply: requests.Response) -> None:
    reply.raise_for_status()
    payload = reply.json()
    if payload.get("errors") or not payload.get("response"):
        raise RuntimeError(f"refused: HTTP {reply.status_code}")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
