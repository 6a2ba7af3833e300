"""Bodies of the two calls that carry an application to MOSIP (``mosip-packets.md`` §1.2, §1.4, §4.6).

The ID schema travels whole with every packet, some nine kilobytes of the same text. It, and all else that does not
change from one application to the next, is encoded once; an application adds only its AID, its fields and the time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from mosip_crvs.identity.schema import Identity, IdSchema

WORKFLOW_INSTANCE_API = "mosip.registration.processor.workflow.instance"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Registrar:
    """Who sends: the ids that an operator registered in MOSIP.

    :param source: exactly as the packet manager's provider is configured; a near miss is stored where nobody reads.
    :param officer_id: an active officer, mapped to the centre and the machine.
    """

    center_id: str
    machine_id: str
    officer_id: str
    source: str = "CRVS1"

    @property
    def ref_id(self) -> str:
        """Name the key that MOSIP encrypts with: ``{centre}_{machine}``."""
        return f"{self.center_id}_{self.machine_id}"


class PacketRequests:
    """Writes the requests of one process for one registrar.

    :param process: ``CRVS_NEW`` or ``CRVS_DEATH``.
    """

    def __init__(self, registrar: Registrar, schema: IdSchema, process: str) -> None:
        self._head = b'{"id":"mosip.registration.packet.writer","version":"v1","requesttime":"'
        self._fields_head = (
            b'","offlineMode":false,"refId":' + _encode(registrar.ref_id)
            + b',"process":' + _encode(process)
            + b',"source":' + _encode(registrar.source)
            + b',"schemaVersion":' + _encode(schema.version)
            + b',"fields":'
        )  # fmt: skip
        self._meta_head = (
            b',"metaInfo":{"metaData":' + _structure(_labels(
                registrationType=process, centerId=registrar.center_id, machineId=registrar.machine_id))
            # Supervisor labels are left out: an absent label reads as "no supervisor", a null one is uncertain (§1.4).
            + b',"operationsData":' + _structure(_labels(
                officerId=registrar.officer_id, officerPassword="true", officerOTPAuthentication="false"))
            + b',"capturedRegisteredDevices":"[]","registrationId":"'
        )  # fmt: skip
        self._audit_head = b'"},"audits":[{"uuid":"'
        self._tail = b',"schemaJson":' + _encode(schema.text) + b"}}"
        self._audit_constants = _audit_constants(registrar)
        self._trigger_tail = (
            b'","process":' + _encode(process) + b',"source":' + _encode(registrar.source)
            + b',"additionalInfoReqId":"","notificationInfo":{"name":"","phone":"","email":""}}}'
        )  # fmt: skip

    def create_packet(self, aid: str, identity: Identity, now: str) -> bytes:
        """Write the body of ``PUT createPacket``.

        :param identity: identity fields by name: texts as they are, structures as lists; ``IDSchemaVersion`` and
            anything that is not a field value is added by MOSIP itself.
        :param now: UTC, ``yyyy-MM-ddTHH:mm:ss.SSSZ``.
        """
        fields = {name: _field_text(value) for name, value in identity.items() if name != "IDSchemaVersion"}
        mark, moment = aid.encode(), now.encode()
        return b"".join((
            self._head, moment, b'","request":{"id":"', mark, self._fields_head, _encode(fields),
            self._meta_head, mark, self._audit_head, _audit_uuid(aid), b'","id":"', mark, b'","createdAt":"', moment,
            b'","actionTimeStamp":"', moment, self._audit_constants, self._tail,
        ))  # fmt: skip

    def trigger(self, aid: str, now: str) -> bytes:
        """Write the body of ``POST workflowinstance``. It names nobody: notification details stay empty."""
        return b"".join((
            b'{"id":"', WORKFLOW_INSTANCE_API.encode(), b'","version":"v1","requesttime":"', now.encode(),
            b'","request":{"registrationId":"', aid.encode(), self._trigger_tail,
        ))  # fmt: skip


def _field_text(value: Any) -> str:
    """A field is always a string: a structure travels as the JSON text of itself."""
    return value if isinstance(value, str) else _encode(value).decode()


def _structure(value: Any) -> bytes:
    return _encode(_encode(value).decode())


def _labels(**values: str) -> list[dict[str, str]]:
    return [{"label": label, "value": value} for label, value in values.items()]


def _audit_uuid(aid: str) -> bytes:
    """One audit a packet, named after the AID, so that a repeated createPacket is the same to the byte but for time."""
    digits = aid.rjust(32, "0")[-32:]
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}".encode()


def _audit_constants(registrar: Registrar) -> bytes:
    constants = {
        "eventId": "REG-EVT-066", "eventName": "PACKET_CREATION_SUCCESS", "eventType": "USER",
        "hostName": "crvs", "hostIp": "localhost", "applicationId": "REG", "applicationName": "REGISTRATION",
        "sessionUserId": registrar.officer_id, "sessionUserName": registrar.officer_id,
        "idType": "REGISTRATION_ID", "createdBy": registrar.officer_id, "moduleName": "Packet Handler",
        "moduleId": "REG-MOD-117", "description": "Packet Successfully Created",
    }  # fmt: skip
    return b'",' + json.dumps(constants, separators=(",", ":")).encode()[1:] + b"]"
